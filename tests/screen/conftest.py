"""A request as a list gets it, and rows to list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from anze.kernel.actor import Actor
from anze.kernel.scope import EVERYTHING, Scope
from anze.parties.rules import Permission
from tests.cast import NOW, XINGHUO, Cast, policy_row
from tests.exchange.examples import example
from tests.stages import stage
from tests.web.conftest import browser_of, put_down, two_sides

__all__ = ["browser_of", "put_down", "two_sides"]

ALL = frozenset(permission.value for permission in Permission)


@pytest.fixture
def asked_by() -> Callable[..., HttpRequest]:
    """`asked_by("?sort=found_on")`: a request of somebody who may see everything, at the cast's present."""

    def make(query: str = "", *, permissions: frozenset[str] = ALL, scope: Scope = EVERYTHING) -> HttpRequest:
        request = RequestFactory().get(f"/list/{query}")
        request.actor = Actor(name="示例人员", scope=scope, permissions=permissions)  # type: ignore[attr-defined]
        request.at = NOW  # type: ignore[attr-defined]
        return request

    return make


def hazard_rows(count: int, **words: Any) -> list[dict[str, Any]]:
    """Hazards without a service, three found on each day, so that days tie."""
    from datetime import date, timedelta

    from anze.exchange.feeds import FEEDS

    first = date(2026, 4, 1)
    rows = []
    for i in range(count):
        found = first + timedelta(days=i // 3 % 200)
        rows.append(
            example(
                FEEDS["hazards"], hazard_no=f"H{i:05d}", insured_uscc=XINGHUO, source="SELF_CHECK", service_no=None,
                hazard_class="GENERAL", found_on=str(found), deadline_on=str(found + timedelta(days=10)),
                notified_on=str(found), reported_at=None, rectified_on=None, verified_on=None, verifier=None,
                closed_on=None, state="NOTIFIED", **words,
            )
        )  # fmt: skip
    return rows


@stage
def insured(cast: Cast) -> Cast:
    """The cast with one policy each."""
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    return cast


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """What lists keep in the process for a minute belongs to rows of another test."""
    from anze.screen import asked, kept

    asked._MANY.clear()
    kept._for_a_minute.clear()

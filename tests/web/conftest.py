"""Signed-in people for tests of pages: one browser a role, each request under the conditions of production."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from anze.kernel.scope import EVERYTHING, enter, leave
from anze.parties.models import Account, Membership
from anze.parties.rules import Role
from tests.cast import Cast
from tests.stages import stage
from tests.web import world

PASSWORD = "Kuaile-2026-anquan"


class PutDown:
    """Puts the reader's role down after each request, as the end of its transaction does in production."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            leave()


@pytest.fixture(autouse=True)
def put_down(settings) -> None:
    place = settings.MIDDLEWARE.index("anze.web.middleware.ActorAndScope")
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE[:place],
        "tests.web.conftest.PutDown",
        *settings.MIDDLEWARE[place:],
    ]


class Browser(Client):
    """A test client whose requests start, as in production, without any scope, and leave none behind.

    A test's own statements run inside one transaction with everything in view; between them and a request the
    role is put down, or a page could see what its reader may not.
    """

    membership: Membership

    def request(self, **request: Any) -> Any:
        leave()
        try:
            return super().request(**request)
        finally:
            enter(EVERYTHING)

    def force_login(self, user: Any, backend: str | None = "anze.web.sessions.Backend") -> None:
        leave()
        try:
            super().force_login(user, backend)
        finally:
            enter(EVERYTHING)


@stage
def two_sides(cast: Cast) -> Cast:
    """The cast, and two of everything: see tests/web/world.py."""
    world.two_sides(cast)
    return cast


@pytest.fixture
def browser_of(cast) -> Callable[..., Browser]:
    """`browser_of(Role.AGENCY)`: somebody signed in in that role at the cast's first such party."""

    def sign_in(role: Role, other: bool = False, **words: Any) -> Browser:
        party: dict[str, Any] = {
            Role.PROVINCE_REGULATOR: {"organisation": cast.province},
            Role.CITY_REGULATOR: {"organisation": cast.qingdao if other else cast.jinan},
            Role.COUNTY_REGULATOR: {"organisation": cast.lixia},
            Role.SECTOR_DEPARTMENT: {"organisation": cast.jinan, "sector": "FISHERY" if other else "SMELT"},
            Role.FINANCIAL_REGULATOR: {"organisation": cast.province},
            Role.COMMITTEE: {"organisation": cast.committee},
            Role.AGENCY: {"organisation": cast.other_agency if other else cast.agency},
            Role.EXPERT: {"expert": cast.other_expert if other else cast.expert},
            Role.ENTERPRISE: {"enterprise": cast.yuanfan if other else cast.xinghuo},
            Role.ADMINISTRATOR: {},
        }.get(role, {"organisation": cast.bohai if other else cast.huaihai})
        if role in (Role.INSURER_BRANCH_MANAGER, Role.INSURER_BRANCH_CLERK):
            party["region_id"] = "370200" if other else "370100"
        account = Account.objects.create_user(
            f"{role.value.lower()}{'-other' if other else ''}", PASSWORD, name=f"示例{role.label}", **words
        )
        browser = Browser()
        browser.membership = Membership.objects.create(account=account, role=role, **party)
        browser.force_login(account)
        return browser

    return sign_in

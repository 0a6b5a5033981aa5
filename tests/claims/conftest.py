"""A claim of Xinghuo at Huaihai, and those who work on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anze.claims.models import Claim
from anze.kernel.actor import Actor
from anze.parties.rules import Role
from tests.cast import XINGHUO, Cast, policy_row
from tests.hazards.conftest import actor
from tests.stages import stage
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]


def claim_row(**words: Any) -> dict[str, Any]:
    """A claim just notified: a worker seriously hurt on 20 November."""
    return {
        "claim_no": "L1",
        "policy_no": "P1",
        "state": "NOTIFIED",
        "loss_on": "2026-11-20",
        "notified_at": "2026-11-20T15:00:00+08:00",
        "claimed": "180000.00",
        "outstanding": "180000.00",
        "victims": [{"kind": "WORKER", "degree": "SERIOUS", "amount": "180000.00"}],
        **words,
    }


@stage
def insured(cast: Cast) -> Cast:
    """The cast, and Xinghuo's policy at Huaihai."""
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    return cast


@pytest.fixture
def claim(insured: Cast) -> Callable[..., Claim]:
    """`claim(state="REGISTERED", …)`: a claim as Huaihai's system reports it."""

    def report(**words: Any) -> Claim:
        row = claim_row(**words)
        insured.accepted(insured.huaihai, "claims", row)
        return Claim.objects.get(claim_no=row["claim_no"])

    return report


@pytest.fixture
def people(cast: Cast) -> dict[str, Actor]:
    return {
        "enterprise": actor(Role.ENTERPRISE, cast.xinghuo),
        "insurer": actor(Role.INSURER_CLERK, cast.huaihai),
        "other_insurer": actor(Role.INSURER_CLERK, cast.bohai),
        "city": actor(Role.CITY_REGULATOR, cast.jinan),
        "province": actor(Role.PROVINCE_REGULATOR, cast.province),
    }

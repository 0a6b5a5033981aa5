"""A hazard of Huaihai at Xinghuo, and everybody who may do something with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anze.exchange.feeds import FEEDS
from anze.hazards.models import Hazard
from anze.kernel.actor import Actor
from anze.kernel.scope import Scope
from anze.parties.models import Enterprise, Expert, Organisation
from anze.parties.rules import ROLES, Role
from tests.cast import XINGHUO, Cast
from tests.exchange.examples import example
from tests.stages import stage
from tests.web.world import OWN_MARK, one_side


def hazard_row(**words: Any) -> dict[str, Any]:
    """A hazard of the cast as it is first reported: found and nothing more."""
    return example(
        FEEDS["hazards"], 0,
        **{
            "hazard_no": "H1", "service_no": f"S-{OWN_MARK}", "state": "FOUND", "hazard_class": "GENERAL",
            "found_on": "2026-11-16", "deadline_on": "2026-12-16",
            "notified_on": None, "notified_principal": False, "reported_at": None, "rectified_on": None,
            "verified_on": None, "verifier": None, "closed_on": None, **words,
        },
    )  # fmt: skip


@stage
def served(cast: Cast) -> Cast:
    """The cast, and what Huaihai did for Xinghuo."""
    one_side(cast, cast.huaihai, XINGHUO, OWN_MARK, "AGY01", "EXP001")
    return cast


@pytest.fixture
def found(served: Cast) -> Callable[..., Hazard]:
    """`found(hazard_class="MAJOR")`: a hazard just reported by Huaihai's system."""

    def report(**words: Any) -> Hazard:
        row = hazard_row(**{"insured_uscc": XINGHUO, **words})
        served.accepted(served.huaihai, "hazards", row)
        return Hazard.objects.get(hazard_no=row["hazard_no"])

    return report


def actor(role: Role, party: Organisation | Expert | Enterprise) -> Actor:
    """Somebody in a role, as the sign-in would make him."""
    if isinstance(party, Expert):
        scope = Scope(reader="anze_expert", expert_id=party.pk)
    elif isinstance(party, Enterprise):
        scope = Scope(reader="anze_enterprise", enterprise_id=party.pk)
    elif role is Role.AGENCY:
        scope = Scope(reader="anze_agency", agency_id=party.pk)
    elif role is Role.PROVINCE_REGULATOR:
        scope = Scope(reader="anze_all")
    elif role is Role.CITY_REGULATOR:
        scope = Scope(reader="anze_region", region_from=party.region_id, region_to=party.region_id[:4] + "ZZ")
    else:
        scope = Scope(reader="anze_insurer", insurer_id=party.pk, region_from="370000", region_to="37ZZZZ")
    return Actor(
        name=f"示例{role.value}", scope=scope, role=role.value,
        permissions=frozenset(each.value for each in ROLES[role].permissions), organisation_name=str(party),
    )  # fmt: skip


@pytest.fixture
def people(cast: Cast) -> dict[str, Actor]:
    return {
        "enterprise": actor(Role.ENTERPRISE, cast.xinghuo),
        "insurer": actor(Role.INSURER_CLERK, cast.huaihai),
        "agency": actor(Role.AGENCY, cast.agency),
        "expert": actor(Role.EXPERT, cast.expert),
        "city": actor(Role.CITY_REGULATOR, cast.jinan),
        "province": actor(Role.PROVINCE_REGULATOR, cast.province),
        "other_insurer": actor(Role.INSURER_CLERK, cast.bohai),
    }

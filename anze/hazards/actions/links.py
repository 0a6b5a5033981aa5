"""A link to one hazard, for the workshop that has no account."""

from __future__ import annotations

from datetime import datetime, timedelta

from anze.hazards.models import Hazard
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.links import make_link
from anze.kernel.models import parameter
from anze.parties.rules import Permission

PURPOSE = "hazard"


@action(Permission.SEE_HAZARDS, "hazard.link_issued")
def issue_link(hazard: Hazard, *, by: Actor, at: datetime) -> str:
    """Whoever sees a hazard may hand it to the workshop: the link shows this one hazard and takes its proof."""
    days = int(parameter("hazard_link_days", beijing_day(at), hazard.region_code))
    return make_link(PURPOSE, hazard.pk, until=at + timedelta(days=days))

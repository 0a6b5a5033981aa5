"""An enterprise tells what it found by itself, and what it did about it."""

from __future__ import annotations

from datetime import datetime

from anze.hazards.models import Hazard, OwnFinding
from anze.hazards.rules import OWN_FINDING
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.underwriting.models import Policy


@action(Permission.RECTIFY_HAZARDS, "own_finding.reported")
def report_finding(
    enterprise: Enterprise, *, by: Actor, at: datetime, description: str, location: str = "", entry_code: str = ""
) -> OwnFinding:
    """It goes to the insurer whose policy is in force, the latest where there are several."""
    today = beijing_day(at)
    insurer = (
        Policy.objects.filter(enterprise=enterprise, start_on__lte=today, cover_end_on__gte=today, is_void=False)
        .order_by("-start_on")
        .values_list("insurer_id", flat=True)
        .first()
    )
    return OwnFinding.objects.create(
        found_on=today,
        entry_code=entry_code,
        description=description,
        location=location,
        reported_at=at,
        reported_by=by.name[:120],
        enterprise=enterprise,
        insurer_id=insurer,
        region_code=enterprise.region_code,
        sector=enterprise.sector,
    )


@action(Permission.RECTIFY_HAZARDS, "own_finding.done")
def finish_finding(finding: OwnFinding, *, by: Actor, at: datetime, words: str) -> OwnFinding:
    OWN_FINDING.move(finding, "done", done_on=beijing_day(at), done_words=words[:500])
    return finding


@action(Permission.ENTER_DATA, "own_finding.taken")
def take_finding(finding: OwnFinding, *, by: Actor, at: datetime, hazard: Hazard) -> OwnFinding:
    """The insurer follows it up: the hazard came through its feed just before."""
    with widened(EVERYTHING):
        OWN_FINDING.move(finding, "take", hazard_id=hazard.pk)
    return finding

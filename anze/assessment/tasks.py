"""The worker's part: freezing the data of a whole province, and every insurer's forecast through the year."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from anze.assessment.actions.course import FREEZE_TASK
from anze.assessment.actions.forecasts import forecast_all
from anze.assessment.actions.freezing import freeze
from anze.assessment.models import Campaign
from anze.assessment.rules.campaigns import CampaignState
from anze.kernel.actor import platform
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.rules import Permission


@app.periodic(cron="* * * * *", periodic_id="net", queueing_lock="assessment net")
@app.task(name=FREEZE_TASK)
def freeze_waiting(timestamp: int | None = None) -> None:
    """Freeze what somebody asked for; deferred with the asking, each minute as a net."""
    by = platform(frozenset({Permission.RUN_ASSESSMENT}))
    while True:
        with inside(EVERYTHING):
            campaign = Campaign.objects.filter(state=CampaignState.FREEZING).order_by("made_at").first()
            if campaign is None:
                return
            freeze(campaign, by=by, at=timezone.now())


@app.periodic(cron="40 2 * * *", periodic_id="forecasts")
@app.task(queueing_lock="assessment forecasts", pass_context=False)
def forecast_everybody(timestamp: int) -> None:
    """Each night: where every insurer and agency would stand."""
    with inside(EVERYTHING):
        forecast_all(at=timezone.now())

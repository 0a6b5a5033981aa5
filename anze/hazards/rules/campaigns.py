"""“1+1” campaigns: regulators' experts diagnose, insurers' staff attend and help to rectify (鲁应急 2024)."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission


class CampaignState(TextChoices):
    PLANNED = "PLANNED", pgettext_lazy("campaign", "planned")
    RUNNING = "RUNNING", pgettext_lazy("campaign", "under way")
    CLOSED = "CLOSED", pgettext_lazy("campaign", "ended")


class Reason(TextChoices):
    """How an enterprise came onto the list of a campaign."""

    FILTER = "FILTER", _("by sector, industry and region")
    HAND = "HAND", _("added by hand")
    FOUND = "FOUND", _("hazards of the campaign were reported there")


CAMPAIGN = Lifecycle(
    CampaignState.PLANNED,
    (
        Transition("start", (CampaignState.PLANNED,), CampaignState.RUNNING, _("Start and freeze the list"),
                   Permission.RUN_CAMPAIGNS),
        Transition("close", (CampaignState.RUNNING,), CampaignState.CLOSED, _("End the campaign"),
                   Permission.RUN_CAMPAIGNS),
    ),
)  # fmt: skip

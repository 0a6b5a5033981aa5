"""What an enterprise finds at its own place and tells by itself."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.hazards.models.hazards import Hazard
from anze.hazards.rules import FindingState
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, Organisation


class OwnFinding(ScopedTable):
    """A finding of the enterprise's own self-check. Its insurer sees it and may take it over as a hazard.

    A table of its own, because a hazard is a record its insurer answers for: it becomes one through the same feed
    as every other, when the insurer gives it a class and a deadline.
    """

    found_on = models.DateField(_("found on"))
    entry_code = models.CharField(_("hazard of the library"), max_length=20, blank=True)
    description = models.CharField(_("description"), max_length=500)
    location = models.CharField(_("location"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=FindingState.choices, default=FindingState.OPEN)
    done_on = models.DateField(_("rectified on"), null=True)
    done_words = models.CharField(_("what was done"), max_length=500, blank=True)
    hazard = models.ForeignKey(
        Hazard, models.SET_NULL, null=True, related_name="own_findings", verbose_name=_("hazard")
    )
    reported_at = models.DateTimeField(pgettext_lazy("own finding", "reported at"))
    reported_by = models.CharField(pgettext_lazy("own finding", "reported by"), max_length=120)
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("enterprise")
    )
    # who covered it on the day; without one it stays the enterprise's own
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, null=True, related_name="+", verbose_name=_("insurer")
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("finding of a self-check")
        verbose_name_plural = _("findings of self-checks")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state="DONE") | Q(done_on__isnull=False), name="own_finding_done_on_day"
            ),
            models.CheckConstraint(
                condition=~Q(state="TAKEN") | Q(hazard__isnull=False), name="own_finding_taken_as_hazard"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-found_on", "-id"], name="own_finding_by_day"),
            models.Index(fields=["enterprise", "-found_on"], name="own_finding_by_enterprise"),
        ]

    def __str__(self) -> str:
        return self.description[:60]

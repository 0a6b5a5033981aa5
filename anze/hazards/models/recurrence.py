"""Hazards that came back."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.hazards.models.hazards import Hazard
from anze.hazards.rules import RecurrenceState, Sameness
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector

_OF_HAZARD = "EXISTS (SELECT 1 FROM hazards_hazard h WHERE h.id = hazard_id)"


class Recurrence(ScopedTable):
    """A hazard and an earlier one of the same enterprise that it may repeat.

    It belongs to the readers of the later hazard. Of the earlier one, which may be another insurer's, it says the
    month and nothing more; the row itself opens only to those who see it anyway.
    """

    policies: ClassVar = {"anze_agency": _OF_HAZARD, "anze_expert": _OF_HAZARD}

    hazard = models.ForeignKey(
        Hazard, models.CASCADE, db_index=False, related_name="recurrences", verbose_name=_("hazard")
    )
    earlier = models.ForeignKey(Hazard, models.CASCADE, related_name="recurred", verbose_name=_("earlier hazard"))
    earlier_on = models.DateField(_("earlier found on"))
    is_other_insurer = models.BooleanField(_("found by another insurer"))
    sameness = models.CharField(_("because of"), max_length=10, choices=Sameness.choices)
    likeness = models.DecimalField(_("likeness of words"), max_digits=4, decimal_places=3)
    state = models.CharField(_("decision"), max_length=8, choices=RecurrenceState.choices)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by_name = models.CharField(_("decided by"), max_length=120, blank=True, default="", db_default="")
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    insurer_id = models.UUIDField()
    enterprise_id = models.UUIDField()

    class Meta:
        verbose_name = _("recurrence of a hazard")
        verbose_name_plural = _("recurrences of hazards")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hazard", "earlier"], name="recurrence_once"),
            models.CheckConstraint(condition=~models.Q(hazard=models.F("earlier")), name="recurrence_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.earlier_id}"

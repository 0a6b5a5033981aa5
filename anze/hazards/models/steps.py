"""The steps of a hazard: who did what, when, with which words and photos. Only ever added to."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.hazards.models.hazards import Hazard
from anze.hazards.rules import HazardClass, HazardState, Level, Means, Party, StepKind
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector

_OF_HAZARD = "EXISTS (SELECT 1 FROM hazards_hazard h WHERE h.id = hazard_id)"


class HazardStep(ScopedTable):
    """One step, as it was taken. Taken on the platform, or by the insurer's system after the first one here.

    What an insurer's system alone has moved needs no rows: its days stand in the hazard and its history.
    """

    keeps_history = False
    is_append_only: ClassVar[bool] = True
    # the hazard's own policy, seen through: a correction may give a hazard to another agency
    policies: ClassVar = {"anze_agency": _OF_HAZARD, "anze_expert": _OF_HAZARD}

    hazard = models.ForeignKey(Hazard, models.PROTECT, db_index=False, related_name="steps", verbose_name=_("hazard"))
    kind = models.CharField(_("step"), max_length=18, choices=StepKind.choices)
    at = models.DateTimeField(_("at"))
    from_state = models.CharField(_("state before"), max_length=12, choices=HazardState.choices)
    to_state = models.CharField(_("state after"), max_length=12, choices=HazardState.choices)
    party = models.CharField(_("acting as"), max_length=10, choices=Party.choices)
    by = models.UUIDField(_("account"), null=True)
    by_name = models.CharField(_("who"), max_length=120)
    organisation_name = models.CharField(_("organisation"), max_length=160, blank=True)
    words = models.CharField(_("words"), max_length=1000, blank=True)
    to_whom = models.CharField(_("to whom"), max_length=120, blank=True)
    means = models.CharField(_("how"), max_length=10, choices=Means.choices, blank=True)
    number = models.CharField(_("number"), max_length=40, blank=True)
    day = models.DateField(_("day"), null=True)
    cost = models.DecimalField(_("cost"), max_digits=12, decimal_places=2, null=True)
    hazard_class = models.CharField(_("class"), max_length=8, choices=HazardClass.choices, blank=True)
    level = models.CharField(_("level"), max_length=8, choices=Level.choices, blank=True)
    media = ArrayField(models.UUIDField(), verbose_name=_("photos"), default=list, blank=True)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    insurer_id = models.UUIDField()
    enterprise_id = models.UUIDField()

    class Meta:
        verbose_name = _("step of a hazard")
        verbose_name_plural = _("steps of a hazard")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(kind__in=("RETURNED", "REOPENED", "RECLASSIFIED", "EXTENSION_ASKED"))
                | ~models.Q(words=""),
                name="hazard_step_says_why",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["hazard", "at"], name="hazard_step_by_hazard")]

    def __str__(self) -> str:
        return f"{self.hazard_id} {self.kind}"

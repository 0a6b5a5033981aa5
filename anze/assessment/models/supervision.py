"""Who is supervised how closely: what a published grade leads to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.models.campaigns import Campaign, Outcome
from anze.assessment.rules import Tier, TierState
from anze.kernel.models import PublicTable
from anze.kernel.rules import ParameterStatus
from anze.parties.models import Organisation


class Supervised(PublicTable):
    """The tier of an organisation, in the province or in one city, from one published result to the next.

    What the scheme of the result makes of its grade, written down on publication: a later scheme moves nothing.
    `later` is the last publication since, which ended the tier or, grading nobody here, left it in force.
    """

    outcome = models.OneToOneField(Outcome, models.CASCADE, related_name="supervised", verbose_name=_("result"))
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", verbose_name=_("assessment"))
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name=pgettext_lazy("assessment", "assessed")
    )
    region_code = models.CharField(_("region"), max_length=6)
    tier = models.CharField(_("supervision tier"), max_length=1, choices=Tier.choices)
    checks_a_year = models.PositiveIntegerField(_("checks a year"))
    is_spoken_to = models.BooleanField(_("the committee gives feedback"))
    spoken_at = models.DateTimeField(_("feedback given at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    ground = models.CharField(_("ground"), max_length=200, blank=True)
    status = models.CharField(_("how sure"), max_length=12, choices=ParameterStatus.choices)
    from_on = models.DateField(_("in force from"))
    until_on = models.DateField(_("in force until"), null=True)
    state = models.CharField(_("state"), max_length=8, choices=TierState.choices, default=TierState.IN_FORCE)
    later = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, related_name="+", verbose_name=_("later assessment")
    )

    class Meta:
        verbose_name = _("supervision tier")
        verbose_name_plural = _("supervision tiers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "region_code"],
                condition=models.Q(until_on__isnull=True),
                name="one_tier_at_a_time",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-from_on", "-id"], name="tier_by_day")]

    def __str__(self) -> str:
        return f"{self.organisation} {self.get_tier_display()}"

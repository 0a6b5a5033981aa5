"""Samples of claims drawn in the open, and the sheet of each claim drawn."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.claims.models.claims import Claim
from anze.claims.rules.samples import ReviewState, SampleKind
from anze.kernel.models import DrawnPopulation, DrawnRecord, DrawnSample, ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, Organisation


class ClaimSample(DrawnSample):
    """A sample of the claims notified in a period."""

    kind = models.CharField(_("drawn from"), max_length=10, choices=SampleKind.choices)

    class Meta(DrawnSample.Meta):
        verbose_name = _("sample of claims")
        verbose_name_plural = _("samples of claims")


class ClaimPopulation(DrawnPopulation):
    sample = models.OneToOneField(ClaimSample, models.CASCADE, related_name="population")

    class Meta(DrawnPopulation.Meta):
        verbose_name = _("population of a sample of claims")
        verbose_name_plural = _("populations of samples of claims")


class ClaimReview(DrawnRecord, ScopedTable):
    """A claim drawn for review, and why it stands apart."""

    policies: ClassVar = {"anze_enterprise": "false"}

    sample = models.ForeignKey(ClaimSample, models.PROTECT, related_name="reviews", verbose_name=_("sample"))
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="+", verbose_name=_("claim"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    usual_from = models.DecimalField(_("usual from"), max_digits=14, decimal_places=2, null=True)
    usual_to = models.DecimalField(_("usual up to"), max_digits=14, decimal_places=2, null=True)
    state = models.CharField(_("state"), max_length=10, choices=ReviewState.choices, default=ReviewState.WAITING)
    answer = models.CharField(_("the insurer's answer"), max_length=1000, blank=True)
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("enterprise")
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta(DrawnRecord.Meta):
        verbose_name = _("review of a claim")
        verbose_name_plural = _("reviews of claims")
        constraints: ClassVar = [
            *DrawnRecord.Meta.constraints,
            models.UniqueConstraint(fields=["sample", "claim"], name="claim_reviewed_once_a_sample"),
        ]

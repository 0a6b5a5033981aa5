"""Samples of claims drawn in the open, and the sheet of each claim drawn."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.claims.models.claims import Claim
from anze.claims.rules.samples import ClaimSampleState, ReviewState, SampleKind
from anze.kernel.models import PublicTable, ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, Organisation


class ClaimSample(PublicTable):
    """One draw. The population is fixed and its digest published before the seed is known; then anybody can draw it
    again. Public by its purpose: the population names claims by meaningless keys."""

    title = models.CharField(_("title"), max_length=120)
    kind = models.CharField(_("drawn from"), max_length=10, choices=SampleKind.choices)
    period_from = models.DateField(_("claims notified from"))
    period_to = models.DateField(_("claims notified until"))
    size = models.PositiveIntegerField(_("claims to be drawn"))
    population_count = models.PositiveIntegerField(_("claims in the population"))
    population_sha256 = models.CharField(_("digest of the population"), max_length=64)
    fixed_at = models.DateTimeField(_("population fixed at"))
    fixed_by = models.CharField(_("fixed by"), max_length=120)
    state = models.CharField(_("state"), max_length=8, choices=ClaimSampleState.choices, default=ClaimSampleState.FIXED)
    seed = models.CharField(_("seed"), max_length=100, blank=True)
    seed_source = models.CharField(_("where the seed comes from"), max_length=200, blank=True)
    drawn_at = models.DateTimeField(_("drawn at"), null=True)

    class Meta:
        verbose_name = _("sample of claims")
        verbose_name_plural = _("samples of claims")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="DRAWN", drawn_at__isnull=False) & ~models.Q(seed="")
                | models.Q(state="FIXED", drawn_at__isnull=True, seed=""),
                name="drawn_claim_sample_has_seed",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-fixed_at", "-id"], name="claim_sample_by_time")]

    def __str__(self) -> str:
        return self.title


class ClaimPopulation(PublicTable):
    """The keys a sample is drawn from, one a line, as they are published."""

    keeps_history = False

    sample = models.OneToOneField(ClaimSample, models.CASCADE, related_name="population")
    keys = models.TextField()

    class Meta:
        verbose_name = _("population of a sample of claims")
        verbose_name_plural = _("populations of samples of claims")

    def __str__(self) -> str:
        return str(self.sample_id)


class ClaimReview(ScopedTable):
    """A claim drawn for review: its place in the draw, why it stands apart, the marks, and what came of it."""

    policies: ClassVar = {"anze_enterprise": "false"}

    sample = models.ForeignKey(ClaimSample, models.PROTECT, related_name="reviews", verbose_name=_("sample"))
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="+", verbose_name=_("claim"))
    rank = models.PositiveIntegerField(_("place in the draw"))
    digest = models.CharField(_("digest of the draw"), max_length=64)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    usual_from = models.DecimalField(_("usual from"), max_digits=14, decimal_places=2, null=True)
    usual_to = models.DecimalField(_("usual up to"), max_digits=14, decimal_places=2, null=True)
    state = models.CharField(_("state"), max_length=10, choices=ReviewState.choices, default=ReviewState.WAITING)
    marks = models.JSONField(_("marks"), default=dict)
    mark = models.PositiveSmallIntegerField(_("mark"), null=True)
    reasons = models.CharField(_("reasons"), max_length=1000, blank=True)
    answer = models.CharField(_("the insurer's answer"), max_length=1000, blank=True)
    reviewer = models.UUIDField(null=True)
    reviewer_name = models.CharField(_("reviewer"), max_length=120, blank=True)
    marked_at = models.DateTimeField(_("marked at"), null=True)
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("enterprise")
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("review of a claim")
        verbose_name_plural = _("reviews of claims")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sample", "claim"], name="claim_reviewed_once_a_sample"),
            models.CheckConstraint(
                condition=models.Q(mark__isnull=True) | models.Q(mark__range=(0, 100)), name="claim_mark_from_0_to_100"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="RETURNED") | ~models.Q(reasons=""), name="claim_returned_with_reasons"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["sample", "rank"], name="claim_review_by_rank")]

    def __str__(self) -> str:
        return f"{self.rank}"

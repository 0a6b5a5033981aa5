"""Quality checks: samples drawn in the open, and the sheet of each service drawn."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import PublicTable
from anze.prevention.models.confirmations import OfService
from anze.prevention.rules.quality import CheckState, SampleState


class Sample(PublicTable):
    """One draw. The population is fixed and its digest published before the seed is known; then anybody can draw
    it again. Public by its purpose: the population names services by meaningless keys."""

    title = models.CharField(_("title"), max_length=120)
    period_from = models.DateField(_("services from"))
    period_to = models.DateField(_("services until"))
    size = models.PositiveIntegerField(_("services to be drawn"))
    population_count = models.PositiveIntegerField(_("services in the population"))
    population_sha256 = models.CharField(_("digest of the population"), max_length=64)
    fixed_at = models.DateTimeField(_("population fixed at"))
    fixed_by = models.CharField(_("fixed by"), max_length=120)
    state = models.CharField(_("state"), max_length=8, choices=SampleState.choices, default=SampleState.FIXED)
    seed = models.CharField(_("seed"), max_length=100, blank=True)
    seed_source = models.CharField(_("where the seed comes from"), max_length=200, blank=True)
    drawn_at = models.DateTimeField(_("drawn at"), null=True)

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="DRAWN", drawn_at__isnull=False) & ~models.Q(seed="")
                | models.Q(state="FIXED", drawn_at__isnull=True, seed=""),
                name="drawn_sample_has_seed",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-fixed_at", "-id"], name="sample_by_time")]

    def __str__(self) -> str:
        return self.title


class Population(PublicTable):
    """The keys a sample is drawn from, one a line, as they are published."""

    keeps_history = False

    sample = models.OneToOneField(Sample, models.CASCADE, related_name="population")
    keys = models.TextField()

    class Meta:
        verbose_name = _("population of a sample")
        verbose_name_plural = _("populations of samples")

    def __str__(self) -> str:
        return str(self.sample_id)


class QualityCheck(OfService):
    """A service drawn for a check: its place in the draw, the reviewer's marks, and what came of it."""

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="checks", verbose_name=_("sample"))
    rank = models.PositiveIntegerField(_("place in the draw"))
    digest = models.CharField(_("digest of the draw"), max_length=64)
    state = models.CharField(_("state"), max_length=12, choices=CheckState.choices, default=CheckState.WAITING)
    marks = models.JSONField(_("marks"), default=dict)
    mark = models.PositiveSmallIntegerField(_("mark"), null=True)
    reasons = models.CharField(_("reasons"), max_length=1000, blank=True)
    reviewer = models.UUIDField(null=True)
    reviewer_name = models.CharField(_("reviewer"), max_length=120, blank=True)
    marked_at = models.DateTimeField(_("marked at"), null=True)
    service_version = models.PositiveIntegerField(_("version of the service record"), null=True)
    rounds = models.PositiveSmallIntegerField(_("times marked"), default=0)

    class Meta:
        verbose_name = _("quality check")
        verbose_name_plural = _("quality checks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sample", "service"], name="checked_once_a_sample"),
            models.CheckConstraint(
                condition=models.Q(mark__isnull=True) | models.Q(mark__range=(0, 100)), name="mark_from_0_to_100"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="RETURNED") | ~models.Q(reasons=""), name="returned_with_reasons"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["sample", "rank"], name="check_by_rank"),
            models.Index(fields=["state", "-id"], name="check_by_state"),
            models.Index(fields=["service"], name="check_by_service"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}"

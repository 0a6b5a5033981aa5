"""Quality checks: samples drawn in the open, and the sheet of each service drawn."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import DrawnPopulation, DrawnRecord, DrawnSample
from anze.prevention.models.confirmations import OfService
from anze.prevention.rules.quality import CheckState


class Sample(DrawnSample):
    """A sample of the services performed in a period."""

    class Meta(DrawnSample.Meta):
        verbose_name = _("sample")
        verbose_name_plural = _("samples")


class Population(DrawnPopulation):
    sample = models.OneToOneField(Sample, models.CASCADE, related_name="population")

    class Meta(DrawnPopulation.Meta):
        verbose_name = _("population of a sample")
        verbose_name_plural = _("populations of samples")


class QualityCheck(DrawnRecord, OfService):
    """A service drawn for a check."""

    sample = models.ForeignKey(Sample, models.PROTECT, related_name="checks", verbose_name=_("sample"))
    state = models.CharField(_("state"), max_length=12, choices=CheckState.choices, default=CheckState.WAITING)
    service_version = models.PositiveIntegerField(_("version of the service record"), null=True)
    rounds = models.PositiveSmallIntegerField(_("times marked"), default=0)

    class Meta(DrawnRecord.Meta):
        verbose_name = _("quality check")
        verbose_name_plural = _("quality checks")
        constraints: ClassVar = [
            *DrawnRecord.Meta.constraints,
            models.UniqueConstraint(fields=["sample", "service"], name="checked_once_a_sample"),
        ]
        indexes: ClassVar = [
            *DrawnRecord.Meta.indexes,
            models.Index(fields=["state", "-id"], name="check_by_state"),
            models.Index(fields=["service"], name="check_by_service"),
        ]

"""What reports are found again by, and pairs of reports that say the same."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.evidence.models import DECIDED_WITH_REASON, Resemblance
from anze.kernel.models import PrivateTable
from anze.parties.models import Enterprise, Organisation
from anze.prevention.models.records import Service


class ReportText(PrivateTable):
    """The hashes by which the report of a service is found again. Only the platform reads them: it compares across
    insurers. Of which version of the service they are tells whether they still hold."""

    service = models.OneToOneField(Service, models.CASCADE, related_name="+")
    service_version = models.PositiveIntegerField()
    digest = models.CharField(max_length=32, blank=True)
    keys = ArrayField(models.IntegerField())
    is_compared = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("text of a report")
        verbose_name_plural = _("texts of reports")
        indexes: ClassVar = [
            models.Index(fields=["digest"], name="report_text_by_digest"),
            models.Index(fields=["id"], name="report_text_waiting", condition=models.Q(is_compared=False)),
        ]

    def __str__(self) -> str:
        return str(self.service_id)


def _party(to: type[models.Model], title: Any) -> Any:
    return models.ForeignKey(
        to, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+", verbose_name=title
    )


class Likeness(Resemblance):
    """The reports of two services that say nearly the same: `first` was done before `second`."""

    first = models.ForeignKey(Service, models.CASCADE, related_name="+", verbose_name=_("earlier service"))
    second = models.ForeignKey(
        Service, models.CASCADE, db_index=False, related_name="+", verbose_name=_("later service")
    )
    likeness = models.DecimalField(_("part that is the same"), max_digits=4, decimal_places=3)
    first_insurer = _party(Organisation, _("insurer of the earlier report"))
    second_insurer = _party(Organisation, _("insurer of the later report"))
    first_enterprise = _party(Enterprise, _("enterprise of the earlier report"))
    second_enterprise = _party(Enterprise, _("enterprise of the later report"))

    class Meta:
        verbose_name = _("reports that say the same")
        verbose_name_plural = _("reports that say the same")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["second", "first"], name="likeness_once_a_pair"),
            models.CheckConstraint(condition=~models.Q(first=models.F("second")), name="likeness_of_two"),
            models.CheckConstraint(condition=DECIDED_WITH_REASON, name="likeness_decided_with_reason"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-found_at", "-id"], name="likeness_by_time"),
            models.Index(fields=["insurer_id", "-found_at"], name="likeness_by_insurer"),
            models.Index(fields=["region_code", "-found_at"], name="likeness_by_region"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} – {self.second_id}"

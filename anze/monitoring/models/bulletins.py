"""Published editions of the monthly bulletin."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import ScopedTable
from anze.parties.models import Organisation


class Bulletin(ScopedTable):
    """One edition: what was said of a region's month, as it was said. A correction is a further edition.

    `content` holds figures and words (see anze/monitoring/bulletin.py), `checksum` the SHA-256 of it. Where it names
    no insurer it compares them, and is for authorities alone. Where it names one, it holds his own figures beside
    the values of all together, and he reads it too.
    """

    keeps_history = False
    is_append_only = True

    region_code = models.CharField(_("region"), max_length=6)
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+", verbose_name=pgettext_lazy("bulletin", "insurer")
    )
    month = models.DateField(_("month"))
    edition = models.PositiveSmallIntegerField(pgettext_lazy("bulletin", "edition"))
    as_of = models.DateField(_("counted up to"))
    refreshed_at = models.DateTimeField(_("figures refreshed at"))
    made_at = models.DateTimeField(pgettext_lazy("bulletin", "published at"))
    made_by = models.CharField(_("published by"), max_length=120)
    content = models.JSONField(_("content"))
    checksum = models.CharField(_("checksum (SHA-256)"), max_length=64)

    class Meta:
        verbose_name = _("monthly bulletin")
        verbose_name_plural = _("monthly bulletins")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["region_code", "insurer", "month", "edition"],
                name="bulletin_edition_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=models.Q(month__day=1), name="bulletin_month_by_its_first_day"),
        ]
        indexes: ClassVar = [models.Index(fields=["-month", "-id"], name="bulletin_by_month")]

    def __str__(self) -> str:
        return f"{self.region_code} {self.month:%Y-%m} ({self.edition})"

"""Reports issued for services: what they say, the file, and whether they still hold."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.evidence.models import Original
from anze.prevention.models.confirmations import OfService
from anze.prevention.rules.reports import ReportLanguage, ReportState


class Issued(models.Model):
    """An issued paper that anybody can check. An issue is never changed; a later one supersedes it, both are kept.

    `content` is what it says and `content_sha256` its digest, which the signature in the code stands for; the
    digest of the file itself, which cannot stand inside it, is that of the original.
    """

    number = models.CharField(_("report no."), max_length=30, unique=True)
    check_code = models.CharField(max_length=12, editable=False)
    issue = models.PositiveSmallIntegerField(_("issue"))
    issued_at = models.DateTimeField(_("issued at"))
    issued_on = models.DateField(_("issued on"))
    issued_by = models.CharField(_("issued by"), max_length=120)
    content = models.JSONField()
    content_sha256 = models.CharField(_("digest of the content"), max_length=64)
    signed = models.CharField(_("signed line"), max_length=600)
    original = models.ForeignKey(
        Original, models.PROTECT, db_constraint=False, related_name="+", verbose_name=_("file")
    )
    file_sha256 = models.CharField(_("digest of the file"), max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number


class Report(Issued, OfService):
    """One issue of the report of a service."""

    language = models.CharField(_("language"), max_length=8, choices=ReportLanguage.choices)
    state = models.CharField(_("state"), max_length=12, choices=ReportState.choices, default=ReportState.VALID)
    service_version = models.PositiveIntegerField(_("version of the service record"))
    ended_at = models.DateTimeField(_("held until"), null=True)
    reason = models.CharField(pgettext_lazy("report", "reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("service report")
        verbose_name_plural = _("service reports")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "issue"], name="report_issue_once"),
            models.UniqueConstraint(
                fields=["service", "language"], condition=models.Q(state="VALID"), name="one_valid_report_a_language"
            ),
            models.CheckConstraint(
                condition=models.Q(state="VALID", ended_at__isnull=True)
                | ~models.Q(state="VALID") & models.Q(ended_at__isnull=False),
                name="report_ended_when_not_valid",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-issued_on", "-id"], name="report_by_day"),
            models.Index(fields=["insurer", "-issued_on", "-id"], name="report_by_insurer"),
            models.Index(fields=["agency", "-issued_on", "-id"], name="report_by_agency"),
            models.Index(fields=["enterprise", "-issued_on"], name="report_by_enterprise"),
        ]

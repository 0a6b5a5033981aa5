"""Schemes by version, and private copies somebody tries things out on."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from anze.assessment.rules import SchemeState, SchemeText, SubjectKind, scheme_from
from anze.kernel.models import PrivateTable, PublicTable


class Scheme(PublicTable):
    """One version of a scheme. What was issued is never changed: another version takes its place."""

    code = models.CharField(_("code"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("assesses"), max_length=8, choices=SubjectKind.choices)
    title_zh = models.CharField(_("title (Chinese)"), max_length=120)
    title_en = models.CharField(_("title (English)"), max_length=160)
    region_code = models.CharField(_("region"), max_length=6)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid until"), null=True)
    state = models.CharField(_("state"), max_length=6, choices=SchemeState.choices, default=SchemeState.DRAFT)
    is_example = models.BooleanField(_("example, not the official scheme"), default=False)
    content = models.JSONField(_("content"))
    sha256 = models.CharField(_("digest of the file"), max_length=64)
    made_at = models.DateTimeField(_("added at"))
    made_by = models.CharField(_("added by"), max_length=120)
    issued_at = models.DateTimeField(_("issued at"), null=True)
    issued_by = models.CharField(_("issued by"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("scheme")
        verbose_name_plural = _("schemes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="scheme_version_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")),
                name="scheme_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ISSUED", issued_at__isnull=False)
                | models.Q(state="DRAFT", issued_at__isnull=True),
                name="issued_scheme_has_its_moment",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-made_at", "-id"], name="scheme_by_time")]

    def __str__(self) -> str:
        title = self.title_en if (get_language() or "").startswith("en") else self.title_zh
        return f"{title} v{self.version}"

    @property
    def text(self) -> SchemeText:
        return scheme_from(self.content)


class SchemeCopy(PrivateTable):
    """A copy of a scheme with moved weights, kept by one account for itself. Nothing official reads it."""

    account_id = models.UUIDField()
    title = models.CharField(_("title"), max_length=80)
    scheme = models.ForeignKey(Scheme, models.CASCADE, related_name="copies")
    content = models.JSONField()
    made_at = models.DateTimeField(_("kept at"))

    class Meta:
        verbose_name = _("private copy of a scheme")
        verbose_name_plural = _("private copies of schemes")
        indexes: ClassVar = [models.Index(fields=["account_id", "-made_at"], name="scheme_copy_by_account")]

    def __str__(self) -> str:
        return self.title

"""Checklists: what is looked at on a visit, item by item, each with its basis and with conditions."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from anze.kernel.models import PublicTable
from anze.kernel.rules import Sector, ServiceType
from anze.library.models.standards import (
    Criterion,
    Edition,
    HazardEntry,
    Standard,
    basis_of,
    in_force,
    worded,
)
from anze.library.rules import Answer, AnswerKind, Clause, Difference, TextStatus, difference, initials


class Checklist(Edition):
    """One version of a checklist. A visit keeps the version it was made by."""

    code = models.CharField(_("code"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    title_zh = models.CharField(_("title (Chinese)"), max_length=120)
    title_en = models.CharField(_("title (English)"), max_length=160)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    campaign = models.CharField(_("campaign"), max_length=30, blank=True)
    standard = models.ForeignKey(
        Standard, models.PROTECT, null=True, blank=True, related_name="checklists", verbose_name=_("made for")
    )
    service_type = models.CharField(_("service type"), max_length=12, choices=ServiceType.choices)
    status = models.CharField(_("status"), max_length=12, choices=TextStatus.choices)

    class Meta:
        verbose_name = _("checklist")
        verbose_name_plural = _("checklists")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="checklist_once_per_version"),
            models.CheckConstraint(
                condition=Q(effective_from__isnull=False)
                & (Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from"))),
                name="checklist_ends_after_start",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["sector", "service_type", "campaign", "effective_from"], name="checklist_by_use")
        ]

    def __str__(self) -> str:
        return f"{self.title} V{self.version}"

    @property
    def title(self) -> str:
        return worded(self, "title")


class ChecklistItem(PublicTable):
    """One question. Answered “no” it suggests a hazard of the library; the expert decides whether it is one.

    An item with a condition is asked only when the earlier item `shown_if` got the answer `shown_if_answer`.
    """

    checklist = models.ForeignKey(Checklist, models.CASCADE, related_name="items", verbose_name=_("checklist"))
    seq = models.PositiveIntegerField(_("number"))
    section_zh = models.CharField(_("section (Chinese)"), max_length=40)
    section_en = models.CharField(_("section (English)"), max_length=80)
    text_zh = models.CharField(_("text (Chinese)"), max_length=300)
    text_en = models.CharField(_("text (English)"), max_length=400)
    criterion = models.ForeignKey(
        Criterion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("criterion")
    )
    standard = models.ForeignKey(
        Standard, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("standard")
    )
    basis_zh = models.CharField(_("basis (Chinese)"), max_length=160, blank=True)
    basis_en = models.CharField(_("basis (English)"), max_length=200, blank=True)
    hazard = models.ForeignKey(
        HazardEntry, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("hazard if not")
    )
    answer = models.CharField(_("answer"), max_length=10, choices=AnswerKind.choices)
    needs_photo = models.BooleanField(_("photo required"), default=False, db_default=False)
    shown_if = models.PositiveIntegerField(_("only if item"), null=True, blank=True)
    shown_if_answer = models.CharField(_("was answered"), max_length=4, choices=Answer.choices, blank=True)

    class Meta:
        verbose_name = _("item of a checklist")
        verbose_name_plural = _("items of a checklist")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["checklist", "seq"], name="checklist_item_once"),
            models.CheckConstraint(
                condition=Q(shown_if__isnull=True, shown_if_answer="")
                | (Q(shown_if__isnull=False, shown_if__lt=F("seq")) & ~Q(shown_if_answer="")),
                name="checklist_condition_points_back",
            ),
            models.CheckConstraint(
                condition=Q(criterion__isnull=False) | Q(standard__isnull=False) | ~Q(basis_zh=""),
                name="checklist_item_has_a_basis",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq}. {self.text}"

    @property
    def text(self) -> str:
        return worded(self, "text")

    @property
    def section(self) -> str:
        return worded(self, "section")

    @property
    def basis(self) -> str:
        return basis_of(self)


def checklist_for(sector: str, service_type: str, on: date, campaign: str = "") -> Checklist | None:
    """The version valid on a day: the campaign's own where there is one, else the sector's."""
    return (
        Checklist.objects.filter(in_force(on), sector=sector, service_type=service_type, campaign__in={campaign, ""})
        .select_related("standard")
        .order_by("-campaign", "-effective_from", "-version")
        .first()
    )


def checklist_difference(old: Checklist, new: Checklist) -> list[Difference]:
    """What a new version asks otherwise. A question about the same hazard of the library is the same question."""
    texts: dict[Any, list[Clause]] = {old.pk: [], new.pk: []}
    rows = ChecklistItem.objects.filter(checklist__in=(old, new)).select_related("hazard").order_by("seq")
    for each in rows:
        code = each.hazard.code if each.hazard else each.text_zh
        texts[each.checklist_id].append(Clause(code, each.text, str(each.seq)))
    return difference(texts[old.pk], texts[new.pk])


def pack(checklist: Checklist, language: str, on: date | None = None) -> dict[str, Any]:
    """Everything a phone needs to work with a checklist without a network, in one language.

    `on` is the day of the visit, which decides on the versions of the hazard library; without it the newest count.

    The version is a hash of the content: the same words and conditions have the same version wherever and
    whenever they are packed, so a phone asks only whether it is still the one it keeps.
    """
    with override(language):
        items = [
            {
                "seq": each.seq,
                "section": each.section,
                "text": each.text,
                "basis": each.basis,
                "criterion": each.criterion.code if each.criterion else "",
                "answer": each.answer,
                "needs_photo": each.needs_photo,
                "shown_if": each.shown_if,
                "shown_if_answer": each.shown_if_answer,
                "hazard": each.hazard.code if each.hazard else "",
            }
            for each in checklist.items.select_related("criterion__standard", "standard", "hazard").order_by("seq")
        ]
        entries = HazardEntry.objects.filter(
            in_force(on) if on else Q(effective_to__isnull=True), sector=checklist.sector
        )
        hazards = [
            {
                "id": str(each.pk),
                "code": each.code,
                "version": each.version,
                "place": each.place,
                "wording": each.wording,
                "basis": each.basis,
                "criterion": each.criterion.code if each.criterion else "",
                "criterion_id": str(each.criterion_id) if each.criterion_id else "",
                "suggested_class": each.suggested_class,
                "suggested_days": each.suggested_days,
                "advice": each.advice,
                "keywords": each.keywords.split(),
                "initials": initials(f"{each.place_zh}{each.wording_zh}"),
                "unverified": each.status == TextStatus.UNVERIFIED,
            }
            for each in entries.select_related("criterion__standard", "standard").order_by("code")
        ]
        content: dict[str, Any] = {
            "checklist": {
                "id": str(checklist.pk),
                "code": checklist.code,
                "version": checklist.version,
                "title": checklist.title,
                "sector": checklist.sector,
                "campaign": checklist.campaign,
                "service_type": checklist.service_type,
                "standard": checklist.standard.number if checklist.standard else "",
                "unverified": checklist.status == TextStatus.UNVERIFIED,
            },
            "language": language,
            "items": items,
            "hazards": hazards,
        }
    said = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {**content, "version": hashlib.sha256(said.encode()).hexdigest()}

"""Photos and files: a gallery with filters, and the page of each with all that is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import shapes_over
from anze.evidence.actions.matching import seen_matches
from anze.evidence.actions.media import plausibility_of, subject_of, void_media
from anze.evidence.models import Match, Media
from anze.evidence.rules import PICTURES, SUBJECTS, TONES, Grade
from anze.evidence.rules.plausibility import Hint, HintCode
from anze.evidence.screens.serving import media_seen
from anze.kernel.refusal import Refused
from anze.kernel.wording import listed
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, agency_filter, insurer_filter
from anze.screen.columns import Column, readers_of
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Of, Search
from anze.screen.lists import ListScreen, list_screen
from anze.screen.registry import page

GRADE_TONES = {grade.value: tone for grade, tone in TONES.items()}


def _kind_said(asking: Asking, kind: str) -> str:
    found = SUBJECTS.get(kind)
    return str(found.title) if found else kind


def _hints_said(asking: Asking, hints: list[str]) -> str:
    return listed(HintCode(each).label for each in hints)


class HasHint(Choice):
    """Photos with a certain hint."""

    def of(self, model: type[models.Model]) -> tuple[tuple[str, Any], ...]:
        return tuple((code.value, code.label) for code in HintCode)

    def narrow(self, rows: models.QuerySet[Any], value: list[str], asking: Asking) -> models.QuerySet[Any]:
        return rows.filter(hints__overlap=value)


@dataclass(frozen=True)
class Tile:
    """One picture of the gallery."""

    key: UUID
    role: str
    kind: str
    enterprise: str
    at: datetime
    has_picture: bool
    grade: str
    tone: str
    hints: str
    is_void: bool


def tiles(keys: list[Any]) -> Mapping[str, Any]:
    """The pictures of a page of the gallery, in its order, by one query."""
    found = Media.objects.select_related("original", "enterprise").in_bulk(keys)
    made = []
    for key in keys:
        media = found[key]
        made.append(
            Tile(
                key,
                media.get_role_display(),
                media.get_kind_display(),
                media.enterprise.name if media.enterprise else "",
                media.received_at,
                media.original.media_type in PICTURES,
                media.get_grade_display() if media.grade else "",
                GRADE_TONES.get(media.grade, ""),
                listed(HintCode(each).label for each in media.hints),
                media.voided_at is not None,
            )
        )
    return {"tiles": made}


PHOTOS = list_screen(
    ListScreen(
        name="photos",
        path="evidence/photos/",
        title=_("Photos and files"),
        about=_("What was photographed and signed on visits, for hazards and trainings. Originals are kept as they came; hints say what does not fit, not that anybody did wrong."),
        model=Media,
        permission=Permission.SEE_EVIDENCE,
        detail="media",
        sort="-received_at",
        order=10,
        icon="photo",
        body="evidence/grid.html",
        more=tiles,
        size=48,
        columns=(
            Column("received_at"),
            Column("role"),
            ENTERPRISE,
            INSURER,
            Column("captured_at"),
            Column("belongs", title=_("Belongs to"), needs=("subject_kind",), compute=_kind_said),
            Column("taken_by_name"),
            Column("said", title=_("Hints"), needs=("hints",), compute=_hints_said),
            Column("grade", tones=GRADE_TONES),
            Column("kind", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
            AGENCY,
            Column("device", optional=True),
            Column("file_name", optional=True),
            Column("voided_at", optional=True),
        ),
        filters=(
            Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Choice("role", main=True),
            HasHint("hint", _("Hint")),
            Choice("grade"),
            Dates("day", _("Received"), path="received_at"),
            Choice("kind"),
            agency_filter(),
            Choice("sector"),
            Cases(
                "use",
                _("Use"),
                default="valid",
                cases={
                    "valid": Case(_("in use"), lambda a: Q(voided_at__isnull=True)),
                    "void": Case(_("set aside"), lambda a: Q(voided_at__isnull=False)),
                    "all": Case(_("all"), lambda a: Q()),
                },
            ),
            Of("subject", _("Record"), path="subject", named=lambda key: str(key)),
        ),
        tab_of={"enterprise": "enterprise"},
    )
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A hint as the page says it."""

    title: str
    grade: str
    tone: str
    reason: str
    remedy: str


def line_of(hint: Hint) -> Line:
    return Line(
        str(hint.code.label), str(Grade(hint.grade).label), TONES[hint.grade], hint.reason_said, str(hint.remedy)
    )


def more_of(request: HttpRequest, media: Media) -> Mapping[str, Any]:
    """What the page shows beside the facts: the picture, what was drawn over it, hints, matches, where it belongs."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    try:
        subject = subject_of(media.subject_kind, media.subject, actor, at)
    except Refused:
        subject = None
    if subject:
        lines = [line_of(hint) for hint in plausibility_of(subject, at) if hint.photo == media.pk]
    else:
        # the record itself is out of sight: what was noted at arrival, without its reasons
        said = [(str(HintCode(code).label), str(media.get_grade_display())) for code in media.hints]
        lines = [Line(title, grade, GRADE_TONES.get(media.grade, ""), "", "") for title, grade in said]
    return {
        "has_picture": media.original.media_type in PICTURES,
        "shapes": shapes_over(media),
        "subject": subject,
        "kind_said": _kind_said(Asking(actor, at), media.subject_kind),
        "hints": lines,
        "matches": seen_matches(media) if actor.scope.reader in readers_of(Match) else [],
        "may_void": media.taken_by == actor.account_id and media.voided_at is None,
    }


MEDIA = detail_screen(
    DetailScreen(
        name="media",
        path="evidence/media/<uuid:pk>/",
        title=_("Photo or file"),
        model=Media,
        permission=Permission.SEE_EVIDENCE,
        of_list="photos",
        named=("role", "received_at"),
        state=Column("grade", tones=GRADE_TONES),
        template="evidence/media.html",
        extra=more_of,
        sections=(
            Section(
                _("What it is"),
                ("kind", "role", ENTERPRISE, INSURER, AGENCY, Column("expert__name", title=_("Expert"), opens="expert"), "taken_by_name", "file_name", "void_reason"),
            ),
            Section(
                _("When and where"),
                ("captured_at", "received_at", "clock_offset_s", "lon", "lat", "accuracy_m"),
            ),
            Section(_("What the file says"), ("exif_at", "exif_lon", "exif_lat", "device")),
            Section(
                _("Original"),
                (
                    Column("original__sha256"), Column("original__media_type"), Column("original__size"),
                    Column("original__width"), Column("original__height"),
                ),
            ),
        ),
    )
)  # fmt: skip


@page("evidence/media/<uuid:pk>/void/", name="media-void", permission=Permission.ADD_EVIDENCE, methods=("POST",))
def void(request: HttpRequest, pk: Any) -> HttpResponse:
    """Set a piece of evidence aside, with a reason."""
    media = void_media(
        media_seen(request, pk),
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _now("It is set aside; it stays readable and no longer counts."))
    return redirect(reverse("media", args=[media.pk]))

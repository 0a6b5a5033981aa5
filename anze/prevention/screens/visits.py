"""Pages of visits on a desk: what was recorded, photos, versions to pick from, the way up and down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions import plausibility_of, subject_of
from anze.evidence.models import Media
from anze.evidence.screens.media import line_of
from anze.kernel.duty import beijing_day
from anze.library.models import ChecklistItem
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, agency_filter, insurer_filter
from anze.prevention.actions import missing_of, pick_version, return_visit
from anze.prevention.models import Visit, VisitChange
from anze.prevention.rules import EntryKind, Outcome, RecheckResult, VisitorKind, VisitState
from anze.prevention.rules.visits import EDITABLE, photos_of
from anze.prevention.screens.chain import below_order
from anze.prevention.screens.likeness import report_hints
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Case, Cases, Choice, Dates, Flag, InRegion, Search
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.pages import moment
from anze.screen.registry import page

STATE = Column(
    "state",
    tones={"OPEN": "info", "FINISHED": "warning", "SUBMITTED": "warning", "DELIVERED": "success", "RETURNED": "danger"},
)

VISITS = list_screen(
    ListScreen(
        name="visits",
        path="prevention/visits/",
        title=_("Visits"),
        about=_("Visits on site as they are recorded on a phone, from the arrival to the service record."),
        model=Visit,
        permission=Permission.SEE_SERVICES,
        detail="visit",
        sort="-planned_on",
        columns=(
            Column("visit_no"),
            ENTERPRISE,
            INSURER,
            AGENCY,
            Column("service_type"),
            Column("planned_on"),
            STATE,
            Column("findings"),
            Column("photos"),
            Column("begun_by", optional=True),
            Column("started_at", optional=True),
            Column("ended_at", optional=True),
            Column("versions_open", optional=True),
            Column("order__order_no", opens="order", optional=True),
            Column("service__service_no", opens="service", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(
            Search(
                own=("visit_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Visit no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            Choice("service_type"),
            agency_filter(),
            Dates("planned_on"),
            Cases(
                "waits",
                _("Waits for"),
                cases={
                    "picking": Case(_("a version to be picked"), lambda a: Q(versions_open__gt=0)),
                    "filing": Case(_("a finding of the checks to be put right"), lambda a: Q(state="SUBMITTED")),
                    "submission": Case(
                        _("submission"),
                        lambda a: Q(state__in=("FINISHED", "RETURNED"))
                        | Q(state="OPEN", planned_on__lt=beijing_day(a.at) - timedelta(days=1)),
                    ),
                },
            ),
            Flag("nil_findings"),
        ),
        tab_of={"enterprise": "enterprise", "insurer": "insurer", "agency": "agency", "order": "order", "service": "service"},
        buttons=(Button(_("Open the on-site app"), "visits-app", Permission.RECORD_VISITS, "phone"),),
        order=17,
    )
)  # fmt: skip
waiting(
    VISITS,
    "visits-submission",
    _("Visits not submitted"),
    why=_("A visit counts when it is on file; the reporting clock runs from the day of the visit."),
    tone="warning",
    order=8,
    waits="submission",
)
waiting(
    VISITS,
    "visits-filing",
    _("Visits a check refuses to file"),
    why=_("Submitted and safe, but not on file until what was found is put right."),
    tone="danger",
    order=7,
    waits="filing",
)


@dataclass(frozen=True)
class Pictured:
    """A photo as its entry tells of it, and what arrived of it; None as long as it is on a phone."""

    said: Mapping[str, Any]
    media: Media | None


@dataclass(frozen=True)
class Shown:
    """An entry as a person reads it."""

    title: str
    lines: tuple[tuple[str, str], ...]
    photos: tuple[Pictured, ...]
    entry: Any  # the entry, or a version of it
    tone: str = ""
    drawn: tuple[str, ...] = ()  # strokes of a signature as points of polylines


@dataclass(frozen=True)
class Version:
    change: VisitChange
    shown: Shown
    present: Shown | None


_ORDER = list(EntryKind)


def _shown(entry: Any, items: Mapping[int, ChecklistItem], media: Mapping[str, Media]) -> Shown:
    said = entry.payload
    kind = EntryKind(entry.kind)
    title, tone = str(kind.label), ""
    lines: list[tuple[str, str]] = []
    drawn: tuple[str, ...] = ()
    if kind in (EntryKind.START, EntryKind.END):
        lines = [(_now("Time"), moment(entry.made_at)), (_now("Position"), _place(said["position"]))]
    elif kind is EntryKind.PERSON:
        title = said["name"]
        lines = [(_now("Role"), str(VisitorKind(said["role"]).label)), (_now("Post"), said.get("post", ""))]
    elif kind is EntryKind.ANSWER:
        item = items.get(said["item"])
        title = item.text if item else _now("Item %(number)s") % {"number": said["item"]}
        words = {"YES": _now("yes"), "NO": _now("no"), "NA": _now("not applicable")}
        lines = [
            (_now("Result"), words.get(said["answer"], said["answer"])),
            (_now("Basis"), item.basis if item else ""),
            (_now("Note"), said.get("note", "")),
        ]
        tone = "warning" if said["answer"] == "NO" else ""
    elif kind is EntryKind.FINDING:
        title = said["description"]
        tone = "danger" if said["hazard_class"] == "MAJOR" else "warning"
        lines = [
            (_now("Location"), said.get("location", "")),
            (_now("Basis"), said.get("basis", "")),
            (_now("Advice"), said.get("advice", "")),
            (_now("To be rectified by"), said["deadline_on"]),
            (_now("Responsible"), said.get("owner", "")),
        ]
    elif kind is EntryKind.RECHECK:
        lines = [(_now("Result"), str(RecheckResult(said["result"]).label)), (_now("Note"), said.get("note", ""))]
    elif kind is EntryKind.SIGNATURE:
        side = _now("enterprise") if said["of"] == "ENTERPRISE" else _now("expert")
        lines = [(_now("Signed by"), said["name"]), (_now("For the"), side)]
        drawn = tuple(" ".join(f"{x:.0f},{y:.0f}" for x, y in stroke) for stroke in said["strokes"])
    elif kind is EntryKind.NOTE:
        lines = [(_now("Text"), said["text"])]
    elif kind is EntryKind.NIL:
        lines = [(_now("Looked at"), said.get("looked_at", ""))]
    else:
        lines = [(_now("Caption"), said.get("caption", ""))]
    photos = tuple(Pictured(each, media.get(each["file"])) for each in photos_of(said))
    return Shown(title, tuple(each for each in lines if each[1]), photos, entry, tone, drawn)


def _place(place: Mapping[str, Any]) -> str:
    if place.get("lon") is None or place.get("lat") is None:
        why = {"denied": _now("not allowed on the device"), "timeout": _now("no signal in time")}
        said = place.get("refused", "")
        return _now("no position: %(why)s") % {"why": why.get(said, said or _now("not known"))}
    text = f"{place['lat']:.6f}, {place['lon']:.6f}"
    if place.get("accuracy") is not None:
        text += f" (±{place['accuracy']:.0f} m)"
    return text


def _hints(request: HttpRequest, visit: Any) -> list[Any]:
    """The plausibility sheet: what does not fit, each with what usually explains it."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    subject = subject_of("visit", visit.pk, actor, at)
    return [line_of(each) for each in plausibility_of(subject, at)]


def _extra(request: HttpRequest, visit: Any) -> Mapping[str, Any]:
    entries = list(visit.entries.filter(is_removed=False).order_by("made_at", "pk"))
    items = {
        each.seq: each
        for each in ChecklistItem.objects.filter(
            checklist__code=visit.checklist_code, checklist__version=visit.checklist_version or 0
        ).select_related("criterion__standard", "standard")
    }
    media = {
        str(each.client_id): each
        for each in Media.objects.filter(subject=visit.pk, voided_at=None).select_related("original")
    }
    entries.sort(key=lambda each: _ORDER.index(EntryKind(each.kind)))
    shown = {each.pk: _shown(each, items, media) for each in entries}
    groups: dict[str, list[Shown]] = {}
    for each in entries:
        groups.setdefault(str(EntryKind(each.kind).label), []).append(shown[each.pk])
    versions = [
        Version(each, _shown(each, items, media), shown.get(each.entry_id))
        for each in visit.changes.filter(outcome__in=(Outcome.CONFLICT, Outcome.LATE)).order_by("visit_revision", "pk")
    ]
    actor = request.actor  # type: ignore[attr-defined]
    may_record = actor.may(Permission.RECORD_VISITS)
    is_editable = visit.state in EDITABLE
    return {
        "groups": list(groups.items()),
        "versions": versions,
        "missing": missing_of(visit) if is_editable else [],
        "hints": (_hints(request, visit) if media else []) + report_hints(request, visit.service_id),
        "may_pick": may_record,
        "may_submit": may_record and is_editable and visit.state != VisitState.OPEN,
        "may_return": may_record
        and bool(actor.scope.insurer_id)
        and visit.state in (VisitState.SUBMITTED, VisitState.DELIVERED),
    }


detail_screen(
    DetailScreen(
        name="visit",
        path="prevention/visits/<uuid:pk>/",
        title=_("Visit"),
        model=Visit,
        permission=Permission.SEE_SERVICES,
        named=("visit_no",),
        state=STATE,
        of_list="visits",
        climb=lambda request, visit: below_order(request, visit.order_id),
        template="prevention/visit.html",
        extra=_extra,
        sections=(
            Section(
                _("The visit"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    Column("order__order_no", opens="order"),
                    Column("policy__policy_no", opens="policy"),
                    "service_type",
                    "form",
                    "planned_on",
                    Column("service__service_no", opens="service"),
                    "return_reason",
                ),
            ),
            Section(
                _("Time and place"),
                (
                    "started_at",
                    "ended_at",
                    "lon",
                    "lat",
                    "accuracy",
                    "position_refused",
                    "clock_offset",
                    "device",
                    "begun_by",
                    "submitted_at",
                    "delivered_at",
                ),
            ),
        ),
    )
)


@page(
    "prevention/visits/<uuid:pk>/versions/",
    name="visit-versions",
    permission=Permission.RECORD_VISITS,
    methods=("POST",),
)
def versions(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a version that was kept beside the present one, or set it aside."""
    visit = get_object_or_404(Visit, pk=pk)
    version = get_object_or_404(VisitChange, visit=visit, pk=_key(request.POST.get("version")))
    take = request.POST.get("take") == "1"
    pick_version(version, by=request.actor, at=request.at, take=take)  # type: ignore[attr-defined]
    messages.success(request, _now("This version is in place now.") if take else _now("The version was set aside."))
    return redirect("visit", pk)


def _key(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(int=0)


@page(
    "prevention/visits/<uuid:pk>/return/", name="visit-return", permission=Permission.RECORD_VISITS, methods=("POST",)
)
def give_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    visit = get_object_or_404(Visit, pk=pk)
    return_visit(visit, by=request.actor, at=request.at, reason=request.POST.get("reason", ""))  # type: ignore[attr-defined]
    messages.success(request, _now("The visit was returned to those who made it."))
    return redirect("visit", pk)

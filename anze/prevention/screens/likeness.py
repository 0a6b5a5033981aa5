"""Reports that say the same: a list, and both texts side by side with the same parts marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.rules import TONES, Grade, MatchState
from anze.evidence.screens.matches import GRADE, STATE, decided, side_by_side
from anze.evidence.screens.media import Line
from anze.kernel.wording import listed
from anze.parties.rules import Permission
from anze.parties.screens import insurer_filter
from anze.prevention.actions.likeness import decide_likeness
from anze.prevention.models import Likeness, Service
from anze.prevention.rules.likeness import marked
from anze.screen.columns import Column, Kind, readers_of
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Choice, Dates, Flag, InRegion, Of
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.registry import page

HOW = Column("likeness", kind=Kind.RATIO)


def _of_service(service: UUID) -> Q:
    return Q(first=service) | Q(second=service)


def _service_no(service: UUID) -> str:
    return str(Service.objects.filter(pk=service).values_list("service_no", flat=True).first() or service)


LIKENESSES = list_screen(
    ListScreen(
        name="likenesses",
        path="prevention/likenesses/",
        title=_("Reports that say the same"),
        about=_("Reports of different services that repeat each other's own words; what stands in very many reports counts as a template. Some have a harmless reason; a person decides."),
        empty=_("No report repeats another."),
        model=Likeness,
        permission=Permission.SEE_SERVICES,
        detail="likeness",
        sort="-found_at",
        order=27,
        icon="copy",
        columns=(
            Column("found_at"),
            HOW,
            STATE,
            Column("second_enterprise__name", title=_("Enterprise of the later report"), opens="enterprise"),
            Column("first_enterprise__name", title=_("Enterprise of the earlier report"), opens="enterprise"),
            Column("second_insurer", hide_for="insurer_id"),
            Column("first_insurer", hide_for="insurer_id"),
            GRADE,
            Column("is_across", optional=True),
            Column("region_code", optional=True),
            Column("decided_by_name", optional=True),
            Column("reason", optional=True),
        ),
        filters=(
            InRegion(),
            Choice("state", main=True),
            Choice("grade"),
            Flag("is_across", main=True),
            insurer_filter("second_insurer", main=False),
            Dates("found", _("Found"), path="found_at"),
            Of("service", _("Service"), condition=_of_service, named=_service_no),
        ),
    )
)  # fmt: skip

waiting(
    LIKENESSES,
    "open-likenesses",
    _("Reports that say the same, to be looked at"),
    why=_(
        "Two services were reported in the same words: a habit of wording, a mix-up, or a visit that did not happen."
    ),
    tone="warning",
    order=46,
    permission=Permission.REVIEW_EVIDENCE,
    state="OPEN",
)


def both_sides(request: HttpRequest, found: Likeness) -> Mapping[str, Any]:
    """Both texts as they stand now; what lies outside the reader's area has none."""
    services = Service.objects.select_related("enterprise", "insurer", "agency").in_bulk(
        [found.first_id, found.second_id]
    )
    first, second = services.get(found.first_id), services.get(found.second_id)
    pieces = marked(*[each.report_text if each else "" for each in (first, second)])
    persons = [listed(each.persons.values_list("name", flat=True)) if each else "" for each in (first, second)]
    sides = [
        {"title": _now("Earlier report"), "shown": first, "pieces": pieces[0], "persons": persons[0]},
        {"title": _now("Later report"), "shown": second, "pieces": pieces[1], "persons": persons[1]},
    ]
    hint = _now(
        "A hint, not an accusation: the platform compares words, a person decides what it means. What stands in both is marked; numbers and marks do not count."
    )
    return side_by_side(request, sides, hint, "prevention/likeness_side.html", "likeness-decide")


detail_screen(
    DetailScreen(
        name="likeness",
        path="prevention/likenesses/<uuid:pk>/",
        title=_("Reports that say the same"),
        model=Likeness,
        permission=Permission.SEE_SERVICES,
        of_list="likenesses",
        named=("second__service_no", "first__service_no"),
        state=STATE,
        template="evidence/resemblance.html",
        extra=both_sides,
        sections=(
            Section(_("What was found"), (HOW, GRADE, "found_at", "is_across", "region_code")),
            Section(_("Decision"), (STATE, "decided_at", "decided_by_name", "reason")),
        ),
    )
)


def report_hints(request: HttpRequest, service_id: UUID | None) -> list[Line]:
    """What the plausibility sheet of a visit says about the text of its report, for whoever is set over both."""
    actor = request.actor  # type: ignore[attr-defined]
    if service_id is None or actor.scope.reader not in readers_of(Likeness):
        return []
    rows = Likeness.objects.filter(_of_service(service_id)).exclude(state=MatchState.HARMLESS).order_by("-likeness")
    made = []
    for each in rows[:3]:
        reason = _now("%(share)s %% of the report's words stand in the report of another service too.") % {
            "share": round(each.likeness * 100)
        }
        made.append(
            Line(
                _now("report repeats another"),
                str(Grade(each.grade).label),
                TONES[Grade(each.grade)],
                reason,
                _now("Usual where one person reports many services alike; compare both side by side, then ask him."),
            )
        )
    return made


def _tile(request: HttpRequest, service: Service) -> tuple[str, str, str]:
    """How many reports say the same as this one, for whoever is set over both."""
    if request.actor.scope.reader not in readers_of(Likeness):  # type: ignore[attr-defined]
        return "", "", ""
    keys = list(
        Likeness.objects.filter(_of_service(service.pk)).order_by("-likeness").values_list("pk", flat=True)[:10]
    )
    if not keys:
        return "0", "", ""
    url = reverse("likeness", args=[keys[0]]) if len(keys) == 1 else LIKENESSES.link(service=str(service.pk))
    return str(len(keys)), "warning", url


tile(Tile("service", "likenesses", _("Reports that say the same"), Permission.REVIEW_EVIDENCE, _tile, 40))


@page(
    "prevention/likenesses/<uuid:pk>/decide/", name="likeness-decide", permission=Permission.REVIEW_EVIDENCE,
    methods=("POST",),
)  # fmt: skip
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a person found about two reports."""
    return redirect("likeness", decided(request, Likeness, pk, decide_likeness).pk)

"""The same picture elsewhere: a list, and both pictures side by side with what a person decided about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.matching import decide_match
from anze.evidence.models import Match, Media, Resemblance
from anze.evidence.rules import MATCH_LIFECYCLE, SUBJECTS, TONES
from anze.parties.rules import Permission
from anze.parties.screens import insurer_filter
from anze.screen.columns import Column, Kind
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates, Flag, InRegion
from anze.screen.lists import ListScreen, check_reader, list_screen, waiting
from anze.screen.registry import page

LIKENESS = Column("likeness", kind=Kind.RATIO)
GRADE = Column("grade", tones={grade.value: tone for grade, tone in TONES.items()})
STATE = Column("state", tones={"OPEN": "warning", "EXAMINED": "info", "HARMLESS": "success", "CONFIRMED": "danger"})

MATCHES = list_screen(
    ListScreen(
        name="matches",
        path="evidence/matches/",
        title=_("Pictures used before"),
        about=_("The very same picture under two records, found by what it shows: saved anew, cut or mirrored as well. Most have a harmless reason; a person decides."),
        empty=_("No picture was used twice."),
        model=Match,
        permission=Permission.SEE_EVIDENCE,
        detail="match",
        sort="-found_at",
        order=20,
        icon="copy",
        columns=(
            Column("found_at"),
            Column("kind"),
            GRADE,
            Column("second_enterprise__name", title=_("Enterprise of the later picture"), opens="enterprise"),
            Column("first_enterprise__name", title=_("Enterprise of the earlier picture"), opens="enterprise"),
            Column("second_insurer", hide_for="insurer_id"),
            Column("first_insurer", hide_for="insurer_id"),
            STATE,
            Column("region_code", optional=True),
            Column("distance", optional=True),
            replace(LIKENESS, optional=True),
            Column("decided_by_name", optional=True),
            Column("reason", optional=True),
        ),
        filters=(
            InRegion(),
            Choice("state", main=True),
            Choice("kind", main=True),
            Choice("grade"),
            Flag("is_across", main=True),
            insurer_filter("second_insurer", main=False),
            Dates("found", _("Found"), path="found_at"),
        ),
    )
)  # fmt: skip

waiting(
    MATCHES,
    "open-matches",
    _("Pictures used before, to be looked at"),
    why=_("The same photo serves two records: a mix-up, or a visit that did not happen."),
    tone="warning",
    order=45,
    permission=Permission.REVIEW_EVIDENCE,
    state="OPEN",
)


def both_sides(request: HttpRequest, match: Match) -> Mapping[str, Any]:
    """Earlier and later picture, each with when, where, who and for what."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    found = Media.objects.select_related("original", "enterprise", "insurer", "expert").in_bulk(
        [match.first_id, match.second_id]
    )
    sides = []
    for title, key in ((_now("Earlier picture"), match.first_id), (_now("Later picture"), match.second_id)):
        media = found.get(key)
        kind = SUBJECTS.get(media.subject_kind) if media else None
        sides.append({"title": title, "shown": media, "subject": kind.find(media.subject, actor, at) if kind and media else None,
                      "kind_said": str(kind.title) if kind else ""})  # fmt: skip
    hint = _now("A hint, not an accusation: the platform compares pictures, a person decides what it means.")
    return side_by_side(request, sides, hint, "evidence/match_side.html", "match-decide")


def side_by_side(
    request: HttpRequest, sides: list[dict[str, Any]], hint: str, side_template: str, decide_page: str
) -> dict[str, Any]:
    """What evidence/resemblance.html needs; `shown` of a side is what it shows, nothing outside the reader's area."""
    may = request.actor.may(Permission.REVIEW_EVIDENCE)  # type: ignore[attr-defined]
    return {
        "sides": sides,
        "hint": hint,
        "side_template": side_template,
        "decide_page": decide_page,
        "decisions": MATCH_LIFECYCLE.transitions if may else (),
    }


def decided(request: HttpRequest, model: type[Resemblance], pk: UUID, decide: Callable[..., Any]) -> Resemblance:
    """Take down what a person found about two records."""
    check_reader(request, model)
    found = model._default_manager.filter(pk=pk).first()
    if found is None:
        raise Http404
    decide(
        found,
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        decision=request.POST.get("decision", ""),
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _now("The decision is on record."))
    return found


MATCH = detail_screen(
    DetailScreen(
        name="match",
        path="evidence/matches/<uuid:pk>/",
        title=_("Picture used before"),
        model=Match,
        permission=Permission.SEE_EVIDENCE,
        of_list="matches",
        named=("kind", "found_at"),
        state=STATE,
        template="evidence/resemblance.html",
        extra=both_sides,
        sections=(
            Section(_("What was found"), ("kind", GRADE, "distance", LIKENESS, "found_at", "is_across")),
            Section(_("Decision"), (STATE, "decided_at", "decided_by_name", "reason")),
        ),
    )
)


@page(
    "evidence/matches/<uuid:pk>/decide/", name="match-decide", permission=Permission.REVIEW_EVIDENCE, methods=("POST",)
)
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a person found about a match."""
    return redirect("match", decided(request, Match, pk, decide_match).pk)

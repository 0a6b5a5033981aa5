"""The time machine of a score: how it came about, how it stood on a day, what its records say by now, and the years."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.actions.looking_back import (
    Cause,
    Changed,
    Moved,
    Step,
    Today,
    as_of_today,
    known_on,
    moved_between,
    standing_on,
    steps_of,
)
from anze.assessment.definitions import INPUTS, KEPT, tables_read
from anze.assessment.models import Outcome
from anze.assessment.rules import SchemeText, WhyNot
from anze.assessment.screens.results import PAGES_OF, SEE, tally_of
from anze.assessment.screens.words import input_title, points_text
from anze.kernel.duty import beijing_day, end_of_day
from anze.parties.models import Enterprise
from anze.parties.screens import REGION_NAMES
from anze.screen.lists import check_reader
from anze.screen.pages import is_fragment, moment, money, url, whole
from anze.screen.registry import PAGES, page

CAUSES = {
    Cause.COMPUTED: _("computed from the frozen data"),
    Cause.REPORTED: _("self-report handed in"),
    Cause.REPORT_REVIEWED: _("self-report reviewed"),
    Cause.ROW_REVIEWED: _("a row drawn was corrected by its reviewer"),
    Cause.PROVISIONAL: _("provisional result announced"),
    Cause.APPEAL: _("appeal decided"),
    Cause.FINAL: _("made final"),
    Cause.PUBLISHED: pgettext_lazy("assessment", "published"),
}
YEARS = 10


@page("assessment/results/<uuid:pk>/then/", name="assessment-result-then", title=_("Time machine"), permission=SEE)
def result_then(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What moved a score. Steps and rows for whoever may see the sums; the years for all who see the results."""
    check_reader(request, Outcome)
    outcome = Outcome.objects.select_related("campaign__scheme", "organisation", "expert").filter(pk=pk).first()
    if outcome is None:
        raise Http404
    scheme = outcome.campaign.scheme.text
    years = years_of(outcome)
    words: dict[str, Any] = {
        "outcome": outcome,
        "region_name": REGION_NAMES.name(outcome.region_code),
        "years": [_year(each, outcome) for each in years],
        "years_chart": _years_chart(years) if len(years) > 1 else None,
        "is_own": tally_of(request, outcome) is not None,
        "grade_title": next((grade.title for grade in scheme.grades if grade.code == outcome.grade), ""),
    }
    if words["is_own"]:
        steps = steps_of(outcome)
        words |= _steps_words(scheme, outcome, steps)
        words |= _day_words(request, outcome, steps)
        words["has_today"] = outcome.campaign.as_of is not None and bool(steps)
    return render(request, "assessment/then.html", words)


@page(
    "assessment/results/<uuid:pk>/then/today/", name="assessment-result-today", title=_("Time machine"), permission=SEE
)
def result_today(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the records say by now. All of one party are judged anew for it, so the page asks for it when it stands."""
    check_reader(request, Outcome)
    outcome = Outcome.objects.select_related("campaign__scheme", "organisation", "expert").filter(pk=pk).first()
    if outcome is None or tally_of(request, outcome) is None or outcome.campaign.as_of is None:
        raise Http404
    scheme = outcome.campaign.scheme.text
    words = {"outcome": outcome, "today": _today_words(scheme, as_of_today(outcome))}
    return render(request, f"assessment/{'then_part' if is_fragment(request) else 'then_today'}.html", words)


def years_of(outcome: Outcome) -> list[Outcome]:
    """The results of the same in the same region, the latest first, as far as the reader sees them."""
    rows = Outcome.objects.select_related("campaign__scheme").filter(
        **outcome.who,
        region_code=outcome.region_code,
        campaign__subject=outcome.campaign.subject,
    )
    return list(rows.order_by("-campaign__period_to", "-id")[:YEARS])


def _year(each: Outcome, outcome: Outcome) -> dict[str, Any]:
    titles = {grade.code: grade.title for grade in each.campaign.scheme.text.grades}
    return {
        "title": each.campaign.title,
        "state": each.campaign.get_state_display(),
        "url": url("assessment-result", each.pk),
        "is_this": each.pk == outcome.pk,
        "score": each.score,
        "provisional": each.provisional_score,
        "grade": each.grade,
        "grade_title": titles.get(each.grade, ""),
        "rank": each.rank,
        "why_not": WhyNot(each.why_not).label if each.why_not else "",
        "scheme": str(each.campaign.scheme),
    }


def _years_chart(years: list[Outcome]) -> dict[str, Any]:
    ordered = list(reversed(years))
    return {
        "tooltip": {"trigger": "axis", "valueFormatter": "@amount"},
        "xAxis": {"type": "category", "data": [f"{each.campaign.period_to:%Y-%m}" for each in ordered]},
        "yAxis": {"type": "value", "scale": True},
        "series": [
            {
                "type": "line",
                "name": str(_("Score")),
                "data": [{"value": float(each.score), "url": url("assessment-result", each.pk)} for each in ordered],
            }
        ],
    }


# the steps ----------------------------------------------------------------------------------------------------


def _steps_words(scheme: SchemeText, outcome: Outcome, steps: list[Step]) -> dict[str, Any]:
    return {
        "steps": [
            _step(scheme, outcome, each, steps[place - 1] if place else None) for place, each in enumerate(steps)
        ],
        "steps_chart": _steps_chart(steps) if len(steps) > 1 else None,
    }


def _step(scheme: SchemeText, outcome: Outcome, step: Step, before: Step | None) -> dict[str, Any]:
    link = ""
    if step.appeal is not None:
        link = url("appeal", step.appeal)
    elif step.row is not None:
        link = (
            url("assessment-result-rows", outcome.pk, element=step.moved[0].element, part="corrected")
            if step.moved
            else ""
        )
    return {
        "at": step.at,
        "cause": CAUSES[step.cause],
        "decision": step.decision,
        "label": step.label,
        "reasons": step.reasons,
        "url": link,
        "score": step.result.score,
        "grade": step.result.grade,
        "is_new_grade": before is not None and before.result.grade != step.result.grade,
        "change": f"{step.change:+}" if step.change else "",
        "moved": _moved(scheme, step.moved),
    }


def _moved(scheme: SchemeText, moved: Iterable[Moved]) -> list[dict[str, str]]:
    titles = {element.code: str(element.title) for element in scheme.elements}
    return [
        {
            "code": each.element,
            "title": titles[each.element],
            "before": points_text(each.before),
            "after": points_text(each.after),
            "change": f"{each.after - each.before:+.2f}",
        }
        for each in moved
    ]


def _steps_chart(steps: list[Step]) -> dict[str, Any]:
    return {
        "tooltip": {"trigger": "axis", "valueFormatter": "@amount"},
        "xAxis": {"type": "category", "data": [f"{moment(each.at)} {CAUSES[each.cause]}" for each in steps],
                  "axisLabel": {"show": False}},
        "yAxis": {"type": "value", "scale": True},
        "series": [
            {"type": "line", "step": "end", "name": str(_("Score")), "data": [float(each.result.score) for each in steps]}
        ],
    }  # fmt: skip


# a day --------------------------------------------------------------------------------------------------------


def without_history(outcome: Outcome) -> list[str]:
    """The tables behind a result whose rows are only known as they are by now."""
    tables = (each for each in tables_read(outcome.campaign.subject) if not getattr(each, "keeps_history", False))
    return sorted(str(each._meta.verbose_name_plural) for each in tables)


def _day_words(request: HttpRequest, outcome: Outcome, steps: list[Step]) -> dict[str, Any]:
    """As the assessment stood; before there was one, as the records known then would have had it."""
    scheme, first = outcome.campaign.scheme.text, outcome.campaign.period_from
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    try:
        day = min(max(date.fromisoformat(request.GET.get("known", "")), first), today)
    except ValueError:
        day = today
    words: dict[str, Any] = {"day": day, "today_on": today, "first_day": first}
    if not steps:
        return words
    at = min(end_of_day(day), request.at)  # type: ignore[attr-defined]
    stood = standing_on(steps, at)
    result = stood.result if stood else known_on(outcome, at)
    if result is not None:
        titles = {grade.code: grade.title for grade in scheme.grades}
        words["without_history"] = [] if stood else without_history(outcome)
        words["stood"] = {
            "score": result.score,
            "grade": result.grade,
            "grade_title": titles.get(result.grade, ""),
            "cause": CAUSES[stood.cause] if stood else _("not computed yet: by the records as they were known then"),
            "at": stood.at if stood else None,
            "since": _moved(scheme, moved_between(scheme, result, steps[-1].result)),
        }
    return words


# the records as they are by now -------------------------------------------------------------------------------


def _today_words(scheme: SchemeText, found: Today) -> dict[str, Any]:
    change = found.result.score - found.before.score
    titles = {grade.code: grade.title for grade in scheme.grades}
    keys = {each.enterprise_id for each in found.changed if each.enterprise_id}
    names = dict(Enterprise.objects.filter(pk__in=keys).values_list("pk", "name")) if keys else {}
    return {
        "score": found.result.score,
        "grade": found.result.grade,
        "grade_title": titles.get(found.result.grade, ""),
        "change": f"{change:+}" if change else "",
        "moved": _moved(scheme, found.moved),
        "rows": [_row(each, names) for each in found.changed],
        "count": found.changed_count,
    }


def _row(row: Changed, names: dict[UUID, str]) -> dict[str, Any]:
    known = INPUTS.get(row.input)
    show = money if known and known.is_money else whole
    name = PAGES_OF.get(row.source, "")

    def side(values: tuple[Decimal, Decimal] | None, reason: str) -> dict[str, str]:
        if values is None:
            return {"numbers": "", "reason": ""}
        return {
            "numbers": f"{show(values[0])} / {show(values[1])}",
            "reason": str(KEPT.get(reason, reason)) if reason else "",
        }

    return {
        "input": input_title(row.input),
        "label": row.label,
        "url": url(name, row.row_id) if name in PAGES and row.row_id else "",
        "enterprise": names.get(row.enterprise_id, "") if row.enterprise_id else "",
        "was": side(row.was, row.reason_was),
        "now": side(row.now, row.reason_now),
    }

"""The time machine: a figure as known on a day, as corrected today, and the rows between them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day, end_of_day
from anze.monitoring.bulletin import as_published
from anze.monitoring.figures import Figure, Slice, present_state
from anze.monitoring.known import Changed, then_and_now
from anze.monitoring.rules import REASONS, Indicator
from anze.monitoring.screens.figures import choices_of, known, no_figures, part_shown, record_url, shown, slice_of
from anze.parties.rules import Permission
from anze.screen.pages import money, url, whole
from anze.screen.registry import page


@page(
    "statistics/<str:code>/then/", name="indicator-then", title=_("Time machine"), permission=Permission.SEE_DASHBOARD
)
def indicator_then(request: HttpRequest, code: str) -> HttpResponse:
    """Counted up to a day: as known at the end of another day, and as corrected until now."""
    state = present_state()
    if state is None:
        return no_figures(request)
    indicator = known(code, request.actor)  # type: ignore[attr-defined]
    cut = slice_of(request, state.as_of)
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    known_on = min(_day(request.GET.get("known"), state.as_of - timedelta(days=30)), today)
    day = min(_day(request.GET.get("day"), known_on), known_on)
    at: datetime = min(end_of_day(known_on), request.at)  # type: ignore[attr-defined]
    found = then_and_now(indicator, cut, day=day, known_at=at, scope=request.actor.scope)  # type: ignore[attr-defined]
    return render(
        request,
        "monitoring/then.html",
        {
            "indicator": indicator,
            "state": state,
            "cut": cut,
            "filter": choices_of(request, cut, state.as_of),
            "known_on": known_on,
            "day": day,
            "sides": [
                *_published(indicator, cut, request.actor.scope.reader),  # type: ignore[attr-defined]
                (_("As known on %(day)s") % {"day": known_on}, *_told(found.known), ""),
                (_("As corrected today"), *_told(found.corrected), ""),
            ],
            "rows": [_line(each, indicator) for each in found.changed],
            "number": found.changed_count,
        },
    )


def _published(indicator: Indicator, cut: Slice, reader: str) -> list[tuple[Any, ...]]:
    """The figure as the last bulletin of the month has it, with a link to that, if there is one."""
    found = as_published(indicator.code, cut, reader)
    if found is None:
        return []
    bulletin, figure = found
    words = {"day": bulletin.as_of, "number": bulletin.edition}
    title = _("As published, counted up to %(day)s (edition %(number)s)") % words
    return [(title, *_told(figure), url("bulletin", bulletin.pk))]


def _day(text: str | None, otherwise: date) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return otherwise


def _told(figure: Figure) -> tuple[str, str, str]:
    return shown(figure), part_shown(figure, "numerator"), part_shown(figure, "denominator")


def _line(row: Changed, indicator: Indicator) -> dict[str, Any]:
    number = money if indicator.money else whole

    def side(values: Any, reason: str) -> dict[str, str]:
        if values is None:
            return {"numbers": "", "reason": ""}
        return {
            "numbers": f"{number(values[0])} / {number(values[1])}",
            "reason": str(REASONS[reason]) if reason else "",
        }

    return {
        "label": row.label,
        "url": record_url(row.source, row.row_id),
        "enterprise": row.enterprise,
        "enterprise_url": url("enterprise", row.enterprise_id) if row.enterprise_id else "",
        "was": side(row.was, row.reason_was),
        "now": side(row.now, row.reason_now),
    }

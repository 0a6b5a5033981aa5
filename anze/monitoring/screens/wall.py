"""The big screen of a command centre: five figures, map, ranking, what waits. Live for days, nobody touches it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from anze.kernel.actor import Actor
from anze.monitoring.bulletin import FIVE
from anze.monitoring.figures import Slice, figures, headlines, own_slice, present_state, targets
from anze.monitoring.models import Alert, State
from anze.monitoring.screens.alerts import RULES, readable
from anze.monitoring.screens.figures import (
    cached,
    card,
    map_chart,
    map_url,
    no_figures,
    ranking,
    region_names,
    region_table,
    trend_chart,
    visible,
)
from anze.parties.rules import Permission
from anze.screen.filters import Asking
from anze.screen.pages import url
from anze.screen.registry import page

TURNS_SECONDS = 20  # how long each of the five stays in the middle
_RANKED, _ALERTS = 8, 6
_URGENT = Q(state__in=("OPEN", "HANDLING"), level="URGENT", code__in=list(RULES))


@page("big-screen/", name="wall", title=_("Big screen"), permission=Permission.SEE_DASHBOARD, in_menu=True,
      order=18, icon="layout-dashboard", room="monitoring")  # fmt: skip
def wall(request: HttpRequest) -> HttpResponse:
    """Of the five indicators one after the other stands in the middle; the page fetches itself anew, part by part."""
    state = present_state()
    if state is None:
        return no_figures(request)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    at = request.at  # type: ignore[attr-defined]
    cut = own_slice(actor, state.as_of)
    heads = visible(actor, list(headlines(FIVE, state.as_of).values()), cut)
    # each in turn, or the one the address keeps there
    kept = next((each for each in heads if each.code == request.GET.get("show")), None)
    selected = kept or heads[int(at.timestamp()) // TURNS_SECONDS % len(heads)]
    main = cached(request, state, "wall_main", selected.code, cut, lambda: _context(actor, state, cut, selected, heads))
    words = {
        "state": state,
        "at": at,
        "main": main,
        "seconds": TURNS_SECONDS,
        "address": url("wall", show=kept.code) if kept else url("wall"),
        # not cached with the figures: alerts come and go between two counts
        "alerts": [
            {"title": RULES[each.code].title, "label": each.label, "opened_at": each.opened_at}
            for each in readable(Alert.objects.filter(_URGENT), Asking(actor, at)).order_by("-opened_at", "-id")[
                :_ALERTS
            ]
        ],
        "region": region_names().get(cut.region_code, ""),
    }
    name = "monitoring/wall_live.html" if request.headers.get("HX-Target") == "wall" else "monitoring/wall.html"
    return render(request, name, words)


def _context(actor: Actor, state: State, cut: Slice, selected: Any, heads: list[Any]) -> dict[str, Any]:
    goals = targets(state.as_of, region_code=cut.region_code)
    totals = figures(heads, cut)[""]
    places = region_table(selected, cut, goals, region_names())
    return {
        "selected": selected,
        "cards": [card(totals[each.code], goals.get(each.code), cut) for each in heads],
        "map": map_chart(selected, places),
        "map_url": map_url(cut),
        "places": places,
        "trend": trend_chart(selected, cut, goals.get(selected.code)),
        "ranking": ranking(selected, cut, goals)[:_RANKED] if cut.insurer_id is None else [],
    }

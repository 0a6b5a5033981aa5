"""What if? Weights and thresholds moved in private, and how firm the ranks are."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.results import Sums
from anze.assessment.actions.schemes import keep_copy
from anze.assessment.definitions import INPUTS, kinds_of
from anze.assessment.models import Campaign, SchemeCopy, Tally
from anze.assessment.rules import Measure, Problem, SchemeText, WhyNot, problems, ranks, score
from anze.assessment.rules.moving import thresholds, with_thresholds, with_weights
from anze.assessment.rules.schemes import scheme_from
from anze.assessment.rules.stability import Interval, stability
from anze.assessment.screens.campaigns import computed_campaign, computed_campaigns
from anze.kernel.scope import EVERYTHING, PROVINCE, widened
from anze.parties.rules import Permission
from anze.screen.pages import percent, url
from anze.screen.registry import page

RUN = Permission.RUN_ASSESSMENT
MONEY = frozenset(code for code, each in INPUTS.items() if each.is_money)


def _numbers(asked: Any, start: tuple[str, ...]) -> dict[str, Decimal]:
    """The numbers somebody typed into fields whose names begin so; what is no number is passed over."""
    found = {}
    for name, text in asked.items():
        if name.startswith(start) and len(text) < 20:
            try:
                value = Decimal(text)
            except InvalidOperation:
                continue
            if value.is_finite() and abs(value) < 10**9:
                found[name] = value
    return found


def moved(scheme: SchemeText, asked: Any) -> tuple[SchemeText, list[Problem]]:
    """The scheme with what somebody typed; thresholds that make no scheme are left as they are, and said."""
    tried = with_thresholds(scheme, _numbers(asked, ("t_", "g_", "q_")))
    wrong = problems(tried, kinds_of(tried.subject)) if tried != scheme else []
    weights = {name[2:]: value for name, value in _numbers(asked, ("w_",)).items()}
    return with_weights(scheme if wrong else tried, weights), wrong


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


PLACES = {
    "LOW": _("all points from"),
    "HIGH": _("all points up to"),
    "ZERO": _("no points at"),
    "CASE": _("points off for a case"),
    "GRADE": _("score at least"),
}


def threshold_groups(scheme: SchemeText, tried: SchemeText) -> list[dict[str, Any]]:
    """The thresholds as fields: one group for each element that has some, one for each grade."""
    usual = {each.name: each.value for each in thresholds(scheme)}
    titles = {e.code: str(e.title) for e in scheme.elements} | {g.code: str(g.title) for g in scheme.grades}
    groups: dict[str, dict[str, Any]] = {}
    for each in thresholds(tried):
        if each.kind == "ANCHOR":
            label = _now("%(share)s of the points at") % {"share": percent(Decimal(each.place), 0)}
        elif each.kind == "GATE":
            label = _now("%(element)s at least") % {"element": f"{each.place} {titles[str(each.place)]}"}
        else:
            label = str(PLACES[each.kind])
        group = groups.setdefault(
            each.owner, {"code": each.owner, "title": titles[each.owner], "fields": [], "is_moved": False}
        )
        is_moved = usual.get(each.name) != each.value
        group["is_moved"] |= is_moved
        group["fields"].append(
            {"name": each.name, "label": label, "value": _plain(each.value), "usual": _plain(usual[each.name])}
        )
    return list(groups.values())


def _whole(text: str, usual: int, low: int, high: int) -> int:
    return min(max(int(text), low), high) if text.isdecimal() and len(text) < 10 else usual


@page("assessment/what-if/", name="assessment-what-if", title=_("What if?"), permission=RUN, methods=("GET", "POST"),
      in_menu=True, order=50, icon="adjustments-horizontal")  # fmt: skip
def what_if(request: HttpRequest) -> HttpResponse:
    """New ranks at once; nothing official moves."""
    asked = request.POST if request.method == "POST" else request.GET
    campaign = computed_campaign(asked.get("campaign", ""))
    if campaign is None:
        return render(request, "assessment/nothing.html", {"title": _now("What if?")})
    scheme = campaign.scheme.text
    with widened(EVERYTHING):
        account = request.actor.account_id  # type: ignore[attr-defined]
        copies_kept = list(
            SchemeCopy.objects.filter(account_id=account, scheme=campaign.scheme_id).order_by("-made_at")[:10]
        )
    chosen = next((each for each in copies_kept if str(each.pk) == asked.get("copy", "")), None)
    tried, wrong = moved(scheme_from(chosen.content) if chosen else scheme, asked)
    spread, seed = _whole(asked.get("spread", ""), 10, 0, 50), _whole(asked.get("seed", ""), 2026, 0, 10**9)
    if request.method == "POST" and not wrong:
        keep_copy(campaign.scheme, by=request.actor, at=request.at, title=asked.get("title", ""), text=tried)  # type: ignore[attr-defined]
        messages.success(request, _now("Kept for you alone. The published result is as it was."))
        return redirect(url("assessment-what-if", campaign=campaign.pk))
    words = what_if_words(campaign, scheme, tried, spread / 100, seed)
    words |= {
        "campaign": campaign,
        "campaigns": computed_campaigns(),
        "spread": spread,
        "seed": seed,
        "copies": copies_kept,
        "copy": chosen,
        "wrong": wrong,
    }
    return render(request, "assessment/what_if.html", words)


def what_if_words(
    campaign: Campaign, scheme: SchemeText, tried: SchemeText, spread: float, seed: int
) -> dict[str, Any]:
    tallies = Tally.objects.filter(campaign=campaign, region_code=PROVINCE)
    tallies = tallies.select_related("outcome__organisation", "outcome__expert")
    outcomes = {tally.outcome.known_as: (tally.outcome, tally) for tally in tallies}
    measures: dict[str, dict[str, Measure]] = {}
    results = {}
    for code, (_outcome, tally) in outcomes.items():
        measures[code] = Sums(tally.measures, tally.cases).as_measures()
        results[code] = score(tried, measures[code], tally.cases)
    placed = ranks(tried, results)
    firm = stability(tried, measures, results, money=MONEY, spread=spread, seed=seed)
    lines = []
    for code, (outcome, _tally) in outcomes.items():
        interval = firm.intervals.get(code)
        rank, was = placed.get(code), outcome.rank
        lines.append(
            {
                "name": str(outcome.assessed),
                "url": url("assessment-result", outcome.pk),
                "rank": rank,
                "was": was,
                "change": (was or 0) - (rank or 0) if rank and was else 0,
                "score": results[code].score,
                "was_score": outcome.score,
                "grade": results[code].grade,
                "was_grade": outcome.grade,
                "was_graded": not outcome.why_not,
                "interval": _interval(interval) if interval else "",
                "why_not": str(WhyNot(results[code].why_not).label) if results[code].why_not else "",
            }
        )
    lines.sort(key=lambda line: (line["rank"] is None, line["rank"] or 0, line["name"]))
    names = {code: str(outcome.assessed) for code, (outcome, _tally) in outcomes.items()}
    titles = {element.code: element.title for element in scheme.elements}
    return {
        "elements": [
            {
                "code": e.code,
                "title": e.title,
                "weight": _plain(e.weight),
                "usual": _plain(scheme.element(e.code).weight),
            }
            for e in tried.elements
        ],
        "thresholds": threshold_groups(scheme, tried),
        "results": lines,
        "flat": [(code, titles[code]) for code in firm.flat_elements],
        "pairs": [(names[a], names[b]) for a, b in firm.level_pairs],
        "is_moved": tried != scheme,
    }


def _interval(found: Interval) -> str:
    return str(found.best) if found.best == found.worst else f"{found.best}–{found.worst}"

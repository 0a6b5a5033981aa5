"""What if? Weights and thresholds moved in private; how firm the ranks are; who differs by more than chance."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.results import Sums
from anze.assessment.actions.schemes import keep_copy
from anze.assessment.definitions import INPUTS, kinds_of
from anze.assessment.models import Campaign, FrozenRow, Outcome, SchemeCopy, Tally
from anze.assessment.rules import Measure, Problem, SchemeText, WhyNot, problems, ranks, score
from anze.assessment.rules.campaigns import CampaignState
from anze.assessment.rules.moving import thresholds, with_thresholds, with_weights
from anze.assessment.rules.schemes import scheme_from
from anze.assessment.rules.stability import Compared, Interval, Stratum, by_kind, compared, limits, stability
from anze.assessment.screens.campaigns import ranking_of
from anze.assessment.screens.spread import spread_words
from anze.kernel.scope import EVERYTHING, PROVINCE, widened
from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.screen.pages import percent, url
from anze.screen.registry import page

RUN, SEE = Permission.RUN_ASSESSMENT, Permission.SEE_ASSESSMENT
MONEY = frozenset(code for code, each in INPUTS.items() if each.is_money)


def _campaign(request: HttpRequest, asked: str) -> Campaign | None:
    """The assessment asked for, else the latest with results."""
    rows = Campaign.objects.exclude(state__in=(CampaignState.DRAFT, CampaignState.FREEZING, CampaignState.FROZEN))
    try:
        found = rows.filter(pk=UUID(asked)).first() if asked else None
    except ValueError:
        found = None
    return found or rows.filter(subject="INSURER").order_by("-period_to").first()


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
    campaign = _campaign(request, asked.get("campaign", ""))
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
        "campaigns": Campaign.objects.exclude(computed_at__isnull=True).order_by("-period_to"),
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


# fairness -----------------------------------------------------------------------------------------------------

FAIR_INPUTS = ("service_completion_rate", "hazard_rectification_rate", "qualified_services", "follow_up_on_time",
               "data_timeliness", "policy_compliance")  # fmt: skip
STANDINGS = {
    "FAR_BELOW": (_("clearly below what was to be expected"), "danger"),
    "BELOW": (_("below what was to be expected"), "warning"),
    "WITHIN": (_("not to be told from chance"), ""),
    "ABOVE": (_("above what was to be expected"), "info"),
    "FAR_ABOVE": (_("clearly above what was to be expected"), "success"),
}


@page("assessment/fairness/", name="assessment-fairness", title=_("Fair comparison"), permission=RUN, in_menu=True,
      order=51, icon="scale")  # fmt: skip
def fairness(request: HttpRequest) -> HttpResponse:
    """Everybody beside what records of his sectors, sizes and cities come to elsewhere, with the funnel of chance."""
    campaign = _campaign(request, request.GET.get("campaign", ""))
    if campaign is None:
        return render(request, "assessment/nothing.html", {"title": _now("Fair comparison")})
    code = request.GET.get("input", "")
    code = code if code in FAIR_INPUTS else FAIR_INPUTS[0]
    mean, found = compared(_strata(campaign, code))
    outcomes = Outcome.objects.filter(campaign=campaign, region_code=PROVINCE).select_related("organisation", "expert")
    names = {str(each.party): each for each in outcomes}
    lines = [_fair_line(names[key], each) for key, each in found.items() if key in names]
    lines.sort(key=lambda line: -line["order"])
    words = {
        "campaign": campaign,
        "inputs": [(each, str(INPUTS[each].title)) for each in FAIR_INPUTS],
        "input": code,
        "title": str(INPUTS[code].title),
        "mean": percent(Decimal(str(mean))),
        "lines": lines,
        "spread": spread_words(campaign.scheme.text, ranking_of(campaign, PROVINCE)),
        "chart": funnel(mean, found, {key: str(each.assessed) for key, each in names.items()}),
    }
    return render(request, "assessment/fairness.html", words)


def _strata(campaign: Campaign, code: str) -> dict[str, dict[str, Stratum]]:
    """Counts by sector, size and city; the size is the enterprise's of today, which was not frozen."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(r.insurer_id, r.agency_id)::text, r.sector, coalesce(e.size, ''), left(r.region_code, 4), "
            f"sum(r.numerator), sum(r.denominator) FROM {FrozenRow._meta.db_table} r "
            f"LEFT JOIN {Enterprise._meta.db_table} e ON e.id = r.enterprise_id "
            "WHERE r.campaign_id = %s AND r.input = %s AND r.insurer_id IS NOT NULL GROUP BY 1, 2, 3, 4",
            [campaign.pk, code],
        )
        found: dict[str, dict[tuple[str, str, str], Stratum]] = defaultdict(dict)
        for party, sector, size, city, numerator, denominator in cursor:
            found[party][sector, size, city] = Stratum(float(numerator), float(denominator))
    return by_kind(found)


def _fair_line(outcome: Outcome, each: Compared) -> dict[str, Any]:
    words, tone = STANDINGS[each.standing]
    return {
        "name": str(outcome.assessed),
        "url": url("assessment-result", outcome.pk),
        "count": int(each.count),
        "observed": percent(Decimal(str(each.observed))),
        "expected": percent(Decimal(str(each.expected))),
        "adjusted": percent(Decimal(str(each.adjusted))),
        "shrunk": percent(Decimal(str(each.shrunk))),
        "sure": f"{percent(Decimal(str(each.sure_low)))}–{percent(Decimal(str(each.sure_high)))}",
        "standing": words,
        "tone": tone,
        "order": each.shrunk,
    }


def funnel(mean: float, found: dict[str, Compared], names: dict[str, str]) -> dict[str, Any]:
    """Share against number of records; between the lines nobody differs by more than chance."""
    most = max((each.count for each in found.values()), default=1.0)
    steps = [max(most * i / 40, 1.0) for i in range(1, 41)]

    def line(z: float, side: int, name: str) -> dict[str, Any]:
        data = [[round(n), round(limits(mean, n, z)[side], 5)] for n in steps]
        style = {"type": "dashed" if z > 2 else "solid", "width": 1}
        return {"type": "line", "name": name, "data": data, "symbol": "none", "lineStyle": style}

    points = [
        {"name": names.get(key, key), "value": [round(each.count), round(each.adjusted, 5)]}
        for key, each in found.items()
    ]
    return {
        "tooltip": {"trigger": "item", "valueFormatter": "@share"},
        "legend": {"data": ["95 %", "99.8 %"]},
        "xAxis": {"type": "value", "name": _now("records")},
        "yAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": "@share"}},
        "series": [
            line(1.96, 0, "95 %"), line(1.96, 1, "95 %"), line(3.09, 0, "99.8 %"), line(3.09, 1, "99.8 %"),
            {"type": "scatter", "name": _now("Assessed"), "data": points, "symbolSize": 10},
        ],
    }  # fmt: skip

"""Fair comparison: everybody beside what records of his sectors, sizes and cities come to elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions import INPUTS, PARTY
from anze.assessment.models import Campaign, FrozenRow, Outcome
from anze.assessment.rules import SubjectKind, WhyNot
from anze.assessment.rules.campaigns import Level
from anze.assessment.rules.stability import Compared, Stratum, by_kind, compared, limits
from anze.assessment.screens.campaigns import computed_campaign, computed_campaigns, ranking_of
from anze.assessment.screens.spread import spread_words
from anze.kernel.scope import PROVINCE
from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.parties.screens import REGION_NAMES
from anze.screen.pages import percent, url
from anze.screen.registry import page

# what is a share of records, each of which counts or does not: of those chance is known
FAIR_INPUTS: dict[str, tuple[str, ...]] = {
    SubjectKind.INSURER: ("service_completion_rate", "hazard_rectification_rate", "qualified_services",
                          "follow_up_on_time", "data_timeliness", "policy_compliance"),
    SubjectKind.AGENCY: ("agency_timeliness", "agency_accuracy"),
    SubjectKind.EXPERT: ("expert_timeliness", "expert_accepted", "expert_rechecks", "expert_orders",
                         "expert_qualified", "expert_held"),
}  # fmt: skip
STANDINGS = {
    "FAR_BELOW": (_("clearly below what was to be expected"), "danger"),
    "BELOW": (_("below what was to be expected"), "warning"),
    "WITHIN": (_("not to be told from chance"), ""),
    "ABOVE": (_("above what was to be expected"), "info"),
    "FAR_ABOVE": (_("clearly above what was to be expected"), "success"),
}


@page("assessment/fairness/", name="assessment-fairness", title=_("Fair comparison"),
      permission=Permission.RUN_ASSESSMENT, in_menu=True, order=51, icon="scale")  # fmt: skip
def fairness(request: HttpRequest) -> HttpResponse:
    """With the funnel of chance: outside of it somebody differs by more than that."""
    campaign = computed_campaign(request.GET.get("campaign", ""))
    if campaign is None:
        return render(request, "assessment/nothing.html", {"title": _now("Fair comparison")})
    inputs, code = FAIR_INPUTS[campaign.subject], request.GET.get("input", "")
    code = code if code in inputs else inputs[0]
    is_by_city = request.GET.get("level") == Level.CITY
    outcomes = Outcome.objects.filter(campaign=campaign, level=Level.CITY if is_by_city else Level.PROVINCE)
    known = {_key(each, is_by_city): each for each in outcomes.select_related("organisation", "expert")}
    names = {key: _name(each, is_by_city) for key, each in known.items()}
    mean, found = compared(_strata(campaign, code, is_by_city))
    found = {key: each for key, each in found.items() if key in known}
    lines = [_line(known[key], names[key], each) for key, each in found.items()]
    lines.sort(key=lambda line: -line["order"])
    words = {
        "campaign": campaign,
        "campaigns": computed_campaigns(),
        "inputs": [(each, str(INPUTS[each].title)) for each in inputs],
        "input": code,
        "levels": (("", _now("everybody in the whole province")), (Level.CITY, _now("everybody, city by city"))),
        "level": Level.CITY if is_by_city else "",
        "title": str(INPUTS[code].title),
        "mean": percent(Decimal(str(mean))),
        "lines": lines,
        "without": len(known) - len(lines),
        "spread": None if is_by_city else spread_words(campaign.scheme.text, ranking_of(campaign, PROVINCE)),
        "chart": funnel(mean, found, names) if lines else None,
    }
    return render(request, "assessment/fairness.html", words)


def _key(outcome: Outcome, is_by_city: bool) -> str:
    return f"{outcome.party} {outcome.region_code[:4]}" if is_by_city else str(outcome.party)


def _name(outcome: Outcome, is_by_city: bool) -> str:
    return f"{outcome.assessed} · {REGION_NAMES.name(outcome.region_code)}" if is_by_city else str(outcome.assessed)


def _strata(campaign: Campaign, code: str, is_by_city: bool) -> dict[str, dict[str, Stratum]]:
    """Counts by sector, size and city; the size is the enterprise's of today, which was not frozen."""
    party = f"r.{PARTY[SubjectKind(campaign.subject)]}"
    key = f"{party}::text || ' ' || left(r.region_code, 4)" if is_by_city else f"{party}::text"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, r.sector, coalesce(e.size, ''), left(r.region_code, 4), "
            f"sum(r.numerator), sum(r.denominator) FROM {FrozenRow._meta.db_table} r "
            f"LEFT JOIN {Enterprise._meta.db_table} e ON e.id = r.enterprise_id "
            f"WHERE r.campaign_id = %s AND r.input = %s AND {party} IS NOT NULL GROUP BY 1, 2, 3, 4",
            [campaign.pk, code],
        )
        found: dict[str, dict[tuple[str, str, str], Stratum]] = defaultdict(dict)
        for party, sector, size, city, numerator, denominator in cursor:
            found[party][sector, size, city] = Stratum(float(numerator), float(denominator))
    return by_kind(found)


def _line(outcome: Outcome, name: str, each: Compared) -> dict[str, Any]:
    words, tone = STANDINGS[each.standing]
    return {
        "name": name,
        "url": url("assessment-result", outcome.pk),
        "count": int(each.count),
        "observed": percent(Decimal(str(each.observed))),
        "expected": percent(Decimal(str(each.expected))),
        "adjusted": percent(Decimal(str(each.adjusted))),
        "shrunk": percent(Decimal(str(each.shrunk))),
        "sure": f"{percent(Decimal(str(each.sure_low)))}–{percent(Decimal(str(each.sure_high)))}",
        "standing": words,
        "tone": tone,
        "why_not": WhyNot(outcome.why_not).label if outcome.why_not else "",
        "order": each.shrunk,
    }


def funnel(mean: float, found: Mapping[str, Compared], names: Mapping[str, str]) -> dict[str, Any]:
    """Share against number of records; between the lines nobody differs by more than chance."""
    most = max((each.count for each in found.values()), default=1.0)
    steps = [max(most * i / 40, 1.0) for i in range(1, 41)]

    def line(z: float, side: int, name: str) -> dict[str, Any]:
        data = [[round(n), round(limits(mean, n, z)[side], 5)] for n in steps]
        style = {"type": "dashed" if z > 2 else "solid", "width": 1}
        return {"type": "line", "name": name, "data": data, "symbol": "none", "lineStyle": style}

    points = [
        {"name": names[key], "value": [round(each.count), round(each.adjusted, 5)]} for key, each in found.items()
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

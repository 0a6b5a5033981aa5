"""Does prevention work? What the comparison of served and other enterprises allows to say, and how it was made."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from anze.monitoring.effect import Estimate
from anze.monitoring.models import EffectEstimate
from anze.monitoring.rules import Outcome, Verdict
from anze.parties.rules import Permission
from anze.screen.pages import percent, whole
from anze.screen.registry import page

TONES = {Verdict.FEWER: "success", Verdict.MORE: "danger", Verdict.CANNOT_TELL: "info", Verdict.TOO_FEW: "info"}
_MONTHS_SHOWN = 24


@page("effect/", name="effect", title=_("Does prevention work?"), permission=Permission.SEE_DASHBOARD,
      in_menu=True, order=16, icon="scale", room="monitoring")  # fmt: skip
def effect(request: HttpRequest) -> HttpResponse:
    """The latest comparison of each outcome, and the earlier ones."""
    rows = list(EffectEstimate.objects.order_by("-day", "outcome")[: _MONTHS_SHOWN * len(Outcome)])
    latest = {row.outcome: row for row in reversed(rows)}
    words = {
        "sides": [_told(latest[outcome]) for outcome in Outcome if outcome in latest],
        "chart": _chart(rows) if any(row.ratio is not None for row in rows) else None,
        "rows": [_told(row) for row in rows],
    }
    return render(request, "monitoring/effect.html", words)


def _told(row: EffectEstimate) -> dict[str, Any]:
    found = Estimate(
        Verdict(row.verdict), row.served, row.served_hit, row.others, row.others_hit, row.left_out, row.ratio, row.low,
        row.high,
    )  # fmt: skip
    likely, least, most = (found.avoided(each) for each in (row.ratio, row.high, row.low))
    return {
        "row": row,
        "tone": TONES[found.verdict],
        "ratio": _ratio(row.ratio),
        "interval": f"{_ratio(row.low)} – {_ratio(row.high)}" if row.ratio else "–",
        "served_share": percent(row.served_hit / row.served) if row.served else "–",
        "others_share": percent(row.others_hit / row.others) if row.others else "–",
        "avoided": "–" if likely is None else f"{likely:,.0f}",
        "avoided_interval": "" if least is None or most is None else f"{least:,.0f} – {most:,.0f}",
        "compared": whole(row.served + row.others),
    }


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _chart(rows: list[EffectEstimate]) -> dict[str, Any]:
    """The ratio of each comparison with its bounds, by day; 1 is "no difference"."""
    days = sorted({row.day for row in rows})
    series: list[dict[str, Any]] = []
    for outcome in Outcome:
        by_day = {row.day: row for row in rows if row.outcome == outcome}
        for name, tone in (("ratio", "solid"), ("low", "dotted"), ("high", "dotted")):
            values = [getattr(by_day[day], name) if day in by_day else None for day in days]
            series.append({
                "type": "line", "name": str(outcome.label), "data": values, "lineStyle": {"type": tone},
                "symbol": "circle" if name == "ratio" else "none",
            })  # fmt: skip
    series[0]["markLine"] = {"symbol": "none", "data": [{"yAxis": 1}], "label": {"show": False}}
    return {
        "tooltip": {"trigger": "axis", "valueFormatter": "@amount"},
        "legend": {"bottom": 0, "data": [str(outcome.label) for outcome in Outcome]},
        "xAxis": {"type": "category", "data": [day.isoformat() for day in days]},
        "yAxis": {"type": "value", "min": 0},
        "series": series if days else [],
    }

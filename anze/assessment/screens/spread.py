"""How all scores lie, as a chart of dots and as a table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _now

from anze.assessment.rules import SchemeText
from anze.assessment.rules.spread import Spread, levels, spread
from anze.assessment.screens.words import points_text

APART = Decimal(2)  # points between two dots of one row, so that they do not cover each other on a phone
SYMBOLS = ("circle", "diamond", "triangle", "rect")  # grades are told apart without colour


def spread_words(scheme: SchemeText, lines: Sequence[dict[str, Any]], own: UUID | None = None) -> dict[str, Any] | None:
    """Of the lines of a ranking; who is not ranked is left out, for his score is of a part of the elements only."""
    ranked = [line for line in lines if not line["why_not"]]
    found = spread([Decimal(line["score"]) for line in ranked])
    if found is None:
        return None
    return {
        "chart": _chart(scheme, ranked, found, own),
        "median": points_text(found.median),
        "first_quarter": points_text(found.first_quarter),
        "third_quarter": points_text(found.third_quarter),
        "count": len(ranked),
        "left_out": len(lines) - len(ranked),
        "bands": [
            {
                "range": _now("%(low)s to under %(high)s") % {"low": band.low, "high": band.high},
                "count": band.count,
                "share": round(100 * band.count / len(ranked)),
                "lines": [line for line in ranked if band.low <= Decimal(line["score"]) < band.high],
            }
            for band in reversed(found.bands)
        ],
    }


def _chart(scheme: SchemeText, lines: list[dict[str, Any]], found: Spread, own: UUID | None) -> dict[str, Any]:
    """A dot for each, stacked where scores lie close; the lines are the thresholds of the grades."""
    rows = levels([Decimal(line["score"]) for line in lines], APART)
    of_grade: dict[str, list[dict[str, Any]]] = {grade.code: [] for grade in scheme.grades}
    for line, row in zip(lines, rows, strict=True):
        datum: dict[str, Any] = {"name": line["name"], "value": [float(line["score"]), row]}
        if line["url"]:
            datum["url"] = line["url"]
        if own is not None and line["outcome"].party == own:
            datum |= {
                "symbolSize": 20,
                "label": {"show": True, "position": "top", "formatter": _now("you: %(score)s") % {"score": line["score"]}},
            }  # fmt: skip
        of_grade[line["grade"]].append(datum)
    thresholds = [grade for grade in scheme.grades if grade.at_least > 0]
    series: list[dict[str, Any]] = [
        {"type": "scatter", "name": f"{grade.code} {grade.title}", "data": of_grade[grade.code], "symbolSize": 11,
         "symbol": SYMBOLS[place % len(SYMBOLS)]}
        for place, grade in enumerate(scheme.grades)
    ]  # fmt: skip
    series[0]["markLine"] = {
        "symbol": "none",
        "silent": True,
        "lineStyle": {"type": "dashed"},
        "data": [
            {"xAxis": float(grade.at_least), "label": {"formatter": f"{grade.code} ≥ {grade.at_least}"}}
            for grade in thresholds
        ],
    }
    lowest = min((found.bands[0].low, *(grade.at_least for grade in thresholds)))
    return {
        "tooltip": {"trigger": "item"},
        "legend": {"type": "scroll", "data": [each["name"] for each in series]},
        "grid": {"top": 36},
        "xAxis": {
            "type": "value",
            "min": float(lowest // 10 * 10),
            "max": float(max(Decimal(100), found.bands[-1].low)),
        },
        "yAxis": {"type": "value", "show": False, "min": 0, "max": max(rows) + 1},
        "series": series,
    }

"""The pictures of a bulletin: shares by month as lines, shares of places or insurers as bars, the highest first.

A picture shows what the table beside it says. The page draws it as all charts of the platform (dist/charts.js), a file
by the typst template that also makes the PDF.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _now

from anze.screen.pages import percent
from anze.screen.typesetting import pictures, source_of

FILES = ("charts.typ",)  # what the templates of the bulletin import
_STEP = 0.05


@dataclass(frozen=True)
class Series:
    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """Lines have a value for each label and series; bars have one series, none of its values missing."""

    title: str
    shape: str  # "line" or "bar"
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    target: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """Where the scale begins and ends: bars begin at nothing."""
        values = [value for each in self.series for value in each.values if value is not None]
        values += [self.target] if self.target is not None else []
        high = math.ceil(round(max(values) / _STEP, 6)) * _STEP
        low = math.floor(round(min(values) / _STEP, 6)) * _STEP if self.shape == "line" else 0.0
        return round(low, 6), round(max(high, low + _STEP), 6)

    @property
    def size(self) -> str:
        """The class of the box it is drawn in."""
        if self.shape == "line":
            return "chart chart-small"
        return "chart chart-tall" if len(self.labels) > 16 else "chart"

    @property
    def said(self) -> str:
        """What it shows, for those who do not see it."""
        return _now("%(title)s; the table below says the same") % {"title": self.title}


def lines(title: str, labels: Sequence[str], series: Iterable[Series], target: float | None) -> Chart | None:
    wanted = tuple(each for each in series if any(value is not None for value in each.values))
    return Chart(title, "line", tuple(labels), wanted, target) if wanted else None


def bars(title: str, values: Iterable[tuple[str, float | None]], target: float | None) -> Chart | None:
    known = sorted(((name, value) for name, value in values if value is not None), key=lambda each: -each[1])
    if len(known) < 2 or not any(value for _name, value in known):
        return None
    series = Series(title, tuple(value for _name, value in known))
    return Chart(title, "bar", tuple(name for name, _value in known), (series,), target)


def option(chart: Chart) -> dict[str, Any]:
    """As the page's charts are declared."""
    low, high = chart.ends
    shares = {"type": "value", "min": low, "max": high, "axisLabel": {"formatter": "@share"}}
    names: dict[str, Any] = {"type": "category", "data": list(chart.labels)}
    series: list[dict[str, Any]] = [
        {"type": chart.shape, "name": each.name, "data": list(each.values)} for each in chart.series
    ]
    is_bar = chart.shape == "bar"
    if chart.target is not None:
        series[0]["markLine"] = {
            "symbol": "none",
            "silent": True,
            "data": [{"xAxis" if is_bar else "yAxis": chart.target}],
            "label": {"formatter": _now("Target"), "position": "start" if is_bar else "insideEndTop"},
        }
    made: dict[str, Any] = {
        "tooltip": {"trigger": "axis", "valueFormatter": "@share"},
        "xAxis": shares if is_bar else names,
        "yAxis": {**names, "inverse": True, "axisLabel": {"interval": 0, "width": 130, "overflow": "truncate"}}
        if is_bar
        else shares,
        "series": series,
    }
    if len(chart.series) > 1:
        made["legend"] = {"bottom": 0, "data": [each.name for each in chart.series]}
    return made


def drawn(chart: Chart) -> dict[str, Any]:
    """As the typst template draws it: places from nothing to one, from the left and from the top."""
    low, high = chart.ends

    def height(value: float) -> float:
        return (value - low) / (high - low)

    made: dict[str, Any] = {
        "title": chart.title,
        "shape": chart.shape,
        "low": _share(low),
        "high": _share(high),
        "target": None if chart.target is None else height(chart.target),
        "target_text": "" if chart.target is None else f"{_now('Target')} {_share(chart.target)}",
    }
    if chart.shape == "bar":
        pairs = zip(chart.labels, chart.series[0].values, strict=True)
        return made | {
            "bars": [
                {"label": label, "share": max(height(value), 0.0), "text": _share(value, 1)}
                for label, value in pairs
                if value is not None
            ]
        }
    last = max(len(chart.labels) - 1, 1)
    return made | {
        "first": chart.labels[0],
        "last": chart.labels[-1],
        "series": [
            {"name": each.name, "pieces": [[[i / last, 1 - height(v)] for i, v in piece] for piece in _pieces(each)]}
            for each in chart.series
        ],
    }


def _share(value: float, places: int = 0) -> str:
    return percent(Decimal(str(value)), places)


def _pieces(series: Series) -> Iterable[list[tuple[int, float]]]:
    """The stretches without a missing month."""
    piece: list[tuple[int, float]] = []
    for place, value in enumerate(series.values):
        if value is not None:
            piece.append((place, value))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def imported() -> dict[str, bytes]:
    """The files the templates import."""
    return {name: source_of(f"monitoring/{name}") for name in FILES}


def as_png(charts: Sequence[Chart], language: str) -> list[bytes]:
    """Each as a picture file, for papers that take no drawings."""
    if not charts:
        return []
    data = {"language": language, "charts": [drawn(each) for each in charts]}
    return pictures("monitoring/chart_files.typ", data, files=imported())

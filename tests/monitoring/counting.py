"""Asking for figures in tests: each figure is checked against its own rows on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import Any
from uuid import UUID

from anze.kernel.scope import EVERYTHING
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.figures import Slice, figures, present_state
from anze.monitoring.refresh import recompute
from anze.monitoring.rows import Row, aspects_of, rows_behind
from tests.cast import NOW

SHOWN: dict[str, str] = {}  # indicator or reason code → the test that shows it
_asked: set[str] = set()


def shows(*codes: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declares the indicators and reasons a test works out by hand, and holds the test to it."""

    def wrap(test: Callable[..., None]) -> Callable[..., None]:
        SHOWN.update(dict.fromkeys(codes, test.__name__))

        @wraps(test)
        def run(*args: Any, **words: Any) -> None:
            _asked.clear()
            test(*args, **words)
            assert set(codes) <= _asked, f"never asked for: {sorted(set(codes) - _asked)}"

        return run

    return wrap


def day(text: str) -> datetime:
    """Ten in the morning of a day in Beijing."""
    return datetime.fromisoformat(f"{text}T10:00:00+08:00")


def count(on: str = "") -> None:
    """Count everything anew, as it stands on a day."""
    assert recompute(at=day(on) if on else NOW)


def cut_of(
    region: str = "370000", months: str = "2026-01 2026-12", sector: str = "", insurer: UUID | None = None
) -> Slice:
    first, last = (date.fromisoformat(f"{month}-01") for month in months.split())
    return Slice(region, first, last, sector, insurer)


def figure(code: str, **cut: Any) -> tuple[int | Decimal, int | Decimal]:
    """(numerator, denominator); its rows must add up to the same."""
    _asked.add(code)
    indicator, chosen = INDICATORS[code], cut_of(**cut)
    found = figures([indicator], chosen)[""][code]
    rows = {aspect: _rows(code, chosen, aspect) for aspect in aspects_of(indicator)}
    assert sum(row.numerator for row in rows["numerator"]) == found.numerator
    assert sum(row.denominator for row in rows["denominator"]) == found.denominator
    return found.numerator, found.denominator


def reasons(code: str, **cut: Any) -> dict[str, str]:
    """Label of each row that carries a reason → the reason."""
    indicator, chosen = INDICATORS[code], cut_of(**cut)
    found: dict[Any, Row] = {}
    for aspect in aspects_of(indicator):
        for row in _rows(code, chosen, aspect):
            if row.reason:
                assert found.setdefault((row.row_id, row.region_code), row).reason == row.reason
    said = {row.label: row.reason for row in found.values()}
    assert set(said.values()) <= set(indicator.reasons), "a reason its documentation does not name"
    _asked.update(said.values())
    return said


def _rows(code: str, cut: Slice, aspect: Any) -> tuple[Row, ...]:
    state = present_state()
    assert state
    indicator = INDICATORS[code]
    return rows_behind(indicator, cut, aspect, scope=EVERYTHING, as_of=state.as_of, at_least=None).rows

"""The five figures as the platform holds them, in the shape in which tests/province/recount.py counts them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.province.recount import Cells

Select = Callable[..., list[tuple[Any, ...]]]

# figure → table of its cells, numerator, denominator
FIGURES = {
    "payout": ("monitoring_moneycell", "incurred", "premium"),
    "completion": ("monitoring_completioncell", "done", "planned"),
    "rectification": ("monitoring_hazardcell", "due_closed", "due"),
    "expense": ("monitoring_moneycell", "expense_paid", "committed"),
}
PROVINCE = "region_code = '370000' AND sector = '' AND insurer_id IS NULL"
BASE = "sector <> '' AND right(region_code, 2) <> '00'"


def cells_of(figure: str, select: Select) -> Cells:
    """The base cells: county × sector × insurer."""
    table, numerator, denominator = FIGURES[figure]
    found = select(
        "SELECT to_char(c.month, 'YYYY-MM'), c.region_code, c.sector, o.code, "
        f"c.{numerator}, c.{denominator} FROM (SELECT * FROM {table} WHERE {BASE}) c "
        "JOIN parties_organisation o ON o.id = c.insurer_id"
    )
    return {
        (month, region, sector, insurer): [Decimal(above), Decimal(below)]
        for month, region, sector, insurer, above, below in found
        if above or below
    }


def of_the_province(figure: str, select: Select) -> list[Decimal]:
    table, numerator, denominator = FIGURES[figure]
    [sums] = select(f"SELECT sum({numerator}), sum({denominator}) FROM {table} WHERE {PROVINCE}")
    return [Decimal(each) for each in sums]


def coverage_at(month: date, select: Select) -> tuple[dict[tuple[str, str], tuple[int, int]], tuple[int, int]]:
    """Insured and obliged at a month's end, by county and sector and in the whole province."""
    found = select(
        "SELECT region_code, sector, sum(insured), sum(obliged) FROM monitoring_coveragecell "
        f"WHERE month <= %s AND {BASE} AND insurer_id IS NULL "
        "GROUP BY 1, 2 HAVING sum(obliged) <> 0 OR sum(insured) <> 0",
        month,
    )
    [total] = select(
        f"SELECT sum(insured), sum(obliged) FROM monitoring_coveragecell WHERE month <= %s AND {PROVINCE}", month
    )
    return {(region, sector): (insured, obliged) for region, sector, insured, obliged in found}, total


def months_until(last: date) -> list[date]:
    months = [date(2025, 6, 1)]
    while months[-1] < last.replace(day=1):
        months.append((months[-1] + timedelta(days=32)).replace(day=1))
    return months


def last_day(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def summed(cells: Cells) -> list[Decimal]:
    return [sum((pair[i] for pair in cells.values()), Decimal(0)) for i in (0, 1)]

"""The platform's figures equal an independent count of the rows that were sent, cell by cell, to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.province.conftest import AS_OF, Demo, Sent
from tests.province.recount import Cells, Recount


@pytest.fixture(scope="module")
def recount(sent: Sent, demo: Demo) -> Recount:
    ((as_of,),) = demo.select("SELECT as_of FROM monitoring_state")
    return Recount(sent, as_of)


def cells_of(demo: Demo, table: str, numerator: str, denominator: str) -> Cells:
    """The platform's base cells: county × sector × insurer."""
    found = demo.select(
        "SELECT to_char(c.month, 'YYYY-MM'), c.region_code, c.sector, o.code, "
        f"c.{numerator}, c.{denominator} FROM {table} c JOIN parties_organisation o ON o.id = c.insurer_id "
        "WHERE c.sector <> '' AND right(c.region_code, 2) <> '00'"
    )
    return {
        (month, region, sector, insurer): [Decimal(above), Decimal(below)]
        for month, region, sector, insurer, above, below in found
        if above or below
    }


@pytest.mark.parametrize(
    ("figure", "table", "numerator", "denominator"),
    [
        ("payout", "monitoring_moneycell", "incurred", "premium"),
        ("completion", "monitoring_completioncell", "done", "planned"),
        ("rectification", "monitoring_hazardcell", "due_closed", "due"),
        ("expense", "monitoring_moneycell", "expense_paid", "committed"),
    ],
)
def test_every_cell_is_as_counted_by_hand(
    figure: str, table: str, numerator: str, denominator: str, recount: Recount, demo: Demo
) -> None:
    counted = {key: pair for key, pair in getattr(recount, figure)().items() if pair[0] or pair[1]}
    assert len(counted) > 100
    assert cells_of(demo, table, numerator, denominator) == counted
    total = demo.select(
        f"SELECT sum({numerator}), sum({denominator}) FROM {table} "
        "WHERE region_code = '370000' AND sector = '' AND insurer_id IS NULL"
    )
    assert total == [tuple(sum(pair[i] for pair in counted.values()) for i in (0, 1))]


def test_coverage_at_every_months_end_is_as_counted_by_hand(recount: Recount, demo: Demo) -> None:
    months = [date(2025, 6, 1)]
    while months[-1] < AS_OF.replace(day=1):
        months.append((months[-1] + timedelta(days=32)).replace(day=1))
    for first in months:
        end = min(recount.as_of, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1))
        counted = recount.coverage(end)
        found = demo.select(
            "SELECT region_code, sector, sum(insured), sum(obliged) FROM monitoring_coveragecell "
            "WHERE month <= %s AND sector <> '' AND right(region_code, 2) <> '00' "
            "AND insurer_id IS NULL GROUP BY 1, 2 HAVING sum(obliged) <> 0 OR sum(insured) <> 0",
            first,
        )
        assert {(region, sector): (insured, obliged) for region, sector, insured, obliged in found} == counted
        ((insured, obliged),) = demo.select(
            "SELECT sum(insured), sum(obliged) FROM monitoring_coveragecell "
            "WHERE month <= %s AND region_code = '370000' AND sector = '' AND insurer_id IS NULL",
            first,
        )
        assert (insured, obliged) == tuple(sum(pair[i] for pair in counted.values()) for i in (0, 1))
        assert obliged
    assert 0.85 < insured / obliged < 1


def test_the_figures_tell_good_insurers_from_lax_ones(demo: Demo) -> None:
    rates = demo.select(
        "SELECT sum(done), sum(planned) FROM monitoring_completioncell WHERE region_code = '370000' "
        "AND sector = '' AND insurer_id IS NULL"
    )
    assert 0.55 < rates[0][0] / rates[0][1] < 0.97
    late = dict(
        demo.select(
            "SELECT o.code, 1 - sum(c.on_time) / sum(c.reported)::numeric FROM monitoring_timelinesscell c "
            "JOIN parties_organisation o ON o.id = c.insurer_id WHERE c.region_code = '370000' GROUP BY 1"
        )
    )
    assert late["INS13"] > 3 * late["INS01"]

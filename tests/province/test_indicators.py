"""The platform's figures equal an independent count of the rows that were sent, cell by cell, to the cent."""

from __future__ import annotations

import pytest

from tests.province.conftest import AS_OF, Demo, Sent
from tests.province.platform_figures import (
    FIGURES,
    cells_of,
    coverage_at,
    last_day,
    months_until,
    of_the_province,
    summed,
)
from tests.province.recount import Recount


@pytest.fixture(scope="module")
def recount(sent: Sent, demo: Demo) -> Recount:
    ((as_of,),) = demo.select("SELECT as_of FROM monitoring_state")
    return Recount(sent, as_of)


@pytest.mark.parametrize("figure", FIGURES)
def test_every_cell_is_as_counted_by_hand(figure: str, recount: Recount, demo: Demo) -> None:
    counted = recount.cells(figure)
    assert len(counted) > 100
    assert cells_of(figure, demo.select) == counted
    assert of_the_province(figure, demo.select) == summed(counted)


def test_coverage_at_every_months_end_is_as_counted_by_hand(recount: Recount, demo: Demo) -> None:
    rests = demo.select(
        "SELECT e.uscc, o.suspended_from_on, o.suspended_to_on FROM underwriting_obligation o "
        "JOIN parties_enterprise e ON e.id = o.enterprise_id WHERE o.suspended_from_on IS NOT NULL"
    )
    assert rests
    for month in months_until(AS_OF):
        on = min(recount.as_of, last_day(month))
        resting = {uscc for uscc, first, last in rests if first <= on <= (last or on)}
        counted = recount.coverage(on, resting)
        by_county, (insured, obliged) = coverage_at(month, demo.select)
        assert by_county == counted
        assert (insured, obliged) == tuple(sum(pair[i] for pair in counted.values()) for i in (0, 1))
        assert obliged
    assert 0.85 < insured / obliged < 1


def test_the_register_has_something_to_decide(demo: Demo) -> None:
    """Disputes, entries to be verified, units that rest, and such as are listed twice or were merged."""
    counts = demo.select(
        "SELECT count(*) FILTER (WHERE state = 'DISPUTED'), count(*) FILTER (WHERE state = 'UNCERTAIN'), "
        "count(*) FILTER (WHERE suspended_to_on IS NULL AND suspended_from_on IS NOT NULL), "
        "count(*) FILTER (WHERE merged_into_id IS NOT NULL), count(*) - count(DISTINCT enterprise_id) "
        "FROM underwriting_obligation"
    )[0]
    assert all(counts), counts
    grounds = {ground for (ground,) in demo.select("SELECT DISTINCT ground FROM underwriting_registerdispute")}
    assert "SUSPENDED" in grounds
    low, middle, high = demo.select(
        "SELECT sum(insured_confirmed)::float / sum(obliged_lowest), sum(insured)::float / sum(obliged), "
        "sum(insured)::float / sum(obliged_highest) FROM monitoring_coveragecell "
        "WHERE region_code = '370000' AND sector = '' AND insurer_id IS NULL"
    )[0]
    assert low < middle < high


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

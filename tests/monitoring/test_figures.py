"""Reading cells: whatever is asked, the answer is the sum of the base cells it is about."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.kernel.models import Parameter
from anze.monitoring.contributions import key_columns, rolled_up
from anze.monitoring.definitions import FACTS, INDICATORS
from anze.monitoring.figures import Figure, Slice, figures, headline, months_between, targets
from anze.monitoring.rules import Fact, Family
from anze.monitoring.screens import shown, standing
from tests.monitoring.counting import cut_of

COUNTIES = ("370102", "370103", "3701Z1", "370202", "370213", "371302")
SECTORS = ("MINE", "SMELT", "FISHERY")
INSURERS = tuple(UUID(int=n) for n in (1, 2, 3))
MONTHS = tuple(date(2025, month, 1) for month in range(1, 7))
Base = list[dict[str, Any]]


def base_cells(fact: Fact, draw: Random) -> Base:
    """Cells of the finest grain, as a recompute would make them; coverage belongs to no insurer."""
    insurers = (None,) if fact.name.startswith("cover") else INSURERS
    feeds = ("policies", "claims") if "feed" in fact.further else ("",)
    rows = []
    for month, region, sector, insurer, feed in product(MONTHS, COUNTIES, SECTORS, insurers, feeds):
        if draw.random() < 0.5:
            key = {"month": month, "region_code": region, "sector": sector, "insurer_id": insurer}
            further = {"feed": feed} if feed else {}
            rows.append(key | further | {measure: draw.randrange(-3, 9) for measure in fact.measures})
    return rows


def store(fact: Fact, rows: Base) -> None:
    names = (*key_columns(fact), *fact.measures)
    columns = ", ".join(names)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE sample AS SELECT {columns} FROM {fact.table} LIMIT 0")
        with cursor.copy(f"COPY sample ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
        cursor.execute(f"INSERT INTO {fact.table} ({columns}) SELECT {columns} FROM ({rolled_up(fact, 'sample')}) r")
        cursor.execute("DROP TABLE sample")


def expected(rows: Base, code: str, cut: Slice, by: str) -> dict[Any, tuple[int, int]]:
    """The same question, answered row by row."""
    indicator = INDICATORS[code]
    is_stock = indicator.is_stock
    prefix = {"PROVINCE": 2, "CITY": 4, "COUNTY": 6}[cut.level]
    found: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        fits = (
            row["region_code"][:prefix] == cut.region_code[:prefix]
            and row["month"] <= cut.month_to
            and (is_stock or row["month"] >= cut.month_from)
            and (not cut.sector or row["sector"] == cut.sector)
            and (cut.insurer_id is None or row["insurer_id"] == cut.insurer_id)
            and (by != "insurer" or row["insurer_id"] is not None)
            and all(row[column] == value for column, value in indicator.fixed.items())
        )
        if fits:
            key = {
                "": "",
                "month": row["month"],
                "region": row["region_code"][:4] + "00" if cut.level == "PROVINCE" else row["region_code"],
                "sector": row["sector"],
                "insurer": row["insurer_id"],
            }[by]
            found[key][0] += row[indicator.numerator]
            found[key][1] += row[indicator.denominator]
    if by == "month" and is_stock:
        running = [0, 0]
        states = {}
        for month in months_between(min(found, default=cut.month_from), cut.month_to):
            running = [a + b for a, b in zip(running, found.get(month, (0, 0)), strict=True)]
            if found and month >= cut.month_from:
                states[month] = running
        return {key: (a, b) for key, (a, b) in states.items()}
    if by == "" and not found:
        return {"": (0, 0)}
    return {key: (a, b) for key, (a, b) in found.items()}


@pytest.mark.parametrize(
    "code",
    ["coverage_rate", "covered_days_ratio", "claim_payout_paid", "service_completion_rate", "data_timeliness",
     "data_timeliness.claims"],
)  # fmt: skip
def test_every_question_is_answered_as_the_base_cells_would(everything, code):
    fact = INDICATORS[code].fact
    rows = base_cells(fact, Random(code))
    store(fact, rows)
    regions = ("370000", "370100", "370200", "370102", "3701Z1", "370199")
    periods = ((MONTHS[0], MONTHS[-1]), (MONTHS[2], MONTHS[3]), (date(2025, 7, 1), date(2025, 8, 1)))
    asked = product(regions, ("", "SMELT"), (None, INSURERS[0]), ("", "month", "region", "sector", "insurer"), periods)
    for region, sector, insurer, by, (first, last) in asked:
        cut = Slice(region, first, last, sector, insurer)
        answer = {
            key: (int(by_code[code].numerator), int(by_code[code].denominator))
            for key, by_code in figures([INDICATORS[code]], cut, by=by).items()  # type: ignore[arg-type]
        }
        assert answer == expected(rows, code, cut, by), (cut, by)


def test_several_indicators_at_once_are_those_asked_for_one_by_one(everything):
    codes = [
        "coverage_rate",
        "headcount_coverage",
        "claim_payout_paid",
        "data_timeliness",
        "data_timeliness.claims",
    ]
    for name in ("coverage", "money", "timeliness"):
        store(FACTS[name], base_cells(FACTS[name], Random(name)))
    cut = Slice("370100", MONTHS[0], MONTHS[-1])
    together = figures([INDICATORS[code] for code in codes], cut, by="region")
    for code in codes:
        for region, by_code in figures([INDICATORS[code]], cut, by="region").items():
            assert together[region][code] == by_code[code]


_cells = st.lists(
    st.tuples(
        st.sampled_from(MONTHS), st.sampled_from(COUNTIES), st.sampled_from(SECTORS),
        st.sampled_from((*INSURERS, None)), st.integers(-(10**12), 10**12),
    ),
    min_size=1, max_size=40, unique_by=lambda cell: cell[:4],
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=_cells)
def test_counties_make_cities_and_cities_the_province(everything, cells):
    fact = FACTS["hazards"]
    zeros = ", ".join("0" for _ in fact.measures[1:])
    values = ", ".join(
        f"(DATE '{month}', '{region}', '{sector}', nullif('{insurer or ''}', '')::uuid, {n}::bigint, {zeros})"
        for month, region, sector, insurer, n in cells
    )
    base = f"(VALUES {values}) AS b ({', '.join((*key_columns(fact), *fact.measures))})"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT month, region_code, sector, insurer_id, found FROM ({rolled_up(fact, base)}) r")
        rows = cursor.fetchall()
    stored = {row[:4]: row[4] for row in rows}
    assert len(stored) == len(rows), "no grain is stored twice"

    def total(level: str, sector: bool, insurer: bool) -> dict[tuple, int]:
        """(month, city, sector, insurer) → the sum of a level's cells of one grain, by city."""
        found: dict[tuple, int] = defaultdict(int)
        for (month, region, of_sector, of_insurer), n in stored.items():
            here = "PROVINCE" if region.endswith("0000") else "CITY" if region.endswith("00") else "COUNTY"
            if here == level and bool(of_sector) == sector and (of_insurer is not None) == insurer:
                found[month, region[:2] if level == "PROVINCE" else region[:4], of_sector, of_insurer] += n
        return found

    def gathered(sums: dict[tuple, int]) -> dict[tuple, int]:
        found: dict[tuple, int] = defaultdict(int)
        for (month, region, of_sector, of_insurer), n in sums.items():
            found[month, region[:2], of_sector, of_insurer] += n
        return found

    assert total("COUNTY", False, False) == total("CITY", False, False)
    for sector, insurer in ((False, False), (True, False), (False, True)):
        assert gathered(total("CITY", sector, insurer)) == total("PROVINCE", sector, insurer)
    whole = sum(cell[4] for cell in cells)
    assert sum(total("PROVINCE", False, False).values()) == whole
    assert sum(total("PROVINCE", True, False).values()) == whole
    assert sum(total("PROVINCE", False, True).values()) == sum(cell[4] for cell in cells if cell[3])


# values on pages --------------------------------------------------------------------------------------------


def _figure(code: str, numerator: int | str, denominator: int | str) -> Figure:
    return Figure(INDICATORS[code], Decimal(numerator), Decimal(denominator))


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (0, 0, "–"),  # nothing to count is neither 0 nor 100 percent
        (5, 0, "–"),
        (5, -2, "–"),  # more given back than received
        (0, 7, "0.00%"),
        (1, 3, "33.33%"),
        (2, 3, "66.67%"),
        (12345, 100000, "12.35%"),  # half up
        (12335, 100000, "12.34%"),
        (1, 1, "100.00%"),
    ],
)
def test_a_percentage_is_rounded_half_up_for_display_only(numerator, denominator, text):
    figure = _figure("coverage_rate", numerator, denominator)
    assert shown(figure) == text
    assert figure.value == (Decimal(numerator) / Decimal(denominator) if denominator > 0 else None)


def test_days_and_points_are_no_percentages():
    assert shown(_figure("avg_days_to_pay", 10, 4)) == "2.5"
    assert shown(_figure("satisfaction_avg", 0, 0)) == "–"


def test_standing_against_the_target_follows_the_direction():
    goal = Decimal("0.98")
    assert standing(_figure("service_completion_rate", 98, 100), goal) == "success"
    assert standing(_figure("service_completion_rate", 97, 100), goal) == "warning"
    assert standing(_figure("service_completion_rate", 92, 100), goal) == "danger"
    assert standing(_figure("plan_missing_share", 1, 100), Decimal("0.02")) == "success"
    assert standing(_figure("plan_missing_share", 9, 100), Decimal("0.02")) == "danger"
    assert standing(_figure("claim_payout_paid", 1, 2), goal) == ""  # neither high nor low is better
    assert standing(_figure("service_completion_rate", 0, 0), goal) == ""


def test_targets_and_headlines_come_from_parameters(everything):
    on = date(2026, 11, 23)
    assert targets(on)["service_completion_rate"] == Decimal("0.98")
    assert targets(on)["expense_payment_rate"] == Decimal("0.95")
    assert "claim_payout_incurred" not in targets(on)
    words = {
        "unit": "ratio",
        "status": "DESIGN",
        "title_en": "t",
        "title_zh": "t",
        "effective_from": "2026-01-01",
    }
    Parameter.objects.create(key="coverage_target.FISHERY", value="0.8", **words)
    assert targets(on, "FISHERY")["coverage_rate"] == Decimal("0.8")
    assert targets(on)["coverage_rate"] == targets(on, "OTHER")["coverage_rate"] == 1
    assert headline(Family.PAYOUT, on).code == "claim_payout_incurred"
    Parameter.objects.create(key="claim_payout_headline", value="matured", **words)
    assert headline(Family.PAYOUT, on).code == "claim_payout_matured"
    assert headline(Family.PAYOUT, date(2025, 1, 1)).code == "claim_payout_incurred"
    Parameter.objects.filter(key="claim_payout_headline", value="matured").update(value="nonsense")
    assert headline(Family.PAYOUT, on).code == "claim_payout_incurred"


def test_levels():
    assert [cut_of(region=code).level for code in ("370000", "370100", "370102", "3701Z1")] == [
        "PROVINCE", "CITY", "COUNTY", "COUNTY",
    ]  # fmt: skip

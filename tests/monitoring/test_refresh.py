"""After any history of changes the refreshed cells are exactly those of a full recompute."""

from __future__ import annotations

from django.db import connection

from anze.monitoring.definitions import FACTS
from anze.monitoring.refresh import recompute, refresh
from tests.cast import NOW, XINGHUO, YUANFAN, policy_row


def all_cells() -> dict[str, list[tuple]]:
    found = {}
    with connection.cursor() as cursor:
        for fact in FACTS.values():
            columns = ", ".join(("month", "region_code", "sector", "insurer_id", *fact.further, *fact.measures))
            cursor.execute(f"SELECT {columns} FROM {fact.table} ORDER BY {columns}")
            found[fact.name] = cursor.fetchall()
    return found


def test_the_refresh_gives_the_cells_of_a_recompute(cast):
    recompute(at=NOW)
    cast.accepted(
        cast.province,
        "obligations",
        {"uscc": XINGHUO, "sector": "SMELT", "reason": "LAW_SECTOR", "source": "名录", "listed_on": "2026-01-05",
         "state": "CONFIRMED", "registered_workers": 100},
        {"uscc": YUANFAN, "sector": "FISHERY", "reason": "LAW_SECTOR", "source": "名录", "listed_on": "2026-01-05",
         "state": "UNCERTAIN", "registered_workers": 40},
    )  # fmt: skip
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO), policy_row("P2", YUANFAN))
    refresh(at=NOW)
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO, insured_workers=60))
    cast.accepted(cast.huaihai, "policies", policy_row("P2", YUANFAN, is_void=True, void_reason="重复"))
    refresh(at=NOW)
    refreshed = all_cells()
    assert refreshed["coverage"]
    recompute(at=NOW)
    assert all_cells() == refreshed


def test_a_number_opens_its_rows_with_the_reason_of_each(cast):
    from datetime import date

    from anze.monitoring.definitions import INDICATORS
    from anze.monitoring.figures import Slice, figures
    from anze.monitoring.rows import rows_behind

    cast.accepted(
        cast.province,
        "obligations",
        *(
            {"uscc": uscc, "sector": sector, "reason": "LAW_SECTOR", "source": "名录", "listed_on": "2026-01-05",
             "state": "CONFIRMED", "registered_workers": workers}
            for uscc, sector, workers in ((XINGHUO, "SMELT", 120), (YUANFAN, "FISHERY", 40))
        ),
    )  # fmt: skip
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    recompute(at=NOW)
    cut = Slice("370000", date(2026, 1, 1), date(2026, 11, 1))
    coverage, compliant = INDICATORS["coverage_rate"], INDICATORS["coverage_rate_compliant"]
    found = figures([coverage, compliant], cut)[""]
    assert (found["coverage_rate"].numerator, found["coverage_rate"].denominator) == (1, 2)
    assert found["coverage_rate_compliant"].value == 0
    by_month = figures([coverage], cut, by="month")
    assert by_month[date(2026, 2, 1)]["coverage_rate"].value == 0
    assert by_month[date(2026, 3, 1)]["coverage_rate"].numerator == 1
    assert set(figures([coverage], cut, by="region")) == {"370100", "370200"}
    as_of = date(2026, 11, 23)
    shortfall = rows_behind(coverage, cut, "shortfall", as_of=as_of).rows
    assert [(row.enterprise, row.reason) for row in shortfall] == [("远帆示例渔业有限公司", "UNINSURED")]
    short = rows_behind(compliant, cut, "shortfall", as_of=as_of).rows
    assert sorted(row.reason for row in short) == ["PARTIAL_HEADCOUNT", "UNINSURED"]
    assert len(rows_behind(coverage, cut, "denominator", as_of=as_of).rows) == 2

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

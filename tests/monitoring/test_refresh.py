"""After any change the refreshed cells are exactly those of a full recompute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

from anze.kernel.duty import BEIJING
from anze.kernel.models import Parameter, Touch
from anze.monitoring.definitions import FACTS
from anze.monitoring.figures import present_state
from anze.monitoring.refresh import recompute, refresh
from tests.cast import NOW, YUANFAN
from tests.monitoring.counting import figure
from tests.monitoring.deliveries import (
    VOID,
    endorsement,
    hazard,
    item,
    obligation,
    plan,
    policy,
    receipt,
    service,
)


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
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", state="UNCERTAIN"))
    cast.accepted(cast.huaihai, "policies", policy(), policy("P2", YUANFAN))
    refresh(at=NOW)
    cast.accepted(cast.huaihai, "policies", policy(insured_workers=60))
    cast.accepted(cast.huaihai, "policies", policy("P2", YUANFAN, **VOID))
    refresh(at=NOW)
    refreshed = all_cells()
    assert refreshed["coverage"]
    recompute(at=NOW)
    assert all_cells() == refreshed


def test_nothing_to_do_leaves_everything_as_it_is(cast):
    recompute(at=NOW)
    before = present_state()
    done = refresh(at=NOW)
    assert done
    assert (done.touched, done.facts) == (0, ())
    after = present_state()
    assert before
    assert after
    assert (after.version, after.refreshed_at) == (before.version, before.refreshed_at)


def test_a_cell_that_comes_to_nothing_disappears(cast):
    recompute(at=NOW)
    empty = all_cells()
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy())
    refresh(at=NOW)
    assert all_cells()["coverage"]
    cast.accepted(cast.province, "obligations", obligation(**VOID))
    cast.accepted(cast.huaihai, "policies", policy(**VOID))
    refresh(at=NOW)
    assert all_cells() == empty


def test_only_touched_facts_are_judged_again(cast):
    cast.accepted(cast.huaihai, "policies", policy())
    recompute(at=NOW)
    cast.accepted(cast.huaihai, "plans", plan(item("HAZARD", 1, "2026-04-01", "2026-06-30")))
    done = refresh(at=NOW)
    assert done
    assert set(done.facts) == {"completion", "timeliness"}
    assert not Touch.objects.exists()


def test_a_changed_parameter_counts_everything_anew(cast):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy())
    recompute(at=NOW)
    assert figure("under_limit_share") == (0, 1)
    Parameter.objects.filter(key="min_limit_per_person", effective_from="2025-03-29", region_code="").update(
        value="600000"
    )
    done = refresh(at=NOW)
    assert done
    assert set(done.facts) == set(FACTS)
    assert figure("under_limit_share") == (1, 1)
    again = refresh(at=NOW)
    assert again
    assert not again.facts


def test_each_midnight_in_beijing_counts_exactly_what_begins_to_count(cast):
    """A month day by day, without any delivery: each turn adds the contributions of that one day."""
    first = datetime(2026, 6, 29, 15, 59, 59, tzinfo=UTC)  # 23:59:59 of the 29th in Beijing
    early = first - timedelta(days=120)
    cast.accepted(cast.province, "obligations", obligation(delisted_on="2026-07-20", delisting_reason="迁出"))
    cast.accepted(cast.huaihai, "policies", policy(end_on="2026-07-10"), policy("P2", YUANFAN), at=early)
    cast.accepted(cast.huaihai, "receipts", receipt(), at=early + timedelta(days=4))
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "HEADCOUNT", "2026-07-05", "90"))
    cast.accepted(
        cast.huaihai,
        "plans",
        plan(item("HAZARD", 1, "2026-04-01", "2026-07-03"), item("TRAIN", 1, "2026-04-01", "2026-07-31")),
    )
    cast.accepted(cast.huaihai, "services", service("S1", "2026-06-20"))
    cast.accepted(cast.huaihai, "hazards", hazard("H1", "2026-06-20", days=22), hazard("H2", "2026-06-20"))
    recompute(at=first)
    turned = set()
    for days in range(33):
        for second in (0, 1):  # the last second of a day and the first of the next
            at = first + timedelta(days=days, seconds=second)
            before = all_cells()
            done = refresh(at=at)
            assert done
            assert done.as_of == at.astimezone(BEIJING).date()
            refreshed = all_cells()
            if second == 0:
                assert refreshed == before, "within a day nothing begins to count"
            elif refreshed != before:
                turned.add(done.as_of.isoformat())
            recompute(at=at)
            assert all_cells() == refreshed
    assert turned >= {
        "2026-06-30",  # June's covered days: the month is over with its last day
        "2026-07-01",  # July's share of premium and of what was promised
        "2026-07-03",  # the first planned window
        "2026-07-05",  # the hazard of 15 days, and the endorsement
        "2026-07-11",  # uninsured
        "2026-07-12",  # the hazard of 22 days
        "2026-07-20",  # off the register
        "2026-07-31",  # the second window, and July's covered days
    }
    assert not turned & {"2026-07-02", "2026-07-15", "2026-07-25"}, "on these days nothing begins to count"

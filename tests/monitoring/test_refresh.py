"""After any change the refreshed cells are exactly those of a full recompute."""

from __future__ import annotations

from django.db import connection

from anze.kernel.models import Parameter, Touch
from anze.monitoring.definitions import FACTS
from anze.monitoring.figures import present_state
from anze.monitoring.refresh import recompute, refresh
from tests.cast import NOW, YUANFAN
from tests.monitoring.counting import figure
from tests.monitoring.deliveries import VOID, item, obligation, plan, policy


def all_cells() -> dict[str, list[tuple]]:
    found = {}
    with connection.cursor() as cursor:
        for fact in FACTS.values():
            columns = ", ".join(
                ("month", "region_code", "sector", "insurer_id", *fact.further, *fact.measures)
            )
            cursor.execute(f"SELECT {columns} FROM {fact.table} ORDER BY {columns}")  # noqa: S608 - declarations
            found[fact.name] = cursor.fetchall()
    return found


def test_the_refresh_gives_the_cells_of_a_recompute(cast):
    recompute(at=NOW)
    cast.accepted(
        cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", state="UNCERTAIN")
    )
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

"""New databases are made in one step a room; one that stopped anywhere on the way takes the steps that are left."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Step = tuple[str, str]


@pytest.fixture
def steps(db: None) -> list[Step]:
    """Every step there ever was, in an order in which they can be taken."""
    loader = MigrationLoader(connection, replace_migrations=False)
    ordered: dict[Step, None] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        for step in loader.graph.forwards_plan(leaf):
            if not loader.disk_migrations[step].replaces:
                ordered[step] = None
    return list(ordered)


def left_after(done: list[Step], monkeypatch: pytest.MonkeyPatch) -> dict[Step, list[Step]]:
    """What a database that has taken these steps is still to take, and the steps each of it stands for."""
    moment: Any = dict.fromkeys(done)
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: dict(moment))
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return {(each.app_label, each.name): each.replaces or [(each.app_label, each.name)] for each, _back in plan}


def test_whoever_stopped_on_the_way_goes_on(steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(steps) > 100
    for taken in range(len(steps) % 7, len(steps) + 1, 7):
        left = left_after(steps[:taken], monkeypatch)
        assert sorted(step for of in left.values() for step in of) == sorted(steps[taken:]), taken


def test_a_new_database_is_made_in_one_step_a_room(steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    left = left_after([], monkeypatch)
    assert len(left) < len(steps) - 40
    assert ("prevention", "0006_orders") not in left

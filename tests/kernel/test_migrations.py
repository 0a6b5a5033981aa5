"""New databases are made in one step a room; one that stopped anywhere on the way takes the steps that are left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.db import ConnectionHandler, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.exchange.live import new_database

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


# what a step does to rows that are there -----------------------------------------------------------------------


@pytest.fixture
def owner(pristine: str) -> Iterator[BaseDatabaseWrapper]:
    """The owner's connection to a database of its own: steps of migrations run with no lesser rights."""
    with new_database(os.environ["DATABASE_URL"], pristine) as url:
        at = urlsplit(url)
        made = ConnectionHandler(
            {"default": {**connection.settings_dict, "NAME": at.path.lstrip("/"), "USER": at.username or "",
                         "PASSWORD": unquote(at.password or ""), "TEST": {}}}
        )["default"]  # fmt: skip
        made.inc_thread_sharing()
        try:
            yield made
        finally:
            made.close()


def test_fingerprints_keep_their_keys_when_these_become_rows(
    owner: BaseDatabaseWrapper, django_db_blocker: Any
) -> None:
    keys = [[5, 7, 9, 7], [7, -3], []]
    with django_db_blocker.unblock(), owner.cursor() as cursor:
        loader = MigrationLoader(owner, replace_migrations=False)
        before = loader.project_state(("evidence", "0001_initial"))
        # the two tables as they were, beside those of now
        cursor.execute("CREATE SCHEMA before")
        cursor.execute("SET search_path = before, public")
        with owner.schema_editor() as editor:
            for name in ("Original", "Fingerprint"):
                editor.create_model(before.apps.get_model("evidence", name))
        for n, each in enumerate(keys):
            cursor.execute(
                "WITH o AS (INSERT INTO evidence_original (sha256, size, media_type, is_damaged, stored_at) "
                "VALUES (%s, 1, 'image/jpeg', false, now()) RETURNING id) "
                "INSERT INTO evidence_fingerprint (original_id, whole, quality, keys, corners) "
                "SELECT id, %s, %s, %s, '' FROM o",
                [f"{n:064}", bytes([n]) * 32, n, each],
            )
        cursor.execute("ALTER TABLE evidence_fingerprint ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        cursor.execute("SELECT count(*) FROM evidence_fingerprint")
        assert cursor.fetchone() == (0,)  # nobody's rows, not even the owner's

        step = loader.get_migration("evidence", "0002_keys_of_fingerprints")
        with owner.schema_editor(atomic=True) as editor:
            step.apply(before, editor)

        cursor.execute("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'before.evidence_fingerprint'::regclass")
        assert cursor.fetchone() == (True,)
        cursor.execute("ALTER TABLE evidence_fingerprint NO FORCE ROW LEVEL SECURITY")
        cursor.execute(
            "SELECT f.quality, f.whole, o.sha256, array_remove(array_agg(k.key ORDER BY k.key), NULL) "
            "FROM evidence_fingerprint f JOIN evidence_original o ON o.id = f.original_id "
            "LEFT JOIN evidence_fingerprintkey k ON k.fingerprint_id = f.id GROUP BY f.id, o.sha256 ORDER BY 1"
        )
        found = [(quality, bytes(whole), sha256, kept) for quality, whole, sha256, kept in cursor.fetchall()]
    assert found == [(n, bytes([n]) * 32, f"{n:064}", sorted(set(each))) for n, each in enumerate(keys)]

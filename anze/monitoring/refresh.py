"""Keeping the cells true: after a change only the touched groups are judged again.

Every change of a counted row leaves a touch (see kernel.database). A refresh takes all touches it can see, in
one snapshot, judges each touched group as it was when the cells last counted it and as it is now, and adds the
difference. A full recompute gives exactly the same cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from anze.kernel.duty import beijing_day
from anze.kernel.scope import EVERYTHING, enter
from anze.monitoring.contributions import key_columns, rolled_up, summed
from anze.monitoring.definitions import FACTS
from anze.monitoring.models import State
from anze.monitoring.rules import Fact, Source

_LOCK = 0x616E7A65  # one refresh at a time


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: rows touched, facts judged again, days turned."""

    touched: int
    facts: tuple[str, ...]
    as_of: date


@contextmanager
def _snapshot() -> Iterator[CursorWrapper | None]:
    """One repeatable-read transaction over everything, or None while another refresh is at work."""
    if connection.in_atomic_block:  # already inside somebody's transaction: a test, or set-up
        enter(EVERYTHING)
        with connection.cursor() as cursor:
            yield cursor
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            yield None
            return
        try:
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                enter(EVERYTHING)
                yield cursor
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def refresh(*, at: datetime) -> Refreshed | None:
    """Bring the cells up to date: take in all changes, then turn to the present day."""
    today = beijing_day(at)
    with _snapshot() as cursor:
        if cursor is None:
            return None
        state = State.objects.order_by("id").first()
        if state is None:
            return _recompute_all(cursor, at, today)
        touched = _take_touches(cursor)
        facts: list[str] = []
        if touched:
            for fact in FACTS.values():
                if _judge_again(cursor, fact, state.as_of):
                    facts.append(fact.name)
            cursor.execute("DROP TABLE was")
        if today > state.as_of:
            for fact in FACTS.values():
                _add(cursor, fact, f"({summed(fact, today, since=state.as_of)})")
                facts.append(fact.name)
        if facts:
            State.objects.filter(pk=state.pk).update(as_of=max(today, state.as_of), version=state.version + 1, refreshed_at=at)
        return Refreshed(touched, tuple(dict.fromkeys(facts)), max(today, state.as_of))


def recompute(*, at: datetime, progress: Callable[[str], None] | None = None) -> Refreshed | None:
    """Count everything anew. For proof, for new definitions, and after a parameter changed."""
    with _snapshot() as cursor:
        return None if cursor is None else _recompute_all(cursor, at, beijing_day(at), progress)


def _recompute_all(
    cursor: CursorWrapper, at: datetime, as_of: date, progress: Callable[[str], None] | None = None
) -> Refreshed:
    cursor.execute("DELETE FROM kernel_touch")
    touched = cursor.rowcount
    for fact in FACTS.values():
        if progress:
            progress(fact.name)
        columns = ", ".join((*key_columns(fact), *fact.measures))
        cursor.execute("DROP TABLE IF EXISTS base")
        cursor.execute(f"CREATE TEMP TABLE base ON COMMIT DROP AS {summed(fact, as_of)}")
        cursor.execute(f"DELETE FROM {fact.table}")
        nothing = " AND ".join(f"{measure} = 0" for measure in fact.measures)
        cursor.execute(
            f"INSERT INTO {fact.table} ({columns}) SELECT {columns} FROM ({rolled_up(fact, 'base')}) r "
            f"WHERE NOT ({nothing})"
        )
    cursor.execute("DROP TABLE IF EXISTS base")
    state = State.objects.order_by("id").first()
    if state is None:
        State.objects.create(as_of=as_of, version=1, refreshed_at=at)
    else:
        State.objects.filter(pk=state.pk).update(as_of=as_of, version=state.version + 1, refreshed_at=at)
    return Refreshed(touched, tuple(FACTS), as_of)


def _take_touches(cursor: CursorWrapper) -> int:
    """Move the visible touches into `was`: every touched row once, with its state when it was last counted."""
    cursor.execute("DROP TABLE IF EXISTS was")
    cursor.execute(
        "CREATE TEMP TABLE was (table_name text, row_id uuid, before jsonb, PRIMARY KEY (table_name, row_id)) "
        "ON COMMIT DROP"
    )
    cursor.execute(
        "WITH gone AS (DELETE FROM kernel_touch RETURNING id, table_name, row_id, change), "
        "earliest AS (SELECT DISTINCT ON (table_name, row_id) table_name, row_id, change FROM gone "
        "ORDER BY table_name, row_id, id) "
        "INSERT INTO was SELECT e.table_name, e.row_id, c.before FROM earliest e "
        "LEFT JOIN kernel_change c ON c.id = e.change"
    )
    touched = cursor.rowcount
    cursor.execute("ANALYZE was")
    return touched


def _judge_again(cursor: CursorWrapper, fact: Fact, as_of: date) -> bool:
    groups = " UNION ".join(
        f"SELECT t.{source.group} AS id FROM was w JOIN {_table(source)} t ON t.id = w.row_id "
        f"WHERE w.table_name = '{_table(source)}' UNION "
        f"SELECT (w.before->>'{source.group}')::uuid FROM was w "
        f"WHERE w.table_name = '{_table(source)}' AND w.before IS NOT NULL"
        for source in fact.sources
    )
    cursor.execute("DROP TABLE IF EXISTS touched_group")
    cursor.execute(f"CREATE TEMP TABLE touched_group ON COMMIT DROP AS {groups}")
    if not cursor.rowcount:
        return False
    cursor.execute("ANALYZE touched_group")

    def as_it_is(source: Source) -> str:
        return f"SELECT t.* FROM {_table(source)} t WHERE t.{source.group} IN (SELECT id FROM touched_group)"

    def as_it_was(source: Source) -> str:
        table = _table(source)
        return (
            f"SELECT t.* FROM {table} t WHERE t.{source.group} IN (SELECT id FROM touched_group) AND NOT EXISTS "
            f"(SELECT 1 FROM was w WHERE w.table_name = '{table}' AND w.row_id = t.id) UNION ALL "
            f"SELECT (jsonb_populate_record(NULL::{table}, w.before)).* FROM was w WHERE w.table_name = '{table}' "
            f"AND w.before IS NOT NULL AND (w.before->>'{source.group}')::uuid IN (SELECT id FROM touched_group)"
        )

    keys = ", ".join(key_columns(fact))
    plus = ", ".join(fact.measures)
    minus = ", ".join(f"-{measure}" for measure in fact.measures)
    sums = ", ".join(f"sum({measure}) AS {measure}" for measure in fact.measures)
    _add(
        cursor,
        fact,
        f"(SELECT {keys}, {sums} FROM (SELECT {keys}, {plus} FROM ({summed(fact, as_of, as_it_is)}) n UNION ALL "
        f"SELECT {keys}, {minus} FROM ({summed(fact, as_of, as_it_was)}) o) d GROUP BY {keys})",
    )
    return True


def _add(cursor: CursorWrapper, fact: Fact, differences: str) -> None:
    """Add base differences and their roll-ups to the cells; a cell that comes to nothing disappears."""
    keys = key_columns(fact)
    columns = ", ".join((*keys, *fact.measures))
    changed = " OR ".join(f"{measure} <> 0" for measure in fact.measures)
    cursor.execute("DROP TABLE IF EXISTS difference")
    cursor.execute(
        f"CREATE TEMP TABLE difference ON COMMIT DROP AS SELECT * FROM {differences} x WHERE {changed}"
    )
    if cursor.rowcount:
        sets = ", ".join(f"{measure} = cell.{measure} + excluded.{measure}" for measure in fact.measures)
        conflict = ", ".join(keys)
        cursor.execute(
            f"INSERT INTO {fact.table} AS cell ({columns}) SELECT {columns} FROM ({rolled_up(fact, 'difference')}) r "
            f"WHERE {changed} ORDER BY region_code, sector, insurer_id, month "
            f"ON CONFLICT ({conflict}) DO UPDATE SET {sets}"
        )
        nothing = " AND ".join(f"{measure} = 0" for measure in fact.measures)
        cursor.execute(
            f"DELETE FROM {fact.table} WHERE {nothing} AND month IN (SELECT DISTINCT month FROM difference)"
        )
    cursor.execute("DROP TABLE difference")


def _table(source: Source) -> str:
    return source.model._meta.db_table



"""Keeping the cells true: after a change only the touched groups are judged again.

Every change of a counted row leaves a touch (see kernel.database). A refresh takes all touches it can see, in
one snapshot, judges each touched group as it was when the cells last counted it and as it is now, and adds the
difference. A full recompute gives exactly the same cells.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from anze.kernel.alert import load_alerts
from anze.kernel.beside import made_of, reading, spooled
from anze.kernel.duty import beijing_day
from anze.kernel.planning import plan_by_hashing
from anze.kernel.scope import EVERYTHING, enter
from anze.monitoring.alerting import watched
from anze.monitoring.contributions import key_columns, rolled_up, summed
from anze.monitoring.definitions import FACTS
from anze.monitoring.models import State, TouchedSubject
from anze.monitoring.rules import Fact, Source

LOCK = 0x616E7A65  # one refresh at a time
NIL = UUID(int=0)


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: rows touched, facts judged again, up to which day the cells now count."""

    touched: int
    facts: tuple[str, ...]
    as_of: date


@contextmanager
def _snapshot() -> Iterator[CursorWrapper | None]:
    """One state of the data for all statements, everything in view; None while another refresh is at work."""
    if connection.in_atomic_block:
        # Inside somebody's transaction (set-up, a test) the state cannot be frozen any more: instead nobody
        # else may change a counted row until it ends, for each change needs to leave a touch.
        enter(EVERYTHING)
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE kernel_touch IN SHARE ROW EXCLUSIVE MODE")
            yield cursor
        return
    with connection.cursor() as cursor:
        # before the snapshot is taken, so that it holds what the refresh before this one wrote
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            yield None
            return
        try:
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                enter(EVERYTHING)
                yield cursor
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def refresh(*, at: datetime) -> Refreshed | None:
    """Bring the cells up to date: take in all changes, then turn to the present day.

    Counts everything anew if the definitions or the parameters they read have changed. None while another
    refresh is at work.
    """
    today, alone = beijing_day(at), not connection.in_atomic_block
    with _snapshot() as cursor:
        if cursor is None:
            return None
        state = State.objects.order_by("id").first()
        if state is None or state.basis != _basis(cursor):
            return _recompute_all(cursor, at, today, alone=alone)
        touched = _take_touches(cursor)
        facts: list[str] = []
        if touched:
            _note_for_alerts(cursor)
            facts = [fact.name for fact in FACTS.values() if _judge_again(cursor, fact, state.as_of)]
            cursor.execute("DROP TABLE was")
        if today > state.as_of:
            plan_by_hashing(cursor)
            for fact in FACTS.values():
                _add(cursor, fact, f"({summed(fact, today, since=state.as_of)})")
                facts.append(fact.name)
        as_of = max(today, state.as_of)
        if facts:
            State.objects.filter(pk=state.pk).update(as_of=as_of, version=state.version + 1, refreshed_at=at)
        return Refreshed(touched, tuple(dict.fromkeys(facts)), as_of)


def recompute(*, at: datetime, progress: Callable[[str], None] | None = None) -> Refreshed | None:
    """Count everything anew. For proof, for new definitions, and after a parameter changed."""
    alone = not connection.in_atomic_block
    with _snapshot() as cursor:
        return None if cursor is None else _recompute_all(cursor, at, beijing_day(at), progress, alone=alone)


def _basis(cursor: CursorWrapper) -> str:
    """Fingerprint of what the figures rest on besides counted rows: definitions, parameters, insurers'
    codes."""
    cursor.execute(
        "SELECT (SELECT string_agg("
        "concat_ws('|', key, value, region_code, effective_from, effective_to), ';' "
        "ORDER BY key, region_code, effective_from) FROM kernel_parameter), "
        "(SELECT string_agg(code || id, ';' ORDER BY code) FROM parties_organisation WHERE kind = 'INSURER')"
    )
    definitions = "".join(summed(fact, date.min) for fact in FACTS.values())
    return hashlib.md5(f"{cursor.fetchone()}{definitions}".encode(), usedforsecurity=False).hexdigest()


def _recompute_all(
    cursor: CursorWrapper,
    at: datetime,
    as_of: date,
    progress: Callable[[str], None] | None = None,
    *,
    alone: bool,
) -> Refreshed:
    """`alone`: the transaction is the refresh's own, so that another session can see all that it sees."""
    cursor.execute("DELETE FROM kernel_touch")
    touched = cursor.rowcount
    TouchedSubject.objects.create(table_name="*")
    plan_by_hashing(cursor)
    left, beside = deque(FACTS.values()), deque[tuple[Fact, BinaryIO]]()
    with ThreadPoolExecutor(1) as other:
        helping = None
        if alone:
            cursor.execute("SELECT pg_export_snapshot()")
            helping = other.submit(_sum_beside, cursor.fetchone()[0], as_of, left, beside)
        try:
            while left:
                with suppress(IndexError):  # the other was faster
                    fact = left.popleft()
                    cursor.execute("DROP TABLE IF EXISTS base")
                    cursor.execute(f"CREATE TEMP TABLE base ON COMMIT DROP AS {summed(fact, as_of)}")
                    _replace(cursor, fact)
                    if progress:
                        progress(fact.name)
            if helping:
                helping.result()
        finally:
            left.clear()
    for fact, sums in beside:
        cursor.execute("DROP TABLE IF EXISTS base")
        made_of(cursor, "base", summed(fact, as_of), sums)
        _replace(cursor, fact)
        if progress:
            progress(fact.name)
    basis = _basis(cursor)
    state = State.objects.order_by("id").first()
    if state is None:
        State.objects.create(as_of=as_of, version=1, basis=basis, refreshed_at=at)
    else:
        State.objects.filter(pk=state.pk).update(as_of=as_of, version=state.version + 1, basis=basis, refreshed_at=at)
    return Refreshed(touched, tuple(FACTS), as_of)


def _sum_beside(snapshot: str, as_of: date, left: deque[Fact], made: deque[tuple[Fact, BinaryIO]]) -> None:
    """Sum up facts from the end of the list in the second session; all cells still change in one transaction."""
    with reading(snapshot) as cursor:
        while left:
            with suppress(IndexError):
                fact = left.pop()
                made.append((fact, spooled(cursor, summed(fact, as_of))))


def _replace(cursor: CursorWrapper, fact: Fact) -> None:
    """Make the cells those of `base`. A cell that is right already is not written again: that spares most of the
    work, and neither indexes nor readers notice."""
    keys, measures = key_columns(fact), fact.measures
    columns = ", ".join((*keys, *measures))
    something = " OR ".join(f"{measure} <> 0" for measure in measures)
    cursor.execute("DROP TABLE IF EXISTS fresh, wrong")
    cursor.execute(
        f"CREATE TEMP TABLE fresh ON COMMIT DROP AS SELECT {columns} FROM ({rolled_up(fact, 'base')}) r "
        f"WHERE {something}"
    )
    same_key = " AND ".join(
        # no insurer is equal to no insurer
        f"coalesce(c.{key}, '{NIL}') = coalesce(f.{key}, '{NIL}')" if key == "insurer_id" else f"c.{key} = f.{key}"
        for key in keys
    )
    kept, made = (", ".join(f"{alias}.{measure}" for measure in measures) for alias in "cf")
    cursor.execute(
        f"CREATE TEMP TABLE wrong ON COMMIT DROP AS SELECT c.id AS cell, f.* FROM {fact.table} c "
        f"FULL JOIN fresh f ON {same_key} WHERE ({kept}) IS DISTINCT FROM ({made})"
    )
    cursor.execute(f"DELETE FROM {fact.table} WHERE id IN (SELECT cell FROM wrong)")
    cursor.execute(
        f"INSERT INTO {fact.table} ({columns}) SELECT {columns} FROM wrong WHERE month IS NOT NULL "
        "ORDER BY region_code, sector, insurer_id, month"
    )
    cursor.execute("DROP TABLE fresh, wrong")


def _take_touches(cursor: CursorWrapper) -> int:
    """Move the visible touches into `was`: every touched row once, with its state when last counted."""
    cursor.execute("SELECT EXISTS (SELECT FROM kernel_touch)")
    if not cursor.fetchone()[0]:  # every few seconds, mostly: no table is made for nothing
        return 0
    cursor.execute("DROP TABLE IF EXISTS was")
    cursor.execute(
        "CREATE TEMP TABLE was (table_name text, row_id uuid, before jsonb, "
        "PRIMARY KEY (table_name, row_id)) ON COMMIT DROP"
    )
    cursor.execute(
        "WITH gone AS (DELETE FROM kernel_touch RETURNING id, table_name, row_id, change), "
        "earliest AS (SELECT DISTINCT ON (table_name, row_id) table_name, row_id, change FROM gone "
        "ORDER BY table_name, row_id, id) "
        "INSERT INTO was SELECT e.table_name, e.row_id, c.before FROM earliest e "
        "LEFT JOIN kernel_change c ON c.id = e.change"
    )
    touched: int = cursor.rowcount
    cursor.execute("ANALYZE was")
    return touched


def _note_for_alerts(cursor: CursorWrapper) -> None:
    """The groups whose alerts are to be judged again: those of the changed rows, now and before."""
    notes = " UNION ".join(
        f"SELECT '{table}', '{column}', t.{column} FROM was w JOIN {table} t ON t.id = w.row_id "
        f"WHERE w.table_name = '{table}' AND t.{column} IS NOT NULL UNION "
        f"SELECT '{table}', '{column}', (w.before->>'{column}')::uuid FROM was w "
        f"WHERE w.table_name = '{table}' AND w.before->>'{column}' IS NOT NULL"
        for table, column in sorted(watched(load_alerts().values()))
    )
    cursor.execute(f'INSERT INTO monitoring_touchedsubject (table_name, "column", subject) {notes}')


def _touched_groups(fact: Fact, source: Source) -> tuple[str, str]:
    """SQL for the groups of a source's changed rows, now and before, and, if anything of the fact lasts, between which
    days a group may have changed."""
    lasting = next((each for each in fact.sources if each.lasts), None)
    touched, of = f"w.table_name = '{source.table}'", f"'{source.grouped_by}'"
    now = _by_key(source.table, "t", "w.row_id")
    before, over, was = f"(w.before->>'{source.group}')::uuid", "", ""
    if lasting is None:
        days = days_before = ""
    elif source is lasting:
        days = "".join(f", t.{day}" for day in source.lasts or ())
        days_before = "".join(f", (w.before->>'{day}')::date" for day in source.lasts or ())
    elif source.within:
        # a changed row of the source that lasts stands for itself: its stretch of before need not be asked for here
        days = days_before = "".join(f", p.{day}" for day in lasting.lasts or ())
        over = _by_key(lasting.table, "p", f"t.{source.within}")
        was = _by_key(lasting.table, "p", f"(w.before->>'{source.within}')::uuid")
    else:
        days = days_before = ", date '-infinity', date 'infinity'"
    return (
        f"SELECT {of}, t.{source.group}{days} FROM was w{now}{over} WHERE {touched}",
        f"SELECT {of}, {before}{days_before} FROM was w{was} WHERE {touched} AND w.before IS NOT NULL",
    )


def _by_key(table: str, alias: str, key: str) -> str:
    """Rows found one by one through the primary key: joined, the whole table may be read."""
    return f" CROSS JOIN LATERAL (SELECT * FROM {table} x WHERE x.id = {key} OFFSET 0) {alias}"


def _stretched(fact: Fact, groups: str) -> str:
    if not any(source.lasts for source in fact.sources):
        return f"SELECT of, id FROM ({groups}) g (of, id)"
    return (
        "SELECT of, id, min(least(from_on, to_on)) AS from_on, max(greatest(from_on, to_on)) AS to_on "
        f"FROM ({groups}) g (of, id, from_on, to_on) GROUP BY of, id"
    )


def _judge_again(cursor: CursorWrapper, fact: Fact, as_of: date) -> bool:
    """Add what touched groups contribute now and take off what they contributed; False if none is touched."""
    groups = " UNION ".join(each for source in fact.sources for each in _touched_groups(fact, source))
    cursor.execute("DROP TABLE IF EXISTS touched_group")
    cursor.execute(f"CREATE TEMP TABLE touched_group ON COMMIT DROP AS {_stretched(fact, groups)}")
    if not cursor.rowcount:
        return False
    cursor.execute("ANALYZE touched_group")
    plan_by_hashing(cursor)

    for source in fact.sources:
        table, group = source.table, source.group
        # Other rows of a group are left away where they end before, or begin after, all that was touched in it: what
        # they say is the same now as it was, and goes out in the difference. The day after the end counts too.
        near = "s.{} <= g.to_on + 1 AND s.{} >= g.from_on - 1".format(*source.lasts) if source.lasts else "true"
        # Group by group through its index: the work follows the change, not the table. Left to choose, the
        # planner may take a table just filled for an empty one, and compare everything with everything.
        cursor.execute(
            f"CREATE TEMP TABLE now_{source.name} ON COMMIT DROP AS SELECT t.* FROM touched_group g "
            f"CROSS JOIN LATERAL (SELECT * FROM {table} s WHERE s.{group} = g.id AND {near} OFFSET 0) t "
            f"WHERE g.of = '{source.grouped_by}'"
        )
        cursor.execute(
            f"CREATE TEMP TABLE old_{source.name} ON COMMIT DROP AS "
            f"SELECT t.* FROM now_{source.name} t WHERE NOT EXISTS "
            f"(SELECT FROM was w WHERE w.table_name = '{table}' AND w.row_id = t.id) UNION ALL "
            f"SELECT o.* FROM was w CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, w.before) o "
            f"WHERE w.table_name = '{table}' AND w.before IS NOT NULL "
            f"AND o.{group} IN (SELECT id FROM touched_group)"
        )
    # how many rows there are, and how many groups: the other columns would take longer than they save
    sampled = (f"{age}_{each.name} ({each.group})" for each in fact.sources for age in ("now", "old"))
    cursor.execute("ANALYZE " + ", ".join(sampled))

    def as_it_is(source: Source) -> str:
        return f"SELECT * FROM now_{source.name}"

    def as_it_was(source: Source) -> str:
        return f"SELECT * FROM old_{source.name}"

    keys = ", ".join(key_columns(fact))
    plus = ", ".join(fact.measures)
    minus = ", ".join(f"-{measure}" for measure in fact.measures)
    sums = ", ".join(f"sum({measure}) AS {measure}" for measure in fact.measures)
    _add(
        cursor,
        fact,
        f"(SELECT {keys}, {sums} FROM ("
        f"SELECT {keys}, {plus} FROM ({summed(fact, as_of, as_it_is)}) n UNION ALL "
        f"SELECT {keys}, {minus} FROM ({summed(fact, as_of, as_it_was)}) o) d GROUP BY {keys})",
    )
    cursor.execute("DROP TABLE " + ", ".join(f"now_{each.name}, old_{each.name}" for each in fact.sources))
    return True


def _add(cursor: CursorWrapper, fact: Fact, differences: str) -> None:
    """Add base differences and their roll-ups to the cells; a cell that comes to nothing disappears."""
    keys = key_columns(fact)
    columns = ", ".join((*keys, *fact.measures))
    changed = " OR ".join(f"{measure} <> 0" for measure in fact.measures)
    cursor.execute("DROP TABLE IF EXISTS difference")
    cursor.execute(f"CREATE TEMP TABLE difference ON COMMIT DROP AS SELECT * FROM {differences} x WHERE {changed}")
    if cursor.rowcount:
        sets = ", ".join(f"{measure} = cell.{measure} + excluded.{measure}" for measure in fact.measures)
        conflict = ", ".join(keys)
        nothing = " AND ".join(f"cell.{measure} = 0" for measure in fact.measures)
        cursor.execute(
            f"WITH added AS (INSERT INTO {fact.table} AS cell ({columns}) SELECT {columns} "
            f"FROM ({rolled_up(fact, 'difference')}) r WHERE {changed} "
            f"ORDER BY region_code, sector, insurer_id, month "
            f"ON CONFLICT ({conflict}) DO UPDATE SET {sets} RETURNING cell.id, {nothing} AS is_nothing) "
            "SELECT id FROM added WHERE is_nothing"
        )
        if empty := [row[0] for row in cursor.fetchall()]:
            cursor.execute(f"DELETE FROM {fact.table} WHERE id = ANY(%s)", [empty])
    cursor.execute("DROP TABLE difference")

"""The time machine: a figure as it was known on a day, as it is corrected today, and the rows that make the difference.

The row history keeps what every row looked like before it changed. Put back to a moment, the tables are judged by the
very same declarations as ever (anze/monitoring/definitions); nothing is computed in a second way.

A row was known from the moment it was first received. A row without such a moment (an item of a plan, a person at a
service, a payment of a claim) was known with the record it belongs to, in the state it had then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

from anze.kernel.models import FedTable
from anze.kernel.planning import planned_by_hashing
from anze.kernel.scope import EVERYTHING, Scope, widened
from anze.monitoring.contributions import RowsOf, row_contributions, whole_table
from anze.monitoring.figures import Figure, Slice
from anze.monitoring.rows import in_cut, in_scope
from anze.monitoring.rules import Indicator

_SHOWN = 200  # rows that make the difference, the largest first


@dataclass(frozen=True)
class Changed:
    """One row that counts otherwise today than it did then."""

    source: str
    row_id: UUID
    label: str
    enterprise_id: UUID | None
    enterprise: str
    region_code: str
    insurer_id: UUID | None
    was: tuple[Decimal, Decimal] | None  # numerator and denominator; None: nobody knew the row, or it was not there
    now: tuple[Decimal, Decimal] | None
    reason_was: str
    reason_now: str


@dataclass(frozen=True)
class Then:
    """A figure counted up to `day`: as known at `known_at`, and as corrected until now."""

    day: date
    known_at: datetime
    known: Figure
    corrected: Figure
    changed: tuple[Changed, ...]
    changed_count: int  # rows that differ, whether the reader may see them or not


def then_and_now(indicator: Indicator, cut: Slice, *, day: date, known_at: datetime, scope: Scope) -> Then:
    """Look back. Rows are shown as far as they lie in the reader's scope; the figures are those of the whole cut."""
    with transaction.atomic(), widened(EVERYTHING), _cursor() as cursor:
        _judge(cursor, "known_part", indicator, cut, day, rows_known(cursor, indicator, day, known_at))
        _judge(cursor, "now_part", indicator, cut, day, whole_table)
        known, corrected = (_figure(cursor, table, indicator) for table in ("known_part", "now_part"))
        changed, number = _changed(cursor, scope)
        cursor.execute("DROP TABLE known_part, now_part")
    return Then(day, known_at, known, corrected, changed, number)


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    with connection.cursor() as cursor, planned_by_hashing(cursor):
        yield cursor


def rows_known(cursor: CursorWrapper, indicator: Indicator, day: date, at: datetime) -> RowsOf:
    """Rows of the sources of an indicator as they were known at a moment: as far as it reads them."""
    text = judged_by(indicator, day, whole_table)
    cursor.execute("EXPLAIN (FORMAT JSON) " + text)
    read = tables_read(cursor.fetchone()[0][0]["Plan"])
    models = {source.model for source in indicator.fact.sources if source.table in read}
    known = tables_known(cursor, models, at, columns=set(re.findall(r"\w+", text)))
    return lambda source: known(source.model) if source.model in models else whole_table(source)


def tables_read(plan: dict[str, Any]) -> set[str]:
    """Tables a plan reads. A common table expression only another one names that nobody reads is planned too, and
    never run: its tables are none of them."""
    parts: dict[str, list[dict[str, Any]]] = {"": [plan]}

    def gather(node: dict[str, Any], part: str) -> None:
        for below in node.get("Plans", ()):
            name = str(below.get("Subplan Name", ""))
            inside = name.removeprefix("CTE ") if name.startswith("CTE ") else part
            parts.setdefault(inside, []).append(below)
            gather(below, inside)

    gather(plan, "")
    read, wanted, seen = set(), [""], {""}
    while wanted:
        for node in parts.get(wanted.pop(), ()):
            read.add(node.get("Relation Name", ""))
            name = node.get("CTE Name", "")
            if name not in seen:
                seen.add(name)
                wanted.append(name)
    return read - {""}


def judged_by(indicator: Indicator, day: date, rows_of: RowsOf) -> str:
    """SQL of what every row gives to an indicator."""
    parts = [part for part in indicator.parts if part.ever_gives(indicator.numerator, indicator.denominator)]
    return row_contributions(indicator, day, rows_of, parts).replace("%", "%%")


def tables_known(
    cursor: CursorWrapper, tables: Iterable[type[models.Model]], at: datetime, columns: Container[str] | None = None
) -> Callable[[type[models.Model]], str]:
    """Rows of some tables as they were known at a moment, as SQL. What changed since is put back into tables that last
    as long as the transaction, of the columns named only; the first change after the moment into `later`."""
    parents = {model: _parent_of(model) for model in tables}
    names = {model._meta.db_table for model in parents}
    names |= {field.related_model._meta.db_table for field in parents.values() if field}
    cursor.execute("DROP TABLE IF EXISTS later")
    cursor.execute(
        "CREATE TEMP TABLE later ON COMMIT DROP AS SELECT DISTINCT ON (row_id) table_name, row_id, at, before "
        "FROM kernel_change WHERE table_name = ANY(%s) AND at > %s ORDER BY row_id, id",
        [sorted(names), at],
    )
    cursor.execute("CREATE UNIQUE INDEX ON later (row_id)")
    cursor.execute("ANALYZE later")
    cursor.execute("SELECT DISTINCT table_name FROM later")
    changed = {name for (name,) in cursor.fetchall()}
    moment = f"TIMESTAMPTZ '{at.isoformat()}'"
    made_by = f"UUID '{_last_id(at)}'"

    def columns_of(row: str, model: type[models.Model]) -> str:
        every = (field.column for field in model._meta.local_concrete_fields)
        return ", ".join(f"{row}.{column}" for column in every if columns is None or column in columns)

    def rows_of(model: type[models.Model]) -> str:
        table, field = model._meta.db_table, parents[model]
        now, then = columns_of("t", model), columns_of("o", model)
        images = f"later l CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, l.before) o"
        if field is None:
            was, image = (f"{row}.{_known_by(model, moment, made_by)}" for row in ("t", "o"))
            if table not in changed:
                return f"SELECT {now} FROM {table} t WHERE {was}"
            return (
                f"SELECT {now} FROM {table} t LEFT JOIN later l ON l.row_id = t.id WHERE l.row_id IS NULL AND {was} "
                f"UNION ALL SELECT {then} FROM {images} WHERE l.table_name = '{table}' AND {image}"
            )
        of, column = field.related_model._meta.db_table, field.column
        if not changed & {table, of}:
            return f"SELECT {now} FROM {table} t JOIN {of} p ON p.id = t.{column} WHERE p.received_at <= {moment}"
        return (
            f"SELECT {now} FROM {table} t JOIN {of} p ON p.id = t.{column} LEFT JOIN later l ON l.row_id = t.id "
            f"LEFT JOIN later c ON c.row_id = p.id WHERE l.row_id IS NULL AND p.received_at <= {moment} "
            f"AND (t.id <= {made_by} OR c.row_id IS NULL) "
            f"UNION ALL SELECT {then} FROM {images} JOIN {of} p ON p.id = o.{column} "
            f"WHERE l.table_name = '{table}' AND p.received_at <= {moment} AND o.id <= {made_by}"
        )

    def put_back(model: type[models.Model]) -> str:
        """As a table of its own: of a union the planner knows no sizes, and what it then chooses takes minutes."""
        table, field = model._meta.db_table, parents[model]
        if not changed & {table, field.related_model._meta.db_table if field else table}:
            return rows_of(model)
        cursor.execute(f"DROP TABLE IF EXISTS known_{table}")
        cursor.execute(f"CREATE TEMP TABLE known_{table} ON COMMIT DROP AS {rows_of(model)}")
        cursor.execute(f"ANALYZE known_{table}")
        return f"SELECT * FROM known_{table}"

    return {model: put_back(model) for model in parents}.__getitem__


def _known_by(model: type[models.Model], moment: str, made_by: str) -> str:
    return f"received_at <= {moment}" if issubclass(model, FedTable) else f"id <= {made_by}"


def _parent_of(model: type[models.Model]) -> models.ForeignKey[Any, Any] | None:
    """The record a row without a moment of its own belongs to; nothing where it was made on the platform itself."""
    if issubclass(model, FedTable):
        return None
    for field in model._meta.local_concrete_fields:
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE:
            return field if issubclass(field.related_model, FedTable) else None
    return None


def _last_id(at: datetime) -> str:
    """The last identifier made by a moment: they begin with the milliseconds (RFC 9562, version 7)."""
    head = f"{int(at.timestamp() * 1000):012x}"
    return f"{head[:8]}-{head[8:]}-7fff-bfff-ffffffffffff"


def _judge(cursor: CursorWrapper, table: str, indicator: Indicator, cut: Slice, day: date, rows_of: RowsOf) -> None:
    where, words = in_cut(indicator, cut, day)
    unit = " * 0.01" if indicator.money else ""
    cursor.execute(
        f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT source, row_id, min(label) AS label, enterprise_id, "
        f"region_code, sector, insurer_id, sum(num){unit} AS num, sum(den){unit} AS den, "
        f"(array_agg(reason ORDER BY counts_on DESC) FILTER (WHERE reason IS NOT NULL))[1] AS reason "
        f"FROM ({judged_by(indicator, day, rows_of)}) x WHERE {' AND '.join(where)} "
        "GROUP BY source, row_id, enterprise_id, region_code, sector, insurer_id",
        words,
    )


def _figure(cursor: CursorWrapper, table: str, indicator: Indicator) -> Figure:
    cursor.execute(f"SELECT coalesce(sum(num), 0), coalesce(sum(den), 0) FROM {table}")
    numerator, denominator = cursor.fetchone()
    return Figure(indicator, Decimal(numerator), Decimal(denominator))


def _changed(cursor: CursorWrapper, scope: Scope) -> tuple[tuple[Changed, ...], int]:
    keys = ("source", "row_id", "enterprise_id", "region_code", "sector", "insurer_id")
    both = ", ".join(f"coalesce(k.{key}, n.{key}) AS {key}" for key in ("label", *keys))
    cursor.execute(
        f"CREATE TEMP TABLE changed_part ON COMMIT DROP AS SELECT {both}, k.num AS num_was, k.den AS den_was, "
        "n.num AS num_now, n.den AS den_now, k.reason AS reason_was, n.reason AS reason_now "
        # equal keys on both sides, so that the rows are hashed; the rest only tells apart what moved
        f"FROM known_part k FULL JOIN now_part n ON k.row_id = n.row_id AND k.source = n.source "
        "AND coalesce(k.enterprise_id::text, '') = coalesce(n.enterprise_id::text, '') "
        "AND k.region_code = n.region_code AND k.sector = n.sector "
        "AND coalesce(k.insurer_id::text, '') = coalesce(n.insurer_id::text, '') "
        "WHERE (k.num, k.den) IS DISTINCT FROM (n.num, n.den)"
    )
    cursor.execute("SELECT count(*) FROM changed_part")
    number = cursor.fetchone()[0]
    own, words = in_scope(scope)
    cursor.execute(
        "SELECT c.source, c.row_id, c.label, c.enterprise_id, coalesce(e.name, ''), c.region_code, c.insurer_id, "
        "c.num_was, c.den_was, c.num_now, c.den_now, c.reason_was, c.reason_now "
        f"FROM (SELECT * FROM changed_part WHERE {' AND '.join(own) or 'true'}) c "
        "LEFT JOIN parties_enterprise e ON e.id = c.enterprise_id "
        "ORDER BY abs(coalesce(c.num_now, 0) - coalesce(c.num_was, 0)) + abs(coalesce(c.den_now, 0) - "
        f"coalesce(c.den_was, 0)) DESC, c.row_id LIMIT {_SHOWN}",
        words,
    )
    rows = []
    for *about, num_was, den_was, num_now, den_now, reason_was, reason_now in cursor.fetchall():
        source, row_id, label, enterprise_id, enterprise, region, insurer = about
        was = None if num_was is None else (num_was, den_was)
        now = None if num_now is None else (num_now, den_now)
        rows.append(
            Changed(
                source, row_id, label, enterprise_id, enterprise, region, insurer, was, now, reason_was or "",
                reason_now or "",
            )
        )  # fmt: skip
    cursor.execute("DROP TABLE changed_part")
    return tuple(rows), number

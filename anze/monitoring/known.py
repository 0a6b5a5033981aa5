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
_FEW = 20_000  # groups found one by one through their index; of more, reading the whole table is quicker


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
    """A figure counted up to `day`: as known at a moment, and as corrected until now."""

    day: date
    known: Figure
    corrected: Figure
    changed: tuple[Changed, ...]
    changed_count: int  # rows that differ, whether the reader may see them or not


def then_and_now(indicator: Indicator, cut: Slice, *, day: date, known_at: datetime, scope: Scope) -> Then:
    """Look back. Rows are shown as far as they lie in the reader's scope; the figures are those of the whole cut."""
    with transaction.atomic(), widened(EVERYTHING), _cursor() as cursor:
        known = figure_of(cursor, "known_part", indicator, cut, day, known_at)
        corrected = figure_of(cursor, "now_part", indicator, cut, day)
        changed, number = _changed(cursor, scope)
        cursor.execute("DROP TABLE known_part, now_part")
    return Then(day, known, corrected, changed, number)


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    with connection.cursor() as cursor, planned_by_hashing(cursor):
        yield cursor


def judged_as_known(cursor: CursorWrapper, indicator: Indicator, day: date, at: datetime) -> str:
    """SQL of what every row gave to an indicator, as it was known at a moment.

    Groups in which something changed since are judged by their rows put back, all others where they stand: the work
    follows the change, as a refresh does (anze/monitoring/refresh), not the table.
    """
    text = judged_by(indicator, day, whole_table)
    cursor.execute("EXPLAIN (FORMAT JSON) " + text)
    read = tables_read(cursor.fetchone()[0][0]["Plan"])
    sources = {source.name: source for source in indicator.fact.sources if source.table in read}
    past = _Past(cursor, (each.model for each in sources.values()), at, columns=set(re.findall(r"\w+", text)))

    def judged(rows_of: RowsOf) -> str:
        return judged_by(indicator, day, lambda each: rows_of(each) if each.name in sources else whole_table(each))

    standing = judged(lambda source: past.rows_unchanged(source.model))
    groups = [
        f"SELECT '{each.grouped_by}' AS of, g.* FROM ({sql}) g (id)"
        for each in sources.values()
        for sql in past.groups_changed(each.model, each.group)
    ]
    if not groups:
        return standing
    cursor.execute("DROP TABLE IF EXISTS changed_group")
    cursor.execute(f"CREATE TEMP TABLE changed_group ON COMMIT DROP AS {' UNION '.join(groups)}")
    few = cursor.rowcount <= _FEW
    for name, source in sources.items():
        found = f"SELECT {past.columns_of('x', source.model)} FROM {source.table} x WHERE x.{source.group}"
        of = f"changed_group g WHERE g.of = '{source.grouped_by}'"
        if few:
            now = f"SELECT t.* FROM (SELECT id FROM {of}) g CROSS JOIN LATERAL ({found} = g.id OFFSET 0) t"
        else:
            now = f"{found} IN (SELECT g.id FROM {of})"
        _make(cursor, f"now_{name}", now, source.group)
        _make(cursor, f"known_{name}", past.rows(source.model, f"now_{name}"), source.group)
        # where the planner takes few rows for one it compares them one by one: then at least by their key
        cursor.execute(f"CREATE INDEX ON known_{name} (id)")
    _make(cursor, "changed_row", " UNION ALL ".join(f"SELECT id FROM now_{name}" for name in sources), "id")
    put_back = judged(lambda source: f"SELECT * FROM known_{source.name}")
    return (
        f"SELECT * FROM ({standing}) s WHERE NOT EXISTS (SELECT FROM changed_row c WHERE c.id = s.row_id) "
        f"UNION ALL SELECT * FROM ({put_back}) p"
    )


def _make(cursor: CursorWrapper, table: str, rows: str, counted: str) -> None:
    """As a table of its own: of a union the planner knows no sizes, and what it then chooses takes minutes. `counted`:
    the one column it is to know; the others would take longer than they save."""
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {rows}")
    cursor.execute(f"ANALYZE {table} ({counted})")


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
    cursor: CursorWrapper,
    tables: Iterable[type[models.Model]],
    at: datetime,
    columns: Container[str] | None = None,
    of: tuple[str, UUID] | None = None,
) -> Callable[[type[models.Model]], str]:
    """Rows of some tables as they were known at a moment, as SQL; of the columns named only. Tables that changed since
    are put back whole, for as long as the transaction lasts; with `of`, a column and its value, as far as their rows
    have that value, where they have such a column."""
    past = _Past(cursor, tables, at, columns)

    def put_back(model: type[models.Model]) -> str:
        if not past.has_changed(model):
            return past.rows_unchanged(model)
        table, names = model._meta.db_table, {field.column for field in model._meta.local_concrete_fields}
        only = f"{of[0]} = '{of[1]}'" if of and of[0] in names else ""
        now = f"(SELECT * FROM {table} WHERE {only})" if only else table
        known = past.rows(model, now)
        _make(cursor, f"known_{table}", f"SELECT * FROM ({known}) k WHERE {only}" if only else known, "id")
        return f"SELECT * FROM known_{table}"

    return {model: put_back(model) for model in past.parents}.__getitem__


class _Past:
    """SQL for rows of some tables as they were known at a moment; of the columns named only.

    `later` holds the first change of each row after the moment: its image is how the row was then.
    """

    def __init__(
        self,
        cursor: CursorWrapper,
        tables: Iterable[type[models.Model]],
        at: datetime,
        columns: Container[str] | None = None,
    ) -> None:
        self.parents = {model: _parent_of(model) for model in tables}
        self._columns = columns
        self._moment = f"TIMESTAMPTZ '{at.isoformat()}'"
        self._made_by = f"UUID '{_last_id(at)}'"
        names = {model._meta.db_table for model in self.parents}
        names |= {field.related_model._meta.db_table for field in self.parents.values() if field}
        cursor.execute("DROP TABLE IF EXISTS later")
        cursor.execute(
            "CREATE TEMP TABLE later ON COMMIT DROP AS SELECT table_name, row_id, min(id) AS change "
            "FROM kernel_change WHERE table_name = ANY(%s) AND at > %s GROUP BY table_name, row_id",
            [sorted(names), at],
        )
        cursor.execute("ANALYZE later")
        cursor.execute("SELECT DISTINCT table_name FROM later")
        self._changed = {name for (name,) in cursor.fetchall()}

    def has_changed(self, model: type[models.Model]) -> bool:
        """Whether a row of a table, or a record its rows belong to, changed since."""
        field = self.parents[model]
        return bool(self._changed & {model._meta.db_table, field.related_model._meta.db_table if field else ""})

    def groups_changed(self, model: type[models.Model], group: str) -> Iterator[str]:
        """The groups of the rows that changed since: those they are in now, and those they were in."""
        table, field = model._meta.db_table, self.parents[model]
        if table in self._changed:
            of = f"WHERE l.table_name = '{table}'"
            if group == "id":
                yield f"SELECT l.row_id FROM later l {of}"
            else:
                yield f"SELECT t.{group} FROM later l {_by_key(table, 't', 'l.row_id')} {of}"
                yield f"SELECT (k.before->>'{group}')::uuid FROM later l {_IMAGE} {of}"
        if field and field.related_model._meta.db_table in self._changed:
            children = f"CROSS JOIN LATERAL (SELECT * FROM {table} x WHERE x.{field.column} = l.row_id OFFSET 0) t"
            yield (
                f"SELECT t.{group} FROM later l {children} WHERE l.table_name = '{field.related_model._meta.db_table}'"
            )

    def rows_unchanged(self, model: type[models.Model]) -> str:
        """Rows known then, as they are now; right where nothing changed since."""
        table, field = model._meta.db_table, self.parents[model]
        now = f"SELECT {self.columns_of('t', model)} FROM {table} t"
        if field is None:
            return f"{now} WHERE {self._known('t', model)}"
        of = field.related_model._meta.db_table
        return f"{now} JOIN {of} p ON p.id = t.{field.column} WHERE p.received_at <= {self._moment}"

    def rows(self, model: type[models.Model], now: str) -> str:
        """Rows known then, as they were then. `now`: what holds those that may have changed, as they are."""
        table, field = model._meta.db_table, self.parents[model]
        stood = f"SELECT {self.columns_of('t', model)} FROM {now} t LEFT JOIN later l ON l.row_id = t.id"
        was = (
            f"SELECT {self.columns_of('o', model)} FROM later l {_IMAGE} "
            f"CROSS JOIN LATERAL jsonb_to_record(k.before) AS o ({self._types_of(model)})"
        )
        of_table = f"l.table_name = '{table}'"
        if field is None:
            return (
                f"{stood} WHERE l.row_id IS NULL AND {self._known('t', model)} "
                f"UNION ALL {was} WHERE {of_table} AND {self._known('o', model)}"
            )
        of = field.related_model._meta.db_table
        return (
            f"{stood} LEFT JOIN later c ON c.row_id = t.{field.column} "
            f"{_by_key(of, 'p', f't.{field.column}') if now else f'JOIN {of} p ON p.id = t.{field.column}'} "
            f"WHERE l.row_id IS NULL AND p.received_at <= {self._moment} "
            f"AND (t.id <= {self._made_by} OR c.row_id IS NULL) "
            f"UNION ALL {was} {_by_key(of, 'p', f'o.{field.column}')} "
            f"WHERE {of_table} AND p.received_at <= {self._moment} AND o.id <= {self._made_by}"
        )

    def columns_of(self, row: str, model: type[models.Model]) -> str:
        return ", ".join(f"{row}.{field.column}" for field in self._fields_of(model))

    def _types_of(self, model: type[models.Model]) -> str:
        return ", ".join(f"{field.column} {field.db_type(connection)}" for field in self._fields_of(model))

    def _fields_of(self, model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
        """The columns named, and those that say what a row is and since when it is known."""
        parent, wanted = self.parents[model], self._columns
        needed = {"id", "received_at", parent.column if parent else ""}
        for field in model._meta.local_concrete_fields:
            if wanted is None or field.column in wanted or field.column in needed:
                yield field

    def _known(self, row: str, model: type[models.Model]) -> str:
        by = f"received_at <= {self._moment}" if issubclass(model, FedTable) else f"id <= {self._made_by}"
        return f"{row}.{by}"


def _by_key(table: str, alias: str, key: str) -> str:
    """A row found through its primary key: joined, the whole table may be read."""
    return f"CROSS JOIN LATERAL (SELECT * FROM {table} x WHERE x.id = {key} OFFSET 0) {alias}"


_IMAGE = _by_key("kernel_change", "k", "l.change")


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


def figure_of(
    cursor: CursorWrapper, table: str, indicator: Indicator, cut: Slice, day: date, at: datetime | None = None
) -> Figure:
    """A figure as it was known at a moment, or as it is: from its rows, which are left in a table of that name."""
    judged = judged_as_known(cursor, indicator, day, at) if at else judged_by(indicator, day, whole_table)
    where, words = in_cut(indicator, cut, day)
    unit = " * 0.01" if indicator.money else ""
    cursor.execute(
        f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT source, row_id, min(label) AS label, enterprise_id, "
        f"region_code, sector, insurer_id, sum(num){unit} AS num, sum(den){unit} AS den, "
        f"(array_agg(reason ORDER BY counts_on DESC) FILTER (WHERE reason IS NOT NULL))[1] AS reason "
        f"FROM ({judged}) x WHERE {' AND '.join(where)} "
        "GROUP BY source, row_id, enterprise_id, region_code, sector, insurer_id",
        words,
    )
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

"""The rows behind a number: what counts in its numerator and denominator, and what was left out and why.

The contributions themselves are read,
       group by group in the order of their ids. A page asks for few groups first
and for more only when few of their rows fit.

A row is judged with everything it hangs together with, also with what its reader may not see (an enterprise
that moved here, insured while it was elsewhere): or the rows would contradict the number. Shown are only rows
that lie in the reader's scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.kernel.scope import EVERYTHING, Scope, region_range, widened
from anze.monitoring.contributions import row_contributions
from anze.monitoring.figures import Slice
from anze.monitoring.rules import Direction, Indicator, Part, Source

Aspect = Literal["denominator", "numerator", "shortfall", "left_out"]

ASPECTS: dict[Aspect, tuple[Promise, str]] = {
    "denominator": (_("Denominator"), "den <> 0"),
    "numerator": (_("Numerator"), "num <> 0"),
    "shortfall": (_("Counted, but short"), "den <> 0 AND num <> den"),
    "left_out": (_("Left out"), "den = 0 AND num = 0 AND reason IS NOT NULL"),
}


def aspects_of(indicator: Indicator) -> tuple[Aspect, ...]:
    """A row can fall short only where its numerator is a part of its denominator and more is better."""
    if indicator.is_share and indicator.direction != Direction.DOWN:
        return ("denominator", "numerator", "shortfall", "left_out")
    return ("denominator", "numerator", "left_out")


def telling_aspect(indicator: Indicator) -> Aspect:
    """The rows to look at first: those that fall short, or those that make the number."""
    return "shortfall" if "shortfall" in aspects_of(indicator) else "numerator"


@dataclass(frozen=True)
class Row:
    source: str
    row_id: UUID
    label: str
    enterprise_id: UUID | None
    enterprise: str
    region_code: str
    insurer_id: UUID | None
    since: date
    numerator: Decimal
    denominator: Decimal
    reason: str


@dataclass(frozen=True)
class RowPage:
    rows: tuple[Row, ...]
    next_after: UUID | None  # the last group read; None at the end


def rows_behind(
    indicator: Indicator,
    cut: Slice,
    aspect: Aspect,
    *,
    scope: Scope,
    as_of: date,
    after: UUID | None = None,
    at_least: int | None = 50,
) -> RowPage:
    """One page of rows; `at_least` None reads all of them (for an export). Inside a transaction."""
    parts = [
        part
        for part in indicator.parts
        if aspect == "left_out" or part.ever_gives(indicator.numerator, indicator.denominator)
    ]
    found: list[Row] = []
    chunk = 200 if at_least is not None else 50_000
    with widened(EVERYTHING), connection.cursor() as cursor:
        while True:
            last = _take_groups(cursor, indicator, parts, cut, after, chunk)
            if last is None:
                return RowPage(tuple(found), None)
            found += _rows(cursor, indicator, parts, cut, aspect, scope, as_of)
            after = last
            if at_least is not None and len(found) >= at_least:
                return RowPage(tuple(found), last)
            chunk = min(chunk * 4, 50_000)


def _take_groups(
    cursor: CursorWrapper, indicator: Indicator, parts: list[Part], cut: Slice, after: UUID | None, chunk: int
) -> UUID | None:
    """Put the next groups of the slice into `wanted`; the last one's id, or None when there are no more."""
    cursor.execute("DROP TABLE IF EXISTS wanted")
    selects = []
    words: list[Any] = []
    for source in {part.source: indicator.fact.source(part.source) for part in parts}.values():
        columns = {field.column for field in source.model._meta.local_concrete_fields}
        where = ["region_code BETWEEN %s AND %s"]
        words += region_range(cut.region_code)
        if after:
            where.append(f"{source.group} > %s")
            words.append(after)
        if cut.sector:
            where.append("sector = %s")
            words.append(cut.sector)
        if cut.insurer_id and "insurer_id" in columns:
            where.append("insurer_id = %s")
            words.append(cut.insurer_id)
        distinct = "" if source.group == "id" else "DISTINCT "
        selects.append(
            f"(SELECT {distinct}{source.group} AS id FROM {source.table} "
            f"WHERE {' AND '.join(where)} ORDER BY {source.group} LIMIT {chunk})"
        )
    cursor.execute(
        f"CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT id FROM ({' UNION '.join(selects)}) g "
        f"ORDER BY id LIMIT {chunk}",
        words,
    )
    cursor.execute("ANALYZE wanted")
    cursor.execute("SELECT id FROM wanted ORDER BY id DESC LIMIT 1")
    row = cursor.fetchone()
    return row[0] if row else None


def _rows(
    cursor: CursorWrapper,
    indicator: Indicator,
    parts: list[Part],
    cut: Slice,
    aspect: Aspect,
    scope: Scope,
    as_of: date,
) -> list[Row]:
    def of_wanted(source: Source) -> str:
        return f"SELECT t.* FROM {source.table} t WHERE t.{source.group} IN (SELECT id FROM wanted)"

    where, words = in_cut(indicator, cut, as_of)
    # where changes are counted, the last one says how the row stands; elsewhere any reason is worth saying
    reason = "array_agg(reason ORDER BY counts_on DESC)"
    if not indicator.is_stock:
        reason += " FILTER (WHERE reason IS NOT NULL)"

    def amount(column: str) -> str:
        return f"sum({column}) * 0.01" if indicator.money else f"sum({column})"

    own, own_words = in_scope(scope)
    text = row_contributions(indicator, as_of, of_wanted, parts).replace("%", "%%")
    cursor.execute(
        "SELECT c.*, e.name FROM (SELECT source, row_id, min(label) AS label, enterprise_id, region_code, "
        f"insurer_id, max(counts_on) AS since, {amount('num')} AS num, {amount('den')} AS den, "
        f"({reason})[1] AS reason "
        f"FROM ({text}) x WHERE {' AND '.join((*where, *own))} "
        "GROUP BY source, row_id, enterprise_id, region_code, insurer_id) c "
        "LEFT JOIN parties_enterprise e ON e.id = c.enterprise_id "
        f"WHERE {ASPECTS[aspect][1]} ORDER BY c.enterprise_id, c.since, c.row_id",
        [*words, *own_words],
    )
    return [
        Row(source, row_id, label, enterprise_id, name or "", region, insurer, since, num, den, reason or "")
        for source, row_id, label, enterprise_id, region, insurer, since, num, den, reason, name in cursor
    ]


def in_cut(indicator: Indicator, cut: Slice, as_of: date) -> tuple[list[str], list[Any]]:
    """The conditions a contribution of the slice meets, and their values."""
    where = ["counts_on <= %s", "month <= %s", "region_code BETWEEN %s AND %s"]
    words: list[Any] = [as_of, cut.month_to, *region_range(cut.region_code)]
    if not indicator.is_stock:
        where.append("month >= %s")
        words.append(cut.month_from)
    if cut.sector:
        where.append("sector = %s")
        words.append(cut.sector)
    if cut.insurer_id:
        where.append("insurer_id = %s")
        words.append(cut.insurer_id)
    for column, value in indicator.fixed.items():
        where.append(f"{column} = %s")
        words.append(value)
    return where, words


def in_scope(scope: Scope) -> tuple[list[str], list[Any]]:
    """The conditions a contribution in the scope meets, as `kernel.scope.READERS` has them for cells."""
    region = "region_code BETWEEN %s AND %s"
    if scope.reader == "anze_all":
        return [], []
    if scope.reader == "anze_region":
        return [region], [scope.region_from, scope.region_to]
    if scope.reader == "anze_sector":
        return [region, "sector = %s"], [scope.region_from, scope.region_to, scope.sector]
    if scope.reader == "anze_insurer":
        return [region, "insurer_id = %s"], [scope.region_from, scope.region_to, scope.insurer_id]
    return ["false"], []

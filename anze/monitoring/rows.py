"""The rows behind a number: what counts in its numerator and denominator, and what was left out and why.

The contributions themselves are read, group by group in the order of their ids, under the reader's own scope.
A page asks for few groups first and for more only when few of their rows fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_lazy as _

from anze.kernel.scope import region_range
from anze.monitoring.contributions import contributions
from anze.monitoring.figures import Slice
from anze.monitoring.rules import Fact, Indicator, Source

Part = Literal["denominator", "numerator", "shortfall", "left_out"]

PARTS: dict[str, tuple[object, str]] = {
    "denominator": (_("Denominator"), "den <> 0"),
    "numerator": (_("Numerator"), "num <> 0"),
    "shortfall": (_("Counted, but short"), "den <> 0 AND num <> den"),
    "left_out": (_("Left out"), "den = 0 AND num = 0 AND reason IS NOT NULL"),
}


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
    indicator: Indicator, cut: Slice, part: Part, *, as_of: date, after: UUID | None = None, at_least: int | None = 50
) -> RowPage:
    """One page of rows; `at_least` None reads all of them (for an export)."""
    found: list[Row] = []
    chunk = 200 if at_least is not None else 50_000
    with connection.cursor() as cursor:
        while True:
            last = _take_groups(cursor, indicator.fact, cut, after, chunk)
            if last is None:
                return RowPage(tuple(found), None)
            found += _rows(cursor, indicator, cut, part, as_of)
            after = last
            if at_least is not None and len(found) >= at_least:
                return RowPage(tuple(found), last)
            chunk = min(chunk * 4, 50_000)


def _take_groups(cursor: CursorWrapper, fact: Fact, cut: Slice, after: UUID | None, chunk: int) -> UUID | None:
    """Put the next groups of the slice into `wanted`; the last one's id, or None when there are no more."""
    cursor.execute("DROP TABLE IF EXISTS wanted")
    parts = []
    low, high = region_range(cut.region_code)
    for source in fact.sources:
        columns = {field.column for field in source.model._meta.local_concrete_fields}
        where = [f"{source.group} > '{after}'"] if after else []
        where.append(f"region_code BETWEEN '{low}' AND '{high}'")
        if cut.insurer_id and "insurer_id" in columns:
            where.append(f"insurer_id = '{cut.insurer_id}'")
        elif cut.insurer_id:
            continue
        if source.name == "enterprises":
            continue  # an enterprise alone contributes nothing
        distinct = "" if source.group == "id" else "DISTINCT "
        parts.append(
            f"(SELECT {distinct}{source.group} AS id FROM {source.model._meta.db_table} "
            f"WHERE {' AND '.join(where)} ORDER BY {source.group} LIMIT {chunk})"
        )
    cursor.execute(f"CREATE TEMP TABLE wanted ON COMMIT DROP AS {' UNION '.join(parts)} ORDER BY id LIMIT {chunk}")
    cursor.execute("SELECT id FROM wanted ORDER BY id DESC LIMIT 1")
    row = cursor.fetchone()
    return row[0] if row else None


def _rows(cursor: CursorWrapper, indicator: Indicator, cut: Slice, part: Part, as_of: date) -> list[Row]:
    fact = indicator.fact

    def of_wanted(source: Source) -> str:
        return (
            f"SELECT t.* FROM {source.model._meta.db_table} t WHERE t.{source.group} IN (SELECT id FROM wanted)"
        )

    low, high = region_range(cut.region_code)
    where = ["counts_on <= %s", "month <= %s", "region_code BETWEEN %s AND %s"]
    words: list[object] = [as_of, cut.month_to, low, high]
    if not fact.is_stock:
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
    text = contributions(fact, as_of, of_wanted).replace("%", "%%")
    measure = f"sum({indicator.numerator}) AS num, sum({indicator.denominator}) AS den"
    cursor.execute(
        f"SELECT c.*, e.name FROM (SELECT source, row_id, min(label) AS label, enterprise_id, region_code, insurer_id, "
        f"max(counts_on) AS since, {measure}, (array_agg(reason ORDER BY counts_on DESC))[1] AS reason "
        f"FROM ({text}) x WHERE {' AND '.join(where)} "
        "GROUP BY source, row_id, enterprise_id, region_code, insurer_id) c "
        "LEFT JOIN parties_enterprise e ON e.id = c.enterprise_id "
        f"WHERE {PARTS[part][1]} ORDER BY c.enterprise_id, c.since, c.row_id",
        words,
    )
    return [
        Row(source, row_id, label, enterprise_id, name or "", region, insurer, since, num, den, reason or "")
        for source, row_id, label, enterprise_id, region, insurer, since, num, den, reason, name in cursor.fetchall()
    ]

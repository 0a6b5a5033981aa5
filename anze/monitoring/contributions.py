"""The SQL of a fact's contributions, over whichever rows it is asked about.

From this one text come the full recompute (whole tables), the refresh (the touched groups as they are and as
they were) and the drill-down (the groups of one page).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from anze.monitoring.rules import Fact, Source


def horizon_of(as_of: date) -> date:
    """Open-ended stretches are cut off here: two month beginnings ahead, past everything that counts yet."""
    first = as_of.replace(day=1)
    for _ in range(2):
        first = (first + timedelta(days=32)).replace(day=1)
    return first


def whole_table(source: Source) -> str:
    return f"SELECT * FROM {source.model._meta.db_table}"


def contributions(fact: Fact, as_of: date, rows_of: Callable[[Source], str] = whole_table) -> str:
    """SQL giving the contributions of the rows that `rows_of` selects for each source."""
    sources = ", ".join(f"{source.name} AS NOT MATERIALIZED ({rows_of(source)})" for source in fact.sources)
    ctes = f", {fact.ctes}" if fact.ctes else ""
    text = f"WITH {sources}{ctes} {fact.select}"
    return text.replace("{horizon}", f"DATE '{horizon_of(as_of)}'")


def key_columns(fact: Fact) -> tuple[str, ...]:
    return ("month", "region_code", "sector", "insurer_id", *fact.further)


def summed(fact: Fact, as_of: date, rows_of: Callable[[Source], str] = whole_table, since: date | None = None) -> str:
    """SQL giving the sums of the contributions counting up to a day, one row a base cell."""
    keys = ", ".join(key_columns(fact))
    sums = ", ".join(f"sum({measure}) AS {measure}" for measure in fact.measures)
    after = f" AND counts_on > DATE '{since}'" if since else ""
    return (
        f"SELECT {keys}, {sums} FROM ({contributions(fact, as_of, rows_of)}) c "
        f"WHERE counts_on <= DATE '{as_of}'{after} GROUP BY {keys}"
    )


# grain of a stored roll-up: region, sector, insurer as SQL over a base row, and for which base rows it exists
CITY = "left(region_code, 4) || '00'"
PROVINCE = "left(region_code, 2) || '0000'"
NOBODY = "NULL::uuid"
GRAINS: tuple[tuple[str, str, str, str], ...] = (
    ("region_code", "sector", "insurer_id", "true"),
    ("region_code", "''", NOBODY, "true"),
    (CITY, "''", NOBODY, "true"),
    (PROVINCE, "''", NOBODY, "true"),
    (CITY, "sector", NOBODY, "true"),
    (PROVINCE, "sector", NOBODY, "true"),
    (CITY, "''", "insurer_id", "insurer_id IS NOT NULL"),
    (PROVINCE, "''", "insurer_id", "insurer_id IS NOT NULL"),
)


def rolled_up(fact: Fact, base: str) -> str:
    """SQL turning base cells (a table or subquery) into all stored cells."""
    further = "".join(f", {column}" for column in fact.further)
    sums = ", ".join(f"sum({measure}) AS {measure}" for measure in fact.measures)
    parts = [
        f"SELECT month, {region} AS region_code, {sector} AS sector, {insurer} AS insurer_id{further}, {sums} "
        f"FROM {base} WHERE {where} GROUP BY 1, 2, 3, 4{further}"
        for region, sector, insurer, where in GRAINS
    ]
    return " UNION ALL ".join(parts)

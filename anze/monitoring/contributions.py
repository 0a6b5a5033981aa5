"""The SQL of a fact's contributions, over whichever rows it is asked about.

From one declaration come the full recompute (whole tables),
       the refresh (the touched groups as they are and as
they were) and the drill-down (the groups of one page).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from anze.monitoring.rules import Fact, Indicator, Part, Source

RowsOf = Callable[[Source], str]


def horizon_of(as_of: date) -> date:
    """Open-ended stretches are cut off here: two month beginnings ahead, past everything that counts yet."""
    first = as_of.replace(day=1)
    for _ in range(2):
        first = (first + timedelta(days=32)).replace(day=1)
    return first


def whole_table(source: Source) -> str:
    return f"SELECT * FROM {source.table}"


def key_columns(fact: Fact) -> tuple[str, ...]:
    return ("month", "region_code", "sector", "insurer_id", *fact.further)


def _with(fact: Fact, as_of: date, rows_of: RowsOf, selects: Iterable[str]) -> str:
    """The parts' selections after the sources, cut to the wanted rows, and the fact's CTEs. CTEs that no part
    mentions cost nothing: the database leaves them out."""
    sources = ", ".join(f"{source.name} AS NOT MATERIALIZED ({rows_of(source)})" for source in fact.sources)
    ctes = f", {fact.ctes}" if fact.ctes else ""
    text = f"WITH RECURSIVE {sources}{ctes} {' UNION ALL '.join(selects)}"
    return text.replace("{horizon}", f"DATE '{horizon_of(as_of)}'")


def _common(part: Part, fact: Fact) -> str:
    further = "".join(f", {part.further[column]} AS {column}" for column in fact.further)
    return (
        f"date_trunc('month', ({part.month_of or part.on})::timestamp)::date AS month, "
        f"{part.on} AS counts_on, region_code, sector, {part.insurer} AS insurer_id{further}"
    )


def _select(part: Part, fact: Fact) -> str:
    measures = ", ".join(f"{part.gives.get(measure, '0')} AS {measure}" for measure in fact.measures)
    return f"SELECT {_common(part, fact)}, {measures} FROM {part.rows}"


def summed(fact: Fact, as_of: date, rows_of: RowsOf = whole_table, since: date | None = None) -> str:
    """SQL giving the sums of the contributions counting up to a day, one row a base cell."""
    keys = ", ".join(key_columns(fact))
    sums = ", ".join(f"sum({measure}) AS {measure}" for measure in fact.measures)
    after = f" AND counts_on > DATE '{since}'" if since else ""
    selects = [_select(part, fact) for part in fact.parts if part.ever_gives(*fact.measures)]
    return (
        f"SELECT {keys}, {sums} FROM ({_with(fact, as_of, rows_of, selects)}) c "
        f"WHERE counts_on <= DATE '{as_of}'{after} GROUP BY {keys}"
    )


def row_contributions(indicator: Indicator, as_of: date, rows_of: RowsOf, parts: Iterable[Part]) -> str:
    """SQL giving an indicator's contributions with the record each comes from and the reason it carries."""
    fact = indicator.fact
    selects = []
    for part in parts:
        numerator, denominator = (part.gives.get(each, "0") for each in (indicator.numerator, indicator.denominator))
        reason = f"coalesce({part.left_out}, {part.why.get(indicator.numerator, 'NULL')})::text"
        selects.append(
            f"SELECT '{part.source}' AS source, {part.row_id} AS row_id, {part.label} AS label, "
            f"enterprise_id, {_common(part, fact)}, {reason} AS reason, {numerator} AS num, "
            f"{denominator} AS den FROM {part.rows}"
        )
    return _with(fact, as_of, rows_of, selects)


def in_force(parameters: str, day: str, region: str = "''", where: str = "true") -> str:
    """SQL for the value of a parameter in force on a day, chosen as `kernel.models.parameter_row` chooses.

    `parameters` names a CTE made by `parameters_of`. A scalar, so that rows overlapping in time by mistake
    cannot multiply what is counted.
    """
    return (
        f"(SELECT v.value FROM {parameters} v WHERE {where} "
        f"AND v.region_code IN ('', left({region}, 2) || '0000', left({region}, 4) || '00', {region}) "
        f"AND {day} BETWEEN v.effective_from AND v.effective_to "
        "ORDER BY v.region_code DESC, v.effective_from DESC LIMIT 1)"
    )


def parameters_of(key: str) -> str:
    """The rows of a parameter for `in_force`, as the body of a CTE. A value that is no number is no value."""
    return (
        "SELECT region_code, effective_from, coalesce(effective_to, 'infinity') AS effective_to, "
        f"value::numeric AS value FROM kernel_parameter WHERE key = '{key}' "
        "AND value ~ '^[0-9]+(\\.[0-9]+)?$'"
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
        f"SELECT month, {region} AS region_code, {sector} AS sector, {insurer} AS insurer_id{further}, "
        f"{sums} FROM {base} WHERE {where} GROUP BY 1, 2, 3, 4{further}"
        for region, sector, insurer, where in GRAINS
    ]
    return " UNION ALL ".join(parts)

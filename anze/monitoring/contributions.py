"""The SQL of a fact's contributions, over whichever rows it is asked about.

From one declaration come the full recompute (whole tables),
       the refresh (the touched groups as they are and as
they were) and the drill-down (the groups of one page).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

from anze.kernel.parameters import chain_of
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
    month = part.month or f"date_trunc('month', ({part.month_of or part.on})::timestamp)::date"
    return f"{month} AS month, {part.on} AS counts_on, region_code, sector, {part.insurer} AS insurer_id{further}"


def summed(fact: Fact, as_of: date, rows_of: RowsOf = whole_table, since: date | None = None) -> str:
    """SQL giving the sums of the contributions counting up to a day, one row a base cell."""
    keys = ", ".join(key_columns(fact))
    sums = ", ".join(
        f"sum({measure}) * 0.01 AS {measure}" if measure in fact.yuan else f"sum({measure})::bigint AS {measure}"
        for measure in fact.measures
    )
    selects = [_summed_part(part, fact, as_of, since) for part in fact.parts if part.ever_gives(*fact.measures)]
    return f"SELECT {keys}, {sums} FROM ({_with(fact, as_of, rows_of, selects)}) c GROUP BY {keys}"


def _summed_part(part: Part, fact: Fact, as_of: date, since: date | None) -> str:
    """One part summed by itself over its few measures, so that not every row drags all of them along."""
    keys = ", ".join(key_columns(fact))
    given = ", ".join(
        f"{_until(part, sql, as_of, since)} AS {measure}" for measure, sql in part.gives.items() if sql != "0"
    )
    sums = ", ".join(
        f"sum({measure})::bigint AS {measure}" if part.ever_gives(measure) else f"0::bigint AS {measure}"
        for measure in fact.measures
    )
    after = f" AND counts_on > DATE '{since}'" if since and not part.accrues else ""
    return (
        f"SELECT {keys}, {sums} FROM (SELECT {_common(part, fact)}, {given} FROM {part.rows}) p "
        f"WHERE counts_on <= DATE '{as_of}'{after} GROUP BY {keys}"
    )


def _until(part: Part, sql: str, as_of: date, since: date | None = None) -> str:
    """What a part gives up to a day, or between two days."""
    if not part.accrues:
        return sql

    def on(day: date) -> str:
        month_end = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return f"({sql})".replace("{until}", f"DATE '{day}'").replace("{month_end}", f"DATE '{month_end}'")

    return f"{on(as_of)} - {on(since)}" if since else on(as_of)


def row_contributions(indicator: Indicator, as_of: date, rows_of: RowsOf, parts: Iterable[Part]) -> str:
    """SQL giving an indicator's contributions with the record each comes from and the reason it carries."""
    return _with(indicator.fact, as_of, rows_of, [_of_rows(indicator, part, as_of) for part in parts])


def tagged_contributions(wanted: Mapping[str, Indicator], as_of: date, rows_of: RowsOf = whole_table) -> str:
    """The same for several indicators of one fact at once, each row with the tag of its indicator, so that what they
    share is worked out once."""
    fact = next(iter(wanted.values())).fact
    selects = [
        f"SELECT '{tag}' AS tag, t.* FROM ({_of_rows(indicator, part, as_of)}) t"
        for tag, indicator in wanted.items()
        for part in indicator.parts
    ]
    return _with(fact, as_of, rows_of, selects)


def _of_rows(indicator: Indicator, part: Part, as_of: date) -> str:
    numerator, denominator = (
        _until(part, part.gives.get(each, "0"), as_of) for each in (indicator.numerator, indicator.denominator)
    )
    reason = f"coalesce({part.left_out}, {part.why_of(indicator)})::text"
    return (
        f"SELECT '{part.source}' AS source, {part.row_id} AS row_id, {part.label} AS label, "
        f"enterprise_id, {_common(part, indicator.fact)}, {reason} AS reason, {numerator} AS num, "
        f"{denominator} AS den FROM {part.rows}"
    )


def in_force(parameters: str, day: str, region: str) -> str:
    """SQL for the value of a parameter in force on a day, chosen as `kernel.models.parameter_row` chooses.

    `parameters` names a CTE made by `parameters_of`. A scalar, so that rows overlapping in time by mistake
    cannot multiply what is counted.
    """
    return (
        "(SELECT (array_agg(v.value ORDER BY v.region_code DESC, v.effective_from DESC))[1] "
        f"FROM {parameters} v WHERE {day} BETWEEN v.effective_from AND v.effective_to "
        f"AND v.region_code IN {chain_of(region)})"
    )


CITY = "left(region_code, 4) || '00'"
PROVINCE = "left(region_code, 2) || '0000'"
NOBODY = "NULL::uuid"
# A stored grain: its name, what it is rolled up from (the finest is the base itself), and region, sector and
# insurer as SQL over a row of that.
GRAINS: tuple[tuple[str, str, str, str, str], ...] = (
    ("county", "base", "region_code", "''", NOBODY),
    ("city_sector", "base", CITY, "sector", NOBODY),
    ("city_insurer", "base WHERE insurer_id IS NOT NULL", CITY, "''", "insurer_id"),
    ("city", "county", CITY, "''", NOBODY),
    ("province", "city", PROVINCE, "''", NOBODY),
    ("province_sector", "city_sector", PROVINCE, "sector", NOBODY),
    ("province_insurer", "city_insurer", PROVINCE, "''", "insurer_id"),
)


def rolled_up(fact: Fact, base: str) -> str:
    """SQL turning base cells, each there once, into all stored cells. `base` is a table or subquery."""
    names = ", ".join((*key_columns(fact), *fact.measures))
    further = "".join(f", {column}" for column in fact.further)
    sums = ", ".join(f"sum({measure}) AS {measure}" for measure in fact.measures)
    grains = [
        f"{name} AS MATERIALIZED (SELECT month, {region} AS region_code, {sector} AS sector, {insurer} AS insurer_id"
        f"{further}, {sums} FROM {source} GROUP BY 1, 2, 3, 4{further})"
        for name, source, region, sector, insurer in GRAINS
    ]
    everything = " UNION ALL ".join(f"SELECT {names} FROM {name}" for name in ("base", *(grain[0] for grain in GRAINS)))
    return f"WITH base AS NOT MATERIALIZED (SELECT * FROM {base}), {', '.join(grains)} {everything}"

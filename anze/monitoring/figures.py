"""Reading cells into figures: a numerator, a denominator, and the ratio that may be unknown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db import connection
from django.db.models import Q

from anze.kernel.actor import Actor
from anze.kernel.compiled import Compiled
from anze.kernel.models import Parameter, region_chain
from anze.kernel.rules import Sector
from anze.kernel.scope import PROVINCE, region_range
from anze.monitoring.contributions import CITY
from anze.monitoring.definitions import HEADLINES, INDICATORS
from anze.monitoring.models import State
from anze.monitoring.rules import Fact, Family, Indicator

By = Literal["", "month", "region", "sector", "insurer"]


@dataclass(frozen=True)
class Figure:
    """What was counted. `value` is null when there was nothing to count; so it is where more premium was given back than
    received, for a share of less than nothing says nothing."""

    indicator: Indicator
    numerator: Decimal
    denominator: Decimal

    @property
    def value(self) -> Decimal | None:
        return self.numerator / self.denominator if self.denominator > 0 else None


@dataclass(frozen=True)
class Slice:
    """Which part of the province and which months. Months are given by their first days."""

    region_code: str
    month_from: date
    month_to: date
    sector: str = ""
    insurer_id: UUID | None = None

    @property
    def level(self) -> str:
        if self.region_code.endswith("0000"):
            return "PROVINCE"
        return "CITY" if self.region_code.endswith("00") else "COUNTY"

    def words(self) -> dict[str, str]:
        """The slice as query words, for links to its rows."""
        return {
            "region": self.region_code,
            "from": f"{self.month_from:%Y-%m}",
            "to": f"{self.month_to:%Y-%m}",
            "sector": self.sector,
            "insurer": str(self.insurer_id or ""),
        }


def own_slice(actor: Actor, as_of: date) -> Slice:
    """The widest slice an actor may see, for the year to date."""
    scope = actor.scope
    region = scope.region_from or PROVINCE
    return Slice(region, as_of.replace(month=1, day=1), as_of.replace(day=1), scope.sector, scope.insurer_id)


_states = Compiled(lambda: State.objects.order_by("id")[:1])


def present_state() -> State | None:
    return next(iter(_states()), None)


def headline(family: Family, on: date) -> Indicator:
    """The variant a family shows first: a parameter decides, since sources differ."""
    return headlines([family], on)[family]


def headlines(families: Iterable[Family], on: date) -> dict[Family, Indicator]:
    """Family → the variant it shows first. One query."""
    families = list(families)
    said = _parameters([HEADLINES[family][0] for family in families], on)
    found = {}
    for family in families:
        key, variants = HEADLINES[family]
        found[family] = INDICATORS[variants.get(said.get(key, ""), next(iter(variants.values())))]
    return found


# the parameters speak of an indicator by its name in the rules
TARGET_KEYS = {"expense_payment_rate": "prevention_expense_payment_rate"}


def targets(on: date, sector: str = "", region_code: str = "") -> dict[str, Decimal]:
    """Indicator code → target in force on a day in a region; coverage has some sectors' own targets. One query."""
    keys = {f"target.{TARGET_KEYS.get(code, code)}": code for code in INDICATORS}
    own = {f"coverage_target.{sector}": "coverage_rate"} if sector in Sector.values else {}
    said = _parameters([*keys, *own], on, region_code)
    return {code: Decimal(said[key]) for key, code in (keys | own).items() if key in said}


def _parameters(keys: Iterable[str], on: date, region_code: str = "") -> dict[str, str]:
    """Key → value in force in a region on a day, of those that have one; the nearest region's, of two the later set."""
    rows = (
        Parameter.objects.filter(
            Q(effective_to__isnull=True) | Q(effective_to__gte=on),
            key__in=list(keys),
            region_code__in=region_chain(region_code),
            effective_from__lte=on,
        )
        .exclude(value="")
        .order_by("region_code", "effective_from")
    )
    return dict(rows.values_list("key", "value"))


def figures(indicators: Iterable[Indicator], cut: Slice, by: By = "") -> dict[Any, dict[str, Figure]]:
    """Figures by month, region, sector or insurer ("" gives one entry under the key ""). One query a fact,
    another for its stocks."""
    wanted: dict[tuple[str, bool, tuple[tuple[str, str], ...]], list[Indicator]] = defaultdict(list)
    for indicator in indicators:
        wanted[indicator.fact.name, indicator.is_stock, tuple(indicator.fixed.items())].append(indicator)
    found: dict[Any, dict[str, Figure]] = defaultdict(dict)
    for (_name, is_stock, fixed), group in wanted.items():
        measures = tuple(dict.fromkeys(m for each in group for m in (each.numerator, each.denominator)))
        for key, sums in _read(group[0].fact, measures, is_stock, cut, by, dict(fixed)).items():
            for each in group:
                found[key][each.code] = Figure(each, sums[each.numerator], sums[each.denominator])
    if by == "" and not found:
        found[""] = {}
    for key in found:
        for each in indicators:
            found[key].setdefault(each.code, Figure(each, Decimal(0), Decimal(0)))
    return dict(found)


def _read(
    fact: Fact, measures: tuple[str, ...], is_stock: bool, cut: Slice, by: By, fixed: Mapping[str, str]
) -> dict[Any, dict[str, Decimal]]:
    where, words = _grain(cut, by)
    if is_stock:
        where.append("month <= %s")
        words.append(cut.month_to)
    else:
        where.append("month BETWEEN %s AND %s")
        words += [cut.month_from, cut.month_to]
    for column, value in fixed.items():
        where.append(f"{column} = %s")
        words.append(value)
    key = {"": "''", "month": "month", "region": "region_code", "sector": "sector", "insurer": "insurer_id"}[by]
    if by == "region" and cut.level == "PROVINCE":
        key = CITY  # the stored cities as they are; base cells, where no city is stored, gathered
    sums = ", ".join(f"sum({measure})" for measure in measures)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {sums} FROM {fact.table} WHERE {' AND '.join(where)} GROUP BY 1 ORDER BY 1", words
        )
        rows = cursor.fetchall()
    found = {row[0]: dict(zip(measures, map(Decimal, row[1:]), strict=True)) for row in rows if row[1] is not None}
    return _accumulated(found, cut) if is_stock and by == "month" else found


def _accumulated(changes: dict[date, dict[str, Decimal]], cut: Slice) -> dict[date, dict[str, Decimal]]:
    """The state at each month's end from the changes up to it."""
    found: dict[date, dict[str, Decimal]] = {}
    running: dict[str, Decimal] = defaultdict(Decimal)
    months = sorted({*changes, *months_between(cut.month_from, cut.month_to)})
    for month in months:
        for measure, change in changes.get(month, {}).items():
            running[measure] += change
        if cut.month_from <= month <= cut.month_to and running:
            found[month] = dict(running)
    return found


def _grain(cut: Slice, by: By) -> tuple[list[str], list[Any]]:
    """Which stored grain answers the question: the fewest cells that hold it."""
    needs_sector = bool(cut.sector) or by == "sector"
    needs_insurer = cut.insurer_id is not None or by == "insurer"
    level = cut.level
    if by == "region":
        level = {"PROVINCE": "CITY", "CITY": "COUNTY", "COUNTY": "COUNTY"}[level]
    where: list[str] = []
    words: list[Any] = []
    base = (needs_sector and needs_insurer) or (level == "COUNTY" and (needs_sector or needs_insurer))
    low, high = region_range(cut.region_code)
    if level == "COUNTY" or base:
        where.append("region_code BETWEEN %s AND %s AND right(region_code, 2) <> '00'")
        words += [low, high]
    elif by == "region":  # the cities of the province
        where.append(
            "region_code BETWEEN %s AND %s AND right(region_code, 2) = '00' AND right(region_code, 4) <> '0000'"
        )
        words += [low, high]
    else:
        where.append("region_code = %s")
        words.append(cut.region_code)
    if base:
        where.append("sector <> ''")
    else:
        where.append("sector <> ''" if needs_sector else "sector = ''")
        where.append("insurer_id IS NOT NULL" if needs_insurer else "insurer_id IS NULL")
    if cut.sector:
        where.append("sector = %s")
        words.append(cut.sector)
    if cut.insurer_id:
        where.append("insurer_id = %s")
        words.append(cut.insurer_id)
    elif by == "insurer":
        where.append("insurer_id IS NOT NULL")
    return where, words


def months_between(first: date, last: date) -> list[date]:
    found = []
    month = first
    while month <= last:
        found.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return found

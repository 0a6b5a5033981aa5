"""Where things are: the real counties of Shandong, and how much of each kind of business they have."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

from anze.exchange.synthetic.streams import Weighted, stream

REGIONS = Path(__file__).resolve().parents[2] / "parties/data/regions.csv"


@dataclass(frozen=True)
class County:
    """A county or functional zone; `city` is the code of the city it lies in."""

    code: str
    name: str
    city: str
    city_name: str
    lon: float
    lat: float
    is_zone: bool


def _weights(words: str) -> dict[str, float]:
    """Codes with their weights, one after another."""
    each = words.split()
    return {code: float(weight) for code, weight in zip(each[::2], each[1::2], strict=True)}


# How much business a city has, relative to the others: a choice after its size, not a statistic.
_CITIES = _weights(
    "370100 10.5 370200 14 370300 6.5 370400 3.5 370500 4.5 370600 10.5 370700 10 370800 8 370900 5 "
    "371000 4.5 371100 3.5 371300 9.5 371400 5.5 371500 5 371600 5.5 371700 6"
)

# sector → city → how much more (or less) of it there is than usual
_AFFINITY = {
    "MINE": _weights(
        "370800 3 370900 2.5 370400 2 370600 2.5 371300 1.8 370100 1.2 371700 1.6 370200 0.3 371000 0.4 "
        "371500 0.1 371400 0.1"
    ),
    "HAZCHEM": _weights("370500 3.2 370300 2.6 370700 1.7 371600 2.2 371700 1.4 370600 1.2"),
    "SMELT": _weights("371600 4 371500 2.4 370600 1.6 371100 2 370100 1.5 371300 1.4 370300 1.3"),
    "TRANSPORT": _weights("370200 1.4 371300 1.8 371100 1.6 370800 1.3"),
    "CONSTR": _weights("370100 1.4 370200 1.2"),
}

# counties with a coast or a lake to fish in
_COAST = _weights(
    "370211 3 370212 1 370214 1 370215 2 370281 0.5 370503 2 370505 2 370522 1 370602 1 370611 0.5 "
    "370612 1.5 370613 0.7 370614 3 370681 1.5 370683 2 370685 0.5 370687 2 370783 1 370786 1 371002 3 "
    "371003 2 371082 9 371083 3 371102 3 371103 3 371603 1.5 "
    "371623 2 370826 1.2 370923 0.5 3702Z2 0.5 3707Z1 0.5"
)


@cache
def counties() -> tuple[County, ...]:
    """The counties and functional zones that exist today, in the order of their codes."""
    with REGIONS.open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    found = [
        County(
            code=row["code"],
            name=row["name"],
            city=row["parent_code"],
            city_name=rows[row["parent_code"]]["name"],
            lon=float(row["lon"]),
            lat=float(row["lat"]),
            is_zone=row["kind"] == "FUNCTIONAL_ZONE",
        )
        for row in rows.values()
        if row["kind"] in ("COUNTY", "FUNCTIONAL_ZONE") and not row["valid_to"]
    ]
    return tuple(sorted(found, key=lambda each: each.code))


@cache
def cities() -> dict[str, str]:
    """City code → name."""
    return {county.city: county.city_name for county in counties()}


def _weight(county: County, sector: str) -> float:
    if sector == "FISHERY":
        return _COAST.get(county.code, 0)
    of_city = sum(1 for other in counties() if other.city == county.city)
    own = 0.6 + 0.9 * stream(0, "county", county.code).random()
    size = _CITIES[county.city] / of_city * own * (0.5 if county.is_zone else 1)
    return size * _AFFINITY.get(sector, {}).get(county.city, 1)


@cache
def counties_of(sector: str) -> Weighted[County]:
    """Draws the county of an enterprise of a sector."""
    return Weighted((county, _weight(county, sector)) for county in counties())


def kilometres(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Distance along the earth's surface."""
    lon1, lat1, lon2, lat2 = map(radians, (lon1, lat1, lon2, lat2))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 12742 * asin(sqrt(h))

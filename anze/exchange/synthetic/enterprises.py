"""The enterprises: who they are, whether the law obliges them to insure, since when the register knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import Enum
from functools import cache
from random import Random

from anze.exchange.synthetic.calendar import DAY, Year
from anze.exchange.synthetic.entities import Enterprise
from anze.exchange.synthetic.figures import Figures
from anze.exchange.synthetic.places import counties, counties_of
from anze.exchange.synthetic.streams import Weighted, stream
from anze.exchange.synthetic.words import ALUMINIUM, TRADES, address, brand, person, short_region
from anze.kernel.identifiers import SYNTHETIC_NUMBERS, OrganisationKind, make_uscc

# The first of the campaign is the one people sign in as. It lies where the demonstration's city and county look, is insured
# with its insurer, and served by its agency and expert: whoever signs in as one after the other follows one story.
SHOWN_COUNTY, SHOWN_WORKERS = "370704", 150
VOLUNTARY_SHARE = 0.15
RENEWED_SHARE = 0.45

_SECTORS = Weighted(
    (("TRANSPORT", 33), ("CONSTR", 25), ("HAZCHEM", 21), ("FISHERY", 9), ("FIREWORK", 6.3), ("MINE", 3),
     ("SMELT", 2.2), ("CIVEXP", 0.5))
)  # fmt: skip
_SIZES = ("LARGE", "MEDIUM", "SMALL", "MICRO")
_SIZE_WEIGHTS = {
    "MINE": (8, 20, 50, 22),
    "HAZCHEM": (1, 6, 38, 55),
    "FIREWORK": (0, 0, 12, 88),
    "TRANSPORT": (0.5, 6, 36, 57.5),
    "CONSTR": (1.5, 12, 55, 31.5),
    "CIVEXP": (0, 25, 60, 15),
    "SMELT": (12, 28, 45, 15),
    "FISHERY": (0.2, 2, 25, 72.8),
    "OTHER": (2, 11, 52, 35),
}
_TIER_WEIGHTS = {
    "MINE": (60, 35, 5),
    "HAZCHEM": (45, 40, 15),
    "FIREWORK": (35, 45, 20),
    "TRANSPORT": (15, 50, 35),
    "CONSTR": (30, 50, 20),
    "CIVEXP": (60, 40, 0),
    "SMELT": (60, 35, 5),
    "FISHERY": (20, 50, 30),
    "OTHER": (5, 35, 60),
}
# how many stay uninsured for each that is insured
_UNINSURED = {
    "MINE": 0.012, "HAZCHEM": 0.02, "FIREWORK": 0.04, "TRANSPORT": 0.055, "CONSTR": 0.06, "CIVEXP": 0.0,
    "SMELT": 0.012, "FISHERY": 0.1,
}  # fmt: skip

# one of so many is named by the list of another sector as well
TWICE = 70
_NEXT_SECTOR = {
    "MINE": "CONSTR", "HAZCHEM": "TRANSPORT", "FIREWORK": "TRANSPORT", "TRANSPORT": "HAZCHEM", "CONSTR": "TRANSPORT",
    "CIVEXP": "TRANSPORT", "SMELT": "HAZCHEM", "FISHERY": "TRANSPORT",
}  # fmt: skip


class Fate(Enum):
    """What became of an enterprise's insurance in the year."""

    RENEWED = "insured before the year and renewed in it"
    NEW = "insured for the first time"
    LAPSED = "insured before, not renewed"
    CANCELLED = "insured, then cancelled"
    NEVER = "on the register, never insured"
    GONE = "closed or taken off the register in the year"


@cache
def _sizes(sector: str) -> Weighted[str]:
    return Weighted(zip(_SIZES, _SIZE_WEIGHTS[sector], strict=True))


@cache
def _tiers(sector: str) -> Weighted[str]:
    return Weighted(zip(("HIGH", "MEDIUM", "LOW"), _TIER_WEIGHTS[sector], strict=True))


@cache
def _laggard(county: str) -> float:
    """How far a county is behind with the register's goal."""
    return 0.35 + 1.3 * stream(0, "laggard", county).random()


def _workers(random: Random, size: str) -> int:
    if size == "MICRO":
        return random.randint(3, 19)
    if size == "SMALL":
        return min(299, int(20 + random.expovariate(1 / 42)))
    if size == "MEDIUM":
        return min(999, int(300 + random.expovariate(1 / 160)))
    return min(8000, int(1000 + random.expovariate(1 / 900)))


def draw_enterprises(seed: int, counts: Figures) -> Iterator[tuple[Enterprise, Fate, Random]]:
    """Every enterprise with its fate, and its random numbers to go on with.

    First those that end the year insured, exactly as many as the figures say; each of the obliged may bring
    along another of its kind that is not.
    """
    index = counts.insured
    for number in range(counts.insured):
        random = stream(seed, "enterprise", number)
        aluminium = number < counts.campaign_enterprises
        sector = "SMELT" if aluminium else "OTHER" if random.random() < VOLUNTARY_SHARE else _SECTORS.draw(random)
        enterprise = _draw(seed, number, sector, random, aluminium)
        fate = Fate.RENEWED if random.random() < RENEWED_SHARE * _AGE[enterprise.size] else Fate.NEW
        if enterprise.is_shown:
            fate = Fate.RENEWED
        yield enterprise, fate, random
        if sector == "OTHER":
            continue
        chance = random.random()
        rate = _UNINSURED[sector] * _laggard(enterprise.county.code)
        if chance < rate + 0.012:
            other = stream(seed, "enterprise", index)
            fellow = _draw(seed, index, sector, other, False)
            if chance < rate:
                fellow.county = enterprise.county
                fellow.lon, fellow.lat = _position(other, enterprise.county.lon, enterprise.county.lat)
                fellow.address = address(other, enterprise.county.city_name, enterprise.county.name)
            yield fellow, _uninsured_fate(other) if chance < rate else Fate.GONE, other
            index += 1


_AGE = {"LARGE": 1.6, "MEDIUM": 1.4, "SMALL": 1.1, "MICRO": 0.9}  # larger ones are older customers


def _uninsured_fate(random: Random) -> Fate:
    chance = random.random()
    return Fate.NEVER if chance < 0.68 else Fate.LAPSED if chance < 0.9 else Fate.CANCELLED


def _position(random: Random, lon: float, lat: float) -> tuple[float, float]:
    return round(lon + random.uniform(-0.12, 0.12), 6), round(lat + random.uniform(-0.1, 0.1), 6)


def _draw(seed: int, number: int, sector: str, random: Random, aluminium: bool) -> Enterprise:
    is_shown = number == 0
    county = counties_of(sector).draw(random)
    size = _sizes(sector).draw(random)
    if is_shown:
        county = next(each for each in counties() if each.code == SHOWN_COUNTY)
        size = "SMALL"
    elif aluminium and size == "MICRO":
        size = "MEDIUM"
    trade, industry = random.choice(ALUMINIUM if aluminium else TRADES[sector])
    is_individual = size == "MICRO" and sector in ("FISHERY", "TRANSPORT", "FIREWORK") and random.random() < 0.35
    ending = "" if trade.endswith(("合作社", "经营部", "店", "站", "场")) else "有限公司"
    place = short_region(county.name) if random.random() < 0.75 else short_region(county.city_name)
    kind = OrganisationKind.INDIVIDUAL if is_individual else OrganisationKind.ENTERPRISE
    if trade.endswith("合作社"):
        kind = OrganisationKind.COOPERATIVE
    lon, lat = _position(random, county.lon, county.lat)
    return Enterprise(
        index=number,
        # the multiplier has no divisor in common with the number of codes: different numbers stay different
        uscc=make_uscc(county.code, (1_000_000 + number * 15_485_863) % SYNTHETIC_NUMBERS, kind),
        name=f"{place}{brand(seed + number)}{trade}{ending}",
        county=county,
        sector=sector,
        industry=industry,
        size=size,
        tier="HIGH" if is_shown else _tiers(sector).draw(random),
        workers=SHOWN_WORKERS if is_shown else _workers(random, size),
        lon=lon,
        lat=lat,
        address=address(random, county.city_name, county.name),
        contact=person(random),
        registered_on=date.min,  # set with the register
        is_aluminium=aluminium,
        is_individual=is_individual,
        is_shown=is_shown,
    )


def put_on_register(enterprise: Enterprise, fate: Fate, year: Year, random: Random) -> None:
    """The day it was entered on the ledger and, if obliged, listed: long ago for old customers; others the
    year's survey found them shortly before their first policy."""
    first = enterprise.policies[0].start if enterprise.policies else None
    if fate in (Fate.NEVER, Fate.GONE) or first is None:
        if fate is Fate.NEVER and random.random() < 0.4:
            listed = year.first + random.randint(0, 350) * DAY
        else:
            listed = year.first - random.randint(20, 300) * DAY
    elif first < year.first:
        listed = first - random.randint(5, 150) * DAY
    else:
        listed = first - min(70, int(random.expovariate(1 / 12))) * DAY
    enterprise.registered_on = listed - random.randint(0, 20) * DAY
    if enterprise.sector == "OTHER":
        return
    enterprise.listed_on = listed
    chance = random.random()
    enterprise.state = "CONFIRMED" if chance < 0.955 else "UNCERTAIN" if chance < 0.985 else "DISPUTED"
    also = min(listed + 90 * DAY, year.last - 20 * DAY)
    if fate is not Fate.GONE and enterprise.index % TWICE == TWICE // 2 and listed < also:
        enterprise.also_in, enterprise.also_on = _NEXT_SECTOR[enterprise.sector], also
    if fate is Fate.GONE:
        gone = max(year.first + random.randint(10, 360) * DAY, listed + 10 * DAY)
        enterprise.state = "CONFIRMED"
        if random.random() < 0.6:
            enterprise.closed_on = gone
        enterprise.delisted_on = gone
        enterprise.delisting_reason = random.choice(("依法关闭", "停产注销", "迁出本省", "不再从事相关业务"))

"""The institutions: insurers from giant to tiny, and service agencies, with their habits."""

from __future__ import annotations

from datetime import timedelta

from anze.exchange.synthetic.calendar import Year
from anze.exchange.synthetic.entities import Agency, Insurer
from anze.exchange.synthetic.figures import Figures
from anze.exchange.synthetic.places import cities
from anze.exchange.synthetic.streams import Weighted, stream
from anze.exchange.synthetic.words import AGENCY_KINDS, INSURERS, INSURERS_EN, brand
from anze.kernel.identifiers import make_uscc

# market shares in percent, from a giant to branches of a few dozen policies
_SHARES = (
    25, 14, 9, 7, 6, 5, 4.2, 3.6, 3.1, 2.7, 2.4, 2.1, 1.9, 1.7, 1.5, 1.3, 1.15, 1.0, 0.9, 0.8, 0.7, 0.62,
    0.55, 0.48, 0.42, 0.36, 0.31, 0.26, 0.22, 0.18, 0.15, 0.12, 0.09, 0.07, 0.05,
)  # fmt: skip
_INTERFACED = {0, 1, 2, 3, 4, 5, 6, 8, 9, 11}
_APPS = {7, 10}
_TYPED = set(range(28, 35))
_LAZY = {6: 0.66, 13: 0.6, 17: 0.7, 22: 0.55, 26: 0.62, 29: 0.5}
_LATE = {4: 0.8, 12: 0.62, 17: 0.55, 20: 0.7, 29: 0.5, 33: 0.45}

OVERSPENDER = 31  # a tiny insurer that spends more than the cap allows
CITIES_WITH_BRANCHES = 12  # the larger insurers have a branch in every city


def draw_insurers(seed: int, count: int) -> list[Insurer]:
    found = []
    for index, percent in enumerate(_SHARES[:count]):
        random = stream(seed, "insurer", index)
        if index in _INTERFACED:
            channel = "API"
        elif index in _APPS:
            channel = "APP"
        else:
            channel = "WEB" if index in _TYPED else "EXCEL"
        name = INSURERS[index]
        found.append(
            Insurer(
                index=index,
                code=f"INS{index + 1:02d}",
                name=f"{name}示例财产保险股份有限公司山东分公司",
                name_en=f"{INSURERS_EN[index]} Example Insurance, Shandong",
                short_name=f"{name}示例财险",
                uscc=make_uscc("370102", 900_000 + index),
                share=percent / 100,
                channel=channel,
                diligence=_LAZY.get(index, round(random.uniform(0.84, 0.98), 3)),
                timeliness=_LATE.get(index, round(random.uniform(0.9, 0.995), 3)),
                spending=round(random.uniform(0.13, 0.2), 3),
            )
        )
    return found


def insurers_by_city(insurers: list[Insurer]) -> dict[str, Weighted[Insurer]]:
    """In each city the market looks a little different."""
    return {
        city: Weighted(
            (each, each.share * (0.5 + 1.2 * stream(0, "market", city, each.index).random())) for each in insurers
        )
        for city in cities()
    }


def draw_agencies(seed: int, year: Year, counts: Figures) -> list[Agency]:
    """Agencies with the cities they serve; beyond the active ones they only joined the committee."""
    codes = sorted(cities())
    found = []
    for index in range(counts.agencies):
        random = stream(seed, "agency", index)
        active = index < counts.active_agencies
        # the first sixteen stand in a city each, so that none is without
        city = codes[index % 16] if index < 32 else random.choice(codes)
        others = [code for code in codes if code != city]
        served = (city, *random.sample(others, random.choice((0, 1, 1, 2, 3)))) if active else ()
        found.append(
            Agency(
                index=index,
                code=f"AGY{index + 1:02d}",
                name=f"{brand(index * 37 + 11)[:2]}示例{AGENCY_KINDS[index % len(AGENCY_KINDS)]}",
                uscc=make_uscc(city, 910_000 + index),
                city=city,
                is_active=active,
                cities=served,
                licence_to=year.last + timedelta(days=random.choice((-40, 15, 120, 400, 700, 900))),
            )
        )
    return found


def agencies_by_city(agencies: list[Agency]) -> dict[str, Weighted[Agency]]:
    return {
        city: Weighted(
            (
                each,
                (2.0 if each.city == city else 1.0) * (0.4 + stream(0, "agency", city, each.index).random()),
            )
            for each in agencies
            if city in each.cities
        )
        for city in cities()
    }

"""How the scores of all lie: where most are, how far apart, and how many reach each grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles

FEWEST = 5  # below this a distribution says less than the list of scores does
WIDTH = Decimal(5)  # points of a band


@dataclass(frozen=True)
class Band:
    """Scores from `low` up to, and without, `high`."""

    low: Decimal
    high: Decimal
    count: int


@dataclass(frozen=True)
class Spread:
    first_quarter: Decimal
    median: Decimal
    third_quarter: Decimal
    bands: tuple[Band, ...]  # without a gap from the lowest to the highest score


def spread(scores: Sequence[Decimal]) -> Spread | None:
    """Quarters and bands of the scores; nothing where there are too few of them."""
    if len(scores) < FEWEST:
        return None
    low, middle, high = quantiles(scores, n=4, method="inclusive")
    counts = Counter(int(score // WIDTH) for score in scores)
    bands = tuple(
        Band(place * WIDTH, (place + 1) * WIDTH, counts[place]) for place in range(min(counts), max(counts) + 1)
    )
    return Spread(low, middle, high, bands)


def levels(scores: Sequence[Decimal], apart: Decimal) -> list[int]:
    """The row of each score's dot, counted from 1: the lowest one where it covers no other."""
    last: list[Decimal] = []
    found = [0] * len(scores)
    for place in sorted(range(len(scores)), key=lambda each: (scores[each], each)):
        score = scores[place]
        row = next((row for row, before in enumerate(last) if score - before >= apart), len(last))
        last[row : row + 1] = [score]
        found[place] = row + 1
    return found

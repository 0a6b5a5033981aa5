"""Random numbers that belong to a thing, not to a moment: the same thing draws the same in any order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


def stream(seed: int, *thing: object) -> Random:
    """The random numbers of one thing, such as (7, "enterprise", 4711)."""
    return Random(f"{seed}|{'|'.join(map(str, thing))}")  # noqa: S311 - invented data, not secrets


class Weighted(Generic[T]):
    """Draws one of several values by weight."""

    __slots__ = ("_sums", "_total", "values")

    def __init__(self, pairs: Iterable[tuple[T, float]]) -> None:
        listed = [(value, weight) for value, weight in pairs if weight > 0]
        if not listed:
            raise ValueError("nothing to draw from")
        self.values: Sequence[T] = [value for value, _ in listed]
        self._sums = list(accumulate(weight for _, weight in listed))
        self._total = self._sums[-1]

    def draw(self, random: Random) -> T:
        place = bisect_right(self._sums, random.random() * self._total)
        return self.values[min(place, len(self.values) - 1)]


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """`total` divided by weights into whole numbers that add up exactly (largest remainders)."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    found = [int(each) for each in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: (found[i] - exact[i], i))
    for i in by_rest[: total - sum(found)]:
        found[i] += 1
    return found

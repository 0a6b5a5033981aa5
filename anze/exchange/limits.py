"""What must be judged in Python, one row at a time, because SQL cannot, or could not even take it in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from anze.exchange.decoding import FoundProblem
from anze.exchange.feed import Feed, Field, Kind
from anze.kernel.identifiers import uscc_problem


@lru_cache(maxsize=4096)
def is_credit_code(text: str) -> bool:
    return not uscc_problem(text)


def beyond_sql(feed: Feed, row: int, values: list[Any], size: int) -> FoundProblem | None:
    """A number so large or so long that the database could not even take it in.

    `size` is the length of the whole record: only a very long one can hold a number of thousands of digits.
    """
    short = size <= 10_000
    for i, name, places in _decimals(feed):
        number = values[i]
        if number is not None and not (-30 < number.adjusted() < 30 and (short or not _is_endless(number))):
            return FoundProblem(row, name, _why(number), {"places": places})
    for i, name, inner in _decimals_of_lines(feed):
        for seq, line in enumerate(values[i], 1):
            for inner_name, places in inner:
                number = getattr(line, inner_name)
                if number is not None and not (-30 < number.adjusted() < 30 and (short or not _is_endless(number))):
                    where = f"{name}.{seq}.{inner_name}"
                    return FoundProblem(row, where, _why(number), {"places": places})
    return None


def _is_endless(number: Decimal) -> bool:
    return len(number.as_tuple().digits) > 1000


def _why(number: Decimal) -> str:
    return "too_large" if number.adjusted() >= 30 else "too_precise"


@lru_cache(maxsize=100)
def _decimals(feed: Feed) -> list[tuple[int, str, int]]:
    """Place among the fields, name and decimal places of every decimal field."""
    return [(i, each.name, each.places) for i, each in enumerate(feed.fields) if each.kind is Kind.DECIMAL]


@lru_cache(maxsize=100)
def _decimals_of_lines(feed: Feed) -> list[tuple[int, str, list[tuple[str, int]]]]:
    found = []
    for i, each in enumerate(feed.fields):
        inner = [(inner.name, inner.places) for inner in each.of if inner.kind is Kind.DECIMAL]
        if each.kind is Kind.ROWS and inner:
            found.append((i, each.name, inner))
    return found


def unfit_list(number: int, each: Field, lines: Iterable[Any]) -> Iterator[FoundProblem]:
    """What is wrong with the numbers of a LIST, which no SQL looks into."""
    for seq, line in enumerate(lines, 1):
        for inner in each.of:
            value = getattr(line, inner.name)
            if inner.kind is not Kind.DECIMAL or value is None:
                continue
            name = f"{each.name}.{seq}.{inner.name}"
            low = inner.minimum if inner.minimum is not None else -(10 ** (inner.digits - inner.places))
            high = inner.maximum if inner.maximum is not None else 10 ** (inner.digits - inner.places)
            if not value.is_finite() or not low <= value <= high:
                yield FoundProblem(number, name, "too_large")
            elif value != round(value, inner.places):
                yield FoundProblem(number, name, "too_precise", {"places": inner.places})

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


def beyond_sql(feed: Feed, values: list[Any], decimal_at: list[int], line_at: list[int], size: int) -> str:
    """The field whose number is so large or so long that the database could not even take it in, or ''."""
    for i in decimal_at:
        if values[i] is not None and not -30 < values[i].adjusted() < 30:
            return feed.fields[i].name
    for i in line_at:
        inner_at = [n for n, inner in enumerate(feed.fields[i].of) if inner.kind is Kind.DECIMAL]
        if not inner_at:
            continue
        for seq, line in enumerate(values[i], 1):
            for n in inner_at:
                number = getattr(line, feed.fields[i].of[n].name)
                if number is not None and (
                    not -30 < number.adjusted() < 30 or (size > 10_000 and _is_endless(number))
                ):
                    return f"{feed.fields[i].name}.{seq}.{feed.fields[i].of[n].name}"
    if size > 10_000:
        # only a very long record can hold a number of thousands of digits
        return next(
            (feed.fields[i].name for i in decimal_at if values[i] is not None and _is_endless(values[i])), ""
        )
    return ""


def _is_endless(number: Decimal) -> bool:
    return len(number.as_tuple().digits) > 1000


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

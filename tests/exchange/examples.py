"""The feeds' example rows, put to work: what a feed refers to is sent before, in the feeds' own order."""

from __future__ import annotations

from typing import Any

from anze.exchange.feed import Feed, Field, Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch
from anze.kernel.identifiers import make_uscc
from anze.parties.models import Organisation
from tests.cast import Cast


def sender_of(cast: Cast, feed: Feed) -> Organisation:
    return cast.huaihai if feed.of_insurer else cast.province


def send_examples(cast: Cast, before: str = "", through: str = "") -> None:
    """Send the two example rows of every feed, up to the feed named: without it, or through it."""
    for name, feed in FEEDS.items():
        if name == before:
            return
        cast.accepted(sender_of(cast, feed), name, *feed.example_rows())
        if name == through:
            return


def example(feed: Feed, number: int = 0, **words: Any) -> dict[str, Any]:
    """An example row with some fields changed; None leaves a field out."""
    row = {**feed.example_rows()[number], **words}
    return {name: value for name, value in row.items() if value is not None}


def found(cast: Cast, feed: Feed, row: Any) -> list[tuple[str, str]]:
    """What is found in one row sent alone: field and code. The row's fate must agree."""
    batch = cast.send(sender_of(cast, feed), feed.name, row)
    findings = findings_of(batch)
    assert (batch.outcomes == "R") == bool(findings), (batch.outcomes, findings)
    return findings


def found_each(cast: Cast, feed: Feed, rows: list[Any]) -> list[list[tuple[str, str]]]:
    """What is found in each of many rows of one batch. Those that could be accepted get keys of their own."""
    batch = cast.send(sender_of(cast, feed), feed.name, *rows)
    each: list[list[tuple[str, str]]] = [[] for _row in rows]
    for finding in batch.findings.order_by("row", "id"):
        each[finding.row - 1].append((finding.field, finding.code))
    assert batch.outcomes == "".join("R" if findings else "A" for findings in each)
    return each


def with_own_keys(feed: Feed, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a different key each, so that one batch can hold them."""
    name = feed.key_fields[0]
    if feed.get(name).kind is Kind.USCC:
        return [{**row, name: make_uscc("370102", 100 + i)} for i, row in enumerate(rows)]
    return [{**row, name: f"K{i}"} for i, row in enumerate(rows)]


def findings_of(batch: Batch) -> list[tuple[str, str]]:
    return [(finding.field, finding.code) for finding in batch.findings.order_by("row", "id")]


def inner_fields(feed: Feed) -> list[tuple[Field, Field]]:
    """The fields of lines, each with the field it stands in."""
    return [(each, inner) for each in feed.fields if each.kind in (Kind.ROWS, Kind.LIST) for inner in each.of]


def with_line(feed: Feed, outer: Field, **words: Any) -> dict[str, Any]:
    """An example row whose first line has some fields changed; None leaves a field out."""
    lines = example(feed).get(outer.name) or [{inner.name: inner.example[0] for inner in outer.of}]
    first = {**lines[0], **words}
    return example(feed, **{outer.name: [{k: v for k, v in first.items() if v is not None}, *lines[1:]]})

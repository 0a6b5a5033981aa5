"""What a batch brought, opened again: its rows for publishing, and single records as they were sent."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from anze.exchange.decoding import DecodedRow, FoundProblem, RowDecoder, split_rows
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch
from anze.exchange.refusals import UnreadableFile
from anze.exchange.uploads import FILE_TYPES, Upload, read_upload


class Payload(Protocol):
    @property
    def rows(self) -> Iterable[DecodedRow]:
        """The rows, read as they are asked for."""

    def place(self, problem: FoundProblem) -> FoundProblem:
        """The finding, with the address of its cell where there are cells."""

    def contents(self, wanted: set[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The records of these rows, as far as they can be read, as they were sent."""


class Json:
    """NDJSON or a JSON array."""

    def __init__(self, feed: Feed, body: bytes, content_type: str) -> None:
        self._feed, self._body, self._type = feed, body, content_type

    @property
    def rows(self) -> Iterator[DecodedRow]:
        decoder = RowDecoder(self._feed)
        for number, raw in enumerate(split_rows(self._body, self._type), 1):
            yield decoder.decode(number, raw)

    def place(self, problem: FoundProblem) -> FoundProblem:
        return problem

    def contents(self, wanted: set[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, raw in enumerate(split_rows(self._body, self._type), 1):
            if number in wanted:
                yield number, _record(raw)


def _record(raw: bytes) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


class File:
    """A workbook or a CSV table."""

    def __init__(self, feed: Feed, body: bytes) -> None:
        self._feed, self._body = feed, body
        self.upload: Upload = read_upload(feed, body)

    @property
    def rows(self) -> list[DecodedRow]:
        if self.upload.problems:
            first = self.upload.problems[0]
            raise UnreadableFile(first.code, row=first.row, **first.values)
        return self.upload.rows

    def place(self, problem: FoundProblem) -> FoundProblem:
        return self.upload.place(problem)

    def contents(self, wanted: set[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        return iter(read_upload(self._feed, self._body, wanted).contents.items())


def open_payload(batch: Batch) -> Payload:
    feed, body = FEEDS[batch.feed], gzip.decompress(batch.payload)
    if batch.content_type in FILE_TYPES:
        return File(feed, body)
    return Json(feed, body, batch.content_type)

"""From bytes to typed rows, one at a time, with findings instead of exceptions.

The fast path decodes a line straight into the feed's struct. Only a line that fails is looked at field by
field, so that its sender learns everything that is wrong with it at once.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from anze.exchange.feed import MOST_LINES, Feed, Field, Kind
from anze.kernel.refusal import Refused

NOTHING: Mapping[str, Any] = MappingProxyType({})


class FoundProblem(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with a row. A batch of nothing but errors has half a million of them, hence so small: the
    values that come again and again are one object."""

    row: int
    field: str
    code: str
    values: Mapping[str, Any] = NOTHING


class DecodedRow(msgspec.Struct):
    """One of these a row, on the hot path: a struct is made in a fraction of a dataclass's time."""

    row: int
    record: Any  # the feed's struct, or None when the row cannot be read
    problems: list[FoundProblem] = []  # each row gets a list of its own


_EXPECTED = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`")


@lru_cache(1000)
def _types_in(problem: str) -> dict[str, str]:
    found = _EXPECTED.search(problem)
    return found.groupdict() if found else {}


def split_rows(body: bytes, content_type: str) -> Iterator[bytes]:
    """The raw rows of a body. A JSON array is split without decoding its elements twice."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in body[:64]:
        raise Refused(
            "wrong_encoding",
            _("The body is not UTF-8 text."),
            remedy=_("Encode the data in UTF-8; GBK and UTF-16 are not accepted by the interface."),
            status=400,
        )
    body = body.removeprefix(codecs.BOM_UTF8)
    if content_type == "application/json":
        try:
            yield from (bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise Refused(
                "broken_json",
                _("The body is not a JSON array: %(problem)s"),
                remedy=_("Send [{…}, {…}] encoded in UTF-8, or NDJSON with one object a line."),
                status=400,
                values={"problem": str(problem)},
            ) from None
        return
    for line in io.BytesIO(body):  # reads on in the body, without a copy of it
        if line := line.strip():
            yield line


class RowDecoder:
    """Decodes rows of one feed."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self._strict = msgspec.json.Decoder(feed.row_type).decode
        # numbers keep every digit that was sent
        self._loose = msgspec.json.Decoder(float_hook=Decimal)
        self._fields = {each.name: each for each in feed.fields}

    def decode(self, row: int, raw: bytes) -> DecodedRow:
        if b"\\u0000" not in raw:
            try:
                return DecodedRow(row, self._strict(raw))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass  # looked at again below, field by field
        try:
            content = self._loose.decode(raw)
        except UnicodeDecodeError:
            return DecodedRow(row, None, [FoundProblem(row, "", "wrong_encoding")])
        except (msgspec.MsgspecError, RecursionError) as problem:
            code = "wrong_encoding" if "utf-8" in str(problem).lower() else "broken_json"
            return DecodedRow(row, None, [FoundProblem(row, "", code, {"problem": str(problem)})])
        return self.read(row, content)

    def read(self, row: int, content: Any) -> DecodedRow:
        """Judge a row field by field; the way of everything a person typed."""
        if not isinstance(content, dict):
            return DecodedRow(row, None, [FoundProblem(row, "", "not_an_object")])
        problems: list[FoundProblem] = []
        good: dict[str, Any] = {}
        for name in content:
            if name not in self._fields:
                problems.append(FoundProblem(row, str(name)[:60], "unknown_field"))
        for each in self.feed.fields:
            if each.name not in content:
                if each.required:
                    problems.append(FoundProblem(row, each.name, "missing_field"))
                continue
            value, found = _read_field(row, each, content[each.name], each.name)
            problems += found
            if not found:
                good[each.name] = value
        if problems:
            return DecodedRow(row, None, problems)
        return DecodedRow(row, self.feed.row_type(**good))


def _read_field(row: int, each: Field, value: Any, path: str) -> tuple[Any, list[FoundProblem]]:
    if value in ("", None) and each.required and each.kind is not Kind.BOOL:
        return None, [FoundProblem(row, path, "missing_field")]
    if value is None and not each.required:
        return each.blank, []
    if each.kind in (Kind.ROWS, Kind.LIST) and isinstance(value, list):
        problems: list[FoundProblem] = []
        for number, line in enumerate(value, 1):
            if not isinstance(line, dict):
                problems.append(FoundProblem(row, f"{path}.{number}", "not_an_object"))
                continue
            names = {inner.name for inner in each.of}
            problems += [
                FoundProblem(row, f"{path}.{number}.{name}"[:60], "unknown_field") for name in line if name not in names
            ]
            for inner in each.of:
                if inner.name not in line:
                    if inner.required:
                        problems.append(FoundProblem(row, f"{path}.{number}.{inner.name}", "missing_field"))
                    continue
                problems += _read_field(row, inner, line[inner.name], f"{path}.{number}.{inner.name}")[1]
        if problems:
            return None, problems
    try:
        # strict as the interface is; only numbers may come as text, which JSON senders use for money
        read = msgspec.convert(value, type=each.strict_type, strict=True)
    except msgspec.ValidationError as problem:
        return None, [_explained(row, each, value, path, str(problem))]
    if _has_nul(value):
        return None, [FoundProblem(row, path, "forbidden_character")]
    return read, []


def _explained(row: int, each: Field, value: Any, path: str, problem: str) -> FoundProblem:
    if each.kind in (Kind.CODE, Kind.CODES) and each.codes is not None and "Invalid enum value" in problem:
        return FoundProblem(
            row, path, "not_in_code_list", {"value": str(value)[:80], "codes": ", ".join(each.codes.values)}
        )
    if each.kind is Kind.TEXT and "length" in problem and "<=" in problem:
        return FoundProblem(row, path, "too_long", {"limit": each.max_length})
    if each.kind in (Kind.ROWS, Kind.LIST) and "length" in problem:
        few = ">=" in problem
        limit = each.minimum if few else MOST_LINES
        return FoundProblem(row, path, "too_few_lines" if few else "too_many_lines", {"limit": limit})
    if types := _types_in(problem):
        return FoundProblem(row, path, "wrong_type", types)
    if each.kind is Kind.INTEGER and (">=" in problem or "<=" in problem):
        return FoundProblem(row, path, "too_large")
    return FoundProblem(row, path, "bad_value", {"problem": problem[:160]})


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, list):
        return any(_has_nul(each) for each in value)
    if isinstance(value, dict):
        return any(_has_nul(each) for each in value.values())
    return False

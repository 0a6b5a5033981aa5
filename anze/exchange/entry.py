"""A record as a form: what is typed is read as in a spreadsheet cell and judged as everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import capfirst

from anze.exchange.decoding import FoundProblem
from anze.exchange.feed import MOST_LINES, SENDER, Feed, Field, Kind, Reference
from anze.exchange.receipts import explained_problems
from anze.exchange.refusals import Unreadable
from anze.exchange.uploads import column_of

# When it was entered elsewhere is no question to somebody who enters it here.
NOT_ASKED = ("entered_at",)


@dataclass
class Typed:
    """One field of the form: what stands in it, and what is wrong with it."""

    each: Field
    id: str
    value: str = ""
    chosen: tuple[str, ...] = ()
    problems: list[tuple[str, str]] = field(default_factory=list)
    locked: bool = False

    @property
    def title(self) -> str:
        return capfirst(str(self.each.title))

    @property
    def shape(self) -> str:
        """How it is asked for: select, checks, yesno, date, datetime-local, number, long or text."""
        kind = self.each.kind
        if kind is Kind.CODE:
            return "select"
        if kind is Kind.CODES:
            return "checks"
        if kind is Kind.BOOL:
            return "yesno"
        if kind is Kind.DATE and _is_iso(self.value, date):
            return "date"
        if kind is Kind.MOMENT and _is_iso(self.value, datetime):
            return "datetime-local"
        if kind in (Kind.INTEGER, Kind.DECIMAL):
            return "number"
        return "long" if kind is Kind.TEXT and self.each.max_length > 250 else "text"


@dataclass
class TypedLine:
    number: int  # in the names of its inputs
    fields: list[Typed]
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class TypedLines:
    each: Field
    lines: list[TypedLine]
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def title(self) -> str:
        return capfirst(str(self.each.title))

    @property
    def next(self) -> int:
        return max((line.number for line in self.lines), default=-1) + 1


@dataclass
class Entry:
    """The whole form."""

    feed: Feed
    fields: list[Typed]
    lists: list[TypedLines]
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many refusals stand somewhere in the form."""
        lines = [line for each in self.lists for line in each.lines]
        typed: list[Any] = [*self.fields, *(each for line in lines for each in line.fields), *self.lists, *lines]
        return len(self.problems) + sum(len(each.problems) for each in typed)


def _is_iso(text: str, kind: type[date] | type[datetime]) -> bool:
    """Whether the browser's own picker would show it; else it stays as it was typed."""
    try:
        kind.fromisoformat(text)
    except ValueError:
        return not text
    return True


# the form from what is known ------------------------------------------------------------------------------


def blank_entry(feed: Feed) -> Entry:
    return entry_of(feed, {})


def entry_of(feed: Feed, content: Mapping[str, Any], *, locked: bool = False) -> Entry:
    """The form with a record's values in it; `locked` keeps its number from being changed."""
    fields = [
        _typed(each, each.name, content.get(each.name), locked=locked and each.name in feed.key_fields)
        for each in asked(feed)
    ]
    lists = [
        TypedLines(
            each,
            [_line(each, n, line) for n, line in enumerate(content.get(each.name) or [{}] * int(each.minimum or 0))],
        )
        for each in feed.fields
        if each.of
    ]
    return Entry(feed, fields, lists)


def asked(feed: Feed) -> list[Field]:
    return [each for each in feed.fields if not each.of and each.name not in NOT_ASKED]


def _line(each: Field, number: int, content: Mapping[str, Any]) -> TypedLine:
    return TypedLine(
        number, [_typed(inner, f"{each.name}-{number}-{inner.name}", content.get(inner.name)) for inner in each.of]
    )


def blank_line(each: Field, number: int) -> TypedLine:
    return _line(each, number, {})


def _typed(each: Field, name: str, value: Any, *, locked: bool = False) -> Typed:
    if each.kind is Kind.CODES:
        return Typed(each, name, chosen=tuple(value or ()), locked=locked)
    return Typed(each, name, _text(each, value), locked=locked)


def _text(each: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


# what was sent --------------------------------------------------------------------------------------------


def read_entry(feed: Feed, data: QueryDict) -> tuple[Entry, dict[str, Any], list[FoundProblem]]:
    """The form as it was sent, its content in the interface's terms, and what could not be read."""
    content: dict[str, Any] = {}
    problems: list[FoundProblem] = []
    fields = [_sent(each, each.name, each.name, data, content, problems) for each in asked(feed)]
    lists = []
    for each in feed.fields:
        if not each.of:
            continue
        lines: list[Any] = []
        for number in _line_numbers(each, data):
            line: dict[str, Any] = {}
            path = f"{each.name}.{len(lines) + 1}"
            found: list[FoundProblem] = []
            typed = [
                _sent(
                    inner, f"{each.name}-{number}-{inner.name}", f"{path}.{inner.name}", data, line, found, inner.name
                )
                for inner in each.of
            ]
            if not line and not found:
                continue  # an empty line is none
            lines.append(TypedLine(number, typed))
            problems += found
            content.setdefault(each.name, []).append(line)
        lists.append(TypedLines(each, lines))
    return Entry(feed, fields, lists), content, problems


def _line_numbers(each: Field, data: QueryDict) -> list[int]:
    """The numbers of the lines that were sent, in the order of the form."""
    found: dict[int, None] = {}
    start = f"{each.name}-"
    for name in data:
        if name.startswith(start):
            number = name[len(start) :].partition("-")[0]
            if number.isascii() and number.isdigit() and len(number) < 6:
                found[int(number)] = None
    return list(found)[: MOST_LINES + 1]


def _sent(
    each: Field,
    name: str,
    path: str,
    data: QueryDict,
    content: dict[str, Any],
    problems: list[FoundProblem],
    key: str = "",
) -> Typed:
    """One input: kept as typed, and read into `content` under its field's name."""
    if each.kind is Kind.CODES:
        chosen = tuple(data.getlist(name))
        if chosen:
            content[key or each.name] = list(chosen)
        return Typed(each, name, chosen=chosen)
    text = data.get(name, "")
    try:
        value = column_of(each).read(text)
    except Unreadable as refused:
        problems.append(FoundProblem(1, path, refused.code, dict(refused.values)))
        content[key or each.name] = text
    else:
        if value is not None and (each.name, value) != ("is_void", False):  # not void is what goes without saying
            content[key or each.name] = value
    return Typed(each, name, text)


def sent_unchanged(feed: Feed, row: models.Model, content: Mapping[str, Any]) -> bool:
    """Whether the form came back as it was given out, however the record's numbers were written when it came."""
    given = QueryDict(mutable=True)
    entry = entry_of(feed, content_of(feed, row))
    lines = [line for each in entry.lists for line in each.lines]
    for typed in (*entry.fields, *(each for line in lines for each in line.fields)):
        given.setlist(typed.id, list(typed.chosen) if typed.each.kind is Kind.CODES else [typed.value])
    _entry, known, problems = read_entry(feed, given)
    return not problems and known == {name: value for name, value in content.items() if name not in NOT_ASKED}


def show_problems(entry: Entry, problems: list[FoundProblem]) -> None:
    """Put each refusal, with its remedy, where it belongs in the form."""
    fields = {typed.each.name: typed for typed in entry.fields}
    lists = {each.each.name: each for each in entry.lists}
    for told in explained_problems(entry.feed.name, problems):
        words = (told["message"], told["remedy"])
        first, _dot, rest = told["field"].partition(".")
        number, _dot, inner = rest.partition(".")
        if first in fields:
            fields[first].problems.append(words)
        elif first in lists and number.isdigit() and int(number) <= len(lists[first].lines):
            line = lists[first].lines[int(number) - 1]
            typed = next((each for each in line.fields if each.each.name == inner), None)
            (typed.problems if typed else line.problems).append(words)
        elif first in lists:
            lists[first].problems.append(words)
        else:
            entry.problems.append(words)


# a record on file -----------------------------------------------------------------------------------------


def content_of(feed: Feed, row: models.Model) -> dict[str, Any]:
    """A record on file in the terms in which it was sent, as far as the reader's scope shows what it names."""
    content = {each.name: _stored(feed, each, row, feed.references) for each in feed.fields if not each.of}
    for each in feed.fields:
        if each.kind is Kind.LIST:
            content[each.name] = getattr(row, each.stored_as)
    for lines in feed.lines:
        own = lines.model._default_manager.filter(**{lines.parent: row.pk}).order_by("seq")
        content[lines.field] = [
            {inner.name: _stored(feed, inner, line, lines.references) for inner in feed.get(lines.field).of}
            for line in own
        ]
    return content


def _stored(feed: Feed, each: Field, row: Any, references: tuple[Reference, ...]) -> Any:
    if each.stored_as and hasattr(row, each.stored_as):
        return getattr(row, each.stored_as)
    for reference in references:
        column = next(
            (column for column, name in reference.match.items() if name == each.name and name != SENDER), None
        )
        ours = next((ours for ours, theirs in reference.gives.items() if theirs == "id"), None)
        if column and ours and (key := getattr(row, ours, None)):
            return reference.model._default_manager.filter(pk=key).values_list(column, flat=True).first()
        if column and not ours:
            # found by a row beside it that names the same: a task by the insurer's share of it
            ours, theirs = next(iter(reference.gives.items()), ("", ""))
            if ours and (key := getattr(row, ours, None)):
                return reference.model._default_manager.filter(**{theirs: key}).values_list(column, flat=True).first()
    return row.event_on if each.name == feed.event else None

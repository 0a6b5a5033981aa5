"""Columns: what a list shows of a row, inferred from the model, and how a value looks on a page and in a file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from markupsafe import escape

from anze.kernel.actor import Actor
from anze.kernel.database import policies_of
from anze.kernel.duty import deadline_text, is_deadline
from anze.screen.pages import in_yuan, moment, money, percent

Words = str | Promise
DASH = "–"


class Kind(Enum):
    """How a value is shown. The value of the member is the class of its table cells."""

    TEXT = ""
    CODE = "code"
    LABEL = "label"
    STATE = "state-cell"
    MONEY = "amount"
    NUMBER = "numeric"
    RATIO = "numeric ratio"
    DATE = "date"
    MONTH = "date month"
    MOMENT = "moment"
    DEADLINE = "moment deadline"
    BOOL = "bool"
    NAME = "name"


# names of small public tables ---------------------------------------------------------------------------------


class Directory:
    """The names of a small public table (regions, organisations), kept in the process for a minute.

    Lists need them on every row; a join would cost every page what one look-up a minute costs here.
    """

    def __init__(self, load: Callable[[], Iterable[tuple[Any, str]]], seconds: int = 60) -> None:
        self._load = load
        self._seconds = seconds
        self._kept: dict[str, tuple[float, dict[Any, str]]] = {}

    def names(self, fresh: bool = False) -> dict[Any, str]:
        """All names in the present language, read again when they are too old."""
        language = get_language() or ""
        kept = self._kept.get(language)
        if fresh or kept is None or time.monotonic() - kept[0] > self._seconds:
            kept = (time.monotonic(), dict(self._load()))
            self._kept[language] = kept
        return kept[1]

    def name(self, key: Any) -> str:
        """The name of one; what is not known, though read again, is shown as its key."""
        if key is None or key == "":
            return DASH
        names = self.names()
        found = names.get(key)
        if found is None:
            names = self.names(fresh=True)
            # whatever it is, do not ask for it again with every row
            found = names.setdefault(key, str(key))
        return found


DIRECTORIES: dict[type[models.Model], Directory] = {}
REGIONS: list[Directory] = []


def directory(
    model: type[models.Model], load: Callable[[], Iterable[tuple[Any, str]]], *, of_regions: bool = False
) -> Directory:
    """Name a small public table's rows; `of_regions` marks the one that names region codes."""
    made = Directory(load)
    DIRECTORIES[model] = made
    if of_regions:
        REGIONS[:] = [made]
    return made


def region_name(code: str) -> str:
    return REGIONS[0].name(code) if REGIONS else code


@lru_cache(maxsize=500)
def _labels(choices: tuple[tuple[Any, Any], ...], language: str) -> dict[Any, str]:
    return {value: str(label) for value, label in choices}


def labels(choices: Iterable[tuple[Any, Any]]) -> dict[Any, str]:
    """Value → words of a code list in the reader's language, put together once a language."""
    return _labels(tuple(choices), get_language() or "")


@lru_cache(maxsize=500)
def readers_of(model: type[models.Model]) -> frozenset[str]:
    """The database roles that can read a table at all; for any other a query on it would fail."""
    return frozenset(role for role, condition in policies_of(model).items() if condition != "false")


# columns ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """One column. `path` is a field, or `relation__field` one step away.

    `opens`: the detail page a click leads to, of the row itself or of the related row. `permission`: the column
    does not exist for those who lack it. `hide_for`: nor for readers whose scope fixes this column of it anyway.
    `tones`: value → success, info, warning, danger. `compute` makes the value from the fields of `needs` and the
    moment of the request instead of reading it.
    """

    path: str
    title: Words | None = None
    kind: Kind | None = None
    opens: str = ""
    permission: str = ""
    hide_for: str = ""
    choices: tuple[tuple[Any, Any], ...] = ()
    tones: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    compute: Callable[..., Any] | None = None
    optional: bool = False
    places: int = 2
    opens_row: bool = False  # the page opened is the row's own, also where the value is a related row's

    @property
    def name(self) -> str:
        return self.path

    def is_for(self, actor: Actor) -> bool:
        if self.permission and not actor.may(self.permission):
            return False
        return not (self.hide_for and getattr(actor.scope, self.hide_for, None))


@dataclass(frozen=True)
class Plan:
    """A column worked out against its model: where the value is read and how it is shown."""

    column: Column
    name: str
    title: Words
    kind: Kind
    reads: tuple[str, ...]  # columns of the main query
    choices: tuple[tuple[Any, Any], ...] = ()
    related: type[models.Model] | None = None  # looked up by the first of `reads`
    related_field: str = ""
    directory: Directory | None = None
    places: int = 2

    @property
    def heading(self) -> str:
        title = capfirst(str(self.title))
        return in_yuan(title) if self.kind is Kind.MONEY else title

    def is_for(self, actor: Actor) -> bool:
        """Whether the column exists for somebody: by permission, by scope, and by what his scope can read."""
        if self.related is not None and actor.scope.reader not in readers_of(self.related):
            return False
        return self.column.is_for(actor)


def plan(model: type[models.Model], column: Column) -> Plan:
    """Work a column out. Raises FieldDoesNotExist for a path the model does not have."""
    if column.compute is not None:
        if column.title is None:
            raise ValueError(f"the computed column {column.name} has no title")
        kind = column.kind or (Kind.STATE if column.choices else Kind.TEXT)
        return Plan(column, column.name, column.title, kind, column.needs, column.choices, places=column.places)
    first, _sep, rest = column.path.partition("__")
    source = model._meta.get_field(first)
    assert isinstance(source, models.Field)
    title = column.title or source.verbose_name
    if isinstance(source, models.ForeignKey):
        related = source.related_model
        if related in DIRECTORIES and not rest:
            return Plan(
                column,
                column.name,
                title,
                column.kind or Kind.NAME,
                (source.attname,),
                directory=DIRECTORIES[related],
            )
        target: Any = related._meta.get_field(rest)
        kind = column.kind or _kind(target)
        shown = tuple(column.choices or target.flatchoices or ())
        return Plan(
            column, column.name, title if rest == "name" else column.title or target.verbose_name, kind,
            (source.attname,), shown, related, target.attname, places=column.places,
        )  # fmt: skip
    kind = column.kind or _kind(source)
    shown = tuple(column.choices or source.flatchoices or ())
    if column.tones and kind is Kind.LABEL:
        kind = Kind.STATE
    places = column.places
    if isinstance(source, models.DecimalField) and kind in (Kind.MONEY, Kind.NUMBER):
        places = source.decimal_places
    found = REGIONS[0] if REGIONS and source.name == "region_code" else None
    if found:
        kind = Kind.NAME
    return Plan(column, column.name, title, kind, (source.attname,), shown, directory=found, places=places)


def _kind(source: models.Field[Any, Any]) -> Kind:
    if source.flatchoices:
        return Kind.LABEL
    if isinstance(source, models.BooleanField):
        return Kind.BOOL
    if isinstance(source, models.DateTimeField):
        return Kind.DEADLINE if is_deadline(source.name) else Kind.MOMENT
    if isinstance(source, models.DateField):
        return Kind.MONTH if source.name == "month" else Kind.DATE
    if isinstance(source, models.DecimalField):
        # of so many digits are sums only; scores and points have few
        return Kind.MONEY if source.decimal_places == 2 and source.max_digits >= 12 else Kind.NUMBER
    name = source.name
    if isinstance(source, models.IntegerField):
        # a year is a name: nobody writes it with a thousands separator
        return Kind.TEXT if name == "year" else Kind.NUMBER
    if name.endswith(("_no", "uscc", "code", "number")) or isinstance(source, models.UUIDField):
        return Kind.CODE
    return Kind.TEXT


# values -------------------------------------------------------------------------------------------------------


def text_of(plan: Plan) -> Callable[[Any], str]:
    """How a value of the column reads, in the present language. Made once a request, used for every row."""
    kind = plan.kind
    if plan.directory is not None:
        return plan.directory.name
    if kind in (Kind.LABEL, Kind.STATE):
        words = labels(plan.choices)
        return lambda value: words.get(value, DASH if value in (None, "") else str(value))
    if kind is Kind.MONEY:
        return money
    if kind is Kind.NUMBER:
        return lambda value: DASH if value is None else f"{value:,}"
    if kind is Kind.RATIO:
        return lambda value: percent(value, plan.places)
    if kind is Kind.DATE:
        return lambda value: DASH if value is None else value.isoformat()
    if kind is Kind.MONTH:
        return lambda value: DASH if value is None else f"{value:%Y-%m}"
    if kind is Kind.MOMENT:
        return moment
    if kind is Kind.DEADLINE:
        return lambda value: DASH if value is None else deadline_text(value)
    if kind is Kind.BOOL:
        yes, no = _now("yes"), _now("no")
        return lambda value: DASH if value is None else yes if value else no
    return lambda value: DASH if value in (None, "") else str(value)


_SPECIAL = re.compile("[&<>\"']").search


def html(text: str) -> str:
    """Text as it may stand in a page. Most has nothing to escape, and lists have hundreds of them."""
    return text if _SPECIAL(text) is None else str(escape(text))


_PLAIN = (Kind.MONEY, Kind.NUMBER, Kind.RATIO, Kind.DATE, Kind.MONTH, Kind.MOMENT, Kind.DEADLINE)


def cell_of(plan: Plan) -> Callable[[Any], str]:
    """How a value looks in a table cell, as HTML: its text, marked as a code, or as a state with its tone."""
    text = text_of(plan)
    if plan.directory is None and plan.kind in _PLAIN:
        return text
    if plan.kind is Kind.CODE:
        return lambda value: f'<span class="code">{html(text(value))}</span>' if value else DASH
    if plan.kind is Kind.STATE:
        tones = plan.column.tones
        words = {
            value: f'<span class="state{" state-" + tones[value] if value in tones else ""}">{html(name)}</span>'
            for value, name in labels(plan.choices).items()
            if value != ""  # nothing is no state
        }
        return lambda value: words.get(value) or html(text(value))
    if plan.kind is Kind.TEXT and plan.directory is None:
        # long texts are cut by the style sheet, and the whole is shown on hovering
        def cut(value: Any) -> str:
            said = html(text(value))
            return said if len(said) < 24 else f'<span class="truncate" title="{said}">{said}</span>'

        return cut
    return lambda value: html(text(value))


def file_value(plan: Plan) -> Callable[[Any], Any]:
    """What stands in a spreadsheet's cell: numbers and days as such, everything else as it reads.

    A deadline is written out: a spreadsheet knows no 24:00."""
    text = text_of(plan)
    if plan.directory is None:
        if plan.kind in (Kind.MONEY, Kind.NUMBER, Kind.RATIO):
            return lambda value: None if value is None else float(value) if isinstance(value, Decimal) else value
        if plan.kind is Kind.DATE:
            return lambda value: value
        if plan.kind is Kind.MOMENT:
            return lambda value: None if value is None else timezone.localtime(value).replace(tzinfo=None)
    return lambda value: "" if value in (None, "") else text(value)


@lru_cache(maxsize=500)
def detail_url(page: str) -> tuple[str, str]:
    """What stands before and after the id in a detail page's address, so that a row needs no reverse()."""
    blank = UUID(int=0)
    before, after = reverse(page, args=[blank]).split(str(blank))
    return before, after


def opened(cell: Callable[[Any], str], page: str) -> Callable[[Any, Any], str]:
    """A cell that leads to a detail page; without an id it stays plain."""
    before, after = detail_url(page)

    def show(value: Any, key: Any) -> str:
        inner = cell(value)
        if key is None or inner == DASH:
            return inner
        return f'<a href="{before}{key}{after}">{inner}</a>'

    return show


def show_value(value: Any) -> str:
    """A value without a column, as in the details of an event."""
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return _now("yes") if value else _now("no")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:,}"
    return str(value)

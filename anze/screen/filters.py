"""Filters of a list. Each reads its own words of the address, ignores what it cannot read, and narrows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _now

from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, end_of_day, is_deadline
from anze.kernel.models import parameter
from anze.kernel.scope import region_range
from anze.screen.columns import DIRECTORIES, labels, region_name

Words = str | Promise
Option = tuple[str, str]


@dataclass(frozen=True)
class Asking:
    """Who asks and when; what some filters need beside their own words."""

    actor: Actor
    at: datetime
    _numbers: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def number(self, key: str) -> int:
        """A parameter on the day of asking; a list of a hundred rows looks it up once."""
        if key not in self._numbers:
            self._numbers[key] = int(parameter(key, beijing_day(self.at)))
        return self._numbers[key]


class Before(models.Lookup):  # type: ignore[type-arg] # generic only for the type checker
    """`field__byte_lt`: less in the order of bytes, whatever the database's collation."""

    lookup_name = "byte_lt"
    operator = "~<~"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_words = self.process_lhs(compiler, connection)
        right, right_words = self.process_rhs(compiler, connection)
        return f"{left} {self.operator} {right}", [*left_words, *right_words]


class NotBefore(Before):
    """`field__byte_gte`: not less in the order of bytes."""

    lookup_name = "byte_gte"
    operator = "~>=~"


models.CharField.register_lookup(Before)
models.CharField.register_lookup(NotBefore)


def begins(path: str, text: str) -> Q:
    """`path` begins with `text`, written as a range.

    LIKE is not leakproof, so under row-level security it could not use an index; these operators are, and with
    a text_pattern_ops index they find a beginning among millions at once.
    """
    end = text[:-1] + chr(ord(text[-1]) + 1) if ord(text[-1]) not in (0xD7FF, 0x10FFFF) else ""
    found = Q(**{f"{path}__byte_gte": text})
    return found & Q(**{f"{path}__byte_lt": end}) if end else found


@dataclass(frozen=True)
class Filter:
    """`name` is the word in the address. `main` filters are always in sight, others behind “more”."""

    name: str
    title: Words = ""
    main: bool = False
    hide_for: str = ""

    shape: ClassVar[str] = ""

    def is_for(self, actor: Actor) -> bool:
        return not (self.hide_for and getattr(actor.scope, self.hide_for, None))

    @property
    def words(self) -> tuple[str, ...]:
        return (self.name,)

    def read(self, query: QueryDict) -> Any:
        """The value asked for, or None when nothing readable is."""
        return _clean(query.get(self.name, "")) or None

    def narrow(self, rows: models.QuerySet[Any], value: Any, asking: Asking) -> models.QuerySet[Any]:
        raise NotImplementedError

    def said(self, value: Any) -> str:
        """The value in words, for the mark above the list and the sheet beside an export."""
        return str(value)


LONGEST = 60


def _clean(text: str) -> str:
    """What was typed, without what the database cannot hold and with single spaces."""
    return " ".join(text.replace("\0", " ").split())


@dataclass(frozen=True)
class Search(Filter):
    """Beginnings of numbers and names of the row itself, and the enterprise it is about.

    `of_enterprise` names the relation, with the related columns to be looked at. Related rows are found first,
    so that the list itself is narrowed by ids and no join comes between it and its index.
    """

    name: str = "q"
    own: tuple[str, ...] = ()
    relation: str = ""
    related: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()  # columns of a small or the related table in which the words may stand anywhere
    main: bool = True

    shape: ClassVar[str] = "search"
    MOST: ClassVar[int] = 500

    def read(self, query: QueryDict) -> str | None:
        return _clean(query.get(self.name, ""))[:LONGEST] or None

    def narrow(self, rows: models.QuerySet[Any], value: str, asking: Asking) -> models.QuerySet[Any]:
        forms = {value, value.upper()}
        found = Q(pk__in=[])
        for path in self.own:
            for form in forms:
                found |= begins(path, form)
        for path in self.inside:
            found |= Q(**{f"{path}__contains": value})
        if self.relation:
            model: Any = rows.model._meta.get_field(self.relation).related_model
            among = Q(pk__in=[])
            for path in self.related:
                if path.endswith("uscc"):
                    for form in forms:
                        among |= begins(path, form)
                else:
                    among |= Q(**{f"{path}__contains": value})
            keys = list(model._default_manager.filter(among).values_list("pk", flat=True)[: self.MOST])
            if keys:
                found |= Q(**{f"{self.relation}__in": keys})
        return rows.filter(found)


@dataclass(frozen=True)
class Choice(Filter):
    """One or several values of a code list or of a directory."""

    path: str = ""
    choices: tuple[tuple[str, Any], ...] = ()
    options_of: Callable[[Asking], Iterable[Option]] | None = None

    shape: ClassVar[str] = "choice"

    def of(self, model: type[models.Model]) -> tuple[tuple[str, Any], ...]:
        if self.choices or self.options_of:
            return self.choices
        source = model._meta.get_field(self.path or self.name)
        assert isinstance(source, models.Field)
        return tuple(source.flatchoices or ())

    def options(self, model: type[models.Model], asking: Asking) -> list[Option]:
        if self.options_of:
            return list(self.options_of(asking))
        return [(str(value), name) for value, name in labels(self.of(model)).items() if value not in (None, "")]

    def read(self, query: QueryDict) -> list[str] | None:
        return [_clean(each)[:LONGEST] for each in query.getlist(self.name) if _clean(each)][:20] or None

    def narrow(self, rows: models.QuerySet[Any], value: list[str], asking: Asking) -> models.QuerySet[Any]:
        path = self.path or self.name
        target = rows.model._meta.get_field(path)
        known: list[Any] = []
        for each in value:
            if isinstance(target, (models.ForeignKey, models.UUIDField)):
                try:
                    known.append(UUID(each))
                except ValueError:
                    continue
            else:
                known.append(each)
        if not known:
            return rows.none()
        return rows.filter(**({path: known[0]} if len(known) == 1 else {f"{path}__in": known}))


@dataclass(frozen=True)
class Exact(Filter):
    """One text, as it stands: a campaign's code."""

    path: str = ""

    shape: ClassVar[str] = "text"

    def narrow(self, rows: models.QuerySet[Any], value: str, asking: Asking) -> models.QuerySet[Any]:
        return rows.filter(**{self.path or self.name: value})


@dataclass(frozen=True)
class Case:
    """One answer of a `Cases` filter."""

    title: Words
    condition: Callable[[Asking], Q]


@dataclass(frozen=True)
class Cases(Filter):
    """A question with a few answers, each a condition of its own: in force, overdue, not confirmed.

    `default` is the answer taken when none is given; “all” then stands for no condition at all.
    """

    cases: Mapping[str, Case] = field(default_factory=dict)
    default: str = ""

    shape: ClassVar[str] = "cases"

    def options(self, model: type[models.Model], asking: Asking) -> list[Option]:
        return [(value, str(case.title)) for value, case in self.cases.items()]

    def read(self, query: QueryDict) -> str | None:
        given = query.get(self.name, "")
        return given if given in self.cases else None

    def narrow(self, rows: models.QuerySet[Any], value: str, asking: Asking) -> models.QuerySet[Any]:
        return rows.filter(self.cases[value].condition(asking))

    def said(self, value: str) -> str:
        return str(self.cases[value].title)


@dataclass(frozen=True)
class InRegion(Filter):
    """A city with all its counties, or one county."""

    name: str = "region"
    path: str = "region_code"
    main: bool = True

    shape: ClassVar[str] = "region"

    def read(self, query: QueryDict) -> str | None:
        given = query.get(self.name, "")
        return given if len(given) == 6 and given.isalnum() and given.isascii() else None

    def narrow(self, rows: models.QuerySet[Any], value: str, asking: Asking) -> models.QuerySet[Any]:
        low, high = region_range(value)
        if low == high:
            return rows.filter(**{self.path: low})
        return rows.filter(**{f"{self.path}__gte": low, f"{self.path}__lte": high})

    def said(self, value: str) -> str:
        return region_name(value)


@dataclass(frozen=True)
class Dates(Filter):
    """From and until, both included; either may be missing. Moments are judged by their Beijing day, and a deadline
    at the end of a day belongs to that day."""

    path: str = ""

    shape: ClassVar[str] = "dates"

    @property
    def words(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to")

    def read(self, query: QueryDict) -> tuple[date | None, date | None] | None:
        low, high = (_day(query.get(word, "")) for word in self.words)
        return (low, high) if low or high else None

    def narrow(self, rows: models.QuerySet[Any], value: Any, asking: Asking) -> models.QuerySet[Any]:
        path = self.path or self.name
        is_moment = isinstance(rows.model._meta.get_field(path), models.DateTimeField)
        low, high = value
        after, before = ("gt", "lte") if is_deadline(path) else ("gte", "lt")
        if low:
            beginning = {f"{path}__{after}": end_of_day(low - timedelta(days=1))}
            rows = rows.filter(**beginning if is_moment else {f"{path}__gte": low})
        if high:
            rows = rows.filter(**{f"{path}__{before}": end_of_day(high)} if is_moment else {f"{path}__lte": high})
        return rows

    def said(self, value: Any) -> str:
        low, high = value
        if low and high:
            return f"{low} – {high}"
        return _now("from %(day)s") % {"day": low} if low else _now("until %(day)s") % {"day": high}


@dataclass(frozen=True)
class Numbers(Filter):
    """At least and at most, both included."""

    path: str = ""

    shape: ClassVar[str] = "numbers"

    @property
    def words(self) -> tuple[str, ...]:
        return (f"{self.name}_min", f"{self.name}_max")

    def read(self, query: QueryDict) -> tuple[Decimal | None, Decimal | None] | None:
        low, high = (_number(query.get(word, "")) for word in self.words)
        return None if low is None and high is None else (low, high)

    def narrow(self, rows: models.QuerySet[Any], value: Any, asking: Asking) -> models.QuerySet[Any]:
        path = self.path or self.name
        low, high = value
        if low is not None:
            rows = rows.filter(**{f"{path}__gte": low})
        if high is not None:
            rows = rows.filter(**{f"{path}__lte": high})
        return rows

    def said(self, value: Any) -> str:
        low, high = value
        if low is not None and high is not None:
            return f"{low:,} – {high:,}"
        if low is not None:
            return _now("at least %(number)s") % {"number": f"{low:,}"}
        return _now("at most %(number)s") % {"number": f"{high:,}"}


@dataclass(frozen=True)
class Flag(Filter):
    """Yes or no."""

    path: str = ""

    shape: ClassVar[str] = "flag"

    def options(self, model: type[models.Model], asking: Asking) -> list[Option]:
        return [("yes", _now("yes")), ("no", _now("no"))]

    def read(self, query: QueryDict) -> bool | None:
        return {"yes": True, "no": False}.get(query.get(self.name, ""))

    def narrow(self, rows: models.QuerySet[Any], value: bool, asking: Asking) -> models.QuerySet[Any]:
        return rows.filter(**{self.path or self.name: value})

    def said(self, value: bool) -> str:
        return _now("yes") if value else _now("no")


@dataclass(frozen=True)
class Of(Filter):
    """Rows of one other row, as its page links them: the claims of this policy. Not offered, only shown."""

    path: str = ""
    condition: Callable[[UUID], Q] | None = None  # where the way to the other row is not a column
    named: Callable[[UUID], str] | None = None

    shape: ClassVar[str] = "of"

    def read(self, query: QueryDict) -> UUID | None:
        try:
            return UUID(query.get(self.name, ""))
        except ValueError:
            return None

    def narrow(self, rows: models.QuerySet[Any], value: UUID, asking: Asking) -> models.QuerySet[Any]:
        if self.condition is not None:
            return rows.filter(self.condition(value))
        return rows.filter(**{self.path or self.name: value})

    def name_of(self, model: type[models.Model], value: UUID) -> str:
        if self.named is not None:
            return self.named(value)
        source = model._meta.get_field((self.path or self.name).split("__")[0])
        related = source.related_model
        if not isinstance(related, type):
            return str(value)
        if related in DIRECTORIES:
            return DIRECTORIES[related].name(value)
        return str(related._default_manager.filter(pk=value).first() or _now("not visible to you"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _number(text: str) -> Decimal | None:
    text = text.strip().replace(",", "").replace("，", "")
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and abs(number) < Decimal(10) ** 16 else None

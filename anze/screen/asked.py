"""One request to a list: what was asked for, the rows it means, and the page of them that is shown."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, models
from django.db.models import F, Func, Q, Value
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup, escape
from psycopg.errors import QueryCanceled

from anze.kernel.wording import listed
from anze.screen.cells import Reader
from anze.screen.columns import REGIONS, Column, Plan
from anze.screen.filters import Asking, Cases, Filter, InRegion, Of

if TYPE_CHECKING:
    from anze.screen.lists import ListScreen

Rows = models.QuerySet[Any]
PAGE_SIZE = 50
COUNT_TO = 1000  # counted exactly up to here; beyond it reads “1,000+”
MANY_FOR = 60  # seconds for which “more than a thousand” is not counted again
COUNT_FOR = 60  # milliseconds; a count is worth less than the page it stands on


_MANY: dict[tuple[Any, ...], tuple[float, int | None]] = {}


def count_text(number: int) -> str:
    return f"{COUNT_TO:,}+" if number > COUNT_TO else f"{number:,}"


@dataclass(frozen=True)
class Mark:
    """An active filter in words, with the address of the list without it."""

    title: str
    said: str
    without: str


@dataclass(frozen=True)
class Head:
    """A column's head: where a click on it leads, and how it is sorted now."""

    title: str
    kind: str
    sort: str = ""
    sorted: str = ""  # ascending, descending or empty


@dataclass
class Page:
    """The rows of one page of a list as they are shown; `total` is None where counting would take too long."""

    heads: list[Head]
    rows: list[list[str]]  # cells as HTML
    tags: list[str]
    keys: list[Any]
    total: int | None
    next: str = ""
    previous: str = ""

    @property
    def lines(self) -> list[Markup]:
        """The rows as they stand in the table; closing tags of cells may be left out in HTML."""
        tags = self.tags
        return [Markup("".join([tag + cell for tag, cell in zip(tags, row, strict=True)])) for row in self.rows]

    @property
    def count(self) -> str:
        return f"{PAGE_SIZE}+" if self.total is None else count_text(self.total)


class Asked:
    """One request to a list, read from its address; unreadable words are ignored, never guessed."""

    def __init__(self, screen: ListScreen, request: HttpRequest, query: QueryDict | None = None) -> None:
        self.screen = screen
        self.request = request
        self.query = query = request.GET if query is None else query
        # a list is the same for all of a kind (see screen.kept); what is one person's own is no list
        self.asking = Asking(request.actor.kind, request.at)  # type: ignore[attr-defined]
        self.filters = screen.filters_for(self.asking)
        self.values: dict[str, Any] = {}
        for each in self.filters:
            value = each.read(query)
            if value is not None:
                self.values[each.name] = value
        self.available = screen.columns_for(self.asking)
        self.columns = self._chosen(query.get("columns", ""))
        self.sort = self._sort(query.get("sort", ""))
        self.after = query.get("after", "")
        self.before = query.get("before", "")

    def _chosen(self, given: str) -> list[Column]:
        usual = [each for each in self.available if not each.optional]
        if not given:
            return usual
        by_name = {each.name: each for each in self.available}
        chosen = [by_name[name] for name in given.split(",") if name in by_name]
        return chosen or usual

    def _sort(self, given: str) -> str:
        allowed = {self.screen.sort.lstrip("-"), *self.screen.sorts}
        known = {each.name for each in self.available}
        return given if given.lstrip("-") in allowed & known else self.screen.sort

    # addresses

    @property
    def usual_columns(self) -> list[str]:
        return [each.name for each in self.available if not each.optional]

    @property
    def chosen_names(self) -> list[str]:
        return [each.name for each in self.columns]

    def words(self, *, without: str = "") -> list[tuple[str, str]]:
        """The words of the address that matter, in a fixed order: equal questions have equal addresses."""
        kept = []
        for each in self.filters:
            if each.name in self.values and each.name != without:
                kept += [(word, value) for word in each.words for value in self.query.getlist(word) if value.strip()]
        if self.sort != self.screen.sort:
            kept.append(("sort", self.sort))
        if self.chosen_names != self.usual_columns:
            kept.append(("columns", ",".join(self.chosen_names)))
        return kept

    def address(self, *, without: str = "", **changes: str) -> str:
        """The address of this list with words changed or one filter left out; unchanged, it names the place in the list too."""
        words = [(key, value) for key, value in self.words(without=without) if key not in changes]
        words += [(key, value) for key, value in changes.items() if value]
        if not changes and not without:
            words += [(key, value) for key, value in (("after", self.after), ("before", self.before)) if value]
        return f"{self.screen.url}?{urlencode(words)}" if words else self.screen.url

    def export_url(self, kind: str) -> str:
        return f"{reverse(self.screen.name + '-export')}?{urlencode([*self.words(), ('format', kind)])}"

    # the form

    @property
    def further(self) -> list[Filter]:
        """The filters behind “more”."""
        return [each for each in self.filters if not each.main and each.shape != "of"]

    @property
    def is_open(self) -> bool:
        """Whether one of them is in use, so that it must not hide."""
        return any(each.name in self.values for each in self.further)

    def options(self, each: Any) -> Markup:
        """The options of a filter's select, with those in use marked."""
        chosen = self.query.getlist(each.name) if each.name in self.values else []
        if isinstance(each, InRegion):
            made = region_options(self.asking.actor.scope.region_from, self.asking.actor.scope.region_to)
        else:
            given = [(value, words) for value, words in each.options(self.screen.model, self.asking)]
            if isinstance(each, Cases) and each.default:
                chosen = chosen or [each.default]
            else:
                given.insert(0, ("", _now("any")))
            made = options_of(tuple(given))
        for value in chosen:
            made = Markup(made.replace(f'value="{escape(value)}"', f'value="{escape(value)}" selected', 1))
        return made

    @property
    def marks(self) -> list[Mark]:
        """The filters in use, in words."""
        marks = []
        for each in self.filters:
            if each.name in self.values:
                marks.append(Mark(self.title_of(each), self.said(each), self.address(without=each.name)))
        return marks

    def title_of(self, each: Filter) -> str:
        if each.title:
            return capfirst(str(each.title))
        if each.shape == "search":
            return str(_("Search"))
        if each.shape == "region":
            return str(_("Region"))
        path = getattr(each, "path", "") or each.name
        return capfirst(str(getattr(self.screen.model._meta.get_field(path), "verbose_name", path)))

    def said(self, each: Filter) -> str:
        value = self.values[each.name]
        if isinstance(each, Of):
            return each.name_of(self.screen.model, value)
        if each.shape == "choice":
            words = dict(each.options(self.screen.model, self.asking))  # type: ignore[attr-defined]
            return listed(words.get(key, key) for key in value)
        return each.said(value)

    # rows

    def rows(self) -> Rows:
        """Every row asked for, in no order and unpaged."""
        rows: Rows = self.screen.model._default_manager.all()
        scope = self.asking.actor.scope
        if scope.region_from and scope.region_from == scope.region_to and scope.reader in self.screen.read_by_region:
            # the policy says the same as a range; as an equality it lets an index keep the list's order
            rows = rows.filter(region_code=scope.region_from)
        if self.screen.base:
            rows = self.screen.base(rows, self.asking)
        for each in self.filters:
            if each.name in self.values:
                rows = each.narrow(rows, self.values[each.name], self.asking)
            elif isinstance(each, Cases) and each.default:
                rows = each.narrow(rows, each.default, self.asking)
        return rows

    @property
    def sort_field(self) -> models.Field[Any, Any]:
        path = self.screen.plans[self.sort.lstrip("-")].reads[0] if self.sort.lstrip("-") in self.screen.plans else ""
        found = self.screen.model._meta.get_field(path or self.sort.lstrip("-"))
        assert isinstance(found, models.Field)
        return found

    def ordered(self, rows: Rows, backwards: bool = False) -> Rows:
        """The rows in the order asked for, made complete by the key; `backwards` for the page before."""
        down = self.sort.startswith("-") != backwards
        source = self.sort_field
        if source.primary_key:
            return rows.order_by("-pk" if down else "pk")
        order: Any = F(source.attname)
        if source.null:
            # the unknown stand last going forwards, whichever way the list is sorted
            last = {"nulls_first": True} if backwards else {"nulls_last": True}
            order = order.desc(**last) if down else order.asc(**last)
        else:
            order = order.desc() if down else order.asc()
        return rows.order_by(order, "-pk" if down else "pk")

    def beyond(self, rows: Rows, mark: str, backwards: bool = False) -> Rows:
        """The rows after (or before) the one a mark names, by position in the order and not by counting."""
        place = self._place(mark)
        if place is None:
            return rows
        value, key = place
        down = self.sort.startswith("-") != backwards
        operator = "<" if down else ">"
        source = self.sort_field
        if source.primary_key:
            return rows.filter(**{f"pk__{'lt' if down else 'gt'}": key})
        if not source.null:
            return rows.filter(Position(F(source.attname), F("pk"), _value(value, source), Value(key), operator))
        further = f"pk__{'lt' if down else 'gt'}"
        name = source.attname
        if value is None:
            if backwards:
                return rows.filter(Q(**{f"{name}__isnull": False}) | Q(**{f"{name}__isnull": True, further: key}))
            return rows.filter(**{f"{name}__isnull": True, further: key})
        beyond = Q(**{f"{name}__{'lt' if down else 'gt'}": value}) | Q(**{name: value, further: key})
        return rows.filter(beyond if backwards else beyond | Q(**{f"{name}__isnull": True}))

    def _place(self, mark: str) -> tuple[Any, Any] | None:
        try:
            value, key = json.loads(base64.urlsafe_b64decode(mark.encode() + b"=="))
            pk = self.screen.model._meta.pk
            return (None if value is None else self.sort_field.to_python(value)), pk.to_python(key)
        except (ValueError, TypeError, ValidationError):
            return None

    def _mark(self, raw: Sequence[Any]) -> str:
        value, key = raw[-2], raw[-1]
        text = json.dumps([None if value is None else str(value), str(key)], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def page(self, size: int = PAGE_SIZE) -> Page:
        """One page of rows, found from the mark in the address, and where the pages beside it begin."""
        reader = Reader([self.screen.plans[each.name] for each in self.columns], self.asking)
        rows = self.rows()
        backwards = bool(self.before) and not self.after
        mark = self.before if backwards else self.after
        wanted = self.ordered(self.beyond(rows, mark, backwards) if mark else rows, backwards)
        raw = list(wanted.values_list(*reader.reads, self.sort_field.attname, "pk")[: size + 1])
        is_more = len(raw) > size
        del raw[size:]
        if backwards:
            raw.reverse()
        total: int | None = len(raw)
        if is_more or mark:
            total = self._count(rows)
        found = Page(
            heads=[self._head(each) for each in reader.plans],
            rows=reader.cells(raw),
            tags=reader.tags(),
            keys=[line[-1] for line in raw],
            total=total,
        )
        if raw:
            if is_more or backwards:
                found.next = self.address(after=self._mark(raw[-1]), before="")
            if (mark and not backwards) or (backwards and is_more):
                found.previous = self.address(before=self._mark(raw[0]), after="")
        return found

    def _count(self, rows: Rows) -> int | None:
        """The rows in all, up to one more than a thousand; None when few fit among so many that it takes long."""
        key = (self.screen.name, self.asking.actor.scope.key, tuple(self.words()))
        kept = _MANY.get(key)
        if kept and time.monotonic() < kept[0]:
            return kept[1]
        counted = rows.order_by().values("pk")[: COUNT_TO + 1]
        number: int | None = None
        if not self.values:
            number = counted.count()
        else:
            with connection.cursor() as cursor:
                # by hand, and taken back in any case: the limit goes with it, in two messages instead of four
                cursor.execute(f"SAVEPOINT counting; SET LOCAL statement_timeout = {COUNT_FOR}")
                try:
                    number = counted.count()
                except OperationalError as problem:
                    if not isinstance(problem.__cause__, QueryCanceled):
                        raise
                cursor.execute("ROLLBACK TO SAVEPOINT counting; RELEASE SAVEPOINT counting")
        if number is None or number > COUNT_TO:
            if len(_MANY) >= 5000:
                _MANY.clear()
            _MANY[key] = (time.monotonic() + MANY_FOR, number)
        return number

    def _head(self, plan: Plan) -> Head:
        title, kind = plan.heading, plan.kind.value
        if plan.name not in {self.screen.sort.lstrip("-"), *self.screen.sorts}:
            return Head(title, kind)
        present = self.sort.lstrip("-") == plan.name
        down = self.sort.startswith("-")
        turned = plan.name if present and down else f"-{plan.name}"
        if not present and not plan.kind.value.startswith(("date", "moment", "amount", "numeric")):
            turned = plan.name
        changed = self.address(sort=turned if turned != self.screen.sort else "", after="", before="")
        return Head(title, kind, changed, "" if not present else "descending" if down else "ascending")


@lru_cache(maxsize=500)
def options_of(given: tuple[tuple[str, str], ...]) -> Markup:
    return Markup("").join(Markup(f'<option value="{escape(v)}">{escape(words)}</option>') for v, words in given)


def region_options(low: str, high: str) -> Markup:
    """Cities and their counties inside a reader's own region, in the order of their codes."""
    names = REGIONS[0].names() if REGIONS else {}
    given = [("", _now("any"))]
    for code in sorted(names):
        if code.endswith("0000") or (low and not low <= code <= high):
            continue
        given.append((code, names[code] if code.endswith("00") else f"\u2003{names[code]}"))
    return options_of(tuple(given))


class Position(Func):
    """(a, b) < (c, d): one comparison of rows, which an index over (a, b) answers directly."""

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, left: Any, key: Any, value: Any, at: Any, operator: str) -> None:
        super().__init__(left, key, value, at)
        self.operator = operator

    def as_sql(self, compiler: Any, connection: Any, **_words: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        pieces, words = [], []
        for source in self.get_source_expressions():
            sql, given = compiler.compile(source)
            pieces.append(sql)
            words.extend(given)
        left, key, value, at = pieces
        return f"({left}, {key}) {self.operator} ({value}, {at})", words


def _value(value: Any, source: models.Field[Any, Any]) -> Value:
    return Value(value, output_field=source)

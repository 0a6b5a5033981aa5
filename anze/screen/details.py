"""The page of one row, declared: its facts in sections, what hangs on it under tabs, and its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from markupsafe import Markup, escape

from anze.kernel.actor import ANYBODY
from anze.kernel.models import Change, FedTable
from anze.kernel.wording import listed
from anze.screen.cells import may_open
from anze.screen.columns import DASH, Column, Kind, Plan, cell_of, opened, plan, readers_of, text_of
from anze.screen.filters import Asking
from anze.screen.history import history_of
from anze.screen.lists import LISTS, TABS, Button, ListScreen, check_reader, embedded, screen_room
from anze.screen.navigation import ROOMS
from anze.screen.registry import page

Words = str | Promise


@dataclass(frozen=True)
class Section:
    """Facts under one heading. A plain string is a field of the row."""

    title: Words
    fields: tuple[str | Column, ...]
    hides_empty: bool = False  # where most facts come only with a step, an empty one says nothing


@dataclass(frozen=True)
class Crumb:
    """One step on the way up from a row: to its order, task, topic."""

    kind: str
    title: str
    url: str = ""


@dataclass(frozen=True)
class Way:
    """What can be done with the row at present: a page to go to, or at once where nothing is to be said."""

    title: Words
    url: str
    icon: str = "arrow-right"
    tone: str = ""  # primary, danger or nothing
    at_once: bool = False


@dataclass(frozen=True)
class Fact:
    """One line of a section: name and value. `copy` is the text a click copies."""

    title: str
    value: Markup | str
    is_long: bool = False
    copy: str = ""


@dataclass(frozen=True)
class Tab:
    name: str
    title: str
    url: str
    is_open: bool


@dataclass(frozen=True)
class Tile:
    """One figure at the head of a page, contributed by the room that knows it.

    `find` makes the value, its tone and where it opens (each may be empty) by one query in the reader's scope; without
    a value there is no tile.
    """

    of: str
    name: str
    title: Words
    permission: str
    find: Callable[[HttpRequest, Any], tuple[str, str, str]]
    order: int = 50


TILES: list[Tile] = []


def tile(made: Tile) -> Tile:
    """A room contributes a figure to the page of a row of another room."""
    TILES.append(made)
    return made


@dataclass(eq=False)
class DetailScreen:
    """`named`: the columns that make the heading, else what the row calls itself. `state`: the column shown as the row's state beside it.

    `where` narrows the table to the rows that have this page. `is_own` tells whether what hangs on the row lies
    in the reader's scope at all; where it does not, no empty tabs and no zeros pretend that there is nothing.
    `base` narrows further by who asks. `climb` leads up the chain the row hangs on, topmost first; `ways` tells what
    the reader may do with the row in its present state. `extra` gives the template of a room what a declaration cannot: called with request and row.
    """

    name: str
    path: str
    title: Words
    model: type[models.Model]
    permission: str
    sections: tuple[Section, ...]
    named: tuple[str, ...]
    state: Column | None = None
    of_list: str = ""  # the list it belongs to, for the way back
    buttons: tuple[Button, ...] = ()
    has_history: bool = True
    template: str = "screen/detail.html"
    extra: Callable[[HttpRequest, Any], Mapping[str, Any]] | None = None
    tabs: tuple[tuple[str, Words, str, Callable[[HttpRequest, Any], Mapping[str, Any]]], ...] = ()
    where: models.Q = field(default_factory=models.Q)
    room: str = ""
    is_own: Callable[[Asking, Any], bool] = lambda asking, row: True
    base: Callable[[Any, Asking], Any] | None = None
    climb: Callable[[HttpRequest, Any], Sequence[Crumb]] | None = None
    ways: Callable[[HttpRequest, Any], Sequence[Way]] | None = None

    def view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        check_reader(request, self.model)
        return self.answer(request, self.row(request, pk))

    def row(self, request: HttpRequest, pk: Any) -> Any:
        """The row, for pages about it too; what the reader may not see is not there."""
        rows = self.model._default_manager.filter(self.where, pk=pk)
        if self.base is not None:
            rows = self.base(rows, Asking(request.actor, request.at))  # type: ignore[attr-defined]
        found = rows.first()
        if found is None:
            raise Http404
        return found

    def answer(self, request: HttpRequest, row: models.Model) -> HttpResponse:
        """The page of a row that was found: its sections and figures, or the tab asked for."""
        asking = Asking(request.actor, request.at)  # type: ignore[attr-defined]
        present = request.GET.get("tab", "")
        is_own = self.is_own(asking, row)
        tabs, shown = self._tabs(request, row, asking, present, is_own)
        words: dict[str, Any] = {
            "screen": self,
            "row": row,
            "heading": capfirst(" · ".join(self._named(row))),
            "state": self._cell(row, self.state, asking) if self.state else "",
            "sections": self._sections(row, asking) if not shown else [],
            "tiles": self.tiles(request, row) if is_own and not shown else [],
            "tabs": tabs,
            "tab": shown,
            "back": LISTS.get(self.of_list),
            "is_void": isinstance(row, FedTable) and row.is_void,
            "crumbs": self.climb(request, row) if self.climb else [],
            "ways": self.ways(request, row) if self.ways else [],
        }
        if self.extra:
            words |= self.extra(request, row)
        if shown:
            words |= shown["words"]
        return render(request, self.template, words)

    def _named(self, row: models.Model) -> list[str]:
        if not self.named:
            return [str(row)]
        asking = Asking(ANYBODY, timezone.now())
        plans = [plan(self.model, Column(each)) for each in self.named]
        return [text_of(each)(_raw(each, row, asking)) for each in plans]

    def _cell(self, row: models.Model, column: Column, asking: Asking) -> Markup | str:
        return _shown(plan(self.model, column), row, asking)

    def _sections(self, row: models.Model, asking: Asking) -> list[tuple[str, list[Fact]]]:
        made = []
        for section in self.sections:
            facts = []
            for each in section.fields:
                column = each if isinstance(each, Column) else Column(each)
                worked = plan(self.model, column)
                if worked.is_for(asking.actor):
                    fact = self._fact(row, worked, asking)
                    if not section.hides_empty or fact.value != DASH:
                        facts.append(fact)
            if facts:
                made.append((str(section.title), facts))
        return made

    def _fact(self, row: models.Model, worked: Plan, asking: Asking) -> Fact:
        shown = _shown(worked, row, asking, long=True)
        text = str(shown)
        is_code = worked.kind is Kind.CODE and shown != DASH
        raw = _raw(worked, row, asking)
        return Fact(
            worked.heading,
            shown,
            is_long=worked.kind is Kind.TEXT and len(text) > 60,
            copy=str(raw) if is_code else "",
        )

    def tiles(self, request: HttpRequest, row: models.Model) -> list[dict[str, str]]:
        """The figures of a row that rooms contribute, each a link to what it counts."""
        actor = request.actor  # type: ignore[attr-defined]
        made = []
        for each in sorted(TILES, key=lambda each: (each.order, each.name)):
            if each.of == self.name and actor.may(each.permission):
                value, tone, url = each.find(request, row)
                if value:
                    made.append({"title": str(each.title), "value": value, "tone": tone, "url": url})
        return made

    def _tabs(
        self, request: HttpRequest, row: models.Model, asking: Asking, present: str, is_own: bool
    ) -> tuple[list[Tab], dict[str, Any]]:
        """The tabs a reader may open, and what the present one shows; the first, the facts, shows nothing more."""
        tabs = [Tab("", _now("Overview"), request.path, not present)]
        shown: dict[str, Any] = {}
        for name, title, permission, make in self.tabs:
            if not permission or asking.actor.may(permission):
                tabs.append(Tab(name, str(title), f"{request.path}?tab={name}", name == present))
                if name == present:
                    shown = {"kind": "own", "name": name, "words": dict(make(request, row))}
        for each in self.lists() if is_own else ():
            if not each.is_for(asking.actor):
                continue
            tabs.append(Tab(each.name, str(each.title), f"{request.path}?tab={each.name}", each.name == present))
            if each.name == present:
                shown = {"kind": "list", "words": embedded(each, request, each.tab_of[self.name], row.pk)}
        if (
            self.has_history
            and getattr(self.model, "keeps_history", False)
            and asking.actor.scope.reader in readers_of(Change)
        ):
            tabs.append(Tab("history", _now("History"), f"{request.path}?tab=history", present == "history"))
            if present == "history":
                versions, is_longer = history_of(row, self._seen(asking), self._columns())
                shown = {"kind": "history", "words": {"versions": versions, "is_longer": is_longer}}
        if not shown:
            tabs[0] = Tab("", tabs[0].title, tabs[0].url, True)
        return tabs, shown

    def lists(self) -> list[ListScreen]:
        """The lists that have a tab here, in the order of the menu."""
        rooms = list(ROOMS)
        return sorted(TABS.get(self.name, []), key=lambda each: (rooms.index(each.room), each.order))

    def _columns(self) -> dict[str, Column]:
        """How the page shows the row's own fields, where it says so."""
        listed = [each for section in self.sections for each in section.fields if isinstance(each, Column)]
        return {each.path: each for each in listed if each.compute is None and "__" not in each.path}

    def _seen(self, asking: Asking) -> set[str]:
        """The fields a reader may see: all but those that a column of the page keeps for others."""
        hidden = {
            each.path.split("__")[0]
            for section in self.sections
            for each in section.fields
            if isinstance(each, Column) and not each.is_for(asking.actor)
        }
        return {f.name for f in self.model._meta.local_concrete_fields if f.name not in hidden}


def detail_screen(screen: DetailScreen) -> DetailScreen:
    """Register the page of one row."""
    DETAILS[screen.name] = screen
    page(
        screen.path,
        name=screen.name,
        title=screen.title,
        permission=screen.permission,
        room=screen.room or screen_room(),
    )(screen.view)
    return screen


DETAILS: dict[str, DetailScreen] = {}


def _raw(worked: Plan, row: models.Model, asking: Asking) -> Any:
    if worked.column.compute is not None:
        return worked.column.compute(asking, *[getattr(row, name) for name in worked.reads])
    if worked.related is not None:
        key = getattr(row, worked.reads[0])
        if key is None:
            return None
        # through the scope like every other query: a related row out of sight has no name here
        return worked.related._default_manager.filter(pk=key).values_list(worked.related_field, flat=True).first()
    return getattr(row, worked.reads[0])


def _shown(worked: Plan, row: models.Model, asking: Asking, long: bool = False) -> Markup | str:
    value = _raw(worked, row, asking)
    if long and worked.kind is Kind.TEXT and worked.directory is None:
        shown: Markup | str = DASH if value in (None, "", []) else _text(value)
    else:
        shown = Markup(cell_of(worked)(value))
    opens = worked.column.opens
    if opens and may_open(opens, asking) and value is not None:
        key = getattr(row, worked.reads[0])
        if isinstance(key, UUID) or worked.related is not None or worked.directory is not None:
            return Markup(opened(lambda _value: str(escape(shown)), opens)(value, key))
    return shown


def _text(value: Any) -> str | Markup:
    if isinstance(value, list | tuple):
        return listed(value)
    return Markup("<br>").join(escape(line) for line in str(value).splitlines())

"""A list of rows, declared: columns, filters, sorts. Everything a reader chose stands in the address.

A page costs the same few queries whatever the table's size: the rows by keyset, one look-up for each related
table, a count that stops at a thousand. Rows are plain values, formatted once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup

from anze.kernel.actor import Actor
from anze.kernel.models import FedTable, ScopedTable
from anze.kernel.refusal import Refused
from anze.kernel.scope import READERS
from anze.screen.asked import COUNT_TO, PAGE_SIZE, Asked, Rows
from anze.screen.columns import Column, Plan, plan, readers_of
from anze.screen.filters import Asking, Case, Cases, Filter, Of
from anze.screen.kept import kept, kept_for_a_minute
from anze.screen.pages import is_fragment
from anze.screen.registry import WorkList, page, work_list

Words = str | Promise


@dataclass(frozen=True)
class Button:
    """An action offered above a list or a detail page."""

    title: Words
    page: str
    permission: str
    icon: str = "plus"


@dataclass(eq=False)
class ListScreen:
    """`sort` is the column the list is ordered by, descending with a minus; an index must stand behind it.

    `tab_of`: detail page → filter: on that page these rows appear under a tab of their own. `about` defines what
    the list holds and goes with every export. `body` is the template of its rows, where they are no table, and
    `more` what that needs beside them, from the keys of the rows of the page by one query.
    """

    name: str
    path: str
    title: Words
    model: type[models.Model]
    permission: str
    columns: tuple[Column, ...]
    sort: str
    filters: tuple[Filter, ...] = ()
    sorts: tuple[str, ...] = ()
    detail: str = ""
    about: Words = ""
    empty: Words = _("Nothing here yet.")  # noqa: RUF009 - a lazy text never changes
    base: Callable[[Rows, Asking], Rows] | None = None
    tab_of: Mapping[str, str] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()
    in_menu: bool = True
    not_in_menu_of: frozenset[str] = frozenset()
    order: int = 50
    icon: str = ""
    exported: bool = True
    room: str = ""  # whose menu it stands in, if not the room that declares it
    body: str = "screen/list_body.html"
    more: Callable[[list[Any]], Mapping[str, Any]] | None = None
    size: int = PAGE_SIZE

    def __post_init__(self) -> None:
        if issubclass(self.model, FedTable):
            self.filters = (*self.filters, _VALIDITY)
        for where, word in self.tab_of.items():
            if not any(each.name == word for each in self.filters):
                self.filters = (*self.filters, Of(word))
            TABS.setdefault(where, []).append(self)
        first = self.columns[0]
        if self.detail and not first.opens:
            self.columns = (replace(first, opens=self.detail, opens_row=True), *self.columns[1:])

    @cached_property
    def plans(self) -> dict[str, Plan]:
        return {each.name: plan(self.model, each) for each in self.columns}

    @cached_property
    def readers(self) -> frozenset[str]:
        return readers_of(self.model)

    @cached_property
    def read_by_region(self) -> frozenset[str]:
        """The readers who see exactly the rows of their own region: not those whose policy says something else, as of
        topics that come down from the province, nor anybody where everybody reads all, as of parameters."""
        model = self.model
        has_region = any(each.name == "region_code" for each in model._meta.local_concrete_fields)
        if not has_region or not issubclass(model, ScopedTable):
            return frozenset()
        return self.readers - model.policies.keys()

    def is_for(self, actor: Actor) -> bool:
        return actor.may(self.permission) and actor.scope.reader in self.readers

    def columns_for(self, asking: Asking) -> list[Column]:
        return [each for each in self.columns if self.plans[each.name].is_for(asking.actor)]

    def filters_for(self, asking: Asking) -> list[Filter]:
        return [each for each in self.filters if each.is_for(asking.actor)]

    @property
    def url(self) -> str:
        return reverse(self.name)

    def link(self, **words: Any) -> str:
        """The list narrowed by filters, as a link on another page."""
        kept = {key: value for key, value in words.items() if value not in (None, "")}
        return f"{self.url}?{urlencode(kept, doseq=True)}" if kept else self.url

    def view(self, request: HttpRequest) -> HttpResponse:
        """The page of the list; asked by htmx, its rows alone."""
        check_reader(request, self.model)
        asked = Asked(self, request)
        is_plain = self.body == ListScreen.body and self.more is None
        key = (self.name, asked.after, asked.before, *asked.words())
        rows = kept(request, key, lambda: self._rows(asked)) if is_plain else self._rows(asked)
        if is_fragment(request) and request.headers.get("HX-Target") == "list":
            response = HttpResponse(rows)
            response["HX-Push-Url"] = asked.address()
        else:
            response = render(request, "screen/list.html", {"list": asked, "rows": rows, "form": form_of(asked)})
        response["Vary"] = "HX-Request, Cookie"
        return response

    def _rows(self, asked: Asked) -> Markup:
        """The rows of the page as they stand in it, with their number and the ways to more."""
        words: dict[str, Any] = {"list": asked, "page": asked.page(self.size)}
        if self.more:
            words |= self.more(words["page"].keys)
        return Markup(render_to_string("screen/list_rows.html", words, asked.request))


def check_reader(request: HttpRequest, model: type[models.Model]) -> None:
    """Refuse those whose scope cannot reach the table, before the database does."""
    if request.actor.scope.reader not in readers_of(model):  # type: ignore[attr-defined]
        raise Refused(
            "not_in_scope",
            _("These records are not kept for your kind of organisation."),
            remedy=_("Go back to the start page."),
            status=403,
        )


def form_of(asked: Asked) -> Markup:
    """The filters above a list: the same for everybody of one scope who asks the same."""
    actor = asked.asking.actor
    key = (asked.screen.name, get_language(), actor.permissions, actor.scope.key, *asked.words())
    return kept_for_a_minute(key, lambda: render_to_string("screen/list_form.html", {"list": asked}))


LISTS: dict[str, ListScreen] = {}
TABS: dict[str, list[ListScreen]] = {}

# records that were taken back are left out unless they are asked for
_VALIDITY = Cases(
    "records",
    _("Records"),
    default="valid",
    cases={
        "valid": Case(_("valid"), lambda asking: Q(is_void=False)),
        "void": Case(_("void"), lambda asking: Q(is_void=True)),
        "all": Case(_("all"), lambda asking: Q()),
    },
)


def list_screen(screen: ListScreen) -> ListScreen:
    """Register a list with its page and its export."""
    LISTS[screen.name] = screen
    screen.room = screen.room or screen_room()
    page(
        screen.path,
        name=screen.name,
        title=screen.title,
        permission=screen.permission,
        in_menu=screen.in_menu,
        not_in_menu_of=screen.not_in_menu_of | (frozenset(READERS) - screen.readers),
        order=screen.order,
        icon=screen.icon,
        room=screen.room,
    )(screen.view)
    if screen.exported:
        from anze.screen.exports import export_page

        export_page(screen, screen.room)
    return screen


def screen_room() -> str:
    """The room whose screens.py is being read: the first caller outside this package."""
    import sys

    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("anze.screen."):
        frame = frame.f_back
    return str(frame.f_globals["__name__"]).split(".")[1]


def embedded(screen: ListScreen, request: HttpRequest, word: str, value: Any, size: int = 20) -> dict[str, Any]:
    """The first rows of a list narrowed to one other row, for a tab of its page, and where all of them are."""
    asked = Asked(screen, request, QueryDict(urlencode({word: value})))
    found = asked.page(size)
    return {"list": asked, "page": found, "all": screen.link(**{word: value})}


def count(screen: ListScreen, request: HttpRequest, **words: Any) -> int:
    """How many rows a narrowed list has, counted up to one more than a thousand."""
    asked = Asked(screen, request, QueryDict(urlencode(words, doseq=True)))
    return asked.rows().order_by().values("pk")[: COUNT_TO + 1].count()


def waiting(
    screen: ListScreen,
    name: str,
    title: Words,
    *,
    why: Words = "",
    tone: str = "info",
    order: int = 50,
    roles: frozenset[str] = frozenset(),
    permission: str = "",
    **words: Any,
) -> WorkList:
    """A card of the home page: a list narrowed by filters, with the number of its rows."""
    return work_list(
        WorkList(
            name=name,
            title=title,
            permission=permission or screen.permission,
            count=lambda request: count(screen, request, **words),
            url=lambda request: screen.link(**words),
            why=why,
            tone=tone,
            order=order,
            roles=roles,
            readers=screen.readers,
        )
    )

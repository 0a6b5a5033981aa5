"""Every page of the platform, registered once: its address, who may open it, where it stands in the menu.

The menu, the URL list and the access-matrix test are all read from here, so a page cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.utils.functional import Promise
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from anze.kernel.actions import require
from anze.kernel.actor import Actor

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Page:
    """`permission` None: everybody who is signed in. `is_open`: also without signing in, and outside any scope.
    `is_personal`: signed in, but about the account itself, hence outside any scope too.
    `is_interface`: a machine's endpoint, authenticated by signature instead of session.
    `not_in_menu_of`: readers (database roles) whose menu it would only lengthen."""

    name: str
    path: str
    view: View
    room: str
    title: str | Promise = ""
    permission: str | None = None
    methods: tuple[str, ...] = ("GET",)
    in_menu: bool = False
    order: int = 50
    is_open: bool = False
    is_interface: bool = False
    is_personal: bool = False
    icon: str = ""
    not_in_menu_of: frozenset[str] = frozenset()


PAGES: dict[str, Page] = {}


def register(page: Page) -> Page:
    """Enter a page among the platform's; a name stands once."""
    if page.name in PAGES:
        raise ValueError(f"two pages are called {page.name}")
    PAGES[page.name] = page
    return page


def page(
    where: str,
    *,
    name: str,
    title: str | Promise = "",
    permission: str | None = None,
    methods: tuple[str, ...] = ("GET",),
    in_menu: bool = False,
    order: int = 50,
    is_open: bool = False,
    is_interface: bool = False,
    is_personal: bool = False,
    icon: str = "",
    room: str = "",
    not_in_menu_of: frozenset[str] = frozenset(),
) -> Callable[[View], View]:
    """Register a function view. The room is the package the function lives in, unless it is given."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *positional: Any, **words: Any) -> HttpResponse:
            if permission is not None:
                require(request.actor, permission)  # type: ignore[attr-defined]
            return view(request, *positional, **words)

        if is_interface:
            # refuses other methods itself, in the words machines read
            guarded: View = csrf_exempt(checked)
        else:
            guarded = require_http_methods(list(methods) + (["HEAD"] if "GET" in methods else []))(checked)
        of_room = room or view.__module__.split(".")[1]
        register(
            Page(
                name=name,
                path=where,
                view=guarded,
                room=of_room,
                title=title,
                permission=permission,
                methods=methods,
                in_menu=in_menu,
                order=order,
                is_open=is_open,
                is_interface=is_interface,
                is_personal=is_personal,
                icon=icon,
                not_in_menu_of=not_in_menu_of,
            )
        )
        return guarded

    return wrap


@dataclass(frozen=True)
class WorkList:
    """One thing to do on the home page: how many there are, and the list that holds exactly these.

    `count` runs inside the reader's scope and must be one query. `why` says what is at stake, `tone` one of
    success, info, warning, danger how urgent more than none are. Shown to those who hold `permission` and,
    where given, have one of `roles`.
    """

    name: str
    title: str | Promise
    permission: str
    count: Callable[[HttpRequest], int]
    url: Callable[[HttpRequest], str]
    why: str | Promise = ""
    tone: str = "info"
    order: int = 50
    roles: frozenset[str] = frozenset()
    readers: frozenset[str] | None = None  # the database roles that can read what is counted; None: all

    def is_for(self, actor: Actor) -> bool:
        """Whether it is somebody's work: by permission, by role, and by what his database role can read."""
        if not actor.may(self.permission) or (self.roles and actor.role not in self.roles):
            return False
        return self.readers is None or actor.scope.reader in self.readers


WORK_LISTS: list[WorkList] = []


def work_list(work: WorkList) -> WorkList:
    """A room contributes a work list to the home page."""
    if any(each.name == work.name for each in WORK_LISTS):
        raise ValueError(f"two work lists are called {work.name}")
    WORK_LISTS.append(work)
    return work


@dataclass(frozen=True)
class Hit:
    """One thing the search box found."""

    title: str
    note: str
    url: str


@dataclass(frozen=True)
class Search:
    """How a room answers the search box: at most `limit` hits for the words, by one indexed query."""

    name: str
    title: str | Promise
    permission: str
    find: Callable[[str, int], list[Hit]]
    order: int = 50


SEARCHES: list[Search] = []


def search(answer: Search) -> Search:
    """A room contributes to the search box."""
    SEARCHES.append(answer)
    return answer


def load_screens() -> None:
    """Import every room's screens, from the ground up."""
    for config in apps.get_app_configs():
        if config.name.startswith("anze."):
            try:
                import_module(f"{config.name}.screens")
            except ModuleNotFoundError as problem:
                if problem.name != f"{config.name}.screens":
                    raise


def urlpatterns() -> Iterator[URLPattern | URLResolver]:
    """Grouped by the first word of the address, or each request would be compared with hundreds of patterns."""
    load_screens()
    groups: dict[str, list[URLPattern]] = {}
    for each in PAGES.values():
        first, slash, rest = each.path.partition("/")
        if slash and "<" not in first:
            groups.setdefault(f"{first}/", []).append(path(rest, each.view, name=each.name))
        else:
            yield path(each.path, each.view, name=each.name)
    for first, patterns in groups.items():
        yield path(first, include(patterns))

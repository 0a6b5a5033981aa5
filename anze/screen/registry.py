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
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from anze.kernel.actions import require

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Page:
    """`permission` None: everybody who is signed in. `is_open`: also without signing in, and outside any scope.
    `is_interface`: a machine's endpoint, authenticated by signature instead of session."""

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


PAGES: dict[str, Page] = {}


def register(page: Page) -> Page:
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
) -> Callable[[View], View]:
    """Register a function view. The room is the package the function lives in."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *positional: Any, **words: Any) -> HttpResponse:
            if permission is not None:
                require(request.actor, permission)  # type: ignore[attr-defined]
            return view(request, *positional, **words)

        guarded: View = require_http_methods(list(methods) + (["HEAD"] if "GET" in methods else []))(checked)
        if is_interface:
            guarded = csrf_exempt(guarded)
        room = view.__module__.split(".")[1]
        register(
            Page(name, where, guarded, room, title, permission, methods, in_menu, order, is_open, is_interface)
        )
        return guarded

    return wrap


def load_screens() -> None:
    """Import every room's screens, from the ground up."""
    for config in apps.get_app_configs():
        if config.name.startswith("anze."):
            try:
                import_module(f"{config.name}.screens")
            except ModuleNotFoundError as problem:
                if problem.name != f"{config.name}.screens":
                    raise


def urlpatterns() -> Iterator[URLPattern]:
    load_screens()
    for each in PAGES.values():
        yield path(each.path, each.view, name=each.name)

"""The page layer: Jinja2 with the few functions templates may call. Templates compute nothing."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from anze.kernel.duty import deadline_text
from anze.kernel.wording import listed
from anze.screen.kept import kept_for_a_minute
from anze.screen.navigation import menu


def url(name: str, *positional: Any, **query: Any) -> str:
    """A page's address; keywords become the query string, empty ones are dropped."""
    path = _path(name, *positional)
    kept = {key: value for key, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept, doseq=True)}" if kept else path


@lru_cache(maxsize=5000)
def _path(name: str, *positional: Any) -> str:
    return reverse(name, args=positional)


@cache
def _fingerprint(path: str) -> str:
    found = finders.find(path)
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:10] if found else ""


def static(path: str) -> str:
    """A static file's address with its content's fingerprint, so browsers may keep it for good."""
    mark = "" if settings.DEBUG else _fingerprint(path)
    return f"{settings.STATIC_URL}{path}" + (f"?v={mark}" if mark else "")


@lru_cache(maxsize=2000)
def icon_of(name: str, class_: str = "") -> Markup:
    """A picture of the icon set, which a page shows dozens of."""
    where = static("dist/icons.svg")
    return Markup('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(class_, where, name)


def money(value: Decimal | None, places: int = 2) -> str:
    """Yuan with thousands separators; nothing known is a dash."""
    return "–" if value is None else f"{value:,.{places}f}"


def in_yuan(title: object) -> str:
    """The name of an amount with its unit."""
    return gettext("%(title)s (yuan)") % {"title": title}


def ten_thousands(value: Decimal | None) -> str:
    """万元 in Chinese, thousand yuan separators in English: large sums at a glance."""
    if value is None:
        return "–"
    if is_chinese():
        return f"{(Decimal(value) / 10_000).quantize(Decimal('0.1'), ROUND_HALF_UP):,} 万元"
    return f"¥{Decimal(value).quantize(Decimal(1), ROUND_HALF_UP):,}"


def percent(value: Decimal | None, places: int = 2) -> str:
    """A ratio as percent, rounded half up for display only; unknown (denominator 0) is a dash."""
    if value is None:
        return "–"
    shown = (Decimal(value) * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{abs(shown) if shown == 0 else shown}%"


def whole(value: int | Decimal | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def day(value: date | None) -> str:
    return "–" if value is None else value.isoformat()


def moment(value: datetime | None) -> str:
    """A moment in Beijing time."""
    return "–" if value is None else timezone.localtime(value).strftime("%Y-%m-%d %H:%M")


def deadline(value: datetime | None) -> str:
    """A moment until which something must be done; the end of a day as 24:00 of that day."""
    return "–" if value is None else deadline_text(value)


def is_chinese() -> bool:
    return (get_language() or settings.LANGUAGE_CODE).startswith("zh")


def with_query(request: HttpRequest, **changes: Any) -> str:
    """The present address with some query words changed (None removes one)."""
    query = request.GET.copy()
    for key, value in changes.items():
        if value is None:
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}" if query else request.path


def is_fragment(request: HttpRequest) -> bool:
    """Whether only a part of a page is asked for (htmx), not when the browser walks back through history."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def csrf_field(request: HttpRequest) -> Markup:
    """The hidden field of a form that writes. Its token is masked once a page, not once a form."""
    return Markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">').format(csrf_value(request))


def csrf_value(request: HttpRequest) -> str:
    """The token of this page, masked once."""
    kept: str | None = getattr(request, "csrf_value", None)
    if kept is None:
        kept = request.csrf_value = get_token(request)  # type: ignore[attr-defined]
    return kept


def menu_of(request: HttpRequest) -> Markup:
    """The main menu as it stands in the page: the same for everybody who may do and see the same things."""
    actor, here = request.actor, request.page  # type: ignore[attr-defined]
    name, room = (here.name, here.room) if here else ("", "")
    return _menu_of(actor.permissions, actor.scope.reader, get_language() or "", name, room)


@lru_cache(maxsize=3000)
def _menu_of(permissions: frozenset[str], reader: str, language: str, here: str, room: str) -> Markup:
    sections = menu(permissions, reader, language)
    return Markup(render_to_string("web/menu.html", {"sections": sections, "here": here, "room": room}))


_BACK = "\ue000next\ue000"  # of the characters for private use, which no address has
_FIELD = "\ue000token\ue000"


def frame_of(request: HttpRequest) -> Markup:
    """What stands around a page: kept for a minute for each person, role and page. Only the form's token and the
    way back differ each time, and are put in."""
    actor, here = request.actor, request.page  # type: ignore[attr-defined]
    token = csrf_value(request)
    if here is not None and here.name == "search":  # shows what is searched for
        words = {"next": request.get_full_path()}
        return Markup(render_to_string("web/frame.html", words, request))
    roles = tuple(each.pk for each in request.memberships)  # type: ignore[attr-defined]
    active = request.membership.pk if request.membership else None  # type: ignore[attr-defined]
    key = (actor, active, roles, get_language(), here.name if here else "")
    kept = kept_for_a_minute(
        key, lambda: render_to_string("web/frame.html", {"next": _BACK}, request).replace(token, _FIELD)
    )
    return Markup(kept.replace(_FIELD, token).replace(_BACK, escape(request.get_full_path())))


def environment(**options: Any) -> Environment:
    """The template engine of all pages; named in the settings.

    Escapes everything, stops at unknown names, and knows the words, addresses and ways of writing values below.
    """
    options.pop("autoescape", None)
    env = Environment(
        **{**options, "undefined": StrictUndefined},
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    env.globals.update(
        url=url,
        static=static,
        icon_of=icon_of,
        with_query=with_query,
        is_chinese=is_chinese,
        language=get_language,
        menu_of=menu_of,
        frame_of=frame_of,
        csrf_field=csrf_field,
        csrf_value=csrf_value,
        get_messages=get_messages,
    )
    env.filters.update(
        money=money, percent=percent, whole=whole, day=day, moment=moment, deadline=deadline,
        ten_thousands=ten_thousands, listed=listed, in_yuan=in_yuan,
    )  # fmt: skip
    return env

"""Parts of pages, kept for exactly as long as the database stays as it was.

PostgreSQL's snapshot is the version of the whole database: it names the transactions that are visible, so two
requests with the same one see the same rows (PostgreSQL manual, 9.27.4 Transaction ID and Snapshot Information).
A part made for one reader then serves everybody who may see and do the same, until anything is written anywhere.
When hundreds open a list at nine o'clock, it is read once between two writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from markupsafe import Markup

from anze.kernel.actor import Actor

MOST = 200  # parts of one version in a process, of about a hundred kilobytes at most
MINUTE = 60
_parts: dict[tuple[Hashable, ...], Markup] = {}
_version = ""
_for_a_minute: dict[Hashable, tuple[float, Markup]] = {}


def kept(request: HttpRequest, key: tuple[Hashable, ...], make: Callable[[], Markup]) -> Markup:
    """The part under this key, made by `make` if there is none of the present version. It may depend on the key, the
    kind of reader (`Actor.kind`), the language, the site's address, the rows and the minute, on nothing else."""
    global _parts, _version
    version: str = getattr(request, "version", "")
    if not version:  # this very request has written: what it sees nobody else does
        return make()
    if version != _version:
        _parts, _version = {}, version
    actor: Actor = request.actor  # type: ignore[attr-defined]
    reader = (actor.scope.key, actor.permissions, actor.role, actor.organisation_id)
    minute = int(request.at.timestamp()) // 60  # type: ignore[attr-defined]
    whole = (*key, *reader, minute, get_language(), request.scheme, request.get_host())
    parts = _parts
    found = parts.get(whole)
    if found is None:
        found = make()
        if len(parts) >= MOST:
            parts.clear()
        parts[whole] = found
    return found


def kept_for_a_minute(key: Hashable, make: Callable[[], Any]) -> Markup:
    """A part that hardly ever changes and may be a minute old: filters, and what stands around a page."""
    found = _for_a_minute.get(key)
    if found is None or time.monotonic() - found[0] > MINUTE:
        if len(_for_a_minute) >= 1000:
            _for_a_minute.clear()
        found = _for_a_minute[key] = (time.monotonic(), Markup(make()))
    return found[1]

"""One time line of everything that happened to somebody: each room tells its part, newest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from django.utils.functional import Promise

from anze.kernel.actor import Actor
from anze.screen.cells import may_open
from anze.screen.columns import detail_url, readers_of
from anze.screen.filters import Asking

Words = str | Promise
AT_ONCE = 50
FROM_EACH = 300  # more than anybody has on one day, so that a day is never cut in two


@dataclass(frozen=True)
class Entry:
    """One line: the day, what, its number, a sentence about it, where it opens."""

    on: date
    kind: str
    kind_title: str
    icon: str
    number: str
    text: str
    url: str
    tone: str = ""


@dataclass(frozen=True)
class Story:
    """What a room tells about an enterprise: rows of `model` on the day `on`.

    `tell` makes a sentence, and a tone or nothing, from the values of `reads`.
    """

    name: str
    title: Words
    permission: str
    icon: str
    model: type[models.Model]
    on: str
    number: str
    opens: str
    reads: tuple[str, ...]
    tell: Callable[..., tuple[str, str]]
    opens_by: str = "pk"
    relation: str = "enterprise"
    where: models.Q | None = None
    order: int = 50

    def is_for(self, actor: Actor) -> bool:
        return actor.may(self.permission) and actor.scope.reader in readers_of(self.model)

    def entries(self, key: UUID, before: date | None, asking: Asking) -> list[Entry]:
        """The newest entries about one enterprise, before a day if one is given."""
        rows = self.model._default_manager.filter(**{self.relation: key, f"{self.on}__isnull": False})
        if self.where is not None:
            rows = rows.filter(self.where)
        if before is not None:
            rows = rows.filter(**{f"{self.on}__lt": before})
        found = rows.order_by(f"-{self.on}", "-pk").values_list(self.on, self.number, self.opens_by, *self.reads)[
            :FROM_EACH
        ]
        title = str(self.title)
        start, end = detail_url(self.opens) if may_open(self.opens, asking) else ("", "")
        made = []
        for on, number, opens, *values in found:
            text, tone = self.tell(asking, *values)
            address = f"{start}{opens}{end}" if start and opens else ""
            made.append(Entry(on, self.name, title, self.icon, number, text, address, tone))
        return made


STORIES: list[Story] = []


def story(part: Story) -> Story:
    """A room contributes to the time line."""
    STORIES.append(part)
    return part


def time_line(request: HttpRequest, key: UUID) -> dict[str, Any]:
    """Entries, the kinds that can be switched on and off, and the address of what came before."""
    asking = Asking(request.actor, request.at)  # type: ignore[attr-defined]
    told = [s for s in sorted(STORIES, key=lambda s: (s.order, s.name)) if s.is_for(asking.actor)]
    chosen = {name for name in request.GET.getlist("kind") if any(s.name == name for s in told)}
    try:
        before = date.fromisoformat(request.GET.get("before", ""))
    except ValueError:
        before = None
    entries: list[Entry] = []
    for each in told:
        if not chosen or each.name in chosen:
            entries += each.entries(key, before, asking)
    entries.sort(key=lambda entry: entry.on, reverse=True)
    shown = entries[:AT_ONCE]
    while shown and len(shown) < len(entries) and entries[len(shown)].on == shown[-1].on:
        shown.append(entries[len(shown)])
    more = ""
    if len(shown) < len(entries):
        words = [("kind", name) for name in sorted(chosen)] + [("before", shown[-1].on.isoformat())]
        more = f"{request.path}?{urlencode([*_tab(request), *words])}"
    kinds = []
    for each in told:
        others = chosen ^ {each.name} if chosen else {each.name}
        words = [("kind", name) for name in sorted(others)]
        address = f"{request.path}?{urlencode([*_tab(request), *words])}" if [*_tab(request), *words] else request.path
        kinds.append({"story": each, "is_on": each.name in chosen, "url": address})
    return {
        "entries": shown,
        "more": more,
        "kinds": kinds,
        "all_url": request.path,
        "chosen": chosen,
        "since": before,
    }


def _tab(request: HttpRequest) -> list[tuple[str, str]]:
    return [("tab", request.GET["tab"])] if request.GET.get("tab") else []

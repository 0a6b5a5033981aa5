"""The menu: every registered page that asks for a place in it, grouped by room, less what one may not open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.apps import apps
from django.urls import reverse
from django.utils.translation import override

from anze.screen.registry import PAGES, Page

# The seven modules in the order people know them, then what serves them all.
ROOMS: dict[str, str] = {
    "web": "home",
    "underwriting": "shield-check",
    "claims": "ambulance",
    "prevention": "helmet",
    "hazards": "alert-triangle",
    "expenses": "coin",
    "parties": "buildings",
    "notices": "bell",
    "monitoring": "chart-bar",
    "assessment": "award",
    "exchange": "database-import",
    "evidence": "photo",
    "library": "books",
    "kernel": "settings",
    "screen": "list",
}


@dataclass(frozen=True)
class Entry:
    name: str
    title: str
    url: str
    icon: str


@dataclass(frozen=True)
class Section:
    """A room in the menu, with those of its pages that somebody may open."""

    room: str
    title: str
    icon: str
    entries: tuple[Entry, ...]


def pages_of(room: str) -> Iterable[Page]:
    return sorted((p for p in PAGES.values() if p.room == room), key=lambda p: (p.order, p.name))


@lru_cache(maxsize=300)
def menu(permissions: frozenset[str], reader: str, language: str) -> tuple[Section, ...]:
    """The menu of somebody with these permissions, reading as this database role: one for all pages, which are fixed
    once the program has started."""
    sections = []
    with override(language):
        for room, icon in ROOMS.items():
            if not apps.is_installed(f"anze.{room}"):
                continue
            entries = tuple(
                Entry(page.name, str(page.title), reverse(page.name), page.icon or icon)
                for page in pages_of(room)
                if page.in_menu
                and reader not in page.not_in_menu_of
                and (page.permission is None or page.permission in permissions)
            )
            if entries:
                sections.append(Section(room, str(apps.get_app_config(room).verbose_name), icon, entries))
    return tuple(sections)

"""How the reader's language puts words together, and words kept for readers of every language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.conf import settings
from django.utils.translation import override, pgettext

Said = TypeVar("Said")


def listed(items: Iterable[object]) -> str:
    """Several things named one after the other in a sentence or a cell."""
    return pgettext("between the things of a list", ", ").join(str(each) for each in items)


def in_each_language(words: Callable[[], Said]) -> dict[str, Said]:
    """What is said now, as it reads in every language of the platform."""
    said = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            said[language] = words()
    return said

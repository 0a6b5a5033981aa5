"""How the reader's language puts words together."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import pgettext


def listed(items: Iterable[object]) -> str:
    """Several things named one after the other in a sentence or a cell."""
    return pgettext("between the things of a list", ", ").join(str(each) for each in items)

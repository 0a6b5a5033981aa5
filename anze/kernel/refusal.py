"""What a person or a system is told when something is refused: the field, the rule and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def filled(text: str | Promise, values: Mapping[str, Any]) -> str:
    """A text with its values; a lazy plural takes the form for the value it names, which only `%` tells it."""
    return str(text % values) if values else str(text)


class Refused(Exception):
    """A rule said no. `code` is stable and for machines; `message` and `remedy` are for people."""

    def __init__(
        self,
        code: str,
        message: str | Promise,
        *,
        remedy: str | Promise = "",
        field: str = "",
        status: int = 422,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.status = status
        self.values = dict(values or {})
        self._message = message
        self._remedy = remedy

    @property
    def message(self) -> str:
        return filled(self._message, self.values)

    @property
    def remedy(self) -> str:
        return filled(self._remedy, self.values)

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.remedy}".strip()


def reasoned(words: str, field: str = "words") -> str:
    """The reason given for a step, without blanks around it; no step that needs one is taken without."""
    words = words.strip()
    if not words:
        raise Refused(
            "reason_missing", _("This step needs its reason."), remedy=_("Say in a sentence why."), field=field
        )
    return words

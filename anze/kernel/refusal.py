"""What a person or a system is told when something is refused: the field, the rule and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise


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
        return str(self._message) % self.values if self.values else str(self._message)

    @property
    def remedy(self) -> str:
        return str(self._remedy) % self.values if self.values else str(self._remedy)

    def __str__(self) -> str:
        return f"{self.code}: {self.message} {self.remedy}".strip()

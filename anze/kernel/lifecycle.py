"""State machines: a transition table, and one compare-and-set write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.kernel.refusal import Refused


@dataclass(frozen=True)
class Transition:
    """One way from some states to another, by its name, with the permission it needs."""

    name: str
    sources: tuple[str, ...]
    target: str
    title: str | Promise
    permission: str = ""


@dataclass(frozen=True)
class Lifecycle:
    """The states a record can be in and the only ways from one to another."""

    initial: str
    transitions: tuple[Transition, ...]
    field: str = "state"

    def find(self, name: str) -> Transition:
        return next(t for t in self.transitions if t.name == name)

    def open_from(self, state: str) -> Iterable[Transition]:
        return (t for t in self.transitions if state in t.sources)

    def move(self, row: models.Model, name: str, **sets: Any) -> None:
        """Go through one transition, unless somebody else moved the row first."""
        transition = self.find(name)
        changed = (
            type(row)
            ._default_manager.filter(pk=row.pk, **{f"{self.field}__in": transition.sources})
            .update(**{self.field: transition.target}, **sets)
        )
        if not changed:
            row.refresh_from_db(fields=[self.field])
            named = getattr(row, f"get_{self.field}_display", None)  # a state without names is its own
            raise Refused(
                "wrong_state",
                _("This cannot be done in the present state (%(state)s)."),
                remedy=_("Reload the page: somebody may have moved it meanwhile."),
                field=self.field,
                status=409,
                values={"state": named() if named else getattr(row, self.field)},
            )
        for name_, value in {self.field: transition.target, **sets}.items():
            setattr(row, name_, value)

    def move_all(self, rows: Sequence[models.Model], name: str, **sets: Any) -> None:
        """Many rows through one transition by one statement: all of them, or none."""
        if not rows:
            return
        transition = self.find(name)
        changed = (
            type(rows[0])
            ._default_manager.filter(pk__in=[row.pk for row in rows], **{f"{self.field}__in": transition.sources})
            .update(**{self.field: transition.target}, **sets)
        )
        if changed != len(rows):
            raise Refused(
                "wrong_state",
                _("Some of these were moved by somebody else meanwhile."),
                remedy=_("Reload the page and choose anew."),
                field=self.field,
                status=409,
            )
        for row in rows:
            for name_, value in {self.field: transition.target, **sets}.items():
                setattr(row, name_, value)

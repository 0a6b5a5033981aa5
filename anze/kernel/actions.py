"""Every write goes through an action: permission, one transaction, one audit event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from anze.kernel.actor import Actor
from anze.kernel.audit import record
from anze.kernel.refusal import Refused

P = ParamSpec("P")
T = TypeVar("T")


def require(actor: Actor, permission: str) -> None:
    """Refuse an actor who lacks a permission. Actions and pages ask it for the one they declare."""
    if not actor.may(permission):
        raise Refused(
            "not_permitted",
            _("Your role does not include this action."),
            remedy=_("Ask your administrator for the role, or sign in with another one."),
            status=403,
        )


def _plain(value: Any) -> Any:
    """A value as it may stand in an event's details; secrets are passed as bytes and never kept."""
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, bytes):
        return "…"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)[:200]


def action(permission: str, event: str) -> Callable[[Callable[Concatenate[Any, P], T]], Callable[..., T]]:
    """Make a function the one way to do something.

    The function takes its subject first, then only keywords, among them `by` (the actor) and `at` (the
    moment). Whatever row it changes is tied to the event through the history triggers.
    """

    def wrap(function: Callable[..., T]) -> Callable[..., T]:
        @wraps(function)
        def run(subject: Any, *, by: Actor, at: datetime, **words: Any) -> T:
            require(by, permission)
            with transaction.atomic():
                event_id = uuid7()
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT current_setting('anze.event', true), set_config('anze.event', %s, true)",
                        [str(event_id)],
                    )
                    outer = cursor.fetchone()[0] or ""
                result = function(subject, by=by, at=at, **words)
                first = result[0] if isinstance(result, tuple) and result else result
                about = first if isinstance(first, models.Model) else subject
                record(
                    event,
                    by=by,
                    at=at,
                    about=about if isinstance(about, models.Model) else None,
                    details=_plain(words),
                    event_id=event_id,
                )
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('anze.event', %s, true)", [outer])
            return result

        run.permission = permission  # type: ignore[attr-defined]
        return cast("Callable[..., T]", run)

    return wrap

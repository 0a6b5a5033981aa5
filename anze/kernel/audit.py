"""The audit trail: what somebody did, in one append-only table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models

from anze.kernel.actor import Actor
from anze.kernel.models import Event
from anze.kernel.scope import SCOPE_COLUMNS


def record(
    kind: str,
    *,
    by: Actor,
    at: datetime,
    about: models.Model | None = None,
    details: Mapping[str, Any] | None = None,
    event_id: UUID | None = None,
) -> Event:
    """Write one event. Its scope is that of the row it is about, else that of the actor."""
    event = Event(
        at=at,
        kind=kind,
        by=by.account_id,
        by_name=by.name,
        role=by.role,
        address=by.address,
        details=dict(details or {}),
    )
    if event_id:
        event.id = event_id
    if about is not None:
        event.table, event.row_id, event.label = about._meta.db_table, about.pk, str(about)[:200]
    for column in SCOPE_COLUMNS:
        value = getattr(about, column, None) if about is not None else None
        if not value:
            value = by.scope.region_from if column == "region_code" else getattr(by.scope, column, None)
        setattr(event, column, value or ("" if column in ("region_code", "sector") else None))
    # INSERT without RETURNING, which bulk_create would add for the key's database default: some writers,
    # the sign-in among them, may add events they may not read
    Event.objects._insert([event], fields=Event._meta.local_concrete_fields, using=connection.alias)  # type: ignore[attr-defined]
    return event

"""What a row was before: every version with what changed, who changed it, when, and with which batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _now

from anze.kernel.models import Change, Event
from anze.screen.columns import DASH, DIRECTORIES, Column, Plan, plan, text_of
from anze.screen.registry import PAGES

MOST = 50
# columns of the machinery: they change with every version and say nothing
SILENT = {
    "id",
    "version",
    "content_hash",
    "received_at",
    "report_due_at",
    "batch_id",
    "password",
    "last_login",
}


@dataclass(frozen=True)
class Difference:
    """One column of a row, before and after a change."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    """One change of a row. `number` is the version it made; the oldest known state has no differences."""

    number: int | None
    at: datetime
    who: str
    what: str
    batch_url: str
    differences: tuple[Difference, ...]
    is_first: bool = False


def history_of(
    row: models.Model, permission_free: set[str] | None = None, columns: Mapping[str, Column] | None = None
) -> tuple[list[Version], bool]:
    """The versions of a row, newest first, and whether there are older ones than are shown.

    `permission_free` limits the columns shown to those the reader may see; `columns` say how the row's page shows its
    fields. Two queries, whatever the history.
    """
    model = type(row)
    changes = list(Change.objects.filter(row_id=row.pk, table_name=model._meta.db_table).order_by("-id")[: MOST + 1])
    is_longer = len(changes) > MOST
    events = {event.pk: event for event in Event.objects.filter(pk__in={c.event_id for c in changes if c.event_id})}
    images = [_image(row), *[change.before for change in changes]]
    versions = []
    for i, change in enumerate(changes[:MOST]):
        event = events.get(change.event_id) if change.event_id else None
        after, before = images[i], images[i + 1]
        versions.append(
            Version(
                number=after.get("version"),
                at=change.at,
                who=event.by_name if event else "",
                what=event_words(event.kind) if event else "",
                batch_url=_batch_url(after, before),
                differences=tuple(_differences(model, before, after, permission_free, columns or {})),
            )
        )
    if not is_longer:
        first = images[-1]
        since = first.get("received_at") or first.get("created_at") or first.get("issued_at")
        at = parse_datetime(since) if isinstance(since, str) else since
        if at is not None:
            versions.append(Version(first.get("version"), at, "", "", _batch_url(first, {}), (), is_first=True))
    return versions, is_longer


def event_words(kind: str) -> str:
    """The name of an audit event in words, where somebody gave it one."""
    return str(EVENTS.get(kind, kind))


# kind of event → words; rooms add their own
EVENTS: dict[str, Any] = {}


def _image(row: models.Model) -> dict[str, Any]:
    return {f.attname: getattr(row, f.attname) for f in row._meta.local_concrete_fields}


def _batch_url(after: dict[str, Any], before: dict[str, Any]) -> str:
    batch = after.get("batch_id")
    if not batch or str(batch) == str(before.get("batch_id")) or "batch" not in PAGES:
        return ""
    try:
        return reverse("batch", args=[UUID(str(batch))])
    except (NoReverseMatch, ValueError):
        return ""


def _differences(
    model: type[models.Model],
    before: dict[str, Any],
    after: dict[str, Any],
    only: set[str] | None,
    columns: Mapping[str, Column],
) -> list[Difference]:
    found = []
    for field in model._meta.local_concrete_fields:
        name = field.attname
        if name in SILENT or (only is not None and field.name not in only):
            continue
        old, new = _parsed(field, before.get(name)), _parsed(field, after.get(name))
        if old != new:
            if isinstance(field, models.ForeignKey):
                title, said = capfirst(str(field.verbose_name)), partial(_named, field)
            else:
                worked = plan(model, columns.get(name) or Column(name))
                title, said = worked.heading, partial(_said, worked)
            found.append(Difference(title, said(old), said(new)))
    return found


def _parsed(field: models.Field[Any, Any], value: Any) -> Any:
    """A value of a kept image (JSON) as the model has it, so that equal values compare equal."""
    if value is None or value == "":
        return None
    try:
        if isinstance(field, models.DateTimeField):
            return parse_datetime(value) if isinstance(value, str) else value
        if isinstance(field, models.DateField):
            return date.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(field, models.DecimalField):
            return Decimal(str(value))
        if isinstance(field, models.UUIDField | models.ForeignKey):
            return str(value)
    except (ValueError, InvalidOperation):
        return value
    return value


def _said(worked: Plan, value: Any) -> str:
    """A value as the field is shown everywhere else."""
    if isinstance(value, list | dict):
        return _now("(changed)") if value else DASH
    return text_of(worked)(value)


def _named(field: models.ForeignKey[Any, Any], value: Any) -> str:
    """The row a value names, where it is one of a small public table."""
    directory = DIRECTORIES.get(field.related_model)
    if directory is None or value is None:
        return DASH if value is None else str(value)
    return directory.name(UUID(str(value)) if isinstance(field.target_field, models.UUIDField) else value)

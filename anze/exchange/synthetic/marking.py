"""Whether a synthetic province was loaded, completely or not, and taking an incomplete one away."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

from django.apps import apps
from django.db import connection

from anze.kernel.actor import platform
from anze.kernel.audit import record
from anze.kernel.identifiers import is_synthetic_uscc
from anze.kernel.models import CalendarDay, Event, Parameter
from anze.library.actions import load_library
from anze.parties.actions import load_reference_data
from anze.parties.models import Account, Enterprise, Organisation, Region

STARTED, FINISHED, ASSESSED = "demo.started", "demo.finished", "demo.assessed"
_KEPT = (CalendarDay, Event, Parameter, Region, Account)


class Found(Enum):
    EMPTY = "nothing on file"
    COMPLETE = "a complete synthetic province"
    BROKEN = "a synthetic province whose load was interrupted"
    OTHER = "data that are not synthetic"


def what_is_there() -> Found:
    """What the database holds; the scope must be everything."""
    last = Event.objects.filter(kind__in=(STARTED, FINISHED)).order_by("-at", "-id").first()
    if not Organisation.objects.exists():
        return Found.EMPTY
    if last is None:
        return Found.OTHER
    return Found.COMPLETE if last.kind == FINISHED else Found.BROKEN


def lacks_assessments() -> bool:
    """Whether a complete province is there to which the assessments have not been added yet."""
    last = Event.objects.filter(kind__in=(STARTED, FINISHED, ASSESSED)).order_by("-at", "-id").first()
    return last is not None and last.kind == FINISHED and "as_of" in last.details


def as_of_loaded() -> date:
    """The day after the last data of the province that is there."""
    last = Event.objects.filter(kind=FINISHED).latest("at")
    return date.fromisoformat(str(last.details["as_of"]))


def seed_loaded() -> int:
    """What the province that is there was drawn from."""
    return int(str(Event.objects.filter(kind=STARTED).latest("at").details["seed"]))


def mark(kind: str, at: datetime, **details: object) -> None:
    """Write down that a load began or ended, in the audit log like everything else that is done."""
    record(kind, by=platform(), at=at, details=details)


def all_is_synthetic() -> bool:
    """Whether no enterprise on file could be a real one."""
    codes = Enterprise.objects.values_list("uscc", flat=True).iterator(chunk_size=10_000)
    return all(is_synthetic_uscc(code) for code in codes)


def clear() -> None:
    """Take every row away but the shipped reference data and the audit log."""
    tables = [
        connection.ops.quote_name(model._meta.db_table)
        for config in apps.get_app_configs()
        if config.name.startswith("anze.")
        for model in config.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model not in _KEPT
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(sorted(tables))}")
        cursor.execute("DELETE FROM otp_totp_totpdevice")
        cursor.execute("DELETE FROM parties_account")
    load_reference_data()
    load_library()

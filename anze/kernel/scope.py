"""Who sees which row. The database decides; this module tells it who is asking.

Every scoped table carries some of five columns: `region_code`, `sector`, `insurer_id`, `agency_id`,
`enterprise_id`. Tables experts read say in `policies` how, some by a column `expert_id`; it is no column of the
audit or the history. Each kind of reader has its own database role with one plain policy over these columns,
so that the planner sees an equality or a range on an index instead of a long OR. Nothing is visible
before a scope is entered, and a role sees nothing of a table that lacks its column: it fails closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg.pq import TransactionStatus

SCOPE_COLUMNS = ("region_code", "sector", "insurer_id", "agency_id", "enterprise_id")


# Settings are read in the condition itself and not in a subselect: so the planner knows their values, and a
# province-wide insurer's list is not planned as if hardly anything were in its region. Measured at 3 million
# rows, subselects made lists with two filters take seconds; a condition costs a fraction of a microsecond a row.


def _uuid(setting: str) -> str:
    return f"nullif(current_setting('anze.{setting}', true), '')::uuid"


def _text(setting: str) -> str:
    return f"nullif(current_setting('anze.{setting}', true), '')"


_IN_REGION = f"region_code BETWEEN {_text('region_from')} AND {_text('region_to')}"

# database role → the columns its policy needs, and the policy
READERS: dict[str, tuple[tuple[str, ...], str]] = {
    "anze_all": ((), "true"),
    "anze_region": (("region_code",), _IN_REGION),
    "anze_sector": (("region_code", "sector"), f"{_IN_REGION} AND sector = {_text('sector')}"),
    "anze_insurer": (("insurer_id", "region_code"), f"insurer_id = {_uuid('insurer')} AND {_IN_REGION}"),
    "anze_agency": (("agency_id",), f"agency_id = {_uuid('agency')}"),
    "anze_expert": ((), "false"),  # only tables that say how an expert reaches them
    "anze_enterprise": (("enterprise_id",), f"enterprise_id = {_uuid('enterprise')}"),
}


def party(setting: str) -> str:
    """SQL for the asking party's id, for tables that write their own policy."""
    return _uuid(setting)


@dataclass(frozen=True)
class Scope:
    """The rows somebody may see. `reader` is a database role of READERS; empty means none at all."""

    reader: str = ""
    region_from: str = ""
    region_to: str = ""
    sector: str = ""
    insurer_id: UUID | None = None
    agency_id: UUID | None = None
    expert_id: UUID | None = None
    enterprise_id: UUID | None = None

    @property
    def key(self) -> str:
        """Tells scopes apart in cache keys: two readers share a cached page only if all of this agrees."""
        parts = (self.region_from, self.region_to, self.sector, self.insurer_id)
        parties = (self.agency_id, self.expert_id, self.enterprise_id)
        return "|".join(str(part or "") for part in (self.reader, *parts, *parties))

    def covers_region(self, region_code: str) -> bool:
        return self.reader == "anze_all" or self.region_from <= region_code <= self.region_to


EVERYTHING = Scope(reader="anze_all")
NOTHING = Scope()


PROVINCE = "370000"  # the one this platform is for (GB/T 2260)


def region_range(region_code: str) -> tuple[str, str]:
    """The codes inside a region: 370000 → all of 37, 370700 → all of 3707, 370702 → itself.

    Functional zones have letters in the last two places (3707Z1), which sort after digits, hence 'Z'.
    """
    if region_code.endswith("0000"):
        return region_code, region_code[:2] + "ZZZZ"
    if region_code.endswith("00"):
        return region_code, region_code[:4] + "ZZ"
    return region_code, region_code


_SETTINGS = (
    "anze.region_from",
    "anze.region_to",
    "anze.sector",
    "anze.insurer",
    "anze.agency",
    "anze.expert",
    "anze.enterprise",
    "anze.by",
    "anze.event",
)


def enter(scope: Scope, *, by: UUID | str | None = None, event: UUID | None = None) -> str:
    """Set the scope for the rest of the current transaction. Must be called inside one.

    Returns the version of the database's content, which is the same for all who see the same; nothing if the
    transaction has written already."""
    if not connection.in_atomic_block:
        raise RuntimeError("a scope is entered inside a transaction, or it would leak to the next request")
    if not scope.reader:
        raise RuntimeError("there is nothing to see without a reader role")
    values = {
        "anze.region_from": scope.region_from,
        "anze.region_to": scope.region_to,
        "anze.sector": scope.sector,
        "anze.insurer": scope.insurer_id,
        "anze.agency": scope.agency_id,
        "anze.expert": scope.expert_id,
        "anze.enterprise": scope.enterprise_id,
        "anze.by": by,
        "anze.event": event,
        "role": scope.reader,
    }
    return _set(values)


_VERSION = "CASE WHEN pg_current_xact_id_if_assigned() IS NULL THEN pg_current_snapshot()::text ELSE '' END"


def _set(values: dict[str, Any]) -> str:
    pieces = ", ".join("set_config(%s, %s, true)" for _ in values)
    words: list[Any] = []
    for name, value in values.items():
        words += [name, str(value or "")]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_VERSION}, {pieces}", words)
        version: str = cursor.fetchone()[0]
    return version


@contextmanager
def inside(scope: Scope, *, by: UUID | str | None = None) -> Iterator[None]:
    """One transaction in which only the scope's rows exist. For jobs, commands and tests."""
    with transaction.atomic(durable=False):
        enter(scope, by=by)
        yield


@contextmanager
def widened(scope: Scope) -> Iterator[None]:
    """Work of the platform's own inside somebody's transaction: another scope for a while, then his again.

    Who is acting and in which event stays known to the history. After a database error only a rollback to a
    savepoint outside of this block brings the old scope back, and it does.
    """
    names = [*_SETTINGS, "role"]
    pieces = ", ".join("current_setting(%s, true)" for _ in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {pieces}", names)
        before = dict(zip(names, cursor.fetchone(), strict=True))
    by, event = before["anze.by"], before["anze.event"]
    enter(scope, by=by or None, event=UUID(event) if event else None)
    try:
        yield
    finally:
        if connection.connection and connection.connection.info.transaction_status == TransactionStatus.INTRANS:
            _set(before)


def leave() -> None:
    """Back to the login's own role, which sees no scoped row. Only tests and nested work need it."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")

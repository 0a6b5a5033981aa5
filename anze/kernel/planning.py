"""How PostgreSQL is told to run long chains of CTEs, of whose sizes its planner knows nothing.

Where it believes that a few rows come, a nested loop over tens of thousands can take minutes. Hash joins are right for
few rows and for many.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

_WAYS = ("enable_nestloop", "enable_mergejoin", "enable_sort")


def plan_by_hashing(cursor: CursorWrapper) -> None:
    """For the rest of the transaction."""
    for way in _WAYS:
        cursor.execute(f"SET LOCAL {way} = off")
    cursor.execute("SET LOCAL work_mem = '256MB'")


@contextmanager
def planned_by_hashing(cursor: CursorWrapper) -> Iterator[None]:
    """For the statements inside; after an error the transaction's end puts things back."""
    plan_by_hashing(cursor)
    yield
    for name in (*_WAYS, "work_mem"):
        cursor.execute(f"SET LOCAL {name} TO DEFAULT")

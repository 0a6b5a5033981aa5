"""Further sessions that read the very rows ours sees and write nothing: two cores take half the time.

What they find is handed over as a file of COPY in binary, kept in memory while it is small.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from anze.kernel.planning import plan_by_hashing
from anze.kernel.scope import EVERYTHING, enter

_IN_MEMORY = 64 << 20
_PIECE = 1 << 20


@contextmanager
def reading(snapshot: str = "") -> Iterator[CursorWrapper]:
    """A session of the calling thread's own over everything as it stands, or as it stood in an exported snapshot."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if snapshot:
                cursor.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
            enter(EVERYTHING)
            plan_by_hashing(cursor)
            yield cursor
    finally:
        connection.close()


def spooled(cursor: CursorWrapper, text: str) -> BinaryIO:
    """The rows of a query as a file."""
    file = cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - closed by `made_of`
    try:
        with cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT binary)") as copy:
            for piece in copy:
                file.write(piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def made_of(cursor: CursorWrapper, table: str, text: str, file: BinaryIO) -> None:
    """A temporary table of what `spooled` kept of a query."""
    cursor.execute(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {text} WITH NO DATA")
    with file, cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
        while piece := file.read(_PIECE):
            copy.write(piece)


def found_beside(cursor: CursorWrapper, texts: Iterable[str]) -> Iterator[str]:
    """For each query what to select its rows from, found by two further sessions while ours does something with those
    before. All are of one moment. A transaction that has written already, which others do not see, runs them itself."""
    cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
    if not cursor.fetchone()[0]:
        yield from (f"({text}) found" for text in texts)
        return
    texts = list(texts)
    snapshot = Future[str]()
    hands = (_finding(texts[0::2], snapshot, is_first=True), _finding(texts[1::2], snapshot, is_first=False))
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        threads = (one, other)
        coming = [threads[place % 2].submit(next, hands[place % 2]) for place in range(len(texts))]
        try:
            for text, found in zip(texts, coming, strict=True):
                made_of(cursor, "found", text, found.result())
                yield "found"
                cursor.execute("DROP TABLE found")
        finally:
            for found in coming:
                if not found.cancel() and not found.exception():
                    found.result().close()
            # the second holds on to the first one's moment
            for thread, hand in reversed([*zip(threads, hands, strict=True)]):
                thread.submit(hand.close).result()


def _finding(texts: Iterable[str], snapshot: Future[str], *, is_first: bool) -> Generator[BinaryIO]:
    """Query by query in a session of its own; the first says of which moment, the others take it over."""
    try:
        with reading("" if is_first else snapshot.result()) as cursor:
            if is_first:
                cursor.execute("SELECT pg_export_snapshot()")
                snapshot.set_result(cursor.fetchone()[0])
            for text in texts:
                yield spooled(cursor, text)
    except Exception as problem:
        if is_first and not snapshot.done():
            snapshot.set_exception(problem)
        raise

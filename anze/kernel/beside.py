"""A second session that reads the very rows ours sees and writes nothing: two cores take half the time.

What it finds is handed over as a file of COPY in binary, kept in memory while it is small.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
    """For each query what to select its rows from, found by a second session while ours does something with those
    before. All are of one moment. A transaction that has written already, which others do not see, runs them itself."""
    cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
    if not cursor.fetchone()[0]:
        yield from (f"({text}) found" for text in texts)
        return
    texts = list(texts)

    def find() -> Generator[BinaryIO]:
        with reading() as other:
            for text in texts:
                yield spooled(other, text)

    finding = find()
    with ThreadPoolExecutor(1) as thread:
        coming = [thread.submit(next, finding) for _ in texts]
        try:
            for text, found in zip(texts, coming, strict=True):
                made_of(cursor, "found", text, found.result())
                yield "found"
                cursor.execute("DROP TABLE found")
        finally:
            for found in coming:
                if not found.cancel() and not found.exception():
                    found.result().close()
            thread.submit(finding.close).result()

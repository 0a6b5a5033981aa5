"""Refreshes among other people's work: real connections, committed transactions, a database of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from psycopg.errors import DivisionByZero

from anze.kernel.beside import found_beside
from anze.kernel.models import Touch
from anze.kernel.scope import EVERYTHING, inside
from anze.monitoring import refresh as refreshing
from anze.monitoring.figures import present_state
from anze.monitoring.refresh import recompute, refresh
from tests.cast import NOW, YUANFAN, Cast, assemble
from tests.exchange.live import new_database
from tests.monitoring.deliveries import VOID, obligation, policy, receipt
from tests.monitoring.test_refresh import all_cells

pytestmark = pytest.mark.slow


@pytest.fixture
def committed(pristine: str, django_db_blocker) -> Iterator[Cast]:
    """The cast in a copy of the test database, where what is done stays done until the copy is dropped."""
    settings = connection.settings_dict
    usual = settings["NAME"]
    connection.close()
    with new_database(os.environ["DATABASE_URL"], pristine) as url:
        settings["NAME"] = urlsplit(url).path.lstrip("/")
        try:
            with django_db_blocker.unblock():
                with inside(EVERYTHING):
                    cast = assemble()
                recompute(at=NOW)
                yield cast
                connection.close()
        finally:
            settings["NAME"] = usual


def deliver(cast: Cast, feed: str, *rows: dict[str, Any]) -> None:
    """One delivery, committed."""
    with inside(EVERYTHING):
        cast.accepted(cast.province if feed == "obligations" else cast.huaihai, feed, *rows)


def in_a_thread(work: Callable[[], Any]) -> Any:
    """Do something over a connection of its own and wait for it."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(300)


@contextmanager
def after_the_snapshot(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any]) -> Iterator[None]:
    """Something happens between a refresh's taking of the touches and its judging."""
    take = refreshing._take_touches

    def take_and_let_happen(cursor: Any) -> int:
        touched = take(cursor)
        meanwhile()
        return touched

    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_take_touches", take_and_let_happen)
        yield


def cells() -> dict[str, list[tuple]]:
    with inside(EVERYTHING):
        return all_cells()


def as_if_counted_anew() -> dict[str, list[tuple]]:
    recompute(at=NOW)
    return cells()


def test_what_is_committed_during_a_refresh_waits_for_the_next(committed, monkeypatch):
    cast = committed
    deliver(cast, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    deliver(cast, "policies", policy("P1"))

    def meanwhile() -> None:
        # the same enterprise and the same row as the refresh is just judging, and a new one
        deliver(cast, "policies", policy("P1", insured_workers=60), policy("P2", YUANFAN))
        deliver(cast, "receipts", receipt())
        deliver(cast, "policies", policy("P1", insured_workers=60, **VOID))

    with after_the_snapshot(monkeypatch, lambda: in_a_thread(meanwhile)):
        first = refresh(at=NOW)
    assert first
    assert first.touched == 3
    with inside(EVERYTHING):
        assert Touch.objects.exists()
        coverage = all_cells()["coverage"]
    assert coverage, "counted as it was in the snapshot"
    second = refresh(at=NOW)
    assert second
    assert second.touched == 3  # P1, P2 and the receipt, each once
    refreshed = cells()
    assert refreshed == as_if_counted_anew()
    assert refreshed["coverage"] != coverage


def test_a_writer_not_yet_committed_is_counted_when_he_is(committed):
    cast = committed
    deliver(cast, "obligations", obligation())
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with inside(EVERYTHING):
            cast.accepted(cast.huaihai, "policies", policy("P1"))
            written.set()
            assert may_commit.wait(300)

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: (write_slowly(), connection.close()))
        assert written.wait(300)
        done = refresh(at=NOW)
        assert done
        assert done.touched == 1  # the register entry alone
        may_commit.set()
        slow.result(300)
    later = refresh(at=NOW)
    assert later
    assert later.touched == 1
    refreshed = cells()
    assert refreshed == as_if_counted_anew()


def test_of_two_refreshes_at_once_one_does_the_work(committed, monkeypatch):
    cast = committed
    deliver(cast, "obligations", obligation())
    others: list[Any] = []

    def meanwhile() -> None:
        others.append(in_a_thread(lambda: refresh(at=NOW)))
        others.append(in_a_thread(lambda: recompute(at=NOW)))

    with after_the_snapshot(monkeypatch, meanwhile):
        done = refresh(at=NOW)
    assert done
    assert done.touched == 1
    assert others == [None, None]
    refreshed = cells()
    assert refreshed == as_if_counted_anew()
    assert refresh(at=NOW), "the lock is free again"


def test_a_refresh_killed_in_the_middle_changes_nothing(committed, monkeypatch):
    cast = committed
    deliver(cast, "obligations", obligation())
    refresh(at=NOW)
    before = cells()
    deliver(cast, "policies", policy("P1"))
    with inside(EVERYTHING):
        waiting = Touch.objects.count()
    state = present_state()
    added = refreshing._add
    killed: list[int] = []

    def add_and_die(cursor: Any, *words: Any) -> None:
        added(cursor, *words)
        if not killed:
            killed.append(connection.connection.info.backend_pid)
            in_a_thread(lambda: _kill(killed[0]))

    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_add", add_and_die)
        with pytest.raises(OperationalError):
            refresh(at=NOW)
    connection.close()
    assert killed
    assert cells() == before
    assert present_state() == state
    with inside(EVERYTHING):
        assert Touch.objects.count() == waiting
    done = refresh(at=NOW)
    assert done, "the lock died with the connection"
    assert done.touched == waiting
    refreshed = cells()
    assert refreshed != before
    assert refreshed == as_if_counted_anew()


def _kill(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_refresh_inside_somebodys_transaction_lets_nobody_change_rows_meanwhile(committed):
    cast = committed
    deliver(cast, "obligations", obligation())

    def try_to_write() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        try:
            deliver(cast, "policies", policy("P1"))
        except OperationalError as problem:
            return str(problem)
        return ""

    with inside(EVERYTHING):
        done = refresh(at=NOW)
        assert done
        assert "lock timeout" in in_a_thread(try_to_write)
    assert in_a_thread(try_to_write) == ""
    refresh(at=NOW)
    refreshed = cells()
    assert refreshed == as_if_counted_anew()


NUMBERS = "SELECT policy_no FROM underwriting_policy ORDER BY policy_no"


def found(cursor: Any, texts: list[str], meanwhile: Callable[[], Any] = lambda: None) -> list[list[tuple]]:
    """What each query finds; after the first, something happens."""
    rows = []
    for relation in found_beside(cursor, texts):
        cursor.execute(f"SELECT * FROM {relation}")
        rows.append(cursor.fetchall())
        if len(rows) == 1:
            meanwhile()
    return rows


def test_what_a_second_session_finds_is_of_one_moment(committed):
    cast = committed
    deliver(cast, "policies", policy("P1"))
    with inside(EVERYTHING), connection.cursor() as cursor:
        rows = found(
            cursor, [NUMBERS, "SELECT 1.5 AS n, NULL::uuid AS nothing", NUMBERS],
            lambda: in_a_thread(lambda: deliver(cast, "policies", policy("P2", YUANFAN))),
        )  # fmt: skip
        assert rows == [[("P1",)], [(Decimal("1.5"), None)], [("P1",)]]
        cursor.execute(NUMBERS)
        assert cursor.fetchall() == [("P1",), ("P2",)]


def test_a_transaction_that_has_written_finds_its_own_rows(committed):
    deliver(committed, "policies", policy("P1"))
    with inside(EVERYTHING), connection.cursor() as cursor:
        cursor.execute("UPDATE underwriting_policy SET policy_no = 'P9'")
        assert found(cursor, [NUMBERS, NUMBERS]) == [[("P9",)], [("P9",)]]


def test_an_error_of_the_second_session_is_told_in_the_first(committed):
    with inside(EVERYTHING), connection.cursor() as cursor:
        with pytest.raises(DivisionByZero):
            found(cursor, [NUMBERS, "SELECT 1 / (count(*) - count(*)) AS n FROM underwriting_policy", NUMBERS])
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)

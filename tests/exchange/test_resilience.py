"""Nothing acknowledged is lost and nothing is doubled, whatever is killed; and memory has a limit."""

from __future__ import annotations

import gzip
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cast import XINGHUO, policy_row
from tests.exchange.live import Copied, Platform, children, is_alive, resident_peak
from tools.postgres import ensure_cluster, stop_cluster

pytestmark = pytest.mark.slow

LIMIT = 500 * 1000 * 1000  # bytes a process may hold for a batch of 50 MB


@pytest.fixture
def own(copied: Copied, tmp_path: Path) -> Iterator[Platform]:
    """A platform of the test's own, with nothing started yet."""
    with copied(tmp_path) as platform:
        yield platform


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Path]]:
    """A platform on a whole database server of its own, safe as in production, and that server's folder."""
    place = tmp_path_factory.mktemp("mortal")
    folder = place / "cluster"
    platform = Platform(str(ensure_cluster(folder)), place)
    try:
        platform.run("manage.py", "migrate", "--verbosity", "0")
        platform.seed()
        platform.start_server(workers=2)
        yield platform, folder
    finally:
        platform.stop_all()
        stop_cluster(folder)


def policies(prefix: str, count: int) -> Iterator[str]:
    row = policy_row("@", XINGHUO)
    text = json.dumps(row, ensure_ascii=False)
    return (text.replace('"@"', f'"{prefix}{n}"') for n in range(count))


def wait_until(said: Any, seconds: float = 900) -> None:
    deadline = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_a_worker_killed_in_the_middle_of_a_batch(own: Platform) -> None:
    own.start_server(workers=1)
    worker = own.start_worker()
    client = own.client(wait=0)
    with pytest.raises(ConnectionError, match="not processed yet"):
        client.push("policies", policies("K", 50_000), "key", chunk=50_000)
    wait_until(lambda: own.ask("SELECT started_at FROM exchange_batch WHERE feed = 'policies'")[0][0])
    # the lock under which a batch is published
    wait_until(lambda: own.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")[0][0])
    time.sleep(0.2)
    own.stop(worker, signal.SIGKILL)
    [(state, attempts)] = own.ask("SELECT state, attempts FROM exchange_batch WHERE feed = 'policies'")
    assert (state, attempts) == ("RECEIVED", 1), "the kill came too late: the test must catch the worker at work"
    assert own.ask("SELECT count(*) FROM underwriting_policy") == [(0,)]
    own.start_worker()
    receipt = own.client().push("policies", policies("K", 50_000), "key", chunk=50_000)
    assert (receipt.state, receipt.created, receipt.rows) == ("DONE", 50_000, 50_000)
    assert own.ask("SELECT count(*), count(DISTINCT policy_no), max(version) FROM underwriting_policy") == [
        (50_000, 50_000, 1)
    ]
    assert own.ask("SELECT count(*) FROM exchange_batch WHERE feed = 'policies'") == [(1,)]


def test_a_batch_read_while_the_one_before_is_published_still_comes_after_it(own: Platform) -> None:
    """Two hands of one worker take batch after batch of one sender: each corrects the one before."""
    own.start_server(workers=1)
    client = own.client(wait=0)
    row = policy_row("@", XINGHUO)
    for workers in range(1, 7):
        text = json.dumps({**row, "insured_workers": workers}, ensure_ascii=False)
        with pytest.raises(ConnectionError, match="not processed yet"):
            client.push("policies", (text.replace('"@"', f'"O{n}"') for n in range(3000)), f"key {workers}", chunk=3000)
    own.start_worker()
    done = "SELECT count(*) FROM exchange_batch WHERE state = 'DONE' AND feed = 'policies'"
    wait_until(lambda: own.ask(done) == [(6,)])
    assert own.ask("SELECT DISTINCT version, insured_workers FROM underwriting_policy") == [(6, 6)]
    # a hand that comes in between noting and locking notes once more, and finds it done
    assert own.ask("SELECT max(attempts) <= 2 FROM exchange_batch") == [(True,)]
    updated = "SELECT updated FROM exchange_batch WHERE feed = 'policies' ORDER BY received_at"
    assert own.ask(updated) == [(0,), *[(3000,)] * 5]


def test_a_database_killed_in_the_middle_of_batches(mortal: tuple[Platform, Path]) -> None:
    """The cluster dies three times while a client sends; every receipt it got holds, every row is there once."""
    own, folder = mortal
    worker = own.start_worker()
    receipts: list[Any] = []
    failed: list[BaseException] = []

    def push(by: str, prefix: str, count: int, chunk: int) -> None:
        client = own.client(by, attempts=12, wait=900)
        try:
            for start in range(0, count, chunk):
                rows = list(policies(f"{prefix}{start}-", chunk))
                receipts.append(client.push("policies", rows, f"{prefix}{start}", chunk=chunk))
        except BaseException as problem:
            failed.append(problem)

    senders = [
        threading.Thread(target=push, args=("bohai", "small", 16_000, 400), daemon=True),
        threading.Thread(target=push, args=("huaihai", "large", 36_000, 12_000), daemon=True),
    ]
    for sender in senders:
        sender.start()
    for _time in range(3):
        before = len(receipts)
        wait_until(lambda: len(receipts) > before + 3 or failed)  # noqa: B023 - asked at once
        assert any(sender.is_alive() for sender in senders), "all was sent before the kill"
        os.kill(int((folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        time.sleep(0.5)
        assert str(ensure_cluster(folder)) == own.url  # the same port as before
    deadline = time.monotonic() + 900
    while any(sender.is_alive() for sender in senders) and time.monotonic() < deadline:
        if worker.poll() is not None:  # as whoever runs it does: it may end when its database does
            worker = own.start_worker()
        time.sleep(0.5)
    assert not failed
    assert sum(receipt.rows for receipt in receipts) == 52_000
    assert all(receipt.outcomes == "A" * receipt.rows for receipt in receipts)
    assert own.ask("SELECT count(*), count(DISTINCT policy_no), max(version) FROM underwriting_policy") == [
        (52_000, 52_000, 1)
    ]
    acknowledged = {batch_id for receipt in receipts for batch_id in receipt.ids}
    kept = {str(row[0]) for row in own.ask("SELECT id FROM exchange_batch WHERE feed = 'policies' AND state = 'DONE'")}
    assert acknowledged == kept
    own.stop(worker)


def test_while_the_database_is_away_machines_are_told_so(mortal: tuple[Platform, Path]) -> None:
    own, folder = mortal
    stop_cluster(folder)
    from anze_client import Unreachable

    with pytest.raises(Unreachable, match="unavailable"):
        own.client(attempts=2).feeds()
    ensure_cluster(folder)
    assert own.client().feeds()["feeds"]


def fifty_megabytes(*, good: bool) -> bytes:
    """As many rows as a batch of 50 MB holds: all in order, or nothing but errors."""
    limit = 50 * 1024 * 1024 - 1000
    lines: list[str] = []
    size = 0
    prefix = uuid4().hex[:6]
    slim = {name: value for name, value in policy_row("@", XINGHUO).items() if name != "registered_workers"}
    text = json.dumps(slim, ensure_ascii=False, separators=(",", ":")) if good else '{"policy_no":"@","holder_name":7}'
    pad = "" if good else " " * 60
    for number in range(500_000):
        line = text.replace('"@"', f'"{prefix}{number}"') + pad
        size += len(line.encode()) + 1
        if size > limit:
            break
        lines.append(line)
    return "\n".join(lines).encode()


@pytest.mark.parametrize("good", [True, False])
def test_a_batch_of_50_megabytes_stays_within_memory(own: Platform, good: bool) -> None:
    content = fifty_megabytes(good=good)
    assert len(content) > 45_000_000
    rows = content.count(b"\n") + 1
    server = own.start_server(workers=1, threads=2)
    worker = own.start_worker()
    [serving] = children(server.pid)
    body = gzip.compress(content, 6)
    assert len(body) < 5_000_000
    from tests.exchange.test_interface import finished, send

    answer = send(own, body=body, headers={"Content-Encoding": "gzip"})
    assert answer.status == 202, answer.json
    receipt = finished(own, answer, seconds=300)
    assert receipt["state"] == "DONE", receipt["failure"]
    assert receipt["created" if good else "rejected"] == rows
    assert is_alive(worker.pid)
    peaks = {"server": resident_peak(serving), "worker": resident_peak(worker.pid)}
    print(f"{rows} rows, peak memory {peaks}")
    assert max(peaks.values()) <= LIMIT, peaks


STALLED = """
import asyncio, json, django
django.setup()
from procrastinate.contrib.django import app
from anze.kernel.tasks import revive

async def main():
    with app.replace_connector(app.connector.get_worker_connector()) as theirs:
        async with theirs.open_async():
            ids = []
            for lock in ("a", "b", "b"):
                task = theirs.configure_task("exchange.forget_nonces", lock=lock, queueing_lock=lock)
                ids.append(await task.defer_async(timestamp=1))
                if len(ids) < 3:  # a worker took it, and was killed
                    await theirs.connector.execute_query_async(
                        "UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %(id)s", id=ids[-1]
                    )
            await revive(theirs.job_manager)
            rows = await theirs.connector.execute_query_all_async(
                "SELECT id, status::text FROM procrastinate_jobs ORDER BY id"
            )
            print(json.dumps([[ids.index(row["id"]), row["status"]] for row in rows]))

asyncio.run(main())
"""


def test_jobs_of_a_killed_worker_start_again_and_hold_no_lock(own: Platform) -> None:
    said = json.loads(own.run("-c", STALLED).splitlines()[-1])
    # the first waits again; instead of the second waits the third, which is like it
    assert said == [[0, "todo"], [2, "todo"]]

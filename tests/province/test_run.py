"""`anze run`: one command from nothing to the open site, and again in seconds; it looks after its processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import psycopg
import pytest

from anze.web.serving import Child, ServingProblem, Watch, free_port
from tests.province.conftest import ROOT, Demo
from tools.stop import stop_platform

pytestmark = pytest.mark.slow
SECONDS = 900  # after which something hangs; a busy machine may need long


@pytest.fixture(scope="module")
def place(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """An empty database and an empty folder."""
    return Demo(new_database(), tmp_path_factory.mktemp("run"))


class Running:
    """A platform started by the command, with what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def until(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.said):
                return found
            assert self.process.poll() is None, self.said
            time.sleep(0.2)
        raise AssertionError(f"never said {pattern}: {self.said}")

    def url(self) -> str:
        return self.until(r"Anze runs at (http://\S+/)")[1]


@contextmanager
def run(place: Demo, *words: str) -> Iterator[Running]:
    output = place.state / f"output-{time.monotonic_ns()}"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run", "--scale", "0.005", "--threads", "2", *words],
            env=place.environment() | {"COLUMNS": "200"},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield Running(process, output)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(300)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def status_of(url: str) -> int:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=300) as answer:
            return int(answer.status)
    except HTTPError as answer:
        return answer.code


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_from_an_empty_database_to_the_open_site_and_again(place: Demo) -> None:
    with taken_port() as port, run(place, "--port", str(port)) as first:
        url = first.url()
        assert f"Port {port} is taken" in first.said
        assert str(port) not in url
        for word in ("Anze-demo-2026", "province", "insurer", "enterprise", "admin", "省级"):
            first.until(word)
        assert status_of(url) < 400
        services = place.select("SELECT count(*) FROM prevention_service")
        assert services == [(395,)]

        # a second one is told where the first is
        done = place.manage("run")
        assert done.returncode != 0
        assert url in done.stderr

        # what takes long comes while the site is open
        first.until("compared reports are there now")
        campaigns = place.select("SELECT count(*) FROM assessment_campaign")
        assert campaigns == [(4,)]

        # what dies is started again
        pids = children_of(first.process.pid)
        assert len(pids) == 2
        os.kill(pids[0], signal.SIGKILL)
        first.until("it is started again")
        deadline = time.monotonic() + SECONDS
        while len(set(children_of(first.process.pid)) - {pids[0]}) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        while True:
            try:
                assert status_of(url) < 400
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.2)

        pids = children_of(first.process.pid)
        assert stop_platform(place.state)
        assert first.process.wait(5) == 0
        assert "Stopping" in first.said
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]

    with run(place) as second:
        assert status_of(second.url()) < 400
        assert "Insurers' data" not in second.said
        assert place.select("SELECT count(*) FROM prevention_service") == services
        assert "assessments" not in second.said
        assert place.select("SELECT count(*) FROM assessment_campaign") == campaigns


def test_an_interrupted_load_is_done_again(
    new_database: Callable[..., str], pristine: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = Demo(new_database(pristine), tmp_path_factory.mktemp("broken"))
    assert place.manage("prepare").returncode == 0
    loading = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "demo", "--scale", "0.005"],
        env=place.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + SECONDS
    while place.select("SELECT count(*) FROM underwriting_policy") == [(0,)]:
        assert time.monotonic() < deadline
        assert loading.poll() is None
        time.sleep(0.02)
    os.killpg(loading.pid, signal.SIGKILL)
    loading.wait()
    _until_gone(place)
    assert place.select("SELECT count(*) FROM parties_account") == [(0,)]
    with run(place) as running:
        running.url()
        assert "was interrupted; it is done again" in running.said
        assert place.select("SELECT count(*) FROM prevention_service") == [(395,)]
        assert place.select("SELECT sum(amount) FROM expenses_expense") == [(390_000,)]


def _until_gone(place: Demo) -> None:
    """A killed program's database sessions end a moment after it."""
    deadline = time.monotonic() + SECONDS
    # each look in a transaction of its own: within one, the list of sessions stays as it was first seen
    with psycopg.connect(place.url, autocommit=True) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        ).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_next_free_port() -> None:
    with taken_port() as port:
        assert free_port("127.0.0.1", port) > port


def test_no_port_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anze.web.serving._PORTS", 1)
    with taken_port() as port, pytest.raises(ServingProblem, match="name another one with --port"):
        free_port("127.0.0.1", port)


def test_what_does_not_live_is_given_up(tmp_path: Path) -> None:
    said: list[str] = []
    command = [sys.executable, "-c", "raise SystemExit('ImportError: no such thing')"]
    watch = Watch([Child("worker", command, tmp_path / "worker.log", dict(os.environ))], said.append)
    watch.start()

    def look_after_it_for_long() -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            watch.look_after()
            time.sleep(0.05)

    with pytest.raises(ServingProblem, match="The worker does not stay alive: ImportError: no such thing"):
        look_after_it_for_long()
    assert len(said) == 4
    watch.end()


def test_a_child_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anze.web.serving.GRACE", 0.5)
    ready = tmp_path / "ready"
    stubborn = (
        "import signal, time, pathlib, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    )
    command = [sys.executable, "-c", stubborn, str(ready)]
    child = Child("worker", command, tmp_path / "worker.log", dict(os.environ))
    watch = Watch([child], lambda _text: None)
    watch.start()
    while not ready.exists():
        time.sleep(0.02)
    watch.end()
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL

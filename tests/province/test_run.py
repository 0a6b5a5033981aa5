"""`anze run`: one command from nothing to the open site, and again in seconds; it looks after its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import psycopg
import pytest

from anze.web.serving import Child, ServingProblem, Watch, free_port
from tests.exchange.live import children
from tests.newcomers import SECONDS, Newcomer, run, taken_port
from tests.province.conftest import ROOT, Demo
from tools.stop import stop_platform

pytestmark = pytest.mark.slow


def status_of(url: str) -> int:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=300) as answer:
            return int(answer.status)
    except HTTPError as answer:
        return answer.code


def test_from_an_empty_database_to_the_open_site_and_again(newcomer: Newcomer) -> None:
    first, url = newcomer.running, f"{newcomer.base}/"
    taken = first.until(r"Port (\d+) is taken")[1]
    assert taken not in url
    assert first.url() == url
    for word in ("Anze-demo-2026", "province", "insurer", "enterprise", "admin", "省级"):
        first.until(word)
    assert status_of(url) < 400
    services = newcomer.ask("SELECT count(*) FROM prevention_service")
    assert services == [(790,)]

    # a second one is told where the first is
    with run(newcomer.environment, newcomer.state) as beside:
        assert beside.process.wait(SECONDS) != 0
    assert url in beside.said

    # what takes long comes while the site is open
    first.until("compared reports are there now")
    campaigns = newcomer.ask("SELECT count(*) FROM assessment_campaign")
    assert campaigns == [(4,)]

    # what dies is started again
    pids = children(first.process.pid)
    assert len(pids) == 2
    os.kill(pids[0], signal.SIGKILL)
    first.until("it is started again")
    deadline = time.monotonic() + SECONDS
    while len(set(children(first.process.pid)) - {pids[0]}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    while True:
        try:
            assert status_of(url) < 400
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)

    pids = children(first.process.pid)
    assert stop_platform(newcomer.state)
    assert first.process.wait(5) == 0
    assert "Stopping" in first.said
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]

    # the tests in a browser find it started for the second time
    second = newcomer.start()
    assert status_of(second.url()) < 400
    assert "Insurers' data" not in second.said
    assert newcomer.ask("SELECT count(*) FROM prevention_service") == services
    assert "assessments" not in second.said
    assert newcomer.ask("SELECT count(*) FROM assessment_campaign") == campaigns


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
    with run(place.environment(), place.state, "--scale", "0.005") as running:
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

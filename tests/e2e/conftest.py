"""The whole platform as a newcomer gets it: `manage.py run` on an empty database, with a small province."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.live import free_port, new_database

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def site(pristine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running site; its database and state folder are its own and go with it."""
    with new_database(os.environ["DATABASE_URL"], pristine) as url:
        yield from _run(url, tmp_path_factory.mktemp("state"))


def _run(url: str, state: Path) -> Iterator[str]:
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": url, "ANZE_STATE": str(state), "PYTHONWARNINGS": "default"}
    environment.pop("ANZE_DATABASE_LOGIN", None)
    log = (state / "run.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run", "--scale", "0.01", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/sign-in/", process, state / "run.log")
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(300)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path, seconds: int = 900) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the site ended:\n{log.read_text(errors='replace')[-4000:]}")
        try:
            urllib.request.urlopen(address, timeout=30).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    pytest.fail(f"the site did not answer:\n{log.read_text(errors='replace')[-4000:]}")

"""The platform as somebody gets it who has just fetched the program: `manage.py run` on an empty database."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.exchange.live import ROOT, Platform

SECONDS = 900  # after which something hangs; a busy machine may need long


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
def run(environment: Mapping[str, str], state: Path, *words: str) -> Iterator[Running]:
    output = state / f"output-{time.monotonic_ns()}"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run", *words],
            env={**environment, "COLUMNS": "200"},
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


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@dataclass
class Newcomer(Platform):
    """With a small province; it can be started again."""

    running: Running = field(init=False)
    _until_stopped: ExitStack = field(default_factory=ExitStack)

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key != "ANZE_DATABASE_LOGIN"}
        return {**kept, "DATABASE_URL": self.url, "ANZE_STATE": str(self.state), "PYTHONWARNINGS": "default"}

    def start(self) -> Running:
        words = ("--scale", "0.01", "--port", str(self.port))
        self.running = self._until_stopped.enter_context(run(self.environment, self.state, *words))
        self.port = urlsplit(self.running.url()).port or 0
        return self.running

    def stop_all(self) -> None:
        self._until_stopped.close()

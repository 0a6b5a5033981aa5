"""The real platform for tests over HTTP: a database of its own, gunicorn with production's middleware, a worker.

Nothing is rolled back here; tests tell their rows apart by their own policy numbers.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from django.db import connections
from psycopg import sql

from config.settings import web_password

ROOT = Path(__file__).resolve().parents[2]
CLERK, PASSWORD = "clerk", "Kuaile-2026-anquan"  # of Huaihai Insurance
PYTHON = str(ROOT / ".venv" / "bin" / "python")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Platform:
    """`url` is the owner's login to a database made for this platform; `state` a folder for its secrets."""

    url: str
    state: Path
    port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    links: dict[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith(("ANZE_", "DJANGO_"))}
        return env | {
            "DATABASE_URL": self.url,
            "ANZE_STATE": str(self.state),
            "ANZE_SECRET_KEY": "a secret for tests only",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [PYTHON, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def seed(self) -> None:
        """Reference data, the cast and its keys."""
        self.keys = json.loads(self.run("-m", "tests.exchange.seed").splitlines()[-1])

    def let_in(self) -> None:
        """The login of the program to a database whose tables came with the copy: the last step of the migrations,
        without a process that first looks for the others."""
        from anze.kernel.database import install_database_rules

        owner = urlsplit(self.url)
        theirs = {"NAME": owner.path.lstrip("/"), "USER": owner.username, "PASSWORD": owner.password}
        before = connections["default"]
        here = connections.create_connection("default")
        here.settings_dict = {**before.settings_dict, **theirs}
        connections["default"] = here
        try:
            install_database_rules()
        finally:
            here.close()
            connections["default"] = before

    def _start(self, *words: str, log: str) -> subprocess.Popen[bytes]:
        with (self.state / log).open("ab") as file:
            process = subprocess.Popen(
                [PYTHON, *words], cwd=ROOT, env=self.environment, stdout=file, stderr=file, start_new_session=True
            )
        self.processes.append(process)
        return process

    def start_server(self, workers: int = 2, threads: int = 2) -> subprocess.Popen[bytes]:
        server = self._start(
            "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}", "--workers", str(workers),
            "--threads", str(threads), "--worker-tmp-dir", str(self.state), "--no-control-socket",
            log="server.log",
        )  # fmt: skip
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise RuntimeError((self.state / "server.log").read_text())
            try:
                with urllib.request.urlopen(f"{self.base}/api/v1/openapi.json", timeout=300) as answer:
                    answer.read()
                return server
            except urllib.error.HTTPError:
                raise RuntimeError((self.state / "server.log").read_text()) from None
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the server does not answer: " + (self.state / "server.log").read_text())

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._start("manage.py", "procrastinate", "worker", "--concurrency", "2", log="worker.log")

    def stop(self, process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM) -> None:
        """End a process and its children."""
        if process.poll() is None:
            os.killpg(process.pid, with_signal)
        process.wait(300)
        if process in self.processes:
            self.processes.remove(process)

    def stop_all(self) -> None:
        for process in list(self.processes):
            self.stop(process, signal.SIGKILL)

    def client(self, name: str = "huaihai", **options: Any) -> Any:
        from anze_client import Client

        key = self.keys[name]
        return Client(self.base, key["key_id"], key["secret"], **{"timeout": 60, **options})

    def signer(self, name: str = "huaihai") -> Any:
        from anze_client import Signer

        return Signer(self.keys[name]["key_id"], self.keys[name]["secret"])

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """The whole database as the program itself sees it in a job."""
        with psycopg.connect(web_url(self.url), autocommit=True) as connection:
            connection.execute("SET ROLE anze_all")
            yield connection

    def ask(self, query: str, *words: Any) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return connection.execute(query, words).fetchall()


def web_url(owner_url: str) -> str:
    """The program's own login to the same database."""
    owner = urlsplit(owner_url)
    name = owner.path.lstrip("/")
    login = f"{name}_web:{web_password(owner.password or '')}@{owner.hostname}:{owner.port}"
    return urlunsplit(owner._replace(netloc=login))


@contextmanager
def new_database(cluster: str, template: str = "template1", name: str = "") -> Iterator[str]:
    """A database on the cluster, empty or a copy of one that nobody works in; the owner's login to it."""
    name = name or f"live_{uuid4().hex[:12]}"
    owner = urlsplit(cluster)
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*map(sql.Identifier, (name, template)))
        )
    made = urlunsplit(owner._replace(path=f"/{name}"))
    try:
        yield made
    finally:
        # only its own login may end the backends that killed processes left at work
        with suppress(psycopg.Error), psycopg.connect(web_url(made), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE usename = current_user AND pid <> pg_backend_pid()"
            )
        with psycopg.connect(cluster, autocommit=True) as connection:
            _drop(connection, sql.Identifier(name))
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{name}_web")))


def _drop(connection: psycopg.Connection, name: sql.Identifier) -> None:
    """Others' sessions that are just being closed are waited for: five seconds by PostgreSQL itself, if need be
    more often."""
    for _time in range(60):
        with suppress(psycopg.errors.ObjectInUse):
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))
            return
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


Copied = Callable[[Path], AbstractContextManager[Platform]]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def resident_peak(pid: int) -> int:
    """The most memory a process has held so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

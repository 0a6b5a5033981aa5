"""The processes of a running platform: the web server and the worker, watched over and ended together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

MOST_DEATHS, WITHIN = 5, 60  # a process that dies more often within so many seconds is given up
GRACE = 15  # seconds to end in peace
_PORTS = 50  # how many ports after the usual one are tried


class ServingProblem(Exception):
    """The platform cannot run; the text is for the person at the keyboard."""


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next one nobody listens on."""
    for port in range(wanted, wanted + _PORTS):
        if _is_free(host, port):
            return port
    raise ServingProblem(f"All ports from {wanted} to {wanted + _PORTS - 1} are taken: name another one with --port.")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # somebody on all addresses does not keep us from one of them, but a browser could reach either
    everywhere = "::" if family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - probed, never served on
    for address in (host, everywhere):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError:
                raise ServingProblem(f"Port {port} is reserved for the system: use one above 1023.") from None
            except OSError:
                return False
    return True


def url_of(host: str, port: int) -> str:
    """Where a browser on this machine finds the site."""
    here = ("0.0.0.0", "localhost")  # noqa: S104 - compared only
    shown = "127.0.0.1" if host in here else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"


@dataclass
class Child:
    """One process that should always run; what it says goes to its log."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            # a group of its own: Ctrl-C reaches only the watcher, who ends the children in order
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )

    def last_words(self) -> str:
        """The line of the log that says most about the end."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
        except OSError:
            return ""
        telling = [line.strip() for line in lines if "Error" in line or "error" in line]
        return (telling or [line.strip() for line in lines if line.strip()] or [""])[-1][:300]


class Watch:
    """Starts the children, starts again what dies, and ends all of them."""

    def __init__(self, children: list[Child], say: Callable[[str], None]) -> None:
        self.children = children
        self._say = say
        self.ending = False

    def start(self) -> None:
        for child in self.children:
            child.start()

    def look_after(self) -> None:
        """Start dead children again; raises `ServingProblem` when one will not live."""
        for child in self.children:
            if self.ending or child.process is None or child.process.poll() is None:
                continue
            now = time.monotonic()
            child.deaths = [each for each in child.deaths if now - each < WITHIN] + [now]
            if len(child.deaths) >= MOST_DEATHS:
                raise ServingProblem(
                    f"The {child.name} does not stay alive: {child.last_words()} (all of it: {child.log})"
                )
            self._say(f"The {child.name} ended with status {child.process.returncode}; it is started again.")
            child.start()

    def until_answers(self, url: str, seconds: float) -> None:
        """Wait for the site's first answer."""
        # straight to this machine, whatever proxy the environment names
        opener = build_opener(ProxyHandler({}))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.ending:
            self.look_after()
            try:
                opener.open(url, timeout=10).close()
            except HTTPError as answer:
                if answer.code < 500:
                    return
            except (URLError, OSError):
                pass
            else:
                return
            time.sleep(0.2)
        if not self.ending:
            web = self.children[0]
            raise ServingProblem(f"The site does not answer at {url}: {web.last_words()} (all of it: {web.log})")

    def end(self) -> None:
        """End all children, in peace if they can."""
        self.ending = True
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + GRACE
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def children_of(root: Path, logs: Path, host: str, port: int, workers: int, threads: int) -> list[Child]:
    """The web server and the worker."""
    environment = dict(os.environ)
    environment.pop("ANZE_DATABASE_LOGIN", None)
    environment.setdefault("ANZE_HOSTS", ",".join(_names(host)))
    manage = str(root / "manage.py")
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [
        Child(
            "web server",
            [
                sys.executable, "-m", "gunicorn", "config.wsgi:application", "--chdir", str(root),
                "--bind", bind,
                "--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads),
                "--timeout", "120", "--graceful-timeout", "10", "--no-control-socket",
                "--worker-tmp-dir", _memory_folder(),
                "--forwarded-allow-ips", "127.0.0.1",
            ],
            logs / "web.log",
            environment,
        ),
        Child(
            "worker",
            [sys.executable, manage, "procrastinate", "worker", "--concurrency", "2"],
            logs / "worker.log",
            environment,
        ),
    ]  # fmt: skip


def _names(host: str) -> list[str]:
    """The names under which the site is known: those of this machine, if others may reach it."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared only
        names += [socket.gethostname(), socket.getfqdn()]
    elif host not in ("127.0.0.1", "::1", "localhost"):
        names.append(f"[{host}]" if ":" in host else host)
    return list(dict.fromkeys(names))


def _memory_folder() -> str:
    """Where gunicorn's heartbeat file never waits for a disk."""
    shared = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private file there
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK) else "/tmp"  # noqa: S108

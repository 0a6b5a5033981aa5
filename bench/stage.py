"""The stage every benchmark plays on: its own database in the embedded cluster, filled, served by real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tools.postgres import ensure_cluster, superuser_url

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = ROOT / "var" / "postgres"
NAME = "anze_bench"
OWNER = "anze_owner"
PROVINCE = "anze_bench_province"  # a copy nobody works in
SCALE = float(os.environ.get("BENCH_SCALE", "1"))  # smaller for a first look
sys.path.insert(0, str(ROOT / "clients" / "python"))  # the sample client, which sends


def database_url() -> str:
    """The owner's login to the benchmark database, which is made if it is not there."""
    url = str(ensure_cluster(CLUSTER))
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            connection.execute(f"CREATE DATABASE {NAME}")
    return url.rsplit("/", 1)[0] + f"/{NAME}"


def raw_url() -> str:
    """The superuser's login to the same database: raw COPY knows no row-level security."""
    return str(superuser_url(CLUSTER)).rsplit("/", 1)[0] + f"/{NAME}"


def drop_database(name: str = NAME) -> None:
    ensure_cluster(CLUSTER)
    # as the superuser: the owner may not end the vacuum at work in it
    with psycopg.connect(str(superuser_url(CLUSTER)), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def set_up_province() -> float:
    """The synthetic province of a year, which is made once and then copied; the seconds that making it took, 0 for a
    copy."""
    os.environ["DATABASE_URL"] = database_url()
    with psycopg.connect(str(superuser_url(CLUSTER)), autocommit=True) as cluster:
        if cluster.execute("SELECT 1 FROM pg_database WHERE datname = %s", [PROVINCE]).fetchone():
            drop_database()
            cluster.execute(f"CREATE DATABASE {NAME} TEMPLATE {PROVINCE} STRATEGY file_copy OWNER {OWNER}")
            _migrate()  # a kept one may have been made by the program of yesterday
            _start_django()
            _load_reference_data()
            return 0.0
    set_up()
    from django.core.management import call_command
    from django.db import connection

    begun = time.perf_counter()
    call_command("demo", scale=SCALE, seed=7)
    seconds = time.perf_counter() - begun
    analyse()
    connection.close()
    with psycopg.connect(str(superuser_url(CLUSTER)), autocommit=True) as cluster:
        cluster.execute(f"CREATE DATABASE {PROVINCE} TEMPLATE {NAME} STRATEGY file_copy")
    return seconds


def analyse() -> None:
    """Let the planner know what is there; nothing is left to be tidied up while something is measured."""
    with psycopg.connect(raw_url(), autocommit=True) as raw:
        raw.execute("VACUUM ANALYZE")


def set_up() -> None:
    """An empty, migrated database, and Django ready to use it."""
    drop_database()
    os.environ["DATABASE_URL"] = database_url()
    _migrate()
    _start_django()
    from anze.assessment.actions import load_schemes
    from anze.kernel.scope import EVERYTHING, inside
    from anze.library.actions import load_library
    from anze.parties.actions import load_reference_data

    with inside(EVERYTHING):
        load_reference_data()
        load_library()
        load_schemes()


def _migrate() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    environment.pop("ANZE_DATABASE_LOGIN", None)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)


def _load_reference_data() -> None:
    from anze.kernel.scope import EVERYTHING, inside
    from anze.parties.actions import load_reference_data

    with inside(EVERYTHING):
        load_reference_data()


def _start_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ.pop("ANZE_DATABASE_LOGIN", None)
    import django

    django.setup()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(workers: int = 2, *, with_worker: bool = True) -> Iterator[str]:
    """The site as in production: gunicorn with threads, and the background worker."""
    port = free_port()
    site = [sys.executable, "-m", "gunicorn", "config.wsgi", "-b", f"127.0.0.1:{port}", "-k", "gthread"]
    site += ["-w", str(workers), "--threads", "4", "--log-level", "error"]
    processes = [subprocess.Popen(site, cwd=ROOT)]
    if with_worker:
        processes.append(
            subprocess.Popen(
                [sys.executable, "manage.py", "procrastinate", "worker", "--concurrency", "2"],
                cwd=ROOT,
                stderr=subprocess.DEVNULL,
            )
        )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def load(url: str, headers: dict[str, str], *, connections: int = 8, seconds: float = 6.0) -> dict[str, float]:
    """Ask for one page again and again over keep-alive connections, from a process of its own."""
    asked = json.dumps({"url": url, "headers": headers, "connections": connections, "seconds": seconds})
    done = subprocess.run(
        [sys.executable, "-m", "bench.asking"],
        input=asked,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def machine() -> str:
    cores = os.cpu_count() or 0
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cores} cores, {memory:.0f} GiB, Python {sys.version.split()[0]}"


def share_of_a_core(seconds: float = 1.0) -> float:
    """How much of a core a busy process gets just now: below 1 others are at work on the machine."""
    begun, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        sum(range(1000))
    return (time.process_time() - used) / (time.perf_counter() - begun)


def cpu_of(pid: int) -> float:
    """Processor seconds a process has used so far."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _below(pid: int) -> list[int]:
    children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid for child in children for pid in (child, *_below(child))]


def cpu_of_platform() -> dict[int, float]:
    """Processor seconds so far of the served site, its worker and their database sessions, by process."""
    with psycopg.connect(raw_url()) as raw:
        sessions = raw.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' AND usename LIKE %s",
            [NAME, "%web"],
        ).fetchall()
    return {pid: cpu_of(pid) for pid in (*_below(os.getpid()), *(row[0] for row in sessions))}


def peak_of(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def as_json(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()

"""The embedded PostgreSQL server: real clusters, real crashes, every source of binaries that is here."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tools import postgres

pytestmark = pytest.mark.slow


def sources() -> list[postgres.Binaries]:
    """One installation of each major version on this machine, the npm one always included if it is there."""
    seen: dict[Path, postgres.Binaries] = {}
    for found in postgres.installations():
        seen.setdefault(found.folder.resolve(), found)
    return list(seen.values())


def label(found: postgres.Binaries) -> str:
    return f"{found.major}-{'npm' if 'node_modules' in found.folder.parts else 'system'}"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    # A folder as people have them: spaces, Chinese, deeper than a socket's path may be long.
    place = tmp_path / "我的 documents" / ("deep" * 20) / "cluster"
    yield place
    postgres.stop_cluster(place)


def kill_hard(directory: Path) -> int:
    """What a power cut or the out-of-memory killer does."""
    running = postgres._postmaster(directory)
    assert running
    os.kill(running[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while postgres._runs_here(running[0], directory / "data"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return running[1]


@pytest.mark.parametrize("found", sources(), ids=label)
def test_each_source_gives_a_database_whose_owner_can_build_the_roles(
    found: postgres.Binaries, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN", str(found.folder))
    url = postgres.ensure_cluster(directory, fast_and_unsafe=True)
    with psycopg.connect(url, autocommit=True) as owner:
        row = owner.execute(
            "SELECT current_user, current_database(), rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
            " current_setting('server_version_num')::int / 10000, current_setting('jit'),"
            " current_setting('TimeZone'), current_setting('server_encoding')"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == ("anze_owner", "anze", False, False, True, True, found.major, "off", "UTC", "UTF8")
        # What the migrations do: a role that sees all, a login that owns nothing, each usable by the owner.
        owner.execute("CREATE ROLE anze_all NOLOGIN")
        owner.execute("CREATE ROLE anze_web LOGIN PASSWORD 'web'")
        owner.execute("GRANT anze_all TO anze_web")
        owner.execute("GRANT anze_all TO CURRENT_USER")
        owner.execute("CREATE TABLE thing (owner_code text)")
        owner.execute("ALTER TABLE thing ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        owner.execute("CREATE POLICY mine ON thing USING (owner_code = current_setting('anze.code', true))")
        owner.execute("GRANT SELECT ON thing TO anze_all, anze_web")
        owner.execute("SET ROLE anze_all")
        owner.execute("RESET ROLE")
        # Forced row-level security binds the owner too: that is why it is no superuser.
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("INSERT INTO thing VALUES ('a')")
        owner.execute("CREATE DATABASE another")
    web_url = url.replace(url.split("//")[1].split("@")[0], "anze_web:web")
    with psycopg.connect(web_url, autocommit=True) as web:
        web.execute("SET ROLE anze_all")
        assert web.execute("SELECT count(*) FROM thing").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("DROP TABLE thing")


def test_a_second_call_reuses_the_server_and_a_restart_keeps_port_and_data(directory: Path) -> None:
    url = postgres.ensure_cluster(directory)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert postgres.ensure_cluster(directory) == url
        assert owner.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert postgres.stop_cluster(directory)
    assert not postgres.stop_cluster(directory)
    assert postgres.ensure_cluster(directory) == url
    with psycopg.connect(url) as owner:
        assert owner.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert owner.execute("SELECT current_setting('fsync')").fetchone() == ("on",)


def test_secrets_are_readable_by_their_owner_alone(directory: Path) -> None:
    postgres.ensure_cluster(directory, fast_and_unsafe=True)
    secrets = list(directory.glob("*.password"))
    assert {path.name for path in secrets} == {"anze_owner.password", "anze_root.password"}
    for path in (*secrets, directory / "data"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    said = subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True).stdout
    assert secrets[0].read_text() not in said


def test_what_was_committed_survives_a_killed_server(directory: Path) -> None:
    url = postgres.ensure_cluster(directory)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    kill_hard(directory)
    assert (directory / "data" / "postmaster.pid").exists()
    with psycopg.connect(postgres.ensure_cluster(directory)) as owner:
        assert owner.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_stale_pid_that_now_belongs_to_another_program_is_no_obstacle(directory: Path) -> None:
    postgres.ensure_cluster(directory, fast_and_unsafe=True)
    kill_hard(directory)
    pid_file = directory / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with psycopg.connect(postgres.ensure_cluster(directory, fast_and_unsafe=True)) as owner:
        assert owner.execute("SELECT 1").fetchone() == (1,)


def test_a_busy_backend_of_a_killed_server_is_waited_for(directory: Path) -> None:
    url = postgres.ensure_cluster(directory, fast_and_unsafe=True)
    with psycopg.connect(url, autocommit=True) as owner:
        pid = owner.info.backend_pid
        busy = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import psycopg; psycopg.connect({url!r}).execute('SELECT pg_sleep(60)')",
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 60
            while not owner.execute(
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
            ).fetchone():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            kill_hard(directory)
            again = postgres.ensure_cluster(directory, fast_and_unsafe=True)
        finally:
            busy.kill()
            busy.wait()
    assert pid
    with psycopg.connect(again) as owner:
        assert owner.execute("SELECT 1").fetchone() == (1,)


def test_a_taken_port_is_left_to_its_taker(directory: Path) -> None:
    postgres.ensure_cluster(directory, fast_and_unsafe=True)
    postgres.stop_cluster(directory)
    taken = int((directory / "port").read_text())
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", taken))
        stranger.listen()
        url = postgres.ensure_cluster(directory, fast_and_unsafe=True)
        assert f":{taken}/" not in url
        with psycopg.connect(url) as owner:
            assert owner.execute("SELECT 1").fetchone() == (1,)


def test_four_at_once_make_one_cluster(directory: Path) -> None:
    command = [
        sys.executable,
        "-c",
        (
            "from pathlib import Path; from tools.postgres import ensure_cluster;"
            f"print(ensure_cluster(Path({str(directory)!r}), fast_and_unsafe=True))"
        ),
    ]
    callers = [
        subprocess.Popen(command, cwd=postgres.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [caller.communicate(timeout=300) for caller in callers]
    assert [caller.returncode for caller in callers] == [0] * 4, answers
    assert len({said for said, _ in answers}) == 1
    with psycopg.connect(answers[0][0].strip()) as owner:
        assert owner.execute("SELECT 1").fetchone() == (1,)


def test_a_creation_that_was_cut_off_is_begun_again(directory: Path) -> None:
    (directory / "data.new" / "base").mkdir(parents=True)
    (directory / "data.new" / "PG_VERSION").write_text("15\n")
    with psycopg.connect(postgres.ensure_cluster(directory, fast_and_unsafe=True)) as owner:
        assert owner.execute("SELECT 1").fetchone() == (1,)
    assert not (directory / "data.new").exists()


def test_a_cluster_keeps_to_the_version_that_made_it(directory: Path) -> None:
    postgres.ensure_cluster(directory, fast_and_unsafe=True)
    postgres.stop_cluster(directory)
    (directory / "data" / "PG_VERSION").write_text("99\n")
    with pytest.raises(postgres.PostgresProblem, match=r"made by PostgreSQL 99.*install postgresql-99"):
        postgres.ensure_cluster(directory)


def test_a_wrong_pg_bin_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", "/nowhere")
    with pytest.raises(postgres.PostgresProblem, match="PG_BIN is /nowhere"):
        postgres.ensure_cluster(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_root_without_user_namespaces_becomes_nobody_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path("/tmp") / f"anze-nobody-{os.getpid()}"
    monkeypatch.setenv("ANZE_POSTGRES_AS", "nobody")
    # The npm binaries may lie below a private home; the system's are open to all.
    open_to_all = [each for each in sources() if each.folder.is_relative_to("/usr")]
    if not open_to_all:
        pytest.skip("needs binaries that nobody may run")
    monkeypatch.setenv("PG_BIN", str(open_to_all[0].folder))
    try:
        url = postgres.ensure_cluster(place, fast_and_unsafe=True)
        assert (place / "data").stat().st_uid == postgres.NOBODY
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        postgres.stop_cluster(place)
        monkeypatch.delenv("ANZE_POSTGRES_AS")
        with psycopg.connect(postgres.ensure_cluster(place, fast_and_unsafe=True)) as owner:
            assert owner.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        postgres.stop_cluster(place)
        shutil.rmtree(place, ignore_errors=True)


def test_the_command_line_starts_reports_and_stops(directory: Path) -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "tools/postgres.py", *words, "--dir", str(directory)],
            cwd=postgres.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert call("status").returncode == 3
    url = call("start").stdout.strip()
    assert url.startswith("postgresql://anze_owner:")
    assert call("url").stdout.strip() == url
    status = call("status")
    assert status.returncode == 0
    assert status.stdout.startswith("running")
    assert call("stop").stdout.strip() == "stopped"

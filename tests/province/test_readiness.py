"""A server that cannot carry the platform is refused in one plain sentence."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest

from anze.kernel.readiness import NotReady, connect_as_owner, require_fit
from tests.province.conftest import ROOT


def changed(url: str, **words: object) -> str:
    return psycopg.conninfo.make_conninfo(url, **{key: str(word) for key, word in words.items()})


@pytest.fixture
def url() -> str:
    return os.environ["DATABASE_URL"]


def sentence_about(url: str) -> str:
    with pytest.raises(NotReady) as refused:
        require_fit(url)
    text = str(refused.value)
    assert "\n" not in text
    return text


def test_the_servers_of_the_tests_are_fit(new_database: Callable[[], str]) -> None:
    require_fit(new_database())


def test_nobody_answers(url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert f"No PostgreSQL answers at 127.0.0.1:{port}" in sentence_about(changed(url, port=port))


def test_unknown_host(url: str) -> None:
    assert "No PostgreSQL answers at nowhere.invalid" in sentence_about(changed(url, host="nowhere.invalid"))


def test_wrong_password(url: str) -> None:
    assert "refuses the user anze_owner" in sentence_about(changed(url, password="wrong"))


def test_missing_database(url: str) -> None:
    assert "There is no database nothing_here" in sentence_about(changed(url, dbname="nothing_here"))


def test_rights_that_are_missing(url: str, new_database: Callable[[], str]) -> None:
    database = new_database()
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    poor = f"poor_{uuid4().hex[:8]}"
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {poor} LOGIN PASSWORD 'poor'")
        try:
            login = changed(database, user=poor, password="poor")
            assert f"may not create tables in the database {name}" in sentence_about(login)
            owner.execute(f"GRANT CREATE ON SCHEMA public TO {poor}")
            assert f"run ALTER ROLE {poor} CREATEROLE" in sentence_about(login)
        finally:
            owner.execute(f"REVOKE CREATE ON SCHEMA public FROM {poor}")
            owner.execute(f"DROP ROLE {poor}")


def test_an_old_server(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr("anze.kernel.readiness.OLDEST", 99)
    assert "Anze needs 99 or newer" in sentence_about(url)


def test_another_encoding(url: str) -> None:
    name = f"province_{uuid4().hex[:10]}"
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        try:
            assert "is encoded in SQL_ASCII" in sentence_about(changed(url, dbname=name))
        finally:
            owner.execute(f"DROP DATABASE {name}")


def test_a_connection_commits_by_itself(new_database: Callable[[], str]) -> None:
    with connect_as_owner(new_database()) as connection:
        assert connection.autocommit


@pytest.mark.parametrize("command", ["run", "prepare", "demo"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("postgresql://nobody:nothing@127.0.0.1:1/none", "No PostgreSQL answers at 127.0.0.1:1"),
        ("what is this", "DATABASE_URL cannot be read"),
        ("postgresql://127.0.0.1/", "names no database or no user"),
    ],
)
def test_commands_say_it_in_one_sentence(command: str, given: str, said: str, tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command],
        env=dict(os.environ, DATABASE_URL=given, ANZE_STATE=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.strip()]) == 1

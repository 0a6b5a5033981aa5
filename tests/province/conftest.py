"""A hundredth of the province, drawn once; and the same one loaded by the real commands into a database of
its own, so that nothing of it is in the other tests' way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from anze.exchange.synthetic.drawing import draw
from anze.exchange.synthetic.entities import Province
from anze.exchange.synthetic.feeding import OF_INSURERS, parcels_of, register_parcels
from config.settings import web_password
from tests.exchange import live

ROOT = Path(__file__).resolve().parents[2]
SEED, SCALE, AS_OF = 7, 0.01, date(2026, 11, 24)


@dataclass(frozen=True)
class SentRow:
    """A row as it goes over the wire, from whom, and when it first arrived."""

    sender: str
    row: dict[str, Any]
    received_at: datetime


Sent = dict[str, list[SentRow]]


@pytest.fixture(scope="session")
def drawn() -> Province:
    return draw(SEED, SCALE, AS_OF)


@pytest.fixture(scope="session")
def sent(drawn: Province) -> Sent:
    """Every row of every dataset, read back from what would be sent."""
    found: Sent = {}
    for feed in ("enterprises", "obligations"):
        for city, parcel in register_parcels(drawn, feed):
            found.setdefault(feed, []).extend(_rows(f"EMA{city}", parcel))
    for insurer in drawn.insurers:
        for parcel in parcels_of(drawn, insurer)[0]:
            found.setdefault(parcel.feed, []).extend(_rows(insurer.code, parcel))
    assert set(found) == {"enterprises", "obligations", *OF_INSURERS}
    return found


def _rows(sender: str, parcel: Any) -> list[SentRow]:
    rows = [msgspec.json.decode(line) for line in parcel.body.split(b"\n")]
    return [SentRow(sender, row, moment) for row, moment in zip(rows, parcel.moments, strict=True)]


@dataclass(frozen=True)
class Demo:
    """A database of its own, and the folder the program keeps its state in."""

    url: str
    state: Path

    def environment(self) -> dict[str, str]:
        env = dict(os.environ, DATABASE_URL=self.url, ANZE_STATE=str(self.state))
        env.pop("ANZE_DATABASE_LOGIN", None)
        return env

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def select(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows as the program sees the whole province."""
        given = psycopg.conninfo.conninfo_to_dict(self.url)
        login = given | {
            "user": f"{given['dbname']}_web",
            "password": web_password(str(given["password"])),
        }
        with psycopg.connect(**login) as connection:  # type: ignore[arg-type]
            connection.execute("SET ROLE anze_all")
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[..., str]]:
    """Makes databases beside the one of the tests, empty or copied, and takes them away again."""
    with ExitStack() as made:
        yield lambda template="template1": made.enter_context(live.new_database(os.environ["DATABASE_URL"], template))


@pytest.fixture(scope="session")
def demo(new_database: Callable[..., str], pristine: str, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The drawn province, loaded by `anze prepare` and `anze demo`."""
    found = Demo(new_database(pristine), tmp_path_factory.mktemp("state"))
    for words in (
        ("prepare",),
        ("demo", "--scale", str(SCALE), "--seed", str(SEED), "--as-of", AS_OF.isoformat()),
    ):
        done = found.manage(*words)
        assert done.returncode == 0, done.stderr
    return found

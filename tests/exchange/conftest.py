"""Fixtures of the tests over HTTP."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.live import Platform, copy_of, new_database

# the sample client is a package of its own, not installed beside the platform
sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python"))


@pytest.fixture(scope="session")
def seeded(pristine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The cast and its keys in a database to be copied; nothing runs on it."""
    with new_database(os.environ["DATABASE_URL"], pristine) as url:
        platform = Platform(url, tmp_path_factory.mktemp("seeded"))
        platform.prepare()
        yield platform


@pytest.fixture(scope="session")
def live(seeded: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform with server and worker, shared by all tests that only talk to it."""
    with copy_of(seeded, tmp_path_factory.mktemp("live")) as platform:
        platform.start_server()
        platform.start_worker()
        yield platform

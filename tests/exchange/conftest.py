"""Fixtures of the tests over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.live import Copied, Platform

# the sample client is a package of its own, not installed beside the platform
sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python"))


@pytest.fixture(scope="session")
def live(copied: Copied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform with server and worker, shared by all tests that only talk to it."""
    with copied(tmp_path_factory.mktemp("live")) as platform:
        platform.start_server()
        platform.start_worker()
        yield platform

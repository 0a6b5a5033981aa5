"""The platform in a browser: as a newcomer gets it (`manage.py run` on an empty database, with a small province), or one
of a module's own, prepared for what is lived through there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.windows import Opens, windows
from tests.exchange.live import Platform, copy_of, new_database

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def live(
    request: pytest.FixtureRequest, seeded: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The module's own platform. `test_claims` finds there what `claims_seed` has made, and as `links` what it printed;
    with HAS_WORKER the background worker runs too."""
    name = request.module.__name__.rpartition(".test_")[2]
    with copy_of(seeded, tmp_path_factory.mktemp(name)) as platform:
        said = platform.run("-m", f"tests.e2e.{name}_seed").splitlines()
        platform.links = json.loads(said[-1]) if said else {}
        platform.start_server(workers=1, threads=8)
        if getattr(request.module, "HAS_WORKER", False):
            platform.start_worker()
        yield platform


@pytest.fixture
def opened(request: pytest.FixtureRequest, live: Platform, browser: Browser) -> Iterator[Opens]:
    """Browsers of several people there; answers with the status codes in the module's REFUSALS are expected."""
    with windows(browser, live.base, refusals=getattr(request.module, "REFUSALS", "$^")) as open_:
        yield open_


@pytest.fixture(scope="session")
def picture(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A JPEG that shows a word, and so is like no other."""
    folder = tmp_path_factory.mktemp("pictures")

    def make(word: str) -> Path:
        path = folder / f"{word}.jpg"
        page = browser.new_page(viewport={"width": 480, "height": 360})
        colour = hash(word) % 360
        page.set_content(f"<body style='background:hsl({colour} 60% 50%)'><h1 style='font-size:90px'>{word}</h1>")
        page.screenshot(path=path, type="jpeg", quality=90)
        page.close()
        return path

    return make


@pytest.fixture(scope="session")
def newcomer(pristine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The running site as a newcomer has it; its database and state folder are its own and go with it."""
    with new_database(os.environ["DATABASE_URL"], pristine) as url:
        yield from _run(Platform(url, tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def site(newcomer: Platform) -> str:
    """Its address."""
    return newcomer.base


def _run(site: Platform) -> Iterator[Platform]:
    environment = {
        **os.environ, "DATABASE_URL": site.url, "ANZE_STATE": str(site.state), "PYTHONWARNINGS": "default",
    }  # fmt: skip
    environment.pop("ANZE_DATABASE_LOGIN", None)
    log = (site.state / "run.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run", "--scale", "0.01", "--port", str(site.port)],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_for(f"{site.base}/sign-in/", process, site.state / "run.log")
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(300)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path, seconds: int = 900) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the site ended:\n{log.read_text(errors='replace')[-4000:]}")
        try:
            urllib.request.urlopen(address, timeout=30).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    pytest.fail(f"the site did not answer:\n{log.read_text(errors='replace')[-4000:]}")

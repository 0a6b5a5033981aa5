"""The platform in a browser: as a newcomer gets it (see tests/newcomers.py, with a small province), or one
of a module's own, prepared for what is lived through there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from anze.exchange.synthetic.people import PASSWORD
from tests.e2e.windows import Opens, People
from tests.exchange.live import Copied, Platform

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def live(
    request: pytest.FixtureRequest, copied: Copied, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The module's own platform. `test_claims` finds there what `claims_seed` has made, and as `links` what it printed;
    with HAS_WORKER the background worker runs too."""
    name = request.module.__name__.rpartition(".test_")[2]
    with copied(tmp_path_factory.mktemp(name)) as platform:
        said = platform.run("-m", f"tests.e2e.{name}_seed").splitlines()
        platform.links = json.loads(said[-1]) if said else {}
        platform.start_server(workers=1, threads=8)
        if getattr(request.module, "HAS_WORKER", False):
            platform.start_worker()
        yield platform


@pytest.fixture(scope="module")
def people(live: Platform, browser: Browser) -> Iterator[People]:
    """Those who work there."""
    found = People(browser, live.base)
    yield found
    found.leave()


@pytest.fixture
def opened(request: pytest.FixtureRequest, people: People) -> Iterator[Opens]:
    """The windows of those people; answers with the status codes in the module's REFUSALS are expected."""
    with people.windows(refusals=getattr(request.module, "REFUSALS", "$^")) as open_:
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
def site(newcomer: Platform) -> str:
    """Its address."""
    return newcomer.base


@pytest.fixture(scope="session")
def newcomers(newcomer: Platform, browser: Browser) -> Iterator[People]:
    """The demonstration's people, each in his browser."""
    found = People(browser, newcomer.base, PASSWORD)
    yield found
    found.leave()

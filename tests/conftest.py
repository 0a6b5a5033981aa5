"""One real PostgreSQL for all tests, the roles of production, and a named cast.

The database is made once per run (and per xdist worker); every test then connects as the web login, which
owns nothing, and works inside a transaction that is rolled back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import translation
from playwright.sync_api import BrowserContext, Playwright, expect
from xdist.scheduler import LoadScopeScheduling

from tests import stages
from tests.cast import Cast, assemble
from tests.exchange.live import Copied, Platform, new_database
from tests.newcomers import Newcomer, taken_port
from tools import bootstrap

# What takes long to build is built once: the files that share it stay on one process.
WORLDS = {
    "live": ("tests/exchange/test_interface", "tests/exchange/test_journeys", "tests/exchange/test_openapi"),
    "site": (
        "tests/province/test_run", "tests/e2e/test_alerts", "tests/e2e/test_chain", "tests/e2e/test_roles",
        "tests/e2e/test_wall",
    ),
    "demo": ("tests/province/",),
}  # fmt: skip
# What takes long begins first, or the last of it would keep one process busy when the others are done.
LONG = (
    "tests/province/", "tests/exchange/", "tests/clients/", "tests/e2e/", "tests/evidence/", "tests/tools/",
    "tests/web/test_access",
)  # fmt: skip


def world_of(nodeid: str) -> str:
    """What a test stays together with: its world, or else its file."""
    file = nodeid.partition("::")[0]
    return next((world for world, files in WORLDS.items() if file.startswith(files)), file)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> tuple[int, str]:
        found = (n for n, folder in enumerate(LONG) if item.nodeid.startswith(folder))
        return next(found, len(LONG)), world_of(item.nodeid)

    items.sort(key=place)


class Together(LoadScopeScheduling):
    """Each world and each file on one process. By the name of the file: xdist's own groups are marks that it writes
    into a test's identifier, which pytest no longer lets it."""

    def _split_scope(self, nodeid: str) -> str:
        return world_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Several runs may go on at the same time: ANZE_TEST_NAME keeps their databases apart."""
    if name := os.environ.get("ANZE_TEST_NAME"):
        from django.db import connections

        settings = connections["default"].settings_dict
        usual = settings["TEST"]["NAME"] or f"test_{settings['NAME']}"
        settings["TEST"]["NAME"] = f"{usual}_{name}"


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_keepdb: bool,
    django_db_createdb: bool,
    django_db_blocker,
) -> Iterator[None]:
    """After the migrations, load the reference data and step down to the login of production.

    In place of pytest-django's own, which makes no database where no test connects to it from this process.
    """
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    from anze.kernel.database import web_login
    from anze.kernel.scope import EVERYTHING, inside
    from config.settings import web_password

    with django_db_blocker.unblock():
        keep = django_db_keepdb and not django_db_createdb
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"}, serialized_aliases=(), keepdb=keep)
        settings = connection.settings_dict
        owner = {"USER": settings["USER"], "PASSWORD": settings["PASSWORD"]}
        settings["USER"], settings["PASSWORD"] = web_login(), web_password(owner["PASSWORD"])
        connection.close()
        from anze.assessment.actions import load_schemes
        from anze.library.actions import load_library
        from anze.parties.actions import load_reference_data

        with inside(EVERYTHING):
            load_reference_data()
            load_library()
            load_schemes()
        connection.close()
    with new_database(os.environ["DATABASE_URL"], settings["NAME"], name=_pristine(settings)):
        yield
    with django_db_blocker.unblock():
        stages.clear()
        connection.close()
        settings.update(owner)
        if not django_db_keepdb:
            teardown_databases(made, verbosity=0)


def _pristine(settings: dict[str, Any]) -> str:
    return f"{settings['NAME']}_pristine"


@pytest.fixture(scope="session")
def pristine(django_db_setup: None) -> str:
    """The name of a copy of the test database that nobody works in. Whoever needs a database of his own copies
    it, which takes a moment, and lets the program's commands find the tables and reference data in place."""
    from django.db import connection

    return _pristine(connection.settings_dict)


@pytest.fixture(scope="session")
def seeded(pristine: str, tmp_path_factory: pytest.TempPathFactory, django_db_blocker) -> Iterator[Platform]:
    """The cast and its keys in a database to be copied; nothing runs on it."""
    with new_database(os.environ["DATABASE_URL"], pristine) as url:
        platform = Platform(url, tmp_path_factory.mktemp("seeded"))
        with django_db_blocker.unblock():
            platform.let_in()
        platform.seed()
        yield platform


@pytest.fixture(scope="session")
def copied(seeded: Platform, django_db_blocker) -> Copied:
    """`copied(folder)`: another platform that begins as that one did, nothing started yet."""

    @contextmanager
    def copy(state: Path) -> Iterator[Platform]:
        with new_database(os.environ["DATABASE_URL"], urlsplit(seeded.url).path.lstrip("/")) as url:
            platform = Platform(url, state, keys=seeded.keys)
            with django_db_blocker.unblock():
                platform.let_in()
            try:
                yield platform
            finally:
                platform.stop_all()

    return copy


@pytest.fixture(autouse=True)
def in_chinese(settings) -> None:
    """As every request begins: the one of the test before may have been in English."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Argon2 takes 0.2 s a password by design; the tests need the behaviour, not the cost."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def unhurried_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a count of ten rows may take longer than a page would wait for it."""
    monkeypatch.setattr("anze.screen.asked.COUNT_FOR", 600_000)


@pytest.fixture(autouse=True)
def files_of_its_own(settings, tmp_path) -> Path:
    """Photos and files of a test lie in a folder of its own."""
    files: Path = tmp_path / "evidence"
    kept = dict(settings.STORAGES)
    kept["evidence"] = {**kept["evidence"], "OPTIONS": {"location": files, "base_url": None}}
    settings.STORAGES = kept
    settings.EVIDENCE_PARTS = tmp_path / "parts"
    return files


@pytest.fixture
def everything(db) -> Iterator[None]:
    """The whole province in view, as a nightly job has it."""
    from anze.kernel.scope import EVERYTHING, inside, leave

    with inside(EVERYTHING):
        yield
        leave()


@pytest.fixture(autouse=True)
def begun(
    request: pytest.FixtureRequest,
    in_chinese: None,
    quick_passwords: None,
    files_of_its_own: Path,
    django_db_blocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> stages.Rows:
    """What the test's stages give. They stand before the test's own transaction begins."""
    if "django_db_setup" not in request.fixturenames:
        return {}
    request.getfixturevalue("django_db_setup")
    with django_db_blocker.unblock():
        return stages.begin(request.node, files_of_its_own, lambda: tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """The running site as a newcomer has it who found the port he named taken; database and folder are its own."""
    with new_database(os.environ["DATABASE_URL"]) as url, taken_port() as port:
        site = Newcomer(url, tmp_path_factory.mktemp("newcomer"), port)
        try:
            site.start()
            yield site
        finally:
            site.stop_all()


@stages.stage
def cast() -> Cast:
    """The people and organisations of every test; see tests/cast.py."""
    return assemble()


@pytest.fixture(scope="session")
def no_open_database(django_db_blocker: Any) -> Callable[[], None]:
    """Puts away what stands in the database, and the session to it."""
    from django.db import connections

    def close() -> None:
        with django_db_blocker.unblock():
            stages.clear()
        connections.close_all()

    close()
    return close


@pytest.fixture(scope="session")
def playwright(no_open_database: Callable[[], None], playwright: Playwright) -> Iterator[Playwright]:
    """Playwright's synchronous interface keeps an event loop in this thread, and inside a loop Django has a
    connection of its own: the one from before is put away first, and that one at the end, or a session to the
    test database would stay open that nobody can reach any more."""
    expect.set_options(timeout=120_000)  # on a busy machine a page comes late, and is as good as any
    yield playwright
    no_open_database()


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    context.set_default_timeout(120_000)
    return context


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's own Chromium. Without one browser tests are skipped, which CI does not accept."""
    chromium = bootstrap.browser()
    if chromium is None:
        sentence = "There is no Chromium: `python3 tools/bootstrap.py --dev` says what to install."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return {
        "executable_path": chromium,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    # Without motion nothing is measured half-way through a transition.
    return browser_context_args | {
        "locale": "zh-CN",
        "timezone_id": "Asia/Shanghai",
        "reduced_motion": "reduce",
    }

"""One real PostgreSQL for all tests, the roles of production, and a named cast.

The database is made once per run (and per xdist worker); every test then connects as the web login, which
owns nothing, and works inside a transaction that is rolled back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Builders may run at the same time: ANZE_TEST_NAME keeps their databases apart."""
    if name := os.environ.get("ANZE_TEST_NAME"):
        from django.db import connections

        settings = connections["default"].settings_dict
        settings["TEST"]["NAME"] = f"test_{settings['NAME']}_{name}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """After the migrations, load the reference data and step down to the login of production."""
    from django.db import connection

    from anze.kernel.database import web_login
    from anze.kernel.scope import EVERYTHING, inside
    from config.settings import web_password

    with django_db_blocker.unblock():
        settings = connection.settings_dict
        owner = {"USER": settings["USER"], "PASSWORD": settings["PASSWORD"]}
        settings["USER"], settings["PASSWORD"] = web_login(), web_password(owner["PASSWORD"])
        connection.close()
        from anze.parties.actions import load_reference_data

        with inside(EVERYTHING):
            load_reference_data()
    yield
    with django_db_blocker.unblock():
        connection.close()
        settings.update(owner)


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Argon2 takes 0.2 s a password by design; the tests need the behaviour, not the cost."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def everything(db) -> Iterator[None]:
    """The whole province in view, as a nightly job has it."""
    from anze.kernel.scope import EVERYTHING, inside, leave

    with inside(EVERYTHING):
        yield
        leave()


@pytest.fixture
def cast(everything):
    """The people and organisations of every test; see tests/cast.py."""
    from tests.cast import assemble

    return assemble()

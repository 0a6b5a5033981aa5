"""Parts of pages are kept while the database stays as it is, and for nobody who would see something else."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.http import HttpRequest
from django.utils import translation
from markupsafe import Markup

from anze.kernel.scope import EVERYTHING, Scope, enter
from anze.parties.models import Region
from anze.screen.kept import kept
from tests.cast import NOW

CITY = Scope(reader="anze_regulator", region_from="370100", region_to="370199")


@pytest.fixture
def made(asked_by: Callable[..., HttpRequest]) -> Callable[..., bool]:
    """Whether a part had to be made for such a request."""

    def is_made(version: str, key: str = "hazards", **words: Any) -> bool:
        request = asked_by(**{name: value for name, value in words.items() if name in ("permissions", "scope")})
        request.version = version  # type: ignore[attr-defined]
        request.at = words.get("at", NOW)  # type: ignore[attr-defined]
        calls = []
        with translation.override(words.get("language", "zh-hans")):
            part = kept(request, (key,), lambda: calls.append(1) or Markup("<p>"))  # type: ignore[func-returns-value]
        assert part == "<p>"
        return bool(calls)

    return is_made


def test_a_part_is_made_once_a_version(made: Callable[..., bool]) -> None:
    first, second = uuid4().hex, uuid4().hex
    assert [made(first), made(first), made(second), made(second)] == [True, False, True, False]


def test_whoever_has_written_gets_his_own(made: Callable[..., bool]) -> None:
    assert made("")
    assert made("")


@pytest.mark.parametrize(
    "other",
    [
        {"scope": CITY},
        {"permissions": frozenset({"SEE_HAZARDS"})},
        {"language": "en"},
        {"key": "hazards of one city"},
        {"at": NOW.replace(year=NOW.year + 1)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_nobody_is_given_what_was_made_for_others(made: Callable[..., bool], other: dict[str, Any]) -> None:
    version = uuid4().hex
    assert made(version)
    assert made(version, **other)
    assert not made(version)


def test_the_database_has_a_new_version_with_every_write(db: None) -> None:
    # others may be writing to the same server meanwhile, so not every try finds it unchanged
    assert any(enter(EVERYTHING) == enter(EVERYTHING) != "" for _try in range(500))
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        before = enter(EVERYTHING)
        other.execute("SELECT pg_current_xact_id()")  # as any write begins
        other.commit()
        after = enter(EVERYTHING)
        assert before != after
        other.execute("SELECT pg_current_xact_id()")
        under_way = enter(EVERYTHING)
        other.commit()
        assert enter(EVERYTHING) not in (under_way, after)


def test_who_has_written_himself_has_no_version(db: None) -> None:
    assert any(enter(EVERYTHING) for _try in range(3))
    Region.objects.filter(pk="370000").update(name="示例省")
    assert enter(EVERYTHING) == ""

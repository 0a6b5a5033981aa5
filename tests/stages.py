"""What many tests begin from, made once and standing in the database until a test begins from something else.

A stage is a fixture made with `@stage`; it may rest on another one, which it names as its only argument. All of it
is uncommitted, in one transaction of this process. A test works in a savepoint above its stage, as it else would in a
transaction, gets a copy of its own of what the stage gives, and is taken back; a test that names no stage finds the
reference data and nothing else.
"""

from __future__ import annotations

import copy
import inspect
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from anze.kernel.scope import EVERYTHING, enter, leave

Rows = dict[Callable[..., Any], Any]  # what each stage gives, from the ground up


@dataclass
class Standing:
    """A stage that stands, with those below it, and the files it stored."""

    make: Callable[..., Any]
    undo: transaction.Atomic
    rows: Rows
    files: Path


_standing: list[Standing] = []


def stage(make: Callable[..., Any]) -> Any:
    """A fixture whose rows stand from test to test: what it makes must not depend on the test that is the first."""

    def taken(begun: Rows, everything: None) -> Any:
        return begun[make]

    taken.__name__, taken.__doc__, taken.stage = make.__name__, make.__doc__, make  # type: ignore[attr-defined]
    return pytest.fixture(taken)


def _fixtures(item: pytest.Item) -> dict[str, Callable[..., Any]]:
    """The stages a test reaches through its fixtures, by their names there."""
    known = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    found = {name: _stage_of(name, each) for name, each in known.items()}
    return {name: make for name, make in found.items() if make}


def _stage_of(name: str, fixtures: Sequence[Any]) -> Callable[..., Any] | None:
    """What a name stands for: a stage, or none, or a fixture that adds to a stage of the same name."""
    for each in reversed(fixtures):
        if hasattr(each.func, "stage"):
            found: Callable[..., Any] = each.func.stage
            return found
        if name not in each.argnames:
            return None
    return None


def _below(make: Callable[..., Any], item: pytest.Item) -> list[Callable[..., Any]]:
    """A stage and those it rests on, from the ground up."""
    chain: list[Callable[..., Any]] = []
    here: Callable[..., Any] | None = make
    while here:
        chain.insert(0, here)
        names = list(inspect.signature(here).parameters)
        here = (names and _named(names[0], item)) or None
    return chain


def _named(name: str, item: pytest.Item) -> Callable[..., Any]:
    found = _stage_of(name, item.session._fixturemanager.getfixturedefs(name, item) or ())
    assert found, f"there is no stage {name}"
    return found


def begin(item: pytest.Item, files: Path, folder: Callable[[], Path]) -> Rows:
    """Let the test's stage stand and no other; what it gives. `files` is where files lie during this test."""
    chains = [_below(make, item) for make in _fixtures(item).values()]
    chain = max(chains, key=len, default=[])
    assert all(each == chain[: len(each)] for each in chains), f"{item.nodeid} rests on stages beside one another"
    while [each.make for each in _standing] != chain[: len(_standing)]:
        _take_back()
    for make in chain[len(_standing) :]:
        _put_up(make, files, folder())
    if not chain:
        return {}
    top = _standing[-1]
    if top.files.exists():
        shutil.copytree(top.files, files, dirs_exist_ok=True)
    return copy.deepcopy(top.rows)


def _put_up(make: Callable[..., Any], files: Path, folder: Path) -> None:
    below = copy.deepcopy(_standing[-1].rows) if _standing else {}
    if _standing and _standing[-1].files.exists():
        shutil.copytree(_standing[-1].files, files, dirs_exist_ok=True)
    undo = transaction.atomic()
    undo.__enter__()
    _standing.append(Standing(make, undo, below, folder / "files"))
    try:
        enter(EVERYTHING)
        below[make] = make(*list(below.values())[-1:])
        leave()
        connection.check_constraints()  # or each test would check again what is deferred
    except BaseException:
        _take_back()
        raise
    if files.exists():
        shutil.copytree(files, _standing[-1].files)


def _take_back() -> None:
    transaction.set_rollback(True)
    _standing.pop().undo.__exit__(None, None, None)


def clear() -> None:
    """Take back whatever stands."""
    while _standing:
        _take_back()

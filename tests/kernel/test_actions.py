"""What every action of the platform has in common."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from anze.kernel.actions import _plain

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = re.compile(r"token|secret|password|passphrase|material|private_key")


def actions() -> dict[str, Any]:
    """Every function made by `action`, by room and name."""
    found = {}
    for path in (ROOT / "anze").rglob("*.py"):
        if "@action(" in path.read_text(encoding="utf-8"):
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            found |= {
                f"{each.__module__}.{each.__qualname__}": each
                for each in vars(module).values()
                if hasattr(each, "permission") and hasattr(each, "__wrapped__")
            }
    return found


def test_a_secret_is_passed_as_bytes_for_these_stand_in_no_event() -> None:
    given = [
        (name, word, str(each.annotation))
        for name, function in actions().items()
        for word, each in inspect.signature(function).parameters.items()
        if each.kind is inspect.Parameter.KEYWORD_ONLY and SECRET.search(word)
    ]
    assert {word for _name, word, _kind in given} >= {"token", "secret", "password", "material"}
    assert [each for each in given if each[2] != "bytes"] == []
    assert _plain({"token": b"abc"}) == {"token": "…"}

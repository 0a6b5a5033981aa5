"""Compile translation catalogues: `python tools/catalogues.py FILE.po …` writes each `.mo` beside it.

Runs inside the virtual environment, because it uses Babel; GNU gettext need not be installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po


def compile_catalogue(source: Path) -> None:
    """Write `source`'s compiled twin; raises `PoFileError` naming the line that is wrong."""
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parts[-3], abort_invalid=True)
    fresh = source.with_suffix(".mo.new")
    with fresh.open("wb") as file:
        write_mo(file, catalogue)
    # Replaced in one step: a running server never reads half a catalogue.
    fresh.replace(source.with_suffix(".mo"))


def main(paths: list[str]) -> int:
    for name in paths:
        try:
            compile_catalogue(Path(name))
        except PoFileError as error:
            print(f"error: {name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

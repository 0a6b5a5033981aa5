"""Every check that runs no test: `make check`. All of them run, so that one call shows everything wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PYTHON = [str(BIN / "python")]

CHECKS: list[tuple[str, list[str]]] = [
    ("House rules", [*PYTHON, "tools/check_repository.py"]),
    ("Lint", [str(BIN / "ruff"), "check", "."]),
    ("Format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("Layers", [str(BIN / "lint-imports"), "--cache-dir", "var/import-linter"]),
    ("Dependencies", [str(BIN / "deptry"), "."]),
    ("Templates", [str(BIN / "djlint"), "anze", "--lint", "--quiet"]),
    ("Translations", [*PYTHON, "tools/catalogues.py", "check"]),
    ("Documents", [*PYTHON, "manage.py", "document", "--check"]),
    ("Types", [*PYTHON, "-m", "mypy", "--cache-dir", "var/mypy"]),
]


def environment() -> dict[str, str]:
    """The type checker reads the settings, which want a database's address but connect to nothing."""
    env = dict(os.environ)
    env.setdefault("DATABASE_URL", "postgresql://nobody:nothing@127.0.0.1:1/none")
    env.setdefault("RUFF_CACHE_DIR", str(ROOT / "var" / "ruff"))
    return env


def main(wanted: list[str]) -> int:
    env = environment()
    failed = []
    for title, command in CHECKS:
        if wanted and title.lower() not in wanted:
            continue
        if title == "Templates" and not any((ROOT / "anze").glob("*/templates/**/*.html")):
            print("– Templates (there are none yet)", flush=True)
            continue
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        took = f"{time.monotonic() - started:.1f} s"
        if done.returncode:
            failed.append(title)
            print(f"✗ {title} ({took})\n{(done.stdout + done.stderr).strip()}\n", flush=True)
        else:
            print(f"✓ {title} ({took})", flush=True)
    if failed:
        print(
            f"\nTo be corrected: {', '.join(failed)}. One alone: .venv/bin/python tools/check.py '{failed[0].lower()}'"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([word.lower() for word in sys.argv[1:]]))

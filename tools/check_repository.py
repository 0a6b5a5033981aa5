"""House rules that need neither Django nor a database: `python tools/check_repository.py`.

Looks at the files git knows or would take up. Each finding is one line: path, what, and what to do.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 650  # lines; longer files become a folder cut by subject

# Rooms of the field share one vocabulary; who has read one finds the way in all.
DOMAIN_ROOMS = {
    "assessment", "expenses", "hazards", "prevention", "claims", "underwriting",
    "library", "evidence", "parties",
}  # fmt: skip
# The others hold machinery, whose files are named after their subjects.
ROOMS = DOMAIN_ROOMS | {"web", "monitoring", "exchange", "notices", "screen", "kernel"}
# A file, or the folder it became when it grew.
# `alerts` declares what rules.py may not: SQL over the room's tables (see anze/kernel/alert.py).
ROOM_MODULES = {"rules", "models", "actions", "screens", "apps", "alerts"}
ROOM_FOLDERS = {"migrations", "templates", "locale", "static", "management", "definitions", "data"}
MORE_MODULES = {
    # Committed facts and how they are read; from a role to what it may do and see.
    "parties": {"regions", "access"},
    # Freezing a whole province takes half a minute, and forecasts are counted by night.
    "assessment": {"tasks"},
}
FORBIDDEN_MODULES = {
    "utils", "util", "helpers", "helper", "common", "misc", "services", "managers", "signals", "serializers",
    "views", "admin",
}  # fmt: skip
GENERATED = re.compile(r"(^|/)migrations/|\.(lock|po|svg|csv|json|geojson|xlsx|png|woff2)$|(^|/)package-lock\.json$")
TEXT = re.compile(
    r"\.(py|md|toml|cfg|ini|js|mjs|css|html|jinja|typ|txt|yml|yaml|json|po|sh|lock|csv|sql)$"
    r"|(^|/)(Makefile|run|\.npmrc|\.gitignore)$"
)
# Somebody's home, and wherever this very checkout lies.
MACHINE_PATH = re.compile(
    rf"(?<![\w.$~}}/-])(?:/(?:home|Users)/[\w.-]+/[\w.-]+|/root/[\w.-]+|{re.escape(str(ROOT))}(?![\w-]))"
)
ALLOWED_MACHINE_PATHS = re.compile(r"^(tools/check_repository\.py|tests/tools/)")
LOCKS = re.compile(r"\.lock$|(^|/)package-lock\.json$")


def tracked() -> list[str]:
    """Paths, relative to the project, of all files that are or would be committed."""
    said = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return sorted(path for path in said.split("\0") if path and (ROOT / path).is_file())


def check_names(paths: list[str]) -> Iterator[str]:
    """File names inside rooms."""
    for path in paths:
        parts = PurePosixPath(path).parts
        if path.endswith(".py") and parts[0] in {"anze", "config"}:
            for name in (*parts[:-1], PurePosixPath(path).stem):
                if name in FORBIDDEN_MODULES:
                    yield f"{path}: the name `{name}` says nothing; name the file after its subject"
        if parts[0] != "anze" or len(parts) < 3:
            if parts[0] == "anze" and path != "anze/__init__.py":
                yield f"{path}: only rooms lie in anze/; put it into the one it belongs to"
            continue
        room, first = parts[1], parts[2]
        if room not in ROOMS:
            yield f"{path}: `{room}` is no room of ARCHITECTURE.md; use one, or write an ADR for a new one"
        elif room in DOMAIN_ROOMS:
            name = PurePosixPath(first).stem if len(parts) == 3 else first
            allowed = ROOM_MODULES | MORE_MODULES.get(room, set()) | (ROOM_FOLDERS if len(parts) > 3 else {"__init__"})
            if name not in allowed:
                known = ", ".join(sorted(ROOM_MODULES | ROOM_FOLDERS))
                yield f"{path}: `{name}` is not in a room's vocabulary ({known})"


def check_texts(paths: list[str]) -> Iterator[str]:
    """Length, machine paths, hosts in locks, ends of lines."""
    for path in paths:
        if not TEXT.search(path):
            continue
        try:
            text = (ROOT / path).read_bytes().decode()
        except UnicodeDecodeError:
            yield f"{path}: is not UTF-8"
            continue
        lines = text.count("\n")
        code = path.endswith((".py", ".js", ".mjs", ".html", ".jinja"))
        if lines > LONGEST and code and not GENERATED.search(path):
            yield f"{path}: {lines} lines; past {LONGEST} a file becomes a folder cut by subject"
        if not ALLOWED_MACHINE_PATHS.match(path):
            for number, line in enumerate(text.splitlines(), 1):
                if found := MACHINE_PATH.search(line):
                    yield f"{path}:{number}: `{found[0]}` is a path of one machine"
        if LOCKS.search(path) and "://" in text:
            yield f"{path}: a lock names a host; make it anew with `make lock`"
        if "\r\n" in text and "\n" in text.replace("\r\n", ""):
            yield f"{path}: mixes two kinds of line ends"
        if re.search(r"^(<<<<<<<|>>>>>>>) ", text, re.MULTILINE):
            yield f"{path}: an unresolved merge"


def check_reasons() -> Iterator[str]:
    """Each dependency says why it is there; each ignore says why it is allowed."""
    inside = False
    for number, line in enumerate((ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"(dependencies|dev|uv|node) = \[", line):
            inside = True
        if inside and '"' in line and not re.search(r"#\s*\S.{9,}", line):
            yield f"pyproject.toml:{number}: a dependency without its reason"
        if re.search(r"\]\s*(#.*)?$", line) and not line.startswith(" "):
            inside = False


def check_ignores(paths: list[str]) -> Iterator[str]:
    """A silenced finding names its rule, and what follows or precedes says why."""
    for path in paths:
        if not path.endswith(".py") or path == "tools/check_repository.py":
            continue
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"#\s*noqa(?!:)", line) or re.search(r"#\s*type:\s*ignore(?!\[)", line):
                yield f"{path}:{number}: name the rule that is silenced"


def findings() -> list[str]:
    paths = tracked()
    return [*check_names(paths), *check_texts(paths), *check_reasons(), *check_ignores(paths)]


def main() -> int:
    found = findings()
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""End what `make run` left running in this folder, the platform before its databases: `python -m tools.stop`.

Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from tools.postgres import ROOT, PostgresProblem, stop_cluster

LOCK = "run.lock"  # held by the platform that runs here; its first line is the process
STOP_SECONDS = 120


class StopProblem(Exception):
    """The platform does not end; the text is one sentence that names the remedy."""


def stop_platform(state: Path) -> bool:
    """Ask the platform of this folder to end, as Ctrl-C does, and wait until it has; False if none was running."""
    asked = 0
    deadline = time.monotonic() + STOP_SECONDS
    while (process := _running(state)) is not None:
        if process and process != asked:  # 0: it has only just begun and not said who it is
            asked = process
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise StopProblem(f"The platform (process {process}) does not end: end it by hand.")
        time.sleep(0.1)
    return bool(asked)


def _running(state: Path) -> int | None:
    """The process that holds the lock, None if nobody does. The lock ends with its holder, however that ends."""
    try:
        with (state / LOCK).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                first = file.readline().strip()
                return int(first) if first.isdigit() else 0
    except FileNotFoundError:
        pass
    return None


def main() -> int:
    state = Path(os.environ.get("ANZE_STATE") or ROOT / "var")
    try:
        print("The platform was stopped." if stop_platform(state) else "No platform was running.")
        for title, folder in (("database", "postgres"), ("database of the tests", "postgres-test")):
            stopped = stop_cluster(ROOT / "var" / folder)
            print(f"The {title} was stopped." if stopped else f"No {title} was running.")
    except (StopProblem, PostgresProblem) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

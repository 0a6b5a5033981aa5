"""Run the interface's test cases with a program of yours against a sandbox, and print what each came to.

The program is called once a step: `PROGRAM FEED FILE IDEMPOTENCY_KEY`, with ANZE_BASE, ANZE_KEY_ID and ANZE_SECRET_FILE
in its environment. It sends the rows of FILE (NDJSON) and ends with 0 if all rows were accepted. Without a program of
yours this client itself is tried.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .client import Client

OWN = [sys.executable, "-m", "anze_client.conform"]
MOST_SECONDS = 120


def run(
    client: Client,
    program: Sequence[str],
    environment: dict[str, str],
    say: Callable[[str], None] = print,
    *,
    stop: bool = False,
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Every case in turn, or up to the first that fails; returns the verdicts, and the certificate if all passed."""
    client.ask("POST", "/api/v1/sandbox/reset", {})
    told = client.ask("GET", "/api/v1/sandbox/cases")
    say(f"Interface {told['interface_version']}, {len(told['cases'])} cases")
    verdicts = []
    for case in told["cases"]:
        begun = client.ask("POST", f"/api/v1/sandbox/cases/{case['name']}/begin", {})
        exits = [_call(program, step, environment) for step in case["steps"]]
        words = {"begun": begun["begun"], "exits": exits}
        verdict = client.ask("POST", f"/api/v1/sandbox/cases/{case['name']}/verdict", words)
        verdicts.append(verdict)
        say(f"{'PASS' if verdict['passed'] else 'FAIL'}  {verdict['name']}: {verdict['title']}")
        if not verdict["passed"]:
            say(f"      {verdict['field']}: {verdict['found']}")
            say(f"      → {verdict['fix']}")
            if stop:
                break
    if not all(each["passed"] for each in verdicts):
        return verdicts, None
    return verdicts, client.ask("POST", "/api/v1/sandbox/certificate", {})


def _call(program: Sequence[str], step: dict[str, Any], environment: dict[str, str]) -> int:
    """The program's exit code; 124 if it does not come to an end."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{step['feed']}.ndjson"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in step["rows"]), encoding="utf-8")
        words = [*program, step["feed"], str(file), step["idempotency_key"]]
        try:
            done = subprocess.run(
                words, env={**os.environ, **environment}, capture_output=True, timeout=MOST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return 124
        return done.returncode


def main() -> int:
    """The client as the program that is tried."""
    from .__main__ import main as send

    feed, file, key = sys.argv[1:4]
    return send(["push", "--feed", feed, "--idempotency-key", key, file])


if __name__ == "__main__":
    sys.exit(main())

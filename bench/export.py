"""Export of 132,000 rows as people get it: the list's own export, Excel and CSV, over HTTP."""

from __future__ import annotations

import time
import urllib.request

from bench import stage
from bench.ingest import deliver, hazard_rows, insured
from bench.pages import grow
from bench.people import regulator_cookie
from bench.report import Report

ROWS = 132_000


def run(report: Report) -> None:
    insurer, codes = insured(2_000)
    deliver(insurer, "hazards", hazard_rows(codes, 3_000))
    grow(ROWS)
    cookie = regulator_cookie()
    with stage.served(with_worker=False) as base:
        stage.load(f"{base}/hazards/", cookie, seconds=2)  # or the first export would pay for the start
        for kind, limit in (("csv", 10), ("xlsx", 60)):
            begun = time.perf_counter()
            asked = urllib.request.Request(f"{base}/hazards/export/?format={kind}", headers=cookie)
            with urllib.request.urlopen(asked) as answer:
                size = len(answer.read())
            seconds = time.perf_counter() - begun
            report.add(
                f"export of {ROWS:,} hazards as {kind}, {size / 2**20:.1f} MB",
                f"{seconds:.1f} s",
                f"≤ {limit} s",
                seconds <= limit,
            )

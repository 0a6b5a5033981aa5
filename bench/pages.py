"""Signed-in pages over HTTP: a list at 3,000 and at 3 million rows, the dashboard, and an empty view as the floor."""

from __future__ import annotations

from statistics import median

import psycopg
from django.utils import timezone

from anze.monitoring.refresh import recompute
from bench import stage
from bench.ingest import deliver, hazard_rows, insured
from bench.people import regulator_cookie
from bench.report import Report

SMALL, LARGE = 3_000, 3_000_000
ROUNDS = 3


def grow(to: int) -> None:
    """Multiply the hazards on file by plain SQL: other numbers, days and enterprises, no triggers."""
    with psycopg.connect(stage.raw_url()) as raw:
        raw.execute("SET session_replication_role = replica")
        have = raw.execute("SELECT count(*) FROM hazards_hazard").fetchone()[0]  # type: ignore[index]
        columns = [
            row[0]
            for row in raw.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'hazards_hazard' "
                "AND is_generated = 'NEVER' ORDER BY ordinal_position"
            ).fetchall()
        ]
        changed = {
            "id": "kernel_new_id()",
            "hazard_no": "h.hazard_no || '-' || g",
            "found_on": "h.found_on - (g * 7) % 900",
            "event_on": "h.event_on - (g * 7) % 900",
            "deadline_on": "h.deadline_on - (g * 7) % 900",
        }
        select = ", ".join(changed.get(column, f"h.{column}") for column in columns)
        raw.execute(
            f"INSERT INTO hazards_hazard ({', '.join(columns)}) SELECT {select} FROM hazards_hazard h, "
            f"generate_series(1, {to // have - 1}) g"
        )
        raw.commit()
        raw.autocommit = True
        raw.execute("VACUUM ANALYZE hazards_hazard")


def _warm_load(url: str, headers: dict[str, str]) -> dict[str, float]:
    """The page once everything is loaded: templates compiled, connections open, caches filled. The median of several
    rounds: where eight ask two cores, a single 95th percentile is mostly chance."""
    stage.load(url, headers, seconds=2)
    rounds = [stage.load(url, headers) for _round in range(ROUNDS)]
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def run(report: Report) -> None:
    insurer, codes = insured(2_000)
    deliver(insurer, "hazards", hazard_rows(codes, SMALL))
    with psycopg.connect(stage.raw_url(), autocommit=True) as raw:
        raw.execute("VACUUM ANALYZE")
    cookie = regulator_cookie()
    plain, filtered = "/hazards/", "/hazards/?region=370100&class=MAJOR"
    with stage.served(with_worker=False) as base:
        floor = _warm_load(f"{base}/sign-in/", {})
        report.add("sign-in page, nobody signed in (the floor)", f"{floor['per_second']:,.0f}/s")
        small = {path: _warm_load(base + path, cookie) for path in (plain, filtered)}
    grow(LARGE)
    with stage.served(with_worker=False) as base:
        large = {path: _warm_load(base + path, cookie) for path in (plain, filtered)}
        for path in (plain, filtered):
            growth = large[path]["p95"] / small[path]["p95"]
            report.add(
                f"list {path} at {LARGE:,} rows",
                f"{large[path]['per_second']:,.0f}/s, p95 {large[path]['p95']:.0f} ms",
                "≥ 250/s",
                large[path]["per_second"] >= 250,
            )
            report.add(f"… p95 against the same list at {SMALL:,} rows", f"{growth:.2f}×", "≤ 1.2×", growth <= 1.2)
    recompute(at=timezone.now())
    with stage.served(with_worker=False) as base:
        board = _warm_load(f"{base}/statistics/", cookie)
        report.add(
            "dashboard of the province",
            f"{board['per_second']:,.0f}/s, p95 {board['p95']:.0f} ms",
            "≥ 300/s, p95 ≤ 60 ms",
            board["per_second"] >= 300 and board["p95"] <= 60,
        )

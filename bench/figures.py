"""The figures: recompute at scale 1, looking back at what was known, refresh of 1,000 rows with ten times the history."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from statistics import median

import psycopg
from django.db import connection
from django.utils import timezone

from anze.expenses.actions import match_expenses
from anze.kernel.duty import beijing_day
from anze.kernel.planning import planned_by_hashing
from anze.kernel.scope import EVERYTHING, inside
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.figures import Slice
from anze.monitoring.known import figure_of
from anze.monitoring.refresh import recompute, refresh
from anze.monitoring.rules import Indicator
from bench import stage
from bench.report import Report

# table → the columns that point into copied tables; dates move back a year a copy
COPIED: dict[str, tuple[str, ...]] = {
    "underwriting_policy": (),
    "underwriting_premiumreceipt": ("policy_id",),
    "prevention_plan": ("policy_id",),
    "prevention_planitem": ("plan_id", "policy_id"),
    "prevention_service": ("policy_id", "plan_item_id"),
    "prevention_serviceperson": ("service_id", "policy_id"),
    "hazards_hazard": ("service_id",),
    "expenses_expense": ("policy_id", "service_id"),
}
NUMBERS = ("policy_no", "receipt_no", "plan_no", "service_no", "hazard_no", "expense_no")


def lengthen(times: int) -> None:
    """Give every enterprise so many times its history: copies of its records, a year earlier each."""
    with psycopg.connect(stage.raw_url()) as raw:
        raw.execute("SET session_replication_role = replica")
        for table, references in COPIED.items():
            columns = raw.execute(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [table]
            ).fetchall()
            parts = []
            for name, kind in columns:
                if name == "id" or name in references:
                    parts.append(f"md5(t.{name}::text || g)::uuid")
                elif name in NUMBERS and (table, name) != ("prevention_service", "plan_no"):
                    parts.append(f"left(t.{name} || '-' || g, 50)")
                elif kind == "date":
                    parts.append(f"(t.{name} - g * interval '1 year')::date")
                else:
                    parts.append(f"t.{name}")
            names = ", ".join(name for name, _kind in columns)
            raw.execute(
                f"INSERT INTO {table} ({names}) SELECT {', '.join(parts)} FROM {table} t, generate_series(1, {times - 1}) g"
            )
        raw.commit()
        raw.autocommit = True
        for table in COPIED:
            raw.execute(f"VACUUM ANALYZE {table}")


def changed(table: str, sets: str) -> tuple[float, float]:
    """Seconds of the bare update of 1,000 rows, and of the refresh after it: medians of three thousands."""
    rounds = [_changed(table, sets, skipped) for skipped in (0, 1000, 2000)]
    return median(bare for bare, _after in rounds), median(after for _bare, after in rounds)


def _changed(table: str, sets: str, skipped: int) -> tuple[float, float]:
    bare = change_thousand(table, sets, skipped)
    begun = time.perf_counter()
    result = refresh(at=timezone.now())
    assert result is not None and result.touched >= 1000, result
    return bare, time.perf_counter() - begun


def change_thousand(table: str, sets: str, skipped: int) -> float:
    """Seconds of the bare update of a thousand rows of a table, the same in each run."""
    with inside(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE event_on > '2026-01-01' ORDER BY md5(id::text) LIMIT 1000 OFFSET {skipped}"
        )
        ids = [row[0] for row in cursor.fetchall()]
    begun = time.perf_counter()
    with inside(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {sets} WHERE id = ANY(%s)", [ids])
    return time.perf_counter() - begun


CHANGES = {
    "services": ("prevention_service", "photo_count = 0"),
    "hazards": ("hazards_hazard", "state = 'CLOSED', verified_on = current_date, closed_on = current_date"),
    "policies": ("underwriting_policy", "insured_workers = insured_workers + 1"),
}


def matched(report: Report, session: int) -> None:
    """Services, invoices and payments of the year against each other, as every night: all kinds of findings."""
    with inside(EVERYTHING), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM expenses_expense WHERE NOT is_void")
        count = cursor.fetchone()[0]
    begun, used = time.perf_counter(), stage.cpu_of(session)
    with inside(EVERYTHING):
        match_expenses(at=timezone.now())
    seconds, used = time.perf_counter() - begun, stage.cpu_of(session) - used
    report.add(f"three-way match of a year's {count:,} expenses", f"{seconds:.1f} s", "≤ 5 s", seconds <= 5)
    report.add("… processor time of the database session", f"{used:.1f} s")


def looked_back(report: Report, known_at: datetime) -> None:
    """Each indicator over the whole province from its rows: as known before the changes, and as the rows are today."""
    day = beijing_day(known_at) - timedelta(days=1)
    cut = Slice("370000", date(day.year, 1, 1), day.replace(day=1))
    spent = {}
    for code, indicator in INDICATORS.items():
        # each twice, the one after the other: whichever is first finds its tables cold
        rounds = [{at: _counted(indicator, cut, day, at) for at in (known_at, None)} for _ in range(2)]
        for at in (known_at, None):
            spent[code, at] = min(each[at] for each in rounds)
    then, now = (sum(spent[code, at] for code in INDICATORS) for at in (known_at, None))
    report.add(f"{len(INDICATORS)} indicators as known before {3000 * len(CHANGES):,} changes", f"{then:.1f} s")
    report.add("… against the same from the rows of today", f"{then / now:.2f}×", "≤ 2×", then / now <= 2)
    long = [code for code in INDICATORS if spent[code, None] > 0.1]
    worst = max(long, key=lambda code: spent[code, known_at] / spent[code, None])
    times = spent[worst, known_at] / spent[worst, None]
    report.add("… the dearest of those that take over 0.1 s", f"{worst} {times:.2f}×", "≤ 2×", times <= 2)
    slowest = max((spent[code, known_at] for code in INDICATORS if code not in long), default=0.0)
    report.add("… the slowest of the others", f"{slowest * 1000:.0f} ms", "≤ 200 ms", slowest <= 0.2)


def _counted(indicator: Indicator, cut: Slice, day: date, known_at: datetime | None) -> float:
    """Seconds of a figure from all its rows, as the time machine asks for it: known at a moment, or as it stands."""
    begun = time.perf_counter()
    with inside(EVERYTHING), connection.cursor() as cursor, planned_by_hashing(cursor):
        figure_of(cursor, "part", indicator, cut, day, known_at)
    return time.perf_counter() - begun


def run(report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = cursor.fetchone()[0]
    begun, used = time.perf_counter(), stage.cpu_of(session)
    recompute(at=timezone.now())
    seconds, used = time.perf_counter() - begun, stage.cpu_of(session) - used
    report.add(f"full recompute of all cells at scale {stage.SCALE:g}", f"{seconds:.1f} s", "≤ 15 s", seconds <= 15)
    report.add("… processor time of the database session", f"{used:.1f} s")
    matched(report, session)
    known_at = timezone.now()
    stage.analyse()  # as before the ten times longer history
    first = {name: changed(*change) for name, change in CHANGES.items()}
    looked_back(report, known_at)
    lengthen(10)
    recompute(at=timezone.now())
    stage.analyse()
    for name, change in CHANGES.items():
        bare, short = first[name]
        _bare, long = changed(*change)
        report.add(f"refresh after 1,000 changed {name}", f"{short:.2f} s", "≤ 1 s", short <= 1)
        report.add("… against the bare update of these rows", f"{short / bare:.1f}×")
        growth = long / short
        report.add("… with ten times the history", f"{long:.2f} s ({growth:.2f}×)", "< 1.5×", growth < 1.5)

"""Alerts: all rules over the whole province, after a day's data, and the work list among a million past alerts."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
from django.db import connection
from django.utils import timezone

from anze.kernel.scope import EVERYTHING, Scope, inside
from anze.monitoring.alerting import run as raise_alerts
from anze.monitoring.models import Alert
from anze.monitoring.refresh import refresh
from anze.monitoring.rules.alerts import AlertState, mine
from anze.parties.rules import Role
from bench import stage
from bench.report import Report

PAST = """
INSERT INTO monitoring_alert (code, subject, episode, level, state, parties, reached, row_id, label, facts, begins_on,
    due_on, opened_at, taken_by, closed_at, closed_by, closing, reason, evidence, enterprise_id, insurer_id, region_code,
    sector)
SELECT a.code, gen_random_uuid(), n::text, a.level, 'CLOSED', a.parties, a.reached, a.row_id, a.label, a.facts,
    a.begins_on - n, a.due_on - n, a.opened_at - make_interval(days => n), '', a.opened_at, '', 'GONE', '', '',
    a.enterprise_id, a.insurer_id, a.region_code, a.sector
FROM (SELECT * FROM monitoring_alert ORDER BY id LIMIT 20000) a CROSS JOIN generate_series(1, %s) n LIMIT 1000000
"""


def run(report: Report) -> None:
    begun = time.perf_counter()
    done = raise_alerts(at=timezone.now() + timedelta(days=1), full=True)
    seconds = time.perf_counter() - begun
    assert done is not None
    report.add("every alert rule over the whole province, the next day", f"{seconds:.1f} s", "≤ 10 s", seconds <= 10)
    slowest = sorted(done.seconds.items(), key=lambda each: -each[1])[:3]
    report.add("… slowest rules", ", ".join(f"{code} {took:.1f} s" for code, took in slowest))
    refresh(at=timezone.now())
    raise_alerts(at=timezone.now())
    with inside(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE hazards_hazard SET location = location || '.' WHERE id IN "
            "(SELECT id FROM hazards_hazard ORDER BY md5(id::text) LIMIT 1000)"
        )
    refresh(at=timezone.now())
    begun = time.perf_counter()
    raise_alerts(at=timezone.now())
    seconds = time.perf_counter() - begun
    report.add("… after 1,000 changed hazards, only what changed", f"{seconds:.2f} s")
    with inside(EVERYTHING), connection.cursor() as cursor:
        cursor.execute("SELECT greatest(count(*), 1) FROM monitoring_alert")
        times = 1_000_000 // min(20_000, cursor.fetchone()[0]) + 1
        cursor.execute(PAST, [times])
        cursor.execute("SELECT count(*) FROM monitoring_alert")
        report.add("alerts on file for what follows", f"{cursor.fetchone()[0]:,}")
    with psycopg.connect(stage.raw_url(), autocommit=True) as raw:
        raw.execute("VACUUM ANALYZE monitoring_alert")
    with inside(EVERYTHING):
        insurer = Alert.objects.filter(insurer__isnull=False).values_list("insurer_id", flat=True)[0]
    readers = {
        "province": (Scope("anze_all"), Role.PROVINCE_REGULATOR),
        "city": (Scope("anze_region", "370100", "3701ZZ"), Role.CITY_REGULATOR),
        "insurer": (Scope("anze_insurer", "370000", "37ZZZZ", insurer_id=insurer), Role.INSURER_MANAGER),
    }
    for name, (scope, role) in readers.items():
        took = sorted(_work_list(scope, role) for _time in range(20))
        report.add(
            f"work list of a {name} (three counts, first page), p95",
            f"{took[18] * 1000:.0f} ms",
            "≤ 300 ms",
            took[18] <= 0.3,
        )


def _work_list(scope: Scope, role: Role) -> float:
    begun = time.perf_counter()
    with inside(scope):
        rows = Alert.objects.filter(mine(scope, role)).exclude(state=AlertState.CLOSED)
        for level in ("URGENT", "IMPORTANT", "GENERAL"):
            rows.filter(level=level).order_by().values("pk")[:1001].count()
        list(rows.order_by("due_on", "id").values_list("id", "facts", "due_on")[:16])
    return time.perf_counter() - begun

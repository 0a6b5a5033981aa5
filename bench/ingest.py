"""Signed ingest over HTTP against raw COPY of the same rows into the same tables, replay, a plain DRF endpoint."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from anze.exchange.actions import process_batch, receive_batch
from anze.exchange.feeds import FEEDS
from anze.kernel.actor import platform
from anze.kernel.identifiers import make_uscc
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from bench import stage
from bench.report import Report

ROWS = 60_000
CHUNK = 15_000
COUNTIES = ("370102", "370202", "370302", "370402", "370502", "370602", "370702", "370811")


def deliver(sender: Organisation, feed: str, rows: list[dict[str, Any]]) -> None:
    """Publish rows without HTTP; only to set the stage."""
    for start in range(0, len(rows), 20_000):
        part = stage.as_json(rows[start : start + 20_000])
        with inside(EVERYTHING):
            batch, _new = receive_batch(
                sender,
                by=platform(frozenset({Permission.ENTER_DATA})),
                at=timezone.now(),
                feed=FEEDS[feed],
                channel=Channel.API,
                body=part,
                content_type="application/x-ndjson",
                idempotency_key=f"stage-{feed}-{start}",
            )
            result = process_batch(batch)
            if batch.rejected:
                raise SystemExit(f"{feed}: {result.problems[0]}")


def actors() -> tuple[Organisation, Organisation]:
    with inside(EVERYTHING):
        authority = Organisation.objects.create(code="EMA37", kind="EMA", name="示例省厅", region_id="370000")
        insurer = Organisation.objects.create(code="INS01", kind="INSURER", name="示例财险", region_id="370000")
    return authority, insurer


def hazard_rows(credit_codes: list[str], count: int) -> list[dict[str, Any]]:
    return [
        {
            "hazard_no": f"YH{n:09d}",
            "insured_uscc": credit_codes[n % len(credit_codes)],
            "source": "SELF_CHECK",
            "hazard_class": "GENERAL" if n % 20 else "MAJOR",
            "found_on": f"2026-{n % 9 + 1:02d}-{n % 27 + 1:02d}",
            "location": "一车间",
            "description": f"配电箱未接地 {n}",
            "advice": "补做接地",
            "deadline_on": f"2026-{n % 9 + 2:02d}-{n % 27 + 1:02d}",
            "notified_principal": True,
            "state": "FOUND",
        }
        for n in range(count)
    ]


def run(report: Report) -> None:
    authority, insurer = actors()
    enterprise = FEEDS["enterprises"].example_rows()[0]
    policy = FEEDS["policies"].example_rows()[0]
    codes = [make_uscc(COUNTIES[n % 8], n + 1) for n in range(20_000)]
    deliver(
        authority,
        "enterprises",
        [
            {**enterprise, "uscc": code, "name": f"示例企业{n}", "region_code": COUNTIES[n % 8]}
            for n, code in enumerate(codes)
        ],
    )
    deliver(
        insurer,
        "policies",
        [{**policy, "insured_uscc": code, "holder_uscc": code, "policy_no": f"P{n}"} for n, code in enumerate(codes)],
    )
    rows = hazard_rows(codes, ROWS)
    from anze_client import Client

    from anze.exchange.actions import issue_key

    with inside(EVERYTHING):
        key, secret = issue_key(
            insurer,
            by=platform(frozenset({Permission.MANAGE_KEYS})),
            at=timezone.now(),
            algorithm="hmac-sha256",
        )
    with stage.served() as base:
        client = Client(base, key.key_id, secret)
        first = _push(client, rows, "first")
        replay = _push(client, rows, "replay")
    raw = _raw_copy(("hazards_hazard",))
    report.add(f"signed ingest, {ROWS:,} hazards, {_bytes_a_row(rows)} B of JSON each", f"{first:,.0f} rows/s")
    report.add("raw COPY of the same rows into the same table", f"{raw:,.0f} rows/s")
    report.add("signed ingest / raw COPY", f"{first / raw:.2f}", "≥ 0.60", first / raw >= 0.6)
    report.add("replay of unchanged rows", f"{replay:,.0f} rows/s", "faster than first", replay > first)
    plain = _plain_endpoint()
    report.add("plain DRF bulk endpoint, same rows", f"{plain:,.0f} rows/s")
    report.add("signed ingest / plain DRF endpoint", f"{first / plain:.0f}×", "≥ 30×", first / plain >= 30)
    _memory(report, codes)


def _bytes_a_row(rows: list[dict[str, Any]]) -> int:
    return len(stage.as_json(rows[:1000])) // 1000


def _push(client: Any, rows: list[dict[str, Any]], name: str) -> float:
    begun = time.perf_counter()
    for start in range(0, len(rows), CHUNK):
        receipt = client.push("hazards", rows[start : start + CHUNK], idempotency_key=f"{name}-{start}")
        if receipt.rejected:
            raise SystemExit(f"rejected: {receipt}")
    return len(rows) / (time.perf_counter() - begun)


def _raw_copy(tables: tuple[str, ...]) -> float:
    """Rows a second of COPY, as the superuser, into the very tables with their keys, indexes and triggers."""
    with psycopg.connect(stage.raw_url()) as raw:
        cursor = raw.cursor()
        data = {}
        count = 0
        for table in tables:
            with cursor.copy(f"COPY (SELECT * FROM {table} ORDER BY enterprise_id) TO STDOUT") as copy:
                data[table] = b"".join(bytes(piece) for piece in copy)
        cursor.execute(f"SELECT count(*) FROM {tables[0]}")
        count = cursor.fetchone()[0]  # type: ignore[index]
        for table in reversed(tables):
            cursor.execute(f"DELETE FROM {table}")
        raw.commit()
        cursor.execute("COMMIT")
        raw.autocommit = True
        for table in tables:
            cursor.execute(f"VACUUM {table}")
        raw.autocommit = False
        begun = time.perf_counter()
        for table in tables:
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(data[table])
        raw.commit()
        return count / (time.perf_counter() - begun)


def _plain_endpoint() -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.plain_endpoint"],
        capture_output=True,
        text=True,
        cwd=stage.ROOT,
        check=True,
    )
    return float(done.stdout.strip())


def _memory(report: Report, codes: list[str]) -> None:
    """Peak memory of a process that takes a batch of 50 MB."""
    rows = hazard_rows(codes, 3000)
    body = stage.as_json(rows)
    copies = (50 * 2**20) // (len(body) + 1)
    many = hazard_rows(codes, 3000 * copies)
    path = stage.ROOT / "var" / "bench-50mb.ndjson.gz"
    path.write_bytes(gzip.compress(stage.as_json(many), 1))
    done = subprocess.run(
        [sys.executable, "-m", "bench.big_batch", str(path)],
        capture_output=True,
        text=True,
        cwd=stage.ROOT,
        check=True,
    )
    path.unlink()
    peak = float(done.stdout.strip())
    report.add(f"peak memory of a 50 MB batch ({len(many):,} rows)", f"{peak:,.0f} MB", "≤ 500 MB", peak <= 500)
    connection.close()

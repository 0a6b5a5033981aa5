"""Signed ingest over HTTP against raw COPY of the same rows into the same tables, replay, a plain DRF endpoint."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, NamedTuple

import psycopg
from django.db import connection
from django.utils import timezone

from anze.exchange.actions import issue_key, process_batch, receive_batch
from anze.exchange.feeds import FEEDS
from anze.kernel.actor import platform
from anze.kernel.identifiers import make_uscc
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, inside
from anze.monitoring.refresh import LOCK as REFRESH_LOCK
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from bench import stage
from bench.report import Report

ROWS = 60_000
CHUNK = 15_000
ROUNDS = 3
INSURERS = 4  # that send at the same time
COUNTIES = ("370102", "370202", "370302", "370402", "370502", "370602", "370702", "370811")


class Speed(NamedTuple):
    """Rows a second by the clock, and microseconds of processor time a row, of all processes that work for it."""

    rows: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.rows:,.0f} rows/s, {self.cpu:.0f} µs of CPU a row"


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


def insured(count: int) -> tuple[Organisation, list[str]]:
    """An insurer with so many insured enterprises; their credit codes."""
    [(insurer, codes)] = market(count, 1)
    return insurer, codes


def market(count: int, insurers: int) -> list[tuple[Organisation, list[str]]]:
    """Insurers who share so many insured enterprises; each with the credit codes of its own."""
    authority, first = actors()
    with inside(EVERYTHING):
        others = [
            Organisation.objects.create(code=f"INS{n:02d}", kind="INSURER", name=f"示例财险{n}", region_id="370000")
            for n in range(2, insurers + 1)
        ]
    enterprise, policy = (FEEDS[name].example_rows()[0] for name in ("enterprises", "policies"))
    codes = [make_uscc(COUNTIES[n % 8], n + 1) for n in range(count)]
    deliver(
        authority,
        "enterprises",
        [
            {**enterprise, "uscc": code, "name": f"示例企业{n}", "region_code": COUNTIES[n % 8]}
            for n, code in enumerate(codes)
        ],
    )
    shares = [(insurer, codes[place::insurers]) for place, insurer in enumerate([first, *others])]
    for insurer, own in shares:
        deliver(
            insurer,
            "policies",
            [{**policy, "insured_uscc": code, "holder_uscc": code, "policy_no": f"P{n}"} for n, code in enumerate(own)],
        )
    with psycopg.connect(stage.raw_url(), autocommit=True) as raw:
        raw.execute("VACUUM ANALYZE")
    return shares


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
    shares = market(20_000, INSURERS)
    from anze_client import Client

    keys = [_key_of(insurer) for insurer, _codes in shares]
    rows = hazard_rows(shares[0][1], ROWS)
    rounds = []
    with stage.served() as base:
        clients = [Client(base, *key) for key in keys]
        alone = [(clients[0], _lines(rows))]
        at_once = [
            (client, _lines(hazard_rows(codes, ROWS // INSURERS)))
            for client, (_insurer, codes) in zip(clients, shares, strict=True)
        ]
        _push([(clients[0], alone[0][1][:CHUNK])], "warm")
        for number in range(ROUNDS):
            _empty()
            one = _push(alone, f"alone-{number}")
            _empty()
            first = _push(at_once, f"first-{number}")
            _until_counted()  # or the refresh of the figures would be put down to the replay
            replay = _push(at_once, f"replay-{number}")
            rounds.append((first, one, replay, _raw_copy()))
    first, one, replay, raw = (Speed(*map(median, zip(*each, strict=True))) for each in zip(*rounds, strict=True))
    ratio = median(first.rows / raw.rows for first, _one, _replay, raw in rounds)
    ratio_alone = median(one.rows / raw.rows for _first, one, _replay, raw in rounds)
    of_cpu = median(raw.cpu / first.cpu for first, _one, _replay, raw in rounds)
    plain = _plain_endpoint()
    report.add(
        f"signed ingest, {INSURERS} insurers at once, {ROWS:,} hazards, {_bytes_a_row(rows)} B of JSON each", str(first)
    )
    report.add("the same from one insurer alone, whose batches come one after the other", str(one))
    report.add("raw COPY of the same rows into the same table", str(raw))
    report.add("signed ingest / raw COPY", f"{ratio:.2f}", "≥ 0.60", ratio >= 0.6)
    report.add("… one insurer alone", f"{ratio_alone:.2f}")
    report.add("… by processor time", f"{of_cpu:.2f}")
    report.add("replay of unchanged rows", str(replay), "faster than first", replay.rows > first.rows)
    report.add("plain DRF bulk endpoint, same rows", str(plain))
    times = first.rows / plain.rows
    report.add("signed ingest / plain DRF endpoint", f"{times:.0f}×", "≥ 30×", times >= 30)
    report.add("… by processor time", f"{plain.cpu / first.cpu:.0f}×")
    _memory(report, shares[0][1])


def _key_of(insurer: Organisation) -> tuple[str, str]:
    with inside(EVERYTHING):
        key, secret = issue_key(
            insurer,
            by=platform(frozenset({Permission.MANAGE_KEYS, Permission.RUN_PLATFORM})),
            at=timezone.now(),
            algorithm="hmac-sha256",
        )
    return key.key_id, secret


def _lines(rows: list[dict[str, Any]]) -> list[bytes]:
    return [stage.as_json([row]) for row in rows]


def _bytes_a_row(rows: list[dict[str, Any]]) -> int:
    return len(stage.as_json(rows[:1000])) // 1000


def _push(senders: list[tuple[Any, list[bytes]]], name: str) -> Speed:
    """Rows a second from the first byte sent until the last batch is committed; each sender has its rows as JSON
    and does not wait for one receipt before it sends the next batch.

    The refresh of the figures, which follows within seconds and is measured by itself, is held back meanwhile.
    """

    def send(client: Any, part: list[bytes], key: str) -> None:
        receipt = client.push("hazards", part, idempotency_key=key)
        if receipt.rejected:
            raise SystemExit(f"rejected: {receipt.findings[0]}")

    batches = [
        (client, lines[start : start + CHUNK], f"{name}-{start}")
        for client, lines in senders
        for start in range(0, len(lines), CHUNK)
    ]
    done = "SELECT count(*) FROM exchange_batch WHERE state = 'DONE' AND idempotency_key LIKE %s"
    before = stage.cpu_of_platform()
    with psycopg.connect(stage.raw_url(), autocommit=True) as raw, ThreadPoolExecutor(len(batches)) as threads:
        raw.execute("SELECT pg_advisory_lock(%s)", [REFRESH_LOCK])
        begun = time.perf_counter()
        sent = [threads.submit(send, *batch) for batch in batches]
        while raw.execute(done, [f"{name}-%"]).fetchone()[0] < len(batches):  # type: ignore[index]
            if any(each.done() and each.exception() for each in sent):
                break
            time.sleep(0.02)
        seconds = time.perf_counter() - begun
        for each in sent:
            each.result()
    used = sum(cpu - before.get(pid, 0.0) for pid, cpu in stage.cpu_of_platform().items())
    count = sum(len(lines) for _client, lines in senders)
    return Speed(count / seconds, used / count * 1e6)


def _until_counted() -> None:
    with psycopg.connect(stage.raw_url(), autocommit=True) as raw:
        until = time.monotonic() + 300
        while raw.execute("SELECT EXISTS (SELECT FROM kernel_touch)").fetchone()[0]:  # type: ignore[index]
            if time.monotonic() > until:
                raise SystemExit("the figures were not refreshed within five minutes")
            time.sleep(0.2)


def _empty() -> None:
    """Both begin with empty tables and indexes."""
    _until_counted()
    with psycopg.connect(stage.raw_url(), autocommit=True) as raw:
        # the queue first, or the refresh of the figures, which begins with it, could be locked against this
        raw.execute("TRUNCATE kernel_touch, kernel_change, hazards_hazard CASCADE")
        raw.execute("CHECKPOINT")


def _raw_copy() -> Speed:
    """One COPY, by the superuser: the very rows just delivered, sorted by enterprise, into the same table with all
    its keys, indexes, checks and triggers. Nothing is parsed, looked up or checked."""
    with psycopg.connect(stage.raw_url()) as raw:
        cursor = raw.cursor()
        with cursor.copy("COPY (SELECT * FROM hazards_hazard ORDER BY enterprise_id) TO STDOUT") as copy:
            data = b"".join(bytes(piece) for piece in copy)
        raw.commit()
        _empty()
        used = stage.cpu_of(raw.info.backend_pid) + time.process_time()
        begun = time.perf_counter()
        with cursor.copy("COPY hazards_hazard FROM STDIN") as copy:
            copy.write(data)
        count = cursor.rowcount
        raw.commit()
        seconds = time.perf_counter() - begun
        used = stage.cpu_of(raw.info.backend_pid) + time.process_time() - used
        return Speed(count / seconds, used / count * 1e6)


def _plain_endpoint() -> Speed:
    done = subprocess.run(
        [sys.executable, "-m", "bench.plain_endpoint"],
        capture_output=True,
        text=True,
        cwd=stage.ROOT,
        check=True,
    )
    return Speed(*map(float, done.stdout.split()))


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

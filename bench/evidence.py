"""Photos: what intake costs beside decoding and hashing alone, what the search finds, and how long it takes among millions."""

from __future__ import annotations

import io
import os
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import numpy as np
from django.db import connection

from bench import photos, stage
from bench.report import Report

MILLIONS = float(os.environ.get("ANZE_BENCH_PRINTS", "5"))  # million fingerprints among which is searched
SCENES = int(os.environ.get("ANZE_BENCH_SCENES", "100"))
FIRST = 1_000_000  # scenes the thresholds were not chosen by
LARGE = 24  # photos of 12 megapixels for the intake
DOCS = stage.ROOT / "docs" / "evidence.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def run(report: Report) -> None:
    from django.conf import settings

    from anze.kernel.scope import EVERYTHING, inside

    with TemporaryDirectory(dir=stage.ROOT / "var") as folder:
        kept = dict(settings.STORAGES)
        kept["evidence"] = {**kept["evidence"], "OPTIONS": {"location": Path(folder), "base_url": None}}
        settings.STORAGES = kept
        with inside(EVERYTHING):
            intake(report)
        with inside(EVERYTHING):
            lines = accuracy(report)
        write(lines, report)
        search(report)
    write(lines, report)


def large_photo(seed: int) -> bytes:
    """A photo of 12 megapixels with a sensor's noise, some 3 MB."""
    random = np.random.default_rng(seed)
    picture = photos.scene(seed).resize((4032, 3024))
    noisy = np.asarray(picture, dtype=np.int16) + random.integers(-7, 8, (3024, 4032, 1), dtype=np.int16)
    from PIL import Image

    return photos.as_jpeg(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)), 88)


def intake(report: Report) -> None:
    """Images a second on one core: the whole way in, beside one pass of decoding and hashing."""
    from anze.evidence.actions import arrived, receive_media
    from anze.evidence.rules import FileType, Subject
    from anze.evidence.rules.fingerprints import print_of
    from anze.evidence.rules.pictures import read_picture
    from anze.kernel.actor import platform
    from anze.parties.rules import Permission

    contents = [large_photo(seed) for seed in range(LARGE)]
    size = sum(map(len, contents)) / LARGE / 1e6
    by = platform(frozenset({Permission.ADD_EVIDENCE}))
    spent = {"pass": 0.0, "intake": 0.0}
    for content in contents:
        start = time.process_time()
        arrived(content)
        print_of(read_picture(io.BytesIO(content), FileType.JPEG).grey)
        spent["pass"] += time.process_time() - start
        subject = Subject("bench", uuid4(), "B", region_code="370102", may_add=True)
        start = time.process_time()
        receive_media(subject, by=by, at=datetime.now(UTC), content=arrived(content))
        spent["intake"] += time.process_time() - start
    alone, whole = LARGE / spent["pass"], LARGE / spent["intake"]
    report.add(
        f"photo of {size:.1f} MB, 12 megapixels: hash, decode and fingerprint alone", f"{alone:.1f} images/s per core"
    )
    report.add(
        "photo intake, with checks, original kept, rows and search",
        f"{whole:.1f} images/s per core",
        ">= 0.8 of it",
        whole >= 0.8 * alone,
    )


def accuracy(report: Report) -> list[tuple[str, int, int, float]]:
    """Of copies of photos, how many are found; of everything reported, how much is a copy."""
    from django.core.files.base import ContentFile

    from anze.evidence.actions.files import derived_name, put
    from anze.evidence.actions.matching import keep_fingerprint, same_pictures
    from anze.evidence.models import Original
    from anze.evidence.rules import FileType
    from anze.evidence.rules.fingerprints import print_of
    from anze.evidence.rules.pictures import Picture, read_picture

    def seen(picture: Any) -> Picture:
        return read_picture(io.BytesIO(photos.as_jpeg(picture)), FileType.JPEG)

    kept: dict[Any, int] = {}
    for seed in range(FIRST, FIRST + SCENES):
        picture = seen(photos.scene(seed))
        original = Original.objects.create(
            sha256=f"{seed:064x}", size=1, media_type="image/jpeg", width=picture.width, height=picture.height,
            stored_at=datetime.now(UTC),
        )  # fmt: skip
        put(derived_name(original, "small"), ContentFile(picture.thumbnail))
        keep_fingerprint(original, picture)
        kept[original.pk] = seed
    asked: dict[str, int] = defaultdict(int)
    found: dict[str, int] = defaultdict(int)
    wrong: dict[str, int] = defaultdict(int)
    right = 0
    for seed in range(FIRST, FIRST + SCENES):
        scene = photos.scene(seed)
        queries = {
            name: change(scene, np.random.default_rng((seed, i)))
            for i, (name, change) in enumerate(photos.CHANGES.items())
        }
        queries["the same scene, another photo"] = photos.second_shot(seed, 1)
        queries["the same scene, a third photo"] = photos.second_shot(seed, 2)
        queries["another workshop"] = photos.scene(seed + 500_000)
        for name, picture in queries.items():
            asked[name] += 1
            look = seen(picture)
            for each in same_pictures(print_of(look.grey), look, uuid4()):
                is_copy = name in photos.CHANGES and kept.get(each.original_id) == seed
                found[name] += is_copy
                wrong[name] += not is_copy
                right += is_copy and name != "mirrored"
    lines = [(name, asked[name], found[name], wrong[name]) for name in asked]
    for name, copies, hits, others in lines:
        print(f"  {name:<40} {copies:>4} looked for, {hits:>4} found, {others:>3} others reported", flush=True)
    straight = [name for name in photos.CHANGES if name != "mirrored"]
    recall = sum(found[name] for name in straight) / sum(asked[name] for name in straight)
    false = sum(wrong.values())
    precision = right / max(1, right + false)
    report.add(
        f"copies found among {SCENES} scenes (without mirrored)", f"recall {recall:.3f}", ">= 0.95", recall >= 0.95
    )
    report.add(
        "what is reported is a copy (look-alikes among it)", f"precision {precision:.3f}", ">= 0.99", precision >= 0.99
    )
    report.add("mirrored copies found", f"{found['mirrored']} of {asked['mirrored']}")
    return lines


def search(report: Report) -> None:
    """How long the search for candidates takes among millions of other fingerprints."""
    from anze.evidence.actions.matching import candidates
    from anze.evidence.rules import FileType
    from anze.evidence.rules.fingerprints import print_of
    from anze.evidence.rules.pictures import read_picture
    from anze.kernel.scope import EVERYTHING, inside

    rows = int(MILLIONS * 1e6)
    fill(rows)
    spans, looked = [], 0
    with inside(EVERYTHING):
        for seed in range(FIRST, FIRST + 40):
            look = read_picture(io.BytesIO(photos.as_jpeg(photos.scene(seed), 60)), FileType.JPEG)
            asked = print_of(look.grey)
            for round_ in range(2):
                start = time.perf_counter()
                looked += len(candidates(asked, uuid4()))
                if round_:
                    spans.append(time.perf_counter() - start)
    spans.sort()
    middle, high = spans[len(spans) // 2] * 1000, spans[int(len(spans) * 0.95)] * 1000
    report.add(f"search among {rows:,} fingerprints, median", f"{middle:.0f} ms", "<= 100 ms", middle <= 100)
    report.add("search, 95th percentile", f"{high:.0f} ms")


CHUNK = 100_000  # fingerprints written at a time
KEYS = 56  # of each: sixteen bands and forty words


def fill(rows: int) -> None:
    """So many fingerprints of pictures that are not there: rows made as the database's binary format holds them,
    the key of each table made when its rows are in."""
    import psycopg

    begun = time.perf_counter()
    random = np.random.default_rng(1)
    with psycopg.connect(stage.raw_url(), autocommit=True) as raw:
        raw.execute("SET maintenance_work_mem = '1GB'")
        raw.execute("SET synchronous_commit = off")
        raw.execute("SET session_replication_role = replica")  # a foreign key is not looked up row by row
        raw.execute("ALTER TABLE evidence_fingerprintkey SET UNLOGGED")
        taken = raw.execute("SELECT coalesce(max(id), 0) FROM evidence_fingerprint").fetchone()[0]
        raw.execute("ALTER TABLE evidence_fingerprintkey DROP CONSTRAINT evidence_fingerprintkey_pkey")
        for first in range(taken + 1, taken + 1 + rows, CHUNK):
            numbers = np.arange(first, min(first + CHUNK, taken + 1 + rows))
            marks = np.full((len(numbers), 16), 0xBE, dtype=np.uint8)
            marks[:, 8:] = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
            _copied(
                raw, "evidence_original (id, sha256, size, media_type, is_damaged, stored_at)",
                [marks, _hexadecimal(marks), *(np.tile(each, (len(numbers), 1)) for each in _SAME)],
            )  # fmt: skip
            hashes = random.integers(0, 256, (len(numbers), 32), dtype=np.uint8)
            corners = random.integers(0, 256, (len(numbers), 400), dtype=np.uint8)
            quality = np.tile(_big(100, ">i2"), (len(numbers), 1))
            _copied(
                raw, "evidence_fingerprint (id, original_id, whole, quality, corners)",
                [_bytes(numbers, ">i4"), marks, hashes, quality, corners],
            )  # fmt: skip
            keys = np.empty((len(numbers), KEYS), dtype=np.int64)
            keys[:, :16] = (np.arange(16) << 16) + hashes.view(">u2")
            keys[:, 16:] = (1 << 30) + random.integers(0, 1 << 28, (len(numbers), KEYS - 16))
            # a picture's keys differ; where chance made two alike, the second gets its neighbour's number
            keys.sort(axis=1)
            keys[:, 1:] += keys[:, 1:] == keys[:, :-1]
            _copied(
                raw, "evidence_fingerprintkey (key, fingerprint_id)",
                [_bytes(keys.ravel(), ">i4"), _bytes(np.repeat(numbers, KEYS), ">i4")],
            )  # fmt: skip
        print(f"  {rows:,} fingerprints written in {time.perf_counter() - begun:,.0f} s", flush=True)
        begun = time.perf_counter()
        raw.execute(
            "ALTER TABLE evidence_fingerprintkey ADD CONSTRAINT evidence_fingerprintkey_pkey "
            "PRIMARY KEY (key, fingerprint_id)"
        )
        print(f"  their {rows * KEYS:,} keys sorted in {time.perf_counter() - begun:,.0f} s", flush=True)
        for table in ("evidence_fingerprintkey", "evidence_fingerprint", "evidence_original"):
            raw.execute(f"VACUUM ANALYZE {table}")
    connection.close()


def _big(number: int, kind: str) -> Any:
    return np.array([number], dtype=kind).view(np.uint8)


_SAME = [_big(1, ">i8"), np.frombuffer(b"image/jpeg", dtype=np.uint8), _big(0, ">i1"), _big(0, ">i8")]


def _bytes(numbers: Any, kind: str) -> Any:
    return numbers.astype(kind).view(np.uint8).reshape(len(numbers), -1)


def _hexadecimal(marks: Any) -> Any:
    """The hash that would be the name of a content, as letters: 64 of them."""
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    letters = np.stack([digits[marks >> 4], digits[marks & 15]], axis=2).reshape(len(marks), -1)
    return np.concatenate([letters, letters], axis=1)


def _copied(raw: Any, table: str, columns: list[Any]) -> None:
    """Write rows whose columns are bytes of one length each, by COPY in its binary format."""
    pieces = [_head(len(columns), ">i2", len(columns[0]))]
    for column in columns:
        pieces += [_head(column.shape[1], ">i4", len(column)), column]
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        copy.write(np.concatenate(pieces, axis=1).tobytes())
        copy.write(b"\xff\xff")


def _head(number: int, kind: str, rows: int) -> Any:
    return np.tile(_big(number, kind), (rows, 1))


def write(lines: list[tuple[str, int, int, float]], report: Report) -> None:
    """The table of docs/evidence.md."""
    text = DOCS.read_text(encoding="utf-8")
    if BEGIN not in text:
        return
    table = ["| what was done to the photo | copies | found | others reported |", "|---|---|---|---|"]
    table += [
        f"| {name} | {asked if name in photos.CHANGES else '–'} | {found if name in photos.CHANGES else '–'} | {wrong:.0f} of {asked} |"
        for name, asked, found, wrong in lines
    ]
    figures = ["", "| what | measured | target | met |", "|---|---|---|---|"]
    figures += [
        f"| {' | '.join(line)} |"
        for line in report.lines
        if any(word in line[0] for word in ("photo", "copies", "copy", "search"))
    ]
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCS.write_text(f"{before}{BEGIN}\n" + "\n".join(table + figures) + f"\n{END}{after}", encoding="utf-8")

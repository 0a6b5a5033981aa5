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


def fill(rows: int) -> None:
    """So many fingerprints of pictures that are not there, written by the database itself, the index made last."""
    import psycopg

    with psycopg.connect(stage.raw_url(), autocommit=True) as raw:
        raw.execute("SET maintenance_work_mem = '1GB'")
        raw.execute("SET synchronous_commit = off")
        raw.execute("DROP INDEX fingerprint_by_key")
        for first in range(0, rows, 500_000):
            last = min(rows, first + 500_000)
            raw.execute(
                "WITH made AS (INSERT INTO evidence_original (sha256, size, media_type, is_damaged, stored_at) "
                "SELECT 'a' || lpad(to_hex(n), 63, '0'), 1, 'image/jpeg', false, now() FROM generate_series(%s::int, %s) AS n RETURNING id) "
                "INSERT INTO evidence_fingerprint (original_id, whole, quality, keys, corners) "
                "SELECT id, decode(md5(id::text) || md5(id::text || 'x'), 'hex'), 100, "
                "ARRAY(SELECT (k << 16) + (random() * 65535)::int FROM generate_series(0, 15) AS k WHERE id IS NOT NULL "
                "UNION ALL SELECT (1 << 30) + (random() * ((1 << 28) - 1))::int FROM generate_series(1, 40) WHERE id IS NOT NULL), "
                "'' FROM made",
                [first + 1, last],
            )
        raw.execute("CREATE INDEX fingerprint_by_key ON evidence_fingerprint USING gin (keys)")
        raw.execute("VACUUM ANALYZE evidence_fingerprint")
        raw.execute("ANALYZE evidence_original")
    connection.close()


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

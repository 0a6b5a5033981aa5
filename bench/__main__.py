"""Run the benchmarks: all of them, or those named.

    python -m bench [ingest] [pages] [export] [figures] [evidence] [alerts] [assessment] [--write] [--keep]

Each figure is printed beside its target. Machines are noisy: read the ratios. `--write` keeps what was measured in the
table of docs/performance.md; the parts that did not run stay as they are there. `--keep` leaves the synthetic province in the cluster for the next run, and takes the one left.
"""

from __future__ import annotations

import sys
import time
import traceback

from bench import stage
from bench.report import Report

IN_THE_PROVINCE = ("figures", "alerts", "assessment")  # the others begin with an empty database


def main() -> None:
    asked = [word for word in sys.argv[1:] if not word.startswith("-")]
    report = Report()
    if "--keep" not in sys.argv:
        stage.drop_database(stage.PROVINCE)
    stage.set_up()
    from django.db import connection

    from bench import alerts, assessment, evidence, export, figures, ingest, pages

    known = {
        "ingest": ingest, "pages": pages, "export": export, "figures": figures, "evidence": evidence, "alerts": alerts,
        "assessment": assessment,
    }  # fmt: skip
    try:
        for name in (name for name in known if not asked or name in asked):
            connection.close()
            if name in IN_THE_PROVINCE:
                seconds = stage.set_up_province()
            else:
                seconds = 0.0
                stage.set_up()
            module = known[name]
            print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
            report.begin(name)
            if seconds:
                what = f"synthetic province at scale {stage.SCALE:g}, generated and loaded"
                report.add(what, f"{seconds:,.0f} s")
            begun = time.perf_counter()
            try:
                module.run(report)
            except (Exception, SystemExit) as problem:  # the other parts have their figures all the same
                traceback.print_exc()
                report.add(
                    f"{name} broke off", f"{type(problem).__name__}: {problem}"[:120].replace("|", "/"), "", False
                )
            report.add(f"_{name}: took_", f"{time.perf_counter() - begun:,.0f} s")
            if "--write" in sys.argv:
                page = stage.ROOT / "docs" / "performance.md"
                page.write_text(report.written(page.read_text("utf-8"), list(known)), encoding="utf-8")
    finally:
        connection.close()
        stage.drop_database()
        if "--keep" not in sys.argv:
            stage.drop_database(stage.PROVINCE)


if __name__ == "__main__":
    main()

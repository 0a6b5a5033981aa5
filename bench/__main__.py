"""Run the benchmarks: all of them, or those named.

    python -m bench [ingest] [pages] [export] [figures] [evidence] [alerts] [assessment] [--write] [--keep]

Each figure is printed beside its target. Machines are noisy: read the ratios. `--write` keeps the result in
docs/performance.md. `--keep` leaves the synthetic province in the cluster for the next run, and takes the one left.
"""

from __future__ import annotations

import sys
import time
import traceback
from datetime import date

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
                if seconds := stage.set_up_province():
                    what = f"synthetic province at scale {stage.SCALE:g}, generated and loaded"
                    report.add(what, f"{seconds:,.0f} s")
            else:
                stage.set_up()
            module = known[name]
            print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
            report.setting(name)
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
                head = HEAD.format(machine=stage.machine(), day=date.today(), chunk=ingest.CHUNK)
                (stage.ROOT / "docs" / "performance.md").write_text(head + report.table() + "\n", encoding="utf-8")
    finally:
        connection.close()
        stage.drop_database()
        if "--keep" not in sys.argv:
            stage.drop_database(stage.PROVINCE)


HEAD = """# Performance

Measured by `make bench` ({machine}; {day}). Machines are noisy: the ratios carry, the absolute figures do not.
Where others were at work on the machine, a busy process got less than a whole core; the lines in italics say how
much. Processor time does not suffer from that, so it stands beside the wall clock where a target depends on it.

What is measured, and against what:

- **Signed ingest**: batches of {chunk:,} rows as NDJSON, signed (HMAC-SHA-256), sent over HTTP by the sample client to
  gunicorn; verified, kept, decoded, staged, resolved, checked and published by the worker. The clock runs from the
  first byte sent until the last batch is committed. The sender does not wait for one receipt before the next batch.
  The refresh of the figures, which follows within seconds, is held back meanwhile and measured by itself below.
- **Raw COPY**: one `COPY … FROM STDIN` by the superuser of the very rows just delivered, sorted by enterprise, into
  the same empty table with all its keys, indexes, checks and triggers (the queue of touched rows included). Nothing
  is parsed from JSON, looked up or checked. Rounds of both alternate; the median of the ratios counts.
- **Plain DRF endpoint**: `bench/plain_endpoint.py`, a ModelSerializer with `many=True`, without signature, HTTP or
  receipt.
- **Refresh**: 1,000 rows changed by plain SQL; then the cells are brought up to date. “Ten times the history”
  copies every policy, plan, service, hazard, receipt and expense nine times, a year earlier each.
- **Pages**: eight connections, two gunicorn workers with four threads, a signed-in provincial regulator. The load
  generator runs on the same cores.

"""

if __name__ == "__main__":
    main()

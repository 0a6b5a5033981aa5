"""Run the benchmarks: all of them, or those named.

    python -m bench [ingest] [figures] [pages] [export] [--write]

Each figure is printed beside its target. Machines are noisy: read the ratios. `--write` keeps the result in
docs/performance.md.
"""

from __future__ import annotations

import sys
from datetime import date

from bench import stage
from bench.report import Report


def main() -> None:
    asked = [word for word in sys.argv[1:] if not word.startswith("-")]
    report = Report()
    stage.set_up()
    from bench import export, figures, ingest, pages

    known = {"ingest": ingest, "figures": figures, "pages": pages, "export": export}
    try:
        for name, module in known.items():
            if not asked or name in asked:
                print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
                module.run(report)
    finally:
        from django.db import connection

        connection.close()
        stage.drop_database()
    if "--write" in sys.argv:
        text = HEAD.format(machine=stage.machine(), day=date.today()) + report.table() + "\n"
        (stage.ROOT / "docs" / "performance.md").write_text(text, encoding="utf-8")


HEAD = """# Performance

Measured by `make bench` ({machine}; {day}). Machines are noisy: the ratios carry, the absolute figures do not.

"""

if __name__ == "__main__":
    main()

"""Figures beside their limits, printed and kept for docs/performance.md."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from bench.stage import share_of_a_core


@dataclass
class Report:
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, figure: str, limit: str = "", met: bool | None = None) -> None:
        verdict = "" if met is None else "yes" if met else "NO"
        self.lines.append((what, figure, limit, verdict))
        print(f"{what:<64} {figure:>28}   {limit:<28} {verdict}", flush=True)

    def setting(self, what: str) -> None:
        """Under which load the next figures were taken."""
        load = os.getloadavg()[0]
        self.add(f"_{what}: load average, share of a core a busy process got_", f"{load:.1f}, {share_of_a_core():.2f}")

    def table(self) -> str:
        rows = ["| what | measured | target | met |", "|---|---|---|---|"]
        rows += [f"| {' | '.join(line)} |" for line in self.lines]
        return "\n".join(rows)

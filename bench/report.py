"""Figures beside their limits, printed and kept for docs/performance.md."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import date

from bench.stage import machine, share_of_a_core

HEAD = ["| what | measured | target | met |", "|---|---|---|---|"]
PART = re.compile(r"\| _(\w+), ")


@dataclass
class Report:
    """Lines of each part, in the order they were measured."""

    parts: dict[str, list[str]] = field(default_factory=dict)

    def begin(self, part: str) -> None:
        """The next figures are of this part; under which load they were taken."""
        self.parts[part] = []
        load, share = os.getloadavg()[0], share_of_a_core()
        what = f"_{part}, {date.today()}, {machine()}: load, share of a core a busy process got_"
        self.add(what, f"{load:.1f}, {share:.2f}")

    def add(self, what: str, figure: str, limit: str = "", met: bool | None = None) -> None:
        verdict = "" if met is None else "yes" if met else "NO"
        list(self.parts.values())[-1].append(f"| {what} | {figure} | {limit} | {verdict} |")
        print(f"{what:<64} {figure:>28}   {limit:<28} {verdict}", flush=True)

    def written(self, text: str, order: list[str]) -> str:
        """The page of figures with what was measured now in the place of what its table said of these parts."""
        before, _table, rows = text.partition("\n".join(HEAD) + "\n")
        parts: dict[str, list[str]] = {}
        for row in rows.splitlines():
            if begins := PART.match(row):
                parts[begins[1]] = []
            list(parts.values())[-1].append(row)
        parts |= self.parts
        return before + "\n".join([*HEAD, *(row for part in order for row in parts.get(part, []))]) + "\n"

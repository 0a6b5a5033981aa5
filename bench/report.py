"""Figures beside their limits, printed and kept for docs/performance.md."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, figure: str, limit: str = "", met: bool | None = None) -> None:
        verdict = "" if met is None else "yes" if met else "NO"
        self.lines.append((what, figure, limit, verdict))
        print(f"{what:<64} {figure:>28}   {limit:<28} {verdict}", flush=True)

    def table(self) -> str:
        rows = ["| what | measured | target | met |", "|---|---|---|---|"]
        rows += [f"| {' | '.join(line)} |" for line in self.lines]
        return "\n".join(rows)

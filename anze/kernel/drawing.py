"""Samples for review: how one is drawn so that anybody can draw it again, and how what was drawn is marked.

One way for whatever is sampled: services, claims, rows of an assessment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import DrawnSample, parameter
from anze.kernel.refusal import Refused
from anze.kernel.rules import Criterion, SampleState

S = TypeVar("S", bound=DrawnSample)


def population_text(keys: Iterable[str]) -> str:
    """The population as it is published: one key a line, in order."""
    return "".join(f"{key}\n" for key in sorted(keys))


def population_digest(keys: Iterable[str]) -> str:
    """What is published of a population before its seed is known, so that nobody can change it afterwards."""
    return hashlib.sha256(population_text(keys).encode()).hexdigest()


def drawn(keys: Iterable[str], seed: str, size: int) -> list[tuple[str, str]]:
    """The sample: the keys with the smallest digests of seed, population and key, in this order.

    `tools/draw_sample.py` does the same with nothing of the platform.
    """
    keys = list(keys)
    start = f"{seed}|{population_digest(keys)}|"
    ranked = sorted((hashlib.sha256(f"{start}{key}".encode()).hexdigest(), key) for key in keys)
    return [(key, digest) for digest, key in ranked[:size]]


@dataclass(frozen=True)
class Draw:
    """What a sample is to be: title, records of which days, how many."""

    title: str
    period_from: date
    period_to: date
    size: int

    def __str__(self) -> str:
        return f"{self.title} {self.period_from}–{self.period_to} {self.size}"


def fix(table: type[S], draw: Draw, keys: Iterable[UUID], *, by: Actor, at: datetime, **more: Any) -> S:
    """Fix which records may be drawn and publish the digest, before anybody knows the seed."""
    if draw.period_to < draw.period_from:
        raise Refused(
            "period_out_of_order", _("The period ends before it begins."), remedy=_("Correct one of the days."),
            field="period_to",
        )  # fmt: skip
    texts = [str(key) for key in keys]
    if not 0 < draw.size <= len(texts):
        raise Refused(
            "sample_size",
            ngettext_lazy(
                "There is %(count)s record of this kind in this period.",
                "There are %(count)s records of this kind in this period.",
                "count",
            ),
            remedy=_("Draw at least one and at most as many as there are."),
            field="size",
            values={"count": len(texts)},
        )
    sample = table._default_manager.create(
        title=draw.title.strip()[:120],
        period_from=draw.period_from,
        period_to=draw.period_to,
        size=draw.size,
        population_count=len(texts),
        population_sha256=population_digest(texts),
        fixed_at=at,
        fixed_by=by.name[:120],
        **more,
    )
    population: Any = table._meta.get_field("population").related_model
    population.objects.create(sample=sample, keys=population_text(texts))
    return sample


def draw_from(sample: DrawnSample, *, seed: str, source: str, at: datetime) -> list[tuple[UUID, str]]:
    """Keys and digests of a fixed sample, drawn with a seed that became known after the population was fixed, such as
    the numbers of a public lottery."""
    seed = seed.strip()
    if not seed or not source.strip():
        raise Refused(
            "seed_missing",
            _("A draw needs a seed and where it comes from."),
            remedy=_("Use numbers that were published after the population was fixed, and say where."),
            field="seed" if not seed else "source",
        )
    changed = (
        type(sample)
        ._default_manager.filter(pk=sample.pk, state=SampleState.FIXED)
        .update(state=SampleState.DRAWN, seed=seed[:100], seed_source=source.strip()[:200], drawn_at=at)
    )
    if not changed:
        raise Refused(
            "drawn_already", _("This sample is drawn already."), remedy=_("Fix another population."), status=409
        )
    sample.refresh_from_db()
    keys = sample.population.keys.split()  # type: ignore[attr-defined]
    return [(UUID(key), digest) for key, digest in drawn(keys, sample.seed, sample.size)]


@dataclass(frozen=True)
class Marks:
    """What a reviewer gives: points for each line of the sheet, pass or return, reasons."""

    points: dict[str, int] = field(default_factory=dict)
    passes: bool = True
    reasons: str = ""

    @property
    def total(self) -> int:
        return sum(self.points.values())

    @property
    def result(self) -> str:
        """The name of the transition."""
        return "pass" if self.passes else "return"

    def __str__(self) -> str:
        return f"{self.total} {'passed' if self.passes else 'returned'}"


def pass_mark(at: datetime) -> int:
    """The points that pass, by the parameter of the day."""
    return int(parameter("quality_pass_mark", beijing_day(at)))


def judged(sheet: Sequence[Criterion], marks: Marks, *, by: Actor, at: datetime) -> dict[str, Any]:
    """The columns of a record that is marked, if these marks are possible at all."""
    for line in sheet:
        if not 0 <= marks.points.get(line.code, -1) <= line.points:
            raise Refused(
                "points_out_of_range",
                _("This line has 0 to %(most)s points."),
                remedy=_("Give points for every line of the sheet."),
                field=line.code,
                values={"most": line.points},
            )
    needed = pass_mark(at)
    if marks.passes and marks.total < needed:
        raise Refused(
            "mark_too_low",
            _("%(needed)s points or more are needed to pass; these are %(total)s."),
            remedy=_("Return it with reasons, or look at the points again."),
            field="result",
            values={"needed": needed, "total": marks.total},
        )
    if not marks.passes and not marks.reasons.strip():
        raise Refused(
            "reason_missing",
            _("Nothing is returned without reasons."),
            remedy=_("Say what is to be corrected."),
            field="reasons",
        )
    return {
        "marks": marks.points,
        "mark": marks.total,
        "reasons": marks.reasons.strip()[:1000],
        "reviewer": by.account_id,
        "reviewer_name": by.name[:120],
        "marked_at": at,
    }

"""Fixing which claims may be drawn, drawing with a published seed, marking, returning, answering."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Claim, ClaimPopulation, ClaimReview, ClaimSample
from anze.claims.rules.samples import REVIEW, REVIEW_SHEET, ClaimSampleState, SampleKind, fences
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.drawing import drawn, population_digest, population_text
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission

# the amount a claim came to, and the worst that happened in it: what is compared with its like
_AMOUNTS = """
SELECT c.id, coalesce(c.agreed, c.assessed, c.claimed) AS amount,
    coalesce((SELECT min(CASE v.degree WHEN 'DEATH' THEN 0 WHEN 'SERIOUS' THEN 1 WHEN 'MINOR' THEN 2 ELSE 3 END)
              FROM claims_victim v WHERE v.claim_id = c.id), 4) AS worst
FROM claims_claim c
WHERE NOT c.is_void AND (c.notified_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(first)s AND %(last)s
"""
_MIDDLE_HALF = f"""
SELECT worst, percentile_cont(0.25) WITHIN GROUP (ORDER BY amount), percentile_cont(0.75) WITHIN GROUP (ORDER BY amount)
FROM ({_AMOUNTS}) a GROUP BY worst
"""


@dataclass(frozen=True)
class ClaimDraw:
    """What a sample is to be: title, kind, claims of which days, how many."""

    title: str
    kind: str
    period_from: date
    period_to: date
    size: int

    def __str__(self) -> str:
        return f"{self.title} {self.kind} {self.period_from}–{self.period_to} {self.size}"


def _usual(draw_from: date, draw_to: date, at: datetime) -> tuple[list[tuple[UUID, Any, int]], dict[int, Any]]:
    """Every claim of the period with its amount, and between which amounts its like usually lies."""
    width = float(parameter("claim_sample_fence", beijing_day(at)))
    words = {"first": draw_from, "last": draw_to}
    with connection.cursor() as cursor:
        cursor.execute(_MIDDLE_HALF, words)
        usual = {worst: fences(float(low), float(high), width) for worst, low, high in cursor.fetchall()}
        cursor.execute(_AMOUNTS, words)
        return cursor.fetchall(), usual


@action(Permission.REVIEW_CLAIMS, "claim_sample.fixed")
def fix_claims(draw: ClaimDraw, *, by: Actor, at: datetime) -> ClaimSample:
    """Fix which claims may be drawn and publish the digest, before anybody knows the seed."""
    if draw.period_to < draw.period_from:
        raise Refused(
            "period_out_of_order", _("The period ends before it begins."), remedy=_("Correct one of the days."),
            field="period_to",
        )  # fmt: skip
    with widened(EVERYTHING):
        rows, usual = _usual(draw.period_from, draw.period_to, at)
        keys = [
            str(key)
            for key, amount, worst in rows
            if draw.kind == SampleKind.RANDOM or not usual[worst][0] <= float(amount) <= usual[worst][1]
        ]
        if not 0 < draw.size <= len(keys):
            raise Refused(
                "sample_size",
                _("There are %(count)s claims of this kind in this period."),
                remedy=_("Draw at least one and at most as many as there are."),
                field="size",
                values={"count": len(keys)},
            )
        sample = ClaimSample.objects.create(
            title=draw.title.strip()[:120],
            kind=draw.kind,
            period_from=draw.period_from,
            period_to=draw.period_to,
            size=draw.size,
            population_count=len(keys),
            population_sha256=population_digest(keys),
            fixed_at=at,
            fixed_by=by.name[:120],
        )
        ClaimPopulation.objects.create(sample=sample, keys=population_text(keys))
    return sample


@action(Permission.REVIEW_CLAIMS, "claim_sample.drawn")
def draw_claims(sample: ClaimSample, *, by: Actor, at: datetime, seed: str, source: str) -> ClaimSample:
    """Draw with a seed that became known after the population was fixed, such as the numbers of a public lottery."""
    seed = seed.strip()
    if not seed or not source.strip():
        raise Refused(
            "seed_missing",
            _("A draw needs a seed and where it comes from."),
            remedy=_("Use numbers that were published after the population was fixed, and say where."),
            field="seed" if not seed else "source",
        )
    with widened(EVERYTHING):
        changed = ClaimSample.objects.filter(pk=sample.pk, state=ClaimSampleState.FIXED).update(
            state=ClaimSampleState.DRAWN, seed=seed[:100], seed_source=source.strip()[:200], drawn_at=at
        )
        if not changed:
            raise Refused(
                "drawn_already", _("This sample is drawn already."), remedy=_("Fix another population."), status=409
            )
        sample.refresh_from_db()
        chosen = drawn(ClaimPopulation.objects.get(sample=sample).keys.split(), sample.seed, sample.size)
        rows, usual = _usual(sample.period_from, sample.period_to, at)
        amounts = {key: (amount, usual[worst]) for key, amount, worst in rows}
        claims = Claim.objects.in_bulk([UUID(key) for key, _digest in chosen])
        ClaimReview.objects.bulk_create(
            _review(sample, claims[UUID(key)], rank, digest, amounts) for rank, (key, digest) in enumerate(chosen, 1)
        )
    return sample


def _review(sample: ClaimSample, claim: Claim, rank: int, digest: str, amounts: dict[UUID, Any]) -> ClaimReview:
    amount, usual = amounts.get(claim.pk, (claim.claimed, None))
    return ClaimReview(
        sample=sample,
        claim=claim,
        rank=rank,
        digest=digest,
        amount=amount,
        usual_from=max(round(usual[0], 2), 0) if usual else None,
        usual_to=round(usual[1], 2) if usual else None,
        enterprise_id=claim.enterprise_id,
        insurer_id=claim.insurer_id,
        region_code=claim.region_code,
        sector=claim.sector,
    )


@dataclass(frozen=True)
class ReviewMarks:
    """What a reviewer gives: points for each line of the sheet, pass or return, reasons."""

    points: dict[str, int] = field(default_factory=dict)
    passes: bool = True
    reasons: str = ""

    @property
    def total(self) -> int:
        return sum(self.points.values())

    def __str__(self) -> str:
        return f"{self.total} {'passed' if self.passes else 'returned'}"


@action(Permission.REVIEW_CLAIMS, "claim_review.marked")
def mark_review(review: ClaimReview, *, by: Actor, at: datetime, marks: ReviewMarks) -> ClaimReview:
    """Mark a claim drawn; returned, the insurer answers."""
    for line in REVIEW_SHEET:
        if not 0 <= marks.points.get(line.code, -1) <= line.points:
            raise Refused(
                "points_out_of_range",
                _("This line has 0 to %(most)s points."),
                remedy=_("Give points for every line of the sheet."),
                field=line.code,
                values={"most": line.points},
            )
    needed = int(parameter("quality_pass_mark", beijing_day(at)))
    if marks.passes and marks.total < needed:
        raise Refused(
            "mark_too_low",
            _("A claim passes with %(needed)s points or more; these are %(total)s."),
            remedy=_("Return it with reasons, or look at the points again."),
            field="result",
            values={"needed": needed, "total": marks.total},
        )
    if not marks.passes and not marks.reasons.strip():
        raise Refused(
            "reason_missing", _("A claim is not returned without reasons."), remedy=_("Say what is to be corrected."),
            field="reasons",
        )  # fmt: skip
    REVIEW.move(
        review,
        "pass" if marks.passes else "return",
        marks=marks.points,
        mark=marks.total,
        reasons=marks.reasons.strip()[:1000],
        reviewer=by.account_id,
        reviewer_name=by.name[:120],
        marked_at=at,
    )
    return review


@action(Permission.HANDLE_CLAIMS, "claim_review.answered")
def answer_review(review: ClaimReview, *, by: Actor, at: datetime, words: str) -> ClaimReview:
    """The insurer says what it corrected, or why it stays as it is; then it is marked again."""
    if not words.strip():
        raise Refused(
            "reason_missing", _("This step needs its reason."), remedy=_("Say in a sentence why."), field="words"
        )
    REVIEW.move(review, "answer", answer=words.strip()[:1000])
    return review

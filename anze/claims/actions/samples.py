"""Fixing which claims may be drawn, drawing with a published seed, marking, returning, answering."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Claim, ClaimReview, ClaimSample
from anze.claims.rules.samples import REVIEW, REVIEW_SHEET, SampleKind, fences
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.drawing import Draw, Marks, draw_from, fix, judged
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused, reasoned
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import why_not_independent
from anze.parties.rules import Permission

# the amount a claim came to, and the worst that happened in it: what is compared with its like
_AMOUNTS = """
SELECT c.id, coalesce(c.agreed, c.assessed, c.claimed) AS amount,
    coalesce((SELECT min(CASE v.degree WHEN 'DEATH' THEN 0 WHEN 'SERIOUS' THEN 1 WHEN 'MINOR' THEN 2 ELSE 3 END)
              FROM claims_victim v WHERE v.claim_id = c.id), 4) AS worst
FROM claims_claim c
WHERE NOT c.is_void AND (c.notified_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(first)s AND %(last)s
"""
_LEAST = 5  # of fewer like it nobody can say what is usual
_MIDDLE_HALF = f"""
SELECT worst, percentile_cont(0.25) WITHIN GROUP (ORDER BY amount), percentile_cont(0.75) WITHIN GROUP (ORDER BY amount)
FROM ({_AMOUNTS}) a GROUP BY worst HAVING count(*) >= %(least)s
"""


@dataclass(frozen=True)
class ClaimDraw(Draw):
    """Also which kind of claims: all of the period, or those whose amount stands apart."""

    kind: str

    def __str__(self) -> str:
        return f"{super().__str__()} {self.kind}"


def _usual(draw_from: date, draw_to: date, at: datetime) -> tuple[list[tuple[UUID, Any, int]], dict[int, Any]]:
    """Every claim of the period with its amount, and between which amounts its like usually lies, if there are enough."""
    width = float(parameter("claim_sample_fence", beijing_day(at)))
    words: dict[str, date | int] = {"first": draw_from, "last": draw_to, "least": _LEAST}
    with connection.cursor() as cursor:
        cursor.execute(_MIDDLE_HALF, words)
        usual = {worst: fences(float(low), float(high), width) for worst, low, high in cursor.fetchall()}
        cursor.execute(_AMOUNTS, words)
        return cursor.fetchall(), usual


@action(Permission.REVIEW_CLAIMS, "claim_sample.fixed")
def fix_claims(draw: ClaimDraw, *, by: Actor, at: datetime) -> ClaimSample:
    """Fix which claims may be drawn."""
    with widened(EVERYTHING):
        rows, usual = _usual(draw.period_from, draw.period_to, at)
        keys = [
            key
            for key, amount, worst in rows
            if draw.kind == SampleKind.RANDOM
            or (worst in usual and not usual[worst][0] <= float(amount) <= usual[worst][1])
        ]
        return fix(ClaimSample, draw, keys, by=by, at=at, kind=draw.kind)


@action(Permission.REVIEW_CLAIMS, "claim_sample.drawn")
def draw_claims(sample: ClaimSample, *, by: Actor, at: datetime, seed: str, source: str) -> ClaimSample:
    """Draw, and lay the sheets ready with what is usual for the like of each claim."""
    with widened(EVERYTHING):
        chosen = draw_from(sample, seed=seed, source=source, at=at)
        rows, usual = _usual(sample.period_from, sample.period_to, at)
        amounts = {key: (amount, usual.get(worst)) for key, amount, worst in rows}
        claims = Claim.objects.in_bulk([key for key, _digest in chosen])
        ClaimReview.objects.bulk_create(
            _review(sample, claims[key], rank, digest, amounts) for rank, (key, digest) in enumerate(chosen, 1)
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


@action(Permission.REVIEW_CLAIMS, "claim_review.marked")
def mark_review(review: ClaimReview, *, by: Actor, at: datetime, marks: Marks) -> ClaimReview:
    """Mark a claim drawn; returned, the insurer answers."""
    columns = judged(REVIEW_SHEET, marks, by=by, at=at)
    if why := why_not_independent(review, by):
        raise Refused("not_independent", why, remedy=_("Leave it to another reviewer."), status=403)
    REVIEW.move(review, marks.result, **columns)
    return review


@action(Permission.HANDLE_CLAIMS, "claim_review.answered")
def answer_review(review: ClaimReview, *, by: Actor, at: datetime, words: str) -> ClaimReview:
    """The insurer says what it corrected, or why it stays as it is; then it is marked again."""
    REVIEW.move(review, "answer", answer=reasoned(words)[:1000])
    return review

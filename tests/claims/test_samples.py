"""Claims drawn for review: in the open, at random or because their amount stands apart; marked, returned, answered."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anze.claims.actions.samples import (
    ClaimDraw,
    answer_review,
    draw_claims,
    fix_claims,
    mark_review,
)
from anze.claims.models import Claim, ClaimPopulation, ClaimReview
from anze.claims.rules.samples import REVIEW_SHEET, fences
from anze.kernel.drawing import Marks
from anze.kernel.refusal import Refused
from anze.kernel.scope import widened
from anze.parties.models import Account, Membership
from anze.parties.rules import Role
from tests.cast import NOW, Cast
from tests.claims.conftest import claim_row

TOOL = Path(__file__).resolve().parents[2] / "tools" / "draw_sample.py"
FULL = {line.code: line.points for line in REVIEW_SHEET}


def draw(kind: str = "RANDOM", size: int = 3) -> ClaimDraw:
    return ClaimDraw("十一月抽查", date(2026, 11, 1), date(2026, 11, 30), size, kind)


@pytest.fixture
def twenty(claim, cast: Cast) -> None:
    """Nineteen usual claims and one that is far above its like."""
    claim()
    rows = [
        claim_row(claim_no=f"N{n}", claimed=f"{100_000 + 1000 * n}.00", outstanding=f"{100_000 + 1000 * n}.00")
        for n in range(18)
    ]
    cast.accepted(cast.huaihai, "claims", *rows, claim_row(claim_no="FAR", claimed="490000.00"))


def test_anybody_draws_the_same_sample_again(twenty, people, tmp_path):
    sample = fix_claims(draw(), by=people["province"], at=NOW)
    draw_claims(sample, by=people["province"], at=NOW + timedelta(days=1), seed="07 11 23", source="示例公证")
    reviews = list(ClaimReview.objects.order_by("rank"))
    assert len(reviews) == 3
    file = tmp_path / "population.txt"
    file.write_text(ClaimPopulation.objects.get().keys)
    told = subprocess.run(
        [sys.executable, str(TOOL), str(file), "--seed", "07 11 23", "--size", "3"], capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    for review in reviews:
        assert f"{review.rank:5} {review.claim_id} {review.digest}" in told
    with pytest.raises(Refused, match="drawn_already"):
        draw_claims(sample, by=people["province"], at=NOW, seed="1", source="x")


def test_what_stands_apart_is_drawn_from_with_its_reason(twenty, people):
    sample = fix_claims(draw("VARIANCE", 1), by=people["province"], at=NOW)
    assert sample.population_count < 5
    draw_claims(sample, by=people["province"], at=NOW, seed="1", source="示例")
    far = Claim.objects.get(claim_no="FAR")
    assert str(far.pk) in ClaimPopulation.objects.get().keys
    review = ClaimReview.objects.get()
    assert not review.usual_from <= review.amount <= review.usual_to


def test_a_claim_is_returned_answered_and_marked_again(twenty, people):
    sample = fix_claims(draw(size=1), by=people["province"], at=NOW)
    draw_claims(sample, by=people["province"], at=NOW, seed="1", source="示例")
    review = ClaimReview.objects.get()
    with pytest.raises(Refused, match="points_out_of_range"):
        mark_review(review, by=people["province"], at=NOW, marks=Marks({**FULL, "amount": 31}))
    with pytest.raises(Refused, match="mark_too_low"):
        mark_review(review, by=people["province"], at=NOW, marks=Marks(dict.fromkeys(FULL, 1)))
    with pytest.raises(Refused, match="reason_missing"):
        mark_review(review, by=people["province"], at=NOW, marks=Marks(FULL, passes=False))
    mark_review(review, by=people["province"], at=NOW, marks=Marks(FULL, passes=False, reasons="缺少核定依据"))
    with widened(people["other_insurer"].scope):
        assert not ClaimReview.objects.exists()
    with widened(people["insurer"].scope):
        answer_review(ClaimReview.objects.get(), by=people["insurer"], at=NOW, words="已补充核定依据")
    review.refresh_from_db()
    mark_review(review, by=people["province"], at=NOW, marks=Marks(FULL))
    assert (review.state, review.mark) == ("PASSED", 100)


def test_nobody_marks_a_claim_of_his_own_insurer(twenty, people, cast: Cast):
    sample = fix_claims(draw(size=1), by=people["province"], at=NOW)
    draw_claims(sample, by=people["province"], at=NOW, seed="1", source="示例")
    account = Account.objects.create_user("both-sides", None, name="两边任职")
    Membership.objects.create(account=account, role=Role.INSURER_MANAGER, organisation=cast.huaihai)
    both = replace(people["province"], account_id=account.pk)
    with pytest.raises(Refused, match="not_independent"):
        mark_review(ClaimReview.objects.get(), by=both, at=NOW, marks=Marks(FULL))


def test_a_sample_larger_than_its_population_is_refused(twenty, people):
    with pytest.raises(Refused, match="sample_size"):
        fix_claims(draw(size=21), by=people["province"], at=NOW)
    with pytest.raises(Refused, match="not_permitted"):
        fix_claims(draw(), by=people["insurer"], at=NOW)


@given(low=st.floats(0, 1e9), reach=st.floats(0, 1e9), width=st.floats(0, 5))
def test_the_middle_half_is_always_usual(low, reach, width):
    below, above = fences(low, low + reach, width)
    assert below <= low
    assert above >= low + reach


def test_of_a_few_nobody_can_say_what_is_usual(claim, cast: Cast, people):
    """Of four claims alike none stands apart, and none is called usual by itself."""
    claim()
    cast.accepted(
        cast.huaihai, "claims",
        *[claim_row(claim_no=f"N{n}", claimed=f"{n}00000.00", outstanding=f"{n}00000.00") for n in range(1, 4)],
    )  # fmt: skip
    with pytest.raises(Refused, match="sample_size"):
        fix_claims(draw("VARIANCE", 1), by=people["province"], at=NOW)
    sample = fix_claims(draw(), by=people["province"], at=NOW)
    draw_claims(sample, by=people["province"], at=NOW, seed="07", source="示例公证")
    assert set(ClaimReview.objects.values_list("usual_from", "usual_to")) == {(None, None)}

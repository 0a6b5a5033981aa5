"""Does prevention work? The estimate finds a known effect, says nothing where nothing can be said, and compares like
with like."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from anze.monitoring.effect import Group, estimate, groups_on, take_stock
from anze.monitoring.models import EffectEstimate
from anze.monitoring.rules import Outcome, Verdict
from tests.cast import NOW, XINGHUO, YUANFAN, policy_row

RUNS = 300


def drawn(random: np.random.Generator, ratio: float, groups: int = 120) -> list[Group]:
    """Groups as a province has them: risk and the chance to be served go together, and the effect is the same."""
    sizes = random.integers(20, 160, groups)
    risk = random.normal(0, 1, groups)
    chance_served = 1 / (1 + np.exp(-(0.3 + 0.8 * risk)))
    odds = np.exp(-3.2 + 0.9 * risk)
    served = random.binomial(sizes, chance_served)
    others = sizes - served
    served_hit = random.binomial(served, odds * ratio / (1 + odds * ratio))
    others_hit = random.binomial(others, odds / (1 + odds))
    return [
        Group(*map(int, each)) for each in zip(served, served_hit, others, others_hit, strict=True) if each[0] + each[2]
    ]


@pytest.mark.parametrize(("ratio", "seed"), [(1.0, 1), (0.7, 2), (0.4, 3)])
def test_the_interval_holds_a_known_effect_as_often_as_it_says(ratio, seed):
    random = np.random.default_rng(seed)
    found = [estimate(drawn(random, ratio), fewest=20) for _run in range(RUNS)]
    held = sum(each.low <= ratio <= each.high for each in found) / RUNS
    print(f"true ratio {ratio}: held by {held:.1%} of {RUNS} intervals")
    assert 0.93 <= held <= 0.97


def test_without_an_effect_the_page_rarely_claims_one_and_with_a_strong_one_it_says_so():
    random = np.random.default_rng(4)
    none = [estimate(drawn(random, 1.0), fewest=20).verdict for _run in range(100)]
    assert none.count(Verdict.CANNOT_TELL) >= 90
    strong = [estimate(drawn(random, 0.4), fewest=20).verdict for _run in range(100)]
    assert strong.count(Verdict.FEWER) >= 95


def test_like_is_compared_with_like():
    """Served were the riskier ones: a bare comparison would blame the services."""
    groups = [Group(served=900, served_hit=90, others=100, others_hit=20), Group(100, 1, 900, 18)]
    bare_served, bare_others = 91 / 1000, 38 / 1000
    assert bare_served > bare_others
    found = estimate(groups, fewest=20)
    assert found.verdict == Verdict.FEWER
    assert found.ratio < 0.5


def test_groups_with_one_side_only_are_left_out_and_counted():
    both = Group(500, 20, 500, 40)
    alone, found = estimate([both], fewest=20), estimate([both, Group(300, 30, 0, 0), Group(0, 0, 70, 1)], fewest=20)
    assert found.left_out == 370
    assert (found.ratio, found.low, found.high) == (alone.ratio, alone.low, alone.high)


@pytest.mark.parametrize("groups", [[], [Group(100, 0, 100, 5)], [Group(100, 3, 100, 3)], [Group(50, 25, 0, 0)]])
def test_where_too_little_happened_nothing_is_said(groups):
    found = estimate(groups, fewest=20)
    assert found.verdict == Verdict.TOO_FEW
    assert found.ratio is None
    assert found.avoided(found.ratio) is None


def test_who_was_insured_served_and_hit_is_counted_by_the_day(cast):
    day = date(2026, 5, 1)
    accident = {
        "accident_no": "A1", "insured_uscc": XINGHUO, "occurred_at": "2026-05-02T09:00:00+08:00", "place": "示例车间",
        "kind": "BURN", "deaths": 0, "serious_injuries": 1, "minor_injuries": 0, "direct_loss": "1000.00",
        "hits_third_party": False,
    }  # fmt: skip
    for number, uscc in (("P1", XINGHUO), ("P2", YUANFAN)):
        cast.accepted(cast.huaihai, "policies", policy_row(number, uscc, start_on="2026-03-01", end_on="2027-02-28"))
    cast.accepted(cast.huaihai, "accidents", accident)
    counted = lambda **words: [  # noqa: E731
        (g.served, g.served_hit, g.others, g.others_hit)
        for g in groups_on(day, Outcome.ACCIDENT, **{"before": 180, "after": 180, **words})
    ]
    assert sorted(counted()) == [(0, 0, 1, 0), (0, 0, 1, 1)]
    assert sorted(groups_on(date(2026, 5, 2), Outcome.ACCIDENT, before=180, after=180), key=str) == sorted(
        [Group(0, 0, 1, 0), Group(0, 0, 1, 0)], key=str
    ), "what happened on the day itself came before"
    assert groups_on(date(2026, 2, 28), Outcome.ACCIDENT, before=180, after=180) == [], "nobody was insured yet"


def test_stock_is_taken_once_a_day_and_outcome(cast):
    for _again in range(2):
        made = take_stock(at=NOW)
    assert {row.outcome for row in made} == set(Outcome)
    assert EffectEstimate.objects.count() == len(Outcome)
    row = EffectEstimate.objects.first()
    assert row.verdict == Verdict.TOO_FEW
    assert row.day == NOW.date() - timedelta(days=row.follow_days + 1)

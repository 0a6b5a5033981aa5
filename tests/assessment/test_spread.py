"""How the scores of all lie, as the pages draw and list them."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from anze.assessment.rules.spread import FEWEST, WIDTH, levels, spread
from anze.assessment.screens.spread import spread_words
from tests.assessment.test_scoring import SCHEME

SCORES = st.lists(st.integers(0, 10500).map(lambda cents: Decimal(cents) / 100), min_size=FEWEST, max_size=60)


def line(name: str, score: str, grade: str, why_not: str = "") -> dict:
    return {"name": name, "score": Decimal(score), "grade": grade, "why_not": why_not, "url": f"/{name}/"}


@given(SCORES)
def test_every_score_lies_in_one_band_and_the_bands_leave_no_gap(scores):
    found = spread(scores)
    assert sum(band.count for band in found.bands) == len(scores)
    for band in found.bands:
        assert band.high - band.low == WIDTH
        assert band.count == sum(band.low <= score < band.high for score in scores)
    assert all(one.high == two.low for one, two in zip(found.bands, found.bands[1:], strict=False))
    assert min(scores) <= found.first_quarter <= found.median <= found.third_quarter <= max(scores)


@given(SCORES, st.sampled_from((Decimal("0.1"), Decimal(2), Decimal(5))))
def test_no_dot_covers_another_and_none_hangs_in_the_air(scores, apart):
    dots = list(zip(scores, levels(scores, apart), strict=True))
    for (one, row), (two, other) in combinations(dots, 2):
        assert row != other or abs(one - two) >= apart
    rows = {row for _score, row in dots}
    assert rows == set(range(1, max(rows) + 1))


def test_with_four_scores_the_list_says_it_better():
    assert spread([Decimal(60)] * (FEWEST - 1)) is None


def test_chart_and_table_say_the_same_and_leave_out_who_is_not_ranked():
    lines = [
        line("甲", "91.00", "A"), line("乙", "85.50", "B"), line("丙", "84.99", "B"), line("丁", "62.00", "C"),
        line("戊", "86.00", "D"), line("己", "99.00", "A", "too few"),
    ]  # fmt: skip
    words = spread_words(SCHEME, lines)
    dots = {dot["name"]: dot["value"][0] for series in words["chart"]["series"] for dot in series["data"]}
    listed = {each["name"]: float(each["score"]) for band in words["bands"] for each in band["lines"]}
    assert dots == listed == {"甲": 91.0, "乙": 85.5, "丙": 84.99, "丁": 62.0, "戊": 86.0}
    assert (words["count"], words["left_out"], words["median"]) == (5, 1, "85.50")
    thresholds = {each["xAxis"] for each in words["chart"]["series"][0]["markLine"]["data"]}
    assert thresholds == {60.0, 80.0, 90.0}
    # a veto: 86 points, but among those of the last grade
    assert [dot["name"] for dot in words["chart"]["series"][-1]["data"]] == ["戊"]

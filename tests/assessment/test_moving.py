"""What somebody moves when he tries a scheme out: weights and thresholds, in private."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anze.assessment.rules import score
from anze.assessment.rules.moving import thresholds, with_thresholds, with_weights
from tests.assessment.test_scoring import SCHEME, measures


def named(name: str) -> Decimal:
    return next(each.value for each in thresholds(SCHEME) if each.name == name)


def test_a_grade_that_begins_lower_is_reached():
    assert score(SCHEME, measures()).grade == "C"
    easier = with_thresholds(SCHEME, {"g_B": Decimal(78)})
    assert score(easier, measures()).score == score(SCHEME, measures()).score
    assert score(easier, measures()).grade == "B"


def test_a_curve_that_asks_for_more_gives_less():
    curve = [each for each in thresholds(SCHEME) if each.owner == "C1" and each.kind == "ANCHOR"]
    stricter = with_thresholds(SCHEME, {curve[0].name: curve[0].value + Decimal("0.10")})
    before, after = score(SCHEME, measures()).of("C1").points, score(stricter, measures()).of("C1").points
    assert after < before
    unmoved = {e.code for e in SCHEME.elements} - {"C1"}
    assert all(score(stricter, measures()).of(code) == score(SCHEME, measures()).of(code) for code in unmoved)


@pytest.mark.parametrize("kind", ["ANCHOR", "LOW", "HIGH", "CASE", "GRADE", "GATE"])
def test_each_kind_of_threshold_can_be_moved_and_nothing_else_moves_with_it(kind):
    one = next(each for each in thresholds(SCHEME) if each.kind == kind)
    moved = with_thresholds(SCHEME, {one.name: one.value + Decimal("0.001")})
    changed = [a for a, b in zip(thresholds(SCHEME), thresholds(moved), strict=True) if a != b]
    assert changed == [one]


def test_a_scheme_with_its_own_numbers_is_the_same_scheme():
    assert with_thresholds(SCHEME, {each.name: each.value for each in thresholds(SCHEME)}) is SCHEME
    assert with_weights(SCHEME, {e.code: e.weight for e in SCHEME.elements}) is SCHEME


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([element.code for element in SCHEME.elements]), st.decimals(0, 100, places=2), max_size=8
    )
)
def test_weights_always_make_a_hundred(weights):
    """To the last place they are rounded to."""
    total = sum((element.weight for element in with_weights(SCHEME, weights).elements), Decimal(0))
    assert abs(total - 100) <= Decimal("0.0001") * len(SCHEME.elements)

"""Points, score, grade and rank by the scheme that comes with the platform."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anze.assessment.rules import Measure, SchemeText, differences, problems, ranks, read_scheme, score
from anze.assessment.rules.schemes import Band, Linear
from anze.kernel.refusal import Refused

DATA = Path("anze/assessment/data")
SCHEME = read_scheme((DATA / "scheme-insurers.json").read_bytes())
AGENCIES = read_scheme((DATA / "scheme-agencies.json").read_bytes())
EXPERTS = read_scheme((DATA / "scheme-experts.json").read_bytes())
KINDS = {
    **{e.input: "RATIO" for e in (*SCHEME.elements, *AGENCIES.elements, *EXPERTS.elements)},
    "rate_cases": "CASES",
    "agency_cases": "CASES",
    "expert_cases": "CASES",
    "organisation_checklist": "CHECKLIST",
    "campaign_attendance": "RATIO",
    "satisfaction": "RATIO",
}
# domain rules §9.5: element → measure
EXAMPLE = {
    "A1": ".97", "A2": ".96", "B1": "1", "B2": "1.0", "B3": ".90", "C1": ".92", "C2": ".85", "C3": ".82", "C4": ".90",
    "D1": ".95", "D2": "1.0", "D3": ".90", "E1": ".80", "E2": ".15", "E3": ".98", "F1": "1.0", "F2": "1.0",
    "F3": "1.0", "G1": ".95", "G2": ".01", "G3": ".90",
}  # fmt: skip


def measures(**changes: str) -> dict[str, Measure]:
    """Every input of the worked example, out of a thousand each; changes by element."""
    found = {**EXAMPLE, **changes}
    return {SCHEME.element(code).input: Measure(Decimal(value) * 1000, Decimal(1000)) for code, value in found.items()}


def test_the_worked_example_gives_78_48_and_grade_c():
    result = score(SCHEME, measures())
    assert result.earned.quantize(Decimal("0.001")) == Decimal("78.482")
    assert (result.score, result.grade, result.why_not) == (Decimal("78.48"), "C", "")
    assert result.of("C1").points == Decimal("10.105263")
    assert result.of("A3").points == 5


def test_the_schemes_that_are_shipped_can_be_used():
    for scheme in (SCHEME, AGENCIES, EXPERTS):
        assert not problems(scheme, KINDS)
        assert scheme.is_example


def test_every_grade_that_is_shipped_says_what_follows_from_it():
    for name in ("insurers", "agencies", "experts"):
        scheme = read_scheme((DATA / f"scheme-{name}.json").read_bytes())
        assert all(grade.use.zh and grade.use.en for grade in scheme.grades), name


def test_rate_findings_cost_two_points_each_and_never_more_than_there_are():
    assert score(SCHEME, measures(), {"A3": 1}).of("A3").points == 3
    assert score(SCHEME, measures(), {"A3": 9}).of("A3").points == 0


def test_an_expense_ratio_above_the_cap_is_worth_nothing_and_below_the_floor_little():
    def points(ratio: str) -> Decimal:
        return score(SCHEME, measures(E2=ratio)).of("E2").points

    assert [points(r) for r in ("0.21", "0.2101", "0.10", "0.075", "0.05", "0.01")] == [
        3, 0, 3, Decimal("1.5"), 0, 0,
    ]  # fmt: skip


def test_a_veto_leads_to_the_last_grade_whatever_the_score():
    best = dict.fromkeys(EXAMPLE, "1") | {"E2": ".15", "G2": "0"}
    assert score(SCHEME, measures(**best)).grade == "A"
    vetoed = score(SCHEME, measures(**best), {"V1": 1})
    assert (vetoed.grade, vetoed.vetoes, vetoed.score) == ("D", ("V1",), Decimal(100))


def test_the_best_grade_asks_for_more_than_points():
    best = dict.fromkeys(EXAMPLE, "1") | {"E2": ".30", "G2": "0"}
    result = score(SCHEME, measures(**best))
    assert (result.score, result.grade, result.gates) == (Decimal(97), "B", ("E2",))


def test_what_nobody_measured_is_left_out_and_never_invented():
    known = measures()
    del known["complaints_on_time"], known["alerts_on_time"]
    result = score(SCHEME, known)
    assert result.possible == 96
    assert result.of("F3").standing == "MISSING"
    assert result.score == (result.earned * 100 / 96).quantize(Decimal("0.01"))


def test_a_self_report_not_handed_in_counts_as_nothing_achieved():
    known = measures()
    del known["organisation_checklist"]
    assert score(SCHEME, known).of("B1").standing == "SCORED"
    assert score(SCHEME, known).earned == score(SCHEME, measures()).earned - 3


def test_too_few_services_are_scored_by_some_elements_and_not_ranked():
    few = measures() | {"service_completion_rate": Measure(Decimal(19), Decimal(19))}
    result = score(SCHEME, few)
    assert result.why_not == "TOO_FEW"
    assert {e.code for e in result.elements if e.standing == "SCORED"} == {
        "B1", "B2", "B3", "C3", "E3", "F1", "F2", "F3",
    }  # fmt: skip
    assert ranks(SCHEME, {"few": result, "many": score(SCHEME, measures())}) == {"many": 1}


def test_equal_scores_are_told_apart_by_completion_then_rectification_else_share_a_rank():
    one, other = score(SCHEME, measures()), score(SCHEME, measures())
    assert ranks(SCHEME, {"a": one, "b": other, "c": score(SCHEME, measures(C4=".80"))}) == {"a": 1, "b": 1, "c": 3}
    better = replace(score(SCHEME, measures(C1=".95")), score=one.score)
    assert ranks(SCHEME, {"a": one, "b": better}) == {"a": 2, "b": 1}


def test_a_bonus_needs_its_number_of_ratings_and_has_a_ceiling():
    happy = {"satisfaction": Measure(Decimal(490), Decimal(100))}
    assert score(SCHEME, measures() | happy).bonus == 1
    assert score(SCHEME, measures() | {"satisfaction": Measure(Decimal(485), Decimal(99))}).bonus == 0
    campaign = {"campaign_attendance": Measure(Decimal(1))}
    assert score(SCHEME, measures() | happy | campaign, {"H2": 9}).bonus == 5


# what keeps a scheme from being used ----------------------------------------------------------------------------


def _changed(change: Any) -> SchemeText:
    content = json.loads((DATA / "scheme-insurers.json").read_text(encoding="utf-8"))
    change(content)
    return msgspec.convert(content, SchemeText, strict=False)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda c: c["dimensions"][0]["elements"][0].update(weight="5"), "dimensions"),
        (lambda c: c["dimensions"][0].update(weight="16"), "A"),
        (lambda c: c["dimensions"][0]["elements"][0].update(input="fortune"), "fortune"),
        (lambda c: c["dimensions"][0]["elements"][0].update(input="rate_cases"), "A1"),
        (lambda c: c["dimensions"][0]["elements"][0]["curve"].update(anchors=[["1", "0"], ["0.9", "1"]]), "A1"),
        (
            lambda c: c["dimensions"][0]["elements"][0]["curve"].update(
                anchors=[["0", "0"], ["0.5", "1"], ["1", "0.5"]]
            ),
            "A1",
        ),
        (lambda c: c["tie_breaks"].append("Z9"), "tie_breaks"),
        (lambda c: c["grades"].pop(), "grades"),
        (lambda c: c["grades"][0]["gates"][0].update(element="Z9"), "grades.A"),
        (lambda c: c["vetoes"][0].update(code="A1"), "A1"),
        (lambda c: c.update(valid_to="2017-01-01"), "valid_to"),
    ],
)
def test_what_keeps_a_scheme_from_being_used_is_named_with_its_place(change, where):
    found = problems(_changed(change), KINDS)
    assert where in [problem.where for problem in found]
    assert all(str(problem) for problem in found)


def test_a_file_that_is_no_scheme_is_refused_with_the_place():
    with pytest.raises(Refused, match="scheme_unreadable") as refused:
        read_scheme(b'{"code": "X", "version": "one"}')
    assert refused.value.values["where"] == "$.version"
    with pytest.raises(Refused, match="scheme_no_json"):
        read_scheme(b"PK")


def test_two_versions_are_compared_place_by_place_by_their_codes():
    later = _changed(lambda c: c["dimensions"][0]["elements"].reverse())
    assert differences(SCHEME, later) == []
    later = _changed(lambda c: c["dimensions"][2]["elements"][0]["curve"].update(anchors=[["0.5", "0"], ["0.98", "1"]]))
    (one,) = differences(SCHEME, later)
    assert (one.before, one.after) == ("0.60", "0.5")
    assert "[C1].curve.anchors" in one.where


# properties -----------------------------------------------------------------------------------------------------

ratio = st.decimals(0, 1, places=4)
anything = st.fixed_dictionaries({code: st.one_of(st.none(), ratio) for code in EXAMPLE})


def _known(found: dict[str, Decimal | None]) -> dict[str, Measure]:
    return {
        SCHEME.element(code).input: Measure(value * 1000, Decimal(1000))
        for code, value in found.items()
        if value is not None
    }


@settings(max_examples=200, deadline=None)
@given(anything, st.dictionaries(st.sampled_from(sorted(SCHEME.case_codes)), st.integers(0, 20)))
def test_a_score_is_bounded_and_the_sum_of_its_parts(found, cases):
    result = score(SCHEME, _known(found), cases)
    assert 0 <= result.score <= SCHEME.ceiling
    assert 0 <= result.earned <= result.possible <= 100
    for each in result.elements:
        assert 0 <= each.points <= each.weight
    assert result.earned == sum(each.points for each in result.elements)
    assert result.bonus <= SCHEME.bonus.most
    assert result.deduction <= SCHEME.deduction.most


@settings(max_examples=200, deadline=None)
@given(anything, st.sampled_from(sorted(EXAMPLE)), ratio)
def test_doing_better_in_one_thing_never_lowers_the_score(found, code, better):
    before = found[code]
    curve = SCHEME.element(code).curve
    if before is None or isinstance(curve, Band):  # a band has two ends: tested by itself
        return
    falls = isinstance(curve, Linear) and curve.anchors[0][1] > curve.anchors[-1][1]
    after = min(before, better) if falls else max(before, better)
    was, now = score(SCHEME, _known(found)), score(SCHEME, _known({**found, code: after}))
    assert now.score >= was.score
    assert now.of(code).points >= was.of(code).points
    assert [e for e in now.elements if e.code != code] == [e for e in was.elements if e.code != code]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), anything, max_size=12))
def test_ranks_follow_the_scores(found):
    results = {key: score(SCHEME, _known(each)) for key, each in found.items()}
    placed = ranks(SCHEME, results)
    assert set(placed) == {key for key, result in results.items() if not result.why_not}
    for one in placed:
        for other in placed:
            if results[one].score > results[other].score:
                assert placed[one] < placed[other]
    if placed:
        assert min(placed.values()) == 1

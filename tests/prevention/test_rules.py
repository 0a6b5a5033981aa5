"""Shares, plans, travel and states: what always holds, whatever the figures."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anze.prevention.rules import OrderState, ServiceForm, ServiceType
from anze.prevention.rules.orders import (
    ORDER,
    Candidate,
    Doubt,
    Paper,
    Stop,
    form_doubts,
    kilometres,
    mean_to_tell,
    near_doubts,
    paper_on,
    rank,
    travel_doubts,
)
from anze.prevention.rules.plans import Insured, TaskWanted, propose, spread, visits_in
from anze.prevention.rules.topics import allocate, allocate_by_group

money = st.decimals(min_value=0, max_value=10**9, places=2)
bases = st.dictionaries(st.text("ABCDEFGH", min_size=1, max_size=3), money, max_size=12)
totals = st.integers(min_value=0, max_value=5000)
START = date(2026, 3, 1)
YEAR = Insured(START, date(2027, 2, 28), usual_visits=2, risk_tier="高风险", size="小型")


@given(totals, bases)
def test_parts_sum_to_the_total_and_who_has_more_never_gets_less(total, figures):
    parts = allocate(total, figures)
    if not any(figures.values()):
        assert parts == {}
        return
    assert sum(parts.values()) == total
    assert all(parts.get(key, 0) == 0 for key, base in figures.items() if base == 0), "no base, no part"
    whole = sum(figures.values())
    for key, base in figures.items():
        exact = Decimal(total) * base / whole
        assert abs(parts.get(key, 0) - exact) < 1, "nobody is off by a whole service"
        for other, less in figures.items():
            if base > less:
                assert parts.get(key, 0) >= parts.get(other, 0)


def test_shares_are_as_worked_out_by_hand():
    # 7 by 50,000 and 20,000: 5.0 and 2.0; 10 among three equals: the odd one goes to the first key
    assert allocate(7, {"INS01": Decimal(50000), "INS02": Decimal(20000)}) == {"INS01": 5, "INS02": 2}
    assert allocate(10, {"b": 1, "a": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert allocate(5, {"a": 0}) == {}


@given(
    totals,
    st.dictionaries(st.tuples(st.sampled_from(("370100", "370200")), st.sampled_from("ABC")), st.integers(0, 999)),
)
def test_by_group_each_part_is_the_sum_of_what_it_holds_of_the_groups(total, figures):
    parts, inside = allocate_by_group(total, figures)
    assert sum(parts.values()) == (total if any(figures.values()) else 0)
    for key, part in parts.items():
        assert sum(inside.get(key, {}).values()) == part


# plans --------------------------------------------------------------------------------------------------------


def test_a_plan_has_the_visits_of_risk_and_size_and_one_training_among_several():
    four = propose(Insured(START, date(2027, 2, 28), usual_visits=4))
    assert [(item.service_type, item.times) for item in four] == [("HAZARD", 3), ("TRAIN", 1)]
    assert [(item.service_type, item.times) for item in propose(YEAR)] == [("HAZARD", 2)]
    assert "高风险" in propose(YEAR)[0].reason


def test_the_contract_can_ask_for_more_and_for_other_services():
    asked = propose(
        Insured(START, date(2027, 2, 28), usual_visits=1, agreed_visits=2, agreed_types=("DRILL", "HAZARD"))
    )
    assert [(item.service_type, item.times) for item in asked] == [("HAZARD", 2), ("DRILL", 1)]


def test_a_task_is_served_by_a_visit_there_is_already_and_only_else_by_one_more():
    hazard = TaskWanted("RW-1", "示例任务", "HAZARD", date(2026, 6, 1), date(2026, 8, 31))
    drill = TaskWanted("RW-2", "示例演练", "DRILL", date(2026, 1, 1), date(2026, 12, 31))
    past = TaskWanted("RW-3", "已过期", "HAZARD", date(2025, 1, 1), date(2025, 12, 31))
    items = propose(YEAR, [hazard, drill, past])
    assert [(item.service_type, item.times, item.task_code) for item in items] == [
        ("HAZARD", 1, ""), ("HAZARD", 1, "RW-1"), ("DRILL", 1, "RW-2"),
    ]  # fmt: skip
    assert (items[1].window_start_on, items[1].window_end_on) == (date(2026, 6, 1), date(2026, 8, 31))


@given(st.integers(1, 12), st.integers(0, 1200), st.integers(0, 8))
def test_no_period_is_without_a_visit_and_none_has_more_than_its_year(usual, days, agreed):
    insured = Insured(START, START + timedelta(days=days), usual_visits=usual, agreed_visits=agreed)
    visits = visits_in(insured)
    assert 1 <= visits <= max(usual, agreed)
    items = propose(insured)
    assert sum(item.times for item in items) == visits
    assert all(insured.start_on <= item.window_start_on <= item.window_end_on <= insured.end_on for item in items)


@given(st.integers(0, 400), st.integers(1, 12))
def test_spread_days_lie_in_the_window_in_order(length, times):
    end = START + timedelta(days=length)
    days = spread(START, end, times)
    assert days == sorted(days)
    assert all(START <= day <= end for day in days)


# dispatch -----------------------------------------------------------------------------------------------------

lon, lat = st.floats(114, 123), st.floats(34, 39)


@given(lon, lat, lon, lat)
def test_distance_is_the_same_both_ways_and_nothing_to_where_one_is(a, b, c, d):
    assert kilometres(a, b, a, b) == 0
    assert kilometres(a, b, c, d) == pytest.approx(kilometres(c, d, a, b))
    assert 0 <= kilometres(a, b, c, d) < 1100


def test_jinan_and_qingdao_are_not_done_on_one_day():
    jinan, qingdao = Stop("a", 117.02, 36.66, "济南示例厂"), Stop("b", 120.38, 36.07, "青岛示例厂")
    found = travel_doubts([jinan], qingdao, most_km=80, most_visits=4)
    assert [each.code for each in found] == ["far_apart"]
    assert "济南示例厂" in found[0].sentence
    assert travel_doubts([jinan], Stop("c", 117.10, 36.70), most_km=80, most_visits=4) == []
    assert travel_doubts([qingdao], qingdao, most_km=80, most_visits=4) == [], "the order itself is no other visit"


def test_a_day_of_too_many_visits_is_a_hint_and_no_refusal():
    stops = [Stop(n, None, None) for n in range(4)]
    found = travel_doubts(stops, Stop("x", None, None), most_km=80, most_visits=4)
    assert [(each.code, each.blocks) for each in found] == [("day_full", False)]


def test_a_paper_counts_from_its_first_to_its_last_day():
    papers = [Paper("SAFETY_ENGINEER", START, date(2026, 12, 31)), Paper("OTHER", START, date(2030, 1, 1))]
    kinds = {"SAFETY_ENGINEER"}
    assert paper_on(papers, kinds, START) is papers[0]
    assert paper_on(papers, kinds, date(2026, 12, 31)) is papers[0]
    assert paper_on(papers, kinds, date(2027, 1, 1)) is None
    assert paper_on(papers, kinds, START - timedelta(days=1)) is None


def test_own_staff_for_a_hazard_inspection_is_a_hint():
    assert [each.blocks for each in form_doubts(ServiceType.HAZARD, ServiceForm.OWN_STAFF)] == [False]
    assert form_doubts(ServiceType.TRAIN, ServiceForm.OWN_STAFF) == []


def test_another_insurers_visit_is_told_by_its_day_alone():
    near = near_doubts([(START, False), (START + timedelta(days=40), True)], START + timedelta(days=3), 10)
    assert [each.values for each in near] == [{"day": START}]


def test_the_blocked_come_last_and_the_near_of_the_sector_first():
    far = Candidate("far", "远", "370200", distance=280.0)
    near = Candidate("near", "近", "370100", distance=5.0, is_sector=True)
    blocked = Candidate("bad", "停", "370100", distance=1.0, is_sector=True, doubts=[Doubt("x", "x", "x", True)])
    assert [each.key for each in rank([far, blocked, near])] == ["near", "far", "bad"]


def test_few_ratings_move_nobody():
    assert (mean_to_tell(1.0, 4, 5), mean_to_tell(1.0, 4, 3), mean_to_tell(1.0, 5, 5)) == (None, 1.0, 1.0)
    one = Candidate("one", "甲", "370100", rating=mean_to_tell(1.0, 4, 5))
    other = Candidate("two", "乙", "370100")
    assert rank([one, other]) == sorted([one, other], key=lambda each: each.name)


def test_an_order_ends_done_declined_or_cancelled_and_nowhere_else():
    leaving = {state for each in ORDER.transitions for state in each.sources}
    assert set(OrderState) - leaving == {OrderState.DONE, OrderState.DECLINED, OrderState.CANCELLED}
    ways = {each.target for each in ORDER.open_from(OrderState.IN_SERVICE)}
    assert OrderState.CANCELLED not in ways, "who is on site is not called back by a click"

"""Suspension, blacklist and what they stop; the committee's seats; appeals against both."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.parties.actions.appeals import decide_appeal, find_appealed, raise_appeal
from anze.parties.actions.standing import (
    accept_seat,
    ask_seat,
    decide_standing,
    exclude_seat,
    leave_seat,
    lift_standing,
)
from anze.parties.models import Seat, Standing
from anze.parties.rules import Role
from anze.parties.rules.entering import standing_state
from anze.prevention.actions.orders import declare_conflict, end_conflict
from anze.underwriting.models import Policy
from tests.cast import NOW, XINGHUO, policy_row
from tests.parties.conftest import person, refusal

TODAY = beijing_day(NOW)


def suspend(party, by: Actor, *, days: int | None = 30, kind: str = "SUSPENDED") -> Standing:
    to_on = None if days is None else TODAY + timedelta(days=days)
    return decide_standing(party, by=by, at=NOW, kind=kind, from_on=TODAY, to_on=to_on, reason="服务质量抽查不合格")


def issued(day: date, number: str = "P-NEW", **words):
    start = day + timedelta(days=1)
    return policy_row(
        number, XINGHUO, applied_on=day.isoformat(), issued_on=day.isoformat(), start_on=start.isoformat(),
        end_on=(start + timedelta(days=364)).isoformat(), **words,
    )  # fmt: skip


def codes(batch) -> list[str]:
    return list(batch.findings.values_list("code", flat=True))


def test_a_suspended_insurers_new_policies_are_refused_and_its_old_ones_untouched(cast, province):
    before = TODAY - timedelta(days=1)
    cast.accepted(cast.huaihai, "policies", issued(before, "P-OLD"))
    suspend(cast.huaihai, province)
    assert codes(cast.send(cast.huaihai, "policies", issued(TODAY))) == ["insurer_not_in_good_standing"]
    # another insurer, a policy issued before, and a correction of what was there
    cast.accepted(cast.bohai, "policies", issued(TODAY, "P-OTHER"))
    cast.accepted(cast.huaihai, "policies", issued(before, "P-LATE"))
    cast.accepted(cast.huaihai, "policies", issued(before, "P-OLD", insured_workers=90))
    assert Policy.objects.get(policy_no="P-OLD").insured_workers == 90


def test_lifted_it_takes_policies_again_from_that_day(cast, province):
    standing = suspend(cast.huaihai, province, days=None, kind="BLACKLISTED")
    later = NOW + timedelta(days=10)
    lift_standing(standing, by=province, at=later, reason="已整改")
    assert codes(cast.send(cast.huaihai, "policies", issued(TODAY + timedelta(days=9)), at=later))
    cast.accepted(cast.huaihai, "policies", issued(TODAY + timedelta(days=10)), at=later)
    with refusal("over_already"):
        lift_standing(standing, by=province, at=later, reason="再次")


def test_who_decides_and_with_which_days(cast, province, committee):
    with refusal("not_yours_to_decide"):
        suspend(cast.huaihai, committee)
    with refusal("not_yours_to_decide"):
        suspend(cast.agency, committee, days=None, kind="BLACKLISTED")
    suspend(cast.agency, committee)
    suspend(cast.expert, committee)
    with refusal("suspension_without_end"):
        suspend(cast.agency, province, days=None)
    with refusal("begins_in_the_past"):
        decide_standing(cast.agency, by=province, at=NOW, kind="SUSPENDED", from_on=TODAY - timedelta(days=1),
                        to_on=TODAY, reason="x")  # fmt: skip
    with refusal("wrong_party"):
        suspend(cast.jinan, province)


def test_a_day_is_judged_alike_by_the_program_and_the_database(cast):
    rows = [
        Standing(kind="BLACKLISTED", organisation=cast.agency, from_on=TODAY + timedelta(days=a),
                 to_on=None if b is None else TODAY + timedelta(days=max(a, b)),
                 lifted_on=None if c is None else TODAY + timedelta(days=c), lift_reason="" if c is None else "x",
                 reason="x", decided_by=cast.province)
        for a in (-1, 0, 1)
        for b in (None, 0, 2)
        for c in (None, 0, 1, 2)
    ]  # fmt: skip
    Standing.objects.bulk_create(rows)
    for n in range(-2, 4):
        day = TODAY + timedelta(days=n)
        assert set(Standing.objects.filter(Standing.holding(day))) == {row for row in rows if row.holds_on(day)}


def test_the_party_appeals_and_the_standing_ends(cast, province):
    standing = suspend(cast.agency, province)
    agency = person(Role.AGENCY, organisation=cast.agency)
    other = person(Role.AGENCY, "b", organisation=cast.other_agency)
    assert find_appealed("standing", standing.pk, other) is None
    decision = find_appealed("standing", standing.pk, agency)
    appeal = raise_appeal(decision, by=agency, at=NOW, kind="standing", grounds="抽查样本并非本机构服务")
    secretariat = person(Role.COMMITTEE, organisation=cast.committee)
    for first in (province, secretariat):  # who decided, and who may not judge the province
        with refusal("not_independent"):
            decide_appeal(appeal, by=first, at=NOW, is_upheld=True, reasons="属实")
    second = person(Role.PROVINCE_REGULATOR, "b", organisation=cast.province)
    decide_appeal(appeal, by=second, at=NOW, is_upheld=True, reasons="属实")
    standing.refresh_from_db()
    assert not standing.holds_on(TODAY)
    assert standing.lift_reason == "属实"


def test_a_dismissed_appeal_changes_nothing_and_is_final(cast, province):
    standing = suspend(cast.agency, province)
    agency = person(Role.AGENCY, organisation=cast.agency)
    decision = find_appealed("standing", standing.pk, agency)
    appeal = raise_appeal(decision, by=agency, at=NOW, kind="standing", grounds="不服")
    second = person(Role.PROVINCE_REGULATOR, "b", organisation=cast.province)
    decide_appeal(appeal, by=second, at=NOW, is_upheld=False, reasons="事实清楚")
    standing.refresh_from_db()
    assert standing.holds_on(TODAY)
    with refusal("appealed_already"):
        raise_appeal(decision, by=agency, at=NOW, kind="standing", grounds="再诉")
    with refusal("wrong_state"):
        decide_appeal(appeal, by=second, at=NOW, is_upheld=True, reasons="改判")


def test_joining_leaving_and_joining_again_leaves_two_rows(cast, committee):
    agency = person(Role.AGENCY, organisation=cast.agency)
    seat = ask_seat(cast.agency, by=agency, at=NOW, representative="示例代表")
    with refusal("seat_there"):
        ask_seat(cast.agency, by=agency, at=NOW, representative="示例代表")
    with refusal("not_your_party"):
        ask_seat(cast.other_agency, by=agency, at=NOW, representative="x")
    accept_seat(seat, by=committee, at=NOW, role="DIRECTOR")
    leave_seat(seat, by=agency, at=NOW + timedelta(days=40))
    assert (seat.joined_on, seat.ended_on) == (TODAY, TODAY + timedelta(days=40))
    ask_seat(cast.agency, by=agency, at=NOW + timedelta(days=50), representative="示例代表")
    assert list(Seat.objects.order_by("asked_on").values_list("state", flat=True)) == ["LEFT", "ASKED"]


def test_an_excluded_member_is_taken_in_again_by_another_of_the_secretariat(cast, committee):
    agency = person(Role.AGENCY, organisation=cast.agency)
    seat = ask_seat(cast.agency, by=agency, at=NOW, representative="示例代表")
    accept_seat(seat, by=committee, at=NOW)
    with pytest.raises(Refused):
        exclude_seat(seat, by=committee, at=NOW, reason="")
    exclude_seat(seat, by=committee, at=NOW, reason="出借资质")
    appeal = raise_appeal(
        find_appealed("seat", seat.pk, agency), by=agency, at=NOW, kind="seat", grounds="不属实"
    )  # fmt: skip
    with refusal("not_independent"):
        decide_appeal(appeal, by=committee, at=NOW, is_upheld=True, reasons="x")
    other = person(Role.COMMITTEE, "b", organisation=cast.committee)
    decide_appeal(appeal, by=other, at=NOW, is_upheld=True, reasons="查无实据")
    seat.refresh_from_db()
    assert (seat.state, seat.ended_on) == ("MEMBER", None)


def test_a_conflict_ends_by_who_declared_it_or_the_authority(cast, province):
    clerk = person(Role.INSURER_CLERK, organisation=cast.huaihai)
    other = person(Role.INSURER_CLERK, "b", organisation=cast.bohai)
    conflict = declare_conflict(cast.xinghuo, by=clerk, at=NOW, reason="OTHER", agency=cast.agency)
    with refusal("not_yours_to_end"):
        end_conflict(conflict, by=other, at=NOW, reason="x")
    end_conflict(conflict, by=clerk, at=NOW, reason="股权已转让")
    assert conflict.ended_on == TODAY
    again = declare_conflict(cast.xinghuo, by=clerk, at=NOW, reason="OTHER", agency=cast.agency)
    end_conflict(again, by=province, at=NOW, reason="经核实不存在")


_day = st.dates(date(2026, 1, 1), date(2026, 1, 9))


@given(_day, st.none() | _day, st.none() | _day, _day)
def test_a_decision_is_in_force_on_the_days_it_holds(from_on, to_on, lifted_on, day):
    held = Standing(from_on=from_on, to_on=to_on, lifted_on=lifted_on).holds_on(day)
    assert (standing_state(from_on, to_on, lifted_on, day) == "RUNNING") == held


def test_the_page_of_a_lifted_suspension_says_since_when_by_whom_and_why(cast, browser_of):
    province = person(Role.PROVINCE_REGULATOR, "a", organisation=cast.province)
    standing = suspend(cast.agency, province)
    browser, address = browser_of(Role.AGENCY), reverse("standing", args=[standing.pk])
    assert "执行中" in browser.get(address).content.decode()
    lift_standing(standing, by=province, at=NOW + timedelta(days=1), reason="整改已核实")
    page = browser.get(address).content.decode()
    assert "执行中" not in page
    assert f"{province.organisation_name}已于{TODAY + timedelta(days=1)}解除，理由：整改已核实。" in page
    assert "已提前解除" in browser.get(reverse("standings")).content.decode()


def test_the_pages_of_standing_seats_and_appeals(cast, browser_of):
    standing = suspend(cast.agency, person(Role.PROVINCE_REGULATOR, "a", organisation=cast.province))
    browser = browser_of(Role.AGENCY)
    page = browser.get(reverse("standing", args=[standing.pk])).content.decode()
    appeal_page = reverse("entry-appeal-new", args=["standing", standing.pk])
    assert appeal_page in page
    answer = browser.post(appeal_page, {"grounds": "抽查样本并非本机构服务"})
    assert answer.status_code == 302
    assert browser.get(answer["Location"]).status_code == 200
    answer = browser.post(reverse("seat-new"), {"representative": "示例代表"})
    seat = Seat.objects.get()
    assert answer["Location"] == reverse("seat", args=[seat.pk])
    secretariat = browser_of(Role.COMMITTEE)
    assert secretariat.post(reverse("seat-accept", args=[seat.pk]), {"role": "MEMBER"}).status_code == 302
    assert "示例代表" in secretariat.get(reverse("seats")).content.decode()
    regulator = browser_of(Role.PROVINCE_REGULATOR)
    form = {"party": "INS01", "kind": "SUSPENDED", "from_on": TODAY.isoformat(), "to_on": "", "reason": "x"}
    assert regulator.post(reverse("standing-new"), form).status_code == 422

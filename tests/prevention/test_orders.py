"""Placing orders: who cannot be sent and why, who answers, what others never see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from anze.kernel.actor import Actor, platform
from anze.kernel.duty import beijing_day
from anze.kernel.models import Parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import Scope
from anze.parties.models import Qualification, Standing
from anze.parties.rules import Role
from anze.prevention.actions.dispatch import agencies_for, doubts_about, sending_of
from anze.prevention.actions.orders import (
    accept_order,
    assign_experts,
    begin_order,
    cancel_order,
    declare_conflict,
    decline_order,
    draft_order,
    draft_orders,
    finish_order,
    send_order,
    send_orders,
)
from anze.prevention.models import Order, PlanItem, Service
from anze.underwriting.models import Policy
from tests.cast import NOW, YUANFAN, Cast, policy_row
from tests.exchange.examples import example
from tests.prevention.test_journey import plan

TODAY = beijing_day(NOW)
INSURER = platform(frozenset({"RUN_SERVICES", "SEE_SERVICES"}))


def asked(**scope: Any) -> Actor:
    return Actor(name="示例受托人", scope=Scope(reader="anze_all", **scope), permissions=frozenset({"ANSWER_ORDERS"}))


def draft(cast: Cast, number: str = "P1", days: int = 8, **words: Any) -> Order:
    given = {"service_type": "HAZARD", "form": "COMMISSIONED_TSP", "agency": cast.agency, **words}
    policy = Policy.objects.get(policy_no=number)
    return draft_order(policy, by=INSURER, at=NOW, planned_on=TODAY + timedelta(days=days), **given)


def refusal(act: Any, *positional: Any, **words: Any) -> str:
    with pytest.raises(Refused) as found:
        act(*positional, **words)
    return found.value.code


def test_a_suspended_agency_is_not_sent_while_it_lasts(insured: Cast):
    Standing.objects.create(
        kind="SUSPENDED", organisation=insured.agency, from_on=TODAY, to_on=TODAY + timedelta(days=8),
        reason="示例原因", decided_by=insured.province,
    )  # fmt: skip
    assert refusal(send_order, draft(insured), by=INSURER, at=NOW) == "not_in_good_standing"
    assert send_order(draft(insured, days=9), by=INSURER, at=NOW).state == "SENT"


def test_a_licence_must_be_valid_on_the_planned_day(insured: Cast):
    Qualification.objects.filter(organisation=insured.agency).update(valid_to=TODAY + timedelta(days=8))
    assert send_order(draft(insured), by=INSURER, at=NOW).state == "SENT"
    assert refusal(send_order, draft(insured, days=9), by=INSURER, at=NOW) == "not_qualified"


def test_a_declared_conflict_and_the_insurers_own_agency_are_refused(insured: Cast):
    declare_conflict(insured.xinghuo, by=INSURER, at=NOW, reason="ENGAGED", agency=insured.agency)
    assert refusal(send_order, draft(insured), by=INSURER, at=NOW) == "conflict_of_interest"
    insured.other_agency.parent = insured.huaihai
    insured.other_agency.save()
    assert (
        refusal(send_order, draft(insured, agency=insured.other_agency), by=INSURER, at=NOW) == "conflict_of_interest"
    )


def test_without_anybody_to_ask_nothing_is_sent(insured: Cast):
    assert refusal(send_order, draft(insured, agency=None), by=INSURER, at=NOW) == "no_agency"
    assert refusal(send_order, draft(insured, form="HIRED_EXPERT"), by=INSURER, at=NOW) == "no_expert"


def test_own_staff_need_no_answer(insured: Cast):
    order = send_order(draft(insured, form="OWN_STAFF"), by=INSURER, at=NOW)
    order.refresh_from_db()
    assert (order.state, order.agency_id) == ("ACCEPTED", None)


def test_the_deadline_to_answer_is_kept_and_counts_working_days(insured: Cast):
    order = send_order(draft(insured), by=INSURER, at=NOW)  # a Monday
    assert beijing_day(order.answer_due_at - timedelta(seconds=1)).isoformat() == "2026-11-26"


def test_only_who_was_asked_answers_and_only_once(insured: Cast):
    order = send_order(draft(insured), by=INSURER, at=NOW)
    other = asked(agency_id=insured.other_agency.pk)
    assert refusal(accept_order, order, by=other, at=NOW) == "not_asked"
    mine = asked(agency_id=insured.agency.pk)
    accept_order(order, by=mine, at=NOW)
    assert refusal(decline_order, order, by=mine, at=NOW, reason="太迟") == "wrong_state"


def test_an_agencys_expert_is_looked_at_again_when_assigned(insured: Cast):
    order = send_order(draft(insured), by=INSURER, at=NOW)
    mine = asked(agency_id=insured.agency.pk)
    assert refusal(assign_experts, order, by=mine, at=NOW, experts=[insured.expert]) == "not_accepted"
    accept_order(order, by=mine, at=NOW)
    lent = refusal(assign_experts, order, by=mine, at=NOW, experts=[insured.other_expert])
    assert lent == "expert_of_another_agency"
    declare_conflict(insured.xinghuo, by=INSURER, at=NOW, reason="FAMILY", expert=insured.expert)
    assert refusal(assign_experts, order, by=mine, at=NOW, experts=[insured.expert]) == "conflict_of_interest"


def test_who_declines_says_why_and_a_cancelled_order_cannot_be_accepted(insured: Cast):
    order = send_order(draft(insured), by=INSURER, at=NOW)
    cancel_order(order, by=INSURER, at=NOW, reason="企业停产")
    assert refusal(accept_order, order, by=asked(agency_id=insured.agency.pk), at=NOW) == "wrong_state"


def test_the_same_day_far_away_is_a_hint_for_the_expert(insured: Cast):
    first = draft(insured, form="HIRED_EXPERT", experts=[insured.expert])
    send_order(first, by=INSURER, at=NOW)
    insured.accepted(insured.huaihai, "policies", policy_row("P3", YUANFAN))
    type(insured.yuanfan).objects.filter(pk=insured.yuanfan.pk).update(lon="121.0", lat="36.0")
    second = draft(insured, "P3", form="HIRED_EXPERT", experts=[insured.expert])
    codes = {each.code for each in doubts_about([sending_of(second)])[second.pk]}
    assert "far_apart" in codes
    assert send_order(second, by=INSURER, at=NOW).state == "SENT", "a hint does not stop it"


def test_another_insurers_visit_is_hinted_at_without_its_name(insured: Cast):
    insured.accepted(insured.bohai, "policies", policy_row("P9", insured.xinghuo.uscc))
    send_order(draft(insured, "P9", days=10, agency=insured.other_agency), by=INSURER, at=NOW)
    mine = draft(insured)
    near = [each for each in doubts_about([sending_of(mine)])[mine.pk] if each.code == "visit_near"]
    assert len(near) == 1
    assert "渤海" not in near[0].sentence
    assert (TODAY + timedelta(days=10)).isoformat() in near[0].sentence


def test_candidates_are_told_with_what_speaks_for_and_against_them(insured: Cast):
    Standing.objects.create(
        kind="BLACKLISTED", organisation=insured.other_agency, from_on=TODAY, reason="示例", decided_by=insured.province
    )
    found = agencies_for(draft(insured))
    assert [each.name for each in found] == [insured.agency.name, insured.other_agency.name]
    assert [each.blocked for each in found] == [False, True]


def test_in_bulk_what_can_be_sent_is_sent_and_the_rest_says_why(insured: Cast):
    insured.accepted(insured.huaihai, "plans", plan("A1", "P1"))
    item = PlanItem.objects.get(plan__plan_no="A1")
    days = [TODAY + timedelta(days=n) for n in (5, 6)]
    orders = draft_orders([(item, day) for day in days], by=INSURER, at=NOW, agency=None, price=1000)
    Qualification.objects.filter(organisation=insured.agency).update(valid_to=days[0])
    sent, refused = send_orders(orders, by=INSURER, at=NOW)
    assert [order.planned_on for order in sent] == days[:1]
    assert [doubt.code for doubt in refused.values()] == ["not_qualified"]
    assert set(Order.objects.values_list("state", flat=True)) == {"SENT", "DRAFT"}


def test_a_service_on_file_ends_its_order_whatever_was_answered(insured: Cast):
    from anze.exchange.feeds import FEEDS

    order = send_order(draft(insured), by=INSURER, at=NOW)
    begin_order(order.pk)
    order.refresh_from_db()
    assert order.state == "SENT", "nobody had accepted"
    insured.accepted(
        insured.huaihai, "services",
        example(FEEDS["services"], service_no="S1", policy_no="P1", plan_no="", plan_item_seq=None),
    )  # fmt: skip
    service = Service.objects.get(service_no="S1")
    finish_order(order.pk, service=service, at=NOW)
    finish_order(order.pk, service=service, at=timezone.now())
    order.refresh_from_db()
    assert (order.state, order.service_id, order.done_at) == ("DONE", service.pk, NOW)


def test_from_the_service_one_climbs_to_its_order(insured: Cast, browser_of):
    test_a_service_on_file_ends_its_order_whatever_was_answered(insured)
    order = Order.objects.get()
    page = browser_of(Role.INSURER_CLERK).get(reverse("service", args=[order.service_id])).content.decode()
    assert reverse("order", args=[order.pk]) in page


def test_an_item_taken_out_of_a_plan_leaves_its_order_standing(insured: Cast):
    first = plan("A1", "P1")
    two = {**first, "items": [*first["items"], {**first["items"][0], "service_type": "TRAIN"}]}
    insured.accepted(insured.huaihai, "plans", two)
    order = draft(insured, plan_item=PlanItem.objects.get(seq=2))
    insured.accepted(insured.huaihai, "plans", first)
    order.refresh_from_db()
    assert order.plan_item_id is None


def test_a_plan_leads_to_the_orders_for_its_items(insured: Cast, browser_of):
    insured.accepted(insured.huaihai, "plans", plan("A1", "P1"), plan("A2", "P1"))
    mine, other = (PlanItem.objects.get(plan__plan_no=number) for number in ("A1", "A2"))
    clerk = browser_of(Role.INSURER_CLERK)
    address = f"{reverse('orders-bulk')}?plan={mine.plan_id}"
    assert address in clerk.get(reverse("plan", args=[mine.plan_id])).content.decode()
    page = clerk.get(address).content.decode()
    assert f"{reverse('order-new')}?item={mine.pk}" in page
    assert str(other.pk) not in page
    filled = clerk.get(f"{reverse('order-new')}?item={mine.pk}").content.decode()
    assert insured.xinghuo.name in filled


def test_the_week_says_how_much_each_has_and_what_is_too_much_for_a_day(insured: Cast, browser_of):
    Parameter.objects.filter(key="alert.services_per_expert_day").update(value="1")
    for _each in range(2):
        order = draft(insured, days=0)
        send_order(order, by=INSURER, at=NOW)
        accept_order(order, by=asked(agency_id=insured.agency.pk), at=NOW)
        assign_experts(order, by=asked(agency_id=insured.agency.pk), at=NOW, experts=[insured.expert])
    page = browser_of(Role.AGENCY).get(f"{reverse('week')}?from={TODAY}").content.decode()
    assert insured.expert.name in page
    assert "本周 2 次服务" in page
    assert "单日安排 2 次服务" in page

"""Plans: proposed and sent through the one way in, confirmed by the enterprise, kept through corrections."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.urls import reverse

from anze.exchange.models import Batch
from anze.kernel.actor import Actor, platform
from anze.kernel.refusal import Refused
from anze.kernel.scope import Scope
from anze.parties.rules import Role
from anze.prevention.actions.plans import (
    accept_annual_plan,
    confirm_plan,
    keep_annual_plan,
    return_annual_plan,
    submit_annual_plan,
)
from anze.prevention.actions.tasks import accept_share, draft_task, issue_task, withdraw_task
from anze.prevention.models import Order, Plan, PlanItem, TaskShare
from anze.screen.lists import LISTS, count
from tests.cast import NOW, XINGHUO, Cast, policy_row
from tests.prevention.test_journey import plan
from tests.web.conftest import Browser

COMMITTEE = platform(frozenset({"LIST_TASKS"}))
INSURER = platform(frozenset({"RUN_SERVICES"}))


def enterprise(cast: Cast) -> Actor:
    scope = Scope(reader="anze_all", enterprise_id=cast.xinghuo.pk)
    return Actor(name="示例负责人", scope=scope, permissions=frozenset({"CONFIRM_PLANS"}))


def task(cast: Cast, **words):
    given = {
        "code": "RW-1", "title": "示例任务", "topic": None, "service_type": "HAZARD", "goals": "",
        "starts_on": date(2026, 11, 1), "ends_on": date(2027, 1, 31), "regions": [], "sectors": [], "checklist_code": "",
        "measure": "EACH_ENTERPRISE", "rule": "PREMIUM", "total_times": 0, "base_from": None, "base_to": None, "fixed": {},
        **words,
    }  # fmt: skip
    return issue_task(draft_task(cast.committee, by=COMMITTEE, at=NOW, **given), by=COMMITTEE, at=NOW)


@pytest.fixture
def confirmed(insured: Cast) -> Plan:
    insured.accepted(insured.huaihai, "plans", plan("A1", "P1"))
    return confirm_plan(Plan.objects.get(), by=enterprise(insured), at=NOW)


def test_a_correction_of_other_things_keeps_the_confirmation(insured: Cast, confirmed: Plan):
    insured.accepted(insured.huaihai, "plans", plan("A1", "P1", goals="另一个目标"))
    confirmed.refresh_from_db()
    assert (confirmed.goals, confirmed.confirmed_on) == ("另一个目标", date(2026, 11, 23))


def test_other_items_need_another_confirmation_even_where_the_old_day_is_sent_along(insured: Cast, confirmed: Plan):
    changed = plan("A1", "P1")
    changed["items"] = [{**changed["items"][0], "times": 5}]
    insured.accepted(insured.huaihai, "plans", changed)
    confirmed.refresh_from_db()
    assert confirmed.confirmed_on is None
    confirm_plan(confirmed, by=enterprise(insured), at=NOW)
    changed["items"][0]["times"] = 6
    insured.accepted(insured.huaihai, "plans", {**changed, "confirmed_on": "2026-11-23"})
    confirmed.refresh_from_db()
    assert confirmed.confirmed_on is None


def test_only_the_enterprise_itself_confirms_and_only_once(insured: Cast, confirmed: Plan, browser_of):
    with pytest.raises(Refused):
        confirm_plan(confirmed, by=enterprise(insured), at=NOW)
    Plan.objects.update(confirmed_on=None)
    address = reverse("plan-confirm", args=[confirmed.pk])
    assert browser_of(Role.ENTERPRISE, other=True).post(address).status_code == 404
    assert browser_of(Role.INSURER_CLERK).post(address).status_code == 403
    assert browser_of(Role.ENTERPRISE).post(address).status_code == 302
    confirmed.refresh_from_db()
    assert confirmed.confirmed_on is not None


def test_a_plan_that_wants_its_word_stands_on_the_enterprise_s_first_page(insured: Cast, confirmed: Plan, browser_of):
    waits = f'<a class="card card-link h-100" href="{reverse("plans")}?confirmed=no">'
    browser = browser_of(Role.ENTERPRISE)
    assert waits not in browser.get(reverse("home")).content.decode()
    Plan.objects.update(confirmed_on=None)
    assert waits in browser.get(reverse("home")).content.decode()


@pytest.mark.parametrize(
    ("role", "begins"), [(Role.CITY_REGULATOR, "topic-new"), (Role.COMMITTEE, "task-new"), (Role.INSURER_MANAGER, "")]
)
def test_who_begins_something_new_finds_it_on_his_first_page(insured: Cast, browser_of, role: Role, begins: str):
    page = browser_of(role).get(reverse("home")).content.decode()
    assert [name for name in ("topic-new", "task-new") if f'href="{reverse(name)}"' in page] == [begins][: bool(begins)]


def test_an_enterprise_without_an_account_confirms_by_a_link_and_only_what_it_has_read(insured: Cast, browser_of):
    insured.accepted(insured.huaihai, "plans", plan("A1", "P1"))
    made = Plan.objects.get()
    answer = browser_of(Role.INSURER_CLERK).post(reverse("plan-link", args=[made.pk])).content.decode()
    link = re.search(r"/p/[\w=-]+/", answer)[0]
    phone = Browser()
    shown = phone.get(link).content.decode()
    seen = re.search(r'name="seen" value="(\w+)"', shown)[1]
    changed = plan("A1", "P1")
    changed["items"] = [{**changed["items"][0], "times": 5}]
    insured.accepted(insured.huaihai, "plans", changed)
    refused = phone.post(link, {"name": "示例负责人", "seen": seen})
    assert refused.status_code == 422
    assert "保险机构刚刚修改了方案" in refused.content.decode()
    seen = re.search(r'name="seen" value="(\w+)"', refused.content.decode())[1]
    assert phone.post(link, {"name": "示例负责人", "seen": seen}).status_code == 302
    made.refresh_from_db()
    assert made.confirmed_on is not None
    said = made.confirmations.get()
    assert (said.confirmed_by, said.enterprise_id) == ("示例负责人", made.enterprise_id)
    assert "示例负责人" in phone.get(link).content.decode()
    assert phone.post(link, {"name": "另一人", "seen": seen}).status_code == 422, "once is enough"
    assert browser_of(Role.ENTERPRISE).get(reverse("plan-link", args=[made.pk])).status_code == 403


def test_the_form_comes_filled_in_with_reasons_and_is_saved_like_any_other(insured: Cast, browser_of):
    issued = task(insured)
    accept_share(TaskShare.objects.get(insurer=insured.huaihai), by=INSURER, at=NOW)
    clerk = browser_of(Role.INSURER_CLERK)
    policy = LISTS["policies"].model.objects.get(policy_no="P1")
    page = clerk.get(f"{reverse('entry', args=['plans'])}?policy={policy.pk}").content.decode()
    assert "FAP1" in page
    assert issued.title in page
    assert "RW-1" in page


def test_all_that_are_missing_go_as_one_delivery_and_serve_the_tasks(insured: Cast, browser_of):
    task(insured)
    accept_share(TaskShare.objects.get(insurer=insured.huaihai), by=INSURER, at=NOW)
    insured.accepted(insured.huaihai, "policies", policy_row("P7", XINGHUO, start_on="2026-10-01", end_on="2027-09-30"))
    clerk = browser_of(Role.INSURER_CLERK)
    shown = clerk.get(reverse("plans-propose")).content.decode()
    assert "P7" in shown
    assert not Plan.objects.exists(), "looking at proposals sends nothing"
    answer = clerk.post(reverse("plans-propose"), {"key": "k1"})
    batch = Batch.objects.get(feed="plans")
    assert answer["Location"] == reverse("batch", args=[batch.pk])
    assert (batch.channel, batch.created, batch.rejected) == ("WEB", 2, 0), list(batch.findings.values())
    assert set(Plan.objects.values_list("policy__policy_no", flat=True)) == {"P1", "P7"}
    assert PlanItem.objects.filter(task__code="RW-1").count() == 2


def test_a_task_of_another_insurer_cannot_be_named(insured: Cast):
    task(insured, measure="TIMES", rule="FIXED", fixed={"INS02": 3})
    row = plan("A1", "P1")
    row["items"] = [{**row["items"][0], "task_code": "RW-1"}]
    batch = insured.send(insured.huaihai, "plans", row)
    assert list(batch.findings.values_list("field", "code")) == [("items.1.task_code", "unknown_task")]


def test_a_policy_without_a_plan_is_told_after_the_days_allowed(insured: Cast, asked_by):
    assert count(LISTS["policies-without-plan"], asked_by()) == 2
    insured.accepted(insured.huaihai, "plans", plan("A1", "P1"))
    assert count(LISTS["policies-without-plan"], asked_by()) == 1


def test_every_enterprise_once_goes_to_whoever_insured_it_last(insured: Cast):
    insured.accepted(insured.bohai, "policies", policy_row("P8", XINGHUO, start_on="2026-06-01", end_on="2027-05-31"))
    task(insured)
    assert dict(TaskShare.objects.values_list("insurer__code", "times")) == {"INS02": 2}


def test_a_withdrawn_task_is_taken_from_all_and_can_be_answered_no_more(insured: Cast):
    issued = task(insured)
    withdraw_task(issued, by=COMMITTEE, at=NOW, reason="口径调整")
    share = TaskShare.objects.first()
    assert share is not None
    assert set(TaskShare.objects.values_list("state", flat=True)) == {"WITHDRAWN"}
    with pytest.raises(Refused):
        accept_share(share, by=INSURER, at=NOW)


def test_a_plan_of_a_year_goes_to_the_committee_and_back(insured: Cast):
    words = {"year": 2027, "services": {"HAZARD": 10, "TRAIN": 0}, "enterprises": 8, "budget": 10000, "text": ""}
    kept = keep_annual_plan(insured.huaihai, by=INSURER, at=NOW, **words)
    assert (kept.services, kept.total_times) == ({"HAZARD": 10}, 10)
    submit_annual_plan(kept, by=INSURER, at=NOW)
    with pytest.raises(Refused):
        keep_annual_plan(insured.huaihai, by=INSURER, at=NOW, **words)
    return_annual_plan(kept, by=COMMITTEE, at=NOW, reason="请补充")
    again = keep_annual_plan(insured.huaihai, by=INSURER, at=NOW, **{**words, "enterprises": 9})
    assert again.pk == kept.pk
    submit_annual_plan(again, by=INSURER, at=NOW)
    assert accept_annual_plan(again, by=COMMITTEE, at=NOW).state == "ACCEPTED"


def test_a_share_is_ordered_straight_from_the_task_by_visits_planned_anyway(insured: Cast, browser_of):
    insured.accepted(insured.huaihai, "plans", plan("A1", "P1"))
    issued = task(insured)
    accept_share(TaskShare.objects.get(insurer=insured.huaihai), by=INSURER, at=NOW)
    clerk = browser_of(Role.INSURER_CLERK)
    item = PlanItem.objects.get(plan__plan_no="A1")
    PlanItem.objects.update(service_type="HAZARD", window_start_on=date(2026, 11, 1), window_end_on=date(2027, 1, 31))
    address = f"{reverse('orders-bulk')}?task={issued.pk}"
    assert str(item.pk) in clerk.get(address).content.decode()
    answer = clerk.post(address, {"item": str(item.pk), "first_on": "2026-12-01", "per_day": 4, "price": "1000"})
    assert answer.status_code == 302
    assert list(Order.objects.values_list("task__code", "plan_item")) == [("RW-1", item.pk)]
    assert str(item.pk) not in clerk.get(address).content.decode(), "one visit serves the task once"
    found = clerk.get(reverse("search"), {"q": "RW-1"})
    assert found["Location"] == reverse("task", args=[issued.pk]), "the only hit opens at once"

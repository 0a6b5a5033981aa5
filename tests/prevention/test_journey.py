"""The chain by HTTP, as the people who do it: topic, task, preview, issue, accept, order, accept, assign."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from anze.kernel.duty import beijing_day
from anze.parties.rules import Role
from anze.prevention.models import Order, OrderExpert, PlanItem, Task, TaskShare, Topic
from tests.cast import Cast
from tests.exchange.examples import example


def plan(number: str, policy: str, **words: object) -> dict[str, object]:
    from anze.exchange.feeds import FEEDS

    items = [{**example(FEEDS["plans"])["items"][0], "agency_code": "AGY01", "window_end_on": "2027-02-20"}]
    return example(FEEDS["plans"], plan_no=number, policy_no=policy, confirmed_on=None, items=items, **words)


@pytest.fixture
def today():
    return beijing_day(timezone.now())


def test_from_topic_to_the_expert_who_goes(insured: Cast, browser_of, today):
    walk_to_the_expert(insured, browser_of, today)


def walk_to_the_expert(insured: Cast, browser_of, today) -> Order:
    """From the city's topic to the expert an agency sends, each step by the page of whoever takes it."""
    city = browser_of(Role.CITY_REGULATOR)
    answer = city.post(reverse("topic-new"), {
        "title": "铝加工深井铸造", "code": "TM-1", "goals": "隐患清零", "starts_on": today, "ends_on": today + timedelta(days=90),
        "sectors": ["SMELT"],
    })  # fmt: skip
    topic = Topic.objects.get()
    assert answer.status_code == 302, answer.content.decode()
    assert topic.regions == ["370100"]

    committee = browser_of(Role.COMMITTEE)
    assert committee.get(reverse("topic", args=[topic.pk])).status_code == 404
    assert city.post(reverse("topic-issue", args=[topic.pk])).status_code == 302
    assert "铝加工深井铸造" in committee.get(reverse("topic", args=[topic.pk])).content.decode()

    answer = committee.post(f"{reverse('task-new')}?topic={topic.pk}", {
        "title": "深井铸造隐患排查", "code": "RW-1", "topic": str(topic.pk), "service_type": "HAZARD",
        "starts_on": today, "ends_on": today + timedelta(days=90), "measure": "TIMES", "rule": "PREMIUM",
        "total_times": 7, "base_from": "2026-01-01", "base_to": "2026-12-31",
    })  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    task = Task.objects.get()
    seen = committee.get(answer["Location"]).content.decode()
    assert "71.43%" in seen
    assert "50,000" not in seen, "the committee never sees a premium"
    assert not TaskShare.objects.exists()
    assert committee.post(reverse("task-issue", args=[task.pk])).status_code == 302
    shares = dict(TaskShare.objects.values_list("insurer__code", "times"))
    assert shares == {"INS01": 5, "INS02": 2}

    clerk = browser_of(Role.INSURER_CLERK)
    share = TaskShare.objects.get(insurer=insured.huaihai)
    other = TaskShare.objects.get(insurer=insured.bohai)
    assert clerk.get(reverse("task-share", args=[other.pk])).status_code == 404
    assert clerk.post(reverse("task-share-accept", args=[share.pk])).status_code == 302
    share.refresh_from_db()
    assert share.state == "ACCEPTED"

    insured.accepted(insured.huaihai, "plans", plan("A1", "P1"))
    item = PlanItem.objects.get(plan__plan_no="A1")
    address = f"{reverse('order-new')}?item={item.pk}&task={task.pk}"
    assert clerk.get(address).status_code == 200
    answer = clerk.post(address, {
        "service_type": "HAZARD", "form": "COMMISSIONED_TSP", "planned_on": today + timedelta(days=8),
        "due_on": today + timedelta(days=30), "price": "1200",
    })  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    order = Order.objects.get()
    assert (order.task_id, order.plan_item_id, order.agency_id) == (task.pk, item.pk, insured.agency.pk)

    agency = browser_of(Role.AGENCY)
    assert agency.get(reverse("order", args=[order.pk])).status_code == 404, "nobody sees a draft"
    assert insured.agency.name in clerk.get(reverse("order-choose", args=[order.pk])).content.decode()
    assert clerk.post(reverse("order-send", args=[order.pk])).status_code == 302
    page = agency.get(reverse("order", args=[order.pk]))
    assert page.status_code == 200
    assert "铝加工深井铸造" in page.content.decode(), "the agency climbs to the topic"
    assert agency.post(reverse("order-accept", args=[order.pk])).status_code == 302
    answer = agency.post(reverse("order-assign", args=[order.pk]), {"chosen": str(insured.other_expert.pk)})
    assert answer.status_code == 422, "an expert of another agency is refused"
    assert agency.post(reverse("order-assign", args=[order.pk]), {"chosen": str(insured.expert.pk)}).status_code == 302
    assert OrderExpert.objects.get().expert_id == insured.expert.pk

    for role in (Role.EXPERT, Role.ENTERPRISE):
        seen = browser_of(role).get(reverse("order", args=[order.pk])).content.decode()
        assert order.order_no in seen
        assert insured.expert.name in seen
    assert other.pk != share.pk
    matrix = committee.get(reverse("progress")).content.decode()
    assert f"task={task.pk}" in matrix
    return order

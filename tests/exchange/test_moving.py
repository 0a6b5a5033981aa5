"""A record corrected to another enterprise: what its insurer reported goes along; once people did something about it on
the platform, it stays where it is, for what they did is the enterprise's they did it at."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps

from anze.evidence.actions import arrived, receive_media
from anze.evidence.models import Media
from anze.evidence.rules import Subject
from anze.exchange.feeds import FEEDS
from anze.exchange.feeds.policies import DONE, FOLLOW_POLICY
from anze.expenses.models import Expense
from anze.kernel.actor import platform
from anze.kernel.scope import widened
from anze.parties.rules import Permission, Role
from anze.prevention.actions.confirmations import make_link
from anze.prevention.actions.plans import confirm_plan
from anze.prevention.models import Order, Plan, Service
from anze.underwriting.models import Policy
from tests.cast import NOW, YUANFAN, Cast, policy_row
from tests.evidence.conftest import jpeg
from tests.exchange.examples import example, found, send_examples
from tests.hazards.conftest import actor
from tests.prevention.conftest import make_order

FIRST, SECOND = FEEDS["policies"].example_rows()
# what the platform finds is found anew, and a hazard names its enterprise itself
OF_THEIR_OWN = {"underwriting_finding", "expenses_expensefinding", "hazards_hazard"}


def corrected(cast: Cast, feed: str, **words: Any) -> list[tuple[str, str]]:
    """What is found in the first example row of a feed, sent again with some fields changed."""
    return found(cast, FEEDS[feed], example(FEEDS[feed], 0, **words))


def test_every_table_about_a_record_goes_along_with_it_or_keeps_it_in_place():
    follows = {re.match(r"UPDATE (\w+) ", sql)[1] for sql in FOLLOW_POLICY}  # type: ignore[index]
    about = {
        (model._meta.db_table, each.column, each.related_model._meta.db_table)
        for model in apps.get_models()
        for each in model._meta.concrete_fields
        if each.is_relation and "enterprise_id" in {other.column for other in model._meta.concrete_fields}
    }
    about = {each for each in about if each[2] in DONE and each[0] not in OF_THEIR_OWN}
    left = {(table, column, record) for table, column, record in about if (table, column) not in DONE[record]}
    assert {table for table, _column, _record in left} <= follows
    assert not follows & {table for done in DONE.values() for table, _column in done}, "one way or the other"
    known = {(table, column) for table, column, _record in about} | {(Media._meta.db_table, "subject")}
    assert {each for done in DONE.values() for each in done} <= known


def test_a_policy_with_an_order_stays_with_its_enterprise_and_may_be_voided(cast: Cast):
    order = make_order(cast)
    moved = policy_row("P-VISIT", YUANFAN)
    assert found(cast, FEEDS["policies"], moved) == [("insured_uscc", "moved_with_story")]
    assert Policy.objects.get().enterprise_id == Order.objects.get().enterprise_id == cast.xinghuo.pk
    void = {**policy_row("P-VISIT", order.enterprise.uscc), "is_void": True, "void_reason": "投保企业有误"}
    assert found(cast, FEEDS["policies"], void) == []
    assert found(cast, FEEDS["policies"], policy_row("P-ANEW", YUANFAN)) == []


def test_a_service_the_enterprise_was_asked_about_stays_and_so_does_its_policy(cast: Cast):
    send_examples(cast)
    service = Service.objects.get(policy__policy_no=FIRST["policy_no"])
    Service.objects.filter(pk=service.pk).update(confirmation="NONE", confirmed_on=None)
    clerk = actor(Role.INSURER_CLERK, cast.huaihai)
    with widened(clerk.scope):
        make_link(service, by=clerk, at=NOW)
    elsewhere = {"policy_no": SECOND["policy_no"], "plan_no": None, "plan_item_seq": None}
    assert corrected(cast, "services", **elsewhere) == [("policy_no", "moved_with_story")]
    assert corrected(cast, "policies", insured_uscc=SECOND["insured_uscc"]) == [("insured_uscc", "moved_with_story")]
    assert corrected(cast, "policies", insured_workers=FIRST["insured_workers"] + 1) == []


def test_a_photo_of_a_service_keeps_it_in_place(cast: Cast):
    send_examples(cast)
    service = Service.objects.get(policy__policy_no=FIRST["policy_no"])
    add(cast, "service", service)
    assert corrected(cast, "policies", insured_uscc=SECOND["insured_uscc"]) == [("insured_uscc", "moved_with_story")]


def test_a_voucher_keeps_an_expense_in_place(cast: Cast):
    send_examples(cast)
    add(cast, "expense", Expense.objects.get(policy__policy_no=FIRST["policy_no"]))
    elsewhere = {"policy_no": SECOND["policy_no"], "service_no": None}
    assert corrected(cast, "expenses", **elsewhere) == [("policy_no", "moved_with_story")]


def test_a_plan_the_enterprise_confirmed_stays_its_own(cast: Cast):
    send_examples(cast, through="plans")
    plan = Plan.objects.get(policy__policy_no=FIRST["policy_no"])
    Plan.objects.filter(pk=plan.pk).update(confirmed_on=None)
    enterprise = actor(Role.ENTERPRISE, plan.enterprise)
    with widened(enterprise.scope):
        confirm_plan(Plan.objects.get(pk=plan.pk), by=enterprise, at=NOW)
    assert corrected(cast, "plans", policy_no=SECOND["policy_no"]) == [("policy_no", "moved_with_story")]


def add(cast: Cast, kind: str, record: Any) -> None:
    subject = Subject(kind=kind, id=record.pk, title="", may_add=True, insurer_id=cast.huaihai.pk,
                      enterprise_id=record.enterprise_id, region_code=record.region_code)  # fmt: skip
    receive_media(
        subject, by=platform(frozenset({Permission.ADD_EVIDENCE})), at=NOW, content=arrived(jpeg(41)),
    )  # fmt: skip

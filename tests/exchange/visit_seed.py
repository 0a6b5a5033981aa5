"""A whole visit that waits to be submitted, with its photos; prints its id. Run by tests/exchange/test_visit_killed.py."""

from __future__ import annotations

from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.kernel.actor import Actor  # noqa: E402
from anze.kernel.scope import EVERYTHING, Scope, inside  # noqa: E402
from anze.parties.models import Account, Expert  # noqa: E402
from anze.parties.rules import ROLES, Role  # noqa: E402
from anze.prevention.actions import open_visit, visit_of_order  # noqa: E402
from anze.prevention.models import Order  # noqa: E402
from anze.prevention.rules.visits import Opening  # noqa: E402
from tests.e2e.visits_seed import PEOPLE, seed  # noqa: E402
from tests.prevention.conftest import Phone, record_whole_visit  # noqa: E402


def visit() -> str:
    seed()
    now = timezone.now()
    expert = Expert.objects.get(number="EXP001")
    by = Actor(
        name=expert.name,
        scope=Scope(reader="anze_expert", expert_id=expert.pk),
        permissions=frozenset(each.value for each in ROLES[Role.EXPERT].permissions),
        account_id=Account.objects.get(username=PEOPLE[0]).pk,
    )
    order = Order.objects.get(order_no="PD-0")
    key = visit_of_order(order.pk)
    open_visit(Opening(id=key, order=order.pk), by=by, at=now)
    phone = Phone(key, by)
    record_whole_visit(
        phone, begun=now - timedelta(minutes=2), ended=now - timedelta(minutes=1), deadline=now + timedelta(days=9)
    )
    phone.send(at=now)
    return str(key)


if __name__ == "__main__":
    with inside(EVERYTHING):
        made = visit()
    print(made)

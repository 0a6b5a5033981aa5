"""Orders and people for visits on phones; prints nothing. Run by tests/e2e/test_visits.py on a database with the cast."""

from __future__ import annotations

from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.kernel.duty import beijing_day  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Account, Enterprise, Expert, Membership, Organisation  # noqa: E402
from anze.parties.rules import Role  # noqa: E402
from anze.prevention.models import Order, OrderExpert  # noqa: E402
from anze.prevention.rules import OrderState  # noqa: E402
from anze.underwriting.models import Policy  # noqa: E402
from tests.cast import XINGHUO, Cast, policy_row  # noqa: E402
from tests.exchange.live import PASSWORD  # noqa: E402

PEOPLE = ("expert-one", "expert-two", "expert-away")
ORDERS = 11


def seed() -> None:
    today = beijing_day(timezone.now())
    huaihai = Organisation.objects.get(code="INS01")
    agency = Organisation.objects.get(code="AGY01")
    start, end = today - timedelta(days=60), today + timedelta(days=300)
    days = {"applied_on": start - timedelta(days=4), "issued_on": start - timedelta(days=2)}
    cast = Cast.__new__(Cast)
    cast.accepted(
        huaihai, "policies", policy_row("P-PHONE", XINGHUO, start_on=start, end_on=end, **days), at=timezone.now()
    )
    cast.accepted(
        huaihai,
        "hazards",
        {
            "hazard_no": "H-PHONE", "insured_uscc": XINGHUO, "source": "SELF_CHECK", "hazard_class": "GENERAL",
            "found_on": today - timedelta(days=9), "description": "安全通道堵塞", "state": "RECTIFYING",
            "deadline_on": today + timedelta(days=9), "notified_principal": False,
        },
        at=timezone.now(),
    )  # fmt: skip
    policy = Policy.objects.get(policy_no="P-PHONE")
    scope = {
        "enterprise_id": Enterprise.objects.get(uscc=XINGHUO).pk,
        "insurer_id": huaihai.pk,
        "agency_id": agency.pk,
        "region_code": policy.region_code,
        "sector": policy.sector,
    }
    experts = [Expert.objects.get(number="EXP001")]
    experts += [
        Expert.objects.create(name=name, number=number, agency=agency, region_id="370900", sector="SMELT")
        for name, number in (("示例专家丙", "EXP003"), ("示例专家丁", "EXP004"))
    ]
    for number in range(ORDERS):
        order = Order.objects.create(
            order_no=f"PD-{number}", policy=policy, service_type="HAZARD", form="COMMISSIONED_TSP", planned_on=today,
            due_on=today + timedelta(days=7), price=1200, state=OrderState.ACCEPTED, sent_at=timezone.now(), answered_at=timezone.now(), **scope,
        )  # fmt: skip
        for expert in experts[:2]:
            OrderExpert.objects.create(order=order, expert=expert, planned_on=today, **scope)
    for username, expert in zip(PEOPLE, experts, strict=True):
        account = Account.objects.create_user(username, PASSWORD, name=expert.name)
        Membership.objects.create(account=account, role=Role.EXPERT, expert=expert)


if __name__ == "__main__":
    with inside(EVERYTHING):
        seed()

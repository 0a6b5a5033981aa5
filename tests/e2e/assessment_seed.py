"""Two insurers with a year's rows, and the people of an assessment. Run by tests/e2e/test_assessment.py on a database
with the cast."""

from __future__ import annotations

import django

django.setup()

from anze.kernel.scope import EVERYTHING, inside  # noqa: E402 - Django comes first
from anze.parties.models import Account, Enterprise, Expert, Membership, Organisation  # noqa: E402
from anze.parties.rules import Role  # noqa: E402
from tests.cast import XINGHUO, YUANFAN, Cast  # noqa: E402
from tests.exchange.live import PASSWORD  # noqa: E402
from tests.web.world import two_sides  # noqa: E402

PEOPLE = (
    ("secretary", "示例专委会秘书", Role.COMMITTEE, "COMMITTEE"),
    ("second", "示例省厅复核员", Role.PROVINCE_REGULATOR, "EMA370000"),
    ("city-reviewer", "示例市局复核员", Role.CITY_REGULATOR, "EMA370100"),
    ("manager", "示例保险经理", Role.INSURER_MANAGER, "INS01"),
)


def seed() -> None:
    codes = ("EMA370000", "EMA370100", "EMA370200", "EMA370102", "COMMITTEE", "INS01", "INS02", "AGY01", "AGY02")
    experts = (Expert.objects.get(number=number) for number in ("EXP001", "EXP002"))
    enterprises = (Enterprise.objects.get(uscc=uscc) for uscc in (XINGHUO, YUANFAN))
    two_sides(Cast(*(Organisation.objects.get(code=code) for code in codes), *experts, *enterprises))
    for username, name, role, code in PEOPLE:
        account = Account.objects.create_user(username, PASSWORD, name=name)
        Membership.objects.create(account=account, role=role, organisation=Organisation.objects.get(code=code))


if __name__ == "__main__":
    with inside(EVERYTHING):
        seed()

"""What is there before a topic is set: seven people, and for each language an insured enterprise with a plan. Prints the
names. Run by tests/e2e/test_chain.py."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.exchange.feeds import FEEDS  # noqa: E402
from anze.kernel.duty import beijing_day  # noqa: E402
from anze.kernel.identifiers import make_uscc  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Account, Enterprise, Expert, Membership, Organisation, Qualification  # noqa: E402
from anze.parties.rules import Role  # noqa: E402
from tests.cast import Cast, enterprise_row, policy_row  # noqa: E402
from tests.exchange.examples import example  # noqa: E402
from tests.exchange.live import PASSWORD  # noqa: E402

ENTERPRISES = ("第一示例铝业有限公司", "第二示例铝业有限公司")


def seed() -> list[dict[str, str]]:
    at = timezone.now()
    today = beijing_day(at)
    cast = Cast.__new__(Cast)
    organisations = {each.code: each for each in Organisation.objects.all()}
    huaihai, agency = organisations["INS01"], organisations["AGY01"]
    expert = Expert.objects.get(number="EXP001")
    valid = {"valid_from": today - timedelta(days=400), "valid_to": today + timedelta(days=400)}
    Qualification.objects.create(kind="SAFETY_EVALUATION", organisation=agency, number="APJ-CHAIN", **valid)
    Qualification.objects.create(kind="SAFETY_ENGINEER", expert=expert, number="CSE-CHAIN", **valid)
    parties: list[tuple[str, Role, dict[str, Any]]] = [
        ("city", Role.CITY_REGULATOR, {"organisation": organisations["EMA370100"]}),
        ("committee", Role.COMMITTEE, {"organisation": organisations["COMMITTEE"]}),
        ("insurer", Role.INSURER_MANAGER, {"organisation": huaihai}),
        ("agency", Role.AGENCY, {"organisation": agency}),
        ("expert", Role.EXPERT, {"expert": expert}),
    ]
    start, end = today - timedelta(days=60), today + timedelta(days=300)
    days = {"applied_on": start - timedelta(days=4), "issued_on": start - timedelta(days=2)}
    lanes = []
    for n, name in enumerate(ENTERPRISES):
        uscc, policy = make_uscc("370102", 71 + n), f"P-CHAIN{n}"
        row = enterprise_row(uscc, name, "370102", "SMELT", registered_workers=100)
        cast.accepted(organisations["EMA370000"], "enterprises", row, at=at)
        cast.accepted(huaihai, "policies", policy_row(policy, uscc, start_on=start, end_on=end, **days), at=at)
        item = {
            **example(FEEDS["plans"])["items"][0], "service_type": "HAZARD", "form": "COMMISSIONED_TSP", "times": 1,
            "agency_code": "AGY01", "window_start_on": str(today), "window_end_on": str(end - timedelta(days=1)),
        }  # fmt: skip
        plan = example(
            FEEDS["plans"], plan_no=f"F-CHAIN{n}", policy_no=policy, agreed_on=start, confirmed_on=None, items=[item]
        )
        cast.accepted(huaihai, "plans", plan, at=at)
        parties.append((f"enterprise{n}", Role.ENTERPRISE, {"enterprise": Enterprise.objects.get(uscc=uscc)}))
        lanes.append({"enterprise": name, "policy": policy, "plan": f"F-CHAIN{n}", "login": f"chain-enterprise{n}"})
    for who, role, party in parties:
        account = Account.objects.create_user(f"chain-{who}", PASSWORD, name=f"示例{role.label}")
        Membership.objects.create(account=account, role=role, **party)
    return lanes


if __name__ == "__main__":
    with inside(EVERYTHING):
        print(json.dumps(seed(), ensure_ascii=False))

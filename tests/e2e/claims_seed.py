"""A policy in force, accounts of the enterprise and of a city, a service, a link for complaints; prints its address.

Run by tests/e2e/test_claims.py.
"""

from __future__ import annotations

import json
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.kernel.duty import beijing_day  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Account, Enterprise, Membership, Organisation  # noqa: E402
from anze.parties.rules import Role  # noqa: E402
from anze.prevention.actions.complaints import link_to_complain  # noqa: E402
from anze.screen.registry import load_screens  # noqa: E402
from tests.cast import XINGHUO, Cast, policy_row  # noqa: E402
from tests.exchange.live import PASSWORD  # noqa: E402


def seed() -> dict[str, str]:
    load_screens()
    at = timezone.now()
    today = beijing_day(at)
    cast = Cast.__new__(Cast)
    huaihai = Organisation.objects.get(code="INS01")
    start, end = today - timedelta(days=60), today + timedelta(days=300)
    days = {"applied_on": start - timedelta(days=4), "issued_on": start - timedelta(days=2)}
    cast.accepted(huaihai, "policies", policy_row("P-E2E", XINGHUO, start_on=start, end_on=end, **days), at=at)
    enterprise = Enterprise.objects.get(uscc=XINGHUO)
    boss = Account.objects.create_user("boss", PASSWORD, name="示例企业负责人")
    Membership.objects.create(account=boss, role=Role.ENTERPRISE, enterprise=enterprise)
    city = Account.objects.create_user("city", PASSWORD, name="示例市局科员")
    jinan = Organisation.objects.get(code="EMA370100")
    Membership.objects.create(account=city, role=Role.CITY_REGULATOR, organisation=jinan)
    return {"complain": f"/t/{link_to_complain(enterprise, at=at)}/"}


if __name__ == "__main__":
    with inside(EVERYTHING):
        print(json.dumps(seed()))

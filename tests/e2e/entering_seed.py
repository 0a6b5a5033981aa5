"""A policy to be served, a province's officer, an insurer on file. Prints where an order is begun.

Run by tests/e2e/test_entering.py.
"""

from __future__ import annotations

import json
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.kernel.duty import beijing_day  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Account, Membership, Organisation  # noqa: E402
from anze.parties.rules import Role  # noqa: E402
from anze.underwriting.models import Policy  # noqa: E402
from tests.cast import XINGHUO, Cast, policy_row  # noqa: E402
from tests.exchange.live import PASSWORD  # noqa: E402


def seed() -> dict[str, str]:
    at = timezone.now()
    today = beijing_day(at)
    cast = Cast.__new__(Cast)
    huaihai = Organisation.objects.get(code="INS01")
    start, end = today - timedelta(days=60), today + timedelta(days=300)
    days = {"applied_on": start - timedelta(days=4), "issued_on": start - timedelta(days=2)}
    cast.accepted(huaihai, "policies", policy_row("P-ENTER", XINGHUO, start_on=start, end_on=end, **days), at=at)
    officer = Account.objects.create_user("province", PASSWORD, name="示例省厅科员")
    province = Organisation.objects.get(code="EMA370000")
    Membership.objects.create(account=officer, role=Role.PROVINCE_REGULATOR, organisation=province)
    policy = Policy.objects.get(policy_no="P-ENTER")
    return {"order": f"/prevention/orders/new/?policy={policy.pk}"}


if __name__ == "__main__":
    with inside(EVERYTHING):
        print(json.dumps(seed()))

"""A policy that is about to end, a hazard that is overdue, three insurers with people. Run by tests/e2e/test_quotes.py."""

from __future__ import annotations

from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.kernel.duty import beijing_day  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Account, Enterprise, Membership, Organisation  # noqa: E402
from anze.parties.rules import OrganisationKind, Role  # noqa: E402
from tests.cast import XINGHUO, Cast, policy_row  # noqa: E402
from tests.exchange.live import PASSWORD  # noqa: E402


def seed() -> None:
    at = timezone.now()
    today = beijing_day(at)
    huaihai, bohai = (Organisation.objects.get(code=code) for code in ("INS01", "INS02"))
    laiwu = Organisation.objects.create(
        kind=OrganisationKind.INSURER, code="INS03", name="莱芜示例财产保险", region_id="370000"
    )
    cast = Cast.__new__(Cast)
    start, end = today - timedelta(days=340), today + timedelta(days=24)
    days = {"applied_on": start - timedelta(days=4), "issued_on": start - timedelta(days=2)}
    cast.accepted(huaihai, "policies", policy_row("P-BEFORE", XINGHUO, start_on=start, end_on=end, **days), at=at)
    cast.accepted(
        huaihai,
        "hazards",
        {
            "hazard_no": "H-OVERDUE", "insured_uscc": XINGHUO, "source": "SELF_CHECK", "hazard_class": "GENERAL",
            "found_on": today - timedelta(days=30), "description": "安全通道堵塞", "state": "RECTIFYING",
            "deadline_on": today - timedelta(days=9), "notified_principal": False,
        },
        at=at,
    )  # fmt: skip
    owner = Account.objects.create_user("owner", PASSWORD, name="示例企业负责人")
    Membership.objects.create(account=owner, role=Role.ENTERPRISE, enterprise=Enterprise.objects.get(uscc=XINGHUO))
    for name, insurer in (("bohai", bohai), ("laiwu", laiwu)):
        account = Account.objects.create_user(name, PASSWORD, name=f"示例{name}")
        Membership.objects.create(account=account, role=Role.INSURER_CLERK, organisation=insurer)


if __name__ == "__main__":
    with inside(EVERYTHING):
        seed()

"""Two services of an agency and the statement on them, with people of both sides. Run by tests/e2e/test_expenses.py."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.exchange.feeds import FEEDS  # noqa: E402
from anze.expenses.actions import draw_up_statements, match_expenses  # noqa: E402
from anze.kernel.duty import beijing_day  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Account, Enterprise, Membership, Organisation  # noqa: E402
from anze.parties.rules import Role  # noqa: E402
from tests.cast import XINGHUO, Cast, policy_row  # noqa: E402
from tests.exchange.examples import example  # noqa: E402
from tests.exchange.live import PASSWORD  # noqa: E402


def seed() -> None:
    at = timezone.now()
    today = beijing_day(at)
    huaihai, agency = (Organisation.objects.get(code=code) for code in ("INS01", "AGY01"))
    cast = Cast.__new__(Cast)

    def send(feed: str, row: dict[str, Any]) -> None:
        cast.accepted(huaihai, feed, row, at=at)

    start = today - timedelta(days=90)
    days = {"applied_on": start - timedelta(days=4), "issued_on": start - timedelta(days=2)}
    send("policies", policy_row("P-JS", XINGHUO, start_on=start, end_on=start + timedelta(days=364), **days))
    received = {"receipt_no": "R-JS", "policy_no": "P-JS", "amount": "50000.00", "received_on": start}
    send("receipts", example(FEEDS["receipts"], **received))
    last_month = today.replace(day=1) - timedelta(days=10)
    for n in range(2):
        day = last_month + timedelta(days=n)
        send("services", example(
            FEEDS["services"], service_no=f"S-JS{n}", policy_no="P-JS", plan_no=None, plan_item_seq=None,
            agency_code="AGY01", confirmation="NONE", confirmed_on=None, confirmed_by=None, followed_up_on=None,
            satisfaction=None, persons=[{"kind": "AGENCY_STAFF", "name": "示例人员"}], planned_cost="1200.00",
            started_at=f"{day}T09:00:00+08:00", ended_at=f"{day}T11:00:00+08:00",
        ))  # fmt: skip
    draw_up_statements(last_month, at=at)
    parties: tuple[tuple[str, Role, dict[str, Any]], ...] = (
        ("js-insurer", Role.INSURER_MANAGER, {"organisation": huaihai}),
        ("js-agency", Role.AGENCY, {"organisation": agency}),
        ("js-enterprise", Role.ENTERPRISE, {"enterprise": Enterprise.objects.get(uscc=XINGHUO)}),
    )
    for name, role, party in parties:
        account = Account.objects.create_user(name, PASSWORD, name=f"示例{name}")
        Membership.objects.create(account=account, role=role, **party)


if __name__ == "__main__":
    with inside(EVERYTHING):
        match_expenses(at=timezone.now()) if sys.argv[1:] == ["match"] else seed()

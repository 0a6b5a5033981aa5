"""Two insurers with a policy each, its premium received, and services that were charged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anze.exchange.feeds import FEEDS
from anze.expenses.actions import Matched, match_expenses
from anze.parties.models import Organisation
from tests.cast import NOW, XINGHUO, Cast, policy_row
from tests.exchange.examples import example
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]

INVOICE = "26377000000000000001"


class Ledger:
    """Sends what the tests are about, with numbers of its own unless they are given."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.count = 0

    def send(self, insurer: Organisation, feed: str, **words: Any) -> dict[str, Any]:
        row = example(FEEDS[feed], **words)
        self.cast.accepted(insurer, feed, row)
        return row

    def policy(self, insurer: Organisation, number: str, premium: str = "50000.00", **words: Any) -> None:
        self.cast.accepted(insurer, "policies", policy_row(number, words.pop("uscc", XINGHUO), **words))
        self.send(insurer, "receipts", receipt_no=f"R{number}", policy_no=number, amount=premium,
                  received_on="2026-03-02")  # fmt: skip

    def service(self, insurer: Organisation, policy: str, number: str, **words: Any) -> None:
        words = {"plan_no": None, "plan_item_seq": None, "agency_code": "AGY01", "persons": None, "confirmed_on": None,
                 "confirmed_by": None, "confirmation": "NONE", "followed_up_on": None, "satisfaction": None, "opinion": None} | words  # fmt: skip
        if words["persons"] is None:
            words["persons"] = [{"kind": "AGENCY_STAFF", "name": "示例人员"}]
        self.send(insurer, "services", service_no=number, policy_no=policy, **words)

    def expense(self, insurer: Organisation, policy: str, number: str, service: str | None, **words: Any) -> None:
        words = {"amount": "1200.00", "tax": "67.92", "invoice_no": f"INV{number}", "agency_code": None} | words
        self.send(insurer, "expenses", expense_no=number, policy_no=policy, service_no=service, **words)

    def match(self) -> Matched:
        return match_expenses(at=NOW)


@pytest.fixture
def ledger(cast: Cast, everything: None) -> Ledger:
    made = Ledger(cast)
    made.policy(cast.huaihai, "PA")
    made.policy(cast.bohai, "PB")
    return made


@pytest.fixture
def found(ledger: Ledger) -> Callable[[], set[tuple[str, str]]]:
    """Kind and number of what stands open after a match."""

    def match() -> set[tuple[str, str]]:
        from anze.expenses.models import ExpenseFinding

        ledger.match()
        rows = ExpenseFinding.objects.exclude(state="GONE").select_related("expense", "policy")
        return {(each.kind, each.expense.expense_no if each.expense else each.policy.policy_no) for each in rows}

    return match

"""The page of a year's prevention money: what was agreed, by each policy's own day, and what the plans name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from anze.kernel.models import Parameter
from anze.kernel.parameters import begin_value
from anze.parties.rules import Role
from anze.prevention.models import AnnualPlan
from tests.cast import NOW
from tests.expenses.conftest import Ledger


@pytest.mark.parametrize("state", ["ACCEPTED", "SUBMITTED"])
def test_the_usual_ratio_is_that_of_the_first_day_of_cover_and_an_accepted_plan_is_told(
    ledger: Ledger, browser_of: Any, state: str
) -> None:
    insurer = ledger.cast.huaihai
    ledger.policy(insurer, "PC", premium="70000.00", agreed_expense_ratio=None)
    usual = Parameter.objects.get(key="default_agreed_expense_ratio")
    begin_value(usual, value="0.05", effective_from=date(2026, 6, 1), source="", status="DESIGN")
    AnnualPlan.objects.create(
        insurer=insurer, year=2026, total_times=1, enterprises=1, budget="43210.00", state=state, due_at=NOW,
        submitted_at=NOW,
    )  # fmt: skip
    browser = browser_of(Role.PROVINCE_REGULATOR)
    page = browser.get(reverse("expense-budget"), {"year": 2026}).content.decode()
    # 50,000.00 by the 18 % agreed and 70,000.00 by the 15 % usual when cover began
    assert "19,500.00" in page
    assert ("43,210.00" in page) == (state == "ACCEPTED")
    # nobody's plan is read by those who read no plans; the page opens for them as well
    assert "43,210.00" not in browser_of(Role.ENTERPRISE).get(reverse("expense-budget")).content.decode()
    # before a cap was published there is none
    assert browser.get(reverse("expense-budget"), {"year": 2023}).status_code == 200

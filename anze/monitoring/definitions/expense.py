"""Prevention expense: what was promised, what was really paid and can be shown, and the cap."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.expenses.models import Expense
from anze.monitoring.contributions import in_force, parameters_of
from anze.monitoring.definitions.payout import FAULTS, MONTHS_OF_COVER, received_part, share_of_month
from anze.monitoring.models import ExpenseCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Part, Source, Unit, Words
from anze.prevention.models import Service
from anze.underwriting.models import Policy, PremiumReceipt

# Promised: premium received × agreed ratio (the platform's default where the contract gives none). A month's
# share falls due on its first day of cover.
_BUDGET = f"""
default_ratios AS MATERIALIZED ({parameters_of("default_agreed_expense_ratio")}
), budgets AS (
    SELECT m.*, m.received * coalesce(m.agreed_expense_ratio, m.default_ratio, 0) AS budget
    FROM (SELECT *, CASE WHEN agreed_expense_ratio IS NULL
                         THEN {in_force("default_ratios", "start_on", "region_code")} END AS default_ratio
          FROM cover) m
), monthly AS (
    SELECT b.policy_no, b.enterprise_id, b.region_code, b.sector, b.insurer_id, b.budget,
           m.id, m.month_on, m.from_on, m.days_after, m.days_before, m.days
    FROM months m JOIN budgets b ON b.id = m.id
), vetted AS (
    -- counted only: paid, for a service on file or an approved shared cost, with its voucher (据实列支). A
    -- reversal is not vetted by itself: it shares the fate of what it takes back.
    SELECT e.*, CASE WHEN e.is_void THEN 'VOID' WHEN p.is_void THEN 'POLICY_VOID'
                     WHEN e.reversal_of <> '' THEN NULL WHEN e.paid_on IS NULL THEN 'NOT_PAID'
                     WHEN s.id IS NULL AND e.allocation <> 'BY_PREMIUM' THEN 'NOT_TIED'
                     WHEN s.id IS NULL AND e.approver = '' THEN 'NOT_APPROVED'
                     WHEN e.voucher_file = '' THEN 'NO_VOUCHER' END AS own_fault
    FROM expenses e JOIN policies p ON p.id = e.policy_id
    LEFT JOIN services s ON s.id = e.service_id AND s.policy_id = e.policy_id AND NOT s.is_void
), judged AS (
    SELECT v.*, coalesce(v.own_fault, CASE WHEN o.own_fault IS NOT NULL THEN 'REVERSAL' END) AS fault
    FROM vetted v LEFT JOIN vetted o ON v.reversal_of <> '' AND o.expense_no = v.reversal_of
         AND o.insurer_id = v.insurer_id AND o.policy_id = v.policy_id
), ended AS (
    SELECT b.*, coalesce(j.paid, 0) AS paid FROM budgets b
    LEFT JOIN (SELECT policy_id, sum(amount) AS paid FROM judged WHERE fault IS NULL GROUP BY policy_id) j
         ON j.policy_id = b.id
)
"""

EXPENSE = Fact(
    "expense",
    ExpenseCell,
    (
        Source("policies", Policy, "id"),
        Source("receipts", PremiumReceipt, "policy_id"),
        Source("expenses", Expense, "policy_id"),
        Source("services", Service, "policy_id"),
    ),
    (
        Part(
            source="policies",
            rows="monthly",
            label="policy_no",
            on="from_on",
            gives={"committed": share_of_month("budget")},
        ),
        Part(
            source="expenses",
            rows="judged",
            label="expense_no",
            on="coalesce(paid_on, incurred_on)",
            gives={"paid": "CASE WHEN fault IS NULL THEN amount ELSE 0 END"},
            left_out="fault",
            codes=(*FAULTS, "NOT_PAID", "NOT_TIED", "NOT_APPROVED", "NO_VOUCHER", "REVERSAL"),
        ),
        # once over; in the month of the last day, so that a year's policies stay in their year
        Part(
            source="policies",
            rows="ended",
            label="policy_no",
            on="cover_end_on + 1",
            month_of="cover_end_on",
            gives={"ended_committed": "round(budget, 2)", "ended_paid": "paid"},
        ),
        Part(
            source="policies",
            rows="policies WHERE is_void",
            label="policy_no",
            on="start_on",
            gives={"committed": "0", "ended_committed": "0"},
            left_out="'VOID'",
        ),
        received_part("premium"),
    ),
    f"{MONTHS_OF_COVER.rstrip()}, {_BUDGET.lstrip()}",
)
EXPENSE_FACTS = (EXPENSE,)

_CAP = "应急厅函〔2024〕322号"


def _ratio(code: str, title: Words, about: Words, numerator: str, denominator: str, direction: Direction) -> Indicator:
    unit = Unit.RATIO
    return Indicator(
        code, title, about, Family.EXPENSE, EXPENSE, numerator, denominator, unit, direction, _CAP, money=True
    )


EXPENSE_INDICATORS = (
    _ratio(
        "expense_payment_rate",
        _("Expense payment rate"),
        _(
            "Prevention expense paid with voucher, of the share promised for the months so far "
            "(the month under way included)."
        ),
        "paid",
        "committed",
        Direction.UP,
    ),
    _ratio(
        "expense_payment_year_end",
        _("Expense payment rate (ended policies)"),
        _("All prevention expense paid under policies that ended in the period, of all that was promised for them."),
        "ended_paid",
        "ended_committed",
        Direction.UP,
    ),
    _ratio(
        "expense_ratio",
        _("Expense ratio"),
        _("Prevention expense paid with voucher, of the premium received; the cap is 21 percent."),
        "paid",
        "premium",
        Direction.NONE,
    ),
)

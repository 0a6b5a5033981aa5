"""Prevention expense: what was promised, what was really paid and can be shown, and the cap."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.expenses.models import Expense
from anze.monitoring.definitions.payout import MONTHS_OF_COVER
from anze.monitoring.models import ExpenseCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Source, Unit
from anze.underwriting.models import Policy, PremiumReceipt

# Promised: premium received × agreed ratio (the platform's default where the contract gives none). A month's
# share falls due on its first day of cover.
_BUDGET = """
default_ratio AS MATERIALIZED (
    SELECT effective_from, coalesce(effective_to, 'infinity') AS effective_to, value::numeric AS ratio
    FROM kernel_parameter WHERE key = 'default_agreed_expense_ratio' AND region_code = '' AND value <> ''
), budgets AS (
    SELECT m.*, m.received * coalesce(m.agreed_expense_ratio, d.ratio, 0) AS budget
    FROM months m LEFT JOIN default_ratio d ON m.start_on BETWEEN d.effective_from AND d.effective_to
), judged AS (
    SELECT e.*, CASE WHEN e.is_void THEN 'VOID' WHEN e.paid_on IS NULL THEN 'NOT_PAID'
                     WHEN e.service_id IS NULL AND e.allocation <> 'BY_PREMIUM' THEN 'NOT_TIED'
                     WHEN e.voucher_file = '' THEN 'NO_VOUCHER' END AS fault
    FROM expenses e
), ended AS (
    SELECT c.id, c.policy_no, c.enterprise_id, c.region_code, c.sector, c.insurer_id, c.cover_end_on,
           round(c.received * coalesce(c.agreed_expense_ratio, d.ratio, 0), 2) AS budget, coalesce(p.paid, 0) AS paid
    FROM cover c LEFT JOIN default_ratio d ON c.start_on BETWEEN d.effective_from AND d.effective_to
    LEFT JOIN (SELECT policy_id, sum(amount) AS paid FROM judged WHERE fault IS NULL GROUP BY policy_id) p
         ON p.policy_id = c.id
)
"""

_EXPENSE = """
SELECT 'policies' AS source, id AS row_id, policy_no AS label, enterprise_id, month,
       greatest(month, start_on) AS counts_on, region_code, sector, insurer_id, NULL AS reason,
       round(budget * days_after / days, 2) - round(budget * days_before / days, 2) AS committed,
       0::numeric AS paid, 0::numeric AS ended_committed, 0::numeric AS ended_paid, 0::numeric AS premium
FROM budgets
UNION ALL
SELECT 'expenses', id, expense_no, enterprise_id, date_trunc('month', coalesce(paid_on, incurred_on))::date,
       coalesce(paid_on, incurred_on), region_code, sector, insurer_id, fault, 0,
       CASE WHEN fault IS NULL THEN amount ELSE 0 END, 0, 0, 0
FROM judged
UNION ALL
SELECT 'policies', id, policy_no, enterprise_id, date_trunc('month', cover_end_on + 1)::date, cover_end_on + 1,
       region_code, sector, insurer_id, NULL, 0, 0, budget, paid, 0
FROM ended
UNION ALL
SELECT 'receipts', id, receipt_no, enterprise_id, date_trunc('month', received_on)::date, received_on,
       region_code, sector, insurer_id, CASE WHEN is_void THEN 'VOID' END, 0, 0, 0, 0,
       CASE WHEN is_void THEN 0 ELSE amount END
FROM receipts
"""

EXPENSE = Fact(
    "expense",
    ExpenseCell,
    (
        Source("policies", Policy, "id"),
        Source("receipts", PremiumReceipt, "policy_id"),
        Source("expenses", Expense, "policy_id"),
    ),
    _EXPENSE,
    f"{MONTHS_OF_COVER.rstrip()}, {_BUDGET.lstrip()}",
)
EXPENSE_FACTS = (EXPENSE,)

_CAP = "应急厅函〔2024〕322号"

EXPENSE_INDICATORS = (
    Indicator(
        "expense_payment_rate",
        _("Expense payment rate"),
        _("Prevention expense paid with voucher, of the share promised for the months so far."),
        Family.EXPENSE,
        EXPENSE,
        "paid",
        "committed",
        Unit.RATIO,
        Direction.UP,
        _CAP,
        money=True,
    ),
    Indicator(
        "expense_payment_year_end",
        _("Expense payment rate (ended policies)"),
        _("All prevention expense paid under policies that ended in the period, of all that was promised for them."),
        Family.EXPENSE,
        EXPENSE,
        "ended_paid",
        "ended_committed",
        Unit.RATIO,
        Direction.UP,
        _CAP,
        money=True,
    ),
    Indicator(
        "expense_ratio",
        _("Expense ratio"),
        _("Prevention expense paid with voucher, of the premium received; the cap is 21 percent."),
        Family.EXPENSE,
        EXPENSE,
        "paid",
        "premium",
        Unit.RATIO,
        Direction.NONE,
        _CAP,
        money=True,
    ),
)

"""Alerts of prevention expenses: too much, too little, without a voucher, not settled."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.expenses.rules.findings import FindingKind
from anze.kernel.alert import AlertLevel, AlertRule, Party, declare

# of every policy what was received and what was paid, with the day of the last movement
_RECEIVED = "(SELECT policy_id, sum(amount) AS received FROM underwriting_premiumreceipt WHERE NOT is_void GROUP BY policy_id) r"
_PAID = (
    "(SELECT policy_id, sum(amount) AS paid, max(paid_on) AS last_on FROM expenses_expense "
    "WHERE NOT is_void AND paid_on IS NOT NULL GROUP BY policy_id) x"
)
_SOURCES = {
    "expenses_expense": "policy_id",
    "underwriting_premiumreceipt": "policy_id",
    "underwriting_policy": "id",
}

OVER_CAP = declare(
    AlertRule(
        code="EXPENSE_OVER_CAP",
        title=_("Prevention expense above the cap"),
        level=AlertLevel.URGENT,
        parties=(Party.INSURER, Party.AUTHORITY, Party.FINANCIAL),
        why=_(
            "Policy %(number)s: %(paid)s yuan of prevention expense on %(received)s yuan of premium received "
            "is %(percent)s %%, more than the cap of %(cap)s %%."
        ),
        remedy=_("Open the policy and its expenses"),
        page="policy",
        rows=f"{_PAID} JOIN {_RECEIVED} ON r.policy_id = x.policy_id JOIN underwriting_policy p ON p.id = x.policy_id "
        "WHERE NOT p.is_void AND r.received > 0 AND x.paid > r.received * ({cap})",
        subject="x.policy_id",
        begins="x.last_on",
        open_if="p.cover_end_on >= {today} - 730",
        ends="p.cover_end_on + 731",
        label="p.policy_no",
        of="p",
        facts={
            "number": "p.policy_no",
            "paid": "x.paid",
            "received": "r.received",
            "percent": "round(100 * x.paid / r.received, 2)",
            "cap": "round(100 * ({cap}), 2)",
        },
        thresholds={"cap": "expense_cap_ratio"},
        shown_as=("expense-findings-open", "expense-findings-to-explain"),
        sources=_SOURCES,
        basis="应急厅函〔2024〕322号",
    )
)

LOW = declare(
    AlertRule(
        code="EXPENSE_LOW",
        title=_("Little prevention expense on a policy about to end"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER,),
        why=_(
            "Policy %(number)s ends on %(ends)s: %(paid)s yuan of the %(promised)s yuan agreed for prevention are paid "
            "(%(percent)s %%)."
        ),
        remedy=_("Open the policy and plan its services"),
        page="policy",
        rows=f"underwriting_policy p JOIN {_RECEIVED} ON r.policy_id = p.id LEFT JOIN {_PAID} ON x.policy_id = p.id "
        "WHERE NOT p.is_void AND p.agreed_expense_ratio > 0 AND r.received > 0 "
        "AND coalesce(x.paid, 0) < r.received * p.agreed_expense_ratio * ({low})",
        subject="p.id",
        begins="p.cover_end_on - ({days})::int",
        ends="p.cover_end_on + ({kept})::int",
        due="p.cover_end_on",
        open_if="p.cover_end_on BETWEEN {today} - 730 AND {today} + 400",
        label="p.policy_no",
        of="p",
        facts={
            "number": "p.policy_no",
            "ends": "p.cover_end_on",
            "paid": "coalesce(x.paid, 0)",
            "promised": "round(r.received * p.agreed_expense_ratio, 2)",
            "percent": "round(100 * coalesce(x.paid, 0) / (r.received * p.agreed_expense_ratio), 1)",
        },
        thresholds={
            "low": "alert.expense_low_ratio",
            "days": "alert.expense_low_days",
            "kept": "alert.policy_expired_days",
        },
        sources=_SOURCES,
    )
)

NO_VOUCHER = declare(
    AlertRule(
        code="EXPENSE_NO_VOUCHER",
        title=_("Paid prevention expense without a voucher"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER,),
        why=_("Expense %(number)s (%(amount)s yuan) was paid on %(paid)s, and no voucher is on file."),
        remedy=_("Open the expense and add the voucher"),
        page="expense",
        rows="expenses_expense x WHERE NOT x.is_void AND x.voucher_file = '' AND x.amount > 0 AND x.paid_on IS NOT NULL",
        subject="x.id",
        begins="x.paid_on + ({days})::int + 1",
        ends="x.paid_on + ({days})::int + 1 + ({kept})::int",
        due="x.paid_on + ({days})::int",
        open_if="x.paid_on BETWEEN {today} - 1100 AND {today}",
        label="x.expense_no",
        of="x",
        scope={"agency_id": "x.agency_id"},
        facts={"number": "x.expense_no", "amount": "x.amount", "paid": "x.paid_on"},
        thresholds={"days": "alert.expense_voucher_days", "kept": "alert.hint_kept_days"},
        shown_as=("expense-findings-open", "expense-findings-to-explain"),
        sources={"expenses_expense": "id"},
        basis="据实列支",
    )
)

SETTLEMENT_LATE = declare(
    AlertRule(
        code="SETTLEMENT_LATE",
        title=_("Agency waiting to be paid"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER,),
        why=_("Expense %(number)s (%(amount)s yuan) was incurred on %(incurred)s and is not paid."),
        remedy=_("Open the expense and settle it"),
        page="expense",
        rows="expenses_expense x WHERE NOT x.is_void AND x.amount > 0 AND x.agency_id IS NOT NULL",
        subject="x.id",
        begins="x.incurred_on + ({days})::int + 1",
        ends="x.paid_on",
        due="x.incurred_on + ({days})::int",
        open_if="x.paid_on IS NULL",
        label="x.expense_no",
        of="x",
        scope={"agency_id": "x.agency_id"},
        facts={"number": "x.expense_no", "amount": "x.amount", "incurred": "x.incurred_on"},
        thresholds={"days": "alert.settlement_days"},
        sources={"expenses_expense": "id"},
    )
)

# two of one thing, or what is no prevention at all: what the match of service, invoice and payment has found
DOUBT = declare(
    AlertRule(
        code="EXPENSE_DOUBT",
        title=_("Payment in doubt"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.INSURER, Party.AUTHORITY, Party.FINANCIAL),
        why=_("%(kind)s: %(amount)s yuan (%(number)s). There may be a good reason: the insurer explains it."),
        remedy=_("Open the finding: explain it, or decide"),
        page="expense-finding",
        rows="expenses_expensefinding f JOIN underwriting_policy p ON p.id = f.policy_id "
        "LEFT JOIN expenses_expense x ON x.id = f.expense_id WHERE f.kind IN ('INVOICE_TWICE', 'VISIT_TWICE', "
        "'FORBIDDEN_USE', 'BEFORE_PREMIUM', 'SERVICE_TAKEN_BACK')",
        subject="f.id",
        begins="(f.found_at AT TIME ZONE 'Asia/Shanghai')::date",
        ends="(least(f.decided_at, f.gone_at) AT TIME ZONE 'Asia/Shanghai')::date",
        open_if="f.state IN ('OPEN', 'ANSWERED')",
        label="coalesce(x.expense_no, p.policy_no)",
        of="f",
        facts={"kind": "f.kind", "amount": "f.amount", "number": "coalesce(x.expense_no, p.policy_no)"},
        kinds={"kind": FindingKind},
        basis="应急厅函〔2024〕322号",
        shown_as=("expense-findings-open", "expense-findings-to-explain"),
    )
)

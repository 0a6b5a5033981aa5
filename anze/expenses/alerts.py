"""Alerts of prevention expenses: too much, too little, without a voucher, not settled."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

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

"""Alerts of prevention expenses: too much, too little, without a voucher, not settled."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.expenses.models.matching import JUDGED, JUDGED_ON, NO_VOUCHER_IF, OVER_CAP_IF, PAPERS, SPENT, money
from anze.expenses.rules import SETTLEMENT, FindingKind
from anze.kernel.alert import AlertLevel, AlertRule, declare, duty_alert
from anze.kernel.duty import Party

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
        rows=f"({money('(' + SPENT + ')')}) m JOIN underwriting_policy p ON p.id = m.policy_id {JUDGED} "
        f"AND f.kind = '{FindingKind.OVER_CAP}' AND f.subject_id = m.policy_id WHERE {OVER_CAP_IF}",
        subject="m.policy_id",
        begins="m.last_on",
        open_if="p.cover_end_on >= {today} - 730",
        ends=f"least(p.cover_end_on + 731, {JUDGED_ON})",
        label="p.policy_no",
        of="p",
        facts={
            "number": "p.policy_no",
            "paid": "m.spent",
            "received": "m.received",
            "percent": "round(100 * m.spent / m.received, 2)",
            "cap": "round(100 * m.cap, 2)",
        },
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
        rows=f"({SPENT}) s {JUDGED} AND f.kind = '{FindingKind.NO_VOUCHER}' AND f.subject_id = s.id "
        f"WHERE {NO_VOUCHER_IF}",
        subject="s.id",
        begins="s.paid_on + ({days})::int",
        ends=f"least(s.paid_on + ({{days}})::int + ({{kept}})::int, {JUDGED_ON})",
        due="s.paid_on + ({days})::int - 1",
        open_if="s.paid_on BETWEEN {today} - 1100 AND {today}",
        label="s.expense_no",
        of="s",
        scope={"agency_id": "s.agency_id"},
        facts={"number": "s.expense_no", "amount": "s.amount", "paid": "s.paid_on"},
        thresholds={"days": PAPERS, "kept": "alert.hint_kept_days"},
        shown_as=("expense-findings-open", "expense-findings-to-explain"),
        sources={"expenses_expense": "id"},
        basis="据实列支",
    )
)

SETTLEMENT_LATE = duty_alert(
    SETTLEMENT,
    code="SETTLEMENT_LATE",
    title=_("Agency waiting to be paid"),
    level=AlertLevel.GENERAL,
    table="expenses_statement",
    due_at="due_at",
    waits="true",
    done="(x.settled_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'CONFIRMED'",
    parties=(Party.INSURER,),
    why=_("Settlement of %(month)s with %(number)s: %(amount)s yuan, to be paid by %(due)s."),
    remedy=_("Open the settlement and pay it"),
    page="statement",
    label="(SELECT o.name FROM parties_organisation o WHERE o.id = x.agency_id)",
    of="",
    scope={"region_code": "x.region_code", "insurer_id": "x.insurer_id", "agency_id": "x.agency_id"},
    facts={"month": "to_char(x.month, 'YYYY-MM')", "amount": "x.agreed"},
    shown_as=("statements-to-pay",),
)

# two of one thing, more than was agreed, or what is no prevention at all: what the match of service, invoice and payment has found
_NUMBER = "coalesce(v.service_no, x.expense_no, p.policy_no)"
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
        "LEFT JOIN expenses_expense x ON x.id = f.expense_id LEFT JOIN prevention_service v ON v.id = f.service_id "
        "WHERE f.kind IN ('INVOICE_TWICE', 'VISIT_TWICE', 'FORBIDDEN_USE', 'BEFORE_PREMIUM', 'SERVICE_TAKEN_BACK', "
        "'ABOVE_AGREED')",
        subject="f.id",
        begins="(f.found_at AT TIME ZONE 'Asia/Shanghai')::date",
        ends="(least(f.decided_at, f.gone_at) AT TIME ZONE 'Asia/Shanghai')::date",
        open_if="f.state IN ('OPEN', 'ANSWERED')",
        label=_NUMBER,
        of="f",
        facts={"kind": "f.kind", "amount": "f.amount", "number": _NUMBER},
        kinds={"kind": FindingKind},
        basis="应急厅函〔2024〕322号",
        shown_as=("expense-findings-open", "expense-findings-to-explain"),
    )
)

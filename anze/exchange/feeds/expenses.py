"""Prevention expenses actually spent, each tied to what it was spent for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.exchange.feed import SENDER, Check, Feed, Field, Kind, Reference, Sender
from anze.exchange.feeds.policies import OWN_POLICY, POLICY_NO_OF_RECORD, money, moved_with_story
from anze.exchange.feeds.prevention import AGENCY, agency_code
from anze.expenses.models import Expense
from anze.expenses.rules import Allocation, ExpenseCategory
from anze.prevention.models import Service

EXPENSES = Feed(
    name="expenses",
    title=_("Prevention expenses"),
    about=_("Money spent on prevention as it was incurred, with invoice and voucher (据实列支)."),
    sender=Sender.INSURER,
    model=Expense,
    key=("expense_no",),
    event="incurred_on",
    module="expenses",
    own_fields=(
        Field(
            "expense_no",
            Kind.TEXT,
            _("expense no."),
            ("FY2026370100000061", "FY2026370200000062"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        POLICY_NO_OF_RECORD,
        Field(
            "service_no",
            Kind.TEXT,
            _("service no."),
            ("FW2026370100000901", ""),
            _("The service it was spent for; empty for costs shared by many policies."),
            required=False,
            column="",
            max_length=50,
        ),
        agency_code(("AGY01", "")),
        Field("category", Kind.CODE, _("category"), ("TSP_FEE", "PUBLICITY"), codes=ExpenseCategory),
        Field(
            "allocation",
            Kind.CODE,
            _("allocation"),
            ("DIRECT", "BY_PREMIUM"),
            _("A cost shared by premium is sent as one row for each policy, with its share."),
            codes=Allocation,
        ),
        Field("payee_name", Kind.TEXT, _("payee"), ("示例安全技术服务公司", "示例印务公司"), max_length=120),
        Field("payee_uscc", Kind.USCC, _("payee's credit code"), ("", ""), required=False, max_length=18),
        money(
            "amount",
            _("amount"),
            ("1200.00", "86.50"),
            note=_("Yuan, tax included; a reversal is a row of its own with a negative amount."),
            minimum=None,
            digits=12,
        ),
        money("tax", _("of which tax"), ("67.92", "9.95"), minimum=None, digits=12),
        Field(
            "invoice_no",
            Kind.TEXT,
            _("invoice no."),
            ("26372000000012345678", ""),
            required=False,
            max_length=40,
        ),
        Field(
            "incurred_on",
            Kind.DATE,
            _("incurred on"),
            ("2026-05-12", "2026-06-30"),
            _("The day the cost arose, not the day of payment; the reporting clock starts on it."),
        ),
        Field("paid_on", Kind.DATE, _("paid on"), ("2026-05-28", None), required=False),
        Field(
            "voucher_file",
            Kind.TEXT,
            _("voucher"),
            ("FY2026370100000061.pdf", ""),
            _("Name or address of the voucher in your archive."),
            required=False,
        ),
        Field("approver", Kind.TEXT, _("approved by"), ("示例经理", ""), required=False, max_length=60),
        Field(
            "reversal_of",
            Kind.TEXT,
            _("reverses expense no."),
            ("", ""),
            _("Only for a reversal: the number of the expense it takes back."),
            required=False,
            max_length=50,
        ),
    ),
    references=(
        OWN_POLICY,
        Reference(
            "service_no",
            Service,
            {"insurer_id": SENDER, "service_no": "service_no"},
            {"service_id": "id"},
            "unknown_service",
            helps={"service_policy_id": "policy_id"},
        ),
        AGENCY,
    ),
    checks=(
        moved_with_story("expenses_expense", "policy_no"),
        Check(
            "service_of_another_policy",
            "service_no",
            "r.allocation = 'DIRECT' AND r.service_policy_id <> r.policy_id",
            _("The service belongs to another policy."),
            _("Correct the number of the service or of the policy, or share the cost by premium."),
        ),
        Check(
            "amount_zero",
            "amount",
            "r.amount = 0",
            _("The amount is 0."),
            _("Give the amount in yuan; to take a record back, send it as void."),
        ),
        Check(
            "tax_over_amount",
            "tax",
            "abs(r.tax) > abs(r.amount) OR r.tax * r.amount < 0",
            _("The tax is more than the amount, or has the other sign."),
            _("The amount includes the tax; check both."),
        ),
        Check(
            "negative_without_reversal",
            "reversal_of",
            "r.amount < 0 AND r.reversal_of = ''",
            _("A negative amount does not say what it reverses."),
            _("Give the number of the expense that is taken back."),
        ),
        Check(
            "reversal_not_negative",
            "amount",
            "r.amount > 0 AND r.reversal_of <> ''",
            _("A reversal has a positive amount."),
            _("Give the reversed amount as negative, or leave the reversed number empty."),
        ),
        Check(
            "reversal_of_unknown",
            "reversal_of",
            "r.reversal_of <> '' AND (r.reversal_of = r.expense_no OR NOT EXISTS "
            "(SELECT 1 FROM expenses_expense x "
            "WHERE x.insurer_id = {sender} AND x.expense_no = r.reversal_of) "
            "AND NOT EXISTS "
            "(SELECT 1 FROM resolved x WHERE x.expense_no = r.reversal_of))",
            _("The reversed expense is not on file."),
            _("Send the original first, or correct its number."),
        ),
        Check(
            "paid_before_incurred",
            "paid_on",
            "r.paid_on < r.incurred_on",
            _("The expense was paid before it was incurred."),
            _("Correct one of the two days; an advance payment is reported when the service is done."),
        ),
        Check(
            "paid_in_future",
            "paid_on",
            "r.paid_on > {today}",
            _("The day of payment lies in the future."),
            _("Leave the day empty until the money is paid."),
        ),
    ),
)

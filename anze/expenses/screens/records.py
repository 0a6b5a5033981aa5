"""The ledger of prevention expenses."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.expenses.models import Expense
from anze.expenses.rules import ExpenseCategory
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, ORIGIN, USCC, agency_filter, insurer_filter
from anze.prevention.actions.archive import ArchivePart, Held, Lack, archive_part
from anze.screen.columns import Column, labels, money_text
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Numbers, Search
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.stories import Story, story
from anze.underwriting.models import Policy
from anze.underwriting.screens import ORIGIN_SECTION

POLICY = Column("policy__policy_no", opens="policy")

EXPENSES = list_screen(
    ListScreen(
        name="expenses",
        path="expenses/",
        title=_("Prevention expenses"),
        about=_("Money actually spent on prevention, tax included, each payment tied to what it was spent for. A reversal is a row of its own."),
        model=Expense,
        permission=Permission.SEE_EXPENSES,
        detail="expense",
        sort="-incurred_on",
        columns=(
            Column("expense_no"),
            ENTERPRISE,
            INSURER,
            Column("category"),
            Column("payee_name"),
            Column("amount"),
            Column("incurred_on"),
            Column("paid_on"),
            Column("invoice_no"),
            POLICY,
            Column("service__service_no", opens="service", optional=True),
            AGENCY,
            Column("allocation", optional=True),
            Column("tax", optional=True),
            Column("approver", optional=True),
            Column("reversal_of", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
            USCC,
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("expense_no", "invoice_no"), relation="enterprise", related=("name", "uscc"),
                title=_("Expense no., invoice no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("category", main=True),
            Cases(
                "paid",
                _("Paid"),
                cases={
                    "no": Case(_("not paid yet"), lambda a: Q(paid_on__isnull=True)),
                    "yes": Case(_("paid"), lambda a: Q(paid_on__isnull=False)),
                },
            ),
            Cases(
                "invoice",
                _("Invoice"),
                cases={
                    "no": Case(_("without invoice"), lambda a: Q(invoice_no="")),
                    "yes": Case(_("with invoice"), lambda a: ~Q(invoice_no="")),
                },
            ),
            agency_filter(),
            Choice("allocation"),
            Choice("sector"),
            Dates("incurred_on"),
            Dates("paid_on"),
            Numbers("amount"),
            Choice("channel"),
        ),
        tab_of={"enterprise": "enterprise", "policy": "policy", "service": "service", "insurer": "insurer"},
        order=10,
    )
)  # fmt: skip
detail_screen(
    DetailScreen(
        name="expense",
        path="expenses/<uuid:pk>/",
        title=_("Prevention expense"),
        model=Expense,
        permission=Permission.SEE_EXPENSES,
        named=("expense_no",),
        of_list="expenses",
        sections=(
            Section(
                _("What for"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    POLICY,
                    Column("service__service_no", opens="service"),
                    Column("agency", opens="agency"),
                    "category",
                    "allocation",
                ),
            ),
            Section(
                _("The payment"),
                (
                    "amount",
                    "tax",
                    "payee_name",
                    "payee_uscc",
                    "invoice_no",
                    "incurred_on",
                    "paid_on",
                    "voucher_file",
                    "approver",
                    "reversal_of",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)
waiting(
    EXPENSES,
    "expenses-without-invoice",
    _("Expenses without an invoice"),
    why=_("Prevention expense is booked as incurred, on vouchers."),
    order=70,
    invoice="no",
)


def _tell(asking: Asking, category: str, amount: Any, payee: str) -> tuple[str, str]:
    said = labels(ExpenseCategory.choices).get(category, category)
    words = {"what": said, "amount": money_text(amount), "payee": payee}
    return _now("%(what)s, ¥%(amount)s to %(payee)s") % words, ""


story(
    Story(
        "expense", _("Prevention expense"), Permission.SEE_EXPENSES, "coin", Expense, "incurred_on", "expense_no",
        "expense", ("category", "amount", "payee_name"), _tell, where=Q(is_void=False), order=80,
    )
)  # fmt: skip


def _archived(policy: Policy, _today: date) -> Held:
    """The expense ledger of a policy; a payment without a voucher is what is missing."""
    found = Expense.objects.filter(policy=policy, is_void=False)
    lacks = tuple(
        Lack(number, _now("Paid, and no voucher is on file."), _now("insurer"))
        for number in found.filter(paid_on__isnull=False, voucher_file="").values_list("expense_no", flat=True)
    )
    return Held((("expenses", found),), lacks=lacks, count=found.count())


archive_part(ArchivePart("expenses", _("Ledger of prevention expenses"), 50, _archived, Permission.SEE_EXPENSES))

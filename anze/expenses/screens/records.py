"""The ledger of prevention expenses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.models import Media
from anze.expenses.models import Expense, Invoice
from anze.expenses.rules import Allocation, ExpenseCategory
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, ORIGIN, USCC, agency_filter, insurer_filter
from anze.prevention.actions.archive import ArchivePart, Held, Lack, archive_part
from anze.prevention.models import Service
from anze.screen.columns import Column, labels, readers_of
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Numbers, Search
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.pages import money
from anze.screen.stories import Story, story
from anze.underwriting.models import Policy
from anze.underwriting.screens import ORIGIN_SECTION

POLICY = Column("policy__policy_no", opens="policy")
# what can be done with an expense, said by the room that records it
OWN_WAYS: list[Callable[[HttpRequest, Any], list[Way]]] = []


@dataclass(frozen=True)
class Side:
    """One of the three that must agree: service, invoice, payment."""

    title: str
    state: str
    tone: str
    url: str = ""


def _three_way(request: HttpRequest, expense: Expense) -> dict[str, Any]:
    """Service, invoice and payment of an expense beside each other, and its vouchers."""
    service = Service.objects.filter(pk=expense.service_id).first() if expense.service_id else None
    if service is not None:
        done = _now("returned") if service.is_returned else _now("taken back") if service.is_void else _now("done")
        tone = "danger" if service.is_returned or service.is_void else "success"
        sides = [Side(_now("Service"), f"{service.service_no} · {done}", tone, reverse("service", args=[service.pk]))]
    else:
        shared = expense.allocation == Allocation.BY_PREMIUM
        said = _now("shared by premium") if shared else _now("none named")
        sides = [Side(_now("Service"), said, "success" if shared else "warning")]
    reader = request.actor.scope.reader  # type: ignore[attr-defined]
    invoice = (
        Invoice.objects.filter(insurer_id=expense.insurer_id, invoice_no=expense.invoice_no, is_void=False).first()
        if expense.invoice_no and reader in readers_of(Invoice)
        else None
    )
    if invoice is not None:
        said = f"{invoice.invoice_no} · ¥{money(invoice.amount)}"
        sides.append(Side(_now("Invoice"), said, "success", reverse("invoice", args=[invoice.pk])))
    elif expense.invoice_no:
        sides.append(Side(_now("Invoice"), expense.invoice_no, "success"))
    else:
        sides.append(Side(_now("Invoice"), _now("none named"), "warning"))
    if expense.paid_on:
        said = f"{expense.paid_on} · ¥{money(expense.amount)}"
        said += "" if expense.voucher_file else " · " + _now("no voucher")
        sides.append(Side(_now("Payment"), said, "success" if expense.voucher_file else "warning"))
    else:
        sides.append(Side(_now("Payment"), _now("not paid yet"), "info"))
    files = Media.objects.filter(subject=expense.pk, voided_at=None)[:20]
    return {"sides": sides, "files": list(files) if reader in readers_of(Media) else []}


def _ways(request: HttpRequest, expense: Any) -> list[Way]:
    return [way for make in OWN_WAYS for way in make(request, expense)]


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
        template="expenses/expense.html",
        extra=_three_way,
        ways=_ways,
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
    words = {"what": said, "amount": money(amount), "payee": payee}
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

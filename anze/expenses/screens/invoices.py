"""Invoices, and what each was charged to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.evidence.models import Media
from anze.evidence.rules import Subject, register_subject
from anze.expenses.models import Expense, Invoice
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, INSURER, ORIGIN, agency_filter, insurer_filter
from anze.screen.columns import Column, readers_of
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates, Numbers, Search
from anze.screen.lists import Button, ListScreen, list_screen
from anze.underwriting.models import Policy

INVOICES = list_screen(
    ListScreen(
        name="invoices",
        path="expenses/invoices/",
        title=_("Invoices for prevention"),
        about=_("Each invoice once with its whole amount; the expenses that name its number are what it was charged to."),
        model=Invoice,
        permission=Permission.SEE_SETTLEMENTS,
        detail="invoice",
        sort="-issued_on",
        order=40,
        icon="file-text",
        buttons=(Button(_("Share a cost"), "expense-share", Permission.KEEP_EXPENSES),),
        columns=(
            Column("invoice_no"),
            Column("seller_name"),
            INSURER,
            AGENCY,
            Column("subject"),
            Column("amount"),
            Column("tax", optional=True),
            Column("issued_on"),
            *ORIGIN,
        ),
        filters=(
            Search(own=("invoice_no",), title=_("Invoice no.")),
            insurer_filter(),
            agency_filter(),
            Dates("issued_on"),
            Numbers("amount"),
            Choice("channel"),
        ),
    )
)  # fmt: skip


def charged(request: HttpRequest, invoice: Invoice) -> Mapping[str, Any]:
    """What the invoice was charged to, as far as the reader sees it, and what is left of it."""
    rows: list[Expense] = []
    total = Decimal()
    reader = request.actor.scope.reader  # type: ignore[attr-defined]
    sees_policies = reader in readers_of(Policy)
    if reader in readers_of(Expense):
        found = Expense.objects.filter(
            insurer_id=invoice.insurer_id, invoice_no=invoice.invoice_no, is_void=False
        ).order_by("expense_no")
        total = found.aggregate(total=Sum("amount"))["total"] or Decimal()
        related = ("enterprise", "policy") if sees_policies else ("enterprise",)
        rows = list(found.select_related(*related)[:50])
    files = Media.objects.filter(subject=invoice.pk, voided_at=None).order_by("received_at")[:20]
    return {
        "rows": rows,
        "sees_policies": sees_policies,
        "total": total,
        "left": invoice.amount - total,
        "files": list(files) if reader in readers_of(Media) else [],
    }


detail_screen(
    DetailScreen(
        name="invoice",
        path="expenses/invoices/<uuid:pk>/",
        title=_("Invoice for prevention"),
        model=Invoice,
        permission=Permission.SEE_SETTLEMENTS,
        named=("invoice_no",),
        of_list="invoices",
        template="expenses/invoice.html",
        extra=charged,
        sections=(
            Section(
                _("The invoice"),
                (
                    "seller_name", "seller_uscc", Column("insurer", opens="insurer"), Column("agency", opens="agency"),
                    "subject", "amount", "tax", "issued_on",
                ),
            ),
        ),
    )
)  # fmt: skip


def _voucher_of_invoice(key: Any, by: Any, at: Any) -> Subject | None:
    """Scans of an invoice are evidence like every other file."""
    if by.scope.reader not in readers_of(Invoice):
        return None
    invoice = Invoice.objects.filter(pk=key).first()
    if invoice is None:
        return None
    return Subject(
        kind="invoice",
        id=invoice.pk,
        title=invoice.invoice_no,
        url=reverse("invoice", args=[invoice.pk]),
        region_code=invoice.region_code,
        sector="",
        insurer_id=invoice.insurer_id,
        agency_id=invoice.agency_id,
        may_add=by.may(Permission.SETTLE_EXPENSES) and not invoice.is_void,
        why_not=_("The invoice is void, or not yours."),
    )


def _voucher_of_expense(key: Any, by: Any, at: Any) -> Subject | None:
    """Vouchers of a payment: bank slips, sign-in sheets, contracts."""
    if by.scope.reader not in readers_of(Expense):
        return None
    expense = Expense.objects.filter(pk=key).first()
    if expense is None:
        return None
    return Subject(
        kind="expense",
        id=expense.pk,
        title=expense.expense_no,
        url=reverse("expense", args=[expense.pk]),
        region_code=expense.region_code,
        sector=expense.sector,
        insurer_id=expense.insurer_id,
        agency_id=None,
        enterprise_id=None,
        may_add=by.may(Permission.KEEP_EXPENSES) and not expense.is_void,
        why_not=_("The expense is void, or not yours."),
    )


register_subject("invoice", _("Invoice"), _voucher_of_invoice)
register_subject("expense", _("Prevention expense"), _voucher_of_expense)

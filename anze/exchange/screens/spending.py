"""Recording expenses on the platform: sharing a cost, taking an expense back, paying an agency, adding vouchers."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.evidence.actions import arrived, receive_media, subject_of
from anze.evidence.rules import MediaKind, MediaRole
from anze.exchange.actions import SharedCost, add_voucher, pay_statement, reverse_expense, share_cost, shares_of
from anze.expenses.models import Expense, Invoice
from anze.expenses.rules import ExpenseCategory
from anze.expenses.screens.records import OWN_WAYS
from anze.expenses.screens.settlement import statement_of
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Sector
from anze.parties.models import Organisation, Region
from anze.parties.rules import Permission
from anze.screen.details import Way
from anze.screen.forms import Form
from anze.screen.lists import check_reader
from anze.screen.registry import page

_DAY = forms.DateInput()


class ReversalForm(Form):
    reason = forms.CharField(label=_("Why it is taken back"), max_length=60)


class PaymentForm(Form):
    invoice_no = forms.CharField(label=_("Invoice no."), max_length=40)
    paid_on = forms.DateField(label=_("Paid on"), widget=_DAY)
    voucher_file = forms.CharField(
        label=_("Voucher"), max_length=200, required=False, help_text=_("Name of the bank slip in your archive.")
    )


class VoucherForm(Form):
    file = forms.FileField(label=_("A scan or photo (PDF, JPEG, PNG)"))


class SharedCostForm(Form):
    invoice_no = forms.CharField(label=_("Invoice no."), max_length=40)
    seller_name = forms.CharField(label=_("Seller"), max_length=120)
    subject = forms.CharField(label=_("For what"), max_length=200)
    category = forms.ChoiceField(label=_("Category"), choices=ExpenseCategory.choices, initial="PUBLICITY")
    amount = forms.DecimalField(
        label=_("Amount"), min_value=1, max_value=100_000_000, decimal_places=2, help_text=_("Yuan, tax included.")
    )
    tax = forms.DecimalField(label=_("Of which tax"), min_value=0, max_value=100_000_000, decimal_places=2, initial="0.00")  # fmt: skip
    incurred_on = forms.DateField(
        label=_("Incurred on"), widget=_DAY, help_text=_("Shared among the policies in force on this day.")
    )
    paid_on = forms.DateField(label=_("Paid on"), widget=_DAY, required=False)
    region_code = forms.ChoiceField(label=_("Only in"), required=False)
    sector = forms.ChoiceField(label=_("Only for"), required=False, choices=[("", _("All sectors")), *Sector.choices])
    voucher_file = forms.CharField(
        label=_("Voucher"), max_length=200, required=False, help_text=_("Name of the voucher in your archive.")
    )

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        cities = Region.objects.filter(code__endswith="00").order_by("code").values_list("code", "name")
        self.fields["region_code"].choices = [("", _("The whole province")), *cities]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "amount" in found and "tax" in found and found["tax"] > found["amount"]:
            self.add_error("tax", _("The tax is more than the amount."))
        return found


def _insurer(request: HttpRequest) -> Organisation:
    """The insurer in whose name the reader records."""
    scope = request.actor.scope  # type: ignore[attr-defined]
    if scope.insurer_id is None:
        raise Refused(
            "not_an_insurer",
            _("Costs are recorded by insurers."),
            remedy=_("Sign in for an insurer."),
            status=409,
        )
    return Organisation.objects.get(pk=scope.insurer_id)


def _form_page(request: HttpRequest, form: forms.Form, **words: Any) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "exchange/spending_form.html", {"form": form, "shares": None, **words}, status=status)


MOST_SHOWN = 12


@page(
    "expenses/share/",
    name="expense-share",
    title=_("Share a cost"),
    permission=Permission.KEEP_EXPENSES,
    methods=("GET", "POST"),
)
def share(request: HttpRequest) -> HttpResponse:
    """An invoice that served many policies: looked at share by share first, then recorded."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    insurer = _insurer(request)
    form = SharedCostForm(request.POST or None)
    shown = None
    if request.method == "POST" and form.is_valid():
        cost = SharedCost(**form.cleaned_data)
        try:
            if "record" in request.POST:
                count = share_cost(insurer, by=actor, at=at, cost=cost)
                messages.success(
                    request,
                    ngettext(
                        "Recorded as one expense.", "Recorded as %(count)s expenses, to the cent.", count
                    ) % {"count": count},
                )  # fmt: skip
                found = Invoice.objects.filter(insurer=insurer, invoice_no=cost.invoice_no).first()
                return redirect("invoice", found.pk) if found else redirect("invoices")
            parts = shares_of(insurer, cost)
            shown = {"rows": parts[:MOST_SHOWN], "count": len(parts), "more": max(0, len(parts) - MOST_SHOWN)}
        except Refused as refused:
            form.refuse(refused)
    return _form_page(
        request, form, title=_now("Share a cost"), button=_now("Show the shares"), shares=shown, back="invoices",
        about=_now("A cost that served many enterprises is divided by the premium received from each, to the cent."),
    )  # fmt: skip


def _expense(request: HttpRequest, pk: UUID) -> Expense:
    check_reader(request, Expense)
    found = Expense.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page(
    "expenses/<uuid:pk>/reverse/",
    name="expense-reverse",
    title=_("Take an expense back"),
    permission=Permission.KEEP_EXPENSES,
    methods=("GET", "POST"),
)
def reverse_(request: HttpRequest, pk: UUID) -> HttpResponse:
    expense = _expense(request, pk)
    form = ReversalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = reverse_expense(expense, by=request.actor, at=request.at, reason=form.cleaned_data["reason"])  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("Taken back by a row of its own."))
            return redirect("expense", made.pk)
    return _form_page(
        request, form, title=_now("Take expense %(number)s back") % {"number": expense.expense_no},
        button=_now("Take it back"), back=None, back_to=("expense", pk),
        about=_now("A row of its own with the opposite amount is recorded; this one stays as it is."),
    )  # fmt: skip


@page(
    "expenses/<uuid:pk>/voucher/",
    name="expense-voucher",
    title=_("Add a voucher"),
    permission=Permission.KEEP_EXPENSES,
    methods=("GET", "POST"),
)
def voucher(request: HttpRequest, pk: UUID) -> HttpResponse:
    expense = _expense(request, pk)
    form = VoucherForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            add_voucher(expense, by=request.actor, at=request.at, content=file.read(), file_name=file.name or "")  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The voucher is on file."))
            return redirect("expense", pk)
    return _form_page(
        request, form, title=_now("Voucher of expense %(number)s") % {"number": expense.expense_no},
        button=_now("Add the voucher"), back=None, back_to=("expense", pk),
        about=_now("Bank slip, sign-in sheet or contract. The original is kept unchanged."),
    )  # fmt: skip


@page(
    "expenses/invoices/<uuid:pk>/scan/",
    name="invoice-scan",
    permission=Permission.SETTLE_EXPENSES,
    methods=("POST",),
)
def scan(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A scan of an invoice, from the insurer or the agency that made it out."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    check_reader(request, Invoice)
    if not Invoice.objects.filter(pk=pk).exists():
        raise Http404
    file = request.FILES.get("file")
    if file is None:
        raise Refused("file_missing", _("No file was chosen."), remedy=_("Choose a scan or photo."), field="file")
    receive_media(
        subject_of("invoice", pk, actor, at), by=actor, at=at, content=arrived(file.read()), kind=MediaKind.DOCUMENT,
        role=MediaRole.DOCUMENT, file_name=file.name or "",
    )  # fmt: skip
    messages.success(request, _now("The scan is on file."))
    return redirect("invoice", pk)


@page(
    "expenses/statements/<uuid:pk>/pay/",
    name="statement-pay",
    title=_("Record invoice and payment"),
    permission=Permission.KEEP_EXPENSES,
    methods=("GET", "POST"),
)
def pay(request: HttpRequest, pk: UUID) -> HttpResponse:
    statement = statement_of(request, pk)
    today: date = beijing_day(request.at)  # type: ignore[attr-defined]
    form = PaymentForm(request.POST or None, initial={"paid_on": today})
    if request.method == "POST" and form.is_valid():
        try:
            pay_statement(statement, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("Invoice and payment are on file."))
            return redirect("statement", pk)
    return _form_page(
        request, form, title=_now("Record invoice and payment"), button=_now("Record the payment"), back=None,
        back_to=("statement", pk),
        about=_now("Each service of the statement that is not paid yet becomes an expense with this invoice; what is on file for it already is completed."),
    )  # fmt: skip


def _ways(request: HttpRequest, expense: Any) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    if not actor.may(Permission.KEEP_EXPENSES) or expense.is_void:
        return []
    made = [Way(_("Add a voucher"), reverse("expense-voucher", args=[expense.pk]), "file-import")]
    if expense.amount > 0 and not expense.reversal_of:
        made.append(Way(_("Take it back"), reverse("expense-reverse", args=[expense.pk]), "rotate"))
    return made


OWN_WAYS.append(_ways)

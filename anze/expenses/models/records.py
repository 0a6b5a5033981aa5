"""Prevention expenses actually spent (据实列支), each tied to what it was spent for."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.expenses.rules import Allocation, ExpenseCategory
from anze.parties.models import OfInsurer, Organisation
from anze.prevention.models import Service
from anze.underwriting.models import Policy


class Expense(OfInsurer):
    """One payment for prevention. Amounts in yuan, tax included; a reversal is a row of its own, negative."""

    expense_no = models.CharField(_("expense no."), max_length=50)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="expenses", verbose_name=_("policy"))
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="expenses", verbose_name=_("service"))
    agency = models.ForeignKey(
        Organisation,
        models.PROTECT,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("agency"),
    )
    category = models.CharField(_("category"), max_length=16, choices=ExpenseCategory.choices)
    allocation = models.CharField(_("allocation"), max_length=10, choices=Allocation.choices)
    payee_name = models.CharField(_("payee"), max_length=120)
    payee_uscc = models.CharField(_("payee's credit code"), max_length=18, blank=True)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    tax = models.DecimalField(_("of which tax"), max_digits=12, decimal_places=2)
    invoice_no = models.CharField(_("invoice no."), max_length=40, blank=True)
    incurred_on = models.DateField(_("incurred on"))
    paid_on = models.DateField(_("paid on"), null=True)
    voucher_file = models.CharField(_("voucher"), max_length=200, blank=True)
    approver = models.CharField(_("approved by"), max_length=60, blank=True)
    reversal_of = models.CharField(_("reverses expense no."), max_length=50, blank=True)

    class Meta:
        verbose_name = _("prevention expense")
        verbose_name_plural = _("prevention expenses")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "expense_no"], name="expense_no_once_per_insurer")
        ]
        indexes: ClassVar = [
            models.Index(fields=["-incurred_on", "-id"], name="expense_by_day"),
            models.Index(fields=["region_code", "-incurred_on", "-id"], name="expense_by_region"),
            models.Index(fields=["insurer", "-incurred_on", "-id"], name="expense_by_insurer"),
            models.Index(fields=["expense_no"], name="expense_by_number", opclasses=["text_pattern_ops"]),
            models.Index(fields=["invoice_no"], name="expense_by_invoice", opclasses=["text_pattern_ops"]),
            models.Index(fields=["enterprise"], name="expense_by_enterprise"),
        ]

    def __str__(self) -> str:
        return self.expense_no

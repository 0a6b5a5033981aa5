"""Invoices for prevention, whole; the expenses that name one are what it was charged to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import FedTable
from anze.kernel.scope import party
from anze.parties.models import Organisation


class Invoice(FedTable):
    """An invoice as its seller made it out to an insurer. It may be charged to many policies and services: the sum of
    those expenses, which name its number, is held against its amount."""

    is_counted = False
    # an invoice lies in no city: a house and its branches see their own, authorities those of the province
    policies: ClassVar = {"anze_insurer": f"insurer_id = {party('insurer')}", "anze_region": "false"}

    invoice_no = models.CharField(_("invoice no."), max_length=40)
    seller_name = models.CharField(_("seller"), max_length=120)
    seller_uscc = models.CharField(_("seller's credit code"), max_length=18, blank=True)
    subject = models.CharField(_("for what"), max_length=200, blank=True)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    tax = models.DecimalField(_("of which tax"), max_digits=14, decimal_places=2)
    issued_on = models.DateField(_("issued on"))
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, null=True, related_name="+", verbose_name=_("agency")
    )
    region_code = models.CharField(_("region"), max_length=6)

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "invoice_no"], name="invoice_no_once_per_insurer"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoice_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(tax__gte=0, tax__lte=models.F("amount")), name="invoice_tax_within_amount"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-issued_on", "-id"], name="invoice_by_day"),
            models.Index(fields=["invoice_no"], name="invoice_by_number", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.invoice_no

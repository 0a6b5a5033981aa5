"""What an insurer owes an agency for the services of a month."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.expenses.rules import PriceSource, StatementState
from anze.kernel.models import ScopedTable
from anze.kernel.scope import party
from anze.parties.models import Organisation
from anze.prevention.models import Service

# between two houses and in no city: branches see their house's, authorities those of the province
_OF_HOUSES = {"anze_insurer": f"insurer_id = {party('insurer')}", "anze_region": "false"}


class Statement(ScopedTable):
    """The services an agency did for an insurer, up to the end of a month and on no earlier statement.

    Both sides confirm it; then it is to be paid within the time of the duty SETTLEMENT.
    """

    policies: ClassVar = _OF_HOUSES

    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, related_name="+", verbose_name=_("agency")
    )
    month = models.DateField(_("month"))
    services = models.PositiveIntegerField(_("services"))
    agreed = models.DecimalField(_("agreed price"), max_digits=14, decimal_places=2)
    state = models.CharField(_("state"), max_length=10, choices=StatementState.choices)
    drawn_at = models.DateTimeField(_("drawn up at"))
    insurer_confirmed_at = models.DateTimeField(_("confirmed by the insurer at"), null=True)
    insurer_confirmed_by = models.CharField(_("for the insurer"), max_length=120, blank=True, default="")
    agency_confirmed_at = models.DateTimeField(_("confirmed by the agency at"), null=True)
    agency_confirmed_by = models.CharField(_("for the agency"), max_length=120, blank=True, default="")
    objection = models.CharField(_("objection"), max_length=300, blank=True, default="")
    objected_by_name = models.CharField(_("objected by"), max_length=120, blank=True, default="")
    due_at = models.DateTimeField(_("payment due at"), null=True)
    settled_at = models.DateTimeField(_("paid in full at"), null=True)
    region_code = models.CharField(_("region"), max_length=6)

    class Meta:
        verbose_name = _("statement of an agency")
        verbose_name_plural = _("statements of agencies")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "agency", "month"], name="statement_once_a_month"),
            models.CheckConstraint(
                condition=~models.Q(state__in=("CONFIRMED", "SETTLED"))
                | models.Q(insurer_confirmed_at__isnull=False, agency_confirmed_at__isnull=False, due_at__isnull=False),
                name="statement_confirmed_by_both",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-month", "-id"], name="statement_by_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class StatementLine(ScopedTable):
    """One service on a statement, with its price and where that came from. A service stands on one statement only."""

    policies: ClassVar = _OF_HOUSES

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="lines")
    service = models.OneToOneField(Service, models.PROTECT, related_name="statement_line", verbose_name=_("service"))
    price = models.DecimalField(_("agreed price"), max_digits=12, decimal_places=2)
    source = models.CharField(_("where the price came from"), max_length=10, choices=PriceSource.choices)
    ordered = models.DecimalField(_("price of the order"), max_digits=12, decimal_places=2, null=True)
    insurer_id = models.UUIDField()
    agency_id = models.UUIDField()
    region_code = models.CharField(_("region"), max_length=6)

    class Meta:
        verbose_name = _("line of a statement")
        verbose_name_plural = _("lines of a statement")

    def __str__(self) -> str:
        return str(self.service_id)

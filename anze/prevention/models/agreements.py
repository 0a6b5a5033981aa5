"""Framework agreements: what an insurer and an agency settled for all orders of a time, with prices and expiry."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector, ServiceType
from anze.kernel.scope import party
from anze.parties.models import Organisation
from anze.prevention.rules.agreements import DERIVED, AgreementState

# between two houses and in no city: branches see their house's, authorities those of the province. A competitor of
# either side sees nothing: prices are the houses' own.
_OF_HOUSES = {"anze_insurer": f"insurer_id = {party('insurer')}", "anze_region": "false"}


class Agreement(ScopedTable):
    """Proposed by the insurer, accepted by the agency; `until_on` is the last day it binds, and an early end moves it."""

    policies: ClassVar = _OF_HOUSES

    agreement_no = models.CharField(_("agreement no."), max_length=30, unique=True)
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("agency")
    )
    sectors = ArrayField(
        models.CharField(max_length=12, choices=Sector.choices), default=list, verbose_name=_("sectors")
    )
    regions = ArrayField(models.CharField(max_length=6), default=list, verbose_name=_("cities"))
    start_on = models.DateField(_("binding from"))
    end_on = models.DateField(_("agreed until"))
    until_on = models.DateField(_("binding until"))
    words = models.CharField(_("further terms"), max_length=1000, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=AgreementState.choices)
    proposed_at = models.DateTimeField(_("proposed at"))
    proposed_by = models.CharField(_("proposed by"), max_length=120)
    answer_due_at = models.DateTimeField(_("answer due at"))
    answered_at = models.DateTimeField(_("answered at"), null=True)
    answered_by = models.CharField(_("answered by"), max_length=120, blank=True)
    ended_at = models.DateTimeField(_("end declared at"), null=True)
    ended_by = models.CharField(_("ended by"), max_length=120, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    region_code = models.CharField(_("region"), max_length=6)

    class Meta:
        verbose_name = _("framework agreement")
        verbose_name_plural = _("framework agreements")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(end_on__gte=models.F("start_on")), name="agreement_ends_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(until_on=models.F("end_on"))
                | models.Q(state="ENDED", until_on__lt=models.F("end_on")),
                name="agreement_cut_by_its_early_end_only",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[each.value for each in DERIVED]),
                name="agreement_runs_out_by_the_day_only",
            ),
            models.CheckConstraint(
                condition=models.Q(state="PROPOSED") ^ models.Q(answered_at__isnull=False),
                name="agreement_answered_with_moment",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=("DECLINED", "WITHDRAWN", "ENDED")) | ~models.Q(reason=""),
                name="agreement_ended_with_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-start_on", "-id"], name="agreement_by_day"),
            models.Index(fields=["insurer", "agency"], name="agreement_by_sides"),
            models.Index(fields=["agency", "-start_on", "-id"], name="agreement_by_agency"),
        ]

    def __str__(self) -> str:
        return self.agreement_no


class AgreementPrice(ScopedTable):
    """What one visit of a kind costs under an agreement."""

    policies: ClassVar = _OF_HOUSES

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="prices", verbose_name=_("agreement"))
    service_type = models.CharField(_("service"), max_length=12, choices=ServiceType.choices)
    price = models.DecimalField(_("price a visit"), max_digits=12, decimal_places=2)
    insurer = models.ForeignKey(Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    agency = models.ForeignKey(Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    region_code = models.CharField(_("region"), max_length=6)

    class Meta:
        verbose_name = _("agreed price")
        verbose_name_plural = _("agreed prices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agreement", "service_type"], name="agreed_price_once"),
            models.CheckConstraint(condition=models.Q(price__gt=0), name="agreed_price_is_one"),
        ]

    def __str__(self) -> str:
        return str(self.get_service_type_display())


def agreement_holds(service: str, *, agency: str = "agency_id") -> str:
    """The condition under which the agreement `g` and its price `x` hold for a service on its day.

    It is Framework.price_of for many services at once; `agency` is the column with the house that served.
    """
    return f"""
    g.insurer_id = {service}.insurer_id AND g.agency_id = {service}.{agency} AND g.state IN ('ACCEPTED', 'ENDED')
    AND {service}.performed_on BETWEEN g.start_on AND g.until_on AND x.service_type = {service}.service_type
    AND (g.sectors = '{{}}' OR {service}.sector = ANY(g.sectors))
    AND (g.regions = '{{}}' OR left({service}.region_code, 4) || '00' = ANY(g.regions))
"""

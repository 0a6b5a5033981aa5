"""Service plans: what was agreed for a policy, how often, by whom."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, OfInsurer, Organisation
from anze.parties.rules import RiskTier
from anze.prevention.models.topics import Task
from anze.prevention.rules import ServiceForm, ServiceType, StandardEdition
from anze.underwriting.models import Policy


class Plan(OfInsurer):
    """The service plan of one policy (AQ 9010 §6): what, how, how often, by whom."""

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="plans", verbose_name=_("policy"))
    plan_no = models.CharField(_("plan no."), max_length=50)
    edition = models.CharField(_("standard edition"), max_length=16, choices=StandardEdition.choices)
    risk_tier = models.CharField(_("risk tier"), max_length=8, choices=RiskTier.choices)
    agreed_on = models.DateField(_("agreed on"))
    confirmed_on = models.DateField(_("confirmed by the enterprise on"), null=True)
    goals = models.CharField(_("goals"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("service plan")
        verbose_name_plural = _("service plans")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "plan_no"], name="plan_no_once_per_insurer")
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise"], name="plan_by_enterprise"),
            models.Index(fields=["-agreed_on", "-id"], name="plan_by_day"),
        ]

    def __str__(self) -> str:
        return self.plan_no


class PlanItem(ScopedTable):
    """So many services of one type within a window of days."""

    is_counted = True

    plan = models.ForeignKey(Plan, models.CASCADE, db_index=False, related_name="items")
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="+")
    seq = models.PositiveSmallIntegerField(_("item"))
    task = models.ForeignKey(
        Task, models.PROTECT, db_index=False, null=True, related_name="items", verbose_name=_("task")
    )
    service_type = models.CharField(_("service"), max_length=12, choices=ServiceType.choices)
    form = models.CharField(_("form"), max_length=16, choices=ServiceForm.choices)
    times = models.PositiveSmallIntegerField(_("times"))
    window_start_on = models.DateField(_("from"))
    window_end_on = models.DateField(_("until"))
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, db_constraint=False, related_name="+")
    insurer = models.ForeignKey(Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    agency = models.ForeignKey(
        Organisation,
        models.PROTECT,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("agency"),
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("plan item")
        verbose_name_plural = _("plan items")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "seq"], name="plan_item_once"),
            models.CheckConstraint(
                condition=models.Q(window_end_on__gte=models.F("window_start_on")),
                name="plan_window_in_order",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-window_end_on", "-id"], name="plan_item_by_window"),
            models.Index(fields=["task"], condition=models.Q(task__isnull=False), name="plan_item_by_task"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.seq}"


# what a confirmation covers: a corrected plan with other items needs a new one
FINGERPRINT = (
    "(SELECT md5(coalesce(string_agg(concat_ws('|', i.service_type, i.form, i.times, i.window_start_on, "
    "i.window_end_on, i.agency_id), ';' ORDER BY i.seq), '')) FROM prevention_planitem i WHERE i.plan_id = {plan})"
)


class PlanConfirmation(ScopedTable):
    """The enterprise has agreed to the items of a plan as they stood."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="confirmations", verbose_name=_("service plan"))
    items = models.CharField(max_length=32)  # their fingerprint
    confirmed_at = models.DateTimeField(_("confirmed at"))
    confirmed_on = models.DateField(_("confirmed on"))
    confirmed_by = models.CharField(_("confirmed by"), max_length=60)
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, db_constraint=False, related_name="+")
    insurer = models.ForeignKey(Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("confirmation of a plan")
        verbose_name_plural = _("confirmations of plans")

    def __str__(self) -> str:
        return f"{self.confirmed_on} {self.confirmed_by}"

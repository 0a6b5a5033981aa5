"""Orders: an insurer sends an agency or experts of its choice to an enterprise (抓服务, 作支撑)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Enterprise, Expert, Organisation
from anze.prevention.models.plans import PlanItem
from anze.prevention.models.records import Service
from anze.prevention.models.topics import Task
from anze.prevention.rules import ConflictReason, OrderState, ServiceForm, ServiceType
from anze.underwriting.models import Policy

_SENT_TO = "id IN (SELECT order_id FROM prevention_orderexpert WHERE expert_id = {})".format(party("expert"))


class Order(ScopedTable):
    """One service to be done at one enterprise: scope, checklist, day, price, and who is asked to do it.

    Without an agency the insurer sends experts it hired itself, or its own staff.
    """

    policies: ClassVar = {
        # nobody but the insurer and those who watch it sees what was not sent yet
        "anze_agency": f"state <> 'DRAFT' AND agency_id = {party('agency')}",
        "anze_expert": f"state <> 'DRAFT' AND {_SENT_TO}",
        "anze_enterprise": f"state <> 'DRAFT' AND enterprise_id = {party('enterprise')}",
    }

    order_no = models.CharField(_("order no."), max_length=50)
    policy = models.ForeignKey(
        Policy, models.PROTECT, db_constraint=False, related_name="orders", verbose_name=_("policy")
    )
    plan_item = models.ForeignKey(
        PlanItem, models.SET_NULL, null=True, related_name="orders", verbose_name=_("plan item")
    )
    task = models.ForeignKey(Task, models.PROTECT, null=True, related_name="orders", verbose_name=_("task"))
    accident = models.ForeignKey(
        Accident, models.PROTECT, null=True, related_name="+", verbose_name=_("ordered after the accident")
    )
    service = models.ForeignKey(
        Service,
        models.SET_NULL,
        db_constraint=False,
        null=True,
        related_name="orders",
        verbose_name=_("service done"),
    )
    service_type = models.CharField(_("service"), max_length=12, choices=ServiceType.choices)
    form = models.CharField(_("form"), max_length=16, choices=ServiceForm.choices)
    checklist_code = models.CharField(_("checklist"), max_length=40, blank=True)
    scope = models.CharField(_("what is to be done"), max_length=500, blank=True)
    planned_on = models.DateField(_("planned for"))
    due_on = models.DateField(_("to be done by"))
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)
    state = models.CharField(_("state"), max_length=12, choices=OrderState.choices)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    answer_due_at = models.DateTimeField(_("answer due at"), null=True)
    done_at = models.DateTimeField(_("done at"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    enterprise = models.ForeignKey(
        Enterprise,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("enterprise"),
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    agency = models.ForeignKey(
        Organisation,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("agency"),
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("service order")
        verbose_name_plural = _("service orders")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "order_no"], name="order_no_once_per_insurer"),
            models.CheckConstraint(
                condition=models.Q(due_on__gte=models.F("planned_on")), name="order_due_not_before_planned"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("DRAFT", "CANCELLED")) | models.Q(sent_at__isnull=False),
                name="order_sent_with_its_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("DRAFT", "SENT", "CANCELLED")) | models.Q(answered_at__isnull=False),
                name="order_answered_with_its_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(state="DONE") ^ models.Q(done_at__isnull=True), name="order_done_with_its_moment"
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=("DECLINED", "CANCELLED")) | ~models.Q(reason=""),
                name="order_ended_with_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-planned_on", "-id"], name="order_by_day"),
            models.Index(fields=["agency", "-planned_on", "-id"], name="order_by_agency"),
            models.Index(fields=["enterprise", "planned_on"], name="order_by_enterprise"),
            models.Index(fields=["insurer", "-planned_on", "-id"], name="order_by_insurer"),
            models.Index(fields=["region_code", "-planned_on", "-id"], name="order_by_region"),
            models.Index(fields=["order_no"], name="order_by_number", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.order_no


class OrderExpert(ScopedTable):
    """An expert who is to go; the order opens to him by this row."""

    policies: ClassVar = {"anze_expert": f"expert_id = {party('expert')}"}

    order = models.ForeignKey(Order, models.CASCADE, related_name="experts")
    expert = models.ForeignKey(Expert, models.PROTECT, related_name="orders", verbose_name=_("expert"))
    is_leader = models.BooleanField(_("leads the visit"), default=False)
    planned_on = models.DateField(_("planned for"))  # the order's, for the expert's calendar
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    insurer = models.ForeignKey(Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("expert of an order")
        verbose_name_plural = _("experts of an order")
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "expert"], name="order_expert_once")]
        indexes: ClassVar = [models.Index(fields=["expert", "planned_on"], name="order_expert_by_day")]

    def __str__(self) -> str:
        return str(self.expert_id)


class Conflict(ScopedTable):
    """A party that must not serve an enterprise, as somebody concerned has declared."""

    policies: ClassVar = {
        "anze_insurer": "enterprise_id IN (SELECT enterprise_id FROM parties_engagement "
        f"WHERE party_id = {party('insurer')})",
        "anze_agency": "agency_id = {0} OR expert_id IN (SELECT id FROM parties_expert WHERE agency_id = {0})".format(
            party("agency")
        ),
        "anze_expert": f"expert_id = {party('expert')}",
    }

    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, related_name="+", verbose_name=_("enterprise")
    )
    agency = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("agency")
    )
    expert = models.ForeignKey(
        Expert, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("expert")
    )
    reason = models.CharField(_("reason"), max_length=12, choices=ConflictReason.choices)
    note = models.CharField(_("note"), max_length=200, blank=True)
    declared_on = models.DateField(_("declared on"))
    declared_by = models.CharField(_("declared by"), max_length=120)
    declared_account = models.UUIDField(null=True)
    ended_on = models.DateField(_("ended on"), null=True)
    end_reason = models.CharField(_("why it ended"), max_length=300, blank=True, default="")
    ended_by = models.CharField(_("ended by"), max_length=120, blank=True, default="")
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("conflict of interest")
        verbose_name_plural = _("conflicts of interest")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(agency__isnull=False) ^ models.Q(expert__isnull=False),
                name="conflict_of_one_party",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-declared_on", "-id"], name="conflict_by_day")]

    def __str__(self) -> str:
        return str(self.get_reason_display())

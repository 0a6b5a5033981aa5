"""What regulators want services to be about, the tasks the committee makes of it, and each insurer's share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.claims.models import Accident
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Organisation
from anze.prevention.rules import (
    AnnualState,
    ServiceType,
    ShareRule,
    ShareState,
    TaskMeasure,
    TaskState,
    TopicState,
)

_REGION = "nullif(current_setting('anze.region_from', true), '')"
_SECTOR = "nullif(current_setting('anze.sector', true), '')"
_ISSUED = "state <> 'DRAFT'"
# a task opens to those who were sent for it
_BY_ORDER = f"{_ISSUED} AND id IN (SELECT task_id FROM prevention_order)"


def _codes(title: Any) -> Any:
    return ArrayField(models.CharField(max_length=12), default=list, blank=True, verbose_name=title)


class Topic(ScopedTable):
    """What prevention services are to be about for a time (出题目). A draft is its own authority's alone."""

    policies: ClassVar = {
        "anze_region": f"{_ISSUED} OR (region_code = {_REGION} AND sector = '')",
        "anze_sector": f"{_ISSUED} OR (region_code = {_REGION} AND sector = {_SECTOR})",
        **dict.fromkeys(("anze_insurer", "anze_agency", "anze_expert", "anze_enterprise"), _ISSUED),
    }

    code = models.CharField(_("topic no."), max_length=40, unique=True)
    title = models.CharField(_("title"), max_length=120)
    goals = models.TextField(_("goals"), max_length=2000)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    regions = _codes(_("only in"))
    sectors = _codes(_("only for"))
    state = models.CharField(_("state"), max_length=12, choices=TopicState.choices, default=TopicState.DRAFT)
    issued_at = models.DateTimeField(_("issued at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    result = models.CharField(_("what came of it"), max_length=500, blank=True)
    # Everybody reads a topic, hardly anybody the accident: row-level security keeps the row behind this from all
    # who do not see it anyway, and what the topic itself says names neither the enterprise nor who was hurt.
    accident = models.ForeignKey(
        Accident, models.PROTECT, null=True, blank=True, related_name="topics", verbose_name=_("set after the accident")
    )
    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("set by"))
    # the authority's own, by which its drafts are found
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="topic_days_in_order"),
            models.CheckConstraint(
                condition=models.Q(state="DRAFT", issued_at__isnull=True)
                | models.Q(state__in=("ISSUED", "CLOSED"), issued_at__isnull=False),
                name="topic_issued_with_its_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(state="CLOSED") ^ models.Q(closed_at__isnull=True),
                name="topic_closed_with_its_moment",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-starts_on", "-id"], name="topic_by_day")]

    def __str__(self) -> str:
        return self.title


class Task(ScopedTable):
    """What insurers have to do of a topic, or beside one: so many services of a type in a window (列任务)."""

    policies: ClassVar = {
        "anze_region": _ISSUED,
        "anze_sector": _ISSUED,
        "anze_insurer": f"{_ISSUED} AND id IN (SELECT task_id FROM prevention_taskshare "
        f"WHERE insurer_id = {party('insurer')})",
        **dict.fromkeys(("anze_agency", "anze_expert", "anze_enterprise"), _BY_ORDER),
    }

    code = models.CharField(_("task no."), max_length=40, unique=True)
    title = models.CharField(_("title"), max_length=120)
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name=_("topic")
    )
    goals = models.TextField(_("goals"), max_length=2000, blank=True)
    service_type = models.CharField(_("service"), max_length=12, choices=ServiceType.choices)
    sectors = _codes(_("only for"))
    regions = _codes(_("only in"))
    measure = models.CharField(_("counted by"), max_length=16, choices=TaskMeasure.choices)
    total_times = models.PositiveIntegerField(_("services in all"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    checklist_code = models.CharField(_("checklist"), max_length=40, blank=True)
    rule = models.CharField(_("divided by"), max_length=8, choices=ShareRule.choices)
    base_from = models.DateField(_("premium received from"), null=True)
    base_to = models.DateField(_("premium received until"), null=True)
    fixed = models.JSONField(_("fixed list"), default=dict)  # insurer's code → number
    state = models.CharField(_("state"), max_length=12, choices=TaskState.choices, default=TaskState.DRAFT)
    issued_at = models.DateTimeField(_("issued at"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    reason = models.CharField(_("reason of withdrawal"), max_length=200, blank=True)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("listed by the committee", "task")
        verbose_name_plural = pgettext_lazy("listed by the committee", "tasks")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="task_days_in_order"),
            models.CheckConstraint(
                condition=models.Q(state="DRAFT", issued_at__isnull=True)
                | models.Q(state__in=("ISSUED", "WITHDRAWN"), issued_at__isnull=False),
                name="task_issued_with_its_moment",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="WITHDRAWN") | (models.Q(withdrawn_at__isnull=False) & ~models.Q(reason="")),
                name="task_withdrawn_with_reason",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-starts_on", "-id"], name="task_by_day")]

    def __str__(self) -> str:
        return self.title


class TaskShare(ScopedTable):
    """One insurer's part of a task, and its answer."""

    policies: ClassVar = {
        "anze_region": "true",
        "anze_sector": "true",
        "anze_insurer": f"insurer_id = {party('insurer')}",
    }

    task = models.ForeignKey(Task, models.CASCADE, db_index=False, related_name="shares", verbose_name=_("task"))
    # the task's, so that a plan item that names it is matched in one step
    task_code = models.CharField(_("task no."), max_length=40)
    insurer = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("insurer"))
    part = models.DecimalField(_("share"), max_digits=7, decimal_places=6, null=True)
    times = models.PositiveIntegerField(_("services"))
    inside = models.JSONField(default=dict)  # city or sector → services, where the rule divides by it
    state = models.CharField(_("state"), max_length=12, choices=ShareState.choices, default=ShareState.SENT)
    answer_due_at = models.DateTimeField(_("answer due at"))
    answered_at = models.DateTimeField(_("answered at"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("insurer's share of a task")
        verbose_name_plural = _("insurers' shares of tasks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "insurer"], name="task_share_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=("SENT", "WITHDRAWN")) | models.Q(answered_at__isnull=False),
                name="task_share_answered_with_its_moment",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="DECLINED") | ~models.Q(reason=""), name="task_share_declined_with_reason"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-answer_due_at", "-id"], name="task_share_by_deadline")]

    def __str__(self) -> str:
        return f"{self.task_code} · {self.times}"


class AnnualPlan(ScopedTable):
    """An insurer's service plan of a year with its budget target, judged by the committee."""

    policies: ClassVar = {
        "anze_region": _ISSUED,
        "anze_sector": _ISSUED,
        "anze_insurer": f"insurer_id = {party('insurer')}",
    }

    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    services = models.JSONField(_("services by type"), default=dict)
    total_times = models.PositiveIntegerField(_("services in all"))
    enterprises = models.PositiveIntegerField(_("enterprises to be served"))
    budget = models.DecimalField(_("expense budget target"), max_digits=14, decimal_places=2)
    text = models.TextField(_("measures"), max_length=4000, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=AnnualState.choices, default=AnnualState.DRAFT)
    due_at = models.DateTimeField(_("due at"))
    submitted_at = models.DateTimeField(_("submitted at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("annual service plan")
        verbose_name_plural = _("annual service plans")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "year"], name="annual_plan_once"),
            models.CheckConstraint(
                condition=models.Q(state="DRAFT") | models.Q(submitted_at__isnull=False),
                name="annual_plan_submitted_with_its_moment",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="RETURNED") | ~models.Q(reason=""), name="annual_plan_returned_with_reason"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-year", "-id"], name="annual_plan_by_year")]

    def __str__(self) -> str:
        return str(self.year)

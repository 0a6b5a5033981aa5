"""Alerts that were raised, the runs that raised them, and what has changed since the last run."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.alert import ALERTS, AlertLevel
from anze.kernel.duty import Party
from anze.kernel.models import PrivateTable, ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import READERS, party
from anze.monitoring.rules.alerts import AlertState, Closing, Reached
from anze.parties.models import Enterprise, Expert, Organisation

_OPEN = ~models.Q(state="CLOSED")


def _concerns(reader: str, condition: str, who: Party) -> dict[str, str]:
    """Those concerned see only what is meant for them: a hint to an authority is not for whom it is about."""
    return {reader: f"({condition}) AND '{who.value}' = ANY (parties)"}


class Alert(ScopedTable):
    """One cause somebody should know of. There is never a second row for it: it may be opened again.

    The columns that name who it is about are keys without a constraint, like those of the records it rests on.
    """

    # raised and closed by the thousand; what a person does with one is in the audit log
    keeps_history = False
    policies: ClassVar = {
        **_concerns("anze_insurer", READERS["anze_insurer"][1], Party.INSURER),
        **_concerns("anze_agency", READERS["anze_agency"][1], Party.AGENCY),
        **_concerns("anze_enterprise", READERS["anze_enterprise"][1], Party.ENTERPRISE),
        **_concerns("anze_expert", f"expert_id = {party('expert')}", Party.EXPERT),
    }

    code = models.CharField(pgettext_lazy("alert", "rule"), max_length=40)
    subject = models.UUIDField()
    episode = models.CharField(max_length=80)
    level = models.CharField(pgettext_lazy("alert", "level"), max_length=10, choices=AlertLevel.choices)
    state = models.CharField(_("state"), max_length=10, choices=AlertState.choices, default=AlertState.OPEN)
    parties = ArrayField(models.CharField(max_length=12, choices=Party.choices), verbose_name=_("who acts"))
    reached = models.CharField(
        _("come up to"), max_length=10, choices=Reached.choices, blank=True, default="", db_default=""
    )
    reached_at = models.DateTimeField(_("came up at"), null=True)
    row_id = models.UUIDField()  # what its remedy opens
    label = models.CharField(pgettext_lazy("alert", "about"), max_length=200)
    facts = models.JSONField(default=dict)
    begins_on = models.DateField(_("since"))
    due_on = models.DateField(_("by when"))
    opened_at = models.DateTimeField(pgettext_lazy("alert", "raised at"))
    taken_at = models.DateTimeField(_("taken in hand at"), null=True)
    taken_by = models.CharField(_("taken in hand by"), max_length=120, blank=True, default="", db_default="")
    closed_at = models.DateTimeField(pgettext_lazy("alert", "closed at"), null=True)
    closed_by = models.CharField(
        pgettext_lazy("alert", "closed by"), max_length=120, blank=True, default="", db_default=""
    )
    closing = models.CharField(
        _("why closed"), max_length=12, choices=Closing.choices, blank=True, default="", db_default=""
    )
    is_useful = models.BooleanField(_("was of use"), null=True)
    reason = models.CharField(pgettext_lazy("alert", "reason"), max_length=500, blank=True, default="", db_default="")
    evidence = models.CharField(
        pgettext_lazy("alert", "evidence"), max_length=300, blank=True, default="", db_default=""
    )
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+",
        verbose_name=_("enterprise"),
    )  # fmt: skip
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+",
        verbose_name=_("insurer"),
    )  # fmt: skip
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+",
        verbose_name=_("agency"),
    )  # fmt: skip
    expert = models.ForeignKey(
        Expert, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+",
        verbose_name=_("expert"),
    )  # fmt: skip
    region_code = models.CharField(_("region"), max_length=6, blank=True)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "subject", "episode"], name="one_alert_for_one_cause"),
            models.CheckConstraint(
                condition=models.Q(state="CLOSED", closed_at__isnull=False) & ~models.Q(closing="")
                | _OPEN & models.Q(closed_at__isnull=True, closing=""),
                name="closed_alert_says_why",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="HANDLING") | models.Q(taken_at__isnull=False),
                name="alert_in_hand_has_its_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(closing__in=("", "GONE")) | ~models.Q(reason=""),
                name="alert_closed_by_word_has_reason",
            ),
        ]
        # the few that are open are found among millions that are not
        indexes: ClassVar = [
            models.Index(fields=["due_on", "id"], name="alert_open_by_day", condition=_OPEN),
            models.Index(fields=["region_code", "due_on", "id"], name="alert_open_by_region", condition=_OPEN),
            models.Index(fields=["insurer", "due_on", "id"], name="alert_open_by_insurer", condition=_OPEN),
            models.Index(fields=["agency", "due_on", "id"], name="alert_open_by_agency", condition=_OPEN),
            models.Index(fields=["enterprise", "due_on", "id"], name="alert_open_by_enterprise", condition=_OPEN),
            models.Index(fields=["expert", "due_on", "id"], name="alert_open_by_expert", condition=_OPEN),
            models.Index(fields=["code", "due_on"], name="alert_open_by_rule", condition=_OPEN),
            models.Index(fields=["due_on", "id"], name="alert_by_day"),
            models.Index(fields=["insurer", "due_on", "id"], name="alert_by_insurer"),
            models.Index(fields=["region_code", "due_on", "id"], name="alert_by_region"),
            models.Index(fields=["code", "closing", "is_useful"], name="alert_by_rule"),
        ]

    def __str__(self) -> str:
        rule = ALERTS.get(self.code)
        return f"{rule.title if rule else self.code} · {self.label}"


class Raising(PrivateTable):
    """One run over all rules, so that somebody can see that they are watched, how long it took and what came of it."""

    at = models.DateTimeField()
    is_full = models.BooleanField()
    opened = models.PositiveIntegerField()
    reopened = models.PositiveIntegerField()
    closed = models.PositiveIntegerField()
    escalated = models.PositiveIntegerField()
    seconds = models.FloatField()

    class Meta:
        verbose_name = _("run over the alert rules")
        verbose_name_plural = _("runs over the alert rules")
        indexes: ClassVar = [models.Index(fields=["-at"], name="raising_by_time")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class TouchedSubject(models.Model):
    """A group of rows that changed since its alerts were last judged. Written with the refresh of the figures."""

    id = models.BigAutoField(primary_key=True)
    table_name = models.CharField(max_length=63)
    column = models.CharField(max_length=63)
    subject = models.UUIDField(null=True)  # NULL: everything

    is_queue: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"{self.table_name}.{self.column} {self.subject}"

"""What is found wrong with cover, and what was said about it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import ScopedTable
from anze.parties.models import Organisation
from anze.underwriting.models.policies import Policy
from anze.underwriting.models.register import Obligation, OnEnterprise
from anze.underwriting.rules import Answer, Closing, FindingKind, FindingState, NoteKind, OtherKind, Side


class Substitute(OnEnterprise):
    """Insurance of another kind that was offered in the place of work-safety liability insurance."""

    kind = models.CharField(_("kind"), max_length=12, choices=OtherKind.choices)
    insurer_name = models.CharField(_("insurer"), max_length=120)
    policy_no = models.CharField(_("policy no."), max_length=50)
    start_on = models.DateField(_("in force from"))
    end_on = models.DateField(_("in force until"))
    told_by = models.CharField(_("told by"), max_length=120)
    told_at = models.DateTimeField(_("told at"))

    class Meta:
        verbose_name = _("insurance of another kind")
        verbose_name_plural = _("insurance of another kind")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["enterprise", "policy_no"], name="substitute_once"),
            models.CheckConstraint(
                condition=models.Q(end_on__gte=models.F("start_on")), name="substitute_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.policy_no}"


class Finding(OnEnterprise):
    """Something wrong with the cover of an enterprise, found by the same rule as the coverage figures.

    One open finding for one thing; it closes by itself when its cause is gone. `insurer` is whose policy it is
    about, for an uninsured enterprise the one that covered it last.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=FindingKind.choices)
    subject = models.UUIDField(editable=False)  # the register entry, policy or substitute it is about
    obligation = models.ForeignKey(
        Obligation, models.SET_NULL, null=True, db_constraint=False, related_name="+", verbose_name=_("register entry")
    )
    policy = models.ForeignKey(
        Policy, models.SET_NULL, null=True, db_constraint=False, related_name="+", verbose_name=_("policy")
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+",
        verbose_name=_("insurer"),
    )  # fmt: skip
    since_on = models.DateField(_("since"))
    measured = models.DecimalField(_("as found"), max_digits=18, decimal_places=6, null=True)
    required = models.DecimalField(_("as it should be"), max_digits=18, decimal_places=6, null=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=FindingState.choices)
    opened_at = models.DateTimeField(_("found at"))
    reminded_at = models.DateTimeField(_("last reminded at"), null=True)
    reminders = models.PositiveSmallIntegerField(_("reminders"), default=0, db_default=0)
    reply_due_at = models.DateTimeField(_("answer due at"), null=True)
    replied_at = models.DateTimeField(_("answered at"), null=True)
    answer = models.CharField(
        pgettext_lazy("cover finding", "answer"),
        max_length=12,
        choices=Answer.choices,
        blank=True,
        default="",
        db_default="",
    )
    promised_on = models.DateField(_("promised for"), null=True)
    closed_at = models.DateTimeField(_("finding closed at"), null=True)
    closing = models.CharField(
        _("closed because"), max_length=10, choices=Closing.choices, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("finding about cover")
        verbose_name_plural = _("findings about cover")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=~models.Q(state="CLOSED"), name="one_open_finding_a_cause"
            ),
            models.CheckConstraint(
                condition=(models.Q(state="CLOSED") & models.Q(closed_at__isnull=False) & ~models.Q(closing=""))
                | (~models.Q(state="CLOSED") & models.Q(closed_at__isnull=True) & models.Q(closing="")),
                name="finding_closed_with_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="REMINDED")
                | (models.Q(reminded_at__isnull=False) & models.Q(reply_due_at__isnull=False)),
                name="finding_reminded_with_deadline",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="REPLIED") | (models.Q(replied_at__isnull=False) & ~models.Q(answer="")),
                name="finding_answered_with_answer",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-since_on", "-id"], name="finding_by_day"),
            models.Index(fields=["kind", "state", "-since_on", "-id"], name="finding_by_kind"),
            models.Index(fields=["enterprise"], name="finding_by_enterprise"),
            models.Index(fields=["insurer", "-since_on", "-id"], name="finding_by_insurer"),
            models.Index(fields=["region_code", "-since_on", "-id"], name="finding_by_region"),
            models.Index(fields=["policy"], name="finding_by_policy"),
            models.Index(fields=["kind", "subject"], name="finding_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.enterprise}"


class FindingNote(ScopedTable):
    """What was said about a finding: a reminder, an answer, the reason it was closed with."""

    is_append_only = True
    keeps_history = False

    finding = models.ForeignKey(Finding, models.CASCADE, related_name="notes")
    kind = models.CharField(_("kind"), max_length=10, choices=NoteKind.choices)
    side = models.CharField(_("side"), max_length=12, choices=Side.choices)
    said_by = models.CharField(_("told by"), max_length=120)
    said_at = models.DateTimeField(_("at"))
    answer = models.CharField(
        pgettext_lazy("cover finding", "answer"), max_length=12, choices=Answer.choices, blank=True
    )
    words = models.CharField(_("words"), max_length=1000, blank=True)
    enterprise_id = models.UUIDField()
    insurer_id = models.UUIDField(null=True)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12)

    class Meta:
        verbose_name = _("note on a finding")
        verbose_name_plural = _("notes on a finding")
        indexes: ClassVar = [models.Index(fields=["finding", "said_at"], name="finding_note_by_moment")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.said_by}"

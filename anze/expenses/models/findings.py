"""What the match of services, invoices and payments found."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.expenses.models.records import Expense
from anze.expenses.rules import FindingKind, FindingState
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, Organisation
from anze.prevention.models import Service
from anze.underwriting.models import Policy


class ExpenseFinding(ScopedTable):
    """One doubt about one payment, about what is charged for one service, or about the payments of one policy.

    It belongs to the readers of that payment or policy. `other` is the payment it collides with: where that is
    another insurer's, its row opens to those alone who are set over both; the finding itself tells nothing of it.
    """

    # an enterprise and an agency are told what was spent, not what is in doubt about it
    policies: ClassVar = {"anze_enterprise": "false", "anze_agency": "false"}

    kind = models.CharField(_("finding"), max_length=20, choices=FindingKind.choices)
    # the service where it is about what is charged for it, else the expense, else the policy: one of a kind for each
    subject_id = models.UUIDField(editable=False)
    expense = models.ForeignKey(Expense, models.CASCADE, null=True, related_name="doubts", verbose_name=_("expense"))
    service = models.ForeignKey(
        Service, models.CASCADE, null=True, related_name="expense_findings", verbose_name=_("service")
    )
    policy = models.ForeignKey(
        Policy, models.CASCADE, db_constraint=False, related_name="expense_findings", verbose_name=_("policy")
    )
    other = models.ForeignKey(Expense, models.CASCADE, null=True, related_name="+", verbose_name=_("other payment"))
    is_across = models.BooleanField(_("another insurer's too"), default=False)
    amount = models.DecimalField(_("amount in doubt"), max_digits=14, decimal_places=2)
    facts = models.JSONField(_("numbers"), default=dict)
    found_at = models.DateTimeField(_("found at"))
    state = models.CharField(_("state"), max_length=10, choices=FindingState.choices, default=FindingState.OPEN)
    answer = models.CharField(_("the insurer's explanation"), max_length=300, blank=True, default="", db_default="")
    answered_at = models.DateTimeField(_("answered at"), null=True)
    answered_by_name = models.CharField(_("answered by"), max_length=120, blank=True, default="", db_default="")
    reason = models.CharField(_("reason of the decision"), max_length=300, blank=True, default="", db_default="")
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by_name = models.CharField(_("decided by"), max_length=120, blank=True, default="", db_default="")
    gone_at = models.DateTimeField(_("cause gone at"), null=True)
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, related_name="+", verbose_name=_("enterprise")
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("finding about expenses")
        verbose_name_plural = _("findings about expenses")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject_id"], name="expense_finding_once"),
            models.CheckConstraint(
                condition=~models.Q(state__in=("JUSTIFIED", "CONFIRMED"))
                | (models.Q(decided_at__isnull=False) & ~models.Q(reason="")),
                name="expense_finding_decided_with_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(state="GONE", gone_at__isnull=False)
                | (~models.Q(state="GONE") & models.Q(gone_at__isnull=True)),
                name="expense_finding_gone_at",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-found_at", "-id"], name="expense_finding_by_time"),
            models.Index(fields=["region_code", "-found_at", "-id"], name="expense_finding_by_region"),
            models.Index(fields=["insurer", "-found_at", "-id"], name="expense_finding_by_insurer"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}"

"""Accidents, claims, victims without names, and payments: the records insurers report or make here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.claims.rules import (
    AccidentClass,
    AccidentType,
    ClaimState,
    InjuryDegree,
    PaymentKind,
    RejectCode,
    VictimKind,
)
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, OfInsurer, Organisation
from anze.underwriting.models import Policy


class Accident(OfInsurer):
    """An accident at an insured enterprise, as its insurer reports it."""

    accident_no = models.CharField(_("accident no."), max_length=50)
    occurred_at = models.DateTimeField(_("occurred at"))
    place = models.CharField(_("place"), max_length=200)
    kind = models.CharField(_("type"), max_length=12, choices=AccidentType.choices)
    accident_class = models.CharField(_("class"), max_length=12, choices=AccidentClass.choices, editable=False)
    deaths = models.PositiveSmallIntegerField(_("deaths"))
    serious_injuries = models.PositiveSmallIntegerField(_("serious injuries"))
    minor_injuries = models.PositiveSmallIntegerField(_("minor injuries"))
    direct_loss = models.DecimalField(_("direct loss"), max_digits=16, decimal_places=2)
    hits_third_party = models.BooleanField(_("third party affected"))
    learned_at = models.DateTimeField(_("the head of the unit learned of it at"), null=True)
    reported_at = models.DateTimeField(_("reported to the authority at"), null=True)
    authority_due_at = models.DateTimeField(_("report to the authority due"), null=True, editable=False)
    counted_on = models.DateField(_("casualties as of"), null=True)
    counts_until_on = models.DateField(_("casualties count until"), null=True, editable=False)
    description = models.CharField(_("description"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("accident")
        verbose_name_plural = _("accidents")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "accident_no"], name="accident_no_once_per_insurer")
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise"], name="accident_by_enterprise"),
            models.Index(fields=["-occurred_at", "-id"], name="accident_by_moment"),
        ]

    def __str__(self) -> str:
        return self.accident_no


class Claim(OfInsurer):
    """A claim under one policy. Every step keeps its own moment; the four legal clocks run between them."""

    claim_no = models.CharField(_("claim no."), max_length=50)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="claims", verbose_name=_("policy"))
    accident = models.ForeignKey(Accident, models.PROTECT, null=True, related_name="claims", verbose_name=_("accident"))
    state = models.CharField(_("state"), max_length=14, choices=ClaimState.choices)
    loss_on = models.DateField(_("day of loss"))
    notified_at = models.DateTimeField(_("loss notified at"))
    registered_at = models.DateTimeField(_("registered at"), null=True)
    surveyed_at = models.DateTimeField(_("surveyed at"), null=True)
    docs_asked_at = models.DateTimeField(_("missing documents asked for at"), null=True)
    docs_missing = models.CharField(_("what was missing"), max_length=500, blank=True, default="", db_default="")
    docs_complete_at = models.DateTimeField(_("documents complete at"), null=True)
    assessed_at = models.DateTimeField(_("assessed at"), null=True)
    agreed_at = models.DateTimeField(_("amount agreed at"), null=True)
    paid_at = models.DateTimeField(_("paid at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    claimed = models.DecimalField(_("amount claimed"), max_digits=14, decimal_places=2)
    outstanding = models.DecimalField(_("outstanding reserve"), max_digits=14, decimal_places=2)
    assessed = models.DecimalField(_("amount assessed"), max_digits=14, decimal_places=2, null=True)
    agreed = models.DecimalField(_("amount agreed on"), max_digits=14, decimal_places=2, null=True)
    reject_code = models.CharField(
        _("ground of the rejection"), max_length=16, choices=RejectCode.choices, blank=True, default="", db_default=""
    )
    reject_reason = models.CharField(_("reason for rejection"), max_length=200, blank=True)
    refusal_sent_at = models.DateTimeField(_("refusal letter sent at"), null=True)
    # ends of the four clocks of the insurance law, computed whenever the claim is written
    assess_due_at = models.DateTimeField(_("assessment due"), null=True, editable=False)
    advance_due_at = models.DateTimeField(_("advance payment due"), null=True, editable=False)
    pay_due_at = models.DateTimeField(_("payment due"), null=True, editable=False)
    refusal_due_at = models.DateTimeField(_("refusal letter due"), null=True, editable=False)

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "claim_no"], name="claim_no_once_per_insurer"),
            models.CheckConstraint(
                condition=models.Q(agreed__isnull=True)
                | models.Q(assessed__isnull=True)
                | models.Q(agreed__lte=models.F("assessed")),
                name="claim_agreed_within_assessed",
            ),
            models.CheckConstraint(
                condition=models.Q(refusal_sent_at__isnull=True) | models.Q(state="REJECTED"),
                name="refusal_letter_of_rejected_claim",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise", "loss_on"], name="claim_by_enterprise"),
            models.Index(fields=["-notified_at", "-id"], name="claim_by_moment"),
            # the few that are still open: their clocks are asked for again and again
            models.Index(
                fields=["-notified_at", "-id"],
                name="claim_open_by_moment",
                condition=models.Q(closed_at__isnull=True),
            ),
            models.Index(fields=["claim_no"], name="claim_by_number", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.claim_no


class ClaimPart(ScopedTable):
    """A numbered line under a claim; carries the claim's scope."""

    seq = models.PositiveSmallIntegerField(_("no."))
    # lines are read through their claim
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    insurer = models.ForeignKey(Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        abstract = True


class Victim(ClaimPart):
    """Who was hurt, without name or identity: those stay with the insurer (个人信息保护法)."""

    claim = models.ForeignKey(Claim, models.CASCADE, db_index=False, related_name="victims")
    kind = models.CharField(_("kind"), max_length=12, choices=VictimKind.choices)
    degree = models.CharField(_("degree"), max_length=10, choices=InjuryDegree.choices)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = _("victim")
        verbose_name_plural = _("victims")
        constraints: ClassVar = [models.UniqueConstraint(fields=["claim", "seq"], name="victim_once")]

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.seq}"


class Payment(ClaimPart):
    """Money paid under a claim, or recovered (negative in the sums)."""

    is_counted = True

    claim = models.ForeignKey(Claim, models.CASCADE, db_index=False, related_name="payments")
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=12, choices=PaymentKind.choices)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    paid_on = models.DateField(_("paid on"))

    class Meta:
        verbose_name = _("claim payment")
        verbose_name_plural = _("claim payments")
        constraints: ClassVar = [models.UniqueConstraint(fields=["claim", "seq"], name="claim_payment_once")]

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.seq}"

"""The steps of a claim taken on the platform, and the notices of losses it begins with."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.claims.models.claims import Claim
from anze.claims.rules import AccidentType, ClaimParty, ClaimState, ClaimStepKind, NoticeState
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, Organisation
from anze.underwriting.models import Policy

# seen with the claim itself: a correction may give its policy to another enterprise
_WITH_CLAIM = "EXISTS (SELECT 1 FROM claims_claim c WHERE c.id = claim_id)"


class ClaimStep(ScopedTable):
    """One step, as it was taken: who, when, with which words, to whom, how much. Only ever added to.

    What an insurer's system alone has moved needs no rows: its moments stand in the claim and its history.
    """

    keeps_history = False
    is_append_only: ClassVar[bool] = True
    policies: ClassVar = dict.fromkeys(("anze_region", "anze_sector", "anze_insurer", "anze_enterprise"), _WITH_CLAIM)

    claim = models.ForeignKey(Claim, models.PROTECT, db_index=False, related_name="steps", verbose_name=_("claim"))
    kind = models.CharField(_("step"), max_length=14, choices=ClaimStepKind.choices)
    at = models.DateTimeField(_("at"))
    from_state = models.CharField(_("state before"), max_length=14, choices=ClaimState.choices)
    to_state = models.CharField(_("state after"), max_length=14, choices=ClaimState.choices)
    party = models.CharField(_("acting as"), max_length=10, choices=ClaimParty.choices)
    by = models.UUIDField(_("account"), null=True)
    by_name = models.CharField(_("who"), max_length=120)
    organisation_name = models.CharField(_("organisation"), max_length=160, blank=True)
    words = models.CharField(_("words"), max_length=1000, blank=True)
    to_whom = models.CharField(_("to whom"), max_length=120, blank=True)
    number = models.CharField(_("number"), max_length=40, blank=True)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2, null=True)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    insurer_id = models.UUIDField()
    enterprise_id = models.UUIDField()

    class Meta:
        verbose_name = _("step of a claim")
        verbose_name_plural = _("steps of a claim")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(kind__in=("ASKED", "DISPUTED", "REJECTED", "CANCELLED", "CLOSED_ZERO"))
                | ~models.Q(words=""),
                name="claim_step_says_why",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["claim", "at"], name="claim_step_by_claim")]

    def __str__(self) -> str:
        return f"{self.claim_id} {self.kind}"


class LossNotice(ScopedTable):
    """An enterprise tells its insurer of a loss (报案), often from a phone; the insurer registers the claim from it.

    Nothing is counted from a notice: the accident and the claim are records of their own, made by the registration.
    """

    notice_no = models.CharField(_("notice no."), max_length=40, unique=True)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="+", verbose_name=_("policy"))
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="+", verbose_name=_("enterprise"))
    insurer = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("insurer"))
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    state = models.CharField(_("state"), max_length=12, choices=NoticeState.choices, default=NoticeState.SENT)
    occurred_at = models.DateTimeField(_("occurred at"))
    place = models.CharField(_("place"), max_length=200)
    kind = models.CharField(_("type"), max_length=12, choices=AccidentType.choices)
    deaths = models.PositiveSmallIntegerField(_("deaths"), default=0)
    serious_injuries = models.PositiveSmallIntegerField(_("serious injuries"), default=0)
    minor_injuries = models.PositiveSmallIntegerField(_("minor injuries"), default=0)
    hits_third_party = models.BooleanField(_("third party affected"), default=False)
    claimed = models.DecimalField(_("amount claimed"), max_digits=14, decimal_places=2)
    description = models.CharField(_("description"), max_length=500)
    learned_at = models.DateTimeField(_("the head of the unit learned of it at"), null=True)
    reported_at = models.DateTimeField(_("reported to the authority at"), null=True)
    contact = models.CharField(_("who can be asked"), max_length=60)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    sent_at = models.DateTimeField(_("sent at"))
    sent_by = models.CharField(_("sent by"), max_length=120)
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="notices", verbose_name=_("claim"))
    answered_at = models.DateTimeField(_("registered or withdrawn at"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("loss notice")
        verbose_name_plural = _("loss notices")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="REGISTERED", claim__isnull=False)
                | (~models.Q(state="REGISTERED") & models.Q(claim__isnull=True)),
                name="registered_notice_has_claim",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="WITHDRAWN") | ~models.Q(reason=""), name="withdrawn_notice_says_why"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-sent_at", "-id"], name="loss_notice_by_moment")]

    def __str__(self) -> str:
        return self.notice_no

"""What insurers publish about themselves, what enterprises ask for, and what is offered to them.

An offer is seen by the enterprise it is made to, the insurer that made it and the authorities; row-level security
keeps it from every other insurer, and who else was asked is kept from them too.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import PublicTable
from anze.kernel.rules import Sector, ServiceType
from anze.kernel.scope import party
from anze.parties.models import Organisation
from anze.underwriting.models.policies import Policy
from anze.underwriting.models.register import OnEnterprise
from anze.underwriting.rules.choosing import OfferState, QuoteState


def _insurer(**words: Any) -> Any:
    return models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+",
        verbose_name=_("insurer"), **words,
    )  # fmt: skip


class InsurerProfile(PublicTable):
    """What an insurer tells everybody: what it promises, and how it is reached."""

    insurer = models.OneToOneField(Organisation, models.CASCADE, related_name="profile", verbose_name=_("insurer"))
    about = models.CharField(_("about us"), max_length=1000, blank=True)
    promise = models.CharField(_("service promise"), max_length=1000, blank=True)
    hotline = models.CharField(_("hotline"), max_length=30, blank=True)
    sectors = ArrayField(
        models.CharField(max_length=12, choices=Sector.choices), default=list, verbose_name=_("sectors")
    )
    updated_on = models.DateField(_("updated on"))

    class Meta:
        verbose_name = _("insurer's profile")
        verbose_name_plural = _("insurers' profiles")

    def __str__(self) -> str:
        return str(self.insurer)


class Product(PublicTable):
    """A product of work-safety liability insurance an insurer offers."""

    insurer = models.ForeignKey(Organisation, models.CASCADE, related_name="products", verbose_name=_("insurer"))
    name = models.CharField(_("product"), max_length=120)
    wording_no = models.CharField(_("wording no."), max_length=60, blank=True)
    sectors = ArrayField(
        models.CharField(max_length=12, choices=Sector.choices), default=list, verbose_name=_("sectors")
    )
    least_limit = models.DecimalField(_("limit per person from"), max_digits=14, decimal_places=2)
    most_limit = models.DecimalField(_("limit per person up to"), max_digits=14, decimal_places=2)
    visits = models.PositiveSmallIntegerField(_("visits a year"), default=1)
    about = models.CharField(_("what it covers"), max_length=500, blank=True)
    offered_to_on = models.DateField(_("offered until"), null=True, blank=True)

    class Meta:
        verbose_name = _("insurance product")
        verbose_name_plural = _("insurance products")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "name"], name="product_once_an_insurer"),
            models.CheckConstraint(
                condition=models.Q(most_limit__gte=models.F("least_limit")), name="product_limits_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class QuoteRequest(OnEnterprise):
    """An enterprise asks insurers of its choice for an offer. `levels` is how it stood in every factor that day."""

    policies: ClassVar = {
        "anze_insurer": f"id IN (SELECT request_id FROM underwriting_invitation WHERE insurer_id = {party('insurer')})",
    }

    request_no = models.CharField(_("request no."), max_length=30, unique=True)
    workers = models.PositiveIntegerField(_("workers to be insured"))
    registered_workers = models.PositiveIntegerField(_("registered workers"))
    limit_per_person = models.DecimalField(_("limit per person"), max_digits=14, decimal_places=2)
    limit_per_accident = models.DecimalField(_("limit per accident"), max_digits=16, decimal_places=2)
    aggregate_limit = models.DecimalField(_("aggregate limit"), max_digits=16, decimal_places=2)
    start_on = models.DateField(_("cover from"))
    end_on = models.DateField(_("cover until"))
    wishes = models.CharField(_("wishes"), max_length=500, blank=True)
    levels = models.JSONField(_("factors"), default=list)
    trial_premium = models.DecimalField(_("premium as tried out"), max_digits=14, decimal_places=2)
    asked_at = models.DateTimeField(_("asked at"))
    asked_by = models.CharField(_("asked by"), max_length=120)
    answer_due_at = models.DateTimeField(_("offers due at"))
    state = models.CharField(_("state"), max_length=10, choices=QuoteState.choices)
    closed_at = models.DateTimeField(pgettext_lazy("quote", "closed at"), null=True)

    class Meta:
        verbose_name = _("request for quotes")
        verbose_name_plural = _("requests for quotes")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(end_on__gt=models.F("start_on")), name="request_ends_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(state="OPEN") ^ models.Q(closed_at__isnull=False), name="request_closed_with_moment"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-asked_at", "-id"], name="quote_request_by_moment"),
            models.Index(fields=["enterprise", "-asked_at"], name="quote_request_by_enterprise"),
        ]

    def __str__(self) -> str:
        return self.request_no


class Invitation(OnEnterprise):
    """One insurer that was asked. Nobody sees who else was."""

    request = models.ForeignKey(QuoteRequest, models.CASCADE, related_name="invitations", verbose_name=_("request"))
    insurer = _insurer()
    declined_at = models.DateTimeField(_("declined at"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("invitation to quote")
        verbose_name_plural = _("invitations to quote")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "insurer"], name="invited_once"),
            models.CheckConstraint(
                condition=models.Q(declined_at__isnull=True) | ~models.Q(reason=""), name="declined_with_reason"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["insurer", "request"], name="invitation_by_insurer")]

    def __str__(self) -> str:
        return f"{self.request} · {self.insurer}"


class Offer(OnEnterprise):
    """What an insurer offers; accepted in time, it becomes the policy."""

    offer_no = models.CharField(_("offer no."), max_length=30, unique=True)
    request = models.ForeignKey(QuoteRequest, models.PROTECT, related_name="offers", verbose_name=_("request"))
    insurer = _insurer()
    product_name = models.CharField(_("product"), max_length=120)
    wording_no = models.CharField(_("wording no."), max_length=60, blank=True)
    limit_per_person = models.DecimalField(_("limit per person"), max_digits=14, decimal_places=2)
    limit_per_accident = models.DecimalField(_("limit per accident"), max_digits=16, decimal_places=2)
    aggregate_limit = models.DecimalField(_("aggregate limit"), max_digits=16, decimal_places=2)
    rate_base = models.DecimalField(_("base rate"), max_digits=9, decimal_places=6)
    rate_factors = models.JSONField(_("rate factors"), default=list)
    rate_final = models.DecimalField(_("final rate"), max_digits=9, decimal_places=6)
    premium = models.DecimalField(_("premium"), max_digits=14, decimal_places=2)
    agreed_expense_ratio = models.DecimalField(_("agreed prevention expense ratio"), max_digits=6, decimal_places=4)
    service_types = ArrayField(
        models.CharField(max_length=12, choices=ServiceType.choices), default=list, verbose_name=_("agreed services")
    )
    visits = models.PositiveSmallIntegerField(_("agreed visits a year"))
    words = models.CharField(pgettext_lazy("offer", "what else it promises"), max_length=500, blank=True)
    valid_to_on = models.DateField(_("holds until"))
    state = models.CharField(_("state"), max_length=10, choices=OfferState.choices)
    sent_at = models.DateTimeField(pgettext_lazy("offer", "sent at"))
    answered_at = models.DateTimeField(_("answered at"), null=True)
    policy = models.ForeignKey(
        Policy, models.SET_NULL, null=True, db_constraint=False, related_name="+", verbose_name=_("policy")
    )

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request", "insurer"], condition=models.Q(state="SENT"), name="one_standing_offer_an_insurer"
            ),
            models.UniqueConstraint(
                fields=["request"], condition=models.Q(state="ACCEPTED"), name="one_accepted_offer_a_request"
            ),
            models.CheckConstraint(
                condition=models.Q(state="SENT") ^ models.Q(answered_at__isnull=False), name="offer_ended_with_moment"
            ),
            models.CheckConstraint(condition=~models.Q(state="LAPSED"), name="offer_lapses_by_the_day_only"),
            models.CheckConstraint(condition=models.Q(premium__gt=0), name="offer_with_premium"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-sent_at", "-id"], name="offer_by_moment"),
            models.Index(fields=["insurer", "-sent_at", "-id"], name="offer_by_insurer"),
            models.Index(fields=["enterprise"], name="offer_by_enterprise"),
            models.Index(fields=["policy"], name="offer_by_policy"),
        ]

    def __str__(self) -> str:
        return self.offer_no

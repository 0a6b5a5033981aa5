"""The policies: who is insured, for whom and how much, what became of it, and the premium received."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.parties.models import OfInsurer
from anze.underwriting.rules import NEW_BUSINESS_AFTER, RENEWS_EARLY, EndorsementKind, UnderwritingNature


class Policy(OfInsurer):
    """A contract. Amounts in yuan; the days include `start_on` and `end_on`."""

    policy_no = models.CharField(_("policy no."), max_length=50)
    branch_code = models.CharField(_("branch code"), max_length=20, blank=True)
    product_name = models.CharField(_("product"), max_length=120, blank=True)
    wording_no = models.CharField(_("wording no."), max_length=60, blank=True)
    nature = models.CharField(_("underwriting"), max_length=12, choices=UnderwritingNature.choices)
    coinsurers = models.JSONField(_("co-insurers"), default=list)
    holder_name = models.CharField(_("policyholder"), max_length=120)
    holder_uscc = models.CharField(_("policyholder's credit code"), max_length=18, blank=True)
    applied_on = models.DateField(_("applied on"))
    issued_on = models.DateField(_("issued on"))
    start_on = models.DateField(pgettext_lazy("policy", "in force from"))
    end_on = models.DateField(pgettext_lazy("policy", "in force until"))
    insured_workers = models.PositiveIntegerField(_("insured workers"))
    registered_workers = models.PositiveIntegerField(_("registered workers"), null=True)
    worker_list_hash = models.CharField(_("fingerprint of the worker list"), max_length=64, blank=True)
    limit_per_person = models.DecimalField(_("limit per person"), max_digits=14, decimal_places=2)
    limit_per_accident = models.DecimalField(_("limit per accident"), max_digits=16, decimal_places=2)
    aggregate_limit = models.DecimalField(_("aggregate limit"), max_digits=16, decimal_places=2)
    premium_written = models.DecimalField(_("premium written"), max_digits=14, decimal_places=2)
    rate_base = models.DecimalField(_("base rate"), max_digits=9, decimal_places=6, null=True)
    rate_factors = models.JSONField(_("rate factors"), default=list)
    rate_final = models.DecimalField(_("final rate"), max_digits=9, decimal_places=6, null=True)
    agreed_expense_ratio = models.DecimalField(
        _("agreed prevention expense ratio"), max_digits=6, decimal_places=4, null=True
    )
    agreed_service_types = ArrayField(models.CharField(max_length=12), default=list, verbose_name=_("agreed services"))
    agreed_frequency = models.PositiveSmallIntegerField(_("agreed visits a year"), null=True)
    is_renewal = models.BooleanField(_("renewal"))
    previous_policy_no = models.CharField(_("previous policy no."), max_length=50, blank=True)
    project_name = models.CharField(_("construction project"), max_length=160, blank=True)
    permit_no = models.CharField(_("construction permit no."), max_length=60, blank=True)
    project_address = models.CharField(_("project address"), max_length=200, blank=True)
    # visits a year by the frequency matrix of its first day, for risk and size of the enterprise then
    usual_visits = models.PositiveSmallIntegerField(_("usual visits a year"), default=1, db_default=1, editable=False)
    # what endorsements made of it, rewritten whenever one arrives, so that lists and figures need no join
    cancelled_on = models.DateField(_("cancelled from"), null=True, editable=False)
    cover_end_on = models.DateField(_("last day of cover"), editable=False)

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "policy_no"], name="policy_no_once_per_insurer"),
            models.CheckConstraint(condition=models.Q(end_on__gt=models.F("start_on")), name="policy_ends_after_start"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise", "start_on"], name="policy_by_enterprise"),
            models.Index(fields=["-start_on", "-id"], name="policy_by_start"),
            models.Index(fields=["region_code", "-start_on", "-id"], name="policy_by_region"),
            models.Index(fields=["insurer", "-start_on", "-id"], name="policy_by_insurer"),
            models.Index(fields=["-end_on", "-id"], name="policy_by_end"),
            models.Index(fields=["policy_no"], name="policy_by_number", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.policy_no


class Endorsement(OfInsurer):
    """A change of a policy (批单). `after_value` replaces what the kind names from `effective_on` on."""

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="endorsements", verbose_name=_("policy"))
    endorsement_no = models.CharField(_("endorsement no."), max_length=50)
    kind = models.CharField(_("kind"), max_length=12, choices=EndorsementKind.choices)
    issued_on = models.DateField(_("issued on"))
    effective_on = models.DateField(_("effective from"))
    before_value = models.CharField(_("before"), max_length=60, blank=True)
    after_value = models.CharField(_("after"), max_length=60, blank=True)
    premium_delta = models.DecimalField(_("change of premium"), max_digits=14, decimal_places=2)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("endorsement")
        verbose_name_plural = _("endorsements")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "endorsement_no"], name="endorsement_no_once_per_insurer")
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise"], name="endorsement_by_enterprise"),
            models.Index(fields=["-issued_on", "-id"], name="endorsement_by_day"),
        ]

    def __str__(self) -> str:
        return self.endorsement_no


class PremiumReceipt(OfInsurer):
    """Premium actually received, one row an instalment; refunds are negative. The 21 % cap is on these."""

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="receipts", verbose_name=_("policy"))
    receipt_no = models.CharField(_("receipt no."), max_length=50)
    instalment = models.PositiveSmallIntegerField(_("instalment"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    received_on = models.DateField(_("received on"))
    payer_name = models.CharField(_("payer"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("premium receipt")
        verbose_name_plural = _("premium receipts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "receipt_no"], name="receipt_no_once_per_insurer")
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise"], name="receipt_by_enterprise"),
            models.Index(fields=["-received_on", "-id"], name="receipt_by_day"),
        ]

    def __str__(self) -> str:
        return self.receipt_no


# the life of a policy is read off its dates, its endorsements and its neighbours; nothing of it is stored ------------


def successors() -> QuerySet[Policy]:
    """What renewed the policy of the outer query: the enterprise's next one, with whichever insurer, as far as
    the reader may see it. A construction project is renewed by a policy of the same project only."""
    after = Q(
        start_on__gt=OuterRef("cover_end_on") - RENEWS_EARLY,
        start_on__lte=OuterRef("cover_end_on") + NEW_BUSINESS_AFTER,
    ) | Q(insurer=OuterRef("insurer"), previous_policy_no=OuterRef("policy_no"))
    return Policy.objects.filter(
        after,
        enterprise=OuterRef("enterprise"),
        project_name=OuterRef("project_name"),
        start_on__gt=OuterRef("start_on"),
        cover_end_on__gte=F("start_on"),
        is_void=False,
    ).order_by("start_on", "id")


def predecessors() -> QuerySet[Policy]:
    """What the policy of the outer query renews."""
    before = Q(
        cover_end_on__lt=OuterRef("start_on") + RENEWS_EARLY,
        cover_end_on__gte=OuterRef("start_on") - NEW_BUSINESS_AFTER,
    )
    return Policy.objects.filter(
        before,
        enterprise=OuterRef("enterprise"),
        project_name=OuterRef("project_name"),
        start_on__lt=OuterRef("start_on"),
        cover_end_on__gte=F("start_on"),
        is_void=False,
    ).order_by("-cover_end_on", "id")


def with_life(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Each policy with its neighbours and the day of its last change; only what is then asked for costs anything."""
    changes = Endorsement.objects.filter(policy=OuterRef("pk"), is_void=False).exclude(kind=EndorsementKind.CANCEL)
    after, before = successors(), predecessors()
    found: QuerySet[Any] = rows.annotate(
        endorsed_on=Subquery(changes.order_by("-effective_on").values("effective_on")[:1]),
        successor_key=Subquery(after.values("pk")[:1]),
        successor_no=Subquery(after.values("policy_no")[:1]),
        renewed_on=Subquery(after.values("start_on")[:1]),
        predecessor_key=Subquery(before.values("pk")[:1]),
        predecessor_no=Subquery(before.values("policy_no")[:1]),
        covered_until=Subquery(before.values("cover_end_on")[:1]),
    )
    return found

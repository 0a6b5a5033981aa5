"""What people add to the figures: self-reports, reviews of rows drawn, appeals; and what they say of a result."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.models.campaigns import OWN_EXPERT, Campaign, OfParty, Outcome
from anze.assessment.models.frozen import FrozenRow, amount
from anze.assessment.rules.campaigns import AppealState, ItemState, ReportState


class SelfReport(OfParty):
    """What an insurer says of its own organisation, item by item, with what it rests on; and what reviewers confirmed."""

    keeps_history = True  # an appeal may confirm further items: the time machine shows what stood before

    outcome = models.OneToOneField(Outcome, models.CASCADE, related_name="report", verbose_name=_("result"))
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", verbose_name=_("assessment"))
    region_code = models.CharField(_("region"), max_length=6)
    state = models.CharField(_("state"), max_length=10, choices=ReportState.choices, default=ReportState.DRAFT)
    met = ArrayField(models.CharField(max_length=20), default=list, verbose_name=_("items met"))
    texts = models.JSONField(_("evidence"), default=dict)  # item → words
    due_at = models.DateTimeField(_("due"))
    submitted_at = models.DateTimeField(_("handed in at"), null=True)
    submitted_by = models.CharField(_("handed in by"), max_length=120, blank=True)
    confirmed = ArrayField(models.CharField(max_length=20), default=list, verbose_name=_("items confirmed"))
    remarks = models.JSONField(_("reviewer's remarks"), default=dict)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True)
    reviewer = models.UUIDField(null=True)
    reviewer_name = models.CharField(pgettext_lazy("assessment", "reviewer"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("self-report")
        verbose_name_plural = _("self-reports")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="DRAFT", submitted_at__isnull=True)
                | ~models.Q(state="DRAFT") & models.Q(submitted_at__isnull=False),
                name="report_handed_in_has_its_moment",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "-id"], name="self_report_by_state")]

    def __str__(self) -> str:
        return f"{self.outcome.assessed}"


class ReviewItem(OfParty):
    """A frozen row drawn for review, and what the reviewer made of it."""

    policies: ClassVar = OWN_EXPERT

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="items", verbose_name=_("assessment"))
    row = models.ForeignKey(FrozenRow, models.CASCADE, related_name="+", verbose_name=_("record"))
    label = models.CharField(_("record"), max_length=120)
    input = models.CharField(_("input"), max_length=40)
    enterprise_id = models.UUIDField(null=True)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12)
    rank = models.PositiveIntegerField(_("place in the draw"))
    digest = models.CharField(_("digest of the draw"), max_length=64)
    due_at = models.DateTimeField(_("due"))
    state = models.CharField(_("state"), max_length=10, choices=ItemState.choices, default=ItemState.WAITING)
    numerator = amount(_("numerator as reviewed"), null=True)
    denominator = amount(_("denominator as reviewed"), null=True)
    reasons = models.CharField(_("reasons"), max_length=1000, blank=True)
    reviewer = models.UUIDField(null=True)
    reviewer_name = models.CharField(pgettext_lazy("assessment", "reviewer"), max_length=120, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True)

    class Meta:
        verbose_name = _("row under review")
        verbose_name_plural = _("rows under review")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "row"], name="row_reviewed_once"),
            models.CheckConstraint(
                condition=~models.Q(state="CORRECTED") | ~models.Q(reasons=""), name="corrected_row_has_reasons"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "-id"], name="review_item_by_state")]

    def __str__(self) -> str:
        return self.label


class Appeal(OfParty):
    """An objection to an element of a result, or to single rows of it. Only what it names can move."""

    policies: ClassVar = OWN_EXPERT

    outcome = models.ForeignKey(Outcome, models.CASCADE, related_name="appeals", verbose_name=_("result"))
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="appeals", verbose_name=_("assessment"))
    region_code = models.CharField(_("region"), max_length=6)
    number = models.CharField(_("number"), max_length=40, unique=True)
    element = models.CharField(_("element"), max_length=12)
    rows = ArrayField(models.BigIntegerField(), default=list, verbose_name=_("records"))
    text = models.CharField(_("what is wrong, and what shows it"), max_length=2000)
    submitted_at = models.DateTimeField(_("appealed at"))
    submitted_by = models.CharField(_("appealed by"), max_length=120)
    due_at = models.DateTimeField(_("decision due"))
    state = models.CharField(_("state"), max_length=10, choices=AppealState.choices, default=AppealState.OPEN)
    reasons = models.CharField(_("reasons of the decision"), max_length=2000, blank=True)
    decided_at = models.DateTimeField(pgettext_lazy("appeal", "decided at"), null=True)
    decider = models.UUIDField(null=True)
    decided_by = models.CharField(pgettext_lazy("appeal", "decided by"), max_length=120, blank=True)
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["outcome", "element"], condition=models.Q(state="OPEN"), name="one_open_appeal_an_element"
            ),
            models.CheckConstraint(
                condition=models.Q(state="OPEN", decided_at__isnull=True)
                | ~models.Q(state="OPEN") & models.Q(decided_at__isnull=False) & ~models.Q(reasons=""),
                name="decided_appeal_has_reasons",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "-id"], name="appeal_by_state")]

    def __str__(self) -> str:
        return self.number


class Feedback(OfParty):
    """What the committee or the authority says to somebody of his result, and what he will do about it."""

    policies: ClassVar = OWN_EXPERT

    outcome = models.OneToOneField(Outcome, models.CASCADE, related_name="feedback", verbose_name=_("result"))
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", verbose_name=_("assessment"))
    region_code = models.CharField(_("region"), max_length=6)
    text = models.CharField(_("what is expected"), max_length=2000)
    given_at = models.DateTimeField(_("feedback given at"))
    given_by = models.CharField(_("feedback given by"), max_length=120)
    due_at = models.DateTimeField(_("answer due"), null=True)
    answer = models.CharField(_("measures and until when"), max_length=2000, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    answered_by = models.CharField(_("answered by"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("feedback on a result")
        verbose_name_plural = _("feedback on results")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(answered_at__isnull=True, answer="")
                | models.Q(answered_at__isnull=False) & ~models.Q(answer=""),
                name="answered_feedback_has_its_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome.assessed}"

"""Trainings: who signed up, who was there, the short test, and certificates."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import PrivateTable, PublicTable, ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.library.models.standards import worded
from anze.library.rules import SignUpState, TrainingState
from anze.parties.models import Account, Enterprise, Expert, Organisation


class Training(PublicTable):
    code = models.CharField(_("training no."), max_length=20, unique=True)
    title_zh = models.CharField(_("title (Chinese)"), max_length=120)
    title_en = models.CharField(_("title (English)"), max_length=160)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("host"))
    trainer = models.CharField(_("trainer"), max_length=60, blank=True)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    place = models.CharField(_("place"), max_length=120, help_text=_("For an online training: how to join it."))
    is_online = models.BooleanField(_("online"), default=False)
    capacity = models.PositiveIntegerField(_("seats"))
    taken = models.PositiveIntegerField(_("seats taken"), default=0, db_default=0, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=TrainingState.choices, default=TrainingState.OPEN)

    class Meta:
        verbose_name = _("training")
        verbose_name_plural = _("trainings")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="training_ends_after_start"),
            models.CheckConstraint(condition=Q(taken__lte=F("capacity")), name="training_not_overbooked"),
        ]
        indexes: ClassVar = [models.Index(fields=["-starts_at", "-id"], name="training_by_time")]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return worded(self, "title")


class Question(PrivateTable):
    """One question of the short test. The right option is known to the platform and the keepers only."""

    training = models.ForeignKey(Training, models.CASCADE, related_name="questions")
    seq = models.PositiveIntegerField(_("number"))
    text_zh = models.CharField(_("text (Chinese)"), max_length=300)
    text_en = models.CharField(_("text (English)"), max_length=400)
    options = models.JSONField(_("options"), help_text=_("Pairs of Chinese and English."))
    correct = models.PositiveSmallIntegerField(_("right option"))

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints: ClassVar = [models.UniqueConstraint(fields=["training", "seq"], name="question_once")]

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        return worded(self, "text")


class OfAttendee(ScopedTable):
    """A row about one attendee: seen by the organisation he comes from and by the regulators of its area."""

    policies: ClassVar = {"anze_expert": f"expert_id = {party('expert')}"}

    attendee = models.CharField(_("attendee"), max_length=60)
    organisation_name = models.CharField(_("comes from"), max_length=120, blank=True)
    region_code = models.CharField(_("region"), max_length=6, blank=True)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    insurer = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("insurer"))
    agency = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("agency"))
    expert = models.ForeignKey(Expert, models.PROTECT, null=True, related_name="+", verbose_name=_("expert"))
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, null=True, related_name="+", verbose_name=_("enterprise")
    )

    class Meta:
        abstract = True


class SignUp(OfAttendee):
    training = models.ForeignKey(Training, models.PROTECT, related_name="sign_ups", verbose_name=_("training"))
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, db_constraint=False, related_name="+", verbose_name=_("signed up by")
    )
    state = models.CharField(_("state"), max_length=12, choices=SignUpState.choices, default=SignUpState.SIGNED_UP)
    signed_up_at = models.DateTimeField(_("signed up at"))
    present_at = models.DateTimeField(_("present since"), null=True)
    attempts = models.PositiveSmallIntegerField(_("times tested"), default=0, db_default=0)
    score = models.PositiveSmallIntegerField(_("points"), null=True)
    passed_at = models.DateTimeField(_("passed at"), null=True)

    class Meta:
        verbose_name = _("sign-up")
        verbose_name_plural = _("sign-ups")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["training", "attendee", "insurer", "agency", "expert", "enterprise"],
                condition=~Q(state="WITHDRAWN"),
                nulls_distinct=False,
                name="sign_up_once",
            ),
            models.CheckConstraint(
                condition=Q(state="PRESENT", present_at__isnull=False)
                | (~Q(state="PRESENT") & Q(present_at__isnull=True)),
                name="sign_up_present_since",
            ),
            models.CheckConstraint(
                condition=Q(passed_at__isnull=True) | Q(score__isnull=False, state="PRESENT"),
                name="passed_by_who_was_present",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-signed_up_at", "-id"], name="sign_up_by_time")]

    def __str__(self) -> str:
        return self.attendee


class Certificate(OfAttendee):
    """Proof of a training. The token leads strangers to a page that confirms it and names nobody in full."""

    number = models.CharField(_("certificate no."), max_length=40, unique=True)
    token = models.CharField(max_length=32, unique=True, editable=False)
    sign_up = models.OneToOneField(SignUp, models.PROTECT, related_name="certificate", verbose_name=_("sign-up"))
    training = models.ForeignKey(Training, models.PROTECT, related_name="certificates", verbose_name=_("training"))
    issued_at = models.DateTimeField(pgettext_lazy("certificate", "issued at"))
    score = models.PositiveSmallIntegerField(_("points"), null=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    revoke_reason = models.CharField(_("reason for revoking"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoke_reason="")
                | (Q(revoked_at__isnull=False) & ~Q(revoke_reason="")),
                name="certificate_revoked_with_reason",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["-issued_at", "-id"], name="certificate_by_time")]

    def __str__(self) -> str:
        return self.number

"""Complaints about services, claims and money, with their story; contacts apart, for the authorities alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Claim
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Enterprise, Organisation
from anze.prevention.models.records import Service
from anze.prevention.rules.complaints import (
    Acting,
    Complainant,
    ComplaintState,
    ComplaintStepKind,
    ComplaintSubject,
    ExtensionState,
    Side,
)


class Complaint(ScopedTable):
    """One complaint. `concerns` is whom it is about; `insurer` and `agency` are filled in only when it was given to
    them, so that nobody reads a complaint about himself that went to the authority. A worker's is not shown to his
    enterprise. Its story stands in its steps, so that the history of rows tells no one more.
    """

    keeps_history = False
    policies: ClassVar = {
        "anze_enterprise": f"enterprise_id = {party('enterprise')} AND made_by_kind = 'ENTERPRISE'",
    }

    complaint_no = models.CharField(_("complaint no."), max_length=40, unique=True)
    subject = models.CharField(_("about"), max_length=12, choices=ComplaintSubject.choices)
    text = models.CharField(_("complaint"), max_length=1000)
    made_by_kind = models.CharField(_("complainant"), max_length=12, choices=Complainant.choices)
    named_as = models.CharField(
        _("name"), max_length=60, blank=True, help_text=_("Only if the complainant lets the other side know it.")
    )
    made_at = models.DateTimeField(_("received at"))
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="+", verbose_name=_("enterprise"))
    concerns = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("about whom")
    )
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="+", verbose_name=_("service"))
    claim = models.ForeignKey(Claim, models.SET_NULL, null=True, related_name="+", verbose_name=_("claim"))
    side = models.CharField(_("to be answered by"), max_length=10, choices=Side.choices)
    state = models.CharField(_("state"), max_length=14, choices=ComplaintState.choices)
    answer_due_at = models.DateTimeField(_("answer due at"))
    settle_due_at = models.DateTimeField(_("settlement due at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)
    answer = models.CharField(_("answer"), max_length=1000, blank=True)
    extension = models.CharField(_("more time"), max_length=8, choices=ExtensionState.choices, blank=True)
    extension_to_on = models.DateField(_("more time until"), null=True)
    escalations = models.PositiveSmallIntegerField(_("times taken to the authority"), default=0)
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction (1–5)"), null=True)
    insurer = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("insurer"))
    agency = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("agency"))
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("complaint")
        verbose_name_plural = _("complaints")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(state="ANSWERED") | ~models.Q(answer="") & models.Q(settled_at__isnull=False),
                name="answered_complaint_has_answer",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="VERIFYING") | models.Q(settle_due_at__isnull=False),
                name="verified_complaint_has_deadline",
            ),
            models.CheckConstraint(
                condition=models.Q(satisfaction__isnull=True) | models.Q(satisfaction__range=(1, 5)),
                name="complaint_satisfaction_from_1_to_5",
            ),
            models.CheckConstraint(
                condition=~models.Q(side="AGENCY") | models.Q(agency__isnull=False), name="agency_answers_its_own"
            ),
            models.CheckConstraint(
                condition=~models.Q(side="INSURER") | models.Q(insurer__isnull=False), name="insurer_answers_its_own"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-made_at", "-id"], name="complaint_by_moment"),
            models.Index(fields=["region_code", "-made_at", "-id"], name="complaint_by_region"),
        ]

    def __str__(self) -> str:
        return self.complaint_no


_WITH_COMPLAINT = "EXISTS (SELECT 1 FROM prevention_complaint c WHERE c.id = complaint_id)"


class ComplaintStep(ScopedTable):
    """One step of a complaint, as it was taken. Only ever added to; read with the complaint itself."""

    keeps_history = False
    is_append_only: ClassVar[bool] = True
    policies: ClassVar = dict.fromkeys(
        ("anze_region", "anze_sector", "anze_insurer", "anze_agency", "anze_enterprise"), _WITH_COMPLAINT
    )

    complaint = models.ForeignKey(
        Complaint, models.PROTECT, db_index=False, related_name="steps", verbose_name=_("complaint")
    )
    kind = models.CharField(_("step"), max_length=18, choices=ComplaintStepKind.choices)
    at = models.DateTimeField(_("at"))
    acting = models.CharField(_("acting as"), max_length=12, choices=Acting.choices)
    by = models.UUIDField(_("account"), null=True)
    by_name = models.CharField(_("who"), max_length=120, blank=True)
    organisation_name = models.CharField(_("organisation"), max_length=160, blank=True)
    words = models.CharField(_("words"), max_length=1000, blank=True)
    day = models.DateField(_("day"), null=True)
    side = models.CharField(_("to be answered by"), max_length=10, choices=Side.choices, blank=True)

    class Meta:
        verbose_name = _("step of a complaint")
        verbose_name_plural = _("steps of a complaint")
        indexes: ClassVar = [models.Index(fields=["complaint", "at"], name="complaint_step_by_complaint")]

    def __str__(self) -> str:
        return f"{self.complaint_id} {self.kind}"


class ComplaintContact(ScopedTable):
    """How the complainant can be reached: for authorities and the committee alone (protected voice)."""

    keeps_history = False
    policies: ClassVar = {"anze_region": _WITH_COMPLAINT, "anze_sector": _WITH_COMPLAINT}

    complaint = models.OneToOneField(Complaint, models.CASCADE, related_name="contact", verbose_name=_("complaint"))
    name = models.CharField(_("name"), max_length=60, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("contact of a complainant")
        verbose_name_plural = _("contacts of complainants")

    def __str__(self) -> str:
        return f"{self.complaint_id}"

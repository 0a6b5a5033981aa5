"""Hazards found at enterprises, from the finding to the verified closing."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.hazards.rules import Extension, HazardClass, HazardSource, HazardState, Level, VerifierKind
from anze.kernel.scope import party
from anze.parties.models import OfInsurer, Organisation
from anze.prevention.models import Service


class Hazard(OfInsurer):
    """A hazard (事故隐患). Days are Beijing days; `deadline_on` is the last day for its rectification."""

    policies: ClassVar = {
        "anze_expert": "service_id IN (SELECT service_id FROM prevention_serviceperson WHERE expert_id = "
        + party("expert")
        + ")"
    }

    hazard_no = models.CharField(_("hazard no."), max_length=50)
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="hazards", verbose_name=_("service"))
    agency = models.ForeignKey(
        Organisation,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("agency"),
    )
    source = models.CharField(_("source"), max_length=12, choices=HazardSource.choices)
    hazard_class = models.CharField(_("class"), max_length=8, choices=HazardClass.choices)
    criterion_code = models.CharField(_("criterion"), max_length=20, blank=True)
    # the code of the edition that was in force when it was found; a later edition changes nothing about it
    criterion_edition = models.CharField(
        _("edition of the criterion"), max_length=40, blank=True, default="", db_default="", editable=False
    )
    found_on = models.DateField(_("found on"))
    location = models.CharField(_("location"), max_length=200, blank=True)
    description = models.CharField(_("description"), max_length=500)
    advice = models.CharField(_("advice"), max_length=500, blank=True)
    deadline_on = models.DateField(_("to be rectified by"))
    extended_to_on = models.DateField(_("extended to"), null=True)
    extension_reason = models.CharField(_("reason for extension"), max_length=200, blank=True)
    notified_on = models.DateField(_("notified on"), null=True)
    notified_principal = models.BooleanField(_("principal notified"), default=False)
    reported_at = models.DateTimeField(_("reported to the authority at"), null=True)
    rectified_on = models.DateField(_("rectified on"), null=True)
    verified_on = models.DateField(_("verified on"), null=True)
    verifier = models.CharField(_("verified by"), max_length=10, choices=VerifierKind.choices, blank=True)
    closed_on = models.DateField(pgettext_lazy("hazard", "closed on"), null=True)
    state = models.CharField(_("state"), max_length=12, choices=HazardState.choices)
    campaign_code = models.CharField(_("campaign"), max_length=30, blank=True)
    entry_code = models.CharField(_("hazard of the library"), max_length=20, blank=True, default="", db_default="")

    # What only steps on the platform fill in. `acted_at` is the last of them: from the first one on, a correction
    # of the insurer's system must not lead back behind it.
    acted_at = models.DateTimeField(_("last step on the platform"), null=True, editable=False)
    notify_due_at = models.DateTimeField(_("notice due"), null=True, editable=False)
    authority_due_at = models.DateTimeField(_("report to the authority due"), null=True, editable=False)
    recheck_due_at = models.DateTimeField(_("recheck due"), null=True, editable=False)
    extension = models.CharField(
        _("extension"), max_length=8, choices=Extension.choices, blank=True, default="", db_default=""
    )
    extension_asked_to_on = models.DateField(_("extension requested until"), null=True)
    extension_due_at = models.DateTimeField(_("answer to the extension due"), null=True, editable=False)
    supervised_level = models.CharField(
        _("supervised listing"), max_length=8, choices=Level.choices, blank=True, default="", db_default=""
    )
    supervised_no = models.CharField(_("listing no."), max_length=40, blank=True, default="", db_default="")
    supervised_on = models.DateField(_("listed on"), null=True)
    lifted_on = models.DateField(_("listing lifted on"), null=True)
    stopped_on = models.DateField(_("work stopped on"), null=True)
    resumed_on = models.DateField(_("resuming consented on"), null=True)
    reopened_on = models.DateField(_("reopened on"), null=True)

    class Meta:
        verbose_name = _("hazard")
        verbose_name_plural = _("hazards")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "hazard_no"], name="hazard_no_once_per_insurer"),
            models.CheckConstraint(
                condition=models.Q(state="CLOSED", closed_on__isnull=False, verified_on__isnull=False)
                | (~models.Q(state="CLOSED") & models.Q(closed_on__isnull=True)),
                name="closed_hazard_is_verified",
            ),
            # a step on the platform leaves its day; what an insurer's system reports may lack some
            models.CheckConstraint(
                condition=models.Q(acted_at__isnull=True)
                | (
                    (~models.Q(state="NOTIFIED") | models.Q(notified_on__isnull=False))
                    & (~models.Q(state="SUBMITTED") | models.Q(rectified_on__isnull=False))
                ),
                name="hazard_step_has_its_day",
            ),
            models.CheckConstraint(
                condition=~models.Q(extension="ASKED")
                | models.Q(extension_asked_to_on__gt=models.F("deadline_on"), extension_due_at__isnull=False),
                name="hazard_extension_is_later",
            ),
            models.CheckConstraint(
                condition=~models.Q(extension="GRANTED") | models.Q(extended_to_on__isnull=False),
                name="hazard_extension_has_its_day",
            ),
            models.CheckConstraint(
                condition=models.Q(supervised_level="", supervised_on__isnull=True, lifted_on__isnull=True)
                | (~models.Q(supervised_level="") & models.Q(supervised_on__isnull=False)),
                name="hazard_listing_has_its_day",
            ),
            models.CheckConstraint(
                condition=models.Q(resumed_on__isnull=True) | models.Q(stopped_on__isnull=False),
                name="hazard_resumes_after_stop",
            ),
            models.CheckConstraint(
                condition=models.Q(hazard_class="MAJOR")
                | (
                    (models.Q(supervised_level="") | models.Q(lifted_on__isnull=False))
                    & (models.Q(stopped_on__isnull=True) | models.Q(resumed_on__isnull=False))
                ),
                name="supervised_hazard_is_major",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise", "found_on"], name="hazard_by_enterprise"),
            models.Index(fields=["-found_on", "-id"], name="hazard_by_day"),
            # lists in the order of days for whoever sees one county, one insurer's or one agency's rows
            models.Index(fields=["region_code", "-found_on", "-id"], name="hazard_by_region"),
            models.Index(fields=["insurer", "-found_on", "-id"], name="hazard_by_insurer"),
            models.Index(fields=["agency", "-found_on", "-id"], name="hazard_by_agency"),
            # the few that matter most: asked for again and again, among millions
            models.Index(
                fields=["-found_on", "-id"],
                name="hazard_major_by_day",
                condition=models.Q(hazard_class="MAJOR"),
            ),
            models.Index(
                fields=["region_code", "-found_on", "-id"],
                name="hazard_major_by_region",
                condition=models.Q(hazard_class="MAJOR"),
            ),
            models.Index(
                fields=["campaign_code", "-found_on", "-id"],
                name="hazard_by_campaign",
                condition=~models.Q(campaign_code=""),
            ),
            # the few that wait for somebody
            models.Index(
                fields=["region_code", "-found_on", "-id"],
                name="hazard_waiting",
                condition=models.Q(state="SUBMITTED") | models.Q(extension="ASKED"),
            ),
            models.Index(
                fields=["-found_on", "-id"], name="hazard_supervised", condition=~models.Q(supervised_level="")
            ),
            models.Index(fields=["hazard_no"], name="hazard_by_number", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.hazard_no

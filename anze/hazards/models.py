"""Hazards found at enterprises, from the finding to the verified closing."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.hazards.rules import HazardClass, HazardSource, HazardState, VerifierKind
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
            models.Index(fields=["hazard_no"], name="hazard_by_number", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.hazard_no

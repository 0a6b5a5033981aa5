"""Services done, with the persons who did them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Enterprise, Expert, OfInsurer, Organisation
from anze.prevention.models.plans import PlanItem
from anze.prevention.rules import ConfirmationMethod, PersonKind, ServiceForm, ServiceType, StandardEdition
from anze.underwriting.models import Policy

_VISITED = "id IN (SELECT service_id FROM prevention_serviceperson WHERE expert_id = {})".format(party("expert"))


class Service(OfInsurer):
    """One service done at one enterprise (AQ 9010 §6): when, where, who, what, and what came of it."""

    policies: ClassVar = {"anze_expert": _VISITED}

    service_no = models.CharField(_("service no."), max_length=50)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="services", verbose_name=_("policy"))
    # as reported; `plan_item` is the row they name as long as the plan has it
    plan_no = models.CharField(_("plan no."), max_length=50, blank=True, default="", db_default="")
    plan_item_seq = models.PositiveSmallIntegerField(_("plan item no."), null=True)
    plan_item = models.ForeignKey(
        PlanItem, models.SET_NULL, null=True, related_name="services", verbose_name=_("plan item")
    )
    agency = models.ForeignKey(
        Organisation,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("agency"),
    )
    service_type = models.CharField(_("service"), max_length=12, choices=ServiceType.choices)
    form = models.CharField(_("form"), max_length=16, choices=ServiceForm.choices)
    edition = models.CharField(_("standard edition"), max_length=16, choices=StandardEdition.choices)
    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"))
    performed_on = models.DateField(_("performed on"))
    place = models.CharField(_("place"), max_length=200, blank=True)
    lon = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True)
    lat = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True)
    attendees = models.PositiveSmallIntegerField(_("persons attending"))
    topics = models.CharField(_("topics"), max_length=300, blank=True)
    report_text = models.TextField(_("report"), blank=True)
    report_file = models.CharField(_("report file"), max_length=200, blank=True)
    photo_count = models.PositiveSmallIntegerField(_("photos with time and place"))
    has_service_mark = models.BooleanField(_("unified service mark shown"))
    nil_findings = models.BooleanField(_("nothing found"))
    hazards_found = models.PositiveSmallIntegerField(_("hazards found"))
    confirmed_by = models.CharField(_("confirmed by"), max_length=60, blank=True)
    confirmed_on = models.DateField(_("confirmed on"), null=True)
    confirmation = models.CharField(_("confirmation"), max_length=10, choices=ConfirmationMethod.choices)
    followed_up_on = models.DateField(_("followed up on"), null=True)
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction (1–5)"), null=True)
    opinion = models.CharField(_("opinion"), max_length=300, blank=True)
    is_returned = models.BooleanField(_("returned by the quality check"), default=False, db_default=False)
    planned_cost = models.DecimalField(_("planned cost"), max_digits=12, decimal_places=2)
    paid_cost = models.DecimalField(_("paid cost"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "service_no"], name="service_no_once_per_insurer"),
            models.CheckConstraint(
                condition=models.Q(satisfaction__isnull=True) | models.Q(satisfaction__range=(1, 5)),
                name="satisfaction_from_1_to_5",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["enterprise", "performed_on"], name="service_by_enterprise"),
            models.Index(fields=["-performed_on", "-id"], name="service_by_day"),
            models.Index(fields=["region_code", "-performed_on", "-id"], name="service_by_region"),
            models.Index(fields=["insurer", "-performed_on", "-id"], name="service_by_insurer"),
            models.Index(fields=["agency", "-performed_on", "-id"], name="service_by_agency"),
            models.Index(fields=["service_no"], name="service_by_number", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.service_no


class ServicePerson(ScopedTable):
    """One person who took part in a service, with the certificate that was valid then."""

    is_counted = True
    policies: ClassVar = {"anze_expert": f"expert_id = {party('expert')}"}

    service = models.ForeignKey(Service, models.CASCADE, db_index=False, related_name="persons")
    policy = models.ForeignKey(Policy, models.PROTECT, db_constraint=False, related_name="+")
    seq = models.PositiveSmallIntegerField(_("no."))
    kind = models.CharField(_("kind"), max_length=16, choices=PersonKind.choices)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=60)
    expert = models.ForeignKey(Expert, models.PROTECT, null=True, related_name="services", verbose_name=_("expert"))
    certificate_no = models.CharField(_("certificate no."), max_length=40, blank=True)
    certificate_valid_to = models.DateField(_("certificate valid until"), null=True)
    # persons are read through their service, or by the expert
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    insurer = models.ForeignKey(Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        verbose_name = _("person of a service")
        verbose_name_plural = _("persons of a service")
        constraints: ClassVar = [models.UniqueConstraint(fields=["service", "seq"], name="service_person_once")]

    def __str__(self) -> str:
        return self.name

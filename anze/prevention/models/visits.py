"""Visits on site as phones record them: the visit, its entries, and every change ever sent."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Enterprise, Expert, Organisation
from anze.prevention.models.orders import Order
from anze.prevention.models.records import Service
from anze.prevention.rules import EntryKind, Outcome, ServiceForm, ServiceType, VisitState
from anze.underwriting.models import Policy

_SENT = "order_id IN (SELECT order_id FROM prevention_orderexpert WHERE expert_id = {0}) OR expert_id = {0}"
# the policies of visits hold for what lies in them
_OF_VISIT = "visit_id IN (SELECT id FROM prevention_visit)"


class OnSite(ScopedTable):
    """The scope of a visit, on each of its rows."""

    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("enterprise")
    )
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("insurer")
    )
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+",
        verbose_name=_("agency"),
    )  # fmt: skip
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        abstract = True


class Visit(OnSite):
    """One visit. What it says of time, place and findings is taken from its entries; see actions.visits.

    Its id is made without asking the server, from the order or at random, so that a visit begun without a
    network and sent twice is one visit.
    """

    policies: ClassVar = {
        "anze_expert": _SENT.format(party("expert")),
        # an enterprise reads what was submitted, not what is being written
        "anze_enterprise": f"enterprise_id = {party('enterprise')} AND state IN ('SUBMITTED', 'DELIVERED', 'RETURNED')",
    }

    visit_no = models.CharField(_("visit no."), max_length=50)
    order = models.OneToOneField(
        Order, models.PROTECT, null=True, related_name="visit", verbose_name=_("service order")
    )
    policy = models.ForeignKey(
        Policy, models.PROTECT, db_constraint=False, related_name="visits", verbose_name=_("policy")
    )
    expert = models.ForeignKey(
        Expert, models.PROTECT, null=True, related_name="visits", verbose_name=_("begun by the expert")
    )
    service_type = models.CharField(_("service"), max_length=12, choices=ServiceType.choices)
    form = models.CharField(_("form"), max_length=16, choices=ServiceForm.choices)
    checklist_code = models.CharField(_("checklist"), max_length=40, blank=True)
    checklist_version = models.PositiveIntegerField(_("version of the checklist"), null=True)
    state = models.CharField(_("state"), max_length=12, choices=VisitState.choices, default=VisitState.OPEN)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    begun_by = models.CharField(_("begun by"), max_length=120, blank=True)
    device = models.CharField(_("device"), max_length=80, blank=True)
    clock_offset = models.IntegerField(
        _("device clock off by (seconds)"), default=0, help_text=_("How far the device's clock went ahead, in seconds.")
    )
    # by our clock: what the device said, put right by how far its clock was off when it sent
    started_at = models.DateTimeField(_("started at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    lon = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True)
    lat = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True)
    accuracy = models.PositiveIntegerField(_("accuracy (m)"), null=True)
    position_refused = models.CharField(_("why there is no position"), max_length=60, blank=True)
    findings = models.PositiveSmallIntegerField(_("findings"), default=0)
    photos = models.PositiveSmallIntegerField(_("photos"), default=0)
    nil_findings = models.BooleanField(_("nothing found"), default=False)
    versions_open = models.PositiveSmallIntegerField(_("versions to pick from"), default=0)
    planned_on = models.DateField(_("planned for"))
    submitted_at = models.DateTimeField(_("submitted at"), null=True)
    delivered_at = models.DateTimeField(_("on file since"), null=True)
    service = models.OneToOneField(
        Service, models.PROTECT, null=True, related_name="visit", verbose_name=pgettext_lazy("row", "service")
    )
    # what the checks of the data exchange found: [{"feed", "field", "code", "values"}]
    problems = models.JSONField(default=list)
    return_reason = models.CharField(_("reason for returning"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["insurer", "visit_no"], name="visit_no_once_per_insurer"),
            models.CheckConstraint(
                condition=models.Q(state="DELIVERED", service__isnull=False) | ~models.Q(state="DELIVERED"),
                name="delivered_visit_has_a_service",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-planned_on", "-id"], name="visit_by_day"),
            models.Index(fields=["agency", "-planned_on", "-id"], name="visit_by_agency"),
            models.Index(fields=["enterprise", "planned_on"], name="visit_by_enterprise"),
        ]

    def __str__(self) -> str:
        return self.visit_no


class VisitEntry(OnSite):
    """One thing recorded on a visit, as it stands now. What is removed stays as a tombstone."""

    keeps_history = False  # every version is kept as a change
    policies: ClassVar = {
        "anze_expert": _OF_VISIT,
        "anze_enterprise": f"enterprise_id = {party('enterprise')} AND {_OF_VISIT}",
    }

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="entries", verbose_name=_("visit"))
    kind = models.CharField(_("kind"), max_length=12, choices=EntryKind.choices)
    payload = models.JSONField()
    revision = models.PositiveIntegerField(_("revision"), default=1)
    visit_revision = models.PositiveIntegerField(default=1)  # the visit's, when it was last touched
    is_removed = models.BooleanField(pgettext_lazy("visit", "removed"), default=False)
    made_at = models.DateTimeField(_("recorded at"))
    changed_by = models.UUIDField(null=True)
    changed_by_name = models.CharField(_("recorded by"), max_length=120, blank=True)
    device = models.CharField(_("device"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("entry of a visit")
        verbose_name_plural = _("entries of a visit")
        indexes: ClassVar = [models.Index(fields=["visit", "visit_revision"], name="visit_entry_by_revision")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class VisitChange(OnSite):
    """A change as a phone sent it, and what became of it. Append-only but for the outcome: nobody's work is lost."""

    keeps_history = False
    policies: ClassVar = {
        "anze_expert": _OF_VISIT,
        "anze_enterprise": "false",
    }

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="changes", verbose_name=_("visit"))
    entry_id = models.UUIDField()
    kind = models.CharField(_("kind"), max_length=12, choices=EntryKind.choices)
    payload = models.JSONField()
    is_removal = models.BooleanField(_("removal"), default=False)
    base_revision = models.PositiveIntegerField(_("made from revision"))
    revision = models.PositiveIntegerField(_("became revision"))
    visit_revision = models.PositiveIntegerField(default=1)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    made_at = models.DateTimeField(_("recorded at"))
    received_at = models.DateTimeField(_("received at"))
    by = models.UUIDField(null=True)
    by_name = models.CharField(_("recorded by"), max_length=120, blank=True)
    device = models.CharField(_("device"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("change of a visit")
        verbose_name_plural = _("changes of a visit")
        indexes: ClassVar = [models.Index(fields=["visit", "outcome"], name="visit_change_by_outcome")]

    def __str__(self) -> str:
        return f"{self.kind} {self.entry_id} {self.outcome}"

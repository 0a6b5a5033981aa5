"""What the archive of an enterprise holds beside the records: papers brought from outside, and the files made of it."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.evidence.models import Original
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import READERS, party
from anze.parties.models import Enterprise, Organisation
from anze.prevention.rules.archive import PackState, PaperKind
from anze.underwriting.models import Policy

# whoever sees that an agency served for an insurer sees the papers between the two
_SERVED = (
    "agency_id IS NOT NULL AND EXISTS (SELECT FROM prevention_service AS s "
    "WHERE s.insurer_id = prevention_paper.insurer_id AND s.agency_id = prevention_paper.agency_id)"
)
_OF_POLICY = "policy_id IS NOT NULL AND "


class Paper(ScopedTable):
    """A contract with an agency, the yearly evaluation of one, or the annual evaluation report of a policy.

    What stands between insurer and agency is not shown to enterprises. Set aside with a reason, never deleted.
    """

    policies: ClassVar = {
        "anze_region": f"({_OF_POLICY}{READERS['anze_region'][1]}) OR ({_SERVED})",
        "anze_sector": f"({_OF_POLICY}{READERS['anze_sector'][1]}) OR ({_SERVED})",
        "anze_insurer": f"insurer_id = {party('insurer')}",
        "anze_enterprise": f"policy_id IS NOT NULL AND enterprise_id = {party('enterprise')}",
    }

    kind = models.CharField(_("kind"), max_length=20, choices=PaperKind.choices)
    number = models.CharField(pgettext_lazy("paper", "number or title"), max_length=80)
    from_on = models.DateField(_("from"))
    to_on = models.DateField(pgettext_lazy("paper", "until"))
    insurer = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, related_name="+", verbose_name=_("insurer")
    )
    agency = models.ForeignKey(
        Organisation, models.PROTECT, db_constraint=False, null=True, related_name="+", verbose_name=_("agency")
    )
    policy = models.ForeignKey(
        Policy, models.PROTECT, db_constraint=False, null=True, related_name="+", verbose_name=_("policy")
    )
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+",
        verbose_name=_("enterprise"),
    )  # fmt: skip
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices, blank=True)
    original = models.ForeignKey(
        Original, models.PROTECT, db_constraint=False, related_name="+", verbose_name=_("file")
    )
    file_name = models.CharField(_("file name"), max_length=160, blank=True)
    file_sha256 = models.CharField(_("digest of the file"), max_length=64)
    kept_at = models.DateTimeField(pgettext_lazy("paper", "put on file at"))
    kept_by = models.CharField(pgettext_lazy("paper", "put on file by"), max_length=120)
    voided_at = models.DateTimeField(pgettext_lazy("paper", "set aside at"), null=True)
    void_reason = models.CharField(pgettext_lazy("paper", "why it was set aside"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("contract or evaluation")
        verbose_name_plural = _("contracts and evaluations")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(to_on__gte=models.F("from_on")), name="paper_days_in_order"),
            models.CheckConstraint(
                condition=models.Q(kind=PaperKind.ANNUAL_REPORT, policy__isnull=False, agency__isnull=True)
                | ~models.Q(kind=PaperKind.ANNUAL_REPORT) & models.Q(policy__isnull=True, agency__isnull=False),
                name="paper_is_about_an_agency_or_a_policy",
            ),
            models.CheckConstraint(
                condition=models.Q(voided_at__isnull=True) | ~models.Q(void_reason=""), name="paper_void_has_reason"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-kept_at", "-id"], name="paper_by_time"),
            models.Index(fields=["insurer", "agency"], name="paper_by_parties"),
        ]

    def __str__(self) -> str:
        return self.number


class Pack(ScopedTable):
    """The archive of one policy year as one file: asked for, made by a job with the asker's own rights, kept some
    days for him alone."""

    keeps_history = False
    policies: ClassVar = {role: f"asked_by = {party('by')}" for role in READERS if role != "anze_all"}

    policy = models.ForeignKey(Policy, models.CASCADE, db_constraint=False, related_name="+", verbose_name=_("policy"))
    asked_by = models.UUIDField(_("account"))
    membership = models.UUIDField()
    state = models.CharField(_("state"), max_length=8, choices=PackState.choices, default=PackState.WAITING)
    asked_at = models.DateTimeField(pgettext_lazy("archive", "asked for at"))
    moved_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(_("files packed"), default=0)
    total = models.PositiveIntegerField(_("files to be packed"), default=0)
    lost = ArrayField(models.CharField(max_length=120), verbose_name=_("files that cannot be read"), default=list)
    size = models.BigIntegerField(_("size in bytes"), null=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    ready_at = models.DateTimeField(_("ready at"), null=True)
    until = models.DateTimeField(pgettext_lazy("archive", "kept until"), null=True)
    failure = models.CharField(_("why it failed"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("archive file")
        verbose_name_plural = _("archive files")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(state=PackState.READY)
                | models.Q(size__isnull=False, ready_at__isnull=False, until__isnull=False),
                name="pack_ready_with_its_file",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["policy", "-asked_at"], name="pack_by_policy"),
            models.Index(fields=["asked_at"], name="pack_to_do", condition=models.Q(state__in=["WAITING", "PACKING"])),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.asked_at:%Y-%m-%d}"

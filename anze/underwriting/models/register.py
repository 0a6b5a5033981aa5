"""The obligation register (应保尽保底数): who must insure, and by which source."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise, OfEnterprise
from anze.underwriting.rules import DisputeState, Ground, ObligationReason, ObligationState, Side


class Obligation(OfEnterprise):
    """One entry of the obligation register (应保尽保底数): this enterprise must insure, says this source."""

    reason = models.CharField(_("reason"), max_length=12, choices=ObligationReason.choices)
    source = models.CharField(_("source"), max_length=120)
    listed_on = models.DateField(_("on the register from"))
    delisted_on = models.DateField(_("off the register from"), null=True)
    delisting_reason = models.CharField(_("reason for delisting"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=ObligationState.choices)
    dispute_note = models.CharField(_("dispute"), max_length=300, blank=True)
    registered_workers = models.PositiveIntegerField(_("registered workers"))
    # decided on the platform, and no delivery undoes it
    suspended_from_on = models.DateField(_("operation suspended from"), null=True, editable=False)
    suspended_to_on = models.DateField(_("operation suspended until"), null=True, editable=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="merged", verbose_name=_("merged into")
    )
    merged_on = models.DateField(_("merged on"), null=True, editable=False)

    class Meta:
        verbose_name = _("register entry")
        verbose_name_plural = _("obligation register")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["enterprise", "sector"], name="obligation_once"),
            models.CheckConstraint(
                condition=models.Q(delisted_on__isnull=True) | models.Q(delisted_on__gte=models.F("listed_on")),
                name="obligation_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(suspended_to_on__isnull=True)
                | models.Q(suspended_to_on__gte=models.F("suspended_from_on")),
                name="obligation_suspension_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | models.Q(merged_on__isnull=False),
                name="obligation_merged_with_its_day",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["region_code", "sector"], name="obligation_by_region"),
            models.Index(fields=["-listed_on", "-id"], name="obligation_by_day"),
            models.Index(fields=["region_code", "-listed_on", "-id"], name="obligation_by_region_day"),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise} · {self.get_sector_display()}"


class OnEnterprise(ScopedTable):
    """A row the platform itself keeps about an enterprise, with the area and sector it was made in."""

    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("enterprise")
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)

    class Meta:
        abstract = True


class ObligationSource(OnEnterprise):
    """One list that names an enterprise. Sources of one credit code and sector stand under one entry, and none is
    lost when the next arrives or two entries are merged."""

    obligation = models.ForeignKey(Obligation, models.CASCADE, related_name="sources", verbose_name=_("register entry"))
    source = models.CharField(_("source"), max_length=120)
    reason = models.CharField(_("reason"), max_length=12, choices=ObligationReason.choices)
    listed_on = models.DateField(_("listed on"))
    registered_workers = models.PositiveIntegerField(_("registered workers"))
    from_entry = models.ForeignKey(
        Obligation, models.SET_NULL, null=True, related_name="+", verbose_name=_("came from the entry")
    )

    class Meta:
        verbose_name = _("source of an entry")
        verbose_name_plural = _("sources of an entry")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["obligation", "source"], name="source_once_an_entry"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-listed_on", "-id"], name="obligation_source_by_day"),
            models.Index(fields=["enterprise"], name="obligation_source_by_ent"),
        ]

    def __str__(self) -> str:
        return self.source


class RegisterDispute(OnEnterprise):
    """Somebody says that an entry is wrong, with evidence; the authority decides."""

    obligation = models.ForeignKey(
        Obligation, models.PROTECT, related_name="disputes", verbose_name=_("register entry")
    )
    ground = models.CharField(_("ground"), max_length=12, choices=Ground.choices)
    words = models.CharField(_("explanation"), max_length=1000)
    from_on = models.DateField(_("since"), null=True)
    to_on = models.DateField(_("until"), null=True)
    workers = models.PositiveIntegerField(_("workers as stated"), null=True)
    side = models.CharField(_("raised by"), max_length=12, choices=Side.choices)
    raised_by = models.CharField(_("name"), max_length=120)
    raised_at = models.DateTimeField(_("raised at"))
    due_at = models.DateTimeField(_("to be decided by"))
    state = models.CharField(_("state"), max_length=10, choices=DisputeState.choices)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.CharField(_("decided by"), max_length=120, blank=True)
    decision = models.CharField(_("reasons of the decision"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("dispute about the register")
        verbose_name_plural = _("disputes about the register")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["obligation", "ground"], condition=models.Q(state="OPEN"), name="one_open_dispute_a_ground"
            ),
            models.CheckConstraint(
                condition=models.Q(state="OPEN") | (models.Q(decided_at__isnull=False) & ~models.Q(decision="")),
                name="dispute_decided_with_reasons",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-raised_at", "-id"], name="dispute_by_moment"),
            models.Index(fields=["enterprise"], name="register_dispute_by_enterprise"),
        ]

    def __str__(self) -> str:
        return f"{self.get_ground_display()} · {self.enterprise}"

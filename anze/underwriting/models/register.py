"""The obligation register (应保尽保底数): who must insure, and by which source."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.parties.models import OfEnterprise
from anze.underwriting.rules import ObligationReason, ObligationState


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

    class Meta:
        verbose_name = _("register entry")
        verbose_name_plural = _("obligation register")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["enterprise", "sector"], name="obligation_once"),
            models.CheckConstraint(
                condition=models.Q(delisted_on__isnull=True) | models.Q(delisted_on__gte=models.F("listed_on")),
                name="obligation_ends_after_start",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["region_code", "sector"], name="obligation_by_region"),
            models.Index(fields=["-listed_on", "-id"], name="obligation_by_day"),
            models.Index(fields=["region_code", "-listed_on", "-id"], name="obligation_by_region_day"),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise} · {self.get_sector_display()}"

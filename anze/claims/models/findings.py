"""What the platform keeps beside a claim: the policy as it stood, casualties as they changed, claims that look alike."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.claims.models.claims import Accident, Claim
from anze.claims.rules import AccidentClass, TwinReason, TwinState
from anze.kernel.models import ScopedTable
from anze.kernel.rules import Sector
from anze.kernel.scope import party
from anze.parties.models import Enterprise
from anze.underwriting.models import Policy


class ClaimCover(ScopedTable):
    """The policy as its row stood at the end of the day of loss, taken from the history of rows.

    Made with the claim and kept: what the policy becomes later does not change what it was.
    """

    claim = models.OneToOneField(Claim, models.CASCADE, related_name="cover", verbose_name=_("claim"))
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="+", verbose_name=_("policy"))
    as_of_on = models.DateField(_("as of"))
    content = models.JSONField(_("the policy then"))
    # it came in only after the loss: the first row known is taken
    is_later = models.BooleanField(_("recorded after the loss"))
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    insurer_id = models.UUIDField()
    enterprise_id = models.UUIDField()

    class Meta:
        verbose_name = _("policy on the day of loss")
        verbose_name_plural = _("policies on the day of loss")

    def __str__(self) -> str:
        return f"{self.claim_id} {self.as_of_on}"


# seen with the accident itself, which a correction may give to another enterprise
_WITH_ACCIDENT = "EXISTS (SELECT 1 FROM claims_accident a WHERE a.id = accident_id)"


class CasualtyCount(ScopedTable):
    """Casualties of an accident as they were reported, one row a change, with the class that followed.

    Changes after thirty days (seven for road traffic and fire) are kept too, but leave the class as it was
    (国务院令第493号 Art. 13).
    """

    keeps_history = False
    is_append_only: ClassVar[bool] = True
    policies: ClassVar = dict.fromkeys(
        ("anze_region", "anze_sector", "anze_insurer", "anze_enterprise"), _WITH_ACCIDENT
    )

    accident = models.ForeignKey(
        Accident, models.CASCADE, db_index=False, related_name="counts", verbose_name=_("accident")
    )
    counted_on = models.DateField(_("casualties as of"))
    recorded_at = models.DateTimeField(_("recorded at"))
    deaths = models.PositiveSmallIntegerField(_("deaths"))
    serious_injuries = models.PositiveSmallIntegerField(_("serious injuries"))
    direct_loss = models.DecimalField(_("direct loss"), max_digits=16, decimal_places=2)
    accident_class = models.CharField(_("class"), max_length=12, choices=AccidentClass.choices)
    is_in_time = models.BooleanField(_("counts for the class"))
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    insurer_id = models.UUIDField()
    enterprise_id = models.UUIDField()

    class Meta:
        verbose_name = _("count of casualties")
        verbose_name_plural = _("counts of casualties")
        indexes: ClassVar = [models.Index(fields=["accident", "recorded_at"], name="casualties_by_accident")]

    def __str__(self) -> str:
        return f"{self.accident_id} {self.counted_on}"


class ClaimTwin(ScopedTable):
    """Two claims at different insurers, or under different policies, that may be about one loss. A hint with its
    reasons; a person decides. Each insurer sees that there is one, and of the other claim nothing."""

    policies: ClassVar = {
        "anze_insurer": f"insurer_id = {party('insurer')} OR other_insurer_id = {party('insurer')}",
    }

    claim = models.ForeignKey(Claim, models.CASCADE, db_index=False, related_name="twins", verbose_name=_("claim"))
    other = models.ForeignKey(Claim, models.CASCADE, related_name="+", verbose_name=_("other claim"))
    reasons = ArrayField(
        models.CharField(max_length=14, choices=TwinReason.choices), default=list, verbose_name=_("because of")
    )
    state = models.CharField(_("decision"), max_length=10, choices=TwinState.choices, default=TwinState.PROPOSED)
    found_at = models.DateTimeField(_("found at"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.CharField(_("decided by"), max_length=120, blank=True, default="", db_default="")
    words = models.CharField(_("why"), max_length=500, blank=True, default="", db_default="")
    loss_on = models.DateField(_("day of loss"))
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("enterprise")
    )
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    insurer_id = models.UUIDField()
    other_insurer_id = models.UUIDField()

    class Meta:
        verbose_name = _("pair of claims that look alike")
        verbose_name_plural = _("pairs of claims that look alike")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["claim", "other"], name="claim_twin_once"),
            models.CheckConstraint(
                condition=models.Q(state="PROPOSED") | models.Q(decided_at__isnull=False) & ~models.Q(words=""),
                name="claim_twin_decided_with_reason",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-found_at", "-id"], name="claim_twin_by_moment")]

    def __str__(self) -> str:
        return f"{self.loss_on}"

"""What scores are made of: rows as they stood when the data were frozen, corrections on top, confirmed cases."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.models.campaigns import OWN_EXPERT, About, Campaign, OfParty
from anze.assessment.models.schemes import Scheme
from anze.kernel.scope import READERS
from anze.parties.models import Expert, Organisation


def amount(words: Any, **further: Any) -> Any:
    return models.DecimalField(words, max_digits=20, decimal_places=4, **further)


class FrozenRow(models.Model):
    """One row of one input: which record, its content's hash, what it gave to numerator and denominator, or why not.

    Written once by a few statements and never changed; there are more than a million a year.
    """

    id = models.BigAutoField(primary_key=True)
    # Written by one action, for the campaign it holds; the database would look it up once more for each of a million
    # rows, which takes a sixth of the whole time.
    campaign = models.ForeignKey(Campaign, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    input = models.CharField(_("input"), max_length=40)
    insurer_id = models.UUIDField(null=True)
    agency_id = models.UUIDField(null=True)
    expert_id = models.UUIDField(null=True)
    enterprise_id = models.UUIDField(null=True)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12)
    source = models.CharField(_("kind of record"), max_length=40)
    row_id = models.UUIDField(null=True)
    label = models.CharField(_("record"), max_length=120)
    numerator = amount(_("numerator"))
    denominator = amount(_("denominator"))
    reason = models.CharField(_("why not, or not fully"), max_length=24)
    content = models.CharField(_("hash of the content"), max_length=32)

    is_scoped: ClassVar[bool] = True
    policies: ClassVar = {
        **OWN_EXPERT,
        "anze_enterprise": f"{READERS['anze_enterprise'][1]} AND expert_id IS NULL",
    }

    class Meta:
        verbose_name = _("frozen row")
        verbose_name_plural = _("frozen rows")
        indexes: ClassVar = [
            models.Index(fields=["campaign", "insurer_id", "input", "id"], name="frozen_by_insurer"),
            models.Index(
                fields=["campaign", "agency_id", "input", "id"],
                name="frozen_by_agency",
                condition=models.Q(agency_id__isnull=False),
            ),
            models.Index(
                fields=["campaign", "expert_id", "input", "id"],
                name="frozen_by_expert",
                condition=models.Q(expert_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def readers(self) -> dict[str, Any]:
        """Who reads what is said of the row. The enterprise an expert was at is not among them."""
        names = ("region_code", "sector", "insurer_id", "agency_id", "expert_id", "enterprise_id")
        found = {name: getattr(self, name) for name in names}
        return found | {"enterprise_id": None} if self.expert_id else found


class Correction(OfParty):
    """What a review or an appeal made of a frozen row. The row itself stays; of several the last one holds."""

    policies: ClassVar = OWN_EXPERT

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="corrections", verbose_name=_("assessment"))
    row = models.ForeignKey(FrozenRow, models.CASCADE, db_index=False, related_name="+", verbose_name=_("record"))
    input = models.CharField(_("input"), max_length=40)
    enterprise_id = models.UUIDField(null=True)
    region_code = models.CharField(_("region"), max_length=6)
    sector = models.CharField(_("sector"), max_length=12)
    numerator_before = amount(_("numerator before"))
    denominator_before = amount(_("denominator before"))
    numerator = amount(_("numerator"))
    denominator = amount(_("denominator"))
    reasons = models.CharField(_("reasons"), max_length=1000)
    appeal_id = models.UUIDField(null=True)
    by = models.UUIDField(null=True)
    by_name = models.CharField(_("by"), max_length=120)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("correction of a frozen row")
        verbose_name_plural = _("corrections of frozen rows")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(reasons=""), name="correction_has_reasons"),
        ]
        indexes: ClassVar = [models.Index(fields=["campaign", "row", "-id"], name="correction_by_row")]

    def __str__(self) -> str:
        return f"{self.row_id}"


class ConductCase(About):
    """Something an authority confirmed about an insurer, an agency or an expert: conduct, bonus, deduction, veto.

    Entered by people only, with the document it rests on: the platform itself accuses nobody.
    """

    policies: ClassVar = OWN_EXPERT

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("about"))
    expert = models.ForeignKey(Expert, models.PROTECT, null=True, related_name="+", verbose_name=_("expert"))
    region_code = models.CharField(_("region"), max_length=6)
    code = models.CharField(_("item of the scheme"), max_length=12)
    happened_on = models.DateField(_("day"))
    document_no = models.CharField(_("document no."), max_length=80)
    text = models.CharField(_("what was found"), max_length=1000)
    confirmed_at = models.DateTimeField(_("confirmed at"))
    confirmed_by = models.CharField(_("confirmed by"), max_length=120)
    withdrawn_at = models.DateTimeField(pgettext_lazy("case", "withdrawn at"), null=True)
    withdrawn_by = models.CharField(_("withdrawn by"), max_length=120, blank=True)
    withdrawn_reason = models.CharField(_("reason for withdrawing"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("confirmed case")
        verbose_name_plural = _("confirmed cases")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True) | ~models.Q(withdrawn_reason=""),
                name="withdrawn_case_has_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(organisation__isnull=True) ^ models.Q(expert__isnull=True), name="case_about_one"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-happened_on", "-id"], name="case_by_day")]

    def __str__(self) -> str:
        return f"{self.code} {self.document_no}"


class Forecast(About):
    """Where somebody would stand if the period ended now, by the same rows and the same scoring."""

    keeps_history = False
    policies: ClassVar = OWN_EXPERT

    scheme = models.ForeignKey(Scheme, models.CASCADE, related_name="+", verbose_name=_("scheme"))
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, null=True, related_name="+", verbose_name=pgettext_lazy("assessment", "assessed")
    )
    expert = models.ForeignKey(Expert, models.CASCADE, null=True, related_name="+", verbose_name=_("expert"))
    region_code = models.CharField(_("region"), max_length=6)
    period_from = models.DateField(_("period from"))
    as_of = models.DateField(_("counted up to"))
    made_at = models.DateTimeField(_("counted at"))
    measures = models.JSONField(default=dict)
    cases = models.JSONField(default=dict)
    score = models.DecimalField(_("score"), max_digits=6, decimal_places=2)

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "region_code"], name="one_forecast_each"),
            models.UniqueConstraint(fields=["expert", "region_code"], name="one_forecast_an_expert"),
            models.CheckConstraint(
                condition=models.Q(organisation__isnull=True) ^ models.Q(expert__isnull=True),
                name="forecast_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assessed} {self.score}"

"""One assessment of a year, and its results: open to all when published, to the assessed and authorities before."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.models.schemes import Scheme
from anze.assessment.rules.campaigns import SHOWN_TO_OWN, CampaignState, Level
from anze.assessment.rules.schemes import SubjectKind
from anze.kernel.models import PublicTable, ScopedTable
from anze.kernel.scope import READERS
from anze.kernel.scope import party as asking
from anze.parties.models import Expert, Organisation

_PUBLISHED = "campaign_id IN (SELECT id FROM assessment_campaign WHERE state = 'PUBLISHED')"
_SHOWN = "campaign_id IN (SELECT id FROM assessment_campaign WHERE state IN ({}))".format(
    ", ".join(f"'{state}'" for state in SHOWN_TO_OWN)
)
# Of an expert nobody reads but himself, his agency and the authorities: he is a person, and never published.
_OPEN = f"{_PUBLISHED} AND expert_id IS NULL"
OWN_EXPERT = {"anze_expert": f"expert_id = {asking('expert')}"}


class OfAssessed(ScopedTable):
    """Something of one of the assessed, told by his column. Beside an expert stands the agency he belonged to."""

    insurer_id = models.UUIDField(null=True)
    agency_id = models.UUIDField(null=True)

    class Meta:
        abstract = True

    @property
    def party(self) -> UUID:
        """Whose it is."""
        found: UUID | None = getattr(self, "expert_id", None) or self.insurer_id or self.agency_id
        assert found is not None
        return found


class OfParty(OfAssessed):
    expert_id = models.UUIDField(null=True)

    class Meta:
        abstract = True


class About(OfAssessed):
    """What names the assessed: an organisation, or an expert."""

    organisation: Any
    expert: Any
    organisation_id: UUID | None
    expert_id: UUID | None

    class Meta:
        abstract = True

    @property
    def assessed(self) -> Organisation | Expert:
        found: Organisation | Expert = self.expert or self.organisation
        return found

    @property
    def known_as(self) -> str:
        """The code of an organisation, the number of an expert: what files and draws call him."""
        return self.expert.number if self.expert else str(self.organisation.code)

    @property
    def who(self) -> dict[str, Any]:
        """Finds what else there is of the same one."""
        return {"expert": self.expert_id} if self.expert_id else {"organisation": self.organisation_id}


class Campaign(PublicTable):
    """An assessment: its scheme, period, course and, in the end, the signed manifest of everything behind it."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    title = models.CharField(_("title"), max_length=120)
    subject = models.CharField(_("assesses"), max_length=8, choices=SubjectKind.choices)
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="campaigns", verbose_name=_("scheme"))
    before = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", verbose_name=_("the one before"))
    period_from = models.DateField(_("period from"))
    period_to = models.DateField(_("period until"))
    state = models.CharField(_("state"), max_length=12, choices=CampaignState.choices, default=CampaignState.DRAFT)
    made_at = models.DateTimeField(_("set up at"))
    made_by = models.CharField(_("set up by"), max_length=120)
    as_of = models.DateField(_("counted up to"), null=True)
    frozen_at = models.DateTimeField(_("data frozen at"), null=True)
    frozen_by = models.CharField(_("frozen by"), max_length=120, blank=True)
    frozen_rows = models.PositiveIntegerField(_("rows frozen"), null=True)
    frozen_sha256 = models.CharField(_("digest of the rows"), max_length=64, blank=True)
    computed_at = models.DateTimeField(_("computed at"), null=True)
    report_due_at = models.DateTimeField(_("self-reports due"), null=True)
    sample_each = models.PositiveIntegerField(_("rows drawn of each"), null=True)
    seed = models.CharField(_("seed"), max_length=100, blank=True)
    seed_source = models.CharField(_("where the seed comes from"), max_length=200, blank=True)
    review_at = models.DateTimeField(_("sample drawn at"), null=True)
    review_due_at = models.DateTimeField(_("review due"), null=True)
    provisional_at = models.DateTimeField(_("provisional result announced at"), null=True)
    appeal_until_at = models.DateTimeField(_("appeals until"), null=True)
    final_at = models.DateTimeField(_("final since"), null=True)
    signed_at = models.DateTimeField(_("signed at"), null=True)
    signed_by = models.CharField(_("signed by"), max_length=120, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True)
    manifest = models.JSONField(_("manifest"), default=dict)
    manifest_sha256 = models.CharField(_("digest of the manifest"), max_length=64, blank=True)
    signature = models.TextField(_("signature"), blank=True)

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(period_to__gt=models.F("period_from")), name="assessment_ends_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("DRAFT", "FREEZING"))
                | models.Q(frozen_at__isnull=False, as_of__isnull=False),
                name="frozen_assessment_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=("SIGNED", "PUBLISHED")) | ~models.Q(signature=""),
                name="signed_assessment_has_its_signature",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-period_to", "-id"], name="assessment_by_period")]

    def __str__(self) -> str:
        return self.title


class Outcome(About):
    """What somebody reached, in the province or in one city. Points and no amounts: published to everybody.

    An expert's is no public matter: see `_OPEN`.
    """

    policies: ClassVar = {
        "anze_region": f"({READERS['anze_region'][1]}) OR {_OPEN}",
        "anze_sector": _OPEN,
        "anze_insurer": f"({READERS['anze_insurer'][1]} AND {_SHOWN}) OR {_OPEN}",
        "anze_agency": f"({READERS['anze_agency'][1]} AND {_SHOWN}) OR {_OPEN}",
        "anze_expert": f"({OWN_EXPERT['anze_expert']} AND {_SHOWN}) OR {_OPEN}",
        "anze_enterprise": _OPEN,
    }

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="outcomes", verbose_name=_("assessment"))
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+", verbose_name=pgettext_lazy("assessment", "assessed")
    )
    expert = models.ForeignKey(Expert, models.PROTECT, null=True, related_name="+", verbose_name=_("expert"))
    level = models.CharField(_("level"), max_length=8, choices=Level.choices)
    region_code = models.CharField(_("region"), max_length=6)
    score = models.DecimalField(_("score"), max_digits=6, decimal_places=2)
    grade = models.CharField(_("grade"), max_length=4)
    rank = models.PositiveIntegerField(_("rank"), null=True)
    why_not = models.CharField(_("not ranked"), max_length=8, blank=True)
    earned = models.DecimalField(_("points"), max_digits=12, decimal_places=6)
    possible = models.DecimalField(_("points possible"), max_digits=8, decimal_places=2)
    bonus = models.DecimalField(_("bonus"), max_digits=6, decimal_places=2)
    deduction = models.DecimalField(_("deduction"), max_digits=6, decimal_places=2)
    vetoes = ArrayField(models.CharField(max_length=12), default=list, verbose_name=_("vetoes"))
    gates = ArrayField(models.CharField(max_length=12), default=list, verbose_name=_("gates not passed"))
    points = models.JSONField(_("points by element"))  # element → [points, standing]
    computed_score = models.DecimalField(_("score as computed"), max_digits=6, decimal_places=2)
    provisional_score = models.DecimalField(_("provisional score"), max_digits=6, decimal_places=2, null=True)
    provisional_rank = models.PositiveIntegerField(_("provisional rank"), null=True)

    class Meta:
        verbose_name = _("result")
        verbose_name_plural = _("results")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "organisation", "region_code"], name="one_result_each"),
            models.UniqueConstraint(fields=["campaign", "expert", "region_code"], name="one_result_an_expert"),
            models.CheckConstraint(
                condition=models.Q(expert__isnull=False, organisation__isnull=True, insurer_id__isnull=True)
                | models.Q(expert__isnull=True, organisation__isnull=False)
                & (models.Q(insurer_id__isnull=False) ^ models.Q(agency_id__isnull=False)),
                name="result_of_one_party",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["campaign", "level", "rank", "id"], name="result_by_rank"),
            models.Index(fields=["-score", "-id"], name="result_by_score"),
        ]

    def __str__(self) -> str:
        return f"{self.assessed} {self.score}"


class Tally(OfParty):
    """The sums behind a result. They hold premiums, so they are never published: own and authorities only."""

    policies: ClassVar = {
        "anze_insurer": f"{READERS['anze_insurer'][1]} AND {_SHOWN}",
        "anze_agency": f"{READERS['anze_agency'][1]} AND {_SHOWN}",
        "anze_expert": f"{OWN_EXPERT['anze_expert']} AND {_SHOWN}",
    }

    outcome = models.OneToOneField(Outcome, models.CASCADE, related_name="tally")
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+")
    region_code = models.CharField(_("region"), max_length=6)
    measures = models.JSONField(_("measures"))  # input → [numerator, denominator, rows, rows left out]
    cases = models.JSONField(_("confirmed cases"))  # code → number

    class Meta:
        verbose_name = _("sums behind a result")
        verbose_name_plural = _("sums behind results")

    def __str__(self) -> str:
        return str(self.outcome_id)

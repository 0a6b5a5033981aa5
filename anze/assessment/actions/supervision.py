"""What a published result leads to in supervision."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef

from anze.assessment.models import Campaign, Feedback, Outcome, Supervised
from anze.assessment.rules import TierState
from anze.assessment.rules.campaigns import CampaignState
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameters
from anze.kernel.scope import PROVINCE

TIMES = "assessment_review_times."  # by tier: so many times as many rows are drawn for review


def put_in_tiers(campaign: Campaign, *, at: datetime) -> int:
    """Give everybody graded the tier his grade leads to. The tier of the result before ends with it; who is not graded
    now keeps it, and who is not assessed any more leaves it. The scope must be everything. A result that is published
    after one of a later period moves nobody."""
    published = Campaign.objects.filter(subject=campaign.subject, state=CampaignState.PUBLISHED)
    if published.filter(period_to__gt=campaign.period_to).exists():
        return 0
    tiers = {grade.code: grade.supervision for grade in campaign.scheme.text.grades if grade.supervision}
    outcomes = Outcome.objects.filter(campaign=campaign, organisation__isnull=False)
    graded = outcomes.filter(why_not="", grade__in=tiers)
    today = beijing_day(at)
    own = {"organisation_id": OuterRef("organisation_id"), "region_code": OuterRef("region_code")}
    standing = Supervised.objects.filter(campaign__subject=campaign.subject, until_on__isnull=True)
    standing.filter(Exists(graded.filter(**own))).update(state=TierState.REPLACED, until_on=today, later=campaign)
    standing.filter(~Exists(outcomes.filter(**own))).update(state=TierState.LEFT, until_on=today, later=campaign)
    standing.update(state=TierState.KEPT, later=campaign)
    spoken = {each.outcome_id: each for each in Feedback.objects.filter(campaign=campaign)}
    made = []
    for outcome in graded.order_by("region_code", "rank"):
        tier, party, said = tiers[outcome.grade], outcome.organisation_id, spoken.get(outcome.pk)
        assert party is not None
        made.append(
            Supervised(
                outcome=outcome,
                campaign=campaign,
                organisation_id=party,
                region_code=outcome.region_code,
                tier=tier.tier,
                checks_a_year=tier.checks_a_year,
                is_spoken_to=tier.is_spoken_to,
                spoken_at=said.given_at if said else None,
                answered_at=said.answered_at if said else None,
                ground=tier.ground[:200],
                status=tier.status,
                from_on=today,
            )
        )
    Supervised.objects.bulk_create(made, batch_size=500)
    return len(made)


def sizes_by_tier(each: int, *, on: date) -> dict[UUID, int]:
    """How many rows are drawn for review of an organisation in a tier, where as many as `each` are drawn of others:
    who is supervised more closely is looked at more closely."""
    times = parameters(TIMES, on)
    standing = Supervised.objects.filter(region_code=PROVINCE, until_on__isnull=True)
    return {
        party: int((each * times.get(tier, Decimal(1))).to_integral_value(ROUND_CEILING))
        for party, tier in standing.values_list("organisation_id", "tier")
    }

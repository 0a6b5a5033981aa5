"""What a published result leads to in supervision."""

from __future__ import annotations

from datetime import datetime

from anze.assessment.models import Campaign, Feedback, Outcome, Supervised
from anze.kernel.duty import beijing_day


def put_in_tiers(campaign: Campaign, *, at: datetime) -> int:
    """Give everybody graded the tier his grade leads to; the tier of the result before ends. The scope must be
    everything. A result that is published after one of a later period moves nobody."""
    tiers = {grade.code: grade.supervision for grade in campaign.scheme.text.grades if grade.supervision}
    standing = Supervised.objects.filter(campaign__subject=campaign.subject, until_on__isnull=True)
    if not tiers or standing.filter(campaign__period_to__gt=campaign.period_to).exists():
        return 0
    today = beijing_day(at)
    standing.update(until_on=today)
    graded = Outcome.objects.filter(campaign=campaign, why_not="", grade__in=tiers, organisation__isnull=False)
    spoken = dict(Feedback.objects.filter(campaign=campaign).values_list("outcome_id", "given_at"))
    made = []
    for outcome in graded.order_by("region_code", "rank"):
        tier, party = tiers[outcome.grade], outcome.organisation_id
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
                spoken_at=spoken.get(outcome.pk),
                ground=tier.ground[:200],
                status=tier.status,
                from_on=today,
            )
        )
    Supervised.objects.bulk_create(made, batch_size=500)
    return len(made)

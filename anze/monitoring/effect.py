"""Does prevention work? Enterprises that were served are compared with such as were not, like with like.

A day is chosen. Who was insured on it is asked two things: was there a service done in the half year before (served
or not), and was there an accident, or a claim, in the half year after. Since served enterprises differ from others
(they are larger, riskier, had accidents before), only those of one group are held against each other: same sector,
size, risk tier, city, and the same answer to whether an accident had happened before. What the groups say is put
together as one odds ratio by Mantel and Haenszel, with the interval of Robins, Breslow and Greenland (statsmodels).

It is a comparison, no experiment: what is not in the groups may still differ. So the page says "cannot tell yet"
wherever the interval holds 1 or too few things happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any

import numpy as np
from django.db import connection, transaction

from anze.kernel.duty import beijing_day, end_of_day
from anze.kernel.models import parameter
from anze.kernel.scope import EVERYTHING, inside
from anze.monitoring.models import EffectEstimate
from anze.monitoring.rules import Outcome, Verdict


@dataclass(frozen=True)
class Group:
    """Enterprises alike in all that is compared by: how many, and to how many of them it happened."""

    served: int
    served_hit: int
    others: int
    others_hit: int

    @property
    def compares(self) -> bool:
        return self.served > 0 and self.others > 0


@dataclass(frozen=True)
class Estimate:
    """What the groups say together. Ratios are odds ratios; below 1 speaks for the services.

    `avoided` is how many more served enterprises would have been hit without services, as the ratio says.
    Ratio, interval and what follows from them are None where the groups allow none."""

    verdict: Verdict
    served: int
    served_hit: int
    others: int
    others_hit: int
    left_out: int
    ratio: float | None = None
    low: float | None = None
    high: float | None = None

    def avoided(self, ratio: float | None) -> float | None:
        return None if not ratio else self.served_hit * (1 / ratio - 1)


def estimate(groups: Iterable[Group], *, fewest: int) -> Estimate:
    """The effect over all groups that have both sides.

    `fewest`: enterprises hit, on either side together, below which nothing is said (parameter `effect_fewest_hits`)."""
    from statsmodels.stats.contingency_tables import StratifiedTable  # slow to load: only where it is needed

    given = list(groups)
    used = [each for each in given if each.compares]
    words: dict[str, Any] = {
        name: sum(getattr(each, name) for each in used) for name in ("served", "served_hit", "others", "others_hit")
    }
    words["left_out"] = sum(each.served + each.others for each in given if not each.compares)
    if words["served_hit"] + words["others_hit"] < fewest or not words["served_hit"] or not words["others_hit"]:
        return Estimate(Verdict.TOO_FEW, **words)
    tables = np.array(
        [
            [[each.served_hit, each.others_hit] for each in used],
            [[each.served - each.served_hit, each.others - each.others_hit] for each in used],
        ],
        dtype=float,
    ).transpose(0, 2, 1)
    pooled = StratifiedTable(tables)
    ratio = float(pooled.oddsratio_pooled)
    low, high = (float(bound) for bound in pooled.oddsratio_pooled_confint())
    if not all(map(isfinite, (ratio, low, high))) or ratio <= 0:
        return Estimate(Verdict.TOO_FEW, **words)
    verdict = Verdict.FEWER if high < 1 else Verdict.MORE if low > 1 else Verdict.CANNOT_TELL
    return Estimate(verdict, **words, ratio=ratio, low=low, high=high)


# one row a group. Counted are services as the completion rate counts them: on file, not void, not returned
_GROUPS = """
    WITH insured AS (
        SELECT DISTINCT p.enterprise_id FROM underwriting_policy p
        WHERE NOT p.is_void AND p.start_on <= %(day)s AND p.cover_end_on >= %(day)s
    ), served AS (
        SELECT DISTINCT enterprise_id FROM prevention_service
        WHERE NOT is_void AND NOT is_returned AND performed_on > %(day)s - %(before)s AND performed_on <= %(day)s
    ), earlier AS (
        SELECT DISTINCT enterprise_id FROM claims_accident
        WHERE NOT is_void AND occurred_at < %(ended_at)s AND occurred_at >= %(ended_at)s - interval '2 years'
    ), hit AS ({outcome})
    SELECT count(*) FILTER (WHERE s.enterprise_id IS NOT NULL),
           count(*) FILTER (WHERE s.enterprise_id IS NOT NULL AND h.enterprise_id IS NOT NULL),
           count(*) FILTER (WHERE s.enterprise_id IS NULL),
           count(*) FILTER (WHERE s.enterprise_id IS NULL AND h.enterprise_id IS NOT NULL)
    FROM insured i JOIN parties_enterprise e ON e.id = i.enterprise_id
    LEFT JOIN served s USING (enterprise_id) LEFT JOIN earlier b USING (enterprise_id)
    LEFT JOIN hit h USING (enterprise_id)
    GROUP BY e.sector, e.size, e.risk_tier, left(e.region_code, 4), b.enterprise_id IS NOT NULL
"""
_HIT = {
    Outcome.ACCIDENT: """
        SELECT DISTINCT enterprise_id FROM claims_accident
        WHERE NOT is_void AND occurred_at >= %(ended_at)s
          AND occurred_at < %(ended_at)s + interval '1 day' * %(after)s
    """,
    Outcome.CLAIM: """
        SELECT DISTINCT enterprise_id FROM claims_claim
        WHERE NOT is_void AND loss_on > %(day)s AND loss_on <= %(day)s + %(after)s
    """,
}


def groups_on(day: date, outcome: Outcome, *, before: int, after: int) -> list[Group]:
    """The groups of all insured on a day. Days: `before` to look for services, `after` to look for what happened."""
    with connection.cursor() as cursor:
        cursor.execute(
            _GROUPS.format(outcome=_HIT[outcome]),
            {"day": day, "ended_at": end_of_day(day), "before": before, "after": after},
        )
        return [Group(*row) for row in cursor.fetchall()]


def take_stock(*, at: datetime) -> list[EffectEstimate]:
    """Estimate anew for the latest day after which enough time has passed. One row a day and outcome is kept."""
    today = beijing_day(at)
    before = int(parameter("effect_service_days", today))
    after = int(parameter("effect_follow_days", today))
    fewest = int(parameter("effect_fewest_hits", today))
    day = today - timedelta(days=after + 1)
    made = []
    with transaction.atomic(), inside(EVERYTHING):
        for outcome in Outcome:
            found = estimate(groups_on(day, outcome, before=before, after=after), fewest=fewest)
            row, _is_new = EffectEstimate.objects.update_or_create(
                day=day,
                outcome=outcome,
                defaults={
                    "computed_at": at, "service_days": before, "follow_days": after, "verdict": found.verdict,
                    "served": found.served, "served_hit": found.served_hit, "others": found.others,
                    "others_hit": found.others_hit, "left_out": found.left_out, "ratio": found.ratio,
                    "low": found.low, "high": found.high,
                },
            )  # fmt: skip
            made.append(row)
    return made

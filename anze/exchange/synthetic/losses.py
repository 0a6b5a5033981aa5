"""Accidents and claims: which policies they happen to."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from anze.exchange.synthetic.calendar import DAY, Year
from anze.exchange.synthetic.entities import Loss, Policy
from anze.exchange.synthetic.figures import Figures
from anze.exchange.synthetic.streams import stream

_RISK = {
    "MINE": 2.2, "HAZCHEM": 0.7, "FIREWORK": 0.4, "TRANSPORT": 1.3, "CONSTR": 1.8, "CIVEXP": 0.7,
    "SMELT": 1.3, "FISHERY": 2.0, "OTHER": 0.8,
}  # fmt: skip


def draw_losses(policies: list[Policy], counts: Figures, year: Year, seed: int) -> list[Loss]:
    """So many claims as the figures say, more where more people do riskier work; some with an accident."""
    exposed = []
    weights = []
    for policy in policies:
        low, high = max(policy.start, year.first), min(policy.cover_end, year.last)
        days = (high - low).days
        if days > 5:
            exposed.append((policy, low, days))
            weights.append((3 + policy.workers**0.8) * _RISK[policy.enterprise.sector] * days)
    sums = list(accumulate(weights))
    random = stream(seed, "losses")
    found = []
    for number in range(counts.claims):
        policy, low, days = exposed[bisect_right(sums, random.random() * sums[-1])]
        if number == counts.accidents:  # the first without an accident
            policy, low, days = max(exposed, key=lambda each: (each[0].enterprise.is_shown, each[0].serial))
        loss = Loss(policy, low + int(random.random() * days) * DAY, number < counts.accidents, random.random())
        policy.losses.append(loss)
        found.append(loss)
    _claim_twice(found, policies, year)
    for policy in policies:
        policy.losses.sort(key=lambda loss: (loss.day, loss.key))
    return found


def _claim_twice(losses: list[Loss], policies: list[Policy], year: Year) -> None:
    """One loss claimed at two insurers: where an enterprise went from one to another, both are told of the same day."""
    plain = [loss for loss in losses if not loss.has_accident][-2:]
    known = set(map(id, policies))
    for policy in policies:
        before = policy.previous
        day = policy.start + 20 * DAY
        if before is None or before.insurer is policy.insurer or id(before) not in known or len(plain) < 2:
            continue
        if not year.first <= policy.start <= day <= year.last - 30 * DAY:
            continue
        first, second = plain
        for loss, where in ((first, policy), (second, before)):
            loss.policy.losses.remove(loss)
            loss.policy, loss.day = where, day
            where.losses.append(loss)
        second.twin = first
        break

"""Prevention expense: every cent of the year's total, tied to services and held below the cap."""

from __future__ import annotations

from anze.exchange.synthetic.calendar import DAY, Year
from anze.exchange.synthetic.entities import Policy, PriceList
from anze.exchange.synthetic.streams import stream

# what a service of each form costs, relative to the others
_COST = {"COMMISSIONED_TSP": 1.6, "HIRED_EXPERT": 1.1, "OWN_STAFF": 0.6, "OTHER_AGREED": 0.5}
_CAP = 0.203  # of the premium received: who keeps to the rules stays below this
_TINY = 100  # cents; an expense of less is not worth a voucher


def spend(policies: list[Policy], total: int, year: Year, seed: int) -> None:
    """Divide `total` cents over services and shared costs of the policies, exactly."""
    budgets: list[tuple[Policy, float, float]] = []  # policy, what it would spend, what it may spend
    fixed = 0
    for policy in policies:
        received = policy.received
        if received <= 0:
            continue
        random = stream(seed, "spend", policy.enterprise.index, policy.serial)
        weight = 0.0
        for visit in policy.visits:
            visit.weight = _COST[visit.form] * random.uniform(0.7, 1.3) * (1.5 if visit.is_second_expert else 1)
            if visit.form == "OWN_STAFF" and random.random() < 0.12:
                visit.weight = 0.0  # part of the staff's ordinary day
            weight += visit.weight
        if policy.price_list is not None:
            fixed += _by_list(policy, policy.price_list)
            continue
        if policy.is_over_cap:
            if not weight:
                policy.visits[0].weight = 1.0
            fixed += _divide(policy, round(received * random.uniform(0.24, 0.36)), year)
            continue
        shared = random.random() < 0.05 and received > 200_000
        if shared:
            low, high = max(policy.issued, year.first), year.last
            policy.shared_weight = 0.15
            policy.shared_day = low + int(random.random() * max(1, (high - low).days)) * DAY
        if weight or shared:
            wish = received * policy.insurer.spending * random.uniform(0.7, 1.25) * (1 if weight else 0.05)
            budgets.append((policy, wish, received * _CAP))
    wanted = total - fixed
    if sum(limit for _policy, _wish, limit in budgets) < wanted:
        raise ValueError("the premium received is too little for the prevention expense")
    factor = _factor(budgets, wanted)
    spent = [min(wish * factor, limit) for _policy, wish, limit in budgets]
    rounded = 0
    exact = 0.0
    for (policy, _wish, _limit), amount in zip(budgets, spent, strict=True):
        exact += amount
        cents = round(exact) - rounded
        rounded += _divide(policy, cents, year)
    even_out(policies, wanted - rounded)


def _by_list(policy: Policy, listed: PriceList) -> int:
    """What was ordered under a price list costs its price; the insurer's own people come beside it for nothing."""
    for visit in policy.visits:
        visit.agreed_cents = listed.cents[visit.type] if visit.form == "COMMISSIONED_TSP" else 0
        visit.cents = visit.agreed_cents
    return sum(visit.cents for visit in policy.visits)


def _factor(budgets: list[tuple[Policy, float, float]], wanted: int) -> float:
    """The factor by which all wishes, each held to its limit, come to what is wanted."""
    factor = 1.0
    for _step in range(60):
        free = held = 0.0
        for _policy, wish, limit in budgets:
            if wish * factor < limit:
                free += wish
            else:
                held += limit
        better = (wanted - held) / free if free else factor
        if abs(better - factor) < 1e-12:
            break
        factor = better
    return factor


def _divide(policy: Policy, cents: int, year: Year) -> int:
    """Cents of a policy over its services and its share of common costs; returns what was placed."""
    weights = [visit.weight for visit in policy.visits]
    whole = sum(weights) + policy.shared_weight
    if whole <= 0 or cents < _TINY:
        policy.shared_weight = 0.0
        return 0
    placed = 0
    for visit, weight in zip(policy.visits, weights, strict=True):
        visit.cents = int(cents * weight / whole)
        if visit.cents < _TINY:
            visit.cents = 0
        placed += visit.cents
    if policy.shared_weight:
        policy.shared_cents = cents - placed
        if policy.shared_cents < _TINY:
            policy.shared_cents = 0
        return placed + policy.shared_cents
    best = max((visit for visit in policy.visits if visit.cents), key=lambda visit: visit.cents, default=None)
    if best is None:
        return 0
    best.cents += cents - placed
    return cents


def even_out(policies: list[Policy], missing: int) -> None:
    """Place the last cents where there is room for them."""
    for policy in policies:
        if missing == 0:
            return
        if policy.is_over_cap or policy.price_list is not None or not policy.received:
            continue
        for visit in policy.visits:
            if visit.cents >= 10_000 and visit.invoice_of is None:
                spent = sum(each.cents for each in policy.visits) + policy.shared_cents
                room = int(policy.received * 0.205) - spent
                step = max(-5_000, min(missing, room, 20_000)) if missing > 0 else max(missing, -5_000)
                if step > 0 or missing < 0:
                    visit.cents += step
                    missing -= step
                break
    if missing:
        raise ValueError(f"{missing} cents of prevention expense find no place")

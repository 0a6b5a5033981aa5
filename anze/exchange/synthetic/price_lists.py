"""Price lists that insurers agree on with the agencies they send most, before anything is ordered under them.

What an agency does for an insurer under one is ordered, billed and paid at its price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from anze.exchange.synthetic.calendar import DAY
from anze.exchange.synthetic.entities import Agency, Insurer, Policy, PriceList, Visit
from anze.exchange.synthetic.parties import OVERSPENDER
from anze.exchange.synthetic.streams import Weighted, stream
from anze.prevention.rules.agreements import BINDING, AgreementState, Framework, Terms

_PRICES = {"HAZARD": 800, "RISK": 1000, "TRAIN": 600, "DRILL": 700, "STD": 1200, "TECH": 1000}  # yuan a visit
_STEP = 20  # and a little more from one to the next
# what the commissioned visits of a policy may come to at these prices, of the premium received: another insurer's visits
# cost as much, and no list drives a policy over the cap
_SHARE = (0.08, 0.17)
_AGENCIES = 2  # of one insurer
# that of the insurer and the agency people sign in as: accepted, for all sectors, for half a year to come
_SHOWN, _SHOWN_FIRST = 7, 1_000_000
_STATES = {2: AgreementState.PROPOSED, 3: AgreementState.DECLINED, 4: AgreementState.ENDED}  # of eight; else accepted


def draw_price_lists(
    policies: list[Policy], serving: Mapping[str, Weighted[Agency]], as_of: date, seed: int
) -> list[PriceList]:
    """With the agencies an insurer can send most at the usual prices; whom these do not suit another agency serves."""
    served: dict[tuple[Insurer, Agency], list[Policy]] = defaultdict(list)
    for policy in policies:
        if policy.agency is not None and _commissioned(policy) and policy.insurer.index != OVERSPENDER:
            served[policy.insurer, policy.agency].append(policy)
    of_insurer: dict[Insurer, list[tuple[int, int, Agency]]] = defaultdict(list)
    for (insurer, agency), theirs in served.items():
        visits = sum(len(_commissioned(policy)) for policy in theirs if _suits(policy))
        if any(policy.enterprise.is_shown for policy in theirs):
            visits += _SHOWN_FIRST
        if visits:
            of_insurer[insurer].append((-visits, agency.index, agency))
    chosen = {
        insurer: [agency for *_rank, agency in sorted(ranked, key=lambda each: each[:2])[:_AGENCIES]]
        for insurer, ranked in of_insurer.items()
    }
    made = []
    pairs = [(insurer, agency) for insurer in chosen for agency in chosen[insurer]]
    for n, (insurer, agency) in enumerate(sorted(pairs, key=lambda pair: (pair[0].index, pair[1].index))):
        are_shown = any(policy.enterprise.is_shown for policy in served[insurer, agency])
        made.append(_price_list(_SHOWN if are_shown else n, insurer, agency, as_of))
        for policy in served[insurer, agency]:
            others = [each for each in serving[policy.enterprise.county.city].values if each not in chosen[insurer]]
            if _suits(policy) or policy.enterprise.is_shown:
                policy.price_list = made[-1]
            elif others:
                random = stream(seed, "another agency", policy.enterprise.index, policy.serial)
                policy.agency = random.choice(others)
            else:
                raise ValueError(f"nobody else serves {policy.enterprise.county.city}")
    return made


def _price_list(n: int, insurer: Insurer, agency: Agency, as_of: date) -> PriceList:
    """Most hold for a year, begun some time ago; of eight one runs out soon, one waits for an answer, two came to nothing."""
    state = _STATES.get(n % 8, AgreementState.ACCEPTED)
    start = as_of - timedelta(days=345 if n % 8 == 1 else 60 + n * 17 % 280)
    if state is AgreementState.PROPOSED:
        start = as_of + 10 * DAY
    return PriceList(
        insurer=insurer,
        agency=agency,
        state=state,
        start=start,
        end=start + 364 * DAY,
        until=as_of - 5 * DAY if state is AgreementState.ENDED else start + 364 * DAY,
        cents={kind: (price + _STEP * (n % 5)) * 100 for kind, price in _PRICES.items()},
        kinds=tuple(_PRICES)[: 3 + n % 3],
        sectors=("HAZCHEM", "FIREWORK", "MINE") if n % 6 == 0 else (),
        regions=tuple(sorted(agency.cities)) if n % 5 == 0 else (),
    )


def _commissioned(policy: Policy) -> list[Visit]:
    return [visit for visit in policy.visits if visit.form == "COMMISSIONED_TSP"]


def _suits(policy: Policy) -> bool:
    visits = _commissioned(policy)
    if any(visit.type not in _PRICES for visit in visits):
        return False
    low, high = _SHARE
    return low * policy.received <= sum(_PRICES[visit.type] for visit in visits) * 100 <= high * policy.received


def is_agreed(visit: Visit) -> bool:
    """Whether the price of the list binds: it was accepted and holds on the day for such a visit."""
    listed = visit.policy.price_list
    if listed is None or not visit.agreed_cents or listed.state not in BINDING:
        return False
    prices = {kind: Decimal(listed.cents[kind]) for kind in listed.kinds}
    terms = Terms(listed.start, listed.until, prices, listed.sectors, listed.regions)
    framework = Framework(None, "", None, terms)
    enterprise = visit.policy.enterprise
    return framework.price_of(visit.type, enterprise.sector, enterprise.county.code, visit.day) is not None

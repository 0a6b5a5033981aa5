"""What is planted for others to find, and the truth about it."""

from __future__ import annotations

from anze.exchange.synthetic.calendar import DAY, Year
from anze.exchange.synthetic.entities import Policy, Province, Visit
from anze.exchange.synthetic.figures import Figures
from anze.exchange.synthetic.money import even_out
from anze.exchange.synthetic.parties import OVERSPENDER
from anze.exchange.synthetic.places import kilometres
from anze.exchange.synthetic.policies import price, receive
from anze.exchange.synthetic.price_lists import is_agreed
from anze.exchange.synthetic.streams import stream

FAR = 150  # kilometres that nobody travels while a service lasts
ABOVE_LIST = 1.15  # what is charged above a price list is so much of its price
CAP = 0.21  # of the premium received (应急厅函〔2024〕322号)
LOW_PRICE = 0.7  # of the benchmark rate


def sell_too_cheaply(policies: list[Policy], counts: Figures, year: Year, seed: int) -> None:
    """A few insurers sell far below the sector's rate."""
    random = stream(seed, "low price")
    cheap = [p for p in policies if p.insurer.index in (3, 9, 13, 22, 26) and not p.changes and p.serial == 0]
    if len(cheap) < counts.low_price_policies:
        cheap = [p for p in policies if not p.changes]
    for policy in random.sample(cheap, min(len(cheap), counts.low_price_policies)):
        value = random.randint(300, 480)
        policy.is_low_price = True
        policy.factors = (*policy.factors, ("市场竞争优惠", value))
        policy.rate_final = round(policy.rate_base * value / 1000)
        price(policy)
        receive(policy, year, stream(seed, "low price", policy.enterprise.index))


def overspend(policies: list[Policy], counts: Figures, seed: int) -> None:
    """One tiny insurer spends more than the cap on all its policies, others on some."""
    random = stream(seed, "over cap")
    served = [p for p in policies if p.visits and p.received > 100_000 and p.price_list is None]
    own = [p for p in served if p.insurer.index == OVERSPENDER]
    others = [p for p in served if p.insurer.index != OVERSPENDER]
    more = max(0, counts.over_cap_policies - len(own))
    for policy in own + random.sample(others, min(more, len(others))):
        policy.is_over_cap = True


def copy_reports(visits: list[Visit], counts: Figures, seed: int) -> None:
    """Reports taken over from another insurer's service, with enterprise and day exchanged."""
    random = stream(seed, "copied")
    with_text = [visit for visit in visits if visit.has_report and not visit.is_campaign]
    random.shuffle(with_text)
    wanted = min(counts.copied_reports, len(with_text) // 3)
    early = sorted(with_text[: 2 * wanted], key=lambda visit: visit.day)[:wanted]
    originals, chosen = early, set(early)
    candidates = [visit for visit in with_text if visit not in chosen]
    for original in originals:
        copy = next(
            (v for v in candidates if v.policy.insurer is not original.policy.insurer and v.day > original.day),
            None,
        )
        if copy is not None:
            copy.copy_of = original
            candidates.remove(copy)


def double_book(visits: list[Visit], counts: Figures, year: Year, seed: int) -> list[tuple[Visit, Visit]]:
    """The same expert at two far places within the same hour."""
    random = stream(seed, "itinerary")
    usable = [v for v in visits if v.form == "COMMISSIONED_TSP" and not (v.is_campaign or v.is_second_expert)]
    random.shuffle(usable)
    taken: set[int] = set()
    found: list[tuple[Visit, Visit]] = []
    for first in usable:
        if len(found) == counts.impossible_itineraries:
            break
        if id(first) in taken:
            continue
        here = first.policy.enterprise
        for second in usable:
            there = second.policy.enterprise
            if (
                id(second) not in taken
                and abs((second.day - first.day).days) <= 10
                and max(second.policy.start, year.first) <= first.day <= min(second.latest, year.last)
                and kilometres(here.lon, here.lat, there.lon, there.lat) >= FAR
            ):
                second.day, second.hour = first.day, first.hour + random.choice((0, 0.25, 0.5))
                second.team = list(first.team)
                taken |= {id(first), id(second)}
                found.append((first, second))
                break
    return found


def invoice_twice(visits: list[Visit], policies: list[Policy], counts: Figures, seed: int) -> None:
    """One invoice charged by two insurers, or twice by one."""
    random = stream(seed, "invoice")
    usable = [
        v for v in visits
        if v.form == "COMMISSIONED_TSP" and v.cents >= 20_000 and not (v.policy.is_over_cap or v.agreed_cents)
    ]  # fmt: skip
    random.shuffle(usable)
    usable.sort(key=lambda visit: visit.cents)  # neighbours cost about the same
    taken: set[int] = set()
    missing = 0
    starts = list(range(len(usable) - 60)) or [0]
    random.shuffle(starts)
    made = 0
    for start in starts:
        if made == counts.duplicate_invoices:
            break
        first = usable[start]
        other_insurer = made % 3 != 2
        for second in usable[start + 1 : start + 60]:
            if (
                id(first) in taken
                or id(second) in taken
                or second.policy is first.policy
                or (second.policy.insurer is not first.policy.insurer) != other_insurer
            ):
                continue
            taken |= {id(first), id(second)}
            second.invoice_of = first
            missing += second.cents - first.cents
            second.cents = first.cents
            made += 1
            break
    even_out(policies, missing)


def charge_above_list(visits: list[Visit], policies: list[Policy], counts: Figures, seed: int) -> None:
    """A few inspections are charged above the price that was agreed for them."""
    random = stream(seed, "above agreed")
    usable = [
        visit for visit in visits
        if visit.type == "HAZARD" and is_agreed(visit) and ABOVE_LIST * spent(visit.policy) < CAP * visit.policy.received
    ]  # fmt: skip
    missing = 0
    for visit in random.sample(usable, min(counts.above_agreed, len(usable))):
        visit.cents = round(visit.agreed_cents * ABOVE_LIST / 1000) * 1000
        missing += visit.agreed_cents - visit.cents
    even_out(policies, missing)


def report_very_late(visits: list[Visit], counts: Figures, year: Year, seed: int) -> None:
    """Services that were reported more than a month after they took place."""
    random = stream(seed, "very late")
    early = [visit for visit in visits if visit.day < year.last - 100 * DAY and not visit.is_campaign]
    for visit in random.sample(early, min(counts.very_late_services, len(early))):
        visit.very_late = True


def truth(province: Province) -> dict[str, list[dict[str, object]]]:
    """What can be found, by kind; numbers are those of the rows delivered."""
    year_last = province.as_of - DAY
    found: dict[str, list[dict[str, object]]] = {
        "duplicate_invoices": [
            {"invoice_of": _service(v.invoice_of), "charged_again": _service(v),
             "original_expense_no": v.invoice_of.expense_number, "expense_no": v.expense_number,
             "cents": v.cents}
            for v in province.visits if v.invoice_of is not None
        ],
        "impossible_itineraries": [
            {"expert": first.team[0].number, "day": first.day.isoformat(), "first": _service(first),
             "second": _service(second)}
            for first, second in province.double_bookings
        ],
        "copied_reports": [
            {"original": _service(v.copy_of), "copy": _service(v)}
            for v in province.visits if v.copy_of is not None
        ],
        "very_late_services": [_service(v) for v in province.visits if v.very_late],
        "unserved_policies": [
            {**_policy(p), "services_due": sum(i.times for i in p.items if i.end <= year_last)}
            for p in province.policies if not p.visits and any(i.end <= year_last for i in p.items)
        ],
        "over_cap_policies": [
            {**_policy(p), "expense_cents": spent(p), "received_cents": p.received}
            for p in province.policies if p.received > 0 and spent(p) > CAP * p.received
        ],
        "above_agreed": [
            {**_service(v), "expense_no": v.expense_number, "agreed_cents": v.agreed_cents, "cents": v.cents}
            for v in province.visits if v.cents > v.agreed_cents > 0
        ],
        "low_price_policies": [
            {**_policy(p), "rate_base": p.rate_base / 1e6, "rate_final": p.rate_final / 1e6}
            for p in province.policies if p.rate_final < LOW_PRICE * p.rate_base
        ],
    }  # fmt: skip
    return found


def spent(policy: Policy) -> int:
    """Cents of prevention expense under a policy."""
    return policy.shared_cents + sum(visit.cents for visit in policy.visits)


def _service(visit: Visit) -> dict[str, object]:
    return {"insurer": visit.policy.insurer.code, "service_no": visit.number}


def _policy(policy: Policy) -> dict[str, object]:
    return {"insurer": policy.insurer.code, "policy_no": policy.number}

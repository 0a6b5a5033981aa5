"""Service plans and the services done under them, as many as the figures say."""

from __future__ import annotations

from datetime import date
from random import Random

from anze.exchange.synthetic.calendar import DAY, Year
from anze.exchange.synthetic.entities import Agency, Item, Policy, Visit
from anze.exchange.synthetic.figures import Figures
from anze.exchange.synthetic.streams import Weighted, shares, stream

# What one visit a year is, and what is added to the inspections of those visited more often.
_FIRST = Weighted((("HAZARD", 78), ("TRAIN", 13), ("RISK", 9)))
_FURTHER = Weighted((("TRAIN", 50), ("DRILL", 18), ("RISK", 14), ("STD", 12), ("TECH", 6)))
_INSPECTION_FORMS = Weighted((("COMMISSIONED_TSP", 45), ("HIRED_EXPERT", 5), ("OWN_STAFF", 50)))
_OTHER_FORMS = Weighted((("COMMISSIONED_TSP", 17), ("HIRED_EXPERT", 5), ("OWN_STAFF", 78)))
GRACE = 7  # days after a window's end in which a service still counts


def draw_plan(policy: Policy, agencies: Weighted[Agency], year: Year, random: Random) -> None:
    """The plan of a policy. One that began before the year brings along what was still to be done in it."""
    if policy.enterprise.is_shown:
        _plan_shown(policy, agencies, year)
        return
    if random.random() < 0.015 + 0.07 * (1 - policy.insurer.diligence):
        return  # no plan at all
    agreed = policy.start + random.randint(-8, 28) * DAY
    if random.random() < 0.06 + 0.2 * (1 - policy.insurer.diligence):
        agreed += random.randint(10, 60) * DAY
    if agreed > year.last or agreed >= policy.cover_end:
        return
    policy.planned_on = agreed
    confirmed = agreed + random.randint(0, 12) * DAY
    policy.confirmed_on = confirmed if confirmed <= year.last and random.random() < 0.95 else None
    policy.agency = agencies.draw(random)
    if policy.start < year.first:
        _add(policy, _FIRST.draw(random), 1, *_rest_of_term(policy, year, random), random)
        return
    days = (policy.end - policy.start).days
    begin = policy.start + random.randint(10, 45) * DAY
    times = policy.frequency
    if times == 1:
        _add(
            policy,
            _FIRST.draw(random),
            1,
            begin,
            begin + random.choice((110, 150, 180, 210, 270)) * DAY,
            random,
        )
        return
    inspections = times - 1 if times < 4 else 2
    _add(
        policy,
        "HAZARD",
        inspections,
        begin,
        policy.start + round(days * random.uniform(0.6, 0.9)) * DAY,
        random,
    )
    for n in range(times - inspections):
        start = begin + (20 + 80 * n) * DAY
        _add(policy, _FURTHER.draw(random), 1, start, start + random.choice((90, 120, 160)) * DAY, random)


def _plan_shown(policy: Policy, agencies: Weighted[Agency], year: Year) -> None:
    """At the enterprise people sign in as: an agency of the city with a licence for long, and something left to order."""
    begin, end = policy.start + 12 * DAY, policy.end - 10 * DAY
    policy.planned_on, policy.confirmed_on = policy.start + 4 * DAY, policy.start + 6 * DAY
    city = policy.enterprise.county.city
    policy.agency = max(
        agencies.values, key=lambda each: (each.licence_to > year.as_of + 100 * DAY, each.city == city, -each.index)
    )
    if policy.end < year.last:
        policy.items = [Item(1, "HAZARD", "COMMISSIONED_TSP", 1, begin, end)]
        return
    policy.items = [
        Item(1, "HAZARD", "COMMISSIONED_TSP", 4, begin, end),
        Item(2, "TRAIN", "COMMISSIONED_TSP", 1, begin + 60 * DAY, end),
    ]


def _visit_shown(policy: Policy, year: Year, random: Random) -> list[Visit]:
    """At the enterprise people sign in as: an inspection that may become the campaign's, and one of these days that left
    work behind."""
    item, last = policy.items[0], year.last
    early, late = min(policy.end, last - 90 * DAY), last - 4 * DAY
    first = max(policy.start, year.first) + 15 * DAY
    visits = [_visit(policy, item, year.service_day(random, first, early), early, random)]
    if policy.end > last:
        visits.append(_visit(policy, item, year.service_day(random, last - 12 * DAY, late), late, random))
        visits[1].hazards, visits[1].majors = 3, 0
    for visit in visits:
        visit.key = 0.0
    return visits


def _rest_of_term(policy: Policy, year: Year, random: Random) -> tuple[date, date]:
    end = max(policy.end - random.randint(0, 20) * DAY, year.first)
    return max(policy.start, min(year.first, end - 45 * DAY)), end


def _add(policy: Policy, kind: str, times: int, start: date, end: date, random: Random) -> None:
    end = max(start + 20 * DAY, min(end, policy.end))
    start = min(start, policy.end)
    form = (_INSPECTION_FORMS if kind == "HAZARD" else _OTHER_FORMS).draw(random)
    policy.items.append(Item(len(policy.items) + 1, kind, form, times, start, end))


def draw_visits(policy: Policy, year: Year, random: Random) -> tuple[list[Visit], list[tuple[float, Visit]]]:
    """Services certainly done, and those that may already be done although there is time yet, each with its
    rank: the lower, the likelier."""
    done: list[Visit] = []
    perhaps: list[tuple[float, Visit]] = []
    care = policy.insurer.diligence
    if policy.enterprise.is_shown:
        return _visit_shown(policy, year, random), perhaps
    policy.is_unserved = random.random() < 0.004 + 0.2 * (1 - care) ** 1.5
    if policy.is_unserved:
        return done, perhaps
    last_day = min(year.last, policy.cover_end)
    for item in policy.items:
        low, high = max(item.start, year.first), min(item.end, last_day)
        if high < low:
            continue
        for _time in range(item.times):
            if item.end > year.last:
                elapsed = ((year.last - item.start).days + 1) / ((item.end - item.start).days + 1)
                day = year.service_day(random, low, high, late=True)
                visit = _visit(policy, item, day, high, random)
                perhaps.append((visit.key / max(0.02, elapsed**1.5), visit))
            elif random.random() < 0.35 + 0.64 * care:
                day = year.service_day(random, low, high, late=policy.start < year.first)
                latest = high
                if random.random() < 0.12 * (1 - care) + 0.005:
                    day = min(last_day, item.end + random.randint(1, 30) * DAY)
                    latest = min(last_day, max(day, item.end + GRACE * DAY))
                done.append(_visit(policy, item, day, latest, random))
    if random.random() < 0.015 and last_day > max(policy.start, year.first) + 20 * DAY:
        for _extra in range(random.randint(1, 3)):
            day = year.service_day(random, max(policy.start, year.first), last_day)
            kind = random.choice(("HAZARD", "TRAIN"))
            visit = Visit(policy, None, kind, "OWN_STAFF", day, random.random(), last_day)
            done.append(visit)
    return done, perhaps


def _visit(policy: Policy, item: Item, day: date, latest: date, random: Random) -> Visit:
    return Visit(policy, item, item.type, item.form, day, random.random(), latest)


def choose_visits(done: list[Visit], perhaps: list[tuple[float, Visit]], counts: Figures, year: Year) -> list[Visit]:
    """Exactly as many services as the figures say, in a fixed order."""
    wanted = counts.services - len(done)
    if wanted < 0:
        # fewer are wanted than were promised: those outside of any plan go first
        done.sort(key=lambda visit: (visit.item is None, visit.key))
        chosen = done[: counts.services]
    else:
        perhaps.sort(key=lambda pair: pair[0])
        chosen = done + [visit for _rank, visit in perhaps[:wanted]]
    missing = counts.services - len(chosen)
    number = 0
    while missing > 0:
        # more are wanted: the best served are served once more
        base = chosen[number * 7919 % len(chosen)]
        chosen.append(Visit(base.policy, None, "HAZARD", "OWN_STAFF", base.day, base.key, base.latest))
        number, missing = number + 1, missing - 1
    for visit in chosen:
        visit.policy.visits.append(visit)
    return sorted(chosen, key=_place)


def _place(visit: Visit) -> tuple[date, int, int, float]:
    return visit.day, visit.policy.enterprise.index, visit.policy.serial, visit.key


def plan_campaign(policies: list[Policy], visits: list[Visit], counts: Figures, year: Year, seed: int) -> None:
    """The "1+1" campaign at aluminium casters: experts diagnose, the insurer's staff help to rectify.

    Its visits are among the services: inspections at these enterprises become the campaign's, and where there
    are too few, services elsewhere of the same insurer are moved there.
    """
    first, last = year.first + 70 * DAY, year.last - 80 * DAY
    by_insurer: dict[int, list[Policy]] = {}
    for policy in policies:
        if policy.enterprise.is_aluminium and policy.start <= last - 30 * DAY and policy.cover_end >= first + 30 * DAY:
            by_insurer.setdefault(policy.insurer.index, []).append(policy)
    shown = next((policy.insurer.index for policy in policies if policy.enterprise.is_shown), -1)
    ranked = sorted(by_insurer, key=lambda index: (index != shown, -len(by_insurer[index]), index))
    ranked = ranked[: counts.campaign_insurers]
    random = stream(seed, "campaign")
    spare = [visit for visit in reversed(visits) if visit.item is None or visit.item.end > year.last]
    taken: set[int] = set()
    numbers = shares(counts.campaign_visits, [1 + len(by_insurer[index]) for index in ranked])
    chosen: list[Visit] = []
    for index, number in zip(ranked, numbers, strict=True):
        casters = set(by_insurer[index])
        at_casters = [v for v in visits if v.policy in casters and v.type == "HAZARD" and v.hazards < 0]
        at_casters.sort(key=lambda v: v.policy.enterprise.is_shown)  # taken from the end
        for n in range(max(1, number)):
            if len(chosen) == counts.campaign_visits:
                break
            if at_casters:
                visit = at_casters.pop()
            else:
                visit = next(v for v in spare if id(v) not in taken and not v.policy.enterprise.is_aluminium)
                visit.policy.visits.remove(visit)
                visit.policy = by_insurer[index][n % len(by_insurer[index])]
                visit.policy.visits.append(visit)
                visit.item = None
            taken.add(id(visit))
            low = max(first, visit.policy.start)
            high = min(last, visit.policy.cover_end)
            visit.day = year.service_day(random, low, max(low, high))
            visit.latest = max(low, high)
            visit.type, visit.form, visit.is_campaign = "HAZARD", "COMMISSIONED_TSP", True
            chosen.append(visit)
    hazards = shares(counts.campaign_hazards, [0.6 + random.random() for _ in chosen])
    majors = shares(min(counts.campaign_major, counts.campaign_hazards), [float(n) for n in hazards])
    for visit, found, major in zip(chosen, hazards, majors, strict=True):
        visit.hazards, visit.majors = found, major


def commission(visits: list[Visit], agencies: list[Agency], by_city: dict[str, Weighted[Agency]], seed: int) -> None:
    """Every commissioned service gets an agency, and every active agency at least one service."""
    served: dict[int, int] = {}
    for visit in visits:
        if visit.form == "COMMISSIONED_TSP":
            policy = visit.policy
            if policy.agency is None:
                city = policy.enterprise.county.city
                policy.agency = by_city[city].draw(stream(seed, "agency of", policy.enterprise.index, policy.serial))
            served[policy.agency.index] = served.get(policy.agency.index, 0) + 1
    for agency in agencies:
        if agency.is_active and agency.index not in served:
            _employ(agency, visits, served)


def _employ(agency: Agency, visits: list[Visit], served: dict[int, int]) -> None:
    """An active agency nobody has chosen takes over a policy in its cities: an order of another agency with
    more, else a service by the insurer's own staff."""
    for own_staff in (False, True):
        for visit in visits:
            policy = visit.policy
            orders = sum(each.form == "COMMISSIONED_TSP" for each in policy.visits)
            if policy.enterprise.is_shown or policy.enterprise.county.city not in agency.cities:
                continue
            if bool(orders) == own_staff:
                continue
            if own_staff:
                visit.form, orders = "COMMISSIONED_TSP", 1
            else:
                if policy.agency is None or served[policy.agency.index] <= orders:
                    continue
                served[policy.agency.index] -= orders
            policy.agency = agency
            served[agency.index] = orders
            return
    raise ValueError(f"{agency.code} finds nothing to do")


def count_experts(visits: list[Visit], counts: Figures, seed: int) -> None:
    """Which services are done by two experts, so that the person-times come out exactly."""
    with_expert = [v for v in visits if v.form in ("COMMISSIONED_TSP", "HIRED_EXPERT")]
    campaign = [v for v in visits if v.is_campaign]
    surplus = len(with_expert) + sum(1 for _ in campaign) - counts.expert_visits
    ordinary = sorted((v for v in with_expert if not v.is_campaign), key=lambda v: v.key)
    for visit in campaign:
        visit.is_second_expert = True
    if counts.campaign_expert_visits % 2:
        campaign[-1].is_second_expert = False
        surplus -= 1
    for visit in ordinary:
        if surplus == 0:
            break
        if surplus > 0 and visit.form == "HIRED_EXPERT":
            visit.form = "OWN_STAFF"
            surplus -= 1
        elif surplus < 0 and visit.form == "COMMISSIONED_TSP" and visit.type == "HAZARD":
            visit.is_second_expert = True
            surplus += 1
    if surplus:
        raise ValueError(f"the person-times of experts miss their figure by {surplus}")


def choose_reports(visits: list[Visit], counts: Figures) -> None:
    """The services of agencies whose report is on file as text, exactly as many as the figures say."""
    commissioned = sorted((v for v in visits if v.form == "COMMISSIONED_TSP"), key=lambda v: (not v.is_campaign, v.key))
    if len(commissioned) < counts.reports:
        raise ValueError("there are fewer commissioned services than reports")
    for visit in commissioned[: counts.reports]:
        visit.has_report = True

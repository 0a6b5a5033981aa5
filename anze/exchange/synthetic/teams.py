"""Who does the services, and when: teams with diaries, so that nobody honest is in two places at once."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from anze.exchange.synthetic.calendar import DAY, Year
from anze.exchange.synthetic.entities import Agency, Insurer, Member, Visit
from anze.exchange.synthetic.streams import stream
from anze.exchange.synthetic.words import person

_YEARLY = {"EXPERT": 46, "INSURER_STAFF": 130}  # services one person does in a year
_HALVES = ((8.5, 10.0), (13.5, 15.0))  # a morning and an afternoon, by the hour of beginning

TeamKey = tuple[str, int, str]  # kind, insurer or agency (-1: none), city


def _agency(visit: Visit) -> Agency:
    if visit.policy.agency is None:
        raise ValueError("a commissioned service without an agency")
    return visit.policy.agency


def _key(visit: Visit) -> TeamKey:
    city = visit.policy.enterprise.county.city
    if visit.form == "COMMISSIONED_TSP":
        return "EXPERT", _agency(visit).index, city
    if visit.form == "HIRED_EXPERT":
        return "EXPERT", -1, city
    return "INSURER_STAFF", visit.policy.insurer.index, city


def assign_teams(visits: list[Visit], year: Year, seed: int) -> list[Member]:
    """Give every service its people and its hour. A member works in one city, one service each half-day; a
    full diary moves a service to the next free workday. Returns the experts, numbered."""
    jobs: dict[TeamKey, list[Visit]] = {}
    for visit in visits:
        jobs.setdefault(_key(visit), []).append(visit)
    experts: list[Member] = []
    for key in sorted(jobs):
        team = _team(key, jobs[key], year, seed)
        _fill_diary(key, team, jobs[key], year, seed)
        if key[0] == "EXPERT":
            for member in team:
                member.number = f"EXP{len(experts) + 1:05d}"
                experts.append(member)
    return experts


def _team(key: TeamKey, jobs: list[Visit], year: Year, seed: int) -> list[Member]:
    load = sum(1 + visit.is_second_expert for visit in jobs)
    least = 2 if any(visit.is_second_expert for visit in jobs) else 1
    return [_member(key, n, jobs, year, seed) for n in range(max(least, -(-load // _YEARLY[key[0]])))]


def _member(key: TeamKey, n: int, jobs: list[Visit], year: Year, seed: int) -> Member:
    kind, house, city = key
    random = stream(seed, "member", *key, n)
    insurer: Insurer = jobs[0].policy.insurer
    chance = random.random()
    if kind == "EXPERT":
        valid_to = year.last + timedelta(days=random.randint(-120, 0) if chance < 0.025 else random.randint(60, 1400))
        number = f"AQ37{city[2:4]}{random.randint(10**7, 10**8 - 1)}"
    elif chance < 0.2 * (1 - insurer.diligence):
        valid_to, number = year.last, ""  # sent without any certificate
    else:
        valid_to = year.last + timedelta(days=random.randint(-200, 0) if chance > 0.985 else random.randint(60, 1400))
        number = f"ZA37{house + 1:02d}{random.randint(10**6, 10**7 - 1)}"
    sector = Counter(visit.policy.enterprise.sector for visit in jobs).most_common(1)[0][0]
    return Member(
        kind=kind,
        name=person(random),
        city=city,
        certificate_no=number,
        certificate_to=valid_to,
        agency=jobs[0].policy.agency if house >= 0 and kind == "EXPERT" else None,
        sector=sector,
    )


def _fill_diary(key: TeamKey, team: list[Member], jobs: list[Visit], year: Year, seed: int) -> None:
    busy: dict[tuple[date, int], set[int]] = {}
    random = stream(seed, "diary", *key)
    for visit in jobs:
        needed = 1 + visit.is_second_expert
        day, half = visit.day, int(random.random() < 0.45)
        for attempt in range(24):
            if len(busy.get((day, half), ())) + needed <= len(team):
                break
            if attempt % 2 == 0:
                half = 1 - half
            else:
                following = year.next_workday(day + DAY)
                if following > visit.latest:
                    break
                day = following
        taken = busy.setdefault((day, half), set())
        while len(taken) + needed > len(team):
            team.append(_member(key, len(team), jobs, year, seed))
        # the diary turns day by day, so that work is spread over the team
        turn = day.toordinal() * 2 + half
        free = [(turn + n) % len(team) for n in range(len(team)) if (turn + n) % len(team) not in taken]
        taken.update(free[:needed])
        visit.team = [team[n] for n in free[:needed]]
        visit.day = day
        early, late = _HALVES[half]
        visit.hour = early + random.randrange(round((late - early) * 12) + 1) / 12
        visit.minutes = random.choice((60, 75, 90, 90, 105, 120))
        for member in visit.team:
            member.visits += 1

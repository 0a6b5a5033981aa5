"""The policies of an enterprise: periods, limits, premium, endorsements, money received."""

from __future__ import annotations

from datetime import date
from random import Random

from anze.exchange.synthetic.calendar import DAY, Year
from anze.exchange.synthetic.enterprises import Fate
from anze.exchange.synthetic.entities import Change, Enterprise, Insurer, Policy, Receipt
from anze.exchange.synthetic.streams import Weighted

# the sector's rate on the limit of one person, in millionths, and what large numbers of workers make of it
_BASE = {
    "MINE": 560, "HAZCHEM": 270, "FIREWORK": 320, "TRANSPORT": 330, "CONSTR": 300, "CIVEXP": 300,
    "SMELT": 250, "FISHERY": 520, "OTHER": 120,
}  # fmt: skip
_BY_SIZE = {"LARGE": 0.28, "MEDIUM": 0.45, "SMALL": 0.72, "MICRO": 1.05}
_LIMITS = Weighted(((400_000, 34), (500_000, 30), (600_000, 15), (800_000, 15), (1_000_000, 6)))
_OLD_LIMITS = Weighted(((300_000, 38), (400_000, 30), (500_000, 22), (800_000, 10)))
_RATIOS = Weighted(((1500, 15), (1800, 25), (2000, 35), (2100, 20), (None, 5)))
_MORE_THAN_MINIMUM = date(2025, 3, 29)  # from this day on the minimum is 400,000 yuan
FREQUENCY = {
    "HIGH": {"LARGE": 4, "MEDIUM": 3, "SMALL": 2, "MICRO": 1},
    "MEDIUM": {"LARGE": 3, "MEDIUM": 2, "SMALL": 1, "MICRO": 1},
    "LOW": {"LARGE": 2, "MEDIUM": 1, "SMALL": 1, "MICRO": 1},
}
_PROJECTS = (
    "综合楼",
    "住宅小区一期",
    "标准厂房",
    "市政道路改造",
    "学校扩建",
    "污水管网",
    "仓储中心",
    "河道治理",
)


SHOWN_SINCE = 200  # days: long enough to be served, and as long again in force


def draw_policies(enterprise: Enterprise, fate: Fate, market: Weighted[Insurer], year: Year, random: Random) -> None:
    """All policies of an enterprise, earliest first."""
    insurer = market.draw(random)
    project = enterprise.sector == "CONSTR" and random.random() < 0.4
    if fate in (Fate.RENEWED, Fate.LAPSED):
        start = (year.as_of - SHOWN_SINCE * DAY if enterprise.is_shown else year.beginning(random)) - 365 * DAY
        before = _policy(enterprise, insurer, start, start + 364 * DAY, year, random)
        if fate is Fate.LAPSED:
            return
        chance = random.random()
        gap = 0 if chance < 0.86 else random.randint(1, 15) if chance < 0.95 else random.randint(16, 60)
        if random.random() < 0.14:
            insurer = market.draw(random)
        renewal = min(before.end + (1 + gap) * DAY, year.last)
        current = _policy(enterprise, insurer, renewal, renewal + 364 * DAY, year, random, previous=before)
    elif fate in (Fate.NEW, Fate.CANCELLED):
        start = year.beginning(random)
        if fate is Fate.CANCELLED:
            start = min(start, year.last - 60 * DAY)
        end = start + 364 * DAY
        project = project and fate is Fate.NEW
        if project:
            end = max(start + random.randint(200, 700) * DAY, year.as_of + 10 * DAY)
        current = _policy(enterprise, insurer, start, end, year, random, project=project)
    else:
        return
    if enterprise.size == "LARGE" and random.random() < 0.15:
        partner = market.draw(random)
        if partner is not insurer:
            share = random.choice((5000, 6000, 7000))
            current.coinsurers = ((insurer.code, share, True), (partner.code, 10_000 - share, False))
    if fate is Fate.CANCELLED:
        _cancel(current, year, random)
        return
    _change(current, year, random)
    if project and random.random() < 0.35:
        other = current.start + random.randint(5, 200) * DAY
        if other < year.last:
            until = other + random.randint(120, 400) * DAY
            workers = random.randint(8, 60)
            _policy(enterprise, insurer, other, until, year, random, project=True, workers=workers)
    if current.end < year.as_of + 25 * DAY and not current.project and random.random() < 0.4:
        following = current.cover_end + DAY
        _policy(enterprise, insurer, following, following + 364 * DAY, year, random, previous=current)


def _policy(
    enterprise: Enterprise,
    insurer: Insurer,
    start: date,
    end: date,
    year: Year,
    random: Random,
    *,
    previous: Policy | None = None,
    project: bool = False,
    workers: int = 0,
) -> Policy:
    issued = min(year.next_workday(start - int(random.expovariate(1 / 7)) * DAY), start, year.last)
    if previous is not None:
        issued = max(issued, min(start, previous.start + 300 * DAY))
    limit = (_LIMITS if start >= _MORE_THAN_MINIMUM else _OLD_LIMITS).draw(random)
    if start >= _MORE_THAN_MINIMUM and random.random() < 0.008 + 0.02 * (1 - insurer.diligence):
        limit = 300_000
    if not workers:
        workers = enterprise.workers
        chance = random.random()
        if chance < 0.02 + 0.06 * (1 - insurer.diligence):
            workers = max(1, int(workers * random.uniform(0.55, 0.95)))
        elif chance > 0.85:
            workers += random.randint(1, 3)
    factors = (
        ("风险等级", {"HIGH": 1180, "MEDIUM": 1000, "LOW": 920}[enterprise.tier]),
        ("历史赔付", random.choice((950, 970, 1000, 1000, 1000, 1050, 1100))),
    )
    base = round(_BASE[enterprise.sector] * _BY_SIZE[enterprise.size])
    final = base
    for _name, value in factors:
        final = round(final * value / 1000)
    policy = Policy(
        enterprise=enterprise,
        insurer=insurer,
        serial=len(enterprise.policies),
        start=start,
        end=end,
        issued=issued,
        applied=issued - random.randint(0, 9) * DAY,
        workers=workers,
        limit=limit,
        rate_base=base,
        factors=factors,
        rate_final=final,
        premium=0,
        ratio=_RATIOS.draw(random),
        frequency=FREQUENCY[enterprise.tier][enterprise.size] + (random.random() < 0.12),
        previous=previous,
    )
    if project:
        name = random.choice(_PROJECTS)
        policy.project = f"{enterprise.county.name}{name}项目"
        policy.permit = f"{enterprise.county.code[:4]}{start.year}{random.randint(10**7, 10**8 - 1)}"
    enterprise.policies.append(policy)
    price(policy)
    receive(policy, year, random)
    return policy


def price(policy: Policy) -> None:
    """Premium in cents: final rate × workers × limit, longer for projects."""
    days = (policy.end - policy.start).days + 1
    yuan = policy.rate_final * policy.workers * policy.limit / 1_000_000
    policy.premium = round(yuan * max(1.0, days / 365) * 100)


def receive(policy: Policy, year: Year, random: Random) -> None:
    """The premium as it came in: large ones in instalments, some late, some not yet."""
    policy.receipts.clear()
    if policy.premium >= 150_000_00:
        parts, step = random.choice((2, 3, 4)), 90
    else:
        parts, step = 1, 0
    first = policy.issued + int(random.expovariate(1 / 6)) * DAY
    if random.random() < 0.03:
        first += random.randint(20, 80) * DAY
    each = policy.premium // parts
    for n in range(parts):
        day = first + n * step * DAY
        if day > year.last:
            break
        cents = policy.premium - each * (parts - 1) if n == parts - 1 else each
        policy.receipts.append(Receipt(n + 1, cents, day))


def _change(policy: Policy, year: Year, random: Random) -> None:
    """Endorsements of a policy in force."""
    chance = random.random()
    if chance > 0.1:
        return
    last = min(year.last, policy.end)
    span = (last - policy.start).days
    if span < 20:
        return
    issued = policy.start + random.randint(10, span) * DAY
    effective = min(issued + random.randint(0, 3) * DAY, policy.end)
    per_worker = policy.premium // policy.workers
    left = max(0, (policy.end - effective).days) / ((policy.end - policy.start).days + 1)
    if chance < 0.06:
        more = max(1, round(policy.workers * random.uniform(0.03, 0.2)))
        if policy.workers > policy.enterprise.workers + more and random.random() < 0.5:
            more = -1
        delta = round(per_worker * more * left)
        change = Change("HEADCOUNT", issued, effective, str(policy.workers), str(policy.workers + more), delta)
    elif chance < 0.066:
        change = Change("LIMIT", issued, effective, str(policy.limit), str(policy.limit + 100_000),
                        round(policy.premium * 0.15 * left))  # fmt: skip
    elif chance < 0.072 and policy.project:
        until = policy.end + random.randint(30, 120) * DAY
        change = Change("PERIOD", issued, effective, policy.end.isoformat(), until.isoformat(),
                        round(policy.premium * 0.1), "工程延期")  # fmt: skip
    elif chance < 0.078:
        change = Change("PREMIUM", issued, effective, "", "", -round(policy.premium * 0.02), "费率浮动")
    else:
        reason = random.choice(("投保人名称变更", "地址变更", "联系人变更"))
        change = Change("OTHER", issued, effective, "", "", 0, reason)
    policy.changes.append(change)
    _settle(policy, change, year, random)


def _settle(policy: Policy, change: Change, year: Year, random: Random) -> None:
    """The money that moves because of an endorsement, when it has moved by now."""
    day = change.issued + random.randint(0, 12) * DAY
    if change.delta and day <= year.last and policy.receipts:
        policy.receipts.append(Receipt(len(policy.receipts) + 1, change.delta, day))


def _cancel(policy: Policy, year: Year, random: Random) -> None:
    """Cancelled some weeks after the start; the unearned premium goes back."""
    most = (year.last - policy.start).days
    effective = policy.start + random.randint(20, max(21, most)) * DAY
    effective = min(effective, year.last)
    issued = min(effective, max(policy.issued, effective - random.randint(0, 5) * DAY))
    left = (policy.end - effective).days / ((policy.end - policy.start).days + 1)
    policy.cancelled_on = effective
    policy.receipts = [receipt for receipt in policy.receipts if receipt.day <= effective]
    change = Change("CANCEL", issued, effective, "", "", -round(policy.received * left),
                    random.choice(("企业停产", "转投其他机构", "重复投保", "企业搬迁")))  # fmt: skip
    policy.changes.append(change)
    _settle(policy, change, year, random)

"""Rows of services, of the hazards they found, and of what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random
from typing import Any

from anze.exchange.synthetic import texts
from anze.exchange.synthetic.calendar import DAY
from anze.exchange.synthetic.entities import Policy, Visit
from anze.exchange.synthetic.figures import CAMPAIGN
from anze.exchange.synthetic.reporting import Reporter, yuan
from anze.exchange.synthetic.streams import stream
from anze.exchange.synthetic.underwriting_rows import NEW_EDITION
from anze.exchange.synthetic.words import person

_CATEGORIES = {
    "TRAIN": "TRAINING", "DRILL": "DRILL", "RISK": "RISK_ASSESSMENT", "STD": "STANDARDISATION",
    "TECH": "TECHNOLOGY", "HAZARD": "INSPECTION",
}  # fmt: skip
_MAJOR_SHARE = 0.03


@dataclass(slots=True)
class Found:
    """A hazard as it was found on a visit."""

    is_major: bool
    criterion: str
    location: str
    description: str
    advice: str


@cache
def _county_care(code: str) -> float:
    """How well hazards are followed up in a county."""
    return 0.93 + 0.09 * stream(0, "follow-up", code).random()


def findings(visit: Visit, seed: int) -> list[Found]:
    """The hazards of a visit; the same whenever it is asked for."""
    if visit.type != "HAZARD":
        return []
    random = stream(seed, "hazards", visit.number)
    if visit.hazards >= 0:
        number, majors = visit.hazards, visit.majors
    else:
        chance = random.random()
        number = 0 if chance < 0.1 else 1 + int(min(5.99, random.expovariate(0.64)))
        majors = sum(random.random() < _MAJOR_SHARE for _ in range(number))
    enterprise = visit.policy.enterprise
    found = []
    for n in range(number):
        if n < majors:
            criterion, description, advice = texts.major(random, enterprise.sector, enterprise.is_aluminium)
        else:
            criterion, description, advice = texts.general(random, enterprise.sector)
        found.append(Found(n < majors, criterion, texts.location(random, enterprise.sector), description, advice))
    return found


def report_text(visit: Visit, seed: int) -> str:
    """The report of a visit; a copied one is the other's with few changes."""
    if visit.copy_of is not None:
        original = visit.copy_of
        return texts.copied(
            stream(seed, "copy", visit.number),
            report_text(original, seed),
            enterprise=(original.policy.enterprise.name, visit.policy.enterprise.name),
            day=(_chinese(original.day), _chinese(visit.day)),
        )
    enterprise = visit.policy.enterprise
    return texts.report(
        stream(seed, "report", visit.number),
        enterprise=enterprise.name,
        day=_chinese(visit.day),
        sector=enterprise.sector,
        people="、".join(member.name for member in visit.team),
        findings=[f"{each.location}：{each.description}" for each in findings(visit, seed)],
    )


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def send_services(reporter: Reporter, seed: int) -> None:
    """Services, hazards and expenses of an insurer."""
    for policy in reporter.insurer.policies:
        for visit in policy.visits:
            random = stream(seed, "rows", visit.number)
            found = findings(visit, seed)
            _send_service(reporter, visit, found, random, seed)
            for n, each in enumerate(found, 1):
                _send_hazard(reporter, visit, n, each, random)
            if visit.cents:
                _send_expense(reporter, visit, random)
        if policy.shared_cents and policy.shared_day:
            _send_shared(reporter, policy, policy.shared_day, seed)
        if policy.enterprise.index % 47 == 0 and policy.visits:
            _send_own_finding(reporter, policy, seed)


def _planned(visit: Visit) -> int:
    """What an agency is sent for is its price; what the insurer does itself is reckoned a little above what it costs."""
    if visit.form == "COMMISSIONED_TSP":
        return visit.agreed_cents or visit.cents
    return round(visit.cents * 1.02 / 100) * 100


def _send_service(reporter: Reporter, visit: Visit, found: list[Found], random: Random, seed: int) -> None:
    policy, care, day = visit.policy, reporter.insurer.diligence, visit.day
    enterprise, last = policy.enterprise, reporter.year.last
    lax = 1 - care
    with_text = visit.has_report
    confirmed = random.random() >= 0.008 + 0.28 * lax or visit.is_campaign
    confirmed_on = min(last, day + int(random.random() * 1.6) * DAY)
    row: dict[str, Any] = {
        "service_no": visit.number,
        "policy_no": policy.number,
        "service_type": visit.type,
        "form": visit.form,
        "edition": "AQ9010_2026" if day >= NEW_EDITION and reporter.insurer.index % 2 == 0 else "AQ9010_2019",
        "started_at": reporter.at(day, visit.hour),
        "ended_at": reporter.at(day, visit.hour + visit.minutes / 60),
        "place": enterprise.address,
        "lon": f"{enterprise.lon + random.uniform(-0.001, 0.001):.6f}",
        "lat": f"{enterprise.lat + random.uniform(-0.001, 0.001):.6f}",
        "attendees": min(enterprise.workers, 2 + int(random.expovariate(0.05 if visit.type == "TRAIN" else 0.4))),
        "topics": texts.topic(random, visit.type),
        "photo_count": 0 if random.random() < 0.004 + 0.15 * lax else 2 + int(random.expovariate(0.22)),
        "has_service_mark": random.random() < 0.55 + 0.45 * care,
        "nil_findings": not found and (visit.type == "HAZARD" or random.random() > 0.01 + 0.05 * lax),
        "hazards_found": len(found),
        "confirmed_by": enterprise.contact if confirmed else "",
        "confirmation": random.choice(("SIGNATURE", "SIGNATURE", "SEAL", "ONLINE")) if confirmed else "NONE",
        "planned_cost": yuan(_planned(visit)),
        "paid_cost": yuan(visit.cents),
        "persons": _persons(visit, random),
    }
    if visit.item is not None and visit.item in policy.items:
        row["plan_no"] = policy.plan_number
        row["plan_item_seq"] = visit.item.seq
    if visit.form == "COMMISSIONED_TSP" and policy.agency is not None:
        row["agency_code"] = policy.agency.code
    if with_text or random.random() >= 0.008 + 0.24 * lax:
        row["report_file"] = f"{visit.number}.pdf"
    if with_text:
        row["report_text"] = report_text(visit, seed)
    settled = day
    if confirmed:
        row["confirmed_on"] = reporter.iso(confirmed_on)
        settled = confirmed_on
    followed = day + random.randint(4, 25) * DAY
    if followed <= last and random.random() < 0.35 + 0.6 * care:
        row["followed_up_on"] = reporter.iso(followed)
        row["satisfaction"] = random.choice((5, 5, 5, 5, 4, 4, 5, 3)) - (random.random() < 0.5 * lax)
        if random.random() < 0.15:
            row["opinion"] = random.choice(texts.OPINIONS)
        settled = followed
    reporter.send("services", row, day, random, settled=settled, very_late=visit.very_late)


def _persons(visit: Visit, random: Random) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    for member in visit.team:
        line: dict[str, Any] = {"kind": member.kind, "name": member.name, "expert_number": member.number}
        if member.certificate_no:
            line["certificate_no"] = member.certificate_no
            line["certificate_valid_to"] = member.certificate_to.isoformat()
        people.append(line)
    if visit.is_campaign:
        people.append({"kind": "INSURER_STAFF", "name": person(random)})
    elif visit.form == "COMMISSIONED_TSP" and random.random() < 0.2:
        people.append({"kind": "AGENCY_STAFF", "name": person(random)})
    return people


def _send_hazard(reporter: Reporter, visit: Visit, n: int, found: Found, random: Random) -> None:
    day, last = visit.day, reporter.year.last
    care = reporter.insurer.diligence
    allowed = random.choice((15, 20, 30, 30)) if found.is_major else random.choice((3, 5, 7, 10, 15, 15))
    deadline = day + allowed * DAY
    row: dict[str, Any] = {
        "hazard_no": f"YH{visit.number[2:]}{n:02d}",
        "insured_uscc": visit.policy.enterprise.uscc,
        "source": "SERVICE",
        "service_no": visit.number,
        "hazard_class": "MAJOR" if found.is_major else "GENERAL",
        "criterion_code": found.criterion,
        "entry_code": texts.entry_of(found.description),
        "found_on": reporter.iso(day),
        "location": found.location,
        "description": found.description,
        "advice": found.advice,
        "deadline_on": reporter.iso(deadline),
        "notified_on": reporter.iso(day),
        "notified_principal": found.is_major and (visit.is_campaign or random.random() < care),
        "campaign_code": f"{CAMPAIGN}-{reporter.year.last.year}" if visit.is_campaign else "",
    }
    if found.is_major and (visit.is_campaign or random.random() < 0.55 + 0.4 * care):
        late = random.random() > care
        when = min(last, day + (random.randint(2, 6) if late else random.randint(0, 1)) * DAY)
        row["reported_at"] = reporter.at(when, 18 + 4 * random.random())
    due = deadline
    if random.random() < 0.03 and deadline < last and not visit.is_campaign:
        due = deadline + random.randint(5, 20) * DAY
        row["extended_to_on"] = reporter.iso(due)
        row["extension_reason"] = random.choice(("备件采购周期长", "需停产实施", "施工队伍安排"))
    settled = _follow_up(reporter, visit, found, row, due, random)
    reporter.send("hazards", row, day, random, settled=settled)


def _follow_up(reporter: Reporter, visit: Visit, found: Found, row: dict[str, Any], due: date, random: Random) -> date:
    """What became of a hazard by the end of the year; returns the last day it speaks of."""
    day, last = visit.day, reporter.year.last
    care = reporter.insurer.diligence * _county_care(visit.policy.enterprise.county.code)
    span = (due - day).days
    chance = random.random()
    if visit.policy.enterprise.is_shown and visit.policy.end > last and not visit.is_campaign:
        row["state"] = "RECTIFYING"  # work for whoever signs in there
        return day
    if chance < 0.003 and not visit.is_campaign:
        row["state"] = "SHUT_DOWN"
        return day
    if visit.is_campaign or chance < 0.35 + 0.66 * care:
        rectified = day + int(span * (0.15 + 0.7 * random.random())) * DAY
        if random.random() > 0.4 + 0.58 * care and not visit.is_campaign:
            rectified = due + random.randint(1, 40) * DAY  # late
        verified = rectified + int(random.random() * 4) * DAY
        closed = verified + int(random.random() * 1.5) * DAY
        if visit.is_campaign:
            rectified, verified, closed = (min(each, last) for each in (rectified, verified, closed))
        if closed <= last:
            row["rectified_on"] = reporter.iso(rectified)
            row["verified_on"] = reporter.iso(verified)
            row["closed_on"] = reporter.iso(closed)
            row["state"] = "CLOSED"
            agency = "AGENCY" if visit.form == "COMMISSIONED_TSP" else "INSURER"
            row["verifier"] = "REGULATOR" if found.is_major and random.random() < 0.3 else agency
            return closed
        if rectified <= last:
            row["rectified_on"] = reporter.iso(rectified)
            row["state"] = "SUBMITTED"
            return rectified
    row["state"] = "RECTIFYING" if random.random() < 0.7 else "NOTIFIED"
    return day


def _send_own_finding(reporter: Reporter, policy: Policy, seed: int) -> None:
    """A hazard no service found: the enterprise itself, or an authority."""
    random = stream(seed, "own finding", policy.number)
    day = policy.visits[-1].day
    closed = day + random.randint(0, 10) * DAY
    _criterion, description, advice = texts.general(random, policy.enterprise.sector)
    row: dict[str, Any] = {
        "hazard_no": f"YH{day.year}{policy.number[7:]}Z",
        "insured_uscc": policy.enterprise.uscc,
        "source": random.choice(("SELF_CHECK", "SELF_CHECK", "REGULATOR")),
        "hazard_class": "GENERAL",
        "found_on": reporter.iso(day),
        "location": texts.location(random, policy.enterprise.sector),
        "description": description,
        "advice": advice,
        "deadline_on": reporter.iso(day + 15 * DAY),
        "notified_principal": False,
        "state": "RECTIFYING",
    }
    settled = day
    if closed <= reporter.year.last:
        row |= dict.fromkeys(("rectified_on", "verified_on", "closed_on"), reporter.iso(closed))
        row["state"], row["verifier"], settled = "CLOSED", "INSURER", closed
    reporter.send("hazards", row, day, random, settled=settled)


def _send_expense(reporter: Reporter, visit: Visit, random: Random) -> None:
    source = visit.invoice_of or visit
    policy, last, lax = visit.policy, reporter.year.last, 1 - reporter.insurer.diligence
    row: dict[str, Any] = {
        "expense_no": visit.expense_number,
        "policy_no": policy.number,
        "service_no": visit.number,
        "allocation": "DIRECT",
        "amount": yuan(visit.cents),
        "tax": yuan(round(visit.cents / 106 * 6)),
        "invoice_no": invoice_number(source),
        "incurred_on": reporter.iso(visit.day),
        "approver": person(random),
    }
    if visit.form == "COMMISSIONED_TSP" and source.policy.agency is not None:
        row["category"] = "TSP_FEE"
        row["agency_code"] = source.policy.agency.code
        row["payee_name"] = source.policy.agency.name
        row["payee_uscc"] = source.policy.agency.uscc
    elif visit.form == "HIRED_EXPERT":
        row["category"], row["payee_name"] = "EXPERT_FEE", visit.team[0].name
    else:
        row["category"] = _CATEGORIES[visit.type]
        row["payee_name"] = "示例差旅与培训服务中心"
    settled = _pay(reporter, row, visit.day, last, 0.01 + 0.2 * lax, lax, random)
    reporter.send("expenses", row, visit.day, random, settled=settled)
    if row["category"] == "TSP_FEE" and visit.cents % 4 == 0 and visit.invoice_of is None:
        _send_invoice(reporter, row, visit.day, random)


def _pay(
    reporter: Reporter, row: dict[str, Any], day: date, last: date, unpaid: float, lax: float, random: Random
) -> date:
    """Paid some weeks later, with a voucher; or not."""
    paid = day + int(3 + random.expovariate(0.06)) * DAY
    if random.random() >= 0.004 + 0.12 * lax:
        row["voucher_file"] = f"{row['expense_no']}.pdf"
    if paid > last or random.random() < unpaid:
        return day
    row["paid_on"] = reporter.iso(paid)
    return paid


def invoice_number(visit: Visit) -> str:
    """Twenty digits, as electronic invoices have them; one of its own for every service."""
    digits = "".join(character for character in visit.number if character.isdigit())
    return f"{visit.day.year % 100}377{digits[4:]:0>11}{visit.day.month:02d}{visit.day.day:02d}"


def _send_shared(reporter: Reporter, policy: Policy, day: date, seed: int) -> None:
    """A policy's share of common publicity."""
    random = stream(seed, "shared", policy.number)
    lax = 1 - reporter.insurer.diligence
    row: dict[str, Any] = {
        "expense_no": policy.shared_number,
        "policy_no": policy.number,
        "category": "PUBLICITY",
        "allocation": "BY_PREMIUM",
        "payee_name": "示例印务有限公司",
        "amount": yuan(policy.shared_cents),
        "tax": yuan(round(policy.shared_cents / 106 * 6)),
        "invoice_no": f"{day.year % 100}378{policy.number[7:]:0>15}",
        "incurred_on": reporter.iso(day),
        "approver": person(random),
    }
    settled = _pay(reporter, row, day, reporter.year.last, 0.02, lax, random)
    reporter.send("expenses", row, day, random, settled=settled)
    _send_invoice(reporter, row, day, random)


def _send_invoice(reporter: Reporter, expense: dict[str, Any], day: date, random: Random) -> None:
    """The invoice behind an expense, made out for the whole of it."""
    row = {
        "invoice_no": expense["invoice_no"],
        "seller_name": expense["payee_name"],
        "amount": expense["amount"],
        "tax": expense["tax"],
        "issued_on": reporter.iso(day),
    }
    if "agency_code" in expense:
        row |= {"agency_code": expense["agency_code"], "seller_uscc": expense["payee_uscc"]}
    reporter.send("invoices", row, day, random)

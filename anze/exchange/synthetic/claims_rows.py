"""Rows of accidents and claims, each claim as far as it has come by the end of the year."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from anze.exchange.synthetic.calendar import DAY, moment
from anze.exchange.synthetic.entities import Loss
from anze.exchange.synthetic.reporting import Reporter, yuan
from anze.exchange.synthetic.streams import stream
from anze.exchange.synthetic.texts import location

_KINDS = {
    "MINE": ("COLLAPSE", "STRUCK", "VEHICLE", "MACHINE"),
    "HAZCHEM": ("FIRE", "POISONING", "BURN", "EXPLOSION"),
    "FIREWORK": ("FIRE", "EXPLOSION"),
    "TRANSPORT": ("VEHICLE", "VEHICLE", "FALL"),
    "CONSTR": ("FALL", "FALL", "COLLAPSE", "STRUCK", "MACHINE"),
    "CIVEXP": ("EXPLOSION", "BURN"),
    "SMELT": ("BURN", "MACHINE", "POISONING", "STRUCK"),
    "FISHERY": ("DROWNING", "MACHINE", "FALL"),
    "OTHER": ("MACHINE", "ELECTRIC", "FALL", "FIRE"),
}

Victims = list[dict[str, Any]]


def send_claims(reporter: Reporter, seed: int) -> None:
    """Accidents and claims of an insurer."""
    for policy in reporter.insurer.policies:
        for loss in policy.losses:
            random = stream(seed, "rows", loss.number)
            victims = _victims(loss, random)
            if loss.twin is not None:
                victims = _victims(loss.twin, stream(seed, "rows", loss.twin.number))
            if loss.has_accident:
                _send_accident(reporter, loss, victims, random)
            _send_claim(reporter, loss, victims, random)


def _victims(loss: Loss, random: Random) -> Victims:
    limit = loss.policy.limit
    deaths = serious = 0
    chance = random.random()
    if loss.has_accident:
        deaths = 4 if chance < 0.002 else 3 if chance < 0.005 else 2 if chance < 0.02 else 1 if chance < 0.15 else 0
        serious = int(random.random() < 0.4) + int(random.random() < 0.06)
    minor = int(random.random() * 1.8) if deaths + serious else 1 + int(random.random() < 0.15)
    kind = "THIRD_PARTY" if random.random() < 0.07 else "WORKER"

    def victim(degree: str, share: float) -> dict[str, Any]:
        return {"kind": kind, "degree": degree, "cents": round(limit * share) * 100}

    found = [victim("DEATH", 1) for _ in range(deaths)]
    found += [victim("SERIOUS", random.uniform(0.12, 0.45)) for _ in range(serious)]
    found += [victim("MINOR", random.uniform(0.006, 0.06)) for _ in range(minor)]
    if random.random() < 0.05:
        found.append({"kind": "THIRD_PARTY", "degree": "PROPERTY", "cents": random.randint(4_000, 80_000) * 100})
    return found


def _send_accident(reporter: Reporter, loss: Loss, victims: Victims, random: Random) -> None:
    enterprise = loss.policy.enterprise
    degrees = [victim["degree"] for victim in victims]
    hour = 5 + 11 * random.random()
    row: dict[str, Any] = {
        "accident_no": loss.accident_number,
        "insured_uscc": enterprise.uscc,
        "occurred_at": reporter.at(loss.day, hour),
        "place": location(random, enterprise.sector),
        "kind": random.choice(_KINDS[enterprise.sector]),
        "deaths": degrees.count("DEATH"),
        "serious_injuries": degrees.count("SERIOUS"),
        "minor_injuries": degrees.count("MINOR"),
        "direct_loss": yuan(round(sum(victim["cents"] for victim in victims) * random.uniform(1.05, 1.6))),
        "hits_third_party": any(victim["kind"] == "THIRD_PARTY" for victim in victims),
    }
    if row["deaths"] or row["serious_injuries"] or random.random() < 0.3:
        delay = 0.3 + 0.6 * random.random() + (random.random() > 0.9) * 4
        row["reported_at"] = reporter.at(loss.day, hour + delay)
    reporter.send("accidents", row, loss.day, random)


def _send_claim(reporter: Reporter, loss: Loss, victims: Victims, random: Random) -> None:
    last, care = reporter.year.last, reporter.insurer.diligence
    claimed = sum(victim["cents"] for victim in victims)
    notified_on = min(last, loss.day + int(random.random() ** 2 * 4) * DAY)
    row: dict[str, Any] = {
        "claim_no": loss.number,
        "policy_no": loss.policy.number,
        "accident_no": loss.accident_number,
        "loss_on": reporter.iso(loss.day),
        "claimed": yuan(claimed),
        "victims": [{"kind": v["kind"], "degree": v["degree"], "amount": yuan(v["cents"])} for v in victims],
    }
    steps = _steps(notified_on, last, care, random)
    state = "NOTIFIED"
    settled = notified_on
    for name, word, day, hour in steps:
        row[name] = reporter.at(day, hour)
        state, settled = word, day
        if name in ("assessed_at", "agreed_at"):
            row[name.removesuffix("_at")] = yuan(claimed)
    if "docs_complete_at" in row and loss.key < 0.6:
        # missing papers are asked for once, soon after the survey
        row["docs_asked_at"] = max(row["surveyed_at"], row["notified_at"])
        row["docs_missing"] = "医疗费用票据、工资发放记录"
    ending = random.random()
    reached = {name for name, *_ in steps}
    paid = "paid_at" in reached
    payments: list[dict[str, Any]] = []
    if ending < 0.09 and "surveyed_at" in reached and notified_on + 20 * DAY <= last:
        state, settled = _end_without_payment(row, reporter, notified_on, last, ending, random)
        if state == "REJECTED":
            _send_letter(row, reporter, settled, last, loss.key)
        outstanding = 0
    else:
        spent = _payments(row, payments, reporter, claimed, reached, random)
        outstanding = 0 if "closed_at" in reached else max(0, claimed - spent)
        if paid and "closed_at" not in reached:
            outstanding = 0
    row["state"] = state
    row["outstanding"] = yuan(outstanding)
    if payments:
        row["payments"] = payments
        settled = max(settled, *(date.fromisoformat(each["paid_on"]) for each in payments))
    reporter.send("claims", row, notified_on, random, settled=settled)


def _steps(day: date, last: date, care: float, random: Random) -> list[tuple[str, str, date, float]]:
    """The steps of a claim up to now: name of the moment, state, day, hour."""
    slow = 1.6 - care
    waits = (
        ("notified_at", "NOTIFIED", 0),
        ("registered_at", "REGISTERED", random.random() * 2),
        ("surveyed_at", "SURVEYED", random.random() * 4),
        ("docs_complete_at", "DOCS_COMPLETE", 8 + random.expovariate(1 / (35 * slow))),
        ("assessed_at", "ASSESSED", 2 + random.random() * 32 * slow),
        ("agreed_at", "AGREED", random.random() * 9),
        ("paid_at", "PAID", 1 + random.random() * 11 * slow),
        ("closed_at", "CLOSED", random.random() * 6),
    )
    found: list[tuple[str, str, date, float]] = []
    at = moment(day, 17 + 2 * random.random())
    for name, word, wait in waits:
        at += timedelta(days=wait)
        if at.date() > last:
            break
        found.append((name, word, at.date(), at.hour + at.minute / 60))
    return found


def _end_without_payment(
    row: dict[str, Any], reporter: Reporter, notified_on: date, last: date, ending: float, random: Random
) -> tuple[str, date]:
    for step in ("docs_asked_at", "docs_missing", "docs_complete_at", "assessed_at", "agreed_at", "assessed", "agreed",
                 "paid_at", "closed_at"):  # fmt: skip
        row.pop(step, None)
    day = min(last, notified_on + random.randint(8, 40) * DAY)
    row["closed_at"] = reporter.at(day, 23.5)
    if ending < 0.055:
        row["reject_reason"] = random.choice(("不属于保险责任", "事故不在保险期间内", "受害人不在承保人员范围"))
        return "REJECTED", day
    return ("CANCELLED" if ending < 0.075 else "CLOSED_ZERO"), day


_GROUNDS = {
    "不属于保险责任": "NOT_COVERED",
    "事故不在保险期间内": "OUT_OF_TERM",
    "受害人不在承保人员范围": "NOT_INSURED",
}


def _send_letter(row: dict[str, Any], reporter: Reporter, decided: date, last: date, key: float) -> None:
    """Most refusal letters go out in the three days of the law, some late, the newest perhaps not yet."""
    row["reject_code"] = _GROUNDS[row["reject_reason"]]
    day = decided + (1 + int(key * 2.2) + 4 * int(key > 0.93)) * DAY
    if day <= last:
        row["refusal_sent_at"] = reporter.at(day, 10)


def _payments(
    row: dict[str, Any],
    payments: list[dict[str, Any]],
    reporter: Reporter,
    claimed: int,
    reached: set[str],
    random: Random,
) -> int:
    """Advance payments for the undisputed part, the settlement, costs, now and then a recovery."""
    spent = 0

    def pay(kind: str, cents: int, day: str) -> None:
        payments.append({"kind": kind, "amount": yuan(cents), "paid_on": day})

    severe = any(victim["degree"] in ("DEATH", "SERIOUS") for victim in row["victims"])
    if severe and "docs_complete_at" in reached and random.random() < 0.5:
        spent = round(claimed * random.uniform(0.15, 0.4) / 10_000) * 10_000
        pay("ADVANCE", spent, row["docs_complete_at"][:10])
    if "paid_at" in reached:
        pay("SETTLEMENT", claimed - spent, row["paid_at"][:10])
        spent = claimed
        if random.random() < 0.12:
            pay("COSTS", random.randint(1_000, 20_000) * 100, row["paid_at"][:10])
    if "closed_at" in reached and random.random() < 0.02:
        pay("RECOVERY", max(100, round(claimed * 0.2)), row["closed_at"][:10])
    return spent

"""The five headline indicators counted once more, in plain Python, from the rows as they were sent.

Written from the definitions in words, knowing nothing of the program's SQL: it is the other side of the
comparison. Rows are plain dictionaries; `insurer` is the sender. All amounts are Decimals of yuan.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.province.conftest import Sent

DAY = timedelta(days=1)
SERVICE_GRACE = 7  # days after a window in which a service still counts
DEFAULT_RATIO = Decimal("0.15")  # promised where the contract gives no ratio
# visits a year: risk, size
MATRIX = {
    "HIGH": {"LARGE": 4, "MEDIUM": 3, "SMALL": 2, "MICRO": 1},
    "MEDIUM": {"LARGE": 3, "MEDIUM": 2, "SMALL": 1, "MICRO": 1},
    "LOW": {"LARGE": 2, "MEDIUM": 1, "SMALL": 1, "MICRO": 1},
}

Key = tuple[str, str, str, str]  # month, county, sector, insurer's code ("" where the figure has none)
Pair = list[Decimal]  # numerator, denominator
Cells = dict[Key, Pair]


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def month(when: date) -> str:
    return when.isoformat()[:7]


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Policy:
    insurer: str
    row: dict[str, Any]
    enterprise: dict[str, Any]
    start: date
    end: date
    cover_end: date
    received: Decimal = Decimal(0)
    plans: list[dict[str, Any]] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)

    def key(self, when: date) -> Key:
        return month(when), self.enterprise["region_code"], self.enterprise["sector"], self.insurer


class Recount:
    """All rows of the province, joined as people would join them, and the figures up to a day."""

    def __init__(self, sent: Sent, as_of: date) -> None:
        self.sent = sent
        self.as_of = as_of
        self.enterprises = {each.row["uscc"]: each.row for each in sent["enterprises"]}
        self.policies: dict[tuple[str, str], Policy] = {}
        for each in sent["policies"]:
            row = each.row
            start, end = day(row["start_on"]), day(row["end_on"])
            enterprise = self.enterprises[row["insured_uscc"]]
            self.policies[each.sender, row["policy_no"]] = Policy(each.sender, row, enterprise, start, end, end)
        self._endorse()
        for each in sent["receipts"]:
            self.policies[each.sender, each.row["policy_no"]].received += Decimal(each.row["amount"])
        for each in sent["plans"]:
            self.policies[each.sender, each.row["policy_no"]].plans.append(each.row)
        for each in sent["services"]:
            self.policies[each.sender, each.row["policy_no"]].services.append(each.row)

    def _endorse(self) -> None:
        """Cover ends with the last extension, or on the day before the cancellation."""
        extended: dict[tuple[str, str], tuple[str, str, date]] = {}
        cancelled: dict[tuple[str, str], date] = {}
        for each in self.sent["endorsements"]:
            key, row = (each.sender, each.row["policy_no"]), each.row
            if row["kind"] == "PERIOD":
                found = (row["effective_on"], row["issued_on"], day(row["after_value"]))
                extended[key] = max(extended.get(key, found), found)
            elif row["kind"] == "CANCEL":
                cancelled[key] = min(cancelled.get(key, date.max), day(row["effective_on"]))
        for key, (_effective, _issued, until) in extended.items():
            self.policies[key].cover_end = until
        for key, first_without in cancelled.items():
            policy = self.policies[key]
            policy.cover_end = min(policy.cover_end, first_without - DAY)

    def cells(self, figure: str) -> Cells:
        """The cells of a figure that hold anything."""
        return {key: pair for key, pair in getattr(self, figure)().items() if pair[0] or pair[1]}

    # coverage ----------------------------------------------------------------------------------------------

    def coverage(self, on: date, resting: Collection[str] = ()) -> dict[tuple[str, str], tuple[int, int]]:
        """(county, sector) → (insured, obliged) at the end of a day: who is on the register, not delisted, not
        closed and not resting, and of these who has a policy in force. Whom two sectors name counts in the first."""
        covered = {
            policy.row["insured_uscc"] for policy in self.policies.values() if policy.start <= on <= policy.cover_end
        }
        standing: dict[str, dict[str, Any]] = {}
        for each in self.sent["obligations"]:
            row, enterprise = each.row, self.enterprises[each.row["uscc"]]
            gone = min(day(row.get("delisted_on", "9999-12-31")), day(enterprise.get("closed_on", "9999-12-31")))
            if day(row["listed_on"]) <= on < gone and row["uscc"] not in resting:
                other = standing.setdefault(row["uscc"], row)
                if day(row["listed_on"]) < day(other["listed_on"]):
                    standing[row["uscc"]] = row
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for uscc, row in standing.items():
            cell = found[self.enterprises[uscc]["region_code"], row["sector"]]
            cell[0] += uscc in covered
            cell[1] += 1
        return {key: (insured, obliged) for key, (insured, obliged) in found.items()}

    # claim payout ------------------------------------------------------------------------------------------

    def payout(self) -> Cells:
        """Paid (recoveries off) and outstanding for losses of a month, of the premium received in it."""
        cells: Cells = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for each in self.sent["receipts"]:
            received = day(each.row["received_on"])
            if received <= self.as_of:
                policy = self.policies[each.sender, each.row["policy_no"]]
                cells[policy.key(received)][1] += Decimal(each.row["amount"])
        for each in self.sent["claims"]:
            lost = day(each.row["loss_on"])
            if lost > self.as_of:
                continue
            burden = Decimal(each.row["outstanding"])
            for payment in each.row.get("payments", []):
                sign = -1 if payment["kind"] == "RECOVERY" else 1
                burden += sign * Decimal(payment["amount"])
            policy = self.policies[each.sender, each.row["policy_no"]]
            cells[policy.key(lost)][0] += burden
        return cells

    # service completion ------------------------------------------------------------------------------------

    def completion(self) -> Cells:
        """Services done, at most as many as planned, of those planned in windows that have ended."""
        cells: Cells = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for policy in self.policies.values():
            for due, planned, done in _served(policy):
                if due <= self.as_of:
                    cell = cells[policy.key(due)]
                    cell[0] += min(done, planned)
                    cell[1] += planned
        return cells

    # hazard rectification ----------------------------------------------------------------------------------

    def rectification(self) -> Cells:
        """Of the hazards services found in a month whose (extended) deadline has come: those verified and
        closed. Enterprises shut down are left out."""
        cells: Cells = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for each in self.sent["hazards"]:
            row = each.row
            due = day(row.get("extended_to_on") or row["deadline_on"])
            if row["source"] != "SERVICE" or row["state"] == "SHUT_DOWN" or due > self.as_of:
                continue
            enterprise = self.enterprises[row["insured_uscc"]]
            key = (month(day(row["found_on"])), enterprise["region_code"], enterprise["sector"], each.sender)
            cells[key][0] += row["state"] == "CLOSED"
            cells[key][1] += 1
        return cells

    # expense payment ---------------------------------------------------------------------------------------

    def expense(self) -> Cells:
        """Paid with voucher and tied to a service or a shared cost, of premium received × agreed ratio, a
        month's share of which is due on its first day of cover."""
        cells: Cells = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for each in self.sent["expenses"]:
            row = each.row
            tied = row.get("service_no") or row["allocation"] == "BY_PREMIUM"
            if not row.get("paid_on") or not row.get("voucher_file") or not tied:
                continue
            paid = day(row["paid_on"])
            if paid <= self.as_of:
                policy = self.policies[each.sender, row["policy_no"]]
                cells[policy.key(paid)][0] += Decimal(row["amount"])
        for policy in self.policies.values():
            ratio = Decimal(policy.row.get("agreed_expense_ratio", DEFAULT_RATIO))
            budget = policy.received * ratio
            for first_day, share in _by_month(policy, budget):
                if first_day <= self.as_of:
                    cells[policy.key(first_day)][1] += share
        return cells


def _by_month(policy: Policy, amount: Decimal) -> Iterator[tuple[date, Decimal]]:
    """The first day of cover of each month, and what has accrued in that month."""
    days = (policy.cover_end - policy.start).days + 1
    if days <= 0 or not amount:
        return
    accrued = Decimal(0)
    first = policy.start
    while first <= policy.cover_end:
        following = (first.replace(day=1) + 32 * DAY).replace(day=1)
        elapsed = min(days, (following - policy.start).days)
        total = cents(amount * elapsed / days)
        yield first, total - accrued
        accrued, first = total, following


def _is_done(row: dict[str, Any]) -> bool:
    """With a qualified person, a report, findings or the statement that there are none, the enterprise's
    confirmation, and a photo."""
    qualified = any(
        person.get("certificate_no") and person["certificate_valid_to"] >= row["started_at"][:10]
        for person in row["persons"]
    )
    return bool(
        qualified
        and row.get("report_file")
        and (row["hazards_found"] > 0 or row["nil_findings"])
        and row["confirmation"] != "NONE"
        and row["photo_count"] >= 1
    )


@dataclass
class Demand:
    """So many services of a type within a window; `type` "" takes any."""

    type: str
    start: date
    due: date
    planned: int
    name: tuple[str, int] | None
    done: int = 0


def _served(policy: Policy) -> list[tuple[date, int, int]]:
    """Each demand of a policy: the day it was due, how many were planned, how many done."""
    demands = [d for d in _demands(policy) if d.planned > 0]
    until = {id(demand): demand.due + SERVICE_GRACE * DAY for demand in demands}
    demands.sort(key=lambda demand: until[id(demand)])
    done = [row for row in policy.services if _is_done(row)]
    named = {demand.name for demand in demands}

    def names(row: dict[str, Any]) -> tuple[str, int] | None:
        given = (row["plan_no"], row["plan_item_seq"]) if "plan_item_seq" in row else None
        return given if given in named else None

    # who names a demand comes first, then by day; each takes the demand that runs out first
    for row in sorted(done, key=lambda row: (names(row) is None, row["started_at"][:10])):
        performed = day(row["started_at"])
        for demand in demands:
            if (
                demand.done < demand.planned
                and demand.type in ("", row["service_type"])
                and demand.start <= performed <= until[id(demand)]
                and names(row) in (None, demand.name)
            ):
                demand.done += 1
                break
    return [(demand.due, demand.planned, demand.done) for demand in demands]


def _demands(policy: Policy) -> Iterator[Demand]:
    # cover that ends early takes along what was not due yet, and its share of the window under way
    cut = policy.cover_end + DAY if policy.cover_end < policy.end else date.max
    for plan in policy.plans:
        for seq, item in enumerate(plan["items"], 1):
            start, end = day(item["window_start_on"]), day(item["window_end_on"])
            planned = item["times"]
            if cut <= start:
                planned = 0
            elif cut <= end:
                planned = math.floor(Decimal(planned * (cut - start).days) / ((end - start).days + 1))
                end = cut - DAY
            yield Demand(item["service_type"], start, end, planned, (plan["plan_no"], seq))
    if policy.plans or policy.cover_end < policy.start:
        return
    # a missing plan cannot raise the rate: visits by size and risk, spread evenly over the period
    yearly = MATRIX[policy.enterprise["risk_tier"]][policy.enterprise["size"]]
    days = (max(policy.end, policy.cover_end) - policy.start).days + 1
    visits = max(1, int((Decimal(yearly * days) / 365).quantize(Decimal(1), ROUND_HALF_UP)))
    for number in range(1, visits + 1):
        due = policy.start + (math.ceil(Decimal(number * days) / visits) - 1) * DAY
        if due <= policy.cover_end:
            yield Demand("", policy.start, due, 1, None)

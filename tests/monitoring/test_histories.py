"""Random histories of inserts, corrections, cancellations and passing days, refreshed at random moments."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from anze.exchange.feeds import FEEDS
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.refresh import recompute, refresh
from tests.cast import NOW, XINGHUO, YUANFAN, Cast, enterprise_row, policy_row
from tests.monitoring.counting import figure, reasons
from tests.monitoring.test_refresh import all_cells

FIRST = date(2026, 1, 1)


class History:
    """Makes one plausible delivery after another; numbers repeat, so that many are corrections."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.today = date(2026, 5, 1)
        self.policies = [f"P{n}" for n in range(4)]
        self.known: dict[str, str] = {}  # number of an accepted record → its policy

    def day(self, until: date | None = None) -> date:
        return FIRST + timedelta(days=self.draw.randrange((min(until or self.today, self.today) - FIRST).days + 1))

    def base(self) -> dict[str, Any]:
        return {"is_void": True, "void_reason": "作废"} if self.draw.random() < 0.12 else {}

    def policy(self, number: str) -> dict[str, Any]:
        start = date(2025, 10, 1) + timedelta(days=self.draw.randrange(200))
        return policy_row(
            number,
            self.insured(number),
            issued_on="2025-09-25",
            applied_on="2025-09-20",
            start_on=str(start),
            end_on=str(start + timedelta(days=self.draw.choice([90, 200, 364]))),
            insured_workers=self.draw.choice([20, 40, 100]),
            limit_per_person=self.draw.choice(["350000.00", "400000.00", "800000.00"]),
            agreed_expense_ratio=self.draw.choice(["0.15", "0.2000", None]),
            **self.pool(),
            **self.base(),
        )

    def insured(self, policy_no: str) -> str:
        return XINGHUO if policy_no in ("P0", "P1") else YUANFAN

    def pool(self) -> dict[str, Any]:
        """Now and then co-insured, with the one or the other insurer in the lead."""
        if self.draw.random() < 0.8:
            return {}
        lead = self.draw.choice(["INS01", "INS02"])
        shares = [{"insurer_code": code, "share": "0.5", "is_lead": code == lead} for code in ("INS01", "INS02")]
        return {"nature": "COINSURANCE", "coinsurers": shares}

    def enterprise(self) -> dict[str, Any]:
        uscc = self.draw.choice([XINGHUO, YUANFAN])
        row = enterprise_row(uscc, "示例企业", self.draw.choice(["370102", "370202"]), "SMELT", **self.base())
        row["registered_on"] = "2026-01-01"
        if self.draw.random() < 0.3:
            row["closed_on"] = str(self.day())
        return row

    def obligation(self) -> dict[str, Any]:
        row = {
            "uscc": self.draw.choice([XINGHUO, YUANFAN]),
            "sector": self.draw.choice(["SMELT", "FISHERY", "HAZCHEM"]),
            "reason": "LAW_SECTOR",
            "source": "名录",
            "listed_on": str(self.day()),
            "state": self.draw.choice(["CONFIRMED", "DISPUTED", "UNCERTAIN"]),
            "registered_workers": self.draw.choice([30, 60, 100]),
            **self.base(),
        }
        if self.draw.random() < 0.3:
            row |= {"delisted_on": str(self.today + timedelta(days=30)), "delisting_reason": "迁出"}
        return row

    def endorsement(self) -> dict[str, Any]:
        kind = self.draw.choice(["HEADCOUNT", "LIMIT", "CANCEL", "PERIOD"])
        effective = self.day()
        after = {
            "HEADCOUNT": str(self.draw.choice([10, 60, 120])),
            "LIMIT": "300000.00",
            "CANCEL": "",
            "PERIOD": str(effective + timedelta(days=60)),
        }[kind]
        return {
            "endorsement_no": f"E{self.draw.randrange(4)}",
            "policy_no": self.draw.choice(self.policies),
            "kind": kind,
            "issued_on": str(effective),
            "effective_on": str(effective),
            "after_value": after,
            "premium_delta": "0.00",
            **self.base(),
        }

    def receipt(self) -> dict[str, Any]:
        return {
            "receipt_no": f"R{self.draw.randrange(6)}",
            "policy_no": self.draw.choice(self.policies),
            "instalment": 1,
            "amount": self.draw.choice(["10000.00", "3333.33", "-500.00"]),
            "received_on": str(self.day()),
            **self.base(),
        }

    def plan(self) -> dict[str, Any]:
        items = []
        for _ in range(self.draw.randrange(1, 4)):
            start = self.day()
            items.append(
                {
                    "service_type": self.draw.choice(["HAZARD", "TRAIN"]),
                    "form": "OWN_STAFF",
                    "times": self.draw.randrange(1, 3),
                    "window_start_on": str(start),
                    "window_end_on": str(start + timedelta(days=self.draw.randrange(60))),
                }
            )
        return {
            "plan_no": f"L{self.draw.randrange(3)}",
            "policy_no": self.draw.choice(self.policies),
            "edition": "AQ9010_2019",
            "risk_tier": "HIGH",
            "agreed_on": str(self.day()),
            "items": items,
            **self.base(),
        }

    def service(self) -> dict[str, Any]:
        day = self.day()
        found = self.draw.choice([0, 2])
        persons = [{"kind": "EXPERT", "name": "甲", "certificate_no": "C1",
                    "certificate_valid_to": self.draw.choice(["2025-12-31", "2028-12-31"])}]  # fmt: skip
        return {
            "service_no": f"S{self.draw.randrange(8)}",
            "policy_no": self.draw.choice(self.policies),
            "service_type": self.draw.choice(["HAZARD", "TRAIN"]),
            **self.provider(),
            "edition": "AQ9010_2019",
            "started_at": f"{day}T09:00:00+08:00",
            "ended_at": f"{day}T11:00:00+08:00",
            "attendees": 2,
            "report_file": self.draw.choice(["a.pdf", "a.pdf", ""]),
            "photo_count": self.draw.choice([0, 3, 3]),
            "has_service_mark": True,
            "nil_findings": found == 0,
            "hazards_found": found,
            **({"plan_no": "L0", "plan_item_seq": 1} if "L0" in self.known and self.draw.random() < 0.3 else {}),
            **self.confirmation(day),
            "satisfaction": self.draw.choice([None, 3, 5]),
            "planned_cost": "100.00",
            "paid_cost": "100.00",
            "persons": persons * self.draw.randrange(1, 3),
            **self.base(),
        }

    def provider(self) -> dict[str, Any]:
        if self.draw.random() < 0.5:
            return {"form": "OWN_STAFF"}
        return {"form": "COMMISSIONED_TSP", "agency_code": self.draw.choice(["AGY01", "AGY02"])}

    def confirmation(self, day: date) -> dict[str, Any]:
        if self.draw.random() < 0.3:
            return {"confirmation": "NONE"}
        return {"confirmation": "SIGNATURE", "confirmed_on": str(day)}

    def hazard(self) -> dict[str, Any]:
        found = self.day()
        row = {
            "hazard_no": f"H{self.draw.randrange(8)}",
            "insured_uscc": self.draw.choice([XINGHUO, YUANFAN]),
            "source": self.draw.choice(["SERVICE", "SERVICE", "SELF_CHECK"]),
            "hazard_class": self.draw.choice(["GENERAL", "MAJOR"]),
            "found_on": str(found),
            "description": "示例",
            "deadline_on": str(found + timedelta(days=self.draw.randrange(40))),
            "notified_principal": True,
            "state": self.draw.choice(["FOUND", "RECTIFYING", "SHUT_DOWN"]),
            **self.base(),
        }
        if row["source"] == "SERVICE":
            row["service_no"] = self.draw.choice(sorted(n for n in self.known if n[0] == "S") or ["S0"])
            row["insured_uscc"] = self.insured(self.known.get(row["service_no"], "P0"))
        if self.draw.random() < 0.5:
            closed = str(min(found + timedelta(days=self.draw.randrange(50)), self.today))
            row |= {"state": "CLOSED", "rectified_on": closed, "verified_on": closed, "closed_on": closed,
                    "verifier": "INSURER", "notified_on": str(found)}  # fmt: skip
        return row

    def expense(self) -> dict[str, Any]:
        day = self.day()
        row = {
            "expense_no": f"X{self.draw.randrange(6)}",
            "policy_no": self.draw.choice(self.policies),
            "category": "TSP_FEE",
            "allocation": self.draw.choice(["DIRECT", "BY_PREMIUM"]),
            "payee_name": "示例",
            "amount": self.draw.choice(["100.00", "250.50"]),
            "tax": "1.00",
            "incurred_on": str(day),
            "voucher_file": self.draw.choice(["v.pdf", "v.pdf", ""]),
            "approver": self.draw.choice(["甲", ""]),
            **self.base(),
        }
        if self.draw.random() < 0.5 and "S0" in self.known:
            row |= {"service_no": "S0", "policy_no": self.known["S0"], "allocation": "DIRECT"}
        if self.draw.random() < 0.2 and "X0" in self.known:
            row |= {"expense_no": f"Y{self.draw.randrange(2)}", "amount": "-40.00", "tax": "0.00",
                    "reversal_of": "X0"}  # fmt: skip
        if self.draw.random() < 0.7:
            row["paid_on"] = str(day)
        return row

    def claim(self) -> dict[str, Any]:
        loss = self.day()
        paid = [
            {
                "kind": self.draw.choice(["ADVANCE", "SETTLEMENT", "RECOVERY"]),
                "amount": "500.00",
                "paid_on": str(loss),
            }
            for _ in range(self.draw.randrange(3))
        ]
        return {
            "claim_no": f"C{self.draw.randrange(4)}",
            "policy_no": self.draw.choice(self.policies),
            "state": "NOTIFIED",
            "loss_on": str(loss),
            "notified_at": f"{loss}T10:00:00+08:00",
            "claimed": "5000.00",
            "outstanding": self.draw.choice(["0.00", "4000.00"]),
            "victims": [],
            "payments": paid,
            **self.base(),
        }


def live_through(cast: Cast, seed: int) -> datetime:
    """Sixty deliveries, corrections and days, refreshed now and then; the moment at the end."""
    history = History(seed)
    at = NOW.replace(year=2026, month=5, day=1)
    recompute(at=at)
    cast.accepted(cast.huaihai, "policies", *(history.policy(number) for number in history.policies), at=at)
    cast.send(cast.bohai, "policies", history.policy("B0"), at=at)
    accepted: Counter[str] = Counter()
    for _ in range(60):
        feed, make = history.draw.choice(
            [
                ("endorsements", history.endorsement), ("receipts", history.receipt), ("plans", history.plan),
                ("services", history.service), ("hazards", history.hazard), ("expenses", history.expense),
                ("claims", history.claim), ("obligations", history.obligation),
                ("enterprises", history.enterprise),
                ("policies", lambda: history.policy(history.draw.choice(history.policies))),
            ]
        )  # fmt: skip
        sender = cast.province if feed in ("obligations", "enterprises") else cast.huaihai
        row = make()
        batch = cast.send(sender, feed, row, at=at)
        accepted[feed] += batch.created + batch.updated
        if batch.created and "policy_no" in row:
            key = FEEDS[feed].key[-1]
            history.known[row[key]] = row["policy_no"]
        if history.draw.random() < 0.2:
            days = history.draw.choice([0, 3, 20])
            at += timedelta(days=days)
            history.today += timedelta(days=days)
        if history.draw.random() < 0.35:
            refresh(at=at)
    # a check made stricter must not quietly empty the histories of what it is about
    assert {"plans", "services", "hazards", "expenses", "claims", "receipts"} <= set(accepted.elements()), accepted
    refresh(at=at)
    return at


@pytest.mark.parametrize("seed", range(6))
def test_any_history_counts_as_if_counted_anew(cast, seed):
    at = live_through(cast, seed)
    refreshed = all_cells()
    recompute(at=at)
    anew = all_cells()
    for name, cells in anew.items():
        assert refreshed[name] == cells, name
    assert all(anew.values())


class LongCover(History):
    """Three years of short contracts for two enterprises: some follow each other to the day, some leave gaps."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.policies = [f"P{n}" for n in range(12)]
        self.ends = [date(2023, 10, 1)]

    def insured(self, policy_no: str) -> str:
        return XINGHUO if int(policy_no[1:]) % 2 else YUANFAN

    def policy(self, number: str) -> dict[str, Any]:
        follows = self.draw.choice(self.ends) + timedelta(days=self.draw.choice([0, 1, 1, 2, 40]))
        start = min(follows, date(2026, 4, 1))
        end = start + timedelta(days=self.draw.choice([10, 60, 90, 250]))
        self.ends.append(end)
        row = {"issued_on": str(start), "applied_on": str(start), "start_on": str(start), "end_on": str(end)}
        return super().policy(number) | row

    def obligation(self) -> dict[str, Any]:
        return super().obligation() | {"listed_on": str(self.draw.choice([date(2024, 1, 15), self.day()]))}

    def endorsement(self) -> dict[str, Any]:
        row = super().endorsement()
        effective = self.draw.choice(self.ends) - timedelta(days=self.draw.choice([0, 5, 30]))
        after = str(effective + timedelta(days=20)) if row["kind"] == "PERIOD" else row["after_value"]
        return row | {"effective_on": str(effective), "issued_on": str(effective), "after_value": after}


@pytest.mark.parametrize("seed", range(2))
def test_years_of_cover_count_as_if_counted_anew(cast, seed):
    """Only contracts near what changed are read again: whatever lies between them must come out the same."""
    history = LongCover(seed)
    at = NOW.replace(year=2026, month=5, day=1)
    cast.accepted(
        cast.province,
        "obligations",
        *(history.obligation() | {"uscc": e, "sector": "SMELT", "is_void": False} for e in (XINGHUO, YUANFAN)),
        at=at,
    )
    cast.send(cast.huaihai, "policies", *(history.policy(number) for number in history.policies), at=at)
    recompute(at=at)
    changed = 0
    for _ in range(40):
        feed, make = history.draw.choice(
            [("policies", lambda: history.policy(history.draw.choice(history.policies)))] * 3
            + [("endorsements", history.endorsement)] * 3 + [("obligations", history.obligation)]
        )  # fmt: skip
        sender = cast.province if feed == "obligations" else cast.huaihai
        batch = cast.send(sender, feed, make(), at=at)
        changed += batch.created + batch.updated
        if history.draw.random() < 0.5:
            refresh(at=at)
    assert changed > 15
    refresh(at=at)
    refreshed = all_cells()
    recompute(at=at)
    assert refreshed == all_cells()


@pytest.mark.parametrize("seed", [6, 7])
def test_after_any_history_each_number_is_the_sum_of_its_rows(cast, seed):
    live_through(cast, seed)
    slices = [
        {"months": "2025-01 2026-12"},
        {"months": "2026-02 2026-03", "region": "370100"},
        {"months": "2026-01 2026-06", "region": "370202", "sector": "FISHERY"},
        {"months": "2025-11 2026-12", "insurer": cast.huaihai.pk, "sector": "SMELT"},
        {"months": "2025-11 2026-12", "insurer": cast.bohai.pk},
    ]
    counted = 0
    for code in INDICATORS:
        for cut in slices:
            numerator, denominator = figure(code, **cut)  # holds it against its rows
            counted += bool(numerator) + bool(denominator)
        reasons(code, months="2025-01 2026-12")  # holds the reasons against the documentation
    assert counted > 50

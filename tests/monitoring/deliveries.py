"""Rows as partners would send them: complete, accepted as they stand, to be bent by keywords.

Everything happens to the cast's Huaihai Insurance and Xinghuo Casting unless a keyword says otherwise.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.cast import XINGHUO, policy_row

Sent = dict[str, Any]

VOID: Sent = {"is_void": True, "void_reason": "重复录入"}


def obligation(uscc: str = XINGHUO, sector: str = "SMELT", **words: Any) -> Sent:
    """On the register from 5 January 2026, with 100 workers."""
    return {
        "uscc": uscc,
        "sector": sector,
        "reason": "LAW_SECTOR",
        "source": "名录",
        "listed_on": "2026-01-05",
        "state": "CONFIRMED",
        "registered_workers": 100,
        **words,
    }


def policy(number: str = "P1", uscc: str = XINGHUO, **words: Any) -> Sent:
    """2026-03-01 to 2027-02-28, 100 workers, 500,000 yuan each, 18 % for prevention."""
    return policy_row(number, uscc, **words)


def endorsement(number: str, kind: str, effective_on: str, after: str = "", **words: Any) -> Sent:
    return {
        "endorsement_no": number,
        "policy_no": "P1",
        "kind": kind,
        "issued_on": effective_on,
        "effective_on": effective_on,
        "after_value": after,
        "premium_delta": "0.00",
        **words,
    }


def receipt(number: str = "R1", amount: str = "36500.00", received_on: str = "2026-03-01", **words: Any) -> Sent:
    return {
        "receipt_no": number,
        "policy_no": "P1",
        "instalment": 1,
        "amount": amount,
        "received_on": received_on,
        **words,
    }


def item(service_type: str, times: int, start: str, end: str) -> Sent:
    return {
        "service_type": service_type,
        "form": "OWN_STAFF",
        "times": times,
        "window_start_on": start,
        "window_end_on": end,
    }


def plan(*items: Sent, number: str = "L1", **words: Any) -> Sent:
    return {
        "plan_no": number,
        "policy_no": "P1",
        "edition": "AQ9010_2019",
        "risk_tier": "HIGH",
        "agreed_on": "2026-03-10",
        "items": list(items),
        **words,
    }


def person(**words: Any) -> Sent:
    return {
        "kind": "EXPERT",
        "name": "甲",
        "certificate_no": "C1",
        "certificate_valid_to": "2028-12-31",
        **words,
    }


def service(number: str, day: str, service_type: str = "HAZARD", **words: Any) -> Sent:
    """A service with everything it needs to be accepted as done."""
    return {
        "service_no": number,
        "policy_no": "P1",
        "service_type": service_type,
        "form": "OWN_STAFF",
        "edition": "AQ9010_2019",
        "started_at": f"{day}T09:00:00+08:00",
        "ended_at": f"{day}T11:00:00+08:00",
        "attendees": 2,
        "report_file": "report.pdf",
        "photo_count": 3,
        "has_service_mark": True,
        "nil_findings": True,
        "hazards_found": 0,
        "confirmation": "SIGNATURE",
        "confirmed_on": day,
        "planned_cost": "1000.00",
        "paid_cost": "1000.00",
        "persons": [person()],
        **words,
    }


def hazard(number: str, found_on: str, days: int = 15, **words: Any) -> Sent:
    """Found by service S1, to be rectified within so many days, still open."""
    return {
        "hazard_no": number,
        "insured_uscc": XINGHUO,
        "source": "SERVICE",
        "service_no": "S1",
        "hazard_class": "GENERAL",
        "found_on": found_on,
        "description": "示例隐患",
        "deadline_on": str(date.fromisoformat(found_on) + timedelta(days=days)),
        "notified_principal": True,
        "state": "RECTIFYING",
        **words,
    }


def closed(day: str) -> Sent:
    """What closing adds to a hazard."""
    return {
        "state": "CLOSED",
        "rectified_on": day,
        "verified_on": day,
        "closed_on": day,
        "verifier": "INSURER",
    }


def expense(number: str, amount: str = "1000.00", paid_on: str | None = "2026-05-20", **words: Any) -> Sent:
    """Paid for service S1, with its voucher."""
    row = {
        "expense_no": number,
        "policy_no": "P1",
        "service_no": "S1",
        "category": "TSP_FEE",
        "allocation": "DIRECT",
        "payee_name": "示例安全技术服务公司",
        "amount": amount,
        "tax": "0.00",
        "incurred_on": "2026-05-12",
        "voucher_file": "voucher.pdf",
        **words,
    }
    return row | ({"paid_on": paid_on} if paid_on else {})


def claim(number: str, loss_on: str, **words: Any) -> Sent:
    """Notified at 10:00 of the day of loss, open, nothing reserved."""
    return {
        "claim_no": number,
        "policy_no": "P1",
        "state": "NOTIFIED",
        "loss_on": loss_on,
        "notified_at": f"{loss_on}T10:00:00+08:00",
        "claimed": "50000.00",
        "outstanding": "0.00",
        "victims": [],
        "payments": [],
        **words,
    }


def payment(kind: str, amount: str, paid_on: str) -> Sent:
    return {"kind": kind, "amount": amount, "paid_on": paid_on}


def concluded(state: str, day: str) -> Sent:
    """The moments a claim has when it has come to one of its ends."""
    steps = dict.fromkeys(("registered_at", "surveyed_at", "assessed_at"), f"{day}T11:00:00+08:00")
    if state in ("PAID", "CLOSED"):
        steps |= {"agreed_at": f"{day}T12:00:00+08:00", "paid_at": f"{day}T13:00:00+08:00"}
    if state != "PAID":
        steps["closed_at"] = f"{day}T14:00:00+08:00"
    if state == "REJECTED":
        steps["reject_reason"] = "不属于保险责任"
    return {"state": state, **steps}


def accident(number: str, day: str, **words: Any) -> Sent:
    return {
        "accident_no": number,
        "insured_uscc": XINGHUO,
        "occurred_at": f"{day}T08:00:00+08:00",
        "place": "熔铸车间",
        "kind": "BURN",
        "deaths": 0,
        "serious_injuries": 1,
        "minor_injuries": 0,
        "direct_loss": "1000.00",
        "hits_third_party": False,
        **words,
    }

"""Rows of the register, and of policies, endorsements, premium receipts and plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from anze.exchange.synthetic.entities import Enterprise, Policy
from anze.exchange.synthetic.reporting import Reporter, yuan
from anze.exchange.synthetic.streams import stream

_HIGH_RISK = {"MINE", "SMELT", "TRANSPORT", "CONSTR", "HAZCHEM", "FIREWORK"}
_REASONS = {"MINE": "NOTICE_352", "HAZCHEM": "NOTICE_352", "FIREWORK": "NOTICE_352", "SMELT": "NOTICE_352"}
_SOURCES = {
    "MINE": "矿山安全生产许可证名录", "HAZCHEM": "危险化学品许可名录", "FIREWORK": "烟花爆竹经营许可名录",
    "TRANSPORT": "道路运输经营许可名录", "CONSTR": "建筑业企业资质名录", "CIVEXP": "民爆许可名录",
    "SMELT": "工贸重点企业名录", "FISHERY": "渔业船舶登记名录",
}  # fmt: skip
_NOTICE_352 = date(2026, 9, 29)
NEW_EDITION = date(2026, 10, 1)  # plans from here on may follow AQ 9010.x-2026


def enterprise_row(enterprise: Enterprise) -> dict[str, Any]:
    row: dict[str, Any] = {
        "uscc": enterprise.uscc,
        "name": enterprise.name,
        "region_code": enterprise.county.code,
        "sector": enterprise.sector,
        "industry_code": enterprise.industry,
        "size": enterprise.size,
        "risk_tier": enterprise.tier,
        "registered_workers": enterprise.workers,
        "address": enterprise.address,
        "lon": f"{enterprise.lon:.6f}",
        "lat": f"{enterprise.lat:.6f}",
        "contact_name": enterprise.contact,
        "is_high_risk": enterprise.sector in _HIGH_RISK or enterprise.tier == "HIGH",
        "registered_on": enterprise.registered_on.isoformat(),
    }
    if enterprise.sector == "FISHERY" and enterprise.is_individual:
        row["alternative_id_kind"] = "VESSEL"
    if enterprise.closed_on:
        row["closed_on"] = enterprise.closed_on.isoformat()
    return row


def obligation_rows(enterprise: Enterprise) -> Iterator[tuple[date, dict[str, Any]]]:
    """The entries of an enterprise in the register and since when: none, one, or by mistake two."""
    if enterprise.listed_on is None:
        return
    row = _obligation_row(enterprise, enterprise.listed_on)
    yield enterprise.listed_on, row
    if enterprise.also_in:
        yield enterprise.also_on, row | {
            "sector": enterprise.also_in, "source": _SOURCES[enterprise.also_in], "reason": "LAW_SECTOR",
            "listed_on": enterprise.also_on.isoformat(), "state": "UNCERTAIN", "dispute_note": "",
        }  # fmt: skip


def _obligation_row(enterprise: Enterprise, listed: date) -> dict[str, Any]:
    noticed = listed >= _NOTICE_352
    row: dict[str, Any] = {
        "uscc": enterprise.uscc,
        "sector": enterprise.sector,
        "reason": _REASONS.get(enterprise.sector, "LAW_SECTOR") if noticed else "LAW_SECTOR",
        "source": _SOURCES[enterprise.sector],
        "listed_on": listed.isoformat(),
        "state": enterprise.state,
        "registered_workers": enterprise.workers,
    }
    if enterprise.state == "DISPUTED":
        row["dispute_note"] = "企业认为不属于该行业，待核实"
    if enterprise.delisted_on:
        row["delisted_on"] = enterprise.delisted_on.isoformat()
        row["delisting_reason"] = enterprise.delisting_reason
    return row


def send_insurance(reporter: Reporter, seed: int) -> None:
    """Policies with what belongs to them."""
    for policy in reporter.insurer.policies:
        random = stream(seed, "rows", policy.number)
        reporter.send("policies", _policy_row(policy, reporter), policy.issued, random)
        for n, change in enumerate(policy.changes, 1):
            row: dict[str, Any] = {
                "endorsement_no": f"PD{policy.number[3:]}{n:02d}",
                "policy_no": policy.number,
                "kind": change.kind,
                "issued_on": reporter.iso(change.issued),
                "effective_on": reporter.iso(change.effective),
                "before_value": change.before,
                "after_value": change.after,
                "premium_delta": yuan(change.delta),
                "reason": change.reason,
            }
            reporter.send("endorsements", row, change.issued, random)
        for n, receipt in enumerate(policy.receipts, 1):
            row = {
                "receipt_no": f"SF{policy.number[3:]}{n:02d}",
                "policy_no": policy.number,
                "instalment": receipt.instalment,
                "amount": yuan(receipt.cents),
                "received_on": reporter.iso(receipt.day),
                "payer_name": policy.enterprise.name,
            }
            reporter.send("receipts", row, receipt.day, random)
        if policy.planned_on:
            row = _plan_row(policy, policy.planned_on, reporter)
            reporter.send("plans", row, policy.planned_on, random, settled=policy.confirmed_on)


def _policy_row(policy: Policy, reporter: Reporter) -> dict[str, Any]:
    enterprise = policy.enterprise
    limit = policy.limit
    per_accident = limit * (25 if policy.workers > 300 else 10 if policy.workers > 20 else 5)
    row: dict[str, Any] = {
        "policy_no": policy.number,
        "branch_code": enterprise.county.city[:4],
        "product_name": "安全生产责任保险",
        "wording_no": f"示例备-责任〔2025〕{policy.insurer.index + 1:03d}号",
        "nature": "COINSURANCE" if policy.coinsurers else "SOLE",
        "holder_name": enterprise.name,
        "holder_uscc": enterprise.uscc,
        "insured_uscc": enterprise.uscc,
        "applied_on": reporter.iso(policy.applied),
        "issued_on": reporter.iso(policy.issued),
        "start_on": reporter.iso(policy.start),
        "end_on": reporter.iso(policy.end),
        "insured_workers": policy.workers,
        "registered_workers": policy.workers if policy.project else enterprise.workers,
        "limit_per_person": f"{limit}.00",
        "limit_per_accident": f"{per_accident}.00",
        "aggregate_limit": f"{per_accident * 2}.00",
        "premium_written": yuan(policy.premium),
        "rate_base": f"{policy.rate_base / 1e6:.6f}",
        "rate_factors": [{"name": name, "value": f"{value / 1000:.3f}"} for name, value in policy.factors],
        "rate_final": f"{policy.rate_final / 1e6:.6f}",
        "agreed_frequency": policy.frequency,
        "agreed_service_types": sorted({item.type for item in policy.items}) or ["HAZARD"],
        "is_renewal": policy.previous is not None,
    }
    if policy.ratio is not None:
        row["agreed_expense_ratio"] = f"{policy.ratio / 10_000:.4f}"
    if policy.previous is not None:
        row["previous_policy_no"] = policy.previous.number
    if policy.project:
        row["project_name"] = policy.project
        row["permit_no"] = policy.permit
        row["project_address"] = enterprise.address
    if policy.coinsurers:
        row["coinsurers"] = [
            {"insurer_code": code, "share": f"{share / 10_000:.4f}", "is_lead": lead}
            for code, share, lead in policy.coinsurers
        ]
    return row


def _plan_row(policy: Policy, agreed_on: date, reporter: Reporter) -> dict[str, Any]:
    new = agreed_on >= NEW_EDITION and policy.insurer.index % 2 == 0
    row: dict[str, Any] = {
        "plan_no": policy.plan_number,
        "policy_no": policy.number,
        "edition": "AQ9010_2026" if new else "AQ9010_2019",
        "risk_tier": policy.enterprise.tier,
        "agreed_on": reporter.iso(agreed_on),
        "goals": "重大事故隐患动态清零" if policy.enterprise.tier == "HIGH" else "",
        "items": [
            {
                "service_type": item.type,
                "form": item.form,
                "times": item.times,
                "window_start_on": reporter.iso(item.start),
                "window_end_on": reporter.iso(item.end),
                "agency_code": policy.agency.code if policy.agency and item.form == "COMMISSIONED_TSP" else "",
            }
            for item in policy.items
        ],
    }
    if policy.confirmed_on:
        row["confirmed_on"] = reporter.iso(policy.confirmed_on)
    return row

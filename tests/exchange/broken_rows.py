# ruff: noqa: RUF001 - wide digits are among the rows that must be refused
"""For every check of every feed a row that fails it: (feed, example row, what is changed, finding).

`tests/exchange/test_feeds.py` fails if a check has no row here.
"""

from __future__ import annotations

from typing import Any

Row = tuple[str, int, dict[str, Any], tuple[str, str]]

_ITEM = {"service_type": "HAZARD", "form": "OWN_STAFF", "times": 1}
_WINDOW = {"window_start_on": "2026-05-01", "window_end_on": "2026-06-30"}
_PAYMENT = {"kind": "ADVANCE", "amount": "1000.00", "paid_on": "2026-07-15"}
_SHARES = [
    {"insurer_code": "INS01", "share": "0.6", "is_lead": True},
    {"insurer_code": "INS02", "share": "0.3", "is_lead": False},
]

BROKEN: tuple[Row, ...] = (
    ("enterprises", 0, {"closed_on": "2026-01-07"}, ("closed_on", "closed_before_entered")),
    ("obligations", 0, {"sector": "OTHER"}, ("sector", "voluntary_sector")),
    (
        "obligations",
        0,
        {"delisted_on": "2026-01-07", "delisting_reason": "关闭"},
        ("delisted_on", "delisted_before_listed"),
    ),
    ("obligations", 0, {"delisted_on": "2026-06-01"}, ("delisting_reason", "delisting_without_reason")),
    # policies
    ("policies", 0, {"end_on": "2026-03-10"}, ("end_on", "ends_before_start")),
    ("policies", 0, {"end_on": "2027-03-11"}, ("end_on", "period_too_long")),
    ("policies", 0, {"agreed_expense_ratio": "0.2101"}, ("agreed_expense_ratio", "expense_ratio_over_cap")),
    ("policies", 0, {"nature": "COINSURANCE"}, ("coinsurers", "coinsurers_missing")),
    ("policies", 0, {"nature": "COINSURANCE", "coinsurers": _SHARES}, ("coinsurers", "shares_not_whole")),
    ("policies", 0, {"limit_per_person": "10000000.01"}, ("limit_per_accident", "limits_out_of_order")),
    ("policies", 0, {"aggregate_limit": "9999999.99"}, ("limit_per_accident", "limits_out_of_order")),
    # endorsements
    ("endorsements", 0, {"effective_on": "2026-03-09"}, ("effective_on", "effective_before_cover")),
    ("endorsements", 0, {"effective_on": "2027-03-10"}, ("effective_on", "effective_after_cover")),
    (
        "endorsements",
        0,
        {"kind": "PERIOD", "after_value": "2026-03-10"},
        ("after_value", "period_ends_before_start"),
    ),
    ("endorsements", 1, {"premium_delta": "0.01"}, ("premium_delta", "cancellation_adds_premium")),
    ("endorsements", 0, {"after_value": ""}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"after_value": "0"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"after_value": "335人"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"after_value": "３３５"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"kind": "LIMIT", "after_value": "60万元"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"kind": "LIMIT", "after_value": "1e5"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"kind": "PERIOD", "after_value": "2027-02-29"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"kind": "PERIOD", "after_value": "2027/3/31"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"kind": "PERIOD", "after_value": "20270331"}, ("after_value", "bad_after_value")),
    ("endorsements", 0, {"kind": "PERIOD", "after_value": "0000-00-00"}, ("after_value", "bad_after_value")),
    # receipts
    ("receipts", 0, {"amount": "0"}, ("amount", "amount_zero")),
    ("receipts", 0, {"amount": "-0.00"}, ("amount", "amount_zero")),
    # plans
    ("plans", 0, {"confirmed_on": "2026-03-19"}, ("confirmed_on", "confirmed_before_agreed")),
    (
        "plans",
        0,
        {"items": [{**_ITEM, "window_start_on": "2026-06-30", "window_end_on": "2026-06-29"}]},
        ("items.1.window_end_on", "window_out_of_order"),
    ),
    (
        "plans",
        0,
        {
            "items": [
                {**_ITEM, **_WINDOW},
                {**_ITEM, "window_start_on": "2027-03-10", "window_end_on": "2027-04-30"},
            ]
        },
        ("items.2.window_start_on", "window_outside_cover"),
    ),
    (
        "plans",
        0,
        {"items": [{**_ITEM, "window_start_on": "2026-03-01", "window_end_on": "2026-03-09"}]},
        ("items.1.window_start_on", "window_outside_cover"),
    ),
    (
        "plans",
        0,
        {"items": [{**_ITEM, **_WINDOW, "form": "COMMISSIONED_TSP"}]},
        ("items.1.agency_code", "item_without_agency"),
    ),
    # services
    ("services", 0, {"plan_item_seq": None}, ("plan_item_seq", "plan_item_incomplete")),
    ("services", 1, {"plan_item_seq": 1}, ("plan_item_seq", "plan_item_incomplete")),
    (
        "services",
        1,
        {"plan_no": "FA2026370100000123", "plan_item_seq": 2},
        ("plan_no", "plan_of_another_policy"),
    ),
    ("services", 0, {"agency_code": None}, ("agency_code", "service_without_agency")),
    ("services", 0, {"ended_at": "2026-05-12T08:59:59+08:00"}, ("ended_at", "service_ended_before_started")),
    ("services", 0, {"ended_at": "2026-05-13T09:00:01+08:00"}, ("ended_at", "service_too_long")),
    ("services", 0, {"nil_findings": True}, ("nil_findings", "nothing_found_but_hazards")),
    ("services", 0, {"hazards_found": 0}, ("nil_findings", "findings_not_stated")),
    ("services", 0, {"confirmed_on": None}, ("confirmed_on", "confirmation_incomplete")),
    ("services", 1, {"confirmed_on": "2026-06-18"}, ("confirmed_on", "confirmation_incomplete")),
    ("services", 0, {"confirmed_on": "2026-05-11"}, ("confirmed_on", "confirmed_before_service")),
    ("services", 0, {"followed_up_on": "2026-05-11"}, ("followed_up_on", "followed_up_before_service")),
    ("services", 0, {"lon": None}, ("lat", "position_incomplete")),
    # hazards
    ("hazards", 0, {"service_no": None}, ("service_no", "service_missing")),
    (
        "hazards",
        1,
        {"service_no": "FW2026370100000901"},
        ("service_no", "service_at_another_enterprise"),
    ),
    (
        "hazards",
        0,
        {"found_on": "2026-05-11"},
        ("found_on", "found_before_service"),
    ),
    ("hazards", 1, {"deadline_on": "2026-07-01"}, ("deadline_on", "deadline_before_found")),
    (
        "hazards",
        1,
        {"extended_to_on": "2026-07-16", "extension_reason": "等待配件"},
        ("extended_to_on", "extension_not_later"),
    ),
    ("hazards", 1, {"extended_to_on": "2026-07-17"}, ("extension_reason", "extension_without_reason")),
    ("hazards", 0, {"verified_on": None}, ("verified_on", "closed_without_verification")),
    ("hazards", 0, {"verifier": None}, ("verified_on", "closed_without_verification")),
    ("hazards", 0, {"closed_on": None}, ("closed_on", "closed_without_day")),
    ("hazards", 0, {"state": "SUBMITTED"}, ("closed_on", "closed_without_day")),
    ("hazards", 1, {"notified_on": "2026-07-01"}, ("notified_on", "notified_before_found")),
    ("hazards", 1, {"rectified_on": "2026-07-01"}, ("rectified_on", "rectified_before_found")),
    ("hazards", 0, {"verified_on": "2026-06-02"}, ("verified_on", "verified_before_rectified")),
    ("hazards", 0, {"closed_on": "2026-06-04"}, ("closed_on", "closed_before_verified")),
    ("hazards", 1, {"rectified_on": "2026-11-24"}, ("state", "step_in_future")),
    # invoices
    ("invoices", 0, {"amount": "0.00", "tax": "0"}, ("amount", "amount_zero")),
    ("invoices", 0, {"tax": "1200.01"}, ("tax", "tax_over_amount")),
    # expenses
    (
        "expenses",
        0,
        {"policy_no": "PSD2026370200000456"},
        ("service_no", "service_of_another_policy"),
    ),
    ("expenses", 0, {"amount": "0.00", "tax": "0"}, ("amount", "amount_zero")),
    ("expenses", 0, {"tax": "1200.01"}, ("tax", "tax_over_amount")),
    ("expenses", 0, {"tax": "-1"}, ("tax", "tax_over_amount")),
    ("expenses", 0, {"amount": "-1200.00", "tax": "-67.92"}, ("reversal_of", "negative_without_reversal")),
    (
        "expenses",
        0,
        {"expense_no": "FY9", "reversal_of": "FY2026370100000061"},
        ("amount", "reversal_not_negative"),
    ),
    (
        "expenses",
        0,
        {"expense_no": "FY9", "reversal_of": "FY8", "amount": "-1200.00", "tax": "-67.92"},
        ("reversal_of", "reversal_of_unknown"),
    ),
    (
        "expenses",
        0,
        {"expense_no": "FY9", "reversal_of": "FY9", "amount": "-1200.00", "tax": "-67.92"},
        ("reversal_of", "reversal_of_unknown"),
    ),
    ("expenses", 0, {"paid_on": "2026-05-11"}, ("paid_on", "paid_before_incurred")),
    ("expenses", 0, {"paid_on": "2026-11-24"}, ("paid_on", "paid_in_future")),
    # accidents
    (
        "accidents",
        0,
        {"reported_at": "2026-07-08T10:19:59+08:00"},
        ("reported_at", "reported_before_accident"),
    ),
    ("accidents", 0, {"learned_at": "2026-07-08T10:19:59+08:00"}, ("learned_at", "learned_before_accident")),
    ("accidents", 0, {"counted_on": "2026-07-07"}, ("counted_on", "counted_before_accident")),
    # claims
    (
        "claims",
        0,
        {"accident_no": "SG2026370200000012"},
        ("accident_no", "accident_at_another_enterprise"),
    ),
    ("claims", 1, {"loss_on": "2026-08-20"}, ("notified_at", "notified_before_loss")),
    ("claims", 1, {"registered_at": "2026-08-19T08:59:59+08:00"}, ("registered_at", "step_out_of_order")),
    ("claims", 1, {"surveyed_at": "2026-08-19T08:59:59+08:00"}, ("surveyed_at", "step_out_of_order")),
    (
        "claims",
        1,
        {"docs_complete_at": "2026-08-19T08:59:59+08:00"},
        ("docs_complete_at", "step_out_of_order"),
    ),
    ("claims", 0, {"assessed_at": "2026-07-09T09:59:59+08:00"}, ("assessed_at", "step_out_of_order")),
    ("claims", 0, {"agreed_at": "2026-09-01T15:59:59+08:00"}, ("agreed_at", "step_out_of_order")),
    ("claims", 0, {"paid_at": "2026-09-04T09:59:59+08:00"}, ("paid_at", "step_out_of_order")),
    ("claims", 0, {"closed_at": "2026-09-10T13:59:59+08:00"}, ("closed_at", "step_out_of_order")),
    ("claims", 0, {"closed_at": "2026-11-24T00:00:00+08:00"}, ("state", "step_in_future")),
    ("claims", 1, {"state": "SURVEYED"}, ("state", "state_without_moment")),
    ("claims", 0, {"closed_at": None}, ("state", "state_without_moment")),
    ("claims", 0, {"state": "PAID"}, ("closed_at", "closed_but_open")),
    ("claims", 0, {"state": "REJECTED"}, ("reject_reason", "rejected_without_reason")),
    ("claims", 0, {"outstanding": "0.01"}, ("outstanding", "reserve_on_closed_claim")),
    ("claims", 0, {"docs_asked_at": "2026-07-08T11:29:59+08:00"}, ("docs_asked_at", "asked_before_notice")),
    ("claims", 0, {"refusal_sent_at": "2026-09-12T09:00:00+08:00"}, ("refusal_sent_at", "letter_without_rejection")),
    ("claims", 0, {"agreed": "180000.01"}, ("agreed", "agreed_over_assessed")),
    ("claims", 0, {"payments": [{**_PAYMENT, "amount": "180000.01"}]}, ("payments", "paid_over_agreed")),
    ("claims", 0, {"payments": [{**_PAYMENT, "amount": "0"}]}, ("payments.1.amount", "payment_zero")),
    (
        "claims",
        0,
        {"payments": [_PAYMENT, {**_PAYMENT, "paid_on": "2026-07-07"}]},
        ("payments.2.paid_on", "paid_before_loss"),
    ),
    (
        "claims",
        0,
        {"payments": [{**_PAYMENT, "paid_on": "2026-11-24"}]},
        ("payments.1.paid_on", "payment_in_future"),
    ),
)

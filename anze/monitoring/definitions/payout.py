"""Claim payout: money paid and reserved against premium, in three readings, and how quickly it is paid."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.claims.models import Claim, Payment
from anze.monitoring.models import MaturedCell, PayoutCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Part, Source, Unit, Words
from anze.underwriting.models import Policy, PremiumReceipt

FAULTS = ("VOID", "POLICY_VOID")
_UNPAID = ("REJECTED_CLAIM", "OPEN_CLAIM", "NO_PAYMENT")
_FAULT = "CASE WHEN {0}.is_void THEN 'VOID' WHEN p.is_void THEN 'POLICY_VOID' END"

# Premium received, refunds off; what stands under a voided policy counts nowhere.
RECEIVED = f"""
received AS (
    SELECT r.*, {_FAULT.format("r")} AS fault FROM receipts r JOIN policies p ON p.id = r.policy_id
)
"""

# Recoveries come off (追偿); litigation and rescue costs paid by the insurer count; prevention expense
# does not.
# Only an advance or a settlement compensates somebody: costs neither settle a claim nor stop its clock.
_CLAIMS = f"""
paid_by_claim AS (
    SELECT claim_id, policy_id, sum(CASE WHEN kind = 'RECOVERY' THEN -amount ELSE amount END) AS paid,
           min(paid_on) FILTER (WHERE kind IN ('ADVANCE', 'SETTLEMENT')) AS first_paid_on
    FROM payments GROUP BY claim_id, policy_id
), judged AS (
    SELECT c.*, p.start_on, coalesce(y.paid, 0) + c.outstanding AS burden, y.first_paid_on,
           {_FAULT.format("c")} AS fault,
           c.state IN ('PAID', 'CLOSED') AND y.first_paid_on IS NOT NULL AS is_settled,
           CASE WHEN c.loss_on NOT BETWEEN p.start_on AND p.cover_end_on THEN 'OUT_OF_COVER' END AS outside,
           CASE WHEN c.state IN ('REJECTED', 'CANCELLED', 'CLOSED_ZERO') THEN 'REJECTED_CLAIM'
                WHEN c.state NOT IN ('PAID', 'CLOSED') THEN 'OPEN_CLAIM'
                WHEN y.first_paid_on IS NULL THEN 'NO_PAYMENT' END AS unpaid
    FROM claims c JOIN policies p ON p.id = c.policy_id
    LEFT JOIN paid_by_claim y ON y.claim_id = c.id AND y.policy_id = c.policy_id
), paid_lines AS (
    SELECT c.id, c.claim_no, c.enterprise_id, c.region_code, c.sector, c.insurer_id, c.fault, l.paid_on,
           CASE WHEN l.kind = 'RECOVERY' THEN -l.amount ELSE l.amount END AS amount
    FROM payments l JOIN judged c ON c.id = l.claim_id AND c.policy_id = l.policy_id
)
"""

# Earned on the first day of each month of cover for that month; rounded so that the months sum up exactly.
# A policy cancelled from its beginning has no cover and earns nothing.
MONTHS_OF_COVER = f"""{RECEIVED.rstrip()}, premiums AS (
    SELECT policy_id, sum(amount) AS received FROM received WHERE fault IS NULL GROUP BY policy_id
), cover AS (
    SELECT p.id, p.policy_no, p.enterprise_id, p.region_code, p.sector, p.insurer_id, p.start_on,
           p.cover_end_on, p.agreed_expense_ratio, p.cover_end_on - p.start_on + 1 AS days,
           coalesce(r.received, 0) AS received
    FROM policies p LEFT JOIN premiums r ON r.policy_id = p.id
    WHERE NOT p.is_void AND p.cover_end_on >= p.start_on
), months AS (
    SELECT c.*, g::date AS month_on, greatest(g::date, c.start_on) AS from_on,
           least(c.days, (g + interval '1 month')::date - c.start_on) AS days_after,
           greatest(0, g::date - c.start_on) AS days_before
    FROM cover c CROSS JOIN LATERAL generate_series(
        date_trunc('month', c.start_on::timestamp), c.cover_end_on::timestamp, interval '1 month'
    ) g
    WHERE c.received <> 0
)
"""


def share_of_month(amount: str) -> str:
    """SQL for the part of an amount that falls on a month of cover."""
    return f"round({amount} * days_after / days, 2) - round({amount} * days_before / days, 2)"


def received_part(measure: str) -> Part:
    """Premium by the day on which the money came in."""
    return Part(
        source="receipts",
        rows="received",
        label="receipt_no",
        on="received_on",
        gives={measure: "CASE WHEN fault IS NULL THEN amount ELSE 0 END"},
        left_out="fault",
        codes=FAULTS,
    )


_NOTIFIED = "(fault IS NULL AND outside IS NULL)"

PAYOUT = Fact(
    "payout",
    PayoutCell,
    (
        Source("policies", Policy, "id"),
        Source("claims", Claim, "policy_id"),
        Source("payments", Payment, "policy_id"),
        Source("receipts", PremiumReceipt, "policy_id"),
    ),
    (
        received_part("premium"),
        Part(
            source="claims",
            rows="paid_lines",
            label="claim_no",
            on="paid_on",
            gives={"paid": "CASE WHEN fault IS NULL THEN amount ELSE 0 END"},
            left_out="fault",
            codes=FAULTS,
        ),
        Part(
            source="claims",
            rows="judged",
            label="claim_no",
            on="loss_on",
            gives={"incurred": "CASE WHEN fault IS NULL THEN burden ELSE 0 END"},
            left_out="fault",
            codes=(*FAULTS, *_UNPAID),
            why={"incurred": "CASE WHEN burden = 0 THEN unpaid END"},
        ),
        Part(
            source="claims",
            rows="judged",
            label="claim_no",
            on="event_on",
            gives={
                "notified": f"{_NOTIFIED}::int",
                "settled": f"({_NOTIFIED} AND is_settled)::int",
                "days_to_pay": f"CASE WHEN {_NOTIFIED} THEN greatest(first_paid_on - event_on, 0) ELSE 0 END",
                "paid_claims": f"({_NOTIFIED} AND first_paid_on IS NOT NULL)::int",
            },
            left_out="coalesce(fault, outside)",
            codes=(*FAULTS, "OUT_OF_COVER", *_UNPAID),
            why={
                "settled": "CASE WHEN NOT is_settled THEN unpaid END",
                "days_to_pay": "CASE WHEN first_paid_on IS NULL THEN unpaid END",
            },
        ),
    ),
    f"{RECEIVED.rstrip()}, {_CLAIMS.lstrip()}",
)
MATURED = Fact(
    "matured",
    MaturedCell,
    (
        Source("policies", Policy, "id"),
        Source("receipts", PremiumReceipt, "policy_id"),
        Source("claims", Claim, "policy_id"),
        Source("payments", Payment, "policy_id"),
    ),
    (
        Part(
            source="policies",
            rows="months",
            label="policy_no",
            on="from_on",
            month_of="start_on",
            gives={"earned_premium": share_of_month("received")},
        ),
        Part(
            source="policies",
            rows="policies WHERE is_void",
            label="policy_no",
            on="start_on",
            gives={"earned_premium": "0"},
            left_out="'VOID'",
        ),
        Part(
            source="claims",
            rows="judged",
            label="claim_no",
            on="loss_on",
            month_of="start_on",
            gives={"matured_incurred": "CASE WHEN fault IS NULL THEN burden ELSE 0 END"},
            left_out="fault",
            codes=(*FAULTS, *_UNPAID),
            why={"matured_incurred": "CASE WHEN burden = 0 THEN unpaid END"},
        ),
    ),
    f"{MONTHS_OF_COVER.rstrip()}, {_CLAIMS.lstrip()}",
)
PAYOUT_FACTS = (PAYOUT, MATURED)

_SOURCE = "行业通行口径；山东省未公布"


def _ratio(code: str, title: Words, about: Words, fact: Fact, numerator: str, denominator: str) -> Indicator:
    unit, direction = Unit.RATIO, Direction.NONE
    return Indicator(
        code, title, about, Family.PAYOUT, fact, numerator, denominator, unit, direction, _SOURCE, money=True
    )


PAYOUT_INDICATORS = (
    _ratio(
        "claim_payout_incurred",
        _("Claim payout ratio (incurred)"),
        _("Paid and outstanding for losses of the period, of the premium received in it."),
        PAYOUT,
        "incurred",
        "premium",
    ),
    _ratio(
        "claim_payout_paid",
        _("Claim payout ratio (paid)"),
        _("Paid in the period, of the premium received in it."),
        PAYOUT,
        "paid",
        "premium",
    ),
    _ratio(
        "claim_payout_matured",
        _("Claim payout ratio (matured)"),
        _(
            "Paid and outstanding under the policies that began in the period, of their premium earned so "
            "far (the month under way included)."
        ),
        MATURED,
        "matured_incurred",
        "earned_premium",
    ),
    Indicator(
        "claim_settlement_rate",
        _("Claims settled with payment"),
        _("Claims concluded with an advance or settlement paid, of those notified in the period within cover."),
        Family.PAYOUT,
        PAYOUT,
        "settled",
        "notified",
        Unit.RATIO,
        Direction.NONE,
        _SOURCE,
    ),
    Indicator(
        "avg_days_to_pay",
        _("Average days to the first payment"),
        _(
            "Days from the loss notice to the first advance or settlement, over the claims notified in the "
            "period within cover and paid."
        ),
        Family.PAYOUT,
        PAYOUT,
        "days_to_pay",
        "paid_claims",
        Unit.DAYS,
        Direction.DOWN,
        _SOURCE,
    ),
)

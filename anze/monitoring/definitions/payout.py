"""Claim payout: money paid and reserved against premium, in its three readings, and how quickly it is paid."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.claims.models import Claim, Payment
from anze.monitoring.models import MaturedCell, PayoutCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Source, Unit
from anze.underwriting.models import Policy, PremiumReceipt

# Recoveries come off; litigation and rescue costs paid by the insurer count; prevention expense does not.
_PAID = """
paid_by_claim AS (
    SELECT claim_id, sum(CASE WHEN kind = 'RECOVERY' THEN -amount ELSE amount END) AS paid,
           min(paid_on) FILTER (WHERE kind <> 'RECOVERY') AS first_paid_on
    FROM payments GROUP BY claim_id
), judged AS (
    SELECT c.*, coalesce(p.paid, 0) AS paid, p.first_paid_on,
           (c.notified_at AT TIME ZONE 'Asia/Shanghai')::date AS notified_on,
           CASE WHEN c.is_void THEN 'VOID' WHEN c.state IN ('REJECTED', 'CANCELLED', 'CLOSED_ZERO')
                THEN 'REJECTED_CLAIM' WHEN c.state NOT IN ('PAID', 'CLOSED') THEN 'OPEN_CLAIM' END AS reason
    FROM claims c LEFT JOIN paid_by_claim p ON p.claim_id = c.id
)
"""

_PAYOUT = """
SELECT 'receipts' AS source, r.id AS row_id, r.receipt_no AS label, r.enterprise_id,
       date_trunc('month', r.received_on)::date AS month, r.received_on AS counts_on, r.region_code, r.sector,
       r.insurer_id, CASE WHEN r.is_void THEN 'VOID' END AS reason,
       CASE WHEN r.is_void THEN 0 ELSE r.amount END AS premium, 0::numeric AS paid, 0::numeric AS incurred,
       0 AS notified, 0 AS settled, 0 AS days_to_pay, 0 AS paid_claims
FROM receipts r
UNION ALL
SELECT 'claims', c.id, c.claim_no, c.enterprise_id, date_trunc('month', p.paid_on)::date, p.paid_on,
       c.region_code, c.sector, c.insurer_id, NULL, 0,
       CASE WHEN p.kind = 'RECOVERY' THEN -p.amount ELSE p.amount END, 0, 0, 0, 0, 0
FROM payments p JOIN claims c ON c.id = p.claim_id AND NOT c.is_void
UNION ALL
SELECT 'claims', id, claim_no, enterprise_id, date_trunc('month', loss_on)::date, loss_on,
       region_code, sector, insurer_id, reason, 0, 0, CASE WHEN is_void THEN 0 ELSE paid + outstanding END, 0, 0, 0, 0
FROM judged
UNION ALL
SELECT 'claims', id, claim_no, enterprise_id, date_trunc('month', notified_on)::date, notified_on,
       region_code, sector, insurer_id, reason, 0, 0, 0, 1, (state IN ('PAID', 'CLOSED') AND paid > 0)::int,
       CASE WHEN first_paid_on IS NULL THEN 0 ELSE greatest(first_paid_on - notified_on, 0) END,
       (first_paid_on IS NOT NULL)::int
FROM judged WHERE NOT is_void
"""

# Earned on the first day of each month of cover for that month; rounded so that the months sum up exactly.
MONTHS_OF_COVER = """
premiums AS (
    SELECT policy_id, sum(amount) AS received FROM receipts WHERE NOT is_void GROUP BY policy_id
), cover AS (
    SELECT p.id, p.policy_no, p.enterprise_id, p.region_code, p.sector, p.insurer_id, p.start_on, p.cover_end_on,
           p.agreed_expense_ratio, p.cover_end_on - p.start_on + 1 AS days, coalesce(r.received, 0) AS received
    FROM policies p LEFT JOIN premiums r ON r.policy_id = p.id
    WHERE NOT p.is_void AND p.cover_end_on >= p.start_on
), months AS (
    SELECT c.*, g::date AS month,
           least(c.days, (g + interval '1 month')::date - c.start_on) AS days_after,
           greatest(0, g::date - c.start_on) AS days_before
    FROM cover c CROSS JOIN LATERAL generate_series(date_trunc('month', c.start_on), c.cover_end_on, interval '1 month') g
)
"""

_MATURED = """
SELECT 'policies' AS source, id AS row_id, policy_no AS label, enterprise_id,
       date_trunc('month', start_on)::date AS month, greatest(month, start_on) AS counts_on, region_code, sector,
       insurer_id, NULL AS reason, 0::numeric AS matured_incurred,
       round(received * days_after / days, 2) - round(received * days_before / days, 2) AS earned_premium
FROM months
UNION ALL
SELECT 'claims', c.id, c.claim_no, c.enterprise_id, date_trunc('month', p.start_on)::date, c.loss_on,
       c.region_code, c.sector, c.insurer_id, c.reason, CASE WHEN c.is_void THEN 0 ELSE c.paid + c.outstanding END, 0
FROM judged c JOIN policies p ON p.id = c.policy_id AND NOT p.is_void
"""

PAYOUT = Fact(
    "payout",
    PayoutCell,
    (
        Source("claims", Claim, "policy_id"),
        Source("payments", Payment, "policy_id"),
        Source("receipts", PremiumReceipt, "policy_id"),
    ),
    _PAYOUT,
    _PAID,
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
    _MATURED,
    f"{MONTHS_OF_COVER.rstrip()}, {_PAID.lstrip()}",
)
PAYOUT_FACTS = (PAYOUT, MATURED)

_ABOUT = "行业通行口径；山东省未公布"

PAYOUT_INDICATORS = (
    Indicator(
        "claim_payout_incurred",
        _("Claim payout ratio (incurred)"),
        _("Paid and outstanding for losses of the period, of the premium received in it."),
        Family.PAYOUT,
        PAYOUT,
        "incurred",
        "premium",
        Unit.RATIO,
        Direction.NONE,
        _ABOUT,
        money=True,
    ),
    Indicator(
        "claim_payout_paid",
        _("Claim payout ratio (paid)"),
        _("Paid in the period, of the premium received in it."),
        Family.PAYOUT,
        PAYOUT,
        "paid",
        "premium",
        Unit.RATIO,
        Direction.NONE,
        _ABOUT,
        money=True,
    ),
    Indicator(
        "claim_payout_matured",
        _("Claim payout ratio (matured)"),
        _("Paid and outstanding under the policies that began in the period, of their premium earned so far."),
        Family.PAYOUT,
        MATURED,
        "matured_incurred",
        "earned_premium",
        Unit.RATIO,
        Direction.NONE,
        _ABOUT,
        money=True,
    ),
    Indicator(
        "claim_settlement_rate",
        _("Claims settled with payment"),
        _("Claims paid and concluded, of the claims notified in the period."),
        Family.PAYOUT,
        PAYOUT,
        "settled",
        "notified",
        Unit.RATIO,
        Direction.NONE,
        _ABOUT,
    ),
    Indicator(
        "avg_days_to_pay",
        _("Average days to the first payment"),
        _("Days from the loss notice to the first payment, over the claims notified in the period and paid."),
        Family.PAYOUT,
        PAYOUT,
        "days_to_pay",
        "paid_claims",
        Unit.DAYS,
        Direction.DOWN,
        _ABOUT,
    ),
)

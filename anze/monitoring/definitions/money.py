"""What goes through a policy: premium received and earned, claims, prevention expense promised and paid."""

from __future__ import annotations

from anze.claims.models import Claim, Payment
from anze.expenses.models import Expense
from anze.kernel.parameters import parameters_of
from anze.monitoring.contributions import in_force
from anze.monitoring.models import MoneyCell
from anze.monitoring.rules import Fact, Part, Source
from anze.prevention.models import Service
from anze.underwriting.models import Policy, PremiumReceipt

_FAULTS = ("VOID", "POLICY_VOID")
_UNPAID = ("REJECTED_CLAIM", "OPEN_CLAIM", "NO_PAYMENT")
_RECORD = "{0}.id, {0}.policy_id, {0}.enterprise_id, {0}.region_code, {0}.sector, {0}.insurer_id"
_FAULT = "CASE WHEN {0}.is_void THEN 'VOID' WHEN p.is_void THEN 'POLICY_VOID' END"

# Premium received, refunds off; what stands under a voided policy counts nowhere.
# A policy cancelled from its beginning has no cover: nothing is earned of it and nothing promised.
# Promised for prevention: premium received × agreed ratio, the platform's default where the contract gives none.
_PREMIUM = f"""
default_ratios AS MATERIALIZED ({parameters_of("default_agreed_expense_ratio")}
), received AS (
    SELECT {_RECORD.format("r")}, r.receipt_no, r.received_on, r.amount, (r.amount * 100)::bigint AS cents,
           {_FAULT.format("r")} AS fault
    FROM receipts r JOIN policies p ON p.id = r.policy_id
), cover AS (
    -- amounts in millionths of a yuan (premium has 2 decimals, a ratio 4), `plain_` as whole numbers if they fit
    SELECT *, CASE WHEN abs(premium) * days < 4e18 THEN premium::bigint END AS plain_premium,
           CASE WHEN abs(premium) * days < 4e18 THEN budget::bigint END AS plain_budget
    FROM (
        SELECT *, received * 1000000 AS premium, received * ratio * 1000000 AS budget
        FROM (
            SELECT p.id, p.policy_no, p.enterprise_id, p.region_code, p.sector, p.insurer_id, p.start_on,
                   p.cover_end_on, (p.cover_end_on - p.start_on + 1)::bigint AS days,
                   coalesce(r.received, 0) AS received,
                   CASE WHEN p.agreed_expense_ratio IS NOT NULL THEN p.agreed_expense_ratio
                        ELSE coalesce({in_force("default_ratios", "p.start_on", "p.region_code")}, 0) END AS ratio
            FROM policies p LEFT JOIN (
                SELECT policy_id, sum(amount) AS received FROM received WHERE fault IS NULL GROUP BY policy_id
            ) r ON r.policy_id = p.id
            WHERE NOT p.is_void AND p.cover_end_on >= p.start_on OFFSET 0
        ) c
    ) c
), months AS NOT MATERIALIZED (
    -- each month of cover from its first day on, with the days of cover before and after it
    SELECT c.*, g::date AS month_on, greatest(g::date, c.start_on) AS from_on,
           least(c.days, (g + interval '1 month')::date - c.start_on) AS days_after,
           greatest(0, g::date - c.start_on) AS days_before
    FROM cover c CROSS JOIN LATERAL generate_series(
        date_trunc('month', c.start_on::timestamp), c.cover_end_on::timestamp, interval '1 month'
    ) g
    WHERE c.received <> 0
)
"""


def _share(amount: str, days: str) -> str:
    """SQL for the cents of an amount (in millionths of a yuan) that fall on the first so many days of cover.

    Rounded half up at each month's end, so that the months sum up exactly. In whole numbers where they are large
    enough, for there are millions of months; a sum beyond them is rounded as a decimal.
    """
    plain = f"plain_{amount}"
    return (
        f"CASE WHEN {plain} >= 0 THEN (2 * {plain} * ({days}) + days * 10000) / (days * 20000) "
        f"WHEN {plain} < 0 THEN -((-2 * {plain} * ({days}) + days * 10000) / (days * 20000)) "
        f"ELSE round({amount} * ({days}) / days / 10000)::bigint END"
    )


# Recoveries come off (追偿); litigation and rescue costs paid by the insurer count; prevention expense does not.
# Only an advance or a settlement compensates somebody: costs neither settle a claim nor stop its clock.
_CLAIMS = f"""
paid_by_claim AS (
    SELECT claim_id, policy_id, sum(CASE WHEN kind = 'RECOVERY' THEN -amount ELSE amount END) AS paid,
           min(paid_on) FILTER (WHERE kind IN ('ADVANCE', 'SETTLEMENT')) AS first_paid_on
    FROM payments GROUP BY claim_id, policy_id
), judged_claims AS (
    SELECT {_RECORD.format("c")}, c.claim_no, c.loss_on, c.event_on, p.start_on, ((coalesce(y.paid, 0) + c.outstanding) * 100)::bigint AS burden, y.first_paid_on,
           {_FAULT.format("c")} AS fault, c.state IN ('PAID', 'CLOSED') AND y.first_paid_on IS NOT NULL AS is_settled,
           CASE WHEN c.loss_on NOT BETWEEN p.start_on AND p.cover_end_on THEN 'OUT_OF_COVER' END AS outside,
           CASE WHEN c.state IN ('REJECTED', 'CANCELLED', 'CLOSED_ZERO') THEN 'REJECTED_CLAIM'
                WHEN c.state NOT IN ('PAID', 'CLOSED') THEN 'OPEN_CLAIM'
                WHEN y.first_paid_on IS NULL THEN 'NO_PAYMENT' END AS unpaid
    FROM claims c JOIN policies p ON p.id = c.policy_id
    LEFT JOIN paid_by_claim y ON y.claim_id = c.id AND y.policy_id = c.policy_id
), paid_lines AS (
    SELECT c.id, c.claim_no, c.enterprise_id, c.region_code, c.sector, c.insurer_id, c.fault, l.paid_on,
           (CASE WHEN l.kind = 'RECOVERY' THEN -l.amount ELSE l.amount END * 100)::bigint AS cents
    FROM payments l JOIN judged_claims c ON c.id = l.claim_id AND c.policy_id = l.policy_id
)
"""

_EXPENSES = f"""
vetted AS (
    -- counted only: paid, for a service on file or an approved shared cost, with its voucher (据实列支). A
    -- reversal is not vetted by itself: it shares the fate of what it takes back.
    SELECT {_RECORD.format("e")}, e.expense_no, e.reversal_of, coalesce(e.paid_on, e.incurred_on) AS day,
           (e.amount * 100)::bigint AS cents, coalesce({_FAULT.format("e")}, CASE WHEN e.reversal_of <> '' THEN NULL WHEN e.paid_on IS NULL THEN 'NOT_PAID'
               WHEN s.id IS NULL AND e.allocation <> 'BY_PREMIUM' THEN 'NOT_TIED'
               WHEN s.id IS NULL AND e.approver = '' THEN 'NOT_APPROVED'
               WHEN e.voucher_file = '' THEN 'NO_VOUCHER' END) AS own_fault
    FROM expenses e JOIN policies p ON p.id = e.policy_id
    LEFT JOIN services s ON s.id = e.service_id AND s.policy_id = e.policy_id AND NOT s.is_void
), judged_expenses AS (
    SELECT v.*, coalesce(v.own_fault, CASE WHEN o.id IS NOT NULL THEN 'REVERSAL' END) AS fault
    FROM vetted v LEFT JOIN vetted o ON o.expense_no = v.reversal_of AND o.insurer_id = v.insurer_id
         AND o.policy_id = v.policy_id AND o.own_fault IS NOT NULL AND v.reversal_of <> ''
), ended AS (
    SELECT c.*, coalesce(j.cents, 0) AS paid FROM cover c
    LEFT JOIN (SELECT policy_id, sum(cents) AS cents FROM judged_expenses WHERE fault IS NULL GROUP BY policy_id) j
         ON j.policy_id = c.id
)
"""


def _counted(amount: str) -> str:
    return f"CASE WHEN fault IS NULL THEN {amount} ELSE 0 END"


_PREMIUM_PARTS = (
    Part(
        source="receipts",
        rows="received",
        label="receipt_no",
        on="received_on",
        gives={"premium": _counted("cents")},
        left_out="fault",
        codes=_FAULTS,
    ),
    # earned on the first day of each month of cover for that month; in the month in which the policy began
    Part(
        source="policies",
        rows="cover",
        label="policy_no",
        on="start_on",
        accrues=True,
        gives={
            "earned_premium": "CASE WHEN start_on <= {until} THEN "
            + _share("premium", "least(days, {month_end} - start_on)")
            + " ELSE 0 END"
        },
    ),
    # promised likewise, but in the month it falls due
    Part(
        source="policies",
        rows="months",
        label="policy_no",
        on="from_on",
        month="month_on",
        gives={"committed": f"{_share('budget', 'days_after')} - {_share('budget', 'days_before')}"},
    ),
    Part(
        source="policies",
        rows="policies WHERE is_void",
        label="policy_no",
        on="start_on",
        gives=dict.fromkeys(("earned_premium", "committed", "ended_committed"), "0"),
        left_out="'VOID'",
    ),
)

_NOTIFIED = "(fault IS NULL AND outside IS NULL)"
_CLAIM_PARTS = (
    Part(
        source="claims",
        rows="paid_lines",
        label="claim_no",
        on="paid_on",
        gives={"claims_paid": _counted("cents")},
        left_out="fault",
        codes=_FAULTS,
    ),
    Part(
        source="claims",
        rows="judged_claims",
        label="claim_no",
        on="loss_on",
        gives={"incurred": _counted("burden")},
        left_out="fault",
        why={"incurred": "CASE WHEN burden = 0 THEN unpaid END"},
        codes=(*_FAULTS, *_UNPAID),
    ),
    Part(
        source="claims",
        rows="judged_claims",
        label="claim_no",
        on="loss_on",
        month_of="start_on",
        gives={"matured_incurred": _counted("burden")},
        left_out="fault",
        why={"matured_incurred": "CASE WHEN burden = 0 THEN unpaid END"},
        codes=(*_FAULTS, *_UNPAID),
    ),
    Part(
        source="claims",
        rows="judged_claims",
        label="claim_no",
        on="event_on",
        gives={
            "notified": f"{_NOTIFIED}::int",
            "settled": f"({_NOTIFIED} AND is_settled)::int",
            "days_to_pay": f"CASE WHEN {_NOTIFIED} THEN greatest(first_paid_on - event_on, 0) ELSE 0 END",
            "paid_claims": f"({_NOTIFIED} AND first_paid_on IS NOT NULL)::int",
        },
        left_out="coalesce(fault, outside)",
        why={
            "settled": "CASE WHEN NOT is_settled THEN unpaid END",
            "days_to_pay": "CASE WHEN first_paid_on IS NULL THEN unpaid END",
        },
        codes=(*_FAULTS, "OUT_OF_COVER", *_UNPAID),
    ),
)

_EXPENSE_PARTS = (
    Part(
        source="expenses",
        rows="judged_expenses",
        label="expense_no",
        on="day",
        gives={"expense_paid": _counted("cents")},
        left_out="fault",
        codes=(*_FAULTS, "NOT_PAID", "NOT_TIED", "NOT_APPROVED", "NO_VOUCHER", "REVERSAL"),
    ),
    # once over; in the month of the last day, so that a year's policies stay in their year
    Part(
        source="policies",
        rows="ended",
        label="policy_no",
        on="cover_end_on + 1",
        month_of="cover_end_on",
        gives={"ended_committed": "round(budget / 10000)::bigint", "ended_paid": "paid"},
    ),
)

MONEY = Fact(
    "money",
    MoneyCell,
    (
        Source("policies", Policy, "id"),
        Source("receipts", PremiumReceipt, "policy_id"),
        Source("claims", Claim, "policy_id"),
        Source("payments", Payment, "policy_id"),
        Source("expenses", Expense, "policy_id"),
        Source("services", Service, "policy_id"),
    ),
    (*_PREMIUM_PARTS, *_CLAIM_PARTS, *_EXPENSE_PARTS),
    f"{_PREMIUM.rstrip()}, {_CLAIMS.strip()}, {_EXPENSES.strip()}",
)

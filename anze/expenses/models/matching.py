"""What was spent of which premium, as SQL: the match of all expenses and the alerts read the same texts."""

from __future__ import annotations

from anze.kernel.parameters import number_in_force

# every payment that stands, less what was taken back of it; one reversed as a whole is none
SPENT = """
SELECT e.id, e.expense_no, e.insurer_id, e.agency_id, e.enterprise_id, e.region_code, e.sector, e.policy_id,
       e.service_id, e.category, e.allocation, e.payee_name, e.payee_uscc, e.invoice_no, e.incurred_on, e.paid_on,
       e.voucher_file, e.received_at, e.amount + coalesce(r.amount, 0) AS amount
FROM expenses_expense e
LEFT JOIN (SELECT insurer_id, reversal_of, sum(amount) AS amount FROM expenses_expense
           WHERE reversal_of <> '' AND NOT is_void GROUP BY 1, 2) r
       ON r.insurer_id = e.insurer_id AND r.reversal_of = e.expense_no
WHERE NOT e.is_void AND e.reversal_of = '' AND e.amount + coalesce(r.amount, 0) > 0
"""
PAPERS = "expense_papers_days"  # by the payment's region
NO_VOUCHER_IF = "s.voucher_file = '' AND s.paid_on IS NOT NULL"
OVER_CAP_IF = "m.received > 0 AND m.spent > m.cap * m.received"

# what was decided of a finding is decided of its alert too
JUDGED = "LEFT JOIN expenses_expensefinding f ON f.state IN ('JUSTIFIED', 'CONFIRMED')"
JUDGED_ON = "(f.decided_at AT TIME ZONE 'Asia/Shanghai')::date"


def money(spent: str) -> str:
    """What each policy took in and spent, with the numbers in force on its first day in its county."""
    return f"""
SELECT p.id AS policy_id, p.insurer_id, p.enterprise_id, p.region_code, p.sector, p.end_on,
       coalesce(r.received, 0) AS received, r.first_on, s.spent, s.payments, s.last_on, cap.value AS cap,
       floor.value AS floor
FROM underwriting_policy p
LEFT JOIN (SELECT policy_id, sum(amount) AS spent, count(*) AS payments, max(coalesce(paid_on, incurred_on)) AS last_on
           FROM {spent} x GROUP BY 1) s ON s.policy_id = p.id
LEFT JOIN (SELECT policy_id, sum(amount) AS received, min(received_on) FILTER (WHERE amount > 0) AS first_on
           FROM underwriting_premiumreceipt WHERE NOT is_void GROUP BY 1) r ON r.policy_id = p.id
CROSS JOIN LATERAL (SELECT {number_in_force("expense_cap_ratio", "p.start_on", "p.region_code")} AS value) cap
CROSS JOIN LATERAL (SELECT {number_in_force("expense_floor_ratio", "p.start_on", "p.region_code")} AS value) floor
WHERE NOT p.is_void AND (s.spent > 0 OR floor.value IS NOT NULL)
"""

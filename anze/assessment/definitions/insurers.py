"""The inputs insurers are assessed by."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions.kinds import OfIndicator, OfRows
from anze.claims.models import Accident, Claim, Payment
from anze.exchange.models import Batch
from anze.expenses.models import Expense
from anze.hazards.models import Attendance, Hazard
from anze.kernel.parameters import parameters_of
from anze.monitoring.contributions import in_force
from anze.monitoring.models import Alert
from anze.prevention.models import Complaint, Dispute, QualityCheck, Service, ServicePerson
from anze.underwriting.models import Policy

INDICATORS_READ: tuple[OfIndicator, ...] = (
    OfIndicator("plans_in_time", "plan_missing_share", _("Plans confirmed in time"), is_turned=True),
    OfIndicator("service_completion_rate", "service_completion_rate", _("Service completion rate")),
    OfIndicator(
        "high_risk_fully_served",
        "fully_served_rate",
        _("High-risk enterprises fully served"),
        where="risk_tier = 'HIGH'",
    ),
    OfIndicator("satisfaction", "satisfaction_avg", _("Satisfaction")),
    OfIndicator("hazard_rectification_rate", "hazard_rectification_rate", _("Hazard rectification rate (due)")),
    OfIndicator("major_hazard_on_time_rate", "major_hazard_on_time_rate", _("Major hazards rectified on time")),
    OfIndicator("expense_payment_rate", "expense_payment_rate", _("Expense payment rate")),
    OfIndicator("expense_ratio", "expense_ratio", _("Expense ratio")),
    OfIndicator("data_timeliness", "data_timeliness", _("Data timeliness")),
)

# the four clocks of the insurance law, their ends as the claims keep them; one that has not run out is no case yet
_CLOCKS = """
    SELECT c.id, k.clock, k.due_at, k.done_at FROM claims c LEFT JOIN (
        SELECT claim_id, min(paid_on) AS paid_on FROM payments WHERE kind IN ('ADVANCE', 'SETTLEMENT') GROUP BY claim_id
    ) y ON y.claim_id = c.id
    CROSS JOIN LATERAL (VALUES
        ('ASSESS', c.assess_due_at, c.assessed_at), ('PAY', c.pay_due_at, c.paid_at),
        ('REFUSAL', c.refusal_due_at, c.refusal_sent_at),
        ('ADVANCE', c.advance_due_at, y.paid_on::timestamp AT TIME ZONE 'Asia/Shanghai')
    ) AS k(clock, due_at, done_at)
    WHERE NOT c.is_void AND k.due_at IS NOT NULL
"""
_DAY = "timezone('Asia/Shanghai', {})::date"

INSURER_ROWS: tuple[OfRows, ...] = (
    # A1: what the supervision reads of a policy is filled in; validity itself was checked when the row came in
    OfRows(
        "policy_completeness",
        _("Complete policy data"),
        """
        SELECT 'policies' AS source, p.id AS row_id, p.policy_no AS label, p.enterprise_id, p.region_code, p.sector,
               p.insurer_id, NULL::uuid AS agency_id, f.is_full::int::numeric AS numerator, 1::numeric AS denominator,
               CASE WHEN f.is_full THEN '' ELSE 'FIELD_MISSING' END AS reason
        FROM policies p CROSS JOIN LATERAL (
            SELECT p.registered_workers IS NOT NULL AND p.agreed_expense_ratio IS NOT NULL
                   AND p.insured_workers > 0 AND p.premium_written > 0 AS is_full) f
        WHERE NOT p.is_void AND p.start_on BETWEEN {first} AND least({last}, {as_of})
        """,
        {"policies": Policy},
    ),
    # A2: as agreed at the start of the policy, by the minimum of its first day
    OfRows(
        "policy_compliance",
        _("All workers insured, minimum limit kept"),
        f"""
        SELECT 'policies', p.id, p.policy_no, p.enterprise_id, p.region_code, p.sector, p.insurer_id, NULL::uuid,
               (r.reason = '')::int::numeric, (r.reason <> 'NO_HEADCOUNT')::int::numeric, r.reason
        FROM policies p CROSS JOIN LATERAL (SELECT CASE
            WHEN p.registered_workers IS NULL THEN 'NO_HEADCOUNT'
            WHEN p.insured_workers < p.registered_workers THEN 'PARTIAL_HEADCOUNT'
            WHEN p.limit_per_person < coalesce({in_force("limits", "p.start_on", "p.region_code")}, 0)
                THEN 'UNDER_LIMIT' ELSE '' END AS reason) r
        WHERE NOT p.is_void AND p.start_on BETWEEN {{first}} AND least({{last}}, {{as_of}})
        """,
        {"policies": Policy},
        {"limits": parameters_of("min_limit_per_person")},
    ),
    # B2
    OfRows(
        "qualified_services",
        _("Services by somebody with a valid certificate"),
        """
        SELECT 'services', s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, s.insurer_id, s.agency_id,
               (q.service_id IS NOT NULL)::int::numeric, 1::numeric,
               CASE WHEN q.service_id IS NULL THEN 'NO_QUALIFIED_PERSON' ELSE '' END
        FROM services s LEFT JOIN (
            SELECT DISTINCT n.service_id FROM persons n JOIN services v ON v.id = n.service_id
            WHERE n.certificate_no <> '' AND n.certificate_valid_to >= v.performed_on) q ON q.service_id = s.id
        WHERE NOT s.is_void AND s.performed_on BETWEEN {first} AND least({last}, {as_of})
        """,
        {"services": Service, "persons": ServicePerson},
    ),
    # C3: the marks of the quality checks of the period's services, of whichever sample
    OfRows(
        "quality_marks",
        _("Marks of the quality checks"),
        """
        SELECT 'services', s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, s.insurer_id, s.agency_id,
               coalesce(max(k.mark), 0)::numeric, CASE WHEN max(k.mark) IS NULL THEN 0 ELSE 100 END::numeric,
               CASE WHEN max(k.mark) IS NULL THEN 'NOT_MARKED' ELSE '' END
        FROM checks k JOIN services s ON s.id = k.service_id
        WHERE NOT s.is_void AND s.performed_on BETWEEN {first} AND least({last}, {as_of})
        GROUP BY s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, s.insurer_id, s.agency_id
        """,
        {"checks": QualityCheck, "services": Service},
    ),
    # C4: a service counts when its days for follow-up are over
    OfRows(
        "follow_up_on_time",
        _("Followed up and filed in time"),
        f"""
        SELECT 'services', s.id, s.service_no, s.enterprise_id, s.region_code, s.sector, s.insurer_id, s.agency_id,
               (r.reason = '')::int::numeric, 1::numeric, r.reason
        FROM (SELECT w.*, w.performed_on + coalesce({in_force("days", "w.performed_on", "w.region_code")}, 0)::int
                     AS until_on FROM services w) s
        CROSS JOIN LATERAL (SELECT CASE
            WHEN s.followed_up_on IS NULL OR s.followed_up_on > s.until_on THEN 'NOT_FOLLOWED_UP'
            WHEN s.report_file = '' OR {_DAY.format("s.received_at")} > s.until_on THEN 'NOT_FILED'
            ELSE '' END AS reason) r
        WHERE NOT s.is_void AND s.performed_on BETWEEN {{first}} AND {{last}} AND s.until_on <= {{as_of}}
        """,
        {"services": Service},
        {"days": parameters_of("assessment_follow_up_days")},
    ),
    # D2: told is told when it was found; the hours of the report to the authority end with a day
    OfRows(
        "major_hazards_told",
        _("Major hazards told to principal and authority"),
        f"""
        SELECT 'hazards', h.id, h.hazard_no, h.enterprise_id, h.region_code, h.sector, h.insurer_id, h.agency_id,
               (r.reason = '')::int::numeric, 1::numeric, r.reason
        FROM hazards h CROSS JOIN LATERAL (SELECT CASE
            WHEN NOT h.notified_principal THEN 'PRINCIPAL_NOT_TOLD'
            WHEN h.reported_at IS NULL THEN 'AUTHORITY_NOT_TOLD'
            WHEN {_DAY.format("h.reported_at")} > h.found_on
                 + ceil(coalesce({in_force("hours", "h.found_on", "h.region_code")}, 24) / 24.0)::int
                THEN 'AUTHORITY_LATE' ELSE '' END AS reason) r
        WHERE NOT h.is_void AND h.source = 'SERVICE' AND h.hazard_class = 'MAJOR'
          AND h.found_on BETWEEN {{first}} AND least({{last}}, {{as_of}} - 1)
        """,
        {"hazards": Hazard},
        {"hours": parameters_of("major_hazard_report_hours")},
    ),
    # E3: of what was spent, by number of expenses; faults as the expense payment rate knows them
    OfRows(
        "expense_vouchers",
        _("Expenses with voucher, tied and approved"),
        """
        SELECT 'expenses', x.id, x.expense_no, x.enterprise_id, x.region_code, x.sector, x.insurer_id, x.agency_id,
               (r.reason = '')::int::numeric, 1::numeric, r.reason
        FROM expenses x CROSS JOIN LATERAL (SELECT CASE
            WHEN x.voucher_file = '' THEN 'NO_VOUCHER'
            WHEN x.service_id IS NULL AND x.allocation = 'DIRECT' THEN 'NOT_TIED'
            WHEN x.service_id IS NULL AND x.approver = '' THEN 'NOT_APPROVED' ELSE '' END AS reason) r
        WHERE NOT x.is_void AND x.amount > 0 AND x.paid_on BETWEEN {first} AND least({last}, {as_of})
        """,
        {"expenses": Expense},
    ),
    # F1: one row a clock
    OfRows(
        "claim_clocks",
        _("Legal clocks of claims"),
        f"""
        SELECT 'claims', c.id, c.claim_no || ' · ' || k.clock, c.enterprise_id, c.region_code, c.sector, c.insurer_id,
               NULL::uuid, k.is_met::int::numeric, 1::numeric, CASE WHEN k.is_met THEN '' ELSE 'CLOCK_MISSED' END
        FROM (SELECT id, clock, {_DAY.format("due_at - interval '1 second'")} AS due_on,
                     coalesce({_DAY.format("done_at")}, 'infinity') AS done_on,
                     coalesce(done_at <= due_at, false) AS is_met FROM clocks) k
        JOIN claims c ON c.id = k.id
        WHERE least(k.due_on, k.done_on) BETWEEN {{first}} AND least({{last}}, {{as_of}})
        """,
        {"claims": Claim, "payments": Payment},
        {"clocks": _CLOCKS},
    ),
    # F2: a death, and a claim that was not refused
    OfRows(
        "death_advances",
        _("Advance payments after a death"),
        f"""
        SELECT 'claims', c.id, c.claim_no, c.enterprise_id, c.region_code, c.sector, c.insurer_id, NULL::uuid,
               (y.claim_id IS NOT NULL)::int::numeric, 1::numeric,
               CASE WHEN y.claim_id IS NULL THEN 'NO_ADVANCE' ELSE '' END
        FROM claims c JOIN accidents a ON a.id = c.accident_id AND NOT a.is_void AND a.deaths > 0
        LEFT JOIN (SELECT DISTINCT claim_id FROM payments WHERE kind = 'ADVANCE') y ON y.claim_id = c.id
        WHERE NOT c.is_void AND c.state NOT IN ('REJECTED', 'CANCELLED', 'CLOSED_ZERO')
          AND c.agreed_at IS NOT NULL AND {_DAY.format("c.notified_at")} BETWEEN {{first}} AND least({{last}}, {{as_of}})
        """,
        {"claims": Claim, "accidents": Accident, "payments": Payment},
    ),
    # F3: complaints given to the insurer, and what enterprises object to in confirming; who complained is not told
    OfRows(
        "complaints_on_time",
        _("Complaints answered in time"),
        f"""
        SELECT t.kind, t.id, t.label, t.enterprise_id, t.region_code, t.sector, t.insurer_id, NULL::uuid,
               coalesce(t.answered_at <= t.answer_due_at, false)::int::numeric, 1::numeric,
               CASE WHEN t.answered_at <= t.answer_due_at THEN '' ELSE 'ANSWERED_LATE' END
        FROM (
            SELECT 'complaints' AS kind, id, complaint_no AS label, NULL::uuid AS enterprise_id, region_code, sector,
                   insurer_id, {_DAY.format("made_at")} AS made_on, answer_due_at, answered_at FROM complaints
            UNION ALL
            SELECT 'disputes', id, left(text, 40), enterprise_id, region_code, sector, insurer_id, raised_on,
                   answer_due_at, answered_at FROM disputes
        ) t WHERE t.insurer_id IS NOT NULL AND t.made_on BETWEEN {{first}} AND {{last}}
          AND ({_DAY.format("t.answer_due_at")} <= {{as_of}} OR t.answered_at IS NOT NULL)
        """,
        {"complaints": Complaint, "disputes": Dispute},
    ),
    # G2: what was sent and refused, by delivery; it belongs to the insurer and to no city
    OfRows(
        "data_error_rate",
        _("Rows rejected by the checks"),
        f"""
        SELECT 'batches', b.id, b.feed || ' ' || to_char(timezone('Asia/Shanghai', b.received_at), 'YYYY-MM-DD HH24:MI'),
               NULL::uuid, b.region_code, '', b.insurer_id, NULL::uuid, b.rejected::numeric, b.rows::numeric,
               CASE WHEN b.rejected > 0 THEN 'ROWS_REJECTED' ELSE '' END
        FROM batches b WHERE b.insurer_id IS NOT NULL AND b.rows > 0 AND b.state = 'DONE'
          AND {_DAY.format("b.received_at")} BETWEEN {{first}} AND least({{last}}, {{as_of}})
        """,
        {"batches": Batch},
    ),
    # G3: alerts the insurer had to act on; handled is closed, whether the cause went or somebody said why
    OfRows(
        "alerts_on_time",
        _("Alerts handled in time"),
        f"""
        SELECT 'alerts', a.id, a.label, a.enterprise_id, a.region_code, a.sector, a.insurer_id, NULL::uuid,
               t.is_met::int::numeric, 1::numeric, CASE WHEN t.is_met THEN '' ELSE 'HANDLED_LATE' END
        FROM alerts a CROSS JOIN LATERAL (
            SELECT coalesce({_DAY.format("a.closed_at")} <= a.due_on, false) AS is_met) t
        WHERE 'INSURER' = ANY (a.parties) AND a.insurer_id IS NOT NULL
          AND a.due_on BETWEEN {{first}} AND {{last}} AND (a.due_on <= {{as_of}} OR t.is_met)
        """,
        {"alerts": Alert},
    ),
    # H1
    OfRows(
        "campaign_attendance",
        _("Attendance at campaigns"),
        """
        SELECT 'attendance', a.id, a.name, a.enterprise_id, a.region_code, a.sector, a.insurer_id, NULL::uuid,
               1::numeric, 1::numeric, ''
        FROM attendance a WHERE a."on" BETWEEN {first} AND least({last}, {as_of})
        """,
        {"attendance": Attendance},
    ),
)

"""Prevention services planned and done, and hazards found and rectified."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.hazards.models import Hazard
from anze.monitoring.models import CompletionCell, HazardDueCell, HazardFoundCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Source, Unit
from anze.prevention.models import Plan, PlanItem, Service, ServicePerson
from anze.underwriting.models import Policy

# A service counts as done only with everything AQ 9010 asks for; it serves one planned item of its type.
_JUDGED = """
grace AS MATERIALIZED (
    SELECT effective_from, coalesce(effective_to, 'infinity') AS effective_to, value::int AS days
    FROM kernel_parameter WHERE key = 'service_grace_days' AND region_code = '' AND value <> ''
), plan_grace AS MATERIALIZED (
    SELECT effective_from, coalesce(effective_to, 'infinity') AS effective_to, value::int AS days
    FROM kernel_parameter WHERE key = 'plan_grace_days' AND region_code = '' AND value <> ''
), qualified AS (
    SELECT DISTINCT n.service_id FROM persons n JOIN services s ON s.id = n.service_id
    WHERE n.certificate_no <> '' AND n.certificate_valid_to >= s.performed_on
), judged AS (
    SELECT s.id, s.service_no, s.policy_id, s.plan_item_id, s.service_type, s.performed_on, s.enterprise_id,
           s.region_code, s.sector, s.insurer_id, s.satisfaction, s.is_void,
           CASE WHEN s.is_void THEN 'VOID' WHEN s.is_returned THEN 'RETURNED'
                WHEN q.service_id IS NULL THEN 'NO_QUALIFIED_PERSON' WHEN s.report_file = '' THEN 'NO_REPORT'
                WHEN s.hazards_found = 0 AND NOT s.nil_findings THEN 'NO_FINDINGS_STATED'
                WHEN s.confirmation = 'NONE' THEN 'NOT_CONFIRMED' WHEN s.photo_count < 1 THEN 'NO_PHOTO' END AS fault
    FROM services s LEFT JOIN qualified q ON q.service_id = s.id
), items AS (
    SELECT i.id, i.seq, p.id AS policy_id, p.policy_no, i.service_type, i.times, i.window_start_on, i.window_end_on,
           i.enterprise_id, i.region_code, i.sector, i.insurer_id, l.plan_no,
           i.window_end_on + coalesce(g.days, 0) AS accepted_until_on,
           CASE WHEN p.cancelled_on <= i.window_start_on THEN 0
                WHEN p.cancelled_on <= i.window_end_on THEN floor(i.times * (p.cancelled_on - i.window_start_on)
                     / (i.window_end_on - i.window_start_on + 1)::numeric)::int
                ELSE i.times END AS planned
    FROM plan_items i JOIN plans l ON l.id = i.plan_id AND NOT l.is_void
    JOIN policies p ON p.id = i.policy_id AND NOT p.is_void
    LEFT JOIN grace g ON i.window_end_on BETWEEN g.effective_from AND g.effective_to
), matched AS (
    SELECT DISTINCT ON (s.id) s.id AS service_id, i.id AS item_id
    FROM judged s JOIN items i ON i.policy_id = s.policy_id AND i.service_type = s.service_type
         AND (s.plan_item_id IS NULL OR s.plan_item_id = i.id)
         AND s.performed_on BETWEEN i.window_start_on AND i.accepted_until_on
    WHERE NOT s.is_void ORDER BY s.id, i.window_end_on, i.id
), results AS (
    SELECT i.*, coalesce(d.done, 0) AS accepted, d.fault
    FROM items i LEFT JOIN (
        SELECT m.item_id, count(*) FILTER (WHERE s.fault IS NULL) AS done, min(s.fault) AS fault
        FROM matched m JOIN judged s ON s.id = m.service_id GROUP BY m.item_id
    ) d ON d.item_id = i.id
), by_policy AS (
    SELECT policy_id, policy_no, enterprise_id, region_code, sector, insurer_id, min(window_end_on) AS first_due_on,
           max(window_end_on) AS last_due_on, bool_or(accepted > 0) AS is_served, bool_and(accepted >= planned) AS is_full
    FROM results WHERE planned > 0 GROUP BY policy_id, policy_no, enterprise_id, region_code, sector, insurer_id
), begun AS (
    SELECT p.*, p.start_on + coalesce(g.days, 0) + 1 AS judged_on, NOT EXISTS (
               SELECT 1 FROM plans l WHERE l.policy_id = p.id AND NOT l.is_void) AS has_no_plan
    FROM policies p LEFT JOIN plan_grace g ON p.start_on BETWEEN g.effective_from AND g.effective_to
    WHERE NOT p.is_void AND p.cover_end_on >= p.start_on + coalesce(g.days, 0)
), unplanned AS (
    SELECT b.*, greatest(1, round(b.usual_visits * (b.cover_end_on - b.start_on + 1) / 365.0))::int AS planned,
           (SELECT count(*) FROM judged s WHERE s.policy_id = b.id AND s.fault IS NULL) AS accepted
    FROM begun b WHERE b.has_no_plan
)
"""

_COMPLETION = """
SELECT 'plan_items' AS source, id AS row_id, plan_no || '/' || seq AS label, enterprise_id,
       date_trunc('month', window_end_on)::date AS month, window_end_on AS counts_on, region_code, sector, insurer_id,
       CASE WHEN planned = 0 THEN 'POLICY_CANCELLED' WHEN accepted >= planned THEN NULL
            WHEN accepted > 0 THEN 'PARTLY_DONE' ELSE coalesce(fault, 'NOT_DONE') END AS reason,
       planned, least(accepted, planned) AS done, 0 AS served_due, 0 AS served, 0 AS fully_due, 0 AS fully_served,
       0 AS plan_missing, 0 AS policies_begun, 0 AS services, 0 AS satisfaction_sum, 0 AS ratings
FROM results
UNION ALL
SELECT 'policies', policy_id, policy_no, enterprise_id, date_trunc('month', first_due_on)::date, first_due_on,
       region_code, sector, insurer_id, CASE WHEN NOT is_served THEN 'NOT_DONE' END,
       0, 0, 1, is_served::int, 0, 0, 0, 0, 0, 0, 0
FROM by_policy
UNION ALL
SELECT 'policies', policy_id, policy_no, enterprise_id, date_trunc('month', last_due_on)::date, last_due_on,
       region_code, sector, insurer_id, CASE WHEN NOT is_full THEN 'PARTLY_DONE' END,
       0, 0, 0, 0, 1, is_full::int, 0, 0, 0, 0, 0
FROM by_policy
UNION ALL
SELECT 'policies', id, policy_no, enterprise_id, date_trunc('month', judged_on)::date, judged_on,
       region_code, sector, insurer_id, CASE WHEN has_no_plan THEN 'PLAN_MISSING' END,
       0, 0, 0, 0, 0, 0, has_no_plan::int, 1, 0, 0, 0
FROM begun
UNION ALL
SELECT 'policies', id, policy_no, enterprise_id, date_trunc('month', cover_end_on)::date, cover_end_on,
       region_code, sector, insurer_id, 'PLAN_MISSING', planned, least(accepted, planned)::int,
       1, (accepted > 0)::int, 1, (accepted >= planned)::int, 0, 0, 0, 0, 0
FROM unplanned
UNION ALL
SELECT 'services', s.id, s.service_no, s.enterprise_id, date_trunc('month', s.performed_on)::date, s.performed_on,
       s.region_code, s.sector, s.insurer_id,
       coalesce(s.fault, CASE WHEN m.service_id IS NULL THEN 'OUT_OF_WINDOW' END),
       0, 0, 0, 0, 0, 0, 0, 0, (NOT s.is_void)::int,
       CASE WHEN s.is_void THEN 0 ELSE coalesce(s.satisfaction, 0) END,
       (NOT s.is_void AND s.satisfaction IS NOT NULL)::int
FROM judged s LEFT JOIN matched m ON m.service_id = s.id
"""

_HAZARD_COLUMNS = """
SELECT 'hazards' AS source, h.id AS row_id, h.hazard_no AS label, h.enterprise_id,
       date_trunc('month', {day})::date AS month, {day} AS counts_on, h.region_code, h.sector, h.insurer_id,
"""
_COUNTS = "(NOT h.is_void AND h.source = 'SERVICE' AND h.state <> 'SHUT_DOWN')::int"
_LEFT_OUT = (
    "WHEN h.is_void THEN 'VOID' WHEN h.source <> 'SERVICE' THEN 'NOT_FROM_SERVICE' "
    "WHEN h.state = 'SHUT_DOWN' THEN 'SHUT_DOWN' WHEN h.state <> 'CLOSED' THEN 'OPEN_HAZARD'"
)
_DUE_ON = "coalesce(h.extended_to_on, h.deadline_on)"

_HAZARD_DUE = f"""
{_HAZARD_COLUMNS.format(day=_DUE_ON)}
       CASE {_LEFT_OUT} WHEN h.closed_on > {_DUE_ON} THEN 'LATE_CLOSING' END AS reason,
       {_COUNTS} AS due, {_COUNTS} * (h.state = 'CLOSED')::int AS due_closed,
       {_COUNTS} * (h.state = 'CLOSED' AND h.closed_on <= {_DUE_ON})::int AS on_time,
       {_COUNTS} * (h.hazard_class = 'MAJOR')::int AS major_due,
       {_COUNTS} * (h.hazard_class = 'MAJOR' AND h.state = 'CLOSED')::int AS major_closed,
       {_COUNTS} * (h.hazard_class = 'MAJOR' AND h.state = 'CLOSED' AND h.closed_on <= {_DUE_ON})::int AS major_on_time
FROM hazards h
"""
_HAZARD_FOUND = f"""
{_HAZARD_COLUMNS.format(day="h.found_on")}
       CASE {_LEFT_OUT} END AS reason,
       {_COUNTS} AS found, {_COUNTS} * (h.state = 'CLOSED')::int AS found_closed,
       {_COUNTS} * (h.hazard_class = 'MAJOR')::int AS major_found
FROM hazards h
"""

COMPLETION = Fact(
    "completion",
    CompletionCell,
    (
        Source("policies", Policy, "id"),
        Source("plans", Plan, "policy_id"),
        Source("plan_items", PlanItem, "policy_id"),
        Source("services", Service, "policy_id"),
        Source("persons", ServicePerson, "policy_id"),
    ),
    _COMPLETION,
    _JUDGED,
)
HAZARD_DUE = Fact("hazard_due", HazardDueCell, (Source("hazards", Hazard, "id"),), _HAZARD_DUE)
HAZARD_FOUND = Fact("hazard_found", HazardFoundCell, (Source("hazards", Hazard, "id"),), _HAZARD_FOUND)
SERVICE_FACTS = (COMPLETION, HAZARD_DUE, HAZARD_FOUND)

_AQ = "AQ 9010-2019; 应急〔2025〕27号"
_C, _R = Family.COMPLETION, Family.RECTIFICATION

SERVICE_INDICATORS = (
    Indicator(
        "service_completion_rate",
        _("Service completion rate"),
        _("Services done of those planned in windows ended so far; over-service in one place offsets nothing."),
        _C,
        COMPLETION,
        "done",
        "planned",
        Unit.RATIO,
        Direction.UP,
        _AQ,
    ),
    Indicator(
        "served_enterprise_rate",
        _("Served enterprises"),
        _("Insured enterprises with at least one service done, of those with one due; once per policy."),
        _C,
        COMPLETION,
        "served",
        "served_due",
        Unit.RATIO,
        Direction.UP,
        _AQ,
    ),
    Indicator(
        "fully_served_rate",
        _("Fully served enterprises"),
        _("Insured enterprises with every planned service done, of those whose plan has ended; once per policy."),
        _C,
        COMPLETION,
        "fully_served",
        "fully_due",
        Unit.RATIO,
        Direction.UP,
        _AQ,
    ),
    Indicator(
        "plan_missing_share",
        _("Policies without a plan"),
        _("Policies without a service plan 30 days after they began, of those that reached that day."),
        _C,
        COMPLETION,
        "plan_missing",
        "policies_begun",
        Unit.RATIO,
        Direction.DOWN,
        _AQ,
    ),
    Indicator(
        "satisfaction_avg",
        _("Satisfaction"),
        _("Mean of the enterprises' ratings of the services of the period."),
        _C,
        COMPLETION,
        "satisfaction_sum",
        "ratings",
        Unit.POINTS,
        Direction.UP,
        "AQ 9010-2019",
    ),
    Indicator(
        "hazard_rectification_rate",
        _("Hazard rectification rate (due)"),
        _("Hazards found by services and verified as rectified, of those due so far."),
        _R,
        HAZARD_DUE,
        "due_closed",
        "due",
        Unit.RATIO,
        Direction.UP,
        _AQ,
    ),
    Indicator(
        "hazard_rectification_all",
        _("Hazard rectification rate (all found)"),
        _("Hazards verified as rectified, of all that services found in the period."),
        _R,
        HAZARD_FOUND,
        "found_closed",
        "found",
        Unit.RATIO,
        Direction.UP,
        _AQ,
    ),
    Indicator(
        "hazard_on_time_rate",
        _("Rectified on time"),
        _("Verified by the deadline, of the hazards due so far."),
        _R,
        HAZARD_DUE,
        "on_time",
        "due",
        Unit.RATIO,
        Direction.UP,
        _AQ,
    ),
    Indicator(
        "major_hazard_rectification_rate",
        _("Major hazard rectification rate"),
        _("Major hazards verified as rectified, of those due so far."),
        _R,
        HAZARD_DUE,
        "major_closed",
        "major_due",
        Unit.RATIO,
        Direction.UP,
        "安全生产法 Art. 41; 应急厅函〔2024〕322号",
    ),
    Indicator(
        "major_hazard_on_time_rate",
        _("Major hazards rectified on time"),
        _("Major hazards verified by the deadline, of those due so far."),
        _R,
        HAZARD_DUE,
        "major_on_time",
        "major_due",
        Unit.RATIO,
        Direction.UP,
        "安全生产法 Art. 41; 应急厅函〔2024〕322号",
    ),
    Indicator(
        "major_hazard_share",
        _("Share of major hazards"),
        _("Major hazards, of all that services found in the period."),
        _R,
        HAZARD_FOUND,
        "major_found",
        "found",
        Unit.RATIO,
        Direction.NONE,
        _AQ,
    ),
)

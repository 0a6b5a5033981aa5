"""Prevention services planned and done, and hazards found and rectified."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.hazards.models import Hazard
from anze.kernel.parameters import parameters_of
from anze.monitoring.contributions import in_force
from anze.monitoring.models import CompletionCell, HazardCell
from anze.monitoring.rules import Direction, Fact, Family, Indicator, Part, Source, Unit
from anze.prevention.models import Plan, PlanItem, Service, ServicePerson
from anze.underwriting.models import Policy

# What was agreed: the items of a policy's plans, or, while it has no plan, visits by the frequency matrix
# spread evenly over its period, so that a missing plan cannot raise the rate. Cover that ends early takes
# along what was not yet due, and its share of the window under way (pro rata, rounded down).
_AGREED = f"""
grace AS MATERIALIZED ({parameters_of("service_grace_days")}
), plan_grace AS MATERIALIZED ({parameters_of("plan_grace_days")}
), least_visits AS MATERIALIZED ({parameters_of("frequency_minimum")}
), contracts AS (
    SELECT p.id, p.policy_no, p.enterprise_id, p.region_code, p.sector, p.insurer_id, p.is_void, p.usual_visits,
           p.start_on, p.end_on, p.cover_end_on, CASE WHEN p.cover_end_on < p.end_on THEN p.cover_end_on + 1 END AS cut_on,
           p.start_on + coalesce({in_force("plan_grace", "p.start_on", "p.region_code")}, 0)::int
               AS plan_due_on,
           -- of co-insurers the lead plans and serves (首席承保人); only insurers on the platform can lead
           p.nature = 'COINSURANCE' AND EXISTS (
               SELECT 1 FROM jsonb_array_elements(p.coinsurers) c
               JOIN parties_organisation o ON o.code = c->>'insurer_code' AND o.kind = 'INSURER'
               WHERE (c->>'is_lead')::boolean AND o.id <> p.insurer_id) AS is_led
    FROM policies p
), agreed AS (
    SELECT i.id, i.seq, i.policy_id, i.service_type, i.window_start_on, i.enterprise_id, i.region_code,
           i.sector, i.insurer_id, l.plan_no,
           CASE WHEN c.cut_on > i.window_start_on THEN least(i.window_end_on, c.cut_on - 1)
                ELSE i.window_end_on END AS due_on,
           CASE WHEN l.is_void THEN 'VOID' WHEN c.is_void THEN 'POLICY_VOID'
                WHEN c.is_led THEN 'COINSURED' END AS fault,
           CASE WHEN c.cut_on <= i.window_start_on THEN 0
                WHEN c.cut_on <= i.window_end_on THEN floor(i.times * (c.cut_on - i.window_start_on)
                     / (i.window_end_on - i.window_start_on + 1)::numeric)::int
                ELSE i.times END AS share
    FROM plan_items i JOIN plans l ON l.id = i.plan_id AND l.policy_id = i.policy_id
    JOIN contracts c ON c.id = i.policy_id
), planning AS (
    -- whether a contract has a plan, and had one in time
    SELECT c.*, greatest(c.end_on, c.cover_end_on) - c.start_on + 1 AS days,
           l.policy_id IS NOT NULL AS has_plan, coalesce(l.first_agreed_on <= c.plan_due_on, false) AS in_time
    FROM contracts c LEFT JOIN (
        SELECT policy_id, min(agreed_on) AS first_agreed_on FROM plans WHERE NOT is_void GROUP BY policy_id
    ) l ON l.policy_id = c.id
    WHERE NOT c.is_void AND c.cover_end_on >= c.start_on
), unplanned AS (
    SELECT p.*, greatest(coalesce({in_force("least_visits", "p.start_on", "p.region_code")}, 1),
                         round(p.usual_visits * p.days / 365.0))::int AS visits
    FROM planning p WHERE NOT p.has_plan AND NOT p.is_led
), expected AS (
    SELECT u.id, u.policy_no, u.enterprise_id, u.region_code, u.sector, u.insurer_id, k.k,
           u.start_on AS window_start_on, d.due_on
    FROM unplanned u CROSS JOIN LATERAL generate_series(1, u.visits) AS k(k)
    CROSS JOIN LATERAL (SELECT u.start_on + ceil(k.k * u.days / u.visits::numeric)::int - 1 AS due_on) d
    WHERE d.due_on <= u.cover_end_on
), demands AS (
    -- `place` numbers the demands of a policy in the order in which they run out
    SELECT d.*, row_number() OVER (PARTITION BY d.policy_id ORDER BY d.until_on, d.id, d.k)::int AS place
    FROM (
        SELECT a.id, 0 AS k, a.policy_id, a.service_type, a.window_start_on, a.due_on, a.share AS planned,
               a.due_on + coalesce({in_force("grace", "a.due_on", "a.region_code")}, 0)::int AS until_on
        FROM agreed a WHERE a.fault IS NULL AND a.share > 0
        UNION ALL
        SELECT e.id, e.k, e.id, NULL, e.window_start_on, e.due_on, 1,
               e.due_on + coalesce({in_force("grace", "e.due_on", "e.region_code")}, 0)::int
        FROM expected e
    ) d
)
"""

# A service counts as done only with everything AQ 9010 asks for, and it serves one demand of its type: the
# one it names, else of those open on its day the one that runs out first. So a service never serves twice,
# nor stands idle while a demand of its type and day goes unserved.
_DEALT = """
qualified AS (
    SELECT DISTINCT n.service_id FROM persons n JOIN services s ON s.id = n.service_id
    WHERE n.certificate_no <> '' AND n.certificate_valid_to >= s.performed_on
), judged AS (
    SELECT s.id, s.service_no, s.policy_id, s.plan_item_id, s.service_type, s.performed_on, s.enterprise_id,
           s.region_code, s.sector, s.insurer_id, s.satisfaction, c.is_led,
           CASE WHEN s.is_void THEN 'VOID' WHEN c.is_void THEN 'POLICY_VOID'
                WHEN s.is_returned THEN 'RETURNED' WHEN q.service_id IS NULL THEN 'NO_QUALIFIED_PERSON'
                WHEN s.report_file = '' THEN 'NO_REPORT'
                WHEN s.hazards_found = 0 AND NOT s.nil_findings THEN 'NO_FINDINGS_STATED'
                WHEN s.confirmation = 'NONE' THEN 'NOT_CONFIRMED'
                WHEN s.photo_count < 1 THEN 'NO_PHOTO' END AS fault
    FROM services s JOIN contracts c ON c.id = s.policy_id LEFT JOIN qualified q ON q.service_id = s.id
), choices AS (
    SELECT s.policy_id, s.id AS service_id, s.performed_on, s.fault, n.id IS NOT NULL AS is_named,
           array_agg(d.place ORDER BY d.place) AS places
    FROM judged s
    LEFT JOIN demands n ON n.id = s.plan_item_id AND n.policy_id = s.policy_id AND n.k = 0
    JOIN demands d ON d.policy_id = s.policy_id
         AND (d.service_type = s.service_type OR d.service_type IS NULL)
         AND s.performed_on BETWEEN d.window_start_on AND d.until_on AND (n.id IS NULL OR n.id = d.id)
    GROUP BY s.policy_id, s.id, s.performed_on, s.fault, n.id
), turns AS (
    SELECT policy_id, service_id, places,
           row_number() OVER (PARTITION BY policy_id ORDER BY is_named DESC, performed_on, service_id) AS turn
    FROM choices WHERE fault IS NULL
), dealt AS (
    -- one service after another takes the first of its places that is still open
    SELECT d.policy_id, 0::bigint AS turn, NULL::uuid AS service_id, NULL::int AS place,
           array_agg(d.planned ORDER BY d.place) AS still_open
    FROM demands d WHERE d.policy_id IN (SELECT policy_id FROM turns) GROUP BY d.policy_id
    UNION ALL
    SELECT t.policy_id, t.turn, t.service_id, o.place,
           CASE WHEN o.place IS NULL THEN d.still_open ELSE d.still_open[:o.place - 1]
                || (d.still_open[o.place] - 1) || d.still_open[o.place + 1:] END
    FROM dealt d JOIN turns t ON t.policy_id = d.policy_id AND t.turn = d.turn + 1
    LEFT JOIN LATERAL (
        SELECT u.place FROM unnest(t.places) WITH ORDINALITY AS u(place, n) WHERE d.still_open[u.place] > 0
        ORDER BY u.n LIMIT 1
    ) o ON true
), results AS (
    SELECT d.id, d.k, d.policy_id, d.due_on, d.planned, coalesce(t.accepted, 0)::int AS accepted, f.fault
    FROM demands d
    LEFT JOIN (SELECT policy_id, place, count(*) AS accepted FROM dealt WHERE place IS NOT NULL
               GROUP BY policy_id, place) t ON t.policy_id = d.policy_id AND t.place = d.place
    LEFT JOIN (SELECT policy_id, places[1] AS place, min(fault) AS fault FROM choices WHERE fault IS NOT NULL
               GROUP BY policy_id, places[1]) f ON f.policy_id = d.policy_id AND f.place = d.place
), by_item AS (
    SELECT a.*, coalesce(r.planned, 0) AS planned, coalesce(r.accepted, 0) AS accepted,
           r.fault AS service_fault
    FROM agreed a LEFT JOIN results r ON r.id = a.id AND r.k = 0
), by_visit AS (
    SELECT c.id, c.policy_no, c.enterprise_id, c.region_code, c.sector, c.insurer_id, r.due_on, r.accepted
    FROM results r JOIN contracts c ON c.id = r.policy_id WHERE r.k > 0
), by_policy AS (
    SELECT c.id, c.policy_no, c.enterprise_id, c.region_code, c.sector, c.insurer_id,
           min(r.due_on) AS first_due_on, max(r.due_on) AS last_due_on,
           bool_or(r.accepted > 0)::int AS is_served, bool_and(r.accepted >= r.planned)::int AS is_full
    FROM results r JOIN contracts c ON c.id = r.policy_id
    GROUP BY c.id, c.policy_no, c.enterprise_id, c.region_code, c.sector, c.insurer_id
), placed_services AS (
    SELECT s.*, coalesce(s.fault, CASE WHEN s.is_led THEN 'COINSURED'
                                       WHEN c.service_id IS NULL THEN 'OUT_OF_WINDOW'
                                       WHEN d.service_id IS NULL THEN 'SURPLUS' END) AS idle
    FROM judged s LEFT JOIN choices c ON c.service_id = s.id
    LEFT JOIN dealt d ON d.service_id = s.id AND d.place IS NOT NULL
)
"""

_FAULTS = ("RETURNED", "NO_QUALIFIED_PERSON", "NO_REPORT", "NO_FINDINGS_STATED", "NOT_CONFIRMED", "NO_PHOTO")
_CANCELLED = "CASE WHEN planned = 0 THEN 'POLICY_CANCELLED' END"
_SHORT = (
    "CASE WHEN accepted >= planned THEN NULL WHEN accepted > 0 THEN 'PARTLY_DONE' "
    "ELSE coalesce(service_fault, 'NOT_DONE') END"
)
_BEGUN = "planning WHERE NOT is_led AND cover_end_on >= plan_due_on"

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
    (
        Part(
            source="plan_items",
            rows="by_item",
            label="plan_no || '/' || seq",
            on="due_on",
            gives={"planned": "planned", "done": "least(accepted, planned)"},
            left_out=f"coalesce(fault, {_CANCELLED})",
            why={"done": _SHORT},
            codes=("VOID", "POLICY_VOID", "COINSURED", *_FAULTS),
        ),
        Part(
            source="policies",
            rows="by_visit",
            label="policy_no",
            on="due_on",
            gives={"planned": "1", "done": "accepted"},
            why={"done": "'PLAN_MISSING'"},
        ),
        Part(
            source="services",
            rows="placed_services",
            label="service_no",
            on="performed_on",
            gives={"planned": "0", "done": "0"},
            left_out="idle",
            codes=("VOID", "POLICY_VOID", *_FAULTS, "COINSURED", "OUT_OF_WINDOW", "SURPLUS"),
        ),
        Part(
            source="policies",
            rows="by_policy",
            label="policy_no",
            on="first_due_on",
            gives={"served_due": "1", "served": "is_served"},
            why={"served": "CASE WHEN is_served = 0 THEN 'NOT_DONE' END"},
        ),
        Part(
            source="policies",
            rows="by_policy",
            label="policy_no",
            on="last_due_on",
            gives={"fully_due": "1", "fully_served": "is_full"},
            why={"fully_served": "CASE WHEN is_served = 0 THEN 'NOT_DONE' WHEN is_full = 0 THEN 'PARTLY_DONE' END"},
        ),
        Part(
            source="policies",
            rows=_BEGUN,
            label="policy_no",
            on="plan_due_on + 1",
            gives={"plan_missing": "(NOT in_time)::int", "policies_begun": "1"},
            why={"plan_missing": "CASE WHEN NOT has_plan THEN 'PLAN_MISSING' WHEN NOT in_time THEN 'PLAN_LATE' END"},
        ),
        Part(
            source="policies",
            rows="contracts WHERE is_void OR is_led",
            label="policy_no",
            on="start_on",
            gives=dict.fromkeys(("planned", "served_due", "fully_due", "policies_begun"), "0"),
            left_out="CASE WHEN is_void THEN 'VOID' ELSE 'COINSURED' END",
        ),
        Part(
            source="services",
            rows="judged",
            label="service_no",
            on="performed_on",
            gives={
                "satisfaction_sum": "CASE WHEN fault IN ('VOID', 'POLICY_VOID') THEN 0 "
                "ELSE coalesce(satisfaction, 0) END",
                "ratings": "(coalesce(fault, '') NOT IN ('VOID', 'POLICY_VOID') AND satisfaction IS NOT NULL)::int",
            },
            left_out="CASE WHEN fault IN ('VOID', 'POLICY_VOID') THEN fault "
            "WHEN satisfaction IS NULL THEN 'NOT_RATED' END",
        ),
    ),
    f"{_AGREED.rstrip()}, {_DEALT.lstrip()}",
)

# Hazards of the period are those found in it; of these a hazard counts from the day its (extended)
# deadline has
# come. Closed means verified; an enterprise that is shut down has nothing to rectify.
_OUT = (
    "CASE WHEN is_void THEN 'VOID' WHEN source <> 'SERVICE' THEN 'NOT_FROM_SERVICE' "
    "WHEN state = 'SHUT_DOWN' THEN 'SHUT_DOWN' END"
)
_JUDGED_HAZARDS = f"""
judged AS (
    SELECT h.*, coalesce(h.extended_to_on, h.deadline_on) AS due_on, {_OUT} AS fault,
           ({_OUT} IS NULL)::int AS counts,
           (h.state = 'CLOSED')::int AS closed, (h.hazard_class = 'MAJOR')::int AS major,
           (h.state = 'CLOSED' AND h.closed_on <= coalesce(h.extended_to_on, h.deadline_on))::int AS on_time
    FROM hazards h
)
"""
_OPEN = "CASE WHEN closed = 0 THEN 'OPEN_HAZARD' END"
_LATE = "CASE WHEN closed = 0 THEN 'OPEN_HAZARD' WHEN on_time = 0 THEN 'LATE_CLOSING' END"

HAZARDS = Fact(
    "hazards",
    HazardCell,
    (Source("hazards", Hazard, "id"),),
    (
        Part(
            source="hazards",
            rows="judged",
            label="hazard_no",
            on="due_on",
            month_of="found_on",
            gives={
                "due": "counts",
                "due_closed": "counts * closed",
                "on_time": "counts * on_time",
                "major_due": "counts * major",
                "major_closed": "counts * major * closed",
                "major_on_time": "counts * major * on_time",
            },
            left_out="fault",
            codes=("VOID", "NOT_FROM_SERVICE", "SHUT_DOWN"),
            why={
                "due_closed": _OPEN,
                "on_time": _LATE,
                "major_closed": f"CASE WHEN major = 1 THEN {_OPEN} END",
                "major_on_time": f"CASE WHEN major = 1 THEN {_LATE} END",
            },
        ),
        Part(
            source="hazards",
            rows="judged",
            label="hazard_no",
            on="found_on",
            gives={"found": "counts", "found_closed": "counts * closed", "major_found": "counts * major"},
            left_out="fault",
            codes=("VOID", "NOT_FROM_SERVICE", "SHUT_DOWN"),
            why={"found_closed": _OPEN},
        ),
    ),
    _JUDGED_HAZARDS,
)

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
        _("Policies without a service plan when the days to confirm one were over, of those that reached that day."),
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
        HAZARDS,
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
        HAZARDS,
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
        HAZARDS,
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
        HAZARDS,
        "major_closed",
        "major_due",
        Unit.RATIO,
        Direction.UP,
        "《安全生产法》第四十一条；应急厅函〔2024〕322号",
    ),
    Indicator(
        "major_hazard_on_time_rate",
        _("Major hazards rectified on time"),
        _("Major hazards verified by the deadline, of those due so far."),
        _R,
        HAZARDS,
        "major_on_time",
        "major_due",
        Unit.RATIO,
        Direction.UP,
        "《安全生产法》第四十一条；应急厅函〔2024〕322号",
    ),
    Indicator(
        "major_hazard_share",
        _("Share of major hazards"),
        _("Major hazards, of all that services found in the period."),
        _R,
        HAZARDS,
        "major_found",
        "found",
        Unit.RATIO,
        Direction.NONE,
        _AQ,
    ),
)

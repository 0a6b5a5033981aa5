"""Alerts of prevention services: plans, services due and undone, orders, tasks, disputes, and odd itineraries."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, declare, duty_alert
from anze.kernel.duty import OURS, Party
from anze.kernel.rules import ServiceType
from anze.prevention.rules.agreements import ANSWER_AGREEMENT
from anze.prevention.rules.complaints import ANSWER, SETTLE
from anze.prevention.rules.confirmations import ANSWER_DISPUTE
from anze.prevention.rules.orders import ANSWER_ORDER
from anze.prevention.rules.plans import SUBMIT_ANNUAL
from anze.prevention.rules.topics import ANSWER_TASK

# of co-insurers the lead plans and serves (首席承保人)
_LEADS = (
    "NOT (p.nature = 'COINSURANCE' AND EXISTS (SELECT 1 FROM jsonb_array_elements(p.coinsurers) c "
    "JOIN parties_organisation o ON o.code = c->>'insurer_code' AND o.kind = 'INSURER' "
    "WHERE (c->>'is_lead')::boolean AND o.id <> p.insurer_id))"
)

PLAN_MISSING = declare(
    AlertRule(
        code="PLAN_MISSING",
        title=_("Policy without a service plan"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.INSURER,),
        why=_("Policy %(number)s began on %(start)s; its service plan was due by %(due)s and is not on file."),
        remedy=_("Open the policy and plan its services"),
        page="policy",
        rows=f"underwriting_policy p WHERE NOT p.is_void AND p.cover_end_on >= p.start_on AND {_LEADS}",
        subject="p.id",
        begins="p.start_on + ({days})::int + 1",
        ends="least((SELECT min(l.agreed_on) FROM prevention_plan l WHERE l.policy_id = p.id AND NOT l.is_void), "
        "p.cover_end_on + 1)",
        due="p.start_on + ({days})::int",
        open_if="p.cover_end_on >= {today} AND NOT EXISTS (SELECT FROM prevention_plan l WHERE l.policy_id = p.id "
        "AND NOT l.is_void AND l.agreed_on <= {today})",
        label="p.policy_no",
        of="p",
        facts={"number": "p.policy_no", "start": "p.start_on", "due": "p.start_on + ({days})::int"},
        thresholds={"days": "plan_grace_days"},
        sources={"underwriting_policy": "id", "prevention_plan": "policy_id"},
        basis=OURS,
        shown_as=("plans-missing",),
    )
)

# the day on which the last of the services of a plan item was done
_DONE_ON = (
    "(SELECT s.performed_on FROM prevention_service s WHERE s.plan_item_id = i.id AND NOT s.is_void "
    "AND NOT s.is_returned ORDER BY s.performed_on OFFSET i.times - 1 LIMIT 1)"
)
_DONE = (
    "(SELECT count(*) FROM prevention_service s WHERE s.plan_item_id = i.id AND NOT s.is_void AND NOT s.is_returned)"
)
_ANY_SERVICE = "(SELECT min(s.performed_on) FROM prevention_service s WHERE s.policy_id = p.id AND NOT s.is_void)"
# an item of a plan that stands, whose window ends before the cover does
_ITEMS = (
    "prevention_planitem i JOIN prevention_plan l ON l.id = i.plan_id JOIN underwriting_policy p ON p.id = i.policy_id "
    "WHERE NOT l.is_void AND NOT p.is_void AND i.window_end_on <= p.cover_end_on"
)
_ITEM_FACTS = {
    "service": "i.service_type",
    "until": "i.window_end_on",
    "times": "i.times",
    "done": _DONE,
    "plan": "l.plan_no",
}
_ITEM_SOURCES = {"prevention_planitem": "id", "prevention_service": "plan_item_id"}

SERVICE_DUE = declare(
    AlertRule(
        code="SERVICE_DUE",
        title=_("Planned service due"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER, Party.AGENCY),
        why=_("Plan %(plan)s: %(service)s until %(until)s, %(done)s of %(times)s done."),
        remedy=_("Open the plan and place the order"),
        page="plan",
        rows=_ITEMS,
        subject="i.id",
        row="l.id",
        episode="i.window_end_on",
        begins="greatest(i.window_start_on, i.window_end_on - ({days})::int)",
        ends=f"least({_DONE_ON}, i.window_end_on + 1)",
        due="i.window_end_on",
        open_if="i.window_end_on >= {today}",
        label="l.plan_no",
        of="i",
        scope={"agency_id": "i.agency_id"},
        facts=_ITEM_FACTS,
        kinds={"service": ServiceType},
        thresholds={"days": "alert.service_due_days"},
        sources=_ITEM_SOURCES,
    )
)

SERVICE_OVERDUE = declare(
    AlertRule(
        code="SERVICE_OVERDUE",
        title=_("Planned service not done in its window"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.INSURER, Party.AGENCY),
        why=_("Plan %(plan)s: %(service)s was due until %(until)s, %(done)s of %(times)s done."),
        remedy=_("Open the plan and place the order"),
        page="plan",
        # a policy nobody has served at all has an alert of its own
        rows=f"{_ITEMS} AND EXISTS (SELECT FROM prevention_service v WHERE v.policy_id = p.id AND NOT v.is_void)",
        subject="i.id",
        row="l.id",
        episode="i.window_end_on",
        begins="i.window_end_on + ({grace})::int + 1",
        # after that it is a matter of the assessment, not of the day
        ends=f"least({_DONE_ON}, i.window_end_on + ({{kept}})::int)",
        due="i.window_end_on",
        open_if="i.window_end_on BETWEEN {today} - 1100 AND {today}",
        label="l.plan_no",
        of="i",
        scope={"agency_id": "i.agency_id"},
        facts=_ITEM_FACTS,
        kinds={"service": ServiceType},
        thresholds={"grace": "service_grace_days", "kept": "alert.service_overdue_kept_days"},
        sources=_ITEM_SOURCES,
    )
)

UNSERVED = declare(
    AlertRule(
        code="UNSERVED",
        title=_("Policy nobody has served"),
        level=AlertLevel.URGENT,
        parties=(Party.INSURER, Party.COMMITTEE),
        why=_("Policy %(number)s: services due until %(until)s: %(times)s; none is on file."),
        remedy=_("Open the enterprise and order the services"),
        page="enterprise",
        rows="(SELECT i.policy_id, min(i.window_end_on) AS first_on, sum(i.times) AS times FROM prevention_planitem i "
        "JOIN prevention_plan l ON l.id = i.plan_id AND NOT l.is_void GROUP BY i.policy_id) w "
        "JOIN underwriting_policy p ON p.id = w.policy_id "
        "WHERE NOT p.is_void AND w.first_on <= p.cover_end_on",
        subject="w.policy_id",
        row="p.enterprise_id",
        begins="w.first_on + ({grace})::int + 1",
        ends=f"least({_ANY_SERVICE}, p.cover_end_on + ({{kept}})::int)",
        due="w.first_on",
        open_if="w.first_on < {today} AND NOT EXISTS (SELECT FROM prevention_service s WHERE s.policy_id = p.id "
        "AND NOT s.is_void AND s.performed_on <= {today})",
        label="p.policy_no",
        of="p",
        facts={"number": "p.policy_no", "times": "w.times", "until": "w.first_on"},
        thresholds={"grace": "service_grace_days", "kept": "alert.service_overdue_kept_days"},
        sources={"underwriting_policy": "id", "prevention_planitem": "policy_id", "prevention_service": "policy_id"},
    )
)

ORDER_DUE = duty_alert(
    ANSWER_ORDER,
    table="prevention_order",
    due_at="answer_due_at",
    waits="x.state <> 'DRAFT'",
    done="CASE WHEN x.state <> 'SENT' THEN (coalesce(x.answered_at, x.sent_at) AT TIME ZONE 'Asia/Shanghai')::date END",
    since="(x.sent_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'SENT'",
    parties=(Party.AGENCY, Party.INSURER),
    remedy=_("Open the order and answer it"),
    page="order",
    label="x.order_no",
    scope={"agency_id": "x.agency_id"},
    shown_as=("orders-to-answer", "orders-unanswered"),
)

TASK_DUE = duty_alert(
    ANSWER_TASK,
    table="prevention_taskshare",
    due_at="answer_due_at",
    waits="x.state <> 'WITHDRAWN'",
    done="(x.answered_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'SENT'",
    parties=(Party.INSURER, Party.COMMITTEE),
    remedy=_("Open the task and answer it"),
    page="task-share",
    label="x.task_code",
    of="",
    scope={"insurer_id": "x.insurer_id", "region_code": "'370000'"},
)

DISPUTE_DUE = duty_alert(
    ANSWER_DISPUTE,
    table="prevention_dispute",
    due_at="answer_due_at",
    waits="true",
    done="(coalesce(x.answered_at, x.closed_at) AT TIME ZONE 'Asia/Shanghai')::date",
    since="x.raised_on",
    open_if="x.state = 'OPEN'",
    parties=(Party.INSURER, Party.AGENCY),
    remedy=_("Open the dispute and answer it"),
    page="dispute",
    label="(SELECT s.service_no FROM prevention_service s WHERE s.id = x.service_id)",
    scope={"agency_id": "x.agency_id"},
    shown_as=("disputes-to-answer",),
)

_COMPLAINT: Any = {
    "table": "prevention_complaint",
    "parties": (Party.INSURER, Party.AGENCY, Party.AUTHORITY),
    "page": "complaint",
    "label": "x.complaint_no",
    # a complaint given to the authority is not shown to whom it is about; a complainant is no one to act
    "scope": {"agency_id": "x.agency_id", "enterprise_id": "NULL"},
    "since": "(x.made_at AT TIME ZONE 'Asia/Shanghai')::date",
    "shown_as": ("complaints-insurer", "complaints-agency", "complaints-authority", "complaints-late"),
}
COMPLAINT_DUE = duty_alert(
    ANSWER,
    due_at="answer_due_at",
    waits="true",
    done="(coalesce(x.answered_at, x.settled_at) AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.answered_at IS NULL",
    remedy=_("Open the complaint and answer it"),
    **_COMPLAINT,
)
SETTLEMENT_DUE = duty_alert(
    SETTLE,
    due_at="settle_due_at",
    waits="true",
    done="(x.settled_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.settled_at IS NULL",
    remedy=_("Open the complaint and settle it"),
    **_COMPLAINT,
)

# Every insurer that does business here, and this year's plan: due so many days after 1 January. A plan nobody has
# begun has no row, so the insurer is the subject.
ANNUAL_DUE = declare(
    AlertRule(
        code="SUBMIT_ANNUAL",
        title=SUBMIT_ANNUAL.title,
        level=AlertLevel.IMPORTANT,
        parties=(Party.INSURER, Party.COMMITTEE),
        why=_("The annual service plan of %(year)s of %(name)s was due by %(due)s and is not submitted."),
        remedy=_("Open the insurer's plans"),
        page="insurer",
        rows="parties_organisation o CROSS JOIN LATERAL (SELECT y::date AS first_on FROM generate_series("
        "date_trunc('year', {today} - interval '1 year'), date_trunc('year', {today}::timestamp), '1 year') y) y "
        "LEFT JOIN prevention_annualplan a ON a.insurer_id = o.id AND a.year = extract(year FROM y.first_on) "
        "WHERE o.kind = 'INSURER' AND o.is_active AND (o.entered_on IS NULL OR o.entered_on <= y.first_on)",
        subject="o.id",
        episode="y.first_on",
        begins="y.first_on + ({days})::int - ({notice})::int",
        ends="least((a.submitted_at AT TIME ZONE 'Asia/Shanghai')::date, (y.first_on + interval '1 year')::date)",
        due="y.first_on + ({days})::int - 1",
        rises="y.first_on + ({days})::int",
        label="o.name",
        scope={"insurer_id": "o.id", "region_code": "o.region_id"},
        facts={
            "year": "to_char(y.first_on, 'YYYY')",
            "name": "o.name",
            "due": "y.first_on + ({days})::int - 1",
        },
        thresholds={"days": "annual_plan_days", "notice": "alert.duty_notice_days"},
        duty=SUBMIT_ANNUAL,
        basis=SUBMIT_ANNUAL.source,
    )
)

# hints, never accusations: only those who may judge them see them ---------------------------------------------

EXPERT_OVERLOADED = declare(
    AlertRule(
        code="EXPERT_OVERLOADED",
        title=_("Very many services by one expert on one day"),
        level=AlertLevel.GENERAL,
        parties=(Party.AUTHORITY, Party.COMMITTEE),
        why=_("Services of %(name)s on %(day)s: %(count)s. There may be a good reason: look at them together."),
        remedy=_("Open the expert and look at that day"),
        page="expert",
        rows="(SELECT n.expert_id, s.performed_on, count(*) AS services, "
        "CASE WHEN min(s.region_code) = max(s.region_code) THEN min(s.region_code) "
        "WHEN left(min(s.region_code), 4) = left(max(s.region_code), 4) THEN left(min(s.region_code), 4) || '00' "
        "ELSE left(min(s.region_code), 2) || '0000' END AS region_code "
        "FROM prevention_serviceperson n JOIN prevention_service s ON s.id = n.service_id AND NOT s.is_void "
        "WHERE n.expert_id IS NOT NULL GROUP BY n.expert_id, s.performed_on) g "
        "JOIN parties_expert x ON x.id = g.expert_id WHERE g.services > ({most})",
        subject="g.expert_id",
        episode="g.performed_on",
        begins="g.performed_on",
        ends="g.performed_on + ({kept})::int",
        open_if="g.performed_on BETWEEN {today} - 400 AND {today}",
        label="x.name",
        scope={"region_code": "g.region_code"},
        facts={"name": "x.name", "count": "g.services", "day": "g.performed_on"},
        thresholds={"most": "alert.services_per_expert_day", "kept": "alert.hint_kept_days"},
        sources={"prevention_serviceperson": "expert_id"},
    )
)

# kilometres on the sphere between where two services were done, else where the enterprises are registered
_KM = (
    "(6371 * 2 * asin(sqrt(least(1, power(sin(radians((b.lat - a.lat) / 2)), 2) + cos(radians(a.lat)) "
    "* cos(radians(b.lat)) * power(sin(radians((b.lon - a.lon) / 2)), 2)))))"
)
_PLACES = (
    "SELECT n.expert_id, s.id, s.service_no, s.performed_on, s.started_at, s.ended_at, s.region_code, "
    "coalesce(s.lon, e.lon)::float AS lon, coalesce(s.lat, e.lat)::float AS lat FROM prevention_serviceperson n "
    "JOIN prevention_service s ON s.id = n.service_id AND NOT s.is_void "
    "JOIN parties_enterprise e ON e.id = s.enterprise_id WHERE n.expert_id IS NOT NULL"
)

IMPOSSIBLE_TRAVEL = declare(
    AlertRule(
        code="IMPOSSIBLE_TRAVEL",
        title=_("One expert at two distant places at the same time"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.AUTHORITY, Party.COMMITTEE),
        why=_(
            "%(name)s is reported at %(first)s and %(second)s on %(day)s, %(km)s km apart, with %(minutes)s minutes "
            "between the first one's end and the second one's beginning."
        ),
        remedy=_("Open the later service and compare"),
        page="service",
        rows=f"({_PLACES}) a JOIN ({_PLACES}) b ON b.expert_id = a.expert_id AND b.performed_on = a.performed_on "
        "AND b.id <> a.id AND (b.started_at, b.id) > (a.started_at, a.id) "
        "JOIN parties_expert x ON x.id = a.expert_id "
        f"WHERE {_KM} > ({{far}}) AND {_KM} > greatest(0, extract(epoch FROM b.started_at - a.ended_at)) "
        "/ 3600.0 * ({speed})",
        subject="a.expert_id",
        episode="a.id::text || b.id::text",
        row="b.id",
        begins="a.performed_on",
        ends="a.performed_on + ({kept})::int",
        open_if="a.performed_on BETWEEN {today} - 400 AND {today} AND b.performed_on BETWEEN {today} - 400 AND {today}",
        label="x.name",
        scope={
            "region_code": "CASE WHEN a.region_code = b.region_code THEN a.region_code "
            "WHEN left(a.region_code, 4) = left(b.region_code, 4) THEN left(a.region_code, 4) || '00' "
            "ELSE left(a.region_code, 2) || '0000' END"
        },
        facts={
            "name": "x.name",
            "first": "a.service_no",
            "second": "b.service_no",
            "day": "a.performed_on",
            "km": f"round({_KM}::numeric)",
            "minutes": "round(extract(epoch FROM b.started_at - a.ended_at) / 60)",
        },
        thresholds={
            "far": "alert.travel_far_km",
            "speed": "alert.travel_kilometres_an_hour",
            "kept": "alert.hint_kept_days",
        },
        sources={"prevention_serviceperson": "expert_id"},
    )
)

REPORT_REPEATED = declare(
    AlertRule(
        code="REPORT_REPEATED",
        title=_("Reports that say the same"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.AUTHORITY, Party.COMMITTEE),
        why=_(
            "The reports of %(first)s and %(second)s agree in %(share)s %% of their words. There may be a good reason: "
            "look at both."
        ),
        remedy=_("See both reports side by side and judge them"),
        page="likeness",
        rows="prevention_likeness m JOIN prevention_service a ON a.id = m.first_id "
        "JOIN prevention_service b ON b.id = m.second_id WHERE true",
        subject="m.id",
        begins="(m.found_at AT TIME ZONE 'Asia/Shanghai')::date",
        ends="(m.decided_at AT TIME ZONE 'Asia/Shanghai')::date",
        open_if="m.state = 'OPEN'",
        label="b.service_no",
        scope={
            "region_code": "m.region_code",
            "sector": "m.sector",
            "insurer_id": "m.insurer_id",
            "agency_id": "m.agency_id",
        },
        shown_as=("open-likenesses",),
        facts={"first": "a.service_no", "second": "b.service_no", "share": "round(m.likeness * 100)"},
    )
)

RECORDED_VERY_LATE = declare(
    AlertRule(
        code="ENTRY_VERY_LATE",
        title=_("Service reported very late"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER, Party.COMMITTEE),
        why=_("Service %(number)s of %(day)s was due to be reported by %(due)s and arrived on %(arrived)s."),
        remedy=_("Open the service"),
        page="service",
        rows="prevention_service s WHERE NOT s.is_void AND s.received_at > s.report_due_at",
        subject="s.id",
        begins="CASE WHEN (s.received_at AT TIME ZONE 'Asia/Shanghai')::date "
        "> (s.report_due_at AT TIME ZONE 'Asia/Shanghai')::date + ({days})::int "
        "THEN (s.received_at AT TIME ZONE 'Asia/Shanghai')::date END",
        ends="(s.received_at AT TIME ZONE 'Asia/Shanghai')::date + ({kept})::int",
        open_if="s.received_at BETWEEN {today} - interval '400 days' AND {today} + interval '2 days'",
        label="s.service_no",
        of="s",
        scope={"agency_id": "s.agency_id"},
        facts={
            "number": "s.service_no",
            "day": "s.performed_on",
            "due": "(s.report_due_at AT TIME ZONE 'Asia/Shanghai')::date - 1",
            "arrived": "(s.received_at AT TIME ZONE 'Asia/Shanghai')::date",
        },
        thresholds={"days": "alert.entry_very_late_days", "kept": "alert.hint_kept_days"},
        sources={"prevention_service": "id"},
        basis="山东省安责险服务管理平台运行要求",
    )
)

_HOUSES = {"region_code": "x.region_code", "insurer_id": "x.insurer_id", "agency_id": "x.agency_id"}
AGREEMENT_DUE = duty_alert(
    ANSWER_AGREEMENT,
    table="prevention_agreement",
    due_at="answer_due_at",
    waits="true",
    done="(x.answered_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'PROPOSED'",
    since="(x.proposed_at AT TIME ZONE 'Asia/Shanghai')::date",
    parties=(Party.AGENCY,),
    remedy=_("Open the agreement and accept or decline it"),
    page="agreement",
    label="x.agreement_no",
    of="",
    scope=_HOUSES,
    shown_as=("agreements-to-answer", "agreements-unanswered"),
)
# what is agreed for afterwards takes the alert away
_FOLLOWED = (
    "(SELECT min((n.answered_at AT TIME ZONE 'Asia/Shanghai')::date) FROM prevention_agreement n "
    "WHERE n.insurer_id = x.insurer_id AND n.agency_id = x.agency_id AND n.state IN ('ACCEPTED', 'ENDED') "
    "AND n.until_on > x.until_on)"
)
AGREEMENT_EXPIRING = declare(
    AlertRule(
        code="AGREEMENT_EXPIRING",
        title=_("Framework agreement about to run out"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER, Party.AGENCY),
        why=_(
            "Agreement %(number)s of %(insurer)s and %(agency)s is binding until %(until)s; afterwards no price is agreed."
        ),
        remedy=_("Open the agreement and propose the next one"),
        page="agreement",
        rows="prevention_agreement x JOIN parties_organisation i ON i.id = x.insurer_id "
        "JOIN parties_organisation a ON a.id = x.agency_id WHERE x.state IN ('ACCEPTED', 'ENDED')",
        subject="x.id",
        episode="x.until_on",
        begins="greatest(x.until_on - ({days})::int, (x.answered_at AT TIME ZONE 'Asia/Shanghai')::date)",
        ends=f"least({_FOLLOWED}, x.until_on + 1)",
        due="x.until_on",
        open_if="x.until_on >= {today}",
        label="x.agreement_no",
        scope=_HOUSES,
        facts={"number": "x.agreement_no", "insurer": "i.name", "agency": "a.name", "until": "x.until_on"},
        thresholds={"days": "alert.agreement_expiring_days"},
        # few rows, looked at as a whole in every run: what follows is another row and closes the alert of the earlier one
        sources={"prevention_agreement": "id"},
        shown_as=("agreements-running-out",),
    )
)

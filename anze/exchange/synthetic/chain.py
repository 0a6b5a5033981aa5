"""The work behind the year's services: topics, tasks with their shares, annual plans, and orders done and to come.

What was done is taken from the services on file, and everything in numbers is written by one statement a table.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from anze.exchange.synthetic.calendar import BEIJING
from anze.kernel.actor import Actor, platform
from anze.kernel.duty import load_calendar
from anze.kernel.refusal import Refused
from anze.parties.models import Expert, Membership, Organisation, Standing
from anze.parties.rules import OrganisationKind, Permission, Role, StandingKind
from anze.prevention.actions.tasks import draft_task, issue_task
from anze.prevention.models import Task, Topic
from anze.prevention.rules.plans import SUBMIT_ANNUAL

_ALL_DANGEROUS = ("HAZCHEM", "FIREWORK")


def load_chain(as_of: date) -> None:
    """Fill the rooms of topics, tasks and orders around the services on file; the scope must be everything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM prevention_service)")
        if not cursor.fetchone()[0]:
            return
        _tasks(as_of, _topics(as_of), cursor)
        _answers(as_of, cursor)
        _annual_plans(as_of, cursor)
        cursor.execute("ANALYZE prevention_task")
        cursor.execute(_ORDERS_DONE, {"today": as_of})
        cursor.execute(_EXPERTS_SENT)
        _coming(as_of, cursor)
    _standings(as_of)


def _at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), BEIJING)


# topics -------------------------------------------------------------------------------------------------------


def _topics(as_of: date) -> dict[str, Topic]:
    year, begin, end = as_of.year, as_of - timedelta(days=330), as_of + timedelta(days=60)
    by = {each.code: each for each in Organisation.objects.filter(code__in=("EMA370000", "EMA370700", "DEP-CONSTR"))}

    def topic(code: str, authority: str, title: str, goals: str, **words: Any) -> Topic:
        setter = by[authority]
        given = {"state": "ISSUED", "issued_at": _at(begin), "starts_on": begin, "ends_on": end, **words}
        return Topic(
            code=code, authority=setter, title=title, goals=goals, region_code=setter.region_id, sector=setter.sector,
            **given,
        )  # fmt: skip

    made = {
        "casting": topic(
            f"TM{year}-01", "EMA370000", "铝加工（深井铸造）重大事故隐患动态清零",
            "深井铸造企业逐家诊断，重大事故隐患整改到位，整改率达到98%以上。", sectors=["SMELT"],
        ),
        "chemicals": topic(
            f"TM{year}-02", "EMA370000", "危险化学品和烟花爆竹企业隐患排查治理",
            "对参保企业开展一轮专家排查，隐患闭环整改。", sectors=list(_ALL_DANGEROUS),
        ),
        "everybody": topic(
            f"TM{year}-03", "EMA370000", "参保企业隐患排查全覆盖", "每家参保企业每年至少接受一次事故预防服务。"
        ),
        "training": topic(
            f"TM{year}-04", "EMA370000", "“反三违”全员安全培训", "培训覆盖企业主要负责人、安全管理人员和一线班组长。"
        ),
        "weifang": topic(
            f"TM{year}-370700-01", "EMA370700", "建筑施工领域汛期安全服务",
            "汛期前后对在建工程开展专项排查。", regions=["370700"], sectors=["CONSTR"],
        ),
        "winter": topic(
            f"TM{year}-CONSTR-01", "DEP-CONSTR", "冬季施工安全服务",
            "对冬季施工工程开展防火、防坍塌、防中毒专项服务。", sectors=["CONSTR"],
            starts_on=as_of - timedelta(days=10), issued_at=_at(as_of - timedelta(days=10)), ends_on=end + timedelta(days=60),
        ),
        "drills": topic(
            f"TM{year}-05", "EMA370000", "有限空间作业应急演练", "有限空间作业企业普遍开展一次实战演练。",
            starts_on=as_of - timedelta(days=5), issued_at=_at(as_of - timedelta(days=3)), ends_on=end + timedelta(days=90),
        ),
        "draft": topic(
            f"TM{year + 1}-01", "EMA370000", "粉尘涉爆企业专项服务", "拟于明年组织。", state="DRAFT", issued_at=None,
            starts_on=date(year + 1, 3, 1), ends_on=date(year + 1, 12, 31),
        ),
        "closed": topic(
            f"TM{year - 1}-01", "EMA370000", "工贸企业有限空间作业条件确认", "完成条件确认。", state="CLOSED",
            starts_on=begin - timedelta(days=300), ends_on=begin - timedelta(days=10),
            issued_at=_at(begin - timedelta(days=300)), closed_at=_at(begin - timedelta(days=5)),
            result="已完成，确认率100%。",
        ),
    }  # fmt: skip
    Topic.objects.bulk_create(made.values())
    return made


# tasks --------------------------------------------------------------------------------------------------------


def _tasks(as_of: date, topics: dict[str, Topic], cursor: Any) -> None:
    """Each task is divided by its rule from the figures on file, as the committee would have it."""
    committee = Organisation.objects.get(kind=OrganisationKind.COMMITTEE)
    by = platform(frozenset({Permission.LIST_TASKS}))
    year, begin, end = as_of.year, as_of - timedelta(days=330), as_of + timedelta(days=60)
    premium = {"rule": "PREMIUM", "base_from": as_of - timedelta(days=365), "base_to": as_of}
    others = ["MINE", "CONSTR", "TRANSPORT", "FISHERY", "CIVEXP", "OTHER"]

    def task(number: int, title: str, topic: str, kind: str, issued: date | None, **words: Any) -> None:
        given: dict[str, Any] = {
            "code": f"RW{year}-{number:03d}", "title": title, "topic": topics.get(topic), "service_type": kind,
            "goals": "", "starts_on": begin, "ends_on": end, "regions": [], "sectors": [], "checklist_code": "",
            "measure": "TIMES", "rule": "PREMIUM", "base_from": None, "base_to": None, "fixed": {}, **words,
        }  # fmt: skip
        given["total_times"] = _total(given, cursor)
        made = draft_task(committee, by=by, at=_at(issued or as_of), **given)
        if issued is not None:
            _issue(made, by, _at(issued, 11))

    early = begin + timedelta(days=12)
    task(1, "深井铸造企业专家诊断", "casting", "HAZARD", early, sectors=["SMELT"], **premium)
    task(2, "危化品、烟花爆竹企业隐患排查", "chemicals", "HAZARD", early, sectors=list(_ALL_DANGEROUS), rule="SECTOR")
    task(3, "参保企业隐患排查全覆盖", "everybody", "HAZARD", early, sectors=others, measure="EACH_ENTERPRISE")
    task(4, "安全培训进企业", "training", "TRAIN", early, **premium)
    task(5, "潍坊在建工程汛期排查", "weifang", "HAZARD", early, sectors=["CONSTR"], regions=["370700"], rule="REGION")
    task(6, "风险辨识与标准化帮扶", "", "RISK", early, **premium)
    task(7, "冬季施工安全专项排查", "winter", "HAZARD", as_of - timedelta(days=2), sectors=["CONSTR"], rule="REGION",
         starts_on=as_of - timedelta(days=2), ends_on=end + timedelta(days=60))  # fmt: skip
    task(
        8, "有限空间作业应急演练", "drills", "DRILL", None, starts_on=as_of, ends_on=end + timedelta(days=60), **premium
    )


def _total(given: dict[str, Any], cursor: Any) -> int:
    """A little more than was done, so that there is something left."""
    cursor.execute(
        "SELECT count(*) FROM prevention_service WHERE service_type = %s AND (%s::text[] = '{}' OR sector = ANY(%s)) "
        "AND (%s::text[] = '{}' OR left(region_code, 4) || '00' = ANY(%s))",
        [given["service_type"], given["sectors"], given["sectors"], given["regions"], given["regions"]],
    )
    return max(20, int(cursor.fetchone()[0] * 1.2))


def _issue(task: Task, by: Actor, at: datetime) -> None:
    try:
        issue_task(task, by=by, at=at)
    except Refused:
        return  # in a very small province nobody may have anything of the filter: it stays a draft


def _answers(as_of: date, cursor: Any) -> None:
    """All but the latest tasks are answered; of those some insurers are still silent, those of the demonstration too."""
    cursor.execute(
        "UPDATE prevention_taskshare s SET state = 'ACCEPTED', answered_at = t.issued_at + interval '2 days' "
        "FROM prevention_task t, parties_organisation o WHERE t.id = s.task_id AND o.id = s.insurer_id "
        "AND (t.issued_at < %s OR (o.code NOT IN ('INS01', 'INS13') AND hashtext(o.code) %% 2 = 0))",
        [_at(as_of - timedelta(days=30))],
    )
    cursor.execute(
        "UPDATE prevention_taskshare SET state = 'DECLINED', answered_at = answer_due_at - interval '1 day', "
        "reason = '承保企业近期均已完成同类服务，申请核减' WHERE id IN (SELECT s.id FROM prevention_taskshare s "
        "JOIN prevention_task t ON t.id = s.task_id WHERE t.issued_at < %s AND s.times <= 2 ORDER BY s.id LIMIT 3)",
        [_at(as_of - timedelta(days=30))],
    )


# annual plans -------------------------------------------------------------------------------------------------


def _annual_plans(as_of: date, cursor: Any) -> None:
    first = date(as_of.year, 1, 1)
    cursor.execute(
        _ANNUAL,
        {
            "year": as_of.year,
            "due": SUBMIT_ANNUAL.due_at(first, calendar=load_calendar()),
            "sent": _at(date(as_of.year, 1, 20)),
            "answered": _at(date(as_of.year, 2, 6)),
            "from": as_of - timedelta(days=365),
            "text": "按风险分级安排服务，高风险企业优先；委托具备资质的技服机构开展隐患排查；组织“反三违”培训和应急演练。",
        },
    )


_ANNUAL = """
WITH kinds AS (
    SELECT insurer_id, service_type, (count(*) * 1.1)::int + 1 AS n FROM prevention_service GROUP BY 1, 2
), services AS (
    SELECT insurer_id, jsonb_object_agg(service_type, n) AS kinds, sum(n) AS n FROM kinds GROUP BY 1
), served AS (
    SELECT insurer_id, count(DISTINCT enterprise_id) AS n FROM prevention_plan GROUP BY 1
), money AS (
    SELECT insurer_id, sum(amount) AS paid FROM underwriting_premiumreceipt WHERE received_on >= %(from)s GROUP BY 1
)
INSERT INTO prevention_annualplan (insurer_id, year, services, total_times, enterprises, budget, text, state, due_at,
                                   submitted_at, answered_at, reason)
SELECT o.id, %(year)s, s.kinds, s.n, coalesce(e.n, 0), round(coalesce(m.paid, 0) * 0.15, -3), %(text)s,
       CASE WHEN o.code IN ('INS05', 'INS09') THEN 'SUBMITTED' WHEN o.code = 'INS13' THEN 'RETURNED' ELSE 'ACCEPTED' END,
       %(due)s, %(sent)s, CASE WHEN o.code IN ('INS05', 'INS09') THEN NULL ELSE %(answered)s END,
       CASE WHEN o.code = 'INS13' THEN '请补充小微企业服务安排' ELSE '' END
FROM services s JOIN parties_organisation o ON o.id = s.insurer_id
LEFT JOIN served e ON e.insurer_id = o.id LEFT JOIN money m ON m.insurer_id = o.id
"""

# orders -------------------------------------------------------------------------------------------------------

# nine services of ten were ordered on the platform; each goes to the narrowest task it falls under
_ORDERS_DONE = """
INSERT INTO prevention_order (order_no, policy_id, plan_item_id, task_id, service_id, service_type, form, checklist_code,
    scope, planned_on, due_on, price, state, sent_at, answered_at, answer_due_at, done_at, reason, enterprise_id,
    insurer_id, agency_id, region_code, sector)
SELECT 'DD' || to_char(s.performed_on, 'YYYYMMDD') || upper(left(md5(s.id::text), 8)), s.policy_id, s.plan_item_id,
    (SELECT t.id FROM prevention_task t WHERE t.state = 'ISSUED' AND t.service_type = s.service_type
        AND s.performed_on BETWEEN t.starts_on AND t.ends_on AND (t.sectors = '{}' OR s.sector = ANY(t.sectors))
        AND (t.regions = '{}' OR left(s.region_code, 4) || '00' = ANY(t.regions))
        ORDER BY cardinality(t.regions) DESC, t.code DESC LIMIT 1),
    s.id, s.service_type, s.form, '', '', s.performed_on, s.performed_on + 14, s.planned_cost, 'DONE',
    s.started_at - interval '12 days', s.started_at - interval '10 days', s.started_at - interval '7 days',
    s.ended_at, '', s.enterprise_id, s.insurer_id, s.agency_id, s.region_code, s.sector
FROM prevention_service s
WHERE NOT s.is_void AND hashtext(s.service_no) %% 10 <> 0 AND s.performed_on < %(today)s
ORDER BY s.insurer_id, s.performed_on
ON CONFLICT DO NOTHING
"""
_EXPERTS_SENT = """
INSERT INTO prevention_orderexpert (order_id, expert_id, is_leader, planned_on, enterprise_id, insurer_id, agency_id,
    region_code, sector)
SELECT o.id, p.expert_id, p.seq = 1, o.planned_on, o.enterprise_id, o.insurer_id, o.agency_id, o.region_code, o.sector
FROM prevention_order o JOIN prevention_serviceperson p ON p.service_id = o.service_id AND p.expert_id IS NOT NULL
WHERE o.state = 'DONE'
ON CONFLICT DO NOTHING
"""
# of each agency's and insurer's open plan items some are on order for the coming weeks; more of those people sign in for
_ORDERS_COMING = """
WITH open AS (
    SELECT i.*, abs(hashtext(i.id::text)) AS h FROM prevention_planitem i JOIN prevention_plan p ON p.id = i.plan_id
    WHERE NOT p.is_void AND i.window_end_on >= %(today)s AND i.window_start_on <= %(today)s + 28
    AND NOT EXISTS (SELECT 1 FROM prevention_service s WHERE s.plan_item_id = i.id)
), numbered AS (
    -- items without an agency: the first go to the agency, the next to the expert people sign in for
    SELECT *, CASE WHEN agency_id IS NULL THEN row_number() OVER (
        PARTITION BY agency_id ORDER BY left(region_code, 4) = left(%(place)s, 4) DESC, h) END AS k
    FROM open
), given AS (
    SELECT id, policy_id, plan_id, service_type, window_end_on, enterprise_id, insurer_id, region_code, sector, h, k,
        CASE WHEN k <= 24 OR (k <= 40 AND %(of_expert)s::uuid IS NOT NULL) THEN 'COMMISSIONED_TSP'
             WHEN k <= 40 THEN 'HIRED_EXPERT' ELSE form END AS form,
        CASE WHEN k <= 24 THEN %(agency)s::uuid WHEN k <= 40 THEN %(of_expert)s::uuid ELSE agency_id END AS agency_id
    FROM numbered
), chosen AS (
    SELECT *, row_number() OVER (PARTITION BY insurer_id, agency_id ORDER BY enterprise_id = %(enterprise)s DESC, h) AS n
    FROM given
), days AS (
    SELECT day, row_number() OVER (ORDER BY day) - 1 AS n FROM kernel_calendarday
    WHERE is_workday AND day >= %(today)s ORDER BY day LIMIT 15
)
INSERT INTO prevention_order (order_no, policy_id, plan_item_id, task_id, service_type, form, checklist_code, scope,
    planned_on, due_on, price, state, sent_at, answered_at, answer_due_at, reason, enterprise_id, insurer_id, agency_id,
    region_code, sector)
SELECT 'DD' || to_char(d.day, 'YYYYMMDD') || upper(left(md5(c.id::text || 'x'), 8)), c.policy_id, c.id,
    (SELECT t.id FROM prevention_task t WHERE t.state = 'ISSUED' AND t.service_type = c.service_type
        AND d.day BETWEEN t.starts_on AND t.ends_on AND (t.sectors = '{}' OR c.sector = ANY(t.sectors))
        AND (t.regions = '{}' OR left(c.region_code, 4) || '00' = ANY(t.regions))
        ORDER BY cardinality(t.regions) DESC, t.code DESC LIMIT 1),
    c.service_type, c.form, '', '', d.day, greatest(d.day, c.window_end_on), 900 + c.h %% 8 * 100, st.state,
    CASE WHEN st.state = 'DRAFT' THEN NULL ELSE %(sent)s END,
    CASE WHEN st.state IN ('DRAFT', 'SENT') THEN NULL ELSE %(answered)s END,
    CASE WHEN st.state = 'DRAFT' THEN NULL ELSE %(due)s END,
    CASE WHEN st.state = 'DECLINED' THEN '当周专家已排满，请改期或另行委托' ELSE '' END,
    c.enterprise_id, c.insurer_id, c.agency_id, c.region_code, c.sector
FROM chosen c JOIN days d ON d.n = CASE WHEN c.k <= 40 THEN c.k ELSE c.h / 7 END %% 15
CROSS JOIN LATERAL (SELECT CASE
    WHEN c.enterprise_id = %(enterprise)s OR d.n = 0 OR c.form <> 'COMMISSIONED_TSP' THEN 'ACCEPTED'
    WHEN c.h %% 10 < 3 THEN 'SENT' WHEN c.h %% 10 = 3 THEN 'DECLINED' WHEN c.h %% 10 = 4 THEN 'DRAFT'
    ELSE 'ACCEPTED' END AS state) st
WHERE c.k <= 40 OR c.n <= 2
ON CONFLICT DO NOTHING
"""
# an agency's accepted orders go to the first few of its experts, those of the demonstration before others
_EXPERTS_COMING = """
WITH own AS (
    SELECT id, agency_id, row_number() OVER (PARTITION BY agency_id ORDER BY id = %(expert)s DESC, number) - 1 AS n,
           least(count(*) OVER (PARTITION BY agency_id), 4) AS most
    FROM parties_expert WHERE is_active
), numbered AS (
    SELECT o.*, row_number() OVER (PARTITION BY o.agency_id ORDER BY o.planned_on, o.order_no) AS k
    FROM prevention_order o WHERE o.state = 'ACCEPTED' AND o.planned_on >= %(today)s AND o.agency_id IS NOT NULL
)
INSERT INTO prevention_orderexpert (order_id, expert_id, is_leader, planned_on, enterprise_id, insurer_id, agency_id,
    region_code, sector)
SELECT o.id, e.id, true, o.planned_on, o.enterprise_id, o.insurer_id, o.agency_id, o.region_code, o.sector
FROM numbered o JOIN own e ON e.agency_id = o.agency_id
    AND e.n = CASE WHEN o.agency_id = %(of_expert)s::uuid AND o.k %% 2 = 0 THEN 0 ELSE o.k %% e.most END
WHERE o.k %% 6 <> 0
UNION ALL
SELECT o.id, %(expert)s::uuid, true, o.planned_on, o.enterprise_id, o.insurer_id, NULL, o.region_code, o.sector
FROM prevention_order o WHERE o.form = 'HIRED_EXPERT' AND o.planned_on >= %(today)s AND o.state IN ('SENT', 'ACCEPTED')
ON CONFLICT DO NOTHING
"""
_ENGAGED = """
INSERT INTO parties_engagement (party_id, enterprise_id, since_on)
SELECT x.expert_id, x.enterprise_id, %(today)s::date FROM prevention_orderexpert x
JOIN prevention_order o ON o.id = x.order_id WHERE o.planned_on >= %(today)s
UNION
SELECT o.agency_id, o.enterprise_id, %(today)s::date FROM prevention_order o
WHERE o.planned_on >= %(today)s AND o.agency_id IS NOT NULL
ON CONFLICT DO NOTHING
"""


def _coming(as_of: date, cursor: Any) -> None:
    people = {each.role: each for each in Membership.objects.select_related("expert", "organisation")}
    expert, agency = people[Role.EXPERT].expert, people[Role.AGENCY].organisation
    assert expert is not None
    assert agency is not None
    words = {
        "today": as_of,
        "enterprise": people[Role.ENTERPRISE].enterprise_id,
        "expert": expert.pk,
        "of_expert": expert.agency_id,
        "agency": agency.pk,
        "place": agency.region_id,
        "sent": _at(as_of - timedelta(days=2)),
        "answered": _at(as_of - timedelta(days=1)),
        "due": _at(as_of + timedelta(days=2)),
    }
    for sql in (_ORDERS_COMING, _EXPERTS_COMING, _ENGAGED):
        cursor.execute(sql, words)


def _standings(as_of: date) -> None:
    """Two whom nobody may send at present."""
    decided_by = Organisation.objects.get(code="EMA370000")
    agency = Organisation.objects.filter(kind=OrganisationKind.AGENCY).order_by("-code").first()
    expert = Expert.objects.order_by("-number").first()
    if agency is None or expert is None:
        return
    Standing.objects.create(
        kind=StandingKind.SUSPENDED, organisation=agency, from_on=as_of - timedelta(days=20),
        to_on=as_of + timedelta(days=70), reason="报告质量抽查不合格，限期整改", decided_by=decided_by,
    )  # fmt: skip
    Standing.objects.create(
        kind=StandingKind.BLACKLISTED, expert=expert, from_on=as_of - timedelta(days=90), reason="出借资质证书",
        decided_by=decided_by,
    )  # fmt: skip

"""What was found about cover and how far it is handled, and the register's disputes and duplicates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count

from anze.kernel.actor import platform
from anze.kernel.duty import load_calendar
from anze.parties.rules import Permission
from anze.underwriting.actions import look_for_findings, merge_entries
from anze.underwriting.models import Obligation
from anze.underwriting.rules import DECIDE_DISPUTE, REPLY_FINDING

# a third was reminded, some of them have answered
_OTHERS = """
INSERT INTO underwriting_substitute (enterprise_id, region_code, sector, kind, insurer_name, policy_no, start_on, end_on,
    told_by, told_at)
SELECT f.enterprise_id, f.region_code, f.sector, CASE WHEN h.n %% 2 = 0 THEN 'EMPLOYER' ELSE 'ACCIDENT' END,
    '示例人寿保险', 'QT' || abs(hashtext(f.id::text)), %(today)s - 120, %(today)s + 244, '企业负责人', %(replied)s
FROM underwriting_finding f CROSS JOIN LATERAL (SELECT abs(hashtext(f.subject::text)) AS n) h
WHERE f.kind = 'UNINSURED' AND f.state = 'OPEN' AND h.n %% 9 = 0
ON CONFLICT DO NOTHING
"""
_HANDLED = """
UPDATE underwriting_finding f SET
    opened_at = greatest(f.since_on, %(today)s - 20)::timestamp AT TIME ZONE 'Asia/Shanghai' + interval '9 hours',
    state = CASE WHEN h.n %% 9 IN (0, 1) THEN 'REPLIED' WHEN h.n %% 3 = 0 THEN 'REMINDED' ELSE f.state END,
    reminders = CASE WHEN h.n %% 3 = 0 OR h.n %% 9 = 1 THEN 1 ELSE 0 END,
    reminded_at = CASE WHEN h.n %% 3 = 0 OR h.n %% 9 = 1 THEN CASE WHEN h.n %% 5 = 0 THEN %(early)s ELSE %(reminded)s END END,
    reply_due_at = CASE WHEN h.n %% 3 = 0 OR h.n %% 9 = 1 THEN CASE WHEN h.n %% 5 = 0 THEN %(early_due)s ELSE %(due)s END END,
    replied_at = CASE WHEN h.n %% 9 IN (0, 1) THEN %(replied)s::timestamptz END,
    answer = CASE WHEN h.n %% 9 = 0 AND f.kind = 'UNINSURED' THEN 'OTHER_POLICY' WHEN h.n %% 9 = 0 THEN 'EXPLAINED'
             WHEN h.n %% 9 = 1 THEN 'WILL_DO' ELSE '' END,
    promised_on = CASE WHEN h.n %% 9 = 1 THEN %(today)s + 6 END
FROM (SELECT id, abs(hashtext(subject::text)) AS n FROM underwriting_finding) h
WHERE h.id = f.id AND f.state = 'OPEN' AND f.since_on < %(today)s
"""
_NOTES = """
INSERT INTO underwriting_findingnote (finding_id, kind, side, said_by, said_at, answer, words, enterprise_id, insurer_id,
    region_code, sector)
SELECT f.id, 'REMINDER', 'AUTHORITY', '县应急管理局', f.reminded_at, '', '请于五个工作日内答复并尽快整改。', f.enterprise_id,
    f.insurer_id, f.region_code, f.sector FROM underwriting_finding f WHERE f.reminded_at IS NOT NULL
UNION ALL
SELECT f.id, 'REPLY', CASE WHEN f.insurer_id IS NULL THEN 'ENTERPRISE' ELSE 'INSURER' END,
    CASE WHEN f.insurer_id IS NULL THEN '企业负责人' ELSE '承保机构经办' END, f.replied_at, f.answer,
    CASE f.answer WHEN 'WILL_DO' THEN '已联系承保机构，下周办结。' WHEN 'OTHER_POLICY' THEN '企业已投保其他险种，正在咨询转换。'
    ELSE '已核对，说明见附件。' END, f.enterprise_id, f.insurer_id, f.region_code, f.sector
FROM underwriting_finding f WHERE f.replied_at IS NOT NULL
"""
# entries that came in dispute are somebody's to decide; some earlier ones are decided
_DISPUTES = """
INSERT INTO underwriting_registerdispute (obligation_id, ground, words, from_on, side, raised_by, raised_at, due_at, state,
    enterprise_id, region_code, sector, decided_at, decided_by, decision)
SELECT o.id, g.ground, CASE g.ground WHEN 'SUSPENDED' THEN '企业自上月起停产检修，申请暂缓。'
        WHEN 'CLOSED' THEN '企业已停业，正在办理注销。' ELSE '企业已不从事相关业务，申请移出底数。' END,
    CASE WHEN g.ground = 'NOT_OBLIGED' THEN NULL ELSE %(today)s - 40 END, 'ENTERPRISE', '企业负责人', %(reminded)s, %(decide)s,
    'OPEN', o.enterprise_id, o.region_code, o.sector, NULL::timestamptz, '', ''
FROM underwriting_obligation o CROSS JOIN LATERAL (SELECT (ARRAY['NOT_OBLIGED', 'SUSPENDED', 'CLOSED'])
    [1 + abs(hashtext(o.id::text)) %% 3] AS ground) g
WHERE o.state = 'DISPUTED' AND o.delisted_on IS NULL AND NOT o.is_void
UNION ALL
SELECT o.id, 'SUSPENDED', '企业停产，附停产通知和断电证明。', o.suspended_from_on, 'ENTERPRISE', '企业负责人', %(early)s, %(early_due)s,
    'GRANTED', o.enterprise_id, o.region_code, o.sector, %(reminded)s, '县应急管理局', '经现场核实，企业已停产，停产期间暂不计入底数。'
FROM underwriting_obligation o WHERE o.suspended_from_on IS NOT NULL AND o.suspended_to_on IS NULL
UNION ALL
SELECT o.id, 'NOT_OBLIGED', '企业认为业务不属于该行业。', NULL, 'ENTERPRISE', '企业负责人', %(early)s, %(early_due)s, 'REFUSED',
    o.enterprise_id, o.region_code, o.sector, %(reminded)s, '县应急管理局', '经现场核实，许可证在有效期内，仍从事相关业务，应当投保。'
FROM underwriting_obligation o
WHERE o.state = 'CONFIRMED' AND o.delisted_on IS NULL AND NOT o.is_void AND abs(hashtext(o.id::text)) %% 400 = 0
"""
# lists that name the same units again
_SOURCES = """
INSERT INTO underwriting_obligationsource (obligation_id, source, reason, listed_on, registered_workers, enterprise_id,
    region_code, sector)
SELECT o.id, '2026年应保尽保排查', 'NOTICE_352', greatest(o.listed_on, %(today)s - 45), o.registered_workers, o.enterprise_id,
    o.region_code, o.sector
FROM underwriting_obligation o WHERE o.delisted_on IS NULL AND abs(hashtext(o.id::text)) %% 5 = 0
ON CONFLICT DO NOTHING
"""


# some units rest, most until further notice; those listed twice stay as they are, to be merged
_SUSPENDED = """
UPDATE underwriting_obligation o SET version = o.version + 1, suspended_from_on = %(today)s - 30 - h.n / 60 %% 60,
    suspended_to_on = CASE WHEN h.n / 60 %% 4 = 3 THEN %(today)s - 15 END
FROM parties_enterprise e CROSS JOIN LATERAL (SELECT abs(hashtext(e.uscc)) AS n) h
WHERE e.id = o.enterprise_id AND h.n %% 60 = 7 AND o.state = 'CONFIRMED' AND NOT o.is_void AND o.delisted_on IS NULL
    AND o.listed_on < %(today)s - 100 AND e.closed_on IS NULL
    AND NOT EXISTS (SELECT FROM underwriting_obligation x WHERE x.enterprise_id = o.enterprise_id AND x.id <> o.id)
"""
MERGED = 4  # of so many listed twice one was merged already


def decide_register(as_of: date, at: datetime) -> None:
    """What was decided about the register on the platform; the scope must be everything. Before the figures are
    counted: a unit that rests is not among them."""
    with connection.cursor() as cursor:
        cursor.execute(_SUSPENDED, {"today": as_of})
    by = platform(frozenset({Permission.KEEP_REGISTER}))
    entries = Obligation.objects.filter(is_void=False, delisted_on=None).select_related("enterprise")
    first: dict[UUID, Obligation] = {}
    twice = 0
    listed_twice = entries.values("enterprise_id").annotate(n=Count("id")).filter(n=2).values("enterprise_id")
    for entry in entries.filter(enterprise__in=listed_twice).order_by("listed_on", "enterprise__uscc"):
        if entry.enterprise_id not in first:
            first[entry.enterprise_id] = entry
            continue
        if twice % MERGED == 0:
            merge_entries(entry, by=by, at=at, into=first[entry.enterprise_id])
        twice += 1


def load_cover(as_of: date, at: datetime) -> None:
    """Set-based; the scope must be everything."""
    calendar = load_calendar()

    def back(days: int) -> date:
        return calendar.add_workdays(as_of, -days)

    early, reminded = back(9), back(3)
    words = {
        "today": as_of,
        "early": at - (as_of - early),
        "reminded": at - (as_of - reminded),
        "replied": at - timedelta(days=1),
        "early_due": REPLY_FINDING.due_at(early, calendar=calendar),
        "due": REPLY_FINDING.due_at(reminded, calendar=calendar),
        "decide": DECIDE_DISPUTE.due_at(reminded, calendar=calendar),
    }
    look_for_findings(at=at)
    with connection.cursor() as cursor:
        for sql in (_OTHERS, _HANDLED, _NOTES, _SOURCES, _DISPUTES):
            cursor.execute(sql, words)
    look_for_findings(at=at)

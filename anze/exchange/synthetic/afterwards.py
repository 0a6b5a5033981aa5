"""What comes after services on the platform itself: ratings, a quality sample, reports of the
demonstration's enterprise."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from anze.exchange.synthetic.claims_work import speak_for_enterprises
from anze.exchange.synthetic.photos import REPORTED
from anze.exchange.synthetic.settling import settle
from anze.kernel.actor import platform
from anze.kernel.drawing import Draw
from anze.kernel.duty import beijing_day
from anze.parties.models import Membership
from anze.parties.rules import Permission, Role
from anze.prevention.actions.quality import draw_sample, fix_population
from anze.prevention.actions.reports import issue_report
from anze.prevention.models import Report, Service

BASE = "http://localhost:8000"
DRAWN = 12

# a third of the confirmed services is rated some days later, mostly as the follow-up said
RATINGS = """
INSERT INTO prevention_rating (service_id, enterprise_id, insurer_id, agency_id, region_code, sector, stars, comment,
    rated_on, quarter)
SELECT id, enterprise_id, insurer_id, agency_id, region_code, sector,
    greatest(1, least(5, coalesce(satisfaction, 4) - (abs(hashtext(service_no)) %% 7 = 0)::int * 2)),
    CASE abs(hashtext(service_no)) %% 11 WHEN 0 THEN '讲解清楚，建议可行' WHEN 1 THEN '走得太快，没有到所有车间' ELSE '' END,
    day, extract(year FROM day) || 'Q' || extract(quarter FROM day)
FROM (SELECT *, confirmed_on + abs(hashtext(service_no)) %% 5 AS day FROM prevention_service
      WHERE NOT is_void AND confirmation <> 'NONE' AND abs(hashtext(service_no)) %% 3 = 0) s
WHERE day <= %s
"""


def record_on_platform(at: datetime) -> None:
    """Set-based, but for the few files; the scope must be everything."""
    today = beijing_day(at)
    with connection.cursor() as cursor:
        cursor.execute(RATINGS, [today])
    settle(at)
    speak_for_enterprises(at)
    by = platform(frozenset({Permission.CHECK_QUALITY}))
    first = today - timedelta(days=90)
    count = Service.objects.filter(performed_on__range=(first, today), is_void=False).count()
    if count:
        draw = Draw("服务质量抽查（演示）", first, today, min(DRAWN, count))
        sample = fix_population(draw, by=by, at=at)
        draw_sample(sample, by=by, at=at, seed="07 11 23 28 30 31", source="演示用种子")


def issue_reports(at: datetime) -> None:
    """Reports of the last services at the demonstration's enterprise, with the photos that are there by then."""
    by = platform(frozenset({Permission.ISSUE_REPORTS}))
    enterprises = Membership.objects.filter(role=Role.ENTERPRISE).values("enterprise_id")
    services = Service.objects.filter(enterprise_id__in=enterprises, is_void=False).order_by("-performed_on")
    for service in services[:REPORTED]:
        if not Report.objects.filter(service=service).exists():
            issue_report(service, by=by, at=at, base=BASE)

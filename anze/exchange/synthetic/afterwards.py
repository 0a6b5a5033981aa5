"""What comes after services and claims on the platform itself: ratings, samples drawn for review, reports of the
demonstration's enterprise."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection

from anze.claims.actions.samples import ClaimDraw, draw_claims, fix_claims, mark_review
from anze.claims.models import Claim, ClaimReview
from anze.claims.rules.samples import REVIEW_SHEET, SampleKind
from anze.exchange.synthetic.claims_work import speak_for_enterprises
from anze.exchange.synthetic.photos import REPORTED
from anze.exchange.synthetic.settling import settle
from anze.kernel.actor import platform
from anze.kernel.drawing import Draw, Marks
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.parties.models import Membership
from anze.parties.rules import Permission, Role
from anze.prevention.actions.quality import draw_sample, fix_population
from anze.prevention.actions.reports import issue_report
from anze.prevention.models import Report, Service

BASE = "http://localhost:8000"
DRAWN = 12
SEED, SEED_SOURCE = "07 11 23 28 30 31", "演示用种子"

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
        draw_sample(sample, by=by, at=at, seed=SEED, source=SEED_SOURCE)
    _review_claims(at)


def _review_claims(at: datetime) -> None:
    """One sample drawn, with one of its claims sent back; one whose seed is still awaited."""
    today = beijing_day(at)
    by = replace(platform(frozenset({Permission.REVIEW_CLAIMS})), name="示例复核人")
    first = today - timedelta(days=180)
    count = Claim.objects.filter(notified_at__gte=at - timedelta(days=179), is_void=False).count()
    if not count:
        return
    size = min(DRAWN, count)
    sample = fix_claims(ClaimDraw("赔案随机抽查（演示）", first, today, size, SampleKind.RANDOM), by=by, at=at)
    draw_claims(sample, by=by, at=at, seed=SEED, source=SEED_SOURCE)
    full = {line.code: line.points for line in REVIEW_SHEET}
    returned = Marks({**full, "documents": 2}, passes=False, reasons="卷宗中缺少一次性告知书，请补充")
    for review, marks in zip(
        ClaimReview.objects.filter(sample=sample).order_by("rank"), (Marks(full), returned), strict=False
    ):
        mark_review(review, by=by, at=at, marks=marks)
    with suppress(Refused):  # in a very small province no amount may stand apart
        fix_claims(ClaimDraw("金额偏离赔案抽查（演示）", first, today, 1, SampleKind.VARIANCE), by=by, at=at)


def issue_reports(at: datetime) -> None:
    """Reports of the last services at the demonstration's enterprise, with the photos that are there by then."""
    by = platform(frozenset({Permission.ISSUE_REPORTS}))
    enterprises = Membership.objects.filter(role=Role.ENTERPRISE).values("enterprise_id")
    services = Service.objects.filter(enterprise_id__in=enterprises, is_void=False).order_by("-performed_on")
    for service in services[:REPORTED]:
        if not Report.objects.filter(service=service).exists():
            issue_report(service, by=by, at=at, base=BASE)

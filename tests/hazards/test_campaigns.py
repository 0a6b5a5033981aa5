"""A campaign from its setting up to its end, and what each side sees of it."""

from __future__ import annotations

from datetime import date

from django.urls import reverse

from anze.hazards.models import Attendance, Campaign, CampaignEnterprise, Figures, figures_of
from anze.kernel.scope import widened
from anze.parties.rules import Role
from tests.cast import XINGHUO, YUANFAN
from tests.web.conftest import browser_of, put_down  # noqa: F401 - fixtures

NEW = {
    "code": "AL-2026", "title": "示例专项行动", "about": "诊断", "starts_on": "2026-03-01", "ends_on": "2026-12-31",
    "sectors": ["SMELT"], "industries": "", "checklist_code": "",
}  # fmt: skip


def test_a_campaign_is_set_up_started_attended_and_ended(cast, found, people, browser_of):  # noqa: F811 - fixture
    province, insurer, expert = (browser_of(r) for r in (Role.PROVINCE_REGULATOR, Role.INSURER_CLERK, Role.EXPERT))
    assert province.post(reverse("campaign-new"), NEW).status_code == 302
    campaign = Campaign.objects.get()
    assert province.post(reverse("campaign-start", args=[campaign.pk])).status_code == 302
    listed = CampaignEnterprise.objects.get()
    assert (listed.enterprise_id, listed.insurer_id, listed.reason) == (cast.xinghuo.pk, cast.huaihai.pk, "FILTER")
    group = {"name": "济南组", "leader": "EXP001", "members": "EXP002", "region_code": "370100"}
    assert province.post(reverse("campaign-group", args=[campaign.pk]), group).status_code == 302
    there = {"enterprise": XINGHUO, "on": "2026-11-02", "names": "示例甲\n示例乙", "helps": "on"}
    attend = reverse("campaign-attend", args=[campaign.pk])
    assert insurer.post(attend, there).status_code == 302
    assert insurer.post(attend, there).status_code == 302  # twice is once
    assert insurer.post(attend, there | {"enterprise": YUANFAN}).status_code == 422
    assert insurer.post(attend, there | {"on": "2026-02-01"}).status_code == 422
    closed = {
        "rectified_on": "2026-11-18",
        "verified_on": "2026-11-18",
        "verifier": "INSURER",
        "closed_on": "2026-11-18",
    }
    found(campaign_code="AL-2026", hazard_class="MAJOR", state="CLOSED", **closed)
    found(hazard_no="H2", campaign_code="AL-2026")
    expected = Figures(
        enterprises=1, visited=1, insurers=1, person_times=2, helping=2, hazards=2, major=1, rectified=1,
        major_rectified=1, helped=0,
    )  # fmt: skip
    assert figures_of(campaign) == expected
    for who, times in (("insurer", 2), ("expert", 2), ("enterprise", 2), ("city", 2), ("other_insurer", 0)):
        with widened(people[who].scope):
            assert Attendance.objects.count() == times, who
    for browser in (province, insurer, expert):
        page = browser.get(reverse("campaign", args=[campaign.pk])).content.decode()
        assert "济南组" in page
    end = province.post(reverse("campaign-end", args=[campaign.pk]), {"result": "全部整改"})
    assert end.status_code == 302
    campaign.refresh_from_db()
    assert (campaign.state, campaign.result) == ("CLOSED", "全部整改")
    assert insurer.post(attend, there).status_code == 422


def test_who_runs_and_who_attends(cast, found, browser_of):  # noqa: F811 - the fixture
    campaign = Campaign.objects.create(
        code="X", title="示例", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31), state="RUNNING"
    )
    for role in (Role.INSURER_CLERK, Role.EXPERT, Role.ENTERPRISE, Role.COUNTY_REGULATOR):
        browser = browser_of(role)
        assert browser.get(reverse("campaign-new")).status_code == 403, role
        assert browser.get(reverse("campaign", args=[campaign.pk])).status_code == 200, role
    assert browser_of(Role.COMMITTEE).get(reverse("campaign-attend", args=[campaign.pk])).status_code == 403


def test_a_campaigns_hazard_says_who_helped(found, people):
    from tests.hazards.test_steps import take

    hazard = found(campaign_code="AL-2026")
    take("assist", hazard, people["insurer"])
    assert hazard.steps.get().to_whom == "示例负责人"

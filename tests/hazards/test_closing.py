"""The closing report of a campaign: figures as they are published, signed, checked by anybody, issued anew."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from pypdf import PdfReader

from anze.hazards.actions.closing import draft_of, issue_closing
from anze.hazards.models import Attendance, Campaign, CampaignEnterprise, CampaignReport
from anze.kernel.refusal import Refused
from anze.parties.rules import Role
from anze.prevention.actions.reports import file_of
from tests.cast import NOW
from tests.hazards.test_steps import take
from tests.web.conftest import Browser, browser_of, put_down  # noqa: F401 - fixtures
from tools.verify_report import LINE, check_line

BASE = "https://anze.example"
CLOSED = {"rectified_on": "2026-11-18", "verified_on": "2026-11-18", "verifier": "INSURER", "closed_on": "2026-11-18"}


@pytest.fixture(autouse=True)
def kept_apart(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "evidence": {**settings.STORAGES["evidence"], "OPTIONS": {"location": str(tmp_path)}},
    }


@pytest.fixture
def campaign(cast, found, people) -> Campaign:
    """Three person-times of one insurer at one enterprise; four hazards, one of them major, two rectified."""
    made = Campaign.objects.create(
        code="AL-2026", title="示例深井铸造专项", starts_on=date(2026, 3, 1), ends_on=date(2026, 11, 20), state="CLOSED",
        closed_on=date(2026, 11, 20), result="重大隐患已全部销号。", authority=cast.province, sectors=["SMELT"],
    )  # fmt: skip
    side = {
        "campaign": made,
        "enterprise": cast.xinghuo,
        "insurer": cast.huaihai,
        "region_code": "370102",
        "sector": "SMELT",
    }
    CampaignEnterprise.objects.create(reason="FILTER", **side)
    for name, helps in (("示例甲", True), ("示例乙", True), ("示例丙", False)):
        Attendance.objects.create(on=date(2026, 11, 2), name=name, helps=helps, **side)
    found(campaign_code="AL-2026", hazard_class="MAJOR", criterion_code="AL-3", state="CLOSED", **CLOSED)
    found(hazard_no="H2", campaign_code="AL-2026", state="CLOSED", **CLOSED)
    found(hazard_no="H3", campaign_code="AL-2026")
    take("assist", found(hazard_no="H4", campaign_code="AL-2026"), people["insurer"])
    return made


def words_of(pdf: bytes) -> str:
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def issue(campaign, people, cast, at=NOW, language="zh-hans") -> CampaignReport:
    from anze.kernel.actor import platform
    from anze.parties.rules import Permission

    by = platform(frozenset({Permission.RUN_CAMPAIGNS}))
    return issue_closing(campaign, by=by, at=at, base=BASE, language=language)


def test_it_says_the_figures_in_the_shape_in_which_they_are_published(cast, campaign, people):
    report = issue(campaign, people, cast)
    facts = {part["name"]: dict(part["facts"]) for part in report.content["parts"] if "facts" in part}
    assert list(facts["figures"].values()) == ["1", "3", "2", "1", "1", "4", "2", "1", "1", "1"]
    tables = {part["name"]: part["table"]["rows"] for part in report.content["parts"] if "table" in part}
    assert tables["insurers"] == [[str(cast.huaihai), "3", "2", "4", "1", "2", "1"]]
    assert [row[1:] for row in tables["cities"]] == [["1", "1", "4", "1", "2"]]
    assert [(row[0], *row[2:]) for row in tables["major"]] == [("AL-3", "1", "1")]
    assert "应急管理部令第10号" in tables["major"][0][1]
    with file_of(report) as file:
        text = words_of(file.read())
    for word in ("示例深井铸造专项", "重大隐患已全部销号", str(cast.huaihai), report.number, report.check_code):
        assert re.sub(r"\s+", "", word) in text, word


def test_it_is_signed_and_the_file_is_kept_by_its_digest(cast, campaign, people):
    report = issue(campaign, people, cast)
    with file_of(report) as file:
        pdf = file.read()
    assert hashlib.sha256(pdf).hexdigest() == report.file_sha256
    assert LINE.search(pdf)[0].decode() == report.signed
    answer = check_line(report.signed, Browser().get(reverse("signing-keys-json")).json())
    assert answer.is_valid
    assert answer.named() == {
        "number": report.number, "issue": "1", "date": "2026-11-23", "campaign": "AL-2026",
        "content_sha256": report.content_sha256,
    }  # fmt: skip


def test_the_sum_of_the_parts_is_the_whole(cast, campaign, people):
    content = issue(campaign, people, cast).content
    tables = {part["name"]: part["table"]["rows"] for part in content["parts"] if "table" in part}
    facts = next(list(dict(part["facts"]).values()) for part in content["parts"] if part["name"] == "figures")
    for column, fact in ((1, 1), (2, 2), (3, 5), (4, 7), (5, 6), (6, 9)):
        assert sum(int(row[column]) for row in tables["insurers"]) == int(facts[fact])
    for column, fact in ((1, 3), (2, 4), (3, 5), (4, 7), (5, 6)):
        assert sum(int(row[column]) for row in tables["cities"]) == int(facts[fact])


def test_issued_twice_it_is_one_and_after_a_hazard_was_closed_a_new_issue_takes_its_place(
    cast, found, campaign, people
):
    first = issue(campaign, people, cast)
    assert issue(campaign, people, cast) == first
    found(hazard_no="H3", campaign_code="AL-2026", state="CLOSED", **CLOSED)
    second = issue(campaign, people, cast, at=NOW + timedelta(hours=1))
    assert (second.issue, CampaignReport.objects.count()) == (2, 2)
    page = Browser().get(reverse("verify-campaign", args=[first.number]), {"c": first.check_code}).content.decode()
    assert "被后来" in page or "替代" in page or "replaced" in page
    assert str(second.issued_on) in page


def test_only_an_ended_campaign_has_one_and_before_there_is_a_draft(cast, campaign, people):
    Campaign.objects.filter(pk=campaign.pk).update(state="RUNNING", closed_on=None)
    campaign.refresh_from_db()
    with pytest.raises(Refused, match="campaign_not_ended"):
        issue(campaign, people, cast)
    assert "草稿" in words_of(draft_of(campaign, "zh-hans", NOW))
    assert not CampaignReport.objects.exists()


def test_from_the_page_of_the_campaign_to_the_check_by_anybody(cast, campaign, people, browser_of):  # noqa: F811 - fixture
    province = browser_of(Role.PROVINCE_REGULATOR)
    there = reverse("campaign", args=[campaign.pk])
    assert reverse("campaign-report-issue", args=[campaign.pk]) in province.get(there).content.decode()
    assert province.get(reverse("campaign-report-draft", args=[campaign.pk])).content.startswith(b"%PDF")
    assert province.post(reverse("campaign-report-issue", args=[campaign.pk])).status_code == 302
    report = CampaignReport.objects.get()
    file = province.get(reverse("campaign-report-file", args=[report.pk]))
    assert b"".join(file.streaming_content).startswith(b"%PDF")
    # the whole province's figures are not an insurer's or a city's to see
    for role in (Role.INSURER_MANAGER, Role.CITY_REGULATOR, Role.ENTERPRISE, Role.EXPERT):
        browser = browser_of(role)
        assert browser.get(reverse("campaign-report-file", args=[report.pk])).status_code in (403, 404), role
        assert browser.post(reverse("campaign-report-issue", args=[campaign.pk])).status_code == 403, role
        assert report.number not in browser.get(there).content.decode(), role
    anybody = Browser()
    found = anybody.get(reverse("verify"), {"number": report.number, "c": report.check_code})
    assert found.status_code == 302
    page = anybody.get(found["Location"]).content.decode()
    assert report.file_sha256 in page
    assert anybody.get(reverse("verify-campaign", args=[report.number]), {"c": "WRONG234"}).status_code == 404

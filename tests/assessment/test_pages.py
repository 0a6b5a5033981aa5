"""The pages of a published assessment and of one in review, opened by those they are for."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from anze.assessment.actions import load_schemes
from anze.assessment.actions.course import Draw, compute, open_review
from anze.assessment.actions.results import Sums
from anze.assessment.actions.supervision import put_in_tiers
from anze.assessment.models import (
    Appeal,
    Campaign,
    ConductCase,
    Outcome,
    ReviewItem,
    Scheme,
    SchemeCopy,
    SelfReport,
    Supervised,
    Tally,
)
from anze.assessment.rules import Measure
from anze.assessment.rules import score as scored
from anze.assessment.rules.scoring import points_of
from anze.assessment.screens.results import explanation, gain_of
from anze.assessment.screens.words import formula_text
from anze.evidence.models import Media
from anze.parties.rules import Role
from anze.prevention.models import Service
from anze.underwriting.models import InsurerProfile
from tests.assessment.conftest import AT, BY, begin
from tests.assessment.test_course import computed, published  # noqa: F401 - fixtures
from tools.draw_sample import draw

LISTS = ("assessments", "schemes", "self-reports", "review-items", "appeals", "conduct-cases", "assessment-forecast")


def text(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_everybody_reads_the_published_result_without_signing_in(world, published, client):  # noqa: F811
    page = text(client.get(reverse("assessment-published", args=[published.code])))
    assert "淮海示例财产保险" in page
    assert published.manifest_sha256 in page
    assert "77,777.77" not in page
    assert "SS-INSURER" in page
    assert "重点监管对象，反馈专委会" in page
    data = client.get(reverse("assessment-data", args=[published.code]))
    assert "INS02" in data.content.decode("utf-8-sig")
    pdf = client.get(reverse("assessment-pdf", args=[published.code]))
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages)
    assert published.manifest_sha256 in words.replace("\n", "")
    assert "反馈专委会" in words.replace("\n", "")
    assert text(client.get(reverse("assessment-manifest", args=[published.code]))).startswith("{")


def test_anybody_takes_population_and_sample_and_draws_again(world, published, browser_of, client):  # noqa: F811
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    page = text(client.get(reverse("assessment-published", args=[published.code])))
    assert f"{published.seed}/INS01" in page
    population, sample = (
        client.get(reverse("assessment-draw", args=[published.code, "INS01"]), {"part": part}).content
        for part in ("population", "sample")
    )
    again = draw(population, f"{published.seed}/INS01", published.sample_each)
    assert sample.decode().split() == [each for rank, row in enumerate(again, 1) for each in (str(rank), *row)]
    assert again
    insurer = browser_of(Role.INSURER_MANAGER)
    assert f"{published.seed}/INS01" in text(insurer.get(reverse("assessment-result", args=[own.pk])))
    taken = insurer.get(reverse("assessment-result-draw", args=[own.pk]), {"part": "population"})
    assert taken.content == population
    assert client.get(reverse("assessment-draw", args=[published.code, "nobody"])).status_code == 404


def test_a_rank_is_told_among_all_before_the_others_are_seen(world, computed, browser_of):  # noqa: F811
    Outcome.objects.filter(campaign=computed, region_code="370000").update(rank=2, why_not="")
    own = Outcome.objects.get(campaign=computed, insurer_id=world.huaihai.pk, region_code="370000")
    page = text(browser_of(Role.INSURER_MANAGER).get(reverse("assessment-result", args=[own.pk])))
    assert re.search(r"共\s*2", page)


def test_rows_show_the_photos_behind_them_to_those_who_may_see_photos(world, published, browser_of):  # noqa: F811
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    service = Service.objects.get(service_no="S-OWN7")
    photo = Media.objects.filter(enterprise=world.xinghuo, kind="PHOTO").first()
    assert photo is not None
    Media.objects.filter(pk=photo.pk).update(subject=service.pk, subject_kind="service")
    address = reverse("assessment-result-rows", args=[own.pk])
    asked = {"element": "B2", "part": "counted"}
    shown = reverse("media-small", args=[photo.pk])
    page = text(browser_of(Role.INSURER_MANAGER).get(address, asked))
    assert "S-OWN7" in page
    assert shown in page
    assert shown not in text(browser_of(Role.FINANCIAL_REGULATOR).get(address, asked))


def test_the_explanation_shows_photos_and_papers_to_those_who_may_see_photos(world, published, browser_of):  # noqa: F811
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    report, service = SelfReport.objects.get(outcome=own), Service.objects.get(service_no="S-OWN7")
    photo, paper = Media.objects.filter(insurer=world.huaihai, kind="PHOTO")[:2]
    address, manager = reverse("assessment-result", args=[own.pk]), browser_of(Role.INSURER_MANAGER)
    text(manager.get(address))  # once before, so that what is kept is kept
    with CaptureQueriesContext(connection) as before:
        assert "small.jpg" not in text(manager.get(address))
    Media.objects.filter(pk=photo.pk).update(subject=service.pk, subject_kind="service")
    Media.objects.filter(pk=paper.pk).update(subject=report.pk, subject_kind="self-report", file_name="任命文件.png")
    with CaptureQueriesContext(connection) as after:
        page = text(manager.get(address)).split("逐项得分")[1]
    assert len(after) == len(before)
    of_b1 = page.split("B1</span>")[1].split("B2</span>")[0]
    of_b2 = page.split("B2</span>")[1].split("B3</span>")[0]
    assert reverse("media", args=[paper.pk]) in of_b1
    assert "任命文件.png" in of_b1  # read out instead of the picture
    assert reverse("media-small", args=[photo.pk]) in of_b2
    assert re.search(r'alt="[^"]+ · S-OWN7"', of_b2)
    without = browser_of(Role.FINANCIAL_REGULATOR)
    for browser in (without, browser_of(Role.INSURER_MANAGER, other=True)):
        page = text(browser.get(address))
        assert str(photo.pk) not in page
        assert str(paper.pk) not in page
    # nor pictures that would not load, where the papers themselves are listed
    assert str(paper.pk) not in text(without.get(reverse("self-report", args=[report.pk])))


def test_nothing_is_published_before_it_is(world, computed, client):  # noqa: F811
    for name in ("assessment-published", "assessment-data", "assessment-pdf", "assessment-manifest"):
        assert client.get(reverse(name, args=[computed.code])).status_code == 404


@pytest.mark.parametrize("role", [Role.PROVINCE_REGULATOR, Role.INSURER_MANAGER, Role.CITY_REGULATOR])
def test_pages_open_for_those_they_are_for(world, published, browser_of, role):  # noqa: F811
    browser = browser_of(role)
    for name in LISTS:
        assert browser.get(reverse(name)).status_code == 200, name
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    foreign = Outcome.objects.get(campaign=published, insurer_id=world.bohai.pk, region_code="370000")
    for pk in (own.pk, foreign.pk):
        assert browser.get(reverse("assessment-result", args=[pk])).status_code == 200
    assert browser.get(reverse("assessment", args=[published.pk])).status_code == 200
    assert browser.get(reverse("scheme", args=[published.scheme_id])).status_code == 200


def test_an_insurer_opens_his_rows_and_not_those_of_another(world, published, browser_of):  # noqa: F811
    browser = browser_of(Role.INSURER_MANAGER)
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    foreign = Outcome.objects.get(campaign=published, insurer_id=world.bohai.pk, region_code="370000")
    rows = browser.get(reverse("assessment-result-rows", args=[own.pk]), {"element": "A1", "part": "counted"})
    assert "P-OWN7" in text(rows)
    assert browser.get(reverse("assessment-result-rows", args=[foreign.pk])).status_code == 404
    page = text(browser.get(reverse("assessment-result", args=[foreign.pk])))
    assert "P-FRGN9" not in page
    assert "77,777.77" not in page


def test_single_records_have_their_pages(world, published, browser_of):  # noqa: F811
    browser = browser_of(Role.PROVINCE_REGULATOR)
    for model, name in ((SelfReport, "self-report"), (ReviewItem, "review-item"), (Appeal, "appeal")):
        row = model.objects.first()
        assert browser.get(reverse(name, args=[row.pk])).status_code == 200, name
    assert browser.get(reverse("assessment-what-if")).status_code == 200
    assert "INS" not in text(browser.get(reverse("assessment-fairness"), {"input": "nonsense"}))[:50]
    assert not ConductCase.objects.exists()


def test_branches_agencies_and_experts_are_compared_as_insurers_are(world, published, browser_of):  # noqa: F811
    browser, address = browser_of(Role.PROVINCE_REGULATOR), reverse("assessment-fairness")
    whole = text(browser.get(address, {"campaign": str(published.pk), "input": "policy_compliance"}))
    assert whole.count(world.huaihai.name) >= 1
    assert f"{world.huaihai.name} · 济南市" not in whole
    cities = text(browser.get(address, {"campaign": str(published.pk), "input": "policy_compliance", "level": "CITY"}))
    assert f"{world.huaihai.name} · 济南市" in cities
    for code, party in (("EXAMPLE-AGENCY", world.agency), ("EXAMPLE-EXPERT", world.expert)):
        campaign = compute(begin(code), by=BY, at=AT)
        page = text(browser.get(address, {"campaign": str(campaign.pk), "level": "CITY"}))
        assert party.name in page.split("<tbody")[1], code
        assert "样本过少，不参与排名" in page, code
        assert 'data-chart="funnel"' in page, code
    empty = text(browser.get(address, {"campaign": str(campaign.pk), "input": "expert_orders"}))
    assert 'data-chart="funnel"' not in empty


def test_the_list_says_of_nobody_that_reports_are_awaited_whom_nobody_asks_for_any(world, browser_of):
    campaign = compute(begin("EXAMPLE-AGENCY"), by=BY, at=AT)
    browser = browser_of(Role.PROVINCE_REGULATOR)
    assert "自评" not in text(browser.get(reverse("assessments"))).split("<tbody")[1].split("</tbody>")[0]
    assert "已计算，待复核" in text(browser.get(reverse("assessment", args=[campaign.pk])))


def test_moved_weights_move_no_published_score(world, published, browser_of):  # noqa: F811
    browser = browser_of(Role.COMMITTEE)
    before = dict(Outcome.objects.values_list("pk", "score"))
    page = browser.get(reverse("assessment-what-if"), {"campaign": str(published.pk), "w_B1": "50", "seed": "1"})
    assert page.status_code == 200
    kept = browser.post(
        reverse("assessment-what-if"), {"campaign": str(published.pk), "w_B1": "50", "title": "加重服务保障"}
    )
    assert kept.status_code == 302
    assert dict(Outcome.objects.values_list("pk", "score")) == before
    assert "加重服务保障" in text(browser.get(reverse("assessment-what-if"), {"campaign": str(published.pk)}))
    other = browser_of(Role.PROVINCE_REGULATOR)
    assert "加重服务保障" not in text(other.get(reverse("assessment-what-if"), {"campaign": str(published.pk)}))


def test_moved_thresholds_give_new_grades_and_a_faulty_one_is_said(world, published, browser_of):  # noqa: F811
    browser, address = browser_of(Role.COMMITTEE), reverse("assessment-what-if")
    asked = {"campaign": str(published.pk)}
    assert "所设阈值" not in text(browser.get(address, {**asked, "g_B": "79", "g_A": "91"}))
    assert "所设阈值" in text(browser.get(address, {**asked, "g_B": "99", "g_A": "91"}))
    assert browser.post(address, {**asked, "g_C": "2.5", "title": "门槛放宽"}).status_code == 302
    copy = SchemeCopy.objects.get()
    assert 'value="2.5"' in text(browser.get(address, {**asked, "copy": str(copy.pk)}))
    assert [each["at_least"] for each in published.scheme.content["grades"] if each["code"] == "C"] != ["2.5"]


def test_a_scheme_is_loaded_compared_and_issued_by_page(world, browser_of):
    browser = browser_of(Role.COMMITTEE)
    first = Scheme.objects.get(code="EXAMPLE-INSURER")
    content = browser.get(reverse("scheme-file", args=[first.pk])).content.decode()
    assert (
        browser.post(reverse("scheme-new"), {"file": SimpleUploadedFile("s.json", content.encode())}).status_code == 422
    )
    second = (
        content.replace('"version": 1', '"version": 2').replace('"0.60"', '"0.50"').replace("2018-01-01", "2027-01-01")
    )
    made = browser.post(reverse("scheme-new"), {"file": SimpleUploadedFile("s.json", second.encode())})
    assert made.status_code == 302
    scheme = Scheme.objects.get(code="EXAMPLE-INSURER", version=2)
    page = text(browser.get(reverse("scheme", args=[scheme.pk])))
    assert "[C1].curve.anchors" in page
    assert browser.post(reverse("scheme-issue", args=[scheme.pk])).status_code == 302
    scheme.refresh_from_db()
    assert scheme.state == "ISSUED"


def test_a_new_edition_is_offered_and_moves_nothing_that_was_assessed(world, published, browser_of):  # noqa: F811
    old = Scheme.objects.get(code="EXAMPLE-INSURER")
    content = {**old.content, "grades": [{**each, "use": {"zh": "", "en": ""}} for each in old.content["grades"]]}
    for each in content["grades"]:
        each.pop("supervision")  # as the edition before had it
    Scheme.objects.filter(pk=old.pk).update(content=content)
    before = list(Outcome.objects.order_by("pk").values_list("pk", "score", "grade", "rank"))
    load_schemes()
    load_schemes()
    offered = Scheme.objects.get(code="EXAMPLE-INSURER", version=2)
    assert (offered.state, offered.valid_from.isoformat()) == ("DRAFT", "2027-01-01")
    assert Scheme.objects.count() == 4  # the others had nothing new
    committee = browser_of(Role.COMMITTEE)
    assert reverse("scheme", args=[offered.pk]) in text(committee.get(reverse("schemes"), {"state": "DRAFT"}))
    page = text(committee.get(reverse("scheme", args=[offered.pk])))
    assert "[A].use.zh" in page
    assert "[D].supervision.checks_a_year" in page
    assert committee.post(reverse("scheme-issue", args=[offered.pk])).status_code == 302
    load_schemes()
    assert Scheme.objects.count() == 4
    old.refresh_from_db()
    published.refresh_from_db()
    assert (old.content, published.scheme_id) == (content, old.pk)
    assert list(Outcome.objects.order_by("pk").values_list("pk", "score", "grade", "rank")) == before


def test_a_published_grade_leads_to_a_tier_until_the_next_result(world, computed, request, browser_of):  # noqa: F811
    few = Outcome.objects.get(campaign=computed, insurer_id=world.bohai.pk, region_code="370000")
    assert not Supervised.objects.exists()  # computed is not published
    campaign = request.getfixturevalue("published")
    assert not Supervised.objects.exists()  # those who have too few are not graded
    own = Outcome.objects.get(campaign=campaign, insurer_id=world.huaihai.pk, region_code="370000")
    Outcome.objects.filter(pk=own.pk).update(why_not="", grade="C", rank=1)
    put_in_tiers(campaign, at=AT)
    made = Supervised.objects.get()
    assert (made.organisation, made.tier, made.checks_a_year, made.until_on) == (world.huaihai, "3", 4, None)
    readers = [browser_of(role) for role in (Role.PROVINCE_REGULATOR, Role.INSURER_MANAGER)]
    for reader in readers:
        page = text(reader.get(reverse("supervision-tiers"), {"tier": "3"}))
        assert "淮海示例" in page.split("<tbody")[1]
        assert "平台默认" in page  # the frequency is nobody's but the platform's, and says so
        assert "平台默认" not in text(reader.get(reverse("supervision-tiers"), {"tier": "1"}))
    committee = browser_of(Role.COMMITTEE)
    for address in (reverse("insurer", args=[world.huaihai.pk]), reverse("assessment-result", args=[own.pk])):
        assert "每年检查4次" in text(committee.get(address)), address
    waiting = {"feedback": "waiting"}
    assert "淮海示例" in text(committee.get(reverse("supervision-tiers"), waiting))
    words = {"text": "请报改进措施", "is_to_be_answered": "on"}
    assert committee.post(reverse("assessment-result-feedback", args=[own.pk]), words).status_code == 302
    assert "淮海示例" not in text(committee.get(reverse("supervision-tiers"), waiting))
    assert "淮海示例" in text(committee.get(reverse("supervision-tiers"), {"feedback": "awaited"}))
    answer = {"answer": "年底前补做服务"}
    assert readers[1].post(reverse("assessment-result-answer", args=[own.pk]), answer).status_code == 302
    assert "淮海示例" not in text(committee.get(reverse("supervision-tiers"), {"feedback": "awaited"}))
    assert "淮海示例" in text(committee.get(reverse("supervision-tiers"), {"feedback": "answered"}))
    # the next result ends it, whether or not it leads to another; one of an earlier period published late does not
    Campaign.objects.filter(pk=campaign.pk).update(period_to="2027-06-30")
    later = Campaign.objects.get(pk=campaign.pk)
    later.pk, later.code, later.period_to = None, "LATER", date(2026, 6, 30)
    later.save(force_insert=True)
    Outcome.objects.filter(pk=few.pk).update(campaign=later, why_not="", grade="D")
    assert put_in_tiers(later, at=AT) == 0
    Campaign.objects.filter(pk=later.pk).update(period_to="2027-12-31")
    later.refresh_from_db()
    assert put_in_tiers(later, at=AT) == 1
    made.refresh_from_db()
    assert (made.until_on, made.state) == (AT.date(), "LEFT")  # nothing of him is assessed there
    assert Supervised.objects.get(until_on=None).organisation == world.bohai


def again(campaign: Campaign, year: int, *outcomes: Outcome, **different: str) -> Campaign:
    """The same assessment published for a later year, with copies of these results."""
    campaign.pk, campaign.code, campaign.title = None, f"Y{year}", f"{year}年度"
    campaign.period_to = date(year, 12, 31)
    campaign.save(force_insert=True)
    for outcome in outcomes:
        words = {field.name: getattr(outcome, field.name) for field in Outcome._meta.concrete_fields}
        Outcome.objects.create(**{**words, "id": None, "campaign": campaign, **different})
    return campaign


def test_whoever_is_not_graded_keeps_his_tier_and_says_so(world, published, browser_of):  # noqa: F811
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    Outcome.objects.filter(pk=own.pk).update(why_not="", grade="D", rank=1)
    put_in_tiers(published, at=AT)
    made = Supervised.objects.get()
    later = again(Campaign.objects.get(pk=published.pk), 2027, own)  # too few, as it was at first
    assert put_in_tiers(later, at=AT) == 0
    made.refresh_from_db()
    assert (made.tier, made.until_on, made.state, made.later_id) == ("4", None, "KEPT", later.pk)
    reader, kept = browser_of(Role.PROVINCE_REGULATOR), f"沿用“{published.title}”评定的等级"
    not_graded = Outcome.objects.get(campaign=later)
    for address in (reverse("insurer", args=[world.huaihai.pk]), reverse("assessment-result", args=[not_graded.pk])):
        assert kept in text(reader.get(address)), address
    assert "沿用" not in text(reader.get(reverse("assessment-result", args=[own.pk])))
    assert "淮海示例" in text(reader.get(reverse("supervision-tiers"), {"force": "kept"})).split("<tbody")[1]
    # graded again, he moves; the tier says what replaced it
    last = again(Campaign.objects.get(pk=later.pk), 2028, not_graded, why_not="", grade="B")
    assert put_in_tiers(last, at=AT) == 1
    made.refresh_from_db()
    assert (made.until_on, made.state, made.later_id) == (AT.date(), "REPLACED", last.pk)
    assert Supervised.objects.get(until_on=None).tier == "2"
    assert "沿用" not in text(reader.get(reverse("insurer", args=[world.huaihai.pk])))


def test_the_waterfall_leads_from_nothing_to_the_score(world, published):  # noqa: F811
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    own.bonus, own.deduction = Decimal(2), Decimal(4)
    own.score = (own.earned * 100 / own.possible + own.bonus - own.deduction).quantize(Decimal("0.01"))
    assert own.possible < 100
    chart = explanation(own, Tally.objects.get(outcome=own))["chart"]
    base, *parts = (series["data"] for series in chart["series"])
    steps = [sum(each[place] for each in parts) for place in range(len(base))]
    got, lost, unscored = parts
    assert sum(steps[:7]) == pytest.approx(100)  # the weights of the dimensions, all of them shown
    assert sum(unscored) == pytest.approx(float(100 - own.possible))
    assert sum(got[:-1]) - lost[-2] == pytest.approx(float(own.score), abs=0.01)
    assert base[-2] == pytest.approx(float(own.score), abs=0.01)
    assert got[-1] == float(own.score)


def test_a_formula_says_where_on_the_curve_a_measure_lies(world, published):  # noqa: F811
    scheme = published.scheme.text

    def formula(code: str, measure: str) -> str:
        element = scheme.element(code)
        return formula_text(element, points_of(element, Measure(Decimal(measure))))

    assert formula("C1", "0.5") == "50.00% ≤ 60%: 12 × 0% = 0.00"
    assert formula("C1", "0.99") == "99.00% ≥ 98%: 12 × 100% = 12.00"
    assert formula("C1", "0.79") == "12 × (79.00% − 60%) ÷ (98% − 60%) = 6.00"
    assert formula("E2", "0.13") == "10% ≤ 13.00% ≤ 21%: 3 × 100% = 3.00"
    assert formula("E2", "0.22") == "22.00% > 21%: 3 × 0% = 0.00"


def test_before_the_points_begin_it_is_told_how_many_records_are_missing(world, published):  # noqa: F811
    scheme, sums = published.scheme.text, {"policy_completeness": ["76", "88", 88, 0], "service_completion_rate": ["30", "40", 40, 0]}  # fmt: skip
    result = scored(scheme, Sums(sums, {}).as_measures())
    assert gain_of(scheme, "A1", sums, result)["said"] == "再整改4条记录可达到90%，自此开始得分"
    assert "每整改一条记录：+" in gain_of(scheme, "C1", sums, result)["said"]


def test_more_rows_are_drawn_of_those_closely_supervised(world, published, browser_of, client):  # noqa: F811
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    Outcome.objects.filter(pk=own.pk).update(why_not="", grade="C")
    put_in_tiers(published, at=AT)
    ReviewItem.objects.all().delete()
    Campaign.objects.filter(pk=published.pk).update(state="COMPUTED")
    committee = browser_of(Role.COMMITTEE)
    assert "三级 × 1.5、四级 × 2 · 平台默认" in text(committee.get(reverse("assessment-review", args=[published.pk])))
    open_review(Campaign.objects.get(pk=published.pk), by=BY, at=AT, draw=Draw("4 5 6", "公开号码", 3))
    assert ReviewItem.objects.filter(insurer_id=world.huaihai.pk).count() == 5  # 4.5, and no part of a row
    assert ReviewItem.objects.filter(insurer_id=world.bohai.pk).count() == 3
    assert "--size 5<" in text(committee.get(reverse("assessment-result", args=[own.pk])))
    # whoever draws again with what is published gets the same
    Campaign.objects.filter(pk=published.pk).update(state="PUBLISHED")
    page = text(client.get(reverse("assessment-published", args=[published.code])))
    line = page.split(reverse("assessment-draw", args=[published.code, "INS01"]))[-1]
    assert "（5 条）" in line.split("</li>")[0]
    population, sample = (
        client.get(reverse("assessment-draw", args=[published.code, "INS01"]), {"part": part}).content
        for part in ("population", "sample")
    )
    assert [key for key, _digest in draw(population, "4 5 6/INS01", 5)] == sample.decode().split()[1::3]


def test_elements_and_items_are_named_with_their_titles(world, published, browser_of):  # noqa: F811
    regulator = browser_of(Role.PROVINCE_REGULATOR)
    for language, element, item in (
        ("zh-hans", "B1 专职机构", "V2 出借、冒用证书"),
        ("en", "B1 Unit", "V2 A certificate lent"),
    ):
        regulator.cookies["language"] = language
        shown = text(regulator.get(reverse("appeals")))
        assert element in shown
        assert f'title="{element}' not in shown  # not cut off, for a phone shows nothing on hovering
        assert element in text(regulator.get(reverse("appeal", args=[Appeal.objects.get().pk])))
        assert element in text(regulator.get(reverse("assessment-published", args=[published.code])))
        assert item in text(regulator.get(reverse("conduct-case-new")))
    regulator.cookies["language"] = "zh-hans"
    # the same code is something else with insurers than with experts
    case = {"region": "370000", "happened_on": "2026-11-20", "document_no": "鲁示例〔2026〕9号", "text": "查实"}
    wrong = {**case, "organisation": str(world.huaihai.pk), "code": "EXPERT V2"}
    assert "该项属于专家的方案" in regulator.post(reverse("conduct-case-new"), wrong).content.decode()
    for about, title in (
        ({"organisation": str(world.huaihai.pk), "code": "INSURER V2"}, "V2 挪用费用"),
        ({"expert": world.expert.number, "code": "EXPERT V2"}, "V2 出借、冒用证书"),
    ):
        made = regulator.post(reverse("conduct-case-new"), case | about)
        assert made.status_code == 302
        assert title in text(regulator.get(made["Location"]))
        assert title in text(regulator.get(reverse("conduct-cases")))


def test_the_course_is_walked_by_its_pages(world, browser_of):
    committee, insurer = browser_of(Role.COMMITTEE), browser_of(Role.INSURER_MANAGER)
    campaign = compute(begin(), by=BY, at=AT)
    report = SelfReport.objects.get(insurer_id=world.huaihai.pk)
    made_of = io.BytesIO()
    Image.new("RGB", (320, 240), "white").save(made_of, "PNG")
    paper = SimpleUploadedFile("任命.png", made_of.getvalue(), "image/png")
    form = {"met_UNIT": "on", "text_UNIT": "鲁示例〔2026〕1号", "papers": paper}
    with time_machine.travel(AT, tick=True):
        assert insurer.get(reverse("self-report-submit", args=[report.pk])).status_code == 200
        assert insurer.post(reverse("self-report-submit", args=[report.pk]), form).status_code == 302
        own = Outcome.objects.get(campaign=campaign, insurer_id=world.huaihai.pk, region_code="370000")
        assert "自评材料已提交，自初评结果起计入" in text(insurer.get(reverse("assessment-result", args=[own.pk])))
        # the file is kept with the report, and whoever reviews sees it
        assert Media.objects.get(subject=report.pk).original.sha256 == hashlib.sha256(made_of.getvalue()).hexdigest()
        assert "evidence-grid" in text(committee.get(reverse("self-report", args=[report.pk])))
        # what is claimed stands at the item it is judged with
        claimed = text(committee.get(reverse("self-report-review", args=[report.pk])))
        assert re.search(r'id="id_met_UNIT_about">\s*<div class="form-hint">鲁示例〔2026〕1号', claimed)
        assert committee.post(reverse("self-report-review", args=[report.pk]), {"met_UNIT": "on"}).status_code == 302
        open_review(campaign, by=BY, at=AT, draw=Draw("1", "公开号码", 1))
        without_reasons = {"verdict": "SHORT", "reasons": ""}
        back = committee.post(reverse("review-item-judge", args=[ReviewItem.objects.first().pk]), without_reasons)
        assert back.status_code == 422  # the form again, as it was filled in
        assert re.search(r'value="SHORT"[^>]* checked', back.content.decode())
        for item in ReviewItem.objects.all():
            judged = committee.post(reverse("review-item-judge", args=[item.pk]), {"verdict": "AS_IT_IS"})
            assert judged.status_code == 302
        assert committee.post(reverse("assessment-announce", args=[campaign.pk])).status_code == 302
        own = Outcome.objects.get(campaign=campaign, insurer_id=world.huaihai.pk, region_code="370000")
        rows = text(insurer.get(reverse("assessment-result-rows", args=[own.pk]), {"element": "A1", "part": "counted"}))
        this = re.search(r'href="([^"]+)">就此记录申诉', rows)
        assert this is not None
        form = text(insurer.get(this[1].replace("&amp;", "&")))  # element and record stand there already
        assert re.search(r'value="A1"\s+selected', form)
        assert ">P-OWN7</textarea>" in form.replace("\n", "")
        assert "申诉截止" in form
        assert "就此记录申诉" not in text(committee.get(reverse("assessment-result-rows", args=[own.pk])))
        sent = insurer.post(reverse("assessment-result-appeal", args=[own.pk]), {"element": "B1", "text": "另附材料"})
        assert sent.status_code == 302
        made = Appeal.objects.get()
        decided = {"state": "GRANTED", "reasons": "属实", "items": ["UNIT", "TRAINING"]}
        second = browser_of(Role.PROVINCE_REGULATOR)
        assert second.get(reverse("appeal-decide", args=[made.pk])).status_code == 200
        assert second.post(reverse("appeal-decide", args=[made.pk]), decided).status_code == 302
        assert text(insurer.get(reverse("appeal", args=[made.pk])))
        assert Campaign.objects.get().state == "PROVISIONAL"


def test_the_distribution_stands_where_there_are_enough_results(world, published, browser_of):  # noqa: F811
    """Two insurers are ranked here: the list says more. With five there is a chart, and the same as a table."""
    committee, address = browser_of(Role.COMMITTEE), reverse("assessment", args=[published.pk])
    assert 'data-chart="spread"' not in text(committee.get(address))
    own = Outcome.objects.get(campaign=published, insurer_id=world.huaihai.pk, region_code="370000")
    Outcome.objects.filter(campaign=published, region_code="370000").update(why_not="")
    words = {field.name: getattr(own, field.name) for field in Outcome._meta.concrete_fields if field.name != "id"}
    words |= {"why_not": "", "rank": 9, "insurer_id": None}
    others = {world.agency: "61.00", world.other_agency: "83.20", world.committee: "91.55"}
    for other, score in others.items():
        Outcome.objects.create(**{**words, "organisation": other, "agency_id": other.pk, "score": score})
    shown = text(committee.get(reverse("assessment-published", args=[published.code])))
    assert 'data-chart="spread"' in shown
    for place in (address, f"{reverse('assessment-fairness')}?campaign={published.pk}"):
        page = text(committee.get(place))
        assert 'data-chart="spread"' in page
        assert "91.55" in page.split("得分分布")[1].split("</details>")[0]


def test_whoever_chooses_an_insurer_reads_its_published_grade(world, computed, request, browser_of):  # noqa: F811
    profile = InsurerProfile.objects.create(
        insurer=world.huaihai, promise="两小时到场", hotline="95500", sectors=["SMELT"], updated_on=AT.date(),
    )  # fmt: skip
    enterprise = browser_of(Role.ENTERPRISE)
    page = reverse("insurer-profile", args=[profile.pk])
    assert "尚未评估" in text(enterprise.get(page))  # computed, and nobody's to know
    campaign = request.getfixturevalue("published")
    outcome = Outcome.objects.get(campaign=campaign, insurer_id=world.huaihai.pk, region_code="370000")
    shown = text(enterprise.get(page))
    assert "尚未评估" not in shown
    assert f"{outcome.campaign.period_to:%Y}" in shown
    assert reverse("assessment-published", args=[campaign.code]) in shown
    for said in ("两小时到场", "95500"):
        assert said in shown

"""Reports: what they say in both languages, that they are signed, verified, superseded, and hold no markup."""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from pypdf import PdfReader

from anze.evidence.actions import arrived, lay_over, receive_media
from anze.evidence.rules import Subject
from anze.kernel.actor import Actor, platform
from anze.kernel.scope import Scope
from anze.parties.rules import Permission, Role
from anze.prevention.actions.reports import file_of, issue_report, seen_of, withdraw_report
from anze.prevention.models import Report, Service
from anze.prevention.rules.reports import digest_of
from tests.cast import NOW, XINGHUO
from tests.evidence.conftest import jpeg
from tests.exchange.examples import example
from tests.prevention.reports.conftest import service_row
from tests.web.conftest import Browser
from tools.verify_report import LINE, check_line

BASE = "https://anze.example"


def insurer(cast):
    return Actor(
        name="示例理赔员",
        scope=Scope(reader="anze_insurer", region_from="370000", region_to="37ZZZZ", insurer_id=cast.huaihai.pk),
        permissions=frozenset({Permission.ISSUE_REPORTS}),
    )


def issue(cast, service, language="zh-hans", at=NOW):
    return issue_report(service, by=insurer(cast), at=at, base=BASE, language=language)


def pdf_of(report) -> bytes:
    with file_of(report) as file:
        return file.read()


def words_of(pdf: bytes) -> str:
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


@pytest.fixture
def hazard(insured, service):
    from anze.exchange.feeds import FEEDS

    row = example(FEEDS["hazards"], hazard_no="H-1", insured_uscc=XINGHUO, service_no="S-1")
    insured.accepted(insured.huaihai, "hazards", row)
    return row


def test_a_chinese_report_says_all_that_it_must(cast, service, hazard):
    report = issue(cast, service)
    text = words_of(pdf_of(report))
    for word in (
        "星火示例铸造有限公司", XINGHUO, "P-1", "淮海示例财产保险", "2026-05-12", "示例路1号", "泰安示例安全技术服务公司",
        "示例专家甲", "SL3700000001", "AQ9010-2019", "统一服务标识", hazard["description"], hazard["advice"],
        str(hazard["deadline_on"]), report.number, report.check_code, "尚未确认",
    ):  # fmt: skip
        assert re.sub(r"\s+", "", word) in text, word


def test_an_english_report_says_the_same_in_english(cast, service, hazard):
    text = words_of(pdf_of(issue(cast, service, "en")))
    for word in (
        "Unifiedsocialcreditcode",
        "HuaihaiInsurance",
        "Certificateno.",
        "Findings",
        "2026-05-12",
        "AQ9010-2019",
    ):
        assert word in text, word
    assert "统一服务标识" not in text


def test_the_file_is_kept_by_its_digest_and_carries_the_signed_line(cast, service):
    report = issue(cast, service)
    pdf = pdf_of(report)
    assert hashlib.sha256(pdf).hexdigest() == report.file_sha256
    assert b"pdfaid" in pdf
    assert LINE.search(pdf)[0].decode() == report.signed
    answer = check_line(report.signed, Browser().get(reverse("signing-keys-json")).json())
    assert answer.is_valid
    assert answer.named() == {
        "number": report.number,
        "issue": "1",
        "date": "2026-11-23",
        "insurer": "INS01",
        "agency": "AGY01",
        "enterprise": XINGHUO,
        "content_sha256": digest_of(report.content),
    }


def test_what_was_drawn_over_a_picture_stands_in_the_report_and_makes_another_issue(cast, service):
    subject = Subject(kind="service", id=service.pk, title="S-1", may_add=True, insurer_id=cast.huaihai.pk,
                      enterprise_id=cast.xinghuo.pk)  # fmt: skip
    media = receive_media(subject, by=platform(frozenset({Permission.ADD_EVIDENCE})), at=NOW, content=arrived(jpeg(5)))
    plain = issue(cast, service)
    shapes = [
        {"kind": "arrow", "points": [[0.2, 0.2], [0.5, 0.5]]},
        {"kind": "text", "points": [[0.5, 0.6]], "text": "此处漏电"},
    ]
    lay_over(service.pk, {media.client_id: shapes})
    drawn = issue(cast, service, at=NOW + timedelta(minutes=1))
    assert (drawn.issue, plain.issue) == (2, 1)
    assert "此处漏电" in words_of(pdf_of(drawn))
    assert "此处漏电" not in words_of(pdf_of(plain))
    pictures = [image for page in PdfReader(io.BytesIO(pdf_of(drawn))).pages for image in page.images]
    assert len(pictures) == 1, "the picture is there once, under what is drawn"
    pages = seen_of(service)[1]["pictures"]
    assert [each["uri"].partition(";")[0] for each in pages] == ["data:image/svg+xml"]


def test_issued_twice_without_a_change_it_is_one_report(cast, service):
    assert issue(cast, service) == issue(cast, service, at=NOW + timedelta(days=1))


def test_after_a_correction_a_new_issue_supersedes_the_old_one_and_both_are_kept(cast, service):
    first = issue(cast, service)
    english = issue(cast, service, "en")
    cast.accepted(cast.huaihai, "services", service_row(topics="行车、有限空间"))
    service.refresh_from_db()
    second = issue(cast, service)
    first.refresh_from_db()
    english.refresh_from_db()
    assert (first.state, second.state, second.issue) == ("SUPERSEDED", "VALID", 3)
    assert english.state == "VALID"
    assert hashlib.sha256(pdf_of(first)).hexdigest() == first.file_sha256


@pytest.mark.parametrize(
    "hostile", ['#panic("x")', "*b* $x$ #{1/0}", "= 一级标题 ]}", '"); #read("/etc/passwd")', "<a>&lt;"]
)
def test_markup_in_names_and_texts_stays_text(cast, insured, hostile):
    persons = [{"kind": "INSURER_STAFF", "name": hostile[:60]}]
    row = service_row("S-H", topics=hostile, place=hostile, report_text=f"{hostile}\n{hostile}") | {"persons": persons}
    insured.accepted(insured.huaihai, "services", row)
    text = words_of(pdf_of(issue(cast, Service.objects.get(service_no="S-H"))))
    assert text.count(re.sub(r"\s+", "", hostile)) >= 4


def test_a_void_service_has_no_report(cast, service):
    cast.accepted(cast.huaihai, "services", service_row(is_void=True, void_reason="重复登记"))
    service.refresh_from_db()
    with pytest.raises(Exception, match="service_void"):
        issue(cast, service)


# the public page --------------------------------------------------------------------------------------------


def page_of(report, code=None) -> str:
    answer = Browser().get(reverse("verify-report", args=[report.number]), {"c": code or report.check_code})
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


def test_the_page_confirms_number_day_parties_and_digest_and_nothing_private(cast, service, hazard):
    report = issue(cast, service)
    page = page_of(report)
    for word in (
        report.number,
        "2026-11-23",
        "淮海示例财产保险",
        "泰安示例安全技术服务公司",
        "星火示例铸造有限公司",
        report.file_sha256,
    ):
        assert word in page, word
    for word in (XINGHUO, "P-1", "示例专家甲", hazard["description"], "示例路1号"):
        assert word not in page, word


def test_without_the_check_code_there_is_nothing_and_guessing_is_slowed(cast, service):
    report = issue(cast, service)
    assert page_of(report, "WRONGONE") == "404"
    assert page_of(report, report.check_code.lower()) != "404"  # typed by hand
    guesser = Browser()
    there = reverse("verify-report", args=[report.number])
    answers = [guesser.get(there, {"c": f"GUESS{n:03d}"}).status_code for n in range(25)]
    assert answers[-1] == 429
    assert guesser.get(there, {"c": report.check_code}).status_code == 429


def test_the_page_says_that_a_report_was_superseded_or_withdrawn(cast, service):
    first = issue(cast, service)
    assert "有效" in page_of(first)
    cast.accepted(cast.huaihai, "services", service_row(topics="行车"))
    service.refresh_from_db()
    second = issue(cast, service)
    assert "已被后续版本替代" in page_of(first)
    withdraw_report(second, by=insurer(cast), at=NOW, reason="登记有误")
    assert "已撤回" in page_of(second)
    assert "登记有误" not in page_of(second)


def test_a_report_opens_to_its_sides_and_to_nobody_else(cast, service, foreign, browser_of):
    report = issue(cast, service)
    there = reverse("report-file", args=[report.pk])
    for role in (Role.INSURER_CLERK, Role.AGENCY, Role.EXPERT, Role.ENTERPRISE, Role.CITY_REGULATOR):
        answer = browser_of(role).get(there)
        assert answer.status_code == 200, role
        assert b"".join(answer.streaming_content).startswith(b"%PDF")
        assert browser_of(role, other=True).get(there).status_code == 404, role


def test_issuing_on_the_page(cast, service, browser_of):
    browser = browser_of(Role.INSURER_CLERK)
    answer = browser.post(reverse("service-report", args=[service.pk]), {"language": "zh-hans"})
    assert answer.status_code == 302
    report = Report.objects.get()
    assert report.number in browser.get(reverse("report", args=[report.pk])).content.decode()
    assert json.dumps(report.content, ensure_ascii=False).count("星火示例铸造有限公司") == 1

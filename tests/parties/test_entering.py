"""Entering: who meets the published conditions comes in, and every refusal has a reason and somebody to appeal to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from anze.evidence.actions import papers
from anze.evidence.models import Media
from anze.kernel.duty import beijing_day
from anze.kernel.identifiers import make_uscc
from anze.kernel.links import make_link
from anze.kernel.models import Parameter
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.actions.appeals import decide_appeal, find_appealed, raise_appeal
from anze.parties.actions.entering import (
    PURPOSE,
    Stated,
    accept_application,
    add_document,
    advise_application,
    begin_application,
    begin_renewal,
    change_application,
    holder_of,
    link_token,
    refuse_application,
    return_application,
    set_first_password,
    submit_application,
    withdraw_application,
)
from anze.parties.models import (
    Account,
    Application,
    Document,
    Enterprise,
    Expert,
    Membership,
    Organisation,
    Qualification,
)
from anze.parties.rules import Role
from anze.parties.rules.entering import CONDITIONS, ENTRANTS, needed_papers
from tests.cast import NOW, XINGHUO
from tests.parties.conftest import person, refusal
from tests.web.conftest import PASSWORD, Browser

AGENCY_CODE = make_uscc("370102", 7001)
PDF = b"%PDF-1.4\n%%EOF\n"
PAPER = {
    "kind": "SAFETY_EVALUATION", "number": "APJ-1", "issuer": "示例发证机关", "scope": "",
    "valid_from": "2026-01-01", "valid_to": "2029-12-31",
}  # fmt: skip
AGENCY = Stated(
    name="长清示例安全技术服务公司", region_code="370100", contact_name="示例联系人", uscc=AGENCY_CODE,
    contact_phone="13900000000", username="changqing", details={"short_name": "长清示例", "qualification": PAPER},
)  # fmt: skip
ENTERPRISE = Stated(
    name="新星示例机械有限公司", region_code="370102", contact_name="示例厂长", uscc=make_uscc("370102", 7002),
    username="xinxing", details={"sector": "OTHER", "size": "SMALL", "registered_workers": 30},
)  # fmt: skip
NOBODY = holder_of(Application(contact_name="示例联系人"))


def with_papers(application: Application) -> Application:
    for kind in needed_papers(application.kind):
        add_document(
            application, by=holder_of(application), at=NOW, kind=kind, media=application.pk, file_name=f"{kind}.pdf",
            sha256="0" * 64, size=9,
        )  # fmt: skip
    return application


def submitted(kind: str = "AGENCY", stated: Stated = AGENCY) -> Application:
    made = with_papers(begin_application(kind, by=NOBODY, at=NOW, stated=stated))
    return submit_application(made, by=holder_of(made), at=NOW)


def test_an_agency_enters_from_the_form_to_its_first_sign_in(cast, province):
    application = begin_application("AGENCY", by=NOBODY, at=NOW, stated=AGENCY)
    holder = holder_of(application)
    with refusal("papers_missing") as told:
        submit_application(application, by=holder, at=NOW)
    assert len(str(told.value.values["papers"]).split("、")) == 3
    submit_application(with_papers(application), by=holder, at=NOW)
    assert beijing_day(application.due_at - timedelta(seconds=1)) == date(2026, 12, 7)  # ten working days
    return_application(application, by=province, at=NOW, reason="证书编号与扫描件不一致")
    change_application(
        application, by=holder, at=NOW,
        stated=replace(AGENCY, details={"qualification": {**PAPER, "number": "APJ-2"}}),
    )  # fmt: skip
    submit_application(application, by=holder, at=NOW + timedelta(days=1))
    assert application.rounds == 2
    accepted = accept_application(application, by=province, at=NOW, code="AGY77")
    agency = Organisation.objects.get(code="AGY77")
    assert (agency.kind, agency.uscc, agency.region_id) == ("AGENCY", AGENCY_CODE, "370100")
    assert Qualification.objects.get(number="APJ-2").organisation == agency
    member = Membership.objects.get(organisation=agency)
    assert (member.role, member.account.username) == (Role.AGENCY, "changqing")
    assert not member.account.has_usable_password()
    set_first_password(accepted, by=holder, at=NOW, password=PASSWORD.encode())
    assert Account.objects.get(username="changqing").check_password(PASSWORD)
    with refusal("password_set_before"):
        set_first_password(accepted, by=holder, at=NOW, password=b"Andere-2026-mima")


def test_who_is_there_already_is_sent_for_an_account(cast, province):
    Organisation.objects.filter(pk=cast.agency.pk).update(uscc=AGENCY_CODE)
    with refusal("entered_already") as told:
        begin_application("AGENCY", by=NOBODY, at=NOW, stated=AGENCY)
    assert told.value.field == "uscc"
    Organisation.objects.filter(pk=cast.agency.pk).update(uscc="")
    submitted()
    with refusal("application_open"):
        begin_application("AGENCY", by=NOBODY, at=NOW, stated=replace(AGENCY, username="other"))


def test_a_wrong_credit_code_and_a_taken_name_are_told_at_once(cast, province):
    with refusal("bad_uscc"):
        begin_application("AGENCY", by=NOBODY, at=NOW, stated=replace(AGENCY, uscc=AGENCY_CODE[:-1] + "A"))
    with refusal("username_taken"):
        begin_application("AGENCY", by=NOBODY, at=NOW, stated=replace(AGENCY, username="province_regulator"))


def test_an_enterprise_on_file_gets_an_account_and_keeps_its_file(cast):
    city = person(Role.CITY_REGULATOR, organisation=cast.jinan)
    before = Enterprise.objects.count()
    application = submitted("ENTERPRISE", replace(ENTERPRISE, uscc=XINGHUO))
    accept_application(application, by=city, at=NOW)
    assert Enterprise.objects.count() == before
    assert Membership.objects.get(enterprise=cast.xinghuo).role == Role.ENTERPRISE
    with refusal("entered_already"):
        begin_application("ENTERPRISE", by=NOBODY, at=NOW, stated=replace(ENTERPRISE, uscc=XINGHUO, username="more"))


def test_a_new_enterprise_gets_a_file_with_the_tier_the_city_gives(cast):
    city = person(Role.CITY_REGULATOR, organisation=cast.jinan)
    accept_application(submitted("ENTERPRISE", ENTERPRISE), by=city, at=NOW, risk_tier="HIGH")
    made = Enterprise.objects.get(uscc=ENTERPRISE.uscc)
    assert (made.risk_tier, made.registered_workers, made.region_code) == ("HIGH", 30, "370102")


EXPERT = Stated(
    name="示例章专家", region_code="370900", contact_name="示例章专家", contact_phone="13900000003", username="zhang",
    details={"sector": "SMELT", "title": "高级工程师", "agency_code": "AGY01",
             "qualification": {**PAPER, "kind": "SAFETY_ENGINEER", "number": "ZC-7"}},
)  # fmt: skip
INSURER = Stated(
    name="岱岳示例财产保险股份有限公司山东分公司", region_code="370100", contact_name="示例经理",
    uscc=make_uscc("370102", 7003), username="daiyue", details={"short_name": "岱岳示例财险"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "stated", "code", "role"),
    [("EXPERT", EXPERT, "EXP77", Role.EXPERT), ("INSURER", INSURER, "INS77", Role.INSURER_MANAGER)],
)
def test_an_expert_and_an_insurer_enter_by_the_same_door(cast, province, committee, kind, stated, code, role):
    draft = begin_application(kind, by=NOBODY, at=NOW, stated=stated)
    with refusal("papers_missing"):
        submit_application(draft, by=holder_of(draft), at=NOW)
    submit_application(with_papers(draft), by=holder_of(draft), at=NOW)
    reviewer = {"EXPERT": committee, "INSURER": province}[kind]
    accepted = accept_application(draft, by=reviewer, at=NOW, code=code)
    member = Membership.objects.get(role=role, account__username=stated.username)
    if kind == "EXPERT":
        assert (member.expert.number, member.expert.sector, member.expert.agency) == (code, "SMELT", cast.agency)
        assert Qualification.objects.get(number="ZC-7").expert == member.expert
    else:
        insurer = Organisation.objects.get(code=code)
        assert (member.organisation, insurer.kind, insurer.short_name) == (insurer, "INSURER", "岱岳示例财险")
        assert insurer.entered_on == beijing_day(NOW)
    set_first_password(accepted, by=holder_of(accepted), at=NOW, password=PASSWORD.encode())
    assert Account.objects.get(username=stated.username).check_password(PASSWORD)


def test_who_may_decide_follows_kind_and_region(cast, province, committee):
    agency = submitted()
    with refusal("not_reviewer"):
        accept_application(agency, by=committee, at=NOW, code="AGY77")
    advise_application(agency, by=committee, at=NOW, advice="建议吸收")
    enterprise = submitted("ENTERPRISE", ENTERPRISE)
    qingdao = person(Role.CITY_REGULATOR, organisation=cast.qingdao)
    with refusal("not_reviewer"):
        return_application(enterprise, by=qingdao, at=NOW, reason="x")


def test_nobody_reviews_his_own(cast):
    city = person(Role.CITY_REGULATOR, organisation=cast.jinan)
    Account.objects.filter(pk=city.account_id).update(phone="13900000009")
    application = submitted("ENTERPRISE", replace(ENTERPRISE, contact_phone="13900000009"))
    with refusal("not_reviewer"):
        accept_application(application, by=city, at=NOW)
    other = submitted("ENTERPRISE", replace(ENTERPRISE, uscc=XINGHUO, username="xinghuo"))
    Membership.objects.create(
        account_id=city.account_id, role=Role.ENTERPRISE, enterprise=cast.xinghuo, is_active=False
    )
    with refusal("not_reviewer"):
        accept_application(other, by=city, at=NOW)


def test_a_decision_without_a_reason_is_none(cast, province):
    application = submitted()
    with refusal("reason_missing"):
        return_application(application, by=province, at=NOW, reason="  ")
    with refusal("reason_missing"):
        refuse_application(application, by=province, at=NOW, refusal="NOT_TRUE", reason="")


def test_what_is_under_review_is_changed_by_nobody(cast, province):
    application = submitted()
    with refusal("application_closed"):
        change_application(application, by=holder_of(application), at=NOW, stated=AGENCY)
    stranger = submitted("ENTERPRISE", ENTERPRISE)
    with refusal("not_your_party"):
        withdraw_application(application, by=holder_of(stranger), at=NOW)
    withdraw_application(application, by=holder_of(application), at=NOW)
    with refusal("wrong_state"):
        accept_application(application, by=province, at=NOW, code="AGY77")


def test_a_name_taken_meanwhile_gets_a_number(cast, province):
    application = submitted()
    Account.objects.create_user("changqing", PASSWORD, name="示例他人")
    accept_application(application, by=province, at=NOW, code="AGY77")
    assert Membership.objects.get(organisation__code="AGY77").account.username == "changqing-2"


def test_a_renewed_certificate_is_another_row_and_keeps_the_gap(cast, committee):
    expert = person(Role.EXPERT, expert=cast.expert)
    old = {**PAPER, "kind": "SAFETY_ENGINEER", "number": "ZC-1", "valid_from": "2022-01-01", "valid_to": "2025-12-31"}
    Qualification.objects.create(expert=cast.expert, **old)
    fresh = {**old, "valid_from": "2026-03-01", "valid_to": "2029-02-28"}
    stated = replace(AGENCY, uscc="", username="", details={"qualification": fresh})
    application = with_papers(begin_renewal(cast.expert, by=expert, at=NOW, stated=stated))
    submit_application(application, by=expert, at=NOW)
    accept_application(application, by=committee, at=NOW)
    days = Qualification.objects.filter(expert=cast.expert, number="ZC-1").values_list("valid_from", flat=True)
    assert sorted(days) == [date(2022, 1, 1), date(2026, 3, 1)]
    with refusal("qualification_on_file"):
        begin_renewal(cast.expert, by=expert, at=NOW, stated=stated)
    with refusal("not_your_party"):
        begin_renewal(cast.other_expert, by=expert, at=NOW, stated=stated)


def test_a_refused_applicant_appeals_and_somebody_else_opens_it_again(cast, province):
    application = submitted()
    refuse_application(application, by=province, at=NOW, refusal="NO_STAFF", reason="未见从业人员证书")
    holder = holder_of(application)
    decision = find_appealed("application", application.pk, holder)
    appeal = raise_appeal(decision, by=holder, at=NOW + timedelta(days=3), kind="application", grounds="证书已上传")
    with refusal("appealed_already"):
        raise_appeal(decision, by=holder, at=NOW + timedelta(days=4), kind="application", grounds="再次")
    with refusal("not_independent"):
        decide_appeal(appeal, by=province, at=NOW, is_upheld=True, reasons="有理")
    other = person(Role.PROVINCE_REGULATOR, "b", organisation=cast.province)
    with refusal("reason_missing"):
        decide_appeal(appeal, by=other, at=NOW, is_upheld=True, reasons=" ")
    decide_appeal(appeal, by=other, at=NOW, is_upheld=True, reasons="证书齐全，重新审核")
    application.refresh_from_db()
    assert (application.state, application.reason) == ("RETURNED", "证书齐全，重新审核")


def test_an_appeal_has_its_time(cast, province):
    application = submitted()
    refuse_application(application, by=province, at=NOW, refusal="NO_STAFF", reason="未见从业人员证书")
    holder = holder_of(application)
    decision = find_appealed("application", application.pk, holder)
    # fifteen working days after Monday 2026-11-23 end with Monday 2026-12-14, Beijing time
    with refusal("appeal_too_late"):
        raise_appeal(decision, by=holder, at=NOW.replace(month=12, day=14, hour=16), kind="application", grounds="迟")
    raise_appeal(decision, by=holder, at=NOW.replace(month=12, day=14, hour=15), kind="application", grounds="及时")
    assert find_appealed("application", application.pk, holder_of(submitted("ENTERPRISE", ENTERPRISE))) is None


# pages ----------------------------------------------------------------------------------------------------------


def _form(**words: Any) -> dict[str, Any]:
    return {
        "name": AGENCY.name, "uscc": AGENCY.uscc, "region_code": "370100", "contact_name": AGENCY.contact_name,
        "contact_phone": AGENCY.contact_phone, "username": AGENCY.username, **PAPER, **words,
    }  # fmt: skip


def test_the_conditions_are_read_before_anything_is_filled_in(cast):
    text = Browser().get(reverse("apply")).content.decode()
    for kind in ENTRANTS:
        for condition in CONDITIONS[kind]:
            assert str(condition.basis) in text
    assert Browser().get(reverse("apply-as", args=["agency"])).status_code == 200
    assert Browser().get(reverse("apply-as", args=["committee"])).status_code == 404


def test_a_paper_is_kept_by_its_content_and_taken_out_again(cast, province):
    visitor = Browser()
    answer = visitor.post(reverse("apply-as", args=["agency"]), _form())
    assert answer.status_code == 302
    where, token = answer["Location"], answer["Location"].strip("/").split("/")[-1]
    paper = reverse("applying-paper", args=[token])
    visitor.post(paper, {"kind": "STAFF", "file": SimpleUploadedFile("名单.pdf", b"MZ not a paper")})
    assert Document.objects.count() == 0
    assert "alert-danger" in visitor.get(where).content.decode()
    for kind in ("BUSINESS_LICENCE", "CERTIFICATE", "STAFF", "PLEDGE"):
        visitor.post(paper, {"kind": kind, "file": SimpleUploadedFile(f"{kind}.pdf", PDF + kind.encode())})
    documents = Document.objects.order_by("added_at")
    assert [each.kind for each in documents] == ["BUSINESS_LICENCE", "CERTIFICATE", "STAFF", "PLEDGE"]
    assert Media.objects.get(pk=documents[0].media).original.sha256 == documents[0].sha256
    visitor.post(reverse("applying-remove", args=[token]), {"document": str(documents[3].pk)})
    assert Document.objects.filter(removed_at=None).count() == 3
    visitor.post(reverse("applying-submit", args=[token]))
    assert Application.objects.get().state == "SUBMITTED"
    visitor.post(paper, {"kind": "PLEDGE", "file": SimpleUploadedFile("late.pdf", PDF)}, follow=True)
    assert Document.objects.filter(removed_at=None).count() == 3


@pytest.mark.parametrize(
    ("limit", "said"),
    [(("MOST", 3), "材料已达 3 份"), (("MOST_MB_A_DAY", 3), "请明日再来"), (("evidence_papers_mb", 1), "1 MB")],
)
def test_papers_put_in_and_taken_out_again_do_not_fill_the_disk(cast, monkeypatch, limit, said):
    visitor = Browser()
    where = visitor.post(reverse("apply-as", args=["agency"]), _form())["Location"]
    token = where.strip("/").split("/")[-1]
    if limit[0].startswith("MOST"):
        monkeypatch.setattr(papers, *limit)
    else:
        Parameter.objects.filter(key=limit[0]).update(value=str(limit[1]))
    for number in range(5):
        content = PDF + bytes([number]) * 300_000
        visitor.post(reverse("applying-paper", args=[token]),
                     {"kind": "STAFF", "file": SimpleUploadedFile("名单.pdf", content)})  # fmt: skip
        last = Document.objects.filter(removed_at=None).first()
        page = visitor.get(where).content.decode()
        if last is None:
            break
        assert said not in page
        visitor.post(reverse("applying-remove", args=[token]), {"document": str(last.pk)})
    assert Document.objects.count() == 3
    assert said in page


def test_a_link_opens_one_application_until_its_time(cast):
    application = submitted()
    at = beijing_day(NOW)
    assert Browser().get(reverse("applying", args=[link_token(application, at=NOW)])).status_code == 200
    over = make_link(PURPOSE, application.pk, until=NOW - timedelta(days=400))
    assert AGENCY.name not in Browser().get(reverse("applying", args=[over])).content.decode()
    foreign = make_link("hazard", application.pk, until=NOW + timedelta(days=400))
    assert AGENCY.name not in Browser().get(reverse("applying", args=[foreign])).content.decode()
    assert at == date(2026, 11, 23)


def test_nobody_registers_without_end(cast):
    visitor = Browser()
    answers = [visitor.post(reverse("apply-as", args=["agency"]), {}).status_code for _each in range(21)]
    assert answers == [422] * 20 + [429]


def test_a_party_sees_its_own_application_and_no_other(cast, browser_of):
    with inside(EVERYTHING):
        rows = [
            Application.objects.create(
                number=f"RZ-{n}", kind="QUALIFICATION", state="DRAFT", begun_at=NOW, name=f"申请人{n}", region_code="370000",
                contact_name="示例", organisation=organisation,
            )
            for n, organisation in enumerate((cast.agency, cast.other_agency))
        ]  # fmt: skip
    browser = browser_of(Role.AGENCY)
    text = browser.get(reverse("applications")).content.decode()
    assert "RZ-0" in text
    assert "RZ-1" not in text
    assert browser.get(reverse("application", args=[rows[0].pk])).status_code == 200
    assert browser.get(reverse("application", args=[rows[1].pk])).status_code == 404
    # reviewers are not shown what nobody has submitted
    assert "RZ-0" not in browser_of(Role.PROVINCE_REGULATOR).get(reverse("applications")).content.decode()


def test_the_pages_of_a_review(cast, browser_of):
    application = submitted()
    browser = browser_of(Role.PROVINCE_REGULATOR)
    for name in ("application", "application-accept", "application-return", "application-refuse", "application-link"):
        assert browser.get(reverse(name, args=[application.pk])).status_code == 200, name
    refused = browser.post(reverse("application-accept", args=[application.pk]), {"code": "AGY01"})
    assert refused.status_code == 422
    browser.post(reverse("application-accept", args=[application.pk]), {"code": "AGY77"})
    assert Organisation.objects.filter(code="AGY77", uscc=AGENCY_CODE).exists()
    link = browser.post(reverse("application-link", args=[application.pk])).content.decode()
    assert "/a/" in link
    assert Expert.objects.count() == 2

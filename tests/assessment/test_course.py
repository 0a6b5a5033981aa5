"""A whole assessment, from setting up to publication, with a self-report, a review and an appeal."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from anze.assessment.actions.appeals import Decision, Objection, appeal, decide
from anze.assessment.actions.cases import Case, confirm_case
from anze.assessment.actions.course import (
    Draw,
    announce,
    compute,
    finalise,
    open_review,
    population_of,
    publish,
    seed_of,
)
from anze.assessment.actions.feedback import Said, answer_feedback, give_feedback
from anze.assessment.actions.packing import export_pack, open_data, sign_result
from anze.assessment.actions.reviews import Told, Verdict, review_report, review_row, submit_report
from anze.assessment.models import Appeal, Campaign, Correction, FrozenRow, Outcome, ReviewItem, SelfReport, Tally
from anze.assessment.rules.campaigns import CampaignState
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, Scope, widened
from anze.kernel.signing import read_signed
from anze.monitoring.alerting import run
from anze.monitoring.models import Alert
from anze.parties.access import scope_of
from anze.parties.models import Account, Membership, Organisation
from anze.parties.rules import ROLES, Permission, Role
from tests.assessment.conftest import AT, BY, begin
from tests.stages import stage
from tools.draw_sample import draw

LATER = AT + timedelta(days=60)


def person(role: Role, organisation: Any) -> Actor:
    account = Account.objects.create_user(f"u{uuid4().hex[:10]}", "x", name=f"示例{role.label}")
    membership = Membership.objects.create(account=account, role=role, organisation=organisation)
    return Actor(
        name=account.name, scope=scope_of(membership), permissions=frozenset(ROLES[role].permissions), role=role,
        account_id=account.pk, organisation_id=organisation.pk,
    )  # fmt: skip


@stage
def computed(two_sides):
    return compute(begin(), by=BY, at=AT)


def result(campaign: Campaign, insurer: Any, region: str = "370000") -> Outcome:
    return Outcome.objects.get(campaign=campaign, insurer_id=insurer.pk, region_code=region)


def report_of(campaign: Campaign, insurer: Any) -> SelfReport:
    return SelfReport.objects.get(campaign=campaign, insurer_id=insurer.pk)


ALL = ("UNIT", "MANAGERS", "TRAINING", "SYSTEMS")


def told(*codes: str) -> Told:
    return Told(codes, dict.fromkeys(codes, "鲁示例〔2026〕1号"))


def provisional(campaign: Campaign, world: Any, drawn: int = 3) -> Campaign:
    """Through self-report, draw and review to the provisional result."""
    manager, reviewer = person(Role.INSURER_MANAGER, world.huaihai), person(Role.CITY_REGULATOR, world.jinan)
    submit_report(report_of(campaign, world.huaihai), by=manager, at=AT, told=told("UNIT", "TRAINING"))
    open_review(campaign, by=BY, at=AT, draw=Draw("05 12 19 26 33", "2026年11月24日公开开奖号码", drawn))
    for item in ReviewItem.objects.filter(campaign=campaign):
        review_row(item, by=reviewer, at=AT, verdict=Verdict.AS_IT_IS)
    review_report(
        report_of(campaign, world.huaihai),
        by=reviewer,
        at=AT,
        confirmed=("UNIT",),
        remarks={"TRAINING": "未见培训记录"},
    )
    return announce(campaign, by=BY, at=AT)


def test_every_step_has_its_deadline_in_working_days(world, computed):
    assert computed.report_due_at is not None
    campaign = provisional(computed, world)
    assert campaign.appeal_until_at == datetime.fromisoformat(
        "2026-12-09T00:00:00+08:00"
    )  # 10 working days after the 24th
    with pytest.raises(Refused, match="appeals_still_open"):
        finalise(campaign, by=BY, at=campaign.appeal_until_at)


def test_what_a_self_report_claims_counts_when_a_reviewer_confirms_it(world, computed):
    assert result(computed, world.huaihai).points["B1"] == ["0", "SCORED"]
    provisional(computed, world)
    assert result(computed, world.huaihai).points["B1"] == ["0.750000", "SCORED"]


def test_what_is_said_of_a_result_is_answered_with_measures(world, computed, browser_of):
    campaign = provisional(computed, world)
    outcome, committee = result(campaign, world.huaihai), person(Role.COMMITTEE, world.committee)
    said = Said("三级以下企业的服务要补足，请于12月底前报整改情况", is_to_be_answered=True)
    with pytest.raises(Refused, match="result_not_standing"):
        give_feedback(outcome, by=committee, at=AT, said=said)
    campaign = publish(sign_result(finalise(campaign, by=BY, at=LATER), by=BY, at=LATER), by=BY, at=LATER)
    outcome = result(campaign, world.huaihai)
    with pytest.raises(Refused, match="text_missing"):
        give_feedback(outcome, by=committee, at=LATER, said=Said(" ", is_to_be_answered=True))
    made = give_feedback(outcome, by=committee, at=LATER, said=said)
    assert made.due_at
    assert made.due_at > LATER + timedelta(days=20)  # 20 working days
    with pytest.raises(Refused, match="feedback_given"):
        give_feedback(outcome, by=committee, at=LATER, said=said)

    # what is said is read by the assessed and the authorities, not by the other insurers; it is an alert until answered
    run(at=made.due_at - timedelta(days=1), full=True, only=("ASSESSMENT_ANSWER",))
    alert = Alert.objects.get(code="ASSESSMENT_ANSWER")
    assert (alert.insurer_id, alert.row_id, alert.closed_at) == (world.huaihai.pk, outcome.pk, None)
    own, other = browser_of(Role.INSURER_MANAGER), browser_of(Role.INSURER_MANAGER, other=True)
    reader = browser_of(Role.COMMITTEE)
    form = reader.get(reverse("assessment-result-feedback", args=[outcome.pk])).content.decode()
    assert re.search(r"失分最多的指标</dt><dd><div>\w\d [^<]+：得\d", form)
    page = own.get(reverse("assessment-result", args=[outcome.pk])).content.decode()
    address = reverse("assessment-result-answer", args=[outcome.pk])
    assert said.text in page
    assert address in page
    assert said.text not in other.get(reverse("assessment-result", args=[outcome.pk])).content.decode()
    assert other.get(address).status_code == 404
    with pytest.raises(Refused, match="not_own"):
        answer_feedback(made, by=person(Role.INSURER_MANAGER, world.bohai), at=LATER, answer="措施")
    assert own.post(address, {"answer": "已增派专家，12月20日前补做服务"}).status_code == 302
    with pytest.raises(Refused, match="feedback_answered"):
        answer_feedback(made, by=person(Role.INSURER_MANAGER, world.huaihai), at=LATER, answer="措施")
    seen = reader.get(reverse("assessment-result", args=[outcome.pk])).content.decode()
    assert "12月20日前补做服务" in seen
    run(at=made.due_at + timedelta(days=1), full=True, only=("ASSESSMENT_ANSWER",))
    assert Alert.objects.get(code="ASSESSMENT_ANSWER").closed_at


def test_a_claim_without_evidence_and_a_report_after_its_day_are_refused(world, computed):
    manager = person(Role.INSURER_MANAGER, world.huaihai)
    report = report_of(computed, world.huaihai)
    with pytest.raises(Refused, match="evidence_missing") as refused:
        submit_report(report, by=manager, at=AT, told=Told(("UNIT",)))
    assert refused.value.field == "text_UNIT"
    with pytest.raises(Refused, match="report_late"):
        submit_report(report, by=manager, at=LATER, told=told("UNIT"))
    with pytest.raises(Refused, match="not_own"):
        submit_report(report, by=person(Role.INSURER_MANAGER, world.bohai), at=AT, told=told("UNIT"))


def test_anybody_can_draw_the_sample_again(world, computed):
    open_review(computed, by=BY, at=AT, draw=Draw("1 2 3", "公开号码", 3))
    items = ReviewItem.objects.filter(campaign=computed, insurer_id=world.huaihai.pk).order_by("rank")
    keys = population_of(computed, world.huaihai.pk)
    text = "".join(f"{key}\n" for key in sorted(keys)).encode()
    assert [(str(each.row_id), each.digest) for each in items] == draw(text, seed_of("1 2 3", "INS01"), 3)


def test_nobody_reviews_his_own(world, computed):
    open_review(computed, by=BY, at=AT, draw=Draw("1 2 3", "公开号码", 3))
    item = ReviewItem.objects.filter(campaign=computed, insurer_id=world.huaihai.pk).first()
    reviewer = person(Role.CITY_REGULATOR, world.jinan)
    Membership.objects.create(account_id=reviewer.account_id, role=Role.INSURER_CLERK, organisation=world.huaihai)
    with pytest.raises(Refused, match="not_independent"):
        review_row(item, by=reviewer, at=AT, verdict=Verdict.AS_IT_IS)


def test_a_reviewer_corrects_a_row_with_reasons_and_the_frozen_row_stays(world, computed):
    open_review(computed, by=BY, at=AT, draw=Draw("1 2 3", "公开号码", 50))
    item = ReviewItem.objects.get(campaign=computed, insurer_id=world.huaihai.pk, input="expense_vouchers")
    reviewer = person(Role.CITY_REGULATOR, world.jinan)
    with pytest.raises(Refused, match="reason_missing"):
        review_row(item, by=reviewer, at=AT, verdict=Verdict.SHORT)
    frozen = FrozenRow.objects.get(pk=item.row_id)
    review_row(item, by=reviewer, at=AT, verdict=Verdict.SHORT, reasons="凭证与服务不符")
    assert FrozenRow.objects.get(pk=item.row_id).numerator == frozen.numerator
    assert Correction.objects.get(row_id=item.row_id).numerator == 0
    with pytest.raises(Refused, match="review_not_finished"):
        announce(computed, by=BY, at=AT)
    for other in ReviewItem.objects.filter(campaign=computed, state="WAITING"):
        review_row(other, by=reviewer, at=AT, verdict=Verdict.AS_IT_IS)
    announce(computed, by=BY, at=AT)
    assert result(computed, world.huaihai).points["E3"] == ["0.000000", "SCORED"]


def test_an_appeal_moves_only_what_it_names(world, computed):
    campaign = provisional(computed, world)
    manager, second = person(Role.INSURER_MANAGER, world.huaihai), person(Role.COMMITTEE, world.committee)
    before = {o.pk: (o.points, o.score) for o in Outcome.objects.filter(campaign=campaign)}
    own = result(campaign, world.huaihai)
    row = FrozenRow.objects.get(campaign=campaign, insurer_id=world.huaihai.pk, input="expense_vouchers")
    with pytest.raises(Refused, match="records_unknown"):
        appeal(own, by=manager, at=AT, objection=Objection("E3", "理由", ("X-FRGN9",)))
    with pytest.raises(Refused, match="not_own"):
        appeal(result(campaign, world.bohai), by=manager, at=AT, objection=Objection("E3", "理由"))
    made = appeal(own, by=manager, at=AT, objection=Objection("E3", "凭证已补传", (row.label,)))
    was = row.numerator
    verdict = Verdict.SHORT if was else Verdict.COUNTS
    with pytest.raises(Refused, match="nothing_changed"):
        decide(Appeal.objects.get(), by=second, at=AT, decision=Decision("GRANTED", "属实", {}))
    decide(Appeal.objects.get(), by=second, at=AT, decision=Decision("GRANTED", "属实", {row.pk: verdict}))
    made.refresh_from_db()
    assert (made.state, made.decided_by) == ("GRANTED", second.name)
    assert made.before["points"] != made.after["points"]
    for outcome in Outcome.objects.filter(campaign=campaign):
        points, _score = before[outcome.pk]
        moved = {code for code, value in outcome.points.items() if value != points[code]}
        assert moved <= ({"E3"} if outcome.insurer_id == world.huaihai.pk else set())
    assert result(campaign, world.bohai).score == before[result(campaign, world.bohai).pk][1]


def test_who_reviewed_does_not_decide_on_the_appeal(world, computed):
    campaign = provisional(computed, world, drawn=50)
    manager = person(Role.INSURER_MANAGER, world.huaihai)
    made = appeal(result(campaign, world.huaihai), by=manager, at=AT, objection=Objection("D1", "理由"))
    first = ReviewItem.objects.filter(campaign=campaign, input="hazard_rectification_rate").first()
    assert first is not None
    who = Actor("甲", EVERYTHING, frozenset(Permission), account_id=first.reviewer)
    with pytest.raises(Refused, match="not_second"):
        decide(made, by=who, at=AT, decision=Decision("DISMISSED", "理由不成立"))


def test_a_case_counts_from_the_document_of_an_authority(world):
    regulator = person(Role.PROVINCE_REGULATOR, world.province)
    case = Case(world.huaihai, "A3", AT.date(), "", "低价", "370100")
    with pytest.raises(Refused, match="document_missing"):
        confirm_case(case, by=regulator, at=AT)
    day = AT.date() - timedelta(days=2)
    confirm_case(Case(world.huaihai, "A3", day, "鲁示例罚〔2026〕3号", "低价承保", "370100"), by=regulator, at=AT)
    confirm_case(Case(world.bohai, "V2", day, "鲁示例罚〔2026〕4号", "返还费用", "370200"), by=regulator, at=AT)
    campaign = compute(begin(), by=BY, at=AT)
    assert result(campaign, world.huaihai).grade != ""
    assert FrozenRow.objects.filter(campaign=campaign, input="case.A3", insurer_id=world.huaihai.pk).count() == 1
    assert (result(campaign, world.bohai).grade, result(campaign, world.bohai).vetoes) == ("D", ["V2"])


def test_a_case_is_appealed_against_whatever_it_counts_for(world, browser_of):
    """A veto, or one of two deductions; only what is named is set aside."""
    regulator = person(Role.PROVINCE_REGULATOR, world.province)
    day = AT.date() - timedelta(days=2)
    for code, number in (("V2", "鲁示例罚〔2026〕4号"), ("J2", "鲁示例审〔2026〕5号"), ("J2", "鲁示例审〔2026〕6号")):
        confirm_case(Case(world.huaihai, code, day, number, "查实", "370000"), by=regulator, at=AT)
    campaign = provisional(compute(begin(), by=BY, at=AT), world)
    own, manager = result(campaign, world.huaihai), person(Role.INSURER_MANAGER, world.huaihai)
    assert (own.grade, own.vetoes, own.deduction) == ("D", ["V2"], 4)
    with pytest.raises(Refused, match="no_element"):
        appeal(own, by=manager, at=AT, objection=Objection("V1", "没有这样的情形"))
    insurer, address = browser_of(Role.INSURER_MANAGER), reverse("assessment-result-appeal", args=[own.pk])
    with time_machine.travel(AT, tick=True):
        page = insurer.get(reverse("assessment-result", args=[own.pk])).content.decode()
        assert page.count(address) == 4  # the button, and each case
        form = {"element": "V2", "records": "鲁示例罚〔2026〕4号", "text": "处罚决定已撤销"}
        back = insurer.post(address, {**form, "text": " "}).content.decode()
        assert "“异议内容及依据”为必填项，请填写。" in back.split('name="text"')[1].split('name="papers"')[0]
        wrong = SimpleUploadedFile("决定.txt", b"none of these formats", "text/plain")
        back = insurer.post(address, {**form, "papers": wrong}).content.decode()
        assert "“决定.txt”：文件内容不属于以下格式" in back.split('name="papers"')[1]
        assert "请另存为上述格式后上传" in back
        assert insurer.post(address, form).status_code == 302
        assert insurer.post(address, {**form, "element": "J2", "records": "鲁示例审〔2026〕6号"}).status_code == 302
        second = browser_of(Role.COMMITTEE)
        for code in ("J2", "V2"):
            before, made = result(campaign, world.huaihai), Appeal.objects.get(element=code)
            decided = {"state": "GRANTED", "verdict": "OUT", "reasons": "决定书已撤销"}
            wrong = second.post(reverse("appeal-decide", args=[made.pk]), {**decided, "records": "鲁示例罚〔2026〕9号"})
            refused = wrong.content.decode().split('name="records"')[1].split('name="reasons"')[0]
            assert "鲁示例罚〔2026〕9号" in refused.split("</textarea>")[1]
            assert second.post(reverse("appeal-decide", args=[made.pk]), decided).status_code == 302
            after = result(campaign, world.huaihai)
            assert (after.points, after.deduction) == (before.points, 2)
            again = second.post(reverse("appeal-decide", args=[made.pk]), decided)
            assert "当前状态（支持）" in again.content.decode()
        assert after.vetoes == []
        assert re.search(r"1 / 0\s*→\s*0 / 0", second.get(reverse("appeal", args=[made.pk])).content.decode())
        assert insurer.get(reverse("assessment-result", args=[own.pk])).content.decode().count("经申诉不再计入") == 2


@pytest.fixture
def published(world, computed):
    """The whole course, with one appeal."""
    campaign = provisional(computed, world)
    manager, second = person(Role.INSURER_MANAGER, world.huaihai), person(Role.COMMITTEE, world.committee)
    made = appeal(result(campaign, world.huaihai), by=manager, at=AT, objection=Objection("B1", "另附培训记录"))
    with pytest.raises(Refused, match="appeals_undecided"):
        finalise(campaign, by=BY, at=LATER)
    decide(made, by=second, at=AT, decision=Decision("GRANTED", "补充材料属实", {}, ("UNIT", "TRAINING")))
    campaign.refresh_from_db()
    finalise(campaign, by=BY, at=LATER)
    sign_result(campaign, by=BY, at=LATER)
    return publish(campaign, by=BY, at=LATER)


def test_before_the_publication_nobody_reads_in_a_pack_what_others_came_to(world, published):
    Campaign.objects.filter(pk=published.pk).update(state=CampaignState.SIGNED)
    published.refresh_from_db()
    manager, regulator = person(Role.INSURER_MANAGER, world.huaihai), person(Role.PROVINCE_REGULATOR, world.province)
    with pytest.raises(Refused, match="not_signed"):
        export_pack(published, by=manager, at=LATER, codes=("INS01",))
    export_pack(published, by=regulator, at=LATER, codes=()).close()
    Campaign.objects.filter(pk=published.pk).update(state=CampaignState.PUBLISHED)
    published.refresh_from_db()
    export_pack(published, by=manager, at=LATER, codes=("INS01",)).close()


def test_who_decides_waits_for_another_decision_before_he_reads_a_result(world, computed):
    """Ranks come from everybody's score: read before another decision is there, the old ones would be written back."""
    campaign = provisional(computed, world)
    manager, second = person(Role.INSURER_MANAGER, world.huaihai), person(Role.COMMITTEE, world.committee)
    made = appeal(result(campaign, world.huaihai), by=manager, at=AT, objection=Objection("B1", "另附培训记录"))
    with CaptureQueriesContext(connection) as asked:
        decide(made, by=second, at=AT, decision=Decision("GRANTED", "补充材料属实", {}, ("UNIT", "TRAINING")))
    texts = [each["sql"] for each in asked]
    waits = next(i for i, text in enumerate(texts) if 'FROM "assessment_campaign"' in text and "FOR UPDATE" in text)
    assert not [text for text in texts[:waits] if 'FROM "assessment_outcome"' in text]


def test_a_signature_bears_the_day_in_beijing(world, published):
    early = datetime(2027, 3, 9, 17, 30, tzinfo=UTC)  # half past one in the morning of the tenth
    Campaign.objects.filter(pk=published.pk).update(state=CampaignState.FINAL)
    published.refresh_from_db()
    said = read_signed(sign_result(published, by=BY, at=early).signature)
    assert said is not None
    assert said.is_valid
    assert said.fields[1] == "2027-03-10"


def verify(pack: Path) -> tuple[int, str]:
    run = subprocess.run(
        [sys.executable, "tools/verify_assessment.py", str(pack)], capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout + run.stderr


def saved(campaign: Campaign, path: Path, *codes: str) -> Path:
    campaign.refresh_from_db()
    with export_pack(campaign, by=BY, at=LATER, codes=codes) as file:
        path.write_bytes(file.read())
    return path


def test_an_outsider_recomputes_every_published_score_from_the_pack(world, published, tmp_path):
    assert result(published, world.huaihai).points["B1"] == ["1.500000", "SCORED"]
    code, words = verify(saved(published, tmp_path / "pack.zip", "INS01", "INS02"))
    assert code == 0, words
    assert "computed anew, all as published" in words
    only_own = saved(published, tmp_path / "own.zip", "INS01")
    assert not [name for name in zipfile.ZipFile(only_own).namelist() if "INS02" in name]
    assert verify(only_own)[0] == 0


def changed(pack: Path, name: str, change: Any) -> Path:
    """The same pack with one file altered, and nothing else."""
    out = pack.with_name(f"changed-{pack.name}")
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            new.writestr(each, change(content) if each == name else content)
    return out


def test_the_verifier_names_the_row_that_was_altered(world, published, tmp_path):
    pack = saved(published, tmp_path / "pack.zip", "INS01", "INS02")

    def better(content: bytes) -> bytes:
        lines = content.decode().splitlines(keepends=True)
        row = next(i for i, line in enumerate(lines) if "P-OWN7" in line)
        fields = json.loads(lines[row])
        lines[row] = json.dumps([*fields[:6], "9", *fields[7:]]) + "\n"
        return "".join(lines).encode()

    code, words = verify(changed(pack, "rows/INS01.jsonl", better))
    assert code == 1
    assert "P-OWN7" in words
    assert "rows/INS01.jsonl: changed" in words
    assert "the rows make" in words


def test_the_verifier_finds_a_score_that_was_put_up(world, published, tmp_path):
    pack = saved(published, tmp_path / "pack.zip", "INS01", "INS02")

    def up(content: bytes) -> bytes:
        found = json.loads(content)
        found[0]["score"] = str(Decimal(found[0]["score"]) + 1)
        return json.dumps(found).encode()

    code, words = verify(changed(pack, "results.json", up))
    assert code == 1
    assert "published is" in words


def test_signing_is_refused_when_a_frozen_row_was_touched(world, computed):
    campaign = provisional(computed, world)
    finalise(campaign, by=BY, at=LATER)
    FrozenRow.objects.filter(campaign=campaign, insurer_id=world.huaihai.pk).update(label="x")
    with pytest.raises(Refused, match="frozen_rows_changed"):
        sign_result(campaign, by=BY, at=LATER)


def test_open_data_hold_points_and_no_amounts(world, published):
    text = open_data(published).decode("utf-8-sig")
    assert "INS01" in text
    assert "11111" not in text
    assert "P-OWN7" not in text


def test_a_name_in_open_data_is_never_a_formula(world, published):
    with widened(EVERYTHING):
        Organisation.objects.filter(pk=world.huaihai.pk).update(name='=HYPERLINK("http://x","y")')
    rows = csv.DictReader(io.StringIO(open_data(published).decode("utf-8-sig")))
    assert {row["code"]: row["name"] for row in rows}["INS01"] == '\'=HYPERLINK("http://x","y")'


def test_each_insurer_sees_his_own_result_and_the_others_only_when_published(world, computed):
    low, high = "370000", "37ZZZZ"
    own = Scope(reader="anze_insurer", region_from=low, region_to=high, insurer_id=world.huaihai.pk)
    with widened(own):
        assert set(Outcome.objects.values_list("insurer_id", flat=True)) == {world.huaihai.pk}
    Campaign.objects.filter(pk=computed.pk).update(state="PUBLISHED", signature="x")
    with widened(own):
        assert set(Outcome.objects.values_list("insurer_id", flat=True)) == {world.huaihai.pk, world.bohai.pk}
        assert set(FrozenRow.objects.values_list("insurer_id", flat=True)) == {world.huaihai.pk}
        assert set(Tally.objects.values_list("insurer_id", flat=True)) == {world.huaihai.pk}

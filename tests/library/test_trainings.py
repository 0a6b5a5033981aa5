"""Trainings from the announcement to the certificate that anybody can check."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.actor import platform
from anze.kernel.refusal import Refused
from anze.kernel.scope import enter, leave
from anze.library.actions import (
    announce_training,
    attendance_code,
    change_training,
    move_training,
    read_code,
    set_questions,
    sign_up,
    withdraw_sign_up,
)
from anze.library.models import Certificate, Question, SignUp, Training
from anze.library.rules import Misread, masked, read_questions, score_of, write_questions
from anze.parties.access import actor_for, scope_of
from anze.parties.rules import Permission, Role
from tests.cast import NOW

QUESTIONS = """受限空间作业的顺序是？ | What is the order of work in a confined space?
先作业再检测 | Work, then test
* 先通风、再检测、后作业 | Ventilate, test, then work

瓦斯超限应当？ | Gas exceeds the limit: what now?
* 断电撤人 | Cut power and withdraw
继续作业 | Go on
"""
KEEPER = platform(frozenset({Permission.KEEP_LIBRARY}))


@pytest.fixture
def committee(browser_of):
    return browser_of(Role.COMMITTEE)


@pytest.fixture
def training(cast, committee):
    """Two seats, today, with a test of two questions."""
    by = actor_for(committee.membership)
    made = announce_training(
        "PX2026-9", by=by, at=NOW, host=cast.committee,
        fields={"title_zh": "有限空间作业专题", "title_en": "Confined spaces", "starts_at": timezone.now(),
                "ends_at": timezone.now() + timedelta(hours=3), "place": "济南", "capacity": 2},
    )  # fmt: skip
    set_questions(made, by=by, at=NOW, questions=read_questions(QUESTIONS))
    return made


def text(answer, status: int = 200) -> str:
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def code_on(screen) -> str:
    found = re.search(r"/library/attend/[^\"<]+", text(screen))
    assert found
    return found[0]


def test_from_sign_up_to_a_certificate_that_strangers_can_check(cast, training, committee, browser_of, client) -> None:
    enterprise = browser_of(Role.ENTERPRISE)
    enterprise.post(reverse("training-sign-up", args=[training.pk]), {"attendee": "示例学员甲"})
    row = SignUp.objects.get()
    assert (row.enterprise, row.region_code, row.sector) == (cast.xinghuo, "370102", "SMELT")
    committee.post(reverse("training-move", args=[training.pk]), {"name": "start"})
    address = code_on(committee.get(reverse("training-code", args=[training.pk])))
    page = text(enterprise.get(address))
    assert "示例学员甲" in page
    token = re.search(r'name="pass_on" value="([^"]+)"', page)
    assert token
    answer = enterprise.post(address, {"who": str(row.pk), "pass_on": token[1]})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.state == "PRESENT"
    test = reverse("sign-up-test", args=[row.pk])
    shown = text(enterprise.get(test))
    assert shown.index("先作业再检测") < shown.index("先通风、再检测、后作业")
    assert "第2题未作答" in text(enterprise.post(test, {"question-1": "1"}), 422)
    enterprise.post(test, {"question-1": "0", "question-2": "1"})
    row.refresh_from_db()
    assert (row.score, row.passed_at, row.attempts) == (0, None, 1)
    enterprise.post(test, {"question-1": "1", "question-2": "0"})
    row.refresh_from_db()
    assert row.score == 100
    certificate = Certificate.objects.get()
    assert certificate.number == "PX2026-9-0001"
    pdf = enterprise.get(reverse("certificate-file", args=[certificate.pk]))
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.content == enterprise.get(reverse("certificate-file", args=[certificate.pk])).content
    check = reverse("certificate-check", args=[certificate.token])
    leave()
    said = text(client.get(check))
    assert "证书真实有效" in said
    assert "PX2026-9-0001" in said
    assert "示****" in said
    assert "示例学员甲" not in said
    assert "星火" not in said
    text(client.get(reverse("certificate-check", args=["nonsense"])), 404)
    committee.post(reverse("certificate-revoke", args=[certificate.pk]), {"reason": "冒名顶替"})
    leave()
    assert "冒名顶替" in text(client.get(check))
    assert enterprise.get(reverse("certificate-file", args=[certificate.pk])).status_code == 409


def test_a_code_is_good_for_a_short_time_and_only_if_it_is_ours(training) -> None:
    code = attendance_code(training, NOW)
    assert read_code(code, NOW + timedelta(seconds=90)) == training
    for bad, at, reason in (
        (code, NOW + timedelta(seconds=92), "code_old"),
        (code[:-2] + "zz", NOW, "code_unknown"),
        ("x", NOW, "code_unknown"),
        (code, NOW - timedelta(seconds=60), "code_old"),
    ):
        with pytest.raises(Refused) as refused:
            read_code(bad, at)
        assert refused.value.code == reason


def test_nobody_is_present_before_the_trainer_starts(training, browser_of) -> None:
    expert = browser_of(Role.EXPERT)
    address = reverse("attend", args=[attendance_code(training, timezone.now())])
    code = attendance_code(training, timezone.now())
    answer = expert.post(address, {"who": "new", "attendee": "示例专家甲", "pass_on": code})
    assert "培训未在进行中" in text(answer, 422)
    assert not SignUp.objects.exists()


def test_seats_run_out_and_come_back(training, browser_of) -> None:
    insurer = actor_for(browser_of(Role.INSURER_CLERK).membership)
    first = sign_up(training, by=insurer, at=NOW, attendee="学员一")
    sign_up(training, by=insurer, at=NOW, attendee="学员二")
    for name, code in (("学员三", "full"), (" ", "no_name")):
        with pytest.raises(Refused) as refused:
            sign_up(training, by=insurer, at=NOW, attendee=name)
        assert refused.value.code == code
    withdraw_sign_up(first, by=insurer, at=NOW)
    with pytest.raises(Refused) as refused:
        sign_up(training, by=insurer, at=NOW, attendee="学员二")
    assert refused.value.code == "twice"
    sign_up(training, by=insurer, at=NOW, attendee="学员一")
    training.refresh_from_db()
    assert training.taken == 2
    with pytest.raises(Refused) as refused:
        change_training(training, by=KEEPER, at=NOW, fields={"capacity": 1})
    assert refused.value.code == "seats_taken"


def test_each_sees_the_people_of_his_own_house_only(training, browser_of) -> None:
    own, other = browser_of(Role.INSURER_CLERK), browser_of(Role.INSURER_CLERK, True)
    row = sign_up(training, by=actor_for(own.membership), at=NOW, attendee="淮海学员")
    assert "淮海学员" in text(own.get(reverse("training", args=[training.pk])))
    for page in (reverse("training", args=[training.pk]), reverse("sign-ups")):
        assert "淮海学员" not in text(other.get(page))
    assert other.get(reverse("sign-up", args=[row.pk])).status_code == 404
    assert other.get(reverse("sign-up-test", args=[row.pk])).status_code == 404
    assert other.post(reverse("sign-up-withdraw", args=[row.pk])).status_code == 404


def test_the_right_answers_are_known_to_no_reader(training, browser_of) -> None:
    for role in (Role.ENTERPRISE, Role.INSURER_CLERK, Role.EXPERT, Role.CITY_REGULATOR):
        membership = browser_of(role).membership
        with pytest.raises(ProgrammingError, match="denied"):
            _read_questions(membership)


def _read_questions(membership) -> None:
    with transaction.atomic():
        enter(scope_of(membership))
        list(Question.objects.values_list("correct"))


def test_a_training_without_a_test_certifies_all_who_were_there(cast, training, browser_of) -> None:
    by = KEEPER
    set_questions(training, by=by, at=NOW, questions=[])
    expert = browser_of(Role.EXPERT)
    move_training(training, by=by, at=NOW, name="start")
    code = attendance_code(training, timezone.now())
    expert.post(reverse("attend", args=[code]), {"who": "new", "attendee": "", "pass_on": code})
    assert SignUp.objects.get().attendee == expert.membership.account.name
    move_training(training, by=by, at=NOW, name="finish")
    assert Certificate.objects.get().expert == cast.expert
    with pytest.raises(Refused):
        move_training(training, by=by, at=NOW, name="cancel")


@given(st.dictionaries(st.integers(1, 9), st.integers(0, 3)), st.dictionaries(st.integers(1, 9), st.integers(0, 3)))
def test_points_grow_with_right_answers_from_0_to_100(correct, given_answers) -> None:
    points = score_of(correct, given_answers)
    assert 0 <= points <= 100
    assert score_of(correct, correct) == (100 if correct else 0)
    for seq, option in correct.items():
        assert score_of(correct, {**given_answers, seq: option}) >= points


def test_questions_are_written_as_they_are_read_and_a_mistake_names_its_line() -> None:
    class Row:
        def __init__(self, words):
            self.__dict__.update(words)

    found = read_questions(QUESTIONS)
    assert [each["correct"] for each in found] == [1, 0]
    assert read_questions(write_questions(Row(each) for each in found)) == found
    for bad, line, problem in (
        ("问 | q\n* 是 | yes", 1, "options"),
        ("问 | q\n是 | yes\n否 | no", 1, "right"),
        ("问 | q\n* 是 | yes\n否", 3, "languages"),
        ("\n\n问\n* 是 | yes\n否 | no", 3, "languages"),
    ):
        with pytest.raises(Misread) as misread:
            read_questions(bad)
        assert (misread.value.line, misread.value.problem) == (line, problem)


@pytest.mark.parametrize(
    ("name", "shown"), [("王小明", "王**"), ("李", "李*"), ("Anna Li", "A*** L*"), (" 张三 ", "张*")]
)
def test_a_name_is_masked_for_strangers(name: str, shown: str) -> None:
    assert masked(name) == shown


def test_only_keepers_announce(browser_of) -> None:
    assert browser_of(Role.INSURER_MANAGER).get(reverse("training-new")).status_code == 403
    keeper = browser_of(Role.COMMITTEE)
    words = {"code": "PX1", "title_zh": "培训", "title_en": "Training", "starts_at": "2026-12-03T09:00",
             "ends_at": "2026-12-03T08:00", "place": "济南", "capacity": "10"}  # fmt: skip
    assert "结束时间早于开始时间" in text(keeper.post(reverse("training-new"), words), 422)
    assert keeper.post(reverse("training-new"), {**words, "ends_at": "2026-12-03T17:00"}).status_code == 302
    made = Training.objects.get(code="PX1")
    assert timezone.localtime(made.starts_at).hour == 9
    assert keeper.post(reverse("training-questions", args=[made.pk]), {"text": "问 | q\n是 | yes"}).status_code == 422

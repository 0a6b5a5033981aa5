"""Reports that repeat each other: found soon after they arrive, shown to whoever is set over both, judged by a person."""

from __future__ import annotations

import random

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.scope import EVERYTHING, inside
from anze.parties.rules import Role
from anze.prevention.actions import likeness as looking
from anze.prevention.actions import look_for_likeness
from anze.prevention.models import Likeness, ReportText, Service, Visit
from anze.prevention.rules.likeness import KEYS, LEAST_PART, bare, digest, likeness, marked, sketch
from tests.cast import NOW
from tests.prevention.reports.conftest import service_row

TEXT = (
    "熔铸车间深井铸造机列冷却水压力表损坏，现场未见备用电源切换记录，班组长称上月检修后未复位。"
    "流槽末端缺少紧急排放口盖板，地面有积水痕迹，浇铸人员未佩戴面屏。"
    "配电室门口堆放杂物，应急照明一盏不亮，值班表与实际在岗人员不符。"
)
OTHER = (
    "渔港码头三号泊位系缆桩锈蚀严重，缆绳有断股，船员反映已向港方报修两次未果。"
    "冷库氨压机房报警探头遮挡，操作工说不清喷淋阀位置，事故柜内呼吸器压力不足。"
    "船载灭火器过期两具，救生衣存放在锁闭的储物间内，钥匙由船东带走。"
)
TEMPLATE = (
    "本次服务按照年度服务方案开展，检查人员出示证件并说明来意，企业主要负责人全程陪同，检查结束后当场反馈意见并提出整改要求。"
    "检查依据为现行安全生产法律法规和国家标准、行业标准，检查方式为查阅资料、现场查看和询问从业人员，检查结论仅对检查当日现场状况负责。"
)


def report_of(cast, number, text, *, policy="P-1", insurer=None, agency="AGY01", day=12):
    row = service_row(
        number, policy_no=policy, agency_code=agency, report_text=text,
        started_at=f"2026-05-{day:02}T09:00:00+08:00", ended_at=f"2026-05-{day:02}T11:00:00+08:00",
    )  # fmt: skip
    if agency == "AGY02":
        row["persons"] = [{"kind": "INSURER_STAFF", "name": "示例员工丁"}]
    cast.accepted(insurer or cast.huaihai, "services", row)
    return Service.objects.get(service_no=number)


def of_bohai(cast, number, text, **words):
    return report_of(cast, number, text, policy="P-2", insurer=cast.bohai, agency="AGY02", **words)


def look() -> int:
    with inside(EVERYTHING):
        return look_for_likeness(at=NOW)


def edited(text: str, share: float, seed: int) -> str:
    """The text with a share of its characters replaced."""
    chance = random.Random(seed)
    return "".join("改" if chance.random() < share else each for each in text)


@given(st.integers(0, 10**6))
def test_a_copy_with_some_changes_is_alike_and_another_text_is_not(seed):
    assert likeness(TEXT, TEXT) == 1
    assert likeness(TEXT, edited(TEXT, 0.02, seed)) > likeness(TEXT, OTHER) + 0.3
    assert likeness(TEXT, OTHER) < 0.05


@given(st.text(max_size=300), st.text(max_size=300))
def test_marking_loses_no_character_and_marks_only_what_both_have(one, other):
    first, second = marked(one, other)
    assert "".join(each.text for each in first) == one
    assert "".join(each.text for each in second) == other
    for pieces, against in ((first, other), (second, one)):
        assert all(each.text in against and len(each.text) >= LEAST_PART for each in pieces if each.is_same)


@given(st.text(max_size=400))
def test_a_sketch_fits_into_the_database_and_is_that_of_the_letters(text):
    made = sketch(text)
    assert made == sorted(set(made))
    assert len(made) <= KEYS
    assert all(-(2**31) <= key < 2**31 for key in made)
    assert made == sketch(bare(text))


def test_digits_marks_and_spaces_make_no_difference():
    touched = TEXT.replace("，", " , ").replace("。", "；1")
    assert sketch(TEXT) == sketch(touched)
    assert digest(TEXT) == digest(touched) != digest(OTHER)
    assert (sketch("太短"), digest("太短")) == ([], "")
    assert bare("a1 b，二") == "ab二"


def test_the_same_words_for_another_enterprise_of_another_insurer_are_found(cast, insured, browser_of):
    first = report_of(cast, "S-1", TEMPLATE + TEXT)
    second = of_bohai(cast, "S-2", TEMPLATE + TEXT.replace("一盏", "两盏"), day=14)
    assert look() == 1
    assert look() == 0
    found = Likeness.objects.get()
    assert (found.first, found.second, found.is_across, found.grade) == (first, second, True, "STRONG")
    assert found.likeness > 0.8
    # neither insurer learns of the other; the province sees both texts, the same parts marked
    there = reverse("likeness", args=[found.pk])
    for role, other in ((Role.INSURER_MANAGER, False), (Role.INSURER_MANAGER, True)):
        assert browser_of(role, other).get(there).status_code == 404, role
    province = browser_of(Role.PROVINCE_REGULATOR)
    page = province.get(there).content.decode()
    assert page.count("<mark>") >= 2
    assert first.service_no in page
    # from the service it is one step
    assert there in province.get(reverse("service", args=[second.pk])).content.decode()


def test_the_plausibility_sheet_of_the_visit_says_so_to_whoever_is_set_over_both(cast, insured, browser_of):
    report_of(cast, "S-1", TEXT)
    second = of_bohai(cast, "S-2", TEXT, day=14)
    look()
    visit = Visit.objects.create(
        visit_no="V-2", policy_id=second.policy_id, service=second, service_type="HAZARD", form="COMMISSIONED_TSP",
        state="DELIVERED", planned_on=second.performed_on, enterprise_id=second.enterprise_id,
        insurer_id=second.insurer_id, agency_id=second.agency_id, region_code=second.region_code, sector=second.sector,
        started_at=second.started_at, ended_at=second.ended_at, submitted_at=NOW, delivered_at=NOW,
    )  # fmt: skip
    said = "本报告有100%的文字同时出现在另一次服务的报告中"
    there = reverse("visit", args=[visit.pk])
    province = browser_of(Role.PROVINCE_REGULATOR)
    assert said in province.get(there).content.decode()
    assert said not in browser_of(Role.INSURER_MANAGER, True).get(there).content.decode()
    # what a person found harmless is no hint any more
    Likeness.objects.update(state="HARMLESS", decided_at=NOW, reason="同一专家的固定写法。")
    assert said not in province.get(there).content.decode()


def test_a_person_decides_with_a_reason(cast, insured, browser_of):
    report_of(cast, "S-1", TEXT)
    of_bohai(cast, "S-2", TEXT)
    look()
    found = Likeness.objects.get()
    committee = browser_of(Role.COMMITTEE)
    there = reverse("likeness-decide", args=[found.pk])
    assert committee.post(there, {"decision": "confirm", "reason": ""}).status_code == 422
    assert (
        committee.post(there, {"decision": "confirm", "reason": "两家企业的检查情况不可能逐字相同。"}).status_code
        == 302
    )
    found.refresh_from_db()
    assert (found.state, found.reason) == ("CONFIRMED", "两家企业的检查情况不可能逐字相同。")
    assert found.decided_by_name


def test_honest_reports_on_one_template_are_not_found(cast, insured):
    report_of(cast, "S-1", TEMPLATE + TEXT)
    of_bohai(cast, "S-2", TEMPLATE + OTHER)
    look()
    assert not Likeness.objects.exists()


def test_a_template_that_many_use_is_nobodys_own_words(cast, insured, monkeypatch):
    monkeypatch.setattr(looking, "COMMON", 2)
    for n in range(4):
        report_of(cast, f"S-{n}", TEMPLATE + f"今天在{'甲乙丙丁'[n]}车间没有发现隐患", day=10 + n)
    look()
    assert not Likeness.objects.exists()


def test_a_text_copied_so_often_that_it_looks_like_a_template_is_found_all_the_same(cast, insured, monkeypatch):
    monkeypatch.setattr(looking, "COMMON", 2)
    for n in range(4):
        report_of(cast, f"S-{n}", TEXT, day=10 + n)
    look()
    found = {frozenset(pair) for pair in Likeness.objects.values_list("first__service_no", "second__service_no")}
    assert {frozenset({"S-0", f"S-{n}"}) for n in (1, 2, 3)} <= found


def test_a_report_that_was_changed_is_looked_at_anew(cast, insured):
    report_of(cast, "S-1", TEXT)
    of_bohai(cast, "S-2", TEXT)
    look()
    assert Likeness.objects.count() == 1
    of_bohai(cast, "S-2", OTHER)
    look()
    assert not Likeness.objects.exists()
    # what was judged stays as it was judged, whatever is written afterwards
    of_bohai(cast, "S-2", TEXT)
    look()
    Likeness.objects.update(state="HARMLESS", decided_at=NOW, reason="同一专家的固定写法。")
    of_bohai(cast, "S-2", OTHER)
    look()
    assert Likeness.objects.get().state == "HARMLESS"


def test_another_field_of_the_service_changed_makes_no_second_comparison(cast, insured):
    report_of(cast, "S-1", TEXT)
    of_bohai(cast, "S-2", TEXT)
    look()
    before = Likeness.objects.get().pk
    of_bohai(cast, "S-2", TEXT, day=13)
    look()
    assert Likeness.objects.get().pk == before
    assert set(ReportText.objects.values_list("service__version", "service_version")) == {(1, 1), (2, 2)}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_list_says_what_it_is(cast, insured, browser_of, language):
    browser = browser_of(Role.COMMITTEE)
    browser.cookies["language"] = language
    page = browser.get(reverse("likenesses")).content.decode()
    assert {"zh-hans": "报告雷同提示", "en": "Reports that say the same"}[language] in page

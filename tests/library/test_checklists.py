"""Checklists: the version of the day, what the phone gets, and conditions."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.models import Change
from anze.library.actions import load_library
from anze.library.models import Checklist, ChecklistItem, Criterion, HazardEntry, Standard, checklist_for, pack
from anze.library.rules import ALUMINIUM_CAMPAIGN, Answer, condition_problem, is_shown

pytestmark = pytest.mark.usefixtures("everything")


def test_loading_again_writes_nothing() -> None:
    before = Change.objects.filter(table_name__startswith="library_").count()
    counts = [model.objects.count() for model in (Standard, Criterion, HazardEntry, Checklist, ChecklistItem)]
    load_library()
    assert [m.objects.count() for m in (Standard, Criterion, HazardEntry, Checklist, ChecklistItem)] == counts
    assert Change.objects.filter(table_name__startswith="library_").count() == before


def test_what_was_set_on_the_platform_outlives_the_next_load() -> None:
    Standard.objects.filter(code="FIRE-2025").update(effective_to=date(2027, 1, 31))
    Standard.objects.filter(code="GAS-2023").update(title_zh="平台上的标题", is_shipped=False)
    Standard.objects.filter(code="CIVEXP-2024").update(title_zh="旧标题")
    load_library()
    assert Standard.objects.get(code="FIRE-2025").effective_to == date(2027, 1, 31)
    assert Standard.objects.get(code="GAS-2023").title_zh == "平台上的标题"
    assert Standard.objects.get(code="CIVEXP-2024").title_zh != "旧标题"


def test_a_visit_gets_the_version_of_its_day() -> None:
    last_day = checklist_for("MINE", "HAZARD", date(2026, 6, 30))
    first_day = checklist_for("MINE", "HAZARD", date(2026, 7, 1))
    assert (last_day.version, first_day.version) == (1, 2)
    assert (last_day.standard.code, first_day.standard.code) == ("COAL-2020", "COAL-2026")
    assert checklist_for("MINE", "HAZARD", date(2020, 1, 1)) is None
    assert checklist_for("MINE", "DRILL", date(2026, 7, 1)) is None


def test_a_campaign_brings_its_own_checklist_and_elsewhere_the_sectors_own_serves() -> None:
    on = date(2026, 11, 23)
    assert checklist_for("SMELT", "HAZARD", on, ALUMINIUM_CAMPAIGN).code == "CL-ALUMINIUM"
    assert checklist_for("SMELT", "HAZARD", on).code == "CL-SMELT"
    assert checklist_for("MINE", "HAZARD", on, ALUMINIUM_CAMPAIGN).code == "CL-MINE"


def test_the_pack_is_all_a_phone_needs_and_its_version_is_its_content() -> None:
    checklist = checklist_for("SMELT", "HAZARD", date(2026, 11, 23), ALUMINIUM_CAMPAIGN)
    english, again, chinese = pack(checklist, "en"), pack(checklist, "en"), pack(checklist, "zh-hans")
    assert english == again
    assert english["version"] != chinese["version"]
    assert json.loads(json.dumps(english)) == english
    known = {each["code"] for each in english["hazards"]}
    assert {each["hazard"] for each in english["items"] if each["hazard"]} <= known
    first = next(each for each in chinese["items"] if each["criterion"] == "AL-1")
    assert "应急水源" in first["text"]
    assert first["basis"] == "应急管理部令第10号 AL-1"
    assert first["needs_photo"]
    ChecklistItem.objects.filter(checklist=checklist, seq=1).update(text_en="Another question")
    assert pack(checklist, "en")["version"] != english["version"]
    assert pack(checklist, "zh-hans")["version"] == chinese["version"]


def test_the_hazards_of_the_pack_are_those_of_the_day() -> None:
    checklist = checklist_for("MINE", "HAZARD", date(2026, 6, 30))
    old = {each["code"]: each for each in pack(checklist, "en", date(2026, 6, 30))["hazards"]}
    new = {each["code"]: each for each in pack(checklist, "en", date(2026, 7, 1))["hazards"]}
    assert old["MI-01"]["version"] == 1
    assert new["MI-01"]["version"] == 2
    assert old["MI-01"]["basis"] != new["MI-01"]["basis"]
    assert len(old) == len(new)


def test_packing_costs_the_same_few_queries(django_assert_max_num_queries) -> None:
    checklist = checklist_for("OTHER", "HAZARD", date(2026, 11, 23))
    with django_assert_max_num_queries(2):
        pack(checklist, "en")


def test_the_database_refuses_a_condition_that_points_forward_or_a_question_that_rests_on_nothing() -> None:
    checklist = checklist_for("OTHER", "HAZARD", date(2026, 11, 23))
    for words in ({"shown_if": 99, "shown_if_answer": "YES"}, {"shown_if": 1, "shown_if_answer": ""}, {"basis_zh": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ChecklistItem.objects.create(
                checklist=checklist, seq=90, section_zh="节", section_en="s", text_zh="问", text_en="q",
                answer="YES_NO_NA", **{"basis_zh": "依据", "basis_en": "basis", **words},
            )  # fmt: skip


@st.composite
def lists(draw: st.DrawFn) -> dict[int, dict]:
    """Checklists whose conditions point back, as the database admits them."""
    items: dict[int, dict] = {}
    for seq in range(1, draw(st.integers(1, 12)) + 1):
        on = draw(st.one_of(st.none(), st.integers(1, seq - 1))) if seq > 1 else None
        items[seq] = {"shown_if": on, "shown_if_answer": draw(st.sampled_from(Answer.values)) if on else ""}
    return items


@given(lists(), st.data())
def test_an_item_is_asked_exactly_when_the_chain_of_conditions_above_it_holds(items, data) -> None:
    answers = {seq: data.draw(st.sampled_from(Answer.values)) for seq in items if data.draw(st.booleans())}
    for seq, item in items.items():
        shown = is_shown(item, answers, items)
        chain = item
        holds = True
        while chain["shown_if"] is not None:
            holds = holds and answers.get(chain["shown_if"]) == chain["shown_if_answer"]
            chain = items[chain["shown_if"]]
        assert shown == holds, seq
    kinds = dict.fromkeys(items, "YES_NO_NA")
    assert not any(condition_problem(seq, i["shown_if"], i["shown_if_answer"], kinds) for seq, i in items.items())
    assert condition_problem(3, 3, "YES", {3: "YES_NO_NA"}) == "forward"
    assert condition_problem(3, 2, "YES", {2: "NUMBER"}) == "no_such_answer"

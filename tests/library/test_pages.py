"""Pages of standards, criteria, hazards and checklists in both languages."""

from __future__ import annotations

import pytest
from django.urls import reverse

from anze.library.models import Checklist, Criterion, HazardEntry, Standard
from anze.parties.rules import Role


@pytest.fixture
def reader(browser_of):
    return browser_of(Role.ENTERPRISE)


def text(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def english(browser) -> None:
    browser.cookies["language"] = "en"


def test_two_characters_find_a_criterion_and_the_hazards_of_a_place(reader) -> None:
    assert "AL-7" in text(reader.get(reverse("criteria"), {"q": "钢丝"}))
    assert "瓦斯超限后未断电撤人" in text(reader.get(reverse("hazard-library"), {"q": "瓦斯"}))
    english(reader)
    assert "AL-7" in text(reader.get(reverse("criteria"), {"q": "steel core"}))
    found = text(reader.get(reverse("search"), {"q": "罐区"}))
    assert "HC-04" in found


def test_editions_stand_side_by_side_with_what_changes(reader) -> None:
    new = Standard.objects.get(code="INDUSTRY-2023")
    shown = text(reader.get(reverse("standard", args=[new.pk]), {"tab": "editions"}))
    assert "安监总管四〔2017〕129号" in shown
    assert "<del>且</del><ins>或者快速冻结装置</ins>" in shown
    english(reader)
    assert "renumbered" not in text(reader.get(reverse("standard", args=[new.pk]), {"tab": "editions"}))


def test_an_old_edition_keeps_its_wording_beside_the_new_one(reader) -> None:
    old = Criterion.objects.get(code="NH3-2", standard__code="INDUSTRY-2017")
    shown = text(reader.get(reverse("criterion", args=[old.pk])))
    assert old.text_zh in shown
    assert "已失效" in shown


def test_a_checklist_shows_its_questions_conditions_and_suggested_hazards_and_prints(reader) -> None:
    checklist = Checklist.objects.get(code="CL-ALUMINIUM")
    shown = text(reader.get(reverse("checklist", args=[checklist.pk])))
    assert "应急管理部令第10号 AL-3" in shown
    assert "仅当第" in shown
    entry = HazardEntry.objects.get(code="AL-03")
    assert reverse("hazard-entry", args=[entry.pk]) in shown
    assert entry.wording_zh in text(reader.get(reverse("hazard-entry", args=[entry.pk])))
    sheet = text(reader.get(reverse("checklist-print", args=[checklist.pk])))
    assert "data-print" in sheet
    assert sheet.count("☐ 拍照") == checklist.items.filter(needs_photo=True).count()
    mine = Checklist.objects.get(code="CL-MINE", version=2)
    assert "领导带班下井" in text(reader.get(reverse("checklist", args=[mine.pk]), {"tab": "changes"}))


def test_a_page_costs_the_same_queries_however_many_rows_it_shows(reader, django_assert_max_num_queries) -> None:
    pages = [
        (reverse("standards"), {}),
        (reverse("criteria"), {"in_force": "all"}),
        (reverse("hazard-library"), {}),
        (reverse("checklist", args=[Checklist.objects.get(code="CL-ALUMINIUM").pk]), {}),
        (reverse("checklist-print", args=[Checklist.objects.get(code="CL-OTHER").pk]), {}),
    ]
    for address, words in pages:
        reader.get(address, words)
        with django_assert_max_num_queries(30):
            text(reader.get(address, words))

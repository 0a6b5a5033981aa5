"""What changes between two editions: golden tests on two editions, and properties of the comparison."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from anze.library.models import Checklist, Standard, checklist_difference, edition_difference
from anze.library.rules import Clause, difference, word_diff


def as_text(pieces) -> str:
    return "".join({"del": f"[-{p.text}-]", "ins": f"{{+{p.text}+}}"}.get(p.kind, p.text) for p in pieces)


def test_words_are_compared_word_by_word_and_chinese_character_by_character() -> None:
    assert as_text(word_diff("No more than 9 people", "Not more than nine people")) == (
        "[-No-]{+Not+} more than [-9-]{+nine+} people"
    )
    assert as_text(word_diff("未设置在单独的作业间内，且超过9人", "未设置在单独的作业间内，或者超过9人")) == (
        "未设置在单独的作业间内，[-且-]{+或者+}超过9人"
    )


@pytest.mark.usefixtures("everything")
def test_the_two_editions_of_industry_and_trade() -> None:
    old, new = Standard.objects.get(code="INDUSTRY-2017"), Standard.objects.get(code="INDUSTRY-2023")
    with override("zh-hans"):
        found = {(d.kind, d.old_label, d.new_label): as_text(d.pieces) for d in edition_difference(old, new)}
    assert (
        found[("changed", "NH3-2", "NH3-2")]
        == "快速冻结装置未设置在单独的作业间内，[-且-]{+或者快速冻结装置+}作业间内作业人员[-数量-]超过9人"
    )
    assert ("removed", "DUST-SANDER", "") in found
    assert ("added", "", "AL-1") in found
    assert ("added", "", "DUST-9") in found


@pytest.mark.usefixtures("everything")
def test_the_two_versions_of_the_mine_checklist_differ_by_one_question() -> None:
    old, new = (Checklist.objects.get(code="CL-MINE", version=version) for version in (1, 2))
    changes = [d for d in checklist_difference(old, new) if d.kind != "same"]
    assert [(d.kind, d.new_label) for d in changes] == [("added", "18")]
    assert new.effective_from == date(2026, 7, 1)


def test_a_clause_with_another_number_is_followed_and_a_new_matter_is_not_taken_for_an_old_one() -> None:
    old = [Clause("A-1", "Guards of rotating parts are missing"), Clause("A-2", "No gas detector in the pump room")]
    new = [Clause("B-7", "No gas detector in the pump house"), Clause("B-8", "Escape ways are blocked")]
    found = difference(old, new)
    assert [(d.kind, d.old_label, d.new_label) for d in found] == [
        ("removed", "A-1", ""),
        ("changed", "A-2", "B-7"),
        ("added", "", "B-8"),
    ]


texts = st.text("ab 甲乙，", max_size=12)
editions = st.lists(st.builds(Clause, st.sampled_from([f"C-{n}" for n in range(8)]), texts), unique_by=lambda c: c.code)


@given(texts, texts)
def test_both_texts_can_be_read_back_from_their_difference(old, new) -> None:
    pieces = word_diff(old, new)
    assert "".join(p.text for p in pieces if p.kind != "ins") == old
    assert "".join(p.text for p in pieces if p.kind != "del") == new


@given(editions, editions)
def test_every_clause_of_both_editions_stands_once_in_the_comparison(old, new) -> None:
    found = difference(old, new)
    assert [d.new for d in found if d.new] == new
    assert sorted(d.old.code for d in found if d.old) == sorted(c.code for c in old)
    for each in found:
        assert (each.kind == "added") == (each.old is None)
        assert (each.kind == "removed") == (each.new is None)
    assert {d.kind for d in difference(old, old)} <= {"same"}

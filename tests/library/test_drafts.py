"""New editions: drafted unseen, refused with row, field and remedy, published for good."""

from __future__ import annotations

import io
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from python_calamine import CalamineWorkbook

from anze.exchange.screens.drafts import rows_of
from anze.kernel.actor import platform
from anze.kernel.refusal import Refused
from anze.library.actions import begin_draft, change_draft, load_library, problems_of, publish_draft
from anze.library.models import Checklist, Criterion, Draft, Standard, checklist_for
from anze.parties.rules import Permission, Role
from tests.cast import NOW

KEEPER = platform(frozenset({Permission.KEEP_LIBRARY}))
TODAY = date(2026, 11, 23)
HEAD = {
    "number": "应急管理部令第99号", "edition": "2027", "issued": "2026-11", "title_zh": "工贸企业重大事故隐患判定标准",
    "title_en": "Major hazards in industry and trade", "effective_from": "2027-01-01",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("everything")


@pytest.fixture
def draft() -> Draft:
    return begin_draft(Standard.objects.get(code="INDUSTRY-2023"), by=KEEPER, at=NOW)


def test_a_new_edition_leaves_the_old_one_as_it_was_and_ends_it_the_day_before(draft) -> None:
    before = list(Criterion.objects.filter(standard__code="INDUSTRY-2023").order_by("seq").values("code", "text_zh"))
    rows = [{**row, "text_zh": row["text_zh"] + "。"} for row in draft.rows if row["code"] != "AL-7"]
    draft = change_draft(draft, by=KEEPER, at=NOW, head=HEAD, rows=rows)
    made = publish_draft(draft, by=KEEPER, at=NOW)
    old = Standard.objects.get(code="INDUSTRY-2023")
    assert (made.code, made.replaces, made.effective_from) == ("INDUSTRY-2027", old, date(2027, 1, 1))
    assert old.effective_to == date(2026, 12, 31)
    kept = list(Criterion.objects.filter(standard=old).order_by("seq").values("code", "text_zh"))
    assert kept == before
    assert made.criteria.count() == len(before) - 1
    with pytest.raises(Refused):
        publish_draft(draft, by=KEEPER, at=NOW)
    load_library()
    old.refresh_from_db()
    assert old.effective_to == date(2026, 12, 31)


def test_a_new_version_of_a_checklist_serves_from_its_day_on() -> None:
    draft = begin_draft(Checklist.objects.get(code="CL-OTHER"), by=KEEPER, at=NOW)
    head = {**draft.head, "effective_from": "2026-12-01"}
    rows = [
        *draft.rows,
        {**draft.rows[-1], "text_zh": "是否张贴应急电话？", "text_en": "Is the emergency number posted?", "hazard": ""},
    ]
    made = publish_draft(change_draft(draft, by=KEEPER, at=NOW, head=head, rows=rows), by=KEEPER, at=NOW)
    assert made.version == 2
    assert checklist_for("OTHER", "HAZARD", date(2026, 11, 30)).version == 1
    assert checklist_for("OTHER", "HAZARD", date(2026, 12, 1)) == made
    assert (
        made.items.filter(shown_if__isnull=False).count()
        == Checklist.objects.get(code="CL-OTHER", version=1).items.filter(shown_if__isnull=False).count()
    )
    load_library()
    assert Checklist.objects.filter(code="CL-OTHER").count() == 2


@pytest.mark.parametrize(
    ("change", "row", "field", "code"),
    [
        ({"text_en": ""}, 2, "text_en", "missing"),
        ({"answer": "MAYBE"}, 2, "answer", "unknown_value"),
        ({"criterion": "X/Y"}, 2, "criterion", "unknown_criterion"),
        ({"hazard": "NO-1"}, 2, "hazard", "unknown_hazard"),
        ({"criterion": "", "standard": "", "basis_zh": ""}, 2, "basis_zh", "no_basis"),
        ({"shown_if": "x"}, 2, "shown_if", "not_a_number"),
        ({"shown_if": "2", "shown_if_answer": "YES"}, 2, "shown_if", "forward"),
        ({"shown_if": "1", "shown_if_answer": "YES"}, 2, "shown_if", "no_such_answer"),
        ({"text_zh": "长" * 301}, 2, "text_zh", "too_long"),
    ],
)
def test_a_refusal_names_row_field_and_remedy(change, row, field, code) -> None:
    draft = begin_draft(Checklist.objects.get(code="CL-SMELT"), by=KEEPER, at=NOW)
    rows = [dict(each) for each in draft.rows]
    rows[row - 1] |= change
    draft = change_draft(draft, by=KEEPER, at=NOW, head={**draft.head, "effective_from": "2026-12-01"}, rows=rows)
    problem = problems_of(draft, TODAY)[0]
    assert (problem.row, problem.field, problem.code) == (row, field, code)
    assert problem.remedy
    with pytest.raises(Refused) as refused:
        publish_draft(draft, by=KEEPER, at=NOW)
    assert refused.value.field == field
    assert str(row) in refused.value.message
    assert Checklist.objects.filter(code="CL-SMELT").count() == 1


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"effective_from": ""}, "no_date"),
        ({"effective_from": "2026-11-22"}, "past"),
        ({"edition": "2017"}, "edition_taken"),
    ],
)
def test_the_head_is_checked_too(draft, head, code) -> None:
    draft = change_draft(draft, by=KEEPER, at=NOW, head={**HEAD, **head})
    assert [(each.row, each.code) for each in problems_of(draft, TODAY)] == [(0, code)]


def test_the_file_of_a_draft_comes_back_as_it_went_out(browser_of, draft) -> None:
    keeper = browser_of(Role.COMMITTEE)
    answer = keeper.get(reverse("draft-file", args=[draft.pk]))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
    assert len(sheet.to_python()) == len(draft.rows) + 1
    assert rows_of(answer.content, draft.kind) == draft.rows
    upload = reverse("draft-upload", args=[draft.pk])
    keeper.post(
        upload,
        {
            "file": SimpleUploadedFile(
                "a.csv", "code,clause,sector,text_zh,text_en,status\nX-1,,OTHER,新,new,UNVERIFIED\n".encode()
            )
        },
    )
    draft.refresh_from_db()
    assert [row["code"] for row in draft.rows] == ["X-1"]
    for bad in (b"", b"a,b\n1,2\n", b"code,clause\n1,2\n", b"\xd0\xcf\x11\xe0"):
        keeper.post(upload, {"file": SimpleUploadedFile("a.csv", bad)})
        draft.refresh_from_db()
        assert [row["code"] for row in draft.rows] == ["X-1"]


def test_a_draft_is_seen_and_edited_by_keepers_only(browser_of, draft) -> None:
    keeper = browser_of(Role.COMMITTEE)
    page = keeper.get(reverse("draft", args=[draft.pk])).content.decode()
    assert "缺少生效日期" in page
    row = reverse("draft-row", args=[draft.pk])
    assert "AL-1" in keeper.get(row, {"n": "1"}).content.decode()
    keeper.post(f"{row}?n=1", {**draft.rows[0], "text_zh": "改过的文字"})
    draft.refresh_from_db()
    assert draft.rows[0]["text_zh"] == "改过的文字"
    count = len(draft.rows)
    keeper.post(f"{row}?n=1", {"take_out": "1"})
    draft.refresh_from_db()
    assert len(draft.rows) == count - 1
    for role in (Role.PROVINCE_REGULATOR, Role.INSURER_MANAGER, Role.EXPERT):
        reader = browser_of(role)
        assert reader.get(reverse("draft", args=[draft.pk])).status_code == 403
        assert reader.get(reverse("drafts")).status_code == 403
        assert "改过的文字" not in reader.get(reverse("criteria"), {"in_force": "all"}).content.decode()
    standard = Standard.objects.get(code="CIVEXP-2024")
    answer = keeper.post(reverse("standard-draft", args=[standard.pk]))
    assert answer["Location"] == keeper.post(reverse("standard-draft", args=[standard.pk]))["Location"]

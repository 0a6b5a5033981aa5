# ruff: noqa: RUF001 - wide characters are part of what people upload
"""Uploaded files: real workbooks and tables, read with their own row numbers or refused with the remedy."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from anze.exchange import opening
from anze.exchange.columns import Column, Kind
from anze.exchange.opening import letters_of
from anze.exchange.reading import UNCALCULATED
from anze.exchange.workbooks import Sheet, read_sheet

RISK = (("HIGH", "高"), ("LOW", "低"))
COLUMNS = (
    Column("policy_no", "保单号", Kind.IDENTIFIER, True, aliases=("Policy no.",), examples=("PZ0001", "PZ0002")),
    Column("insured_name", "被保险人", required=True, aliases=("Insured",), examples=("示例甲", "示例乙")),
    Column("premium", "保费（元）", Kind.DECIMAL, True, aliases=("Premium",), examples=("1200.00", "3400.50")),
    Column(
        "start_on",
        "保险起期",
        Kind.DATE,
        True,
        aliases=("Start date",),
        examples=("2024-03-05", "2024-04-01"),
    ),
    Column("risk", "风险等级", Kind.CODE, codes=RISK, aliases=("Risk",), examples=("HIGH", "LOW")),
)
TITLES = ["保单号", "被保险人", "保费（元）", "保险起期", "风险等级"]
ROW = ["PZ123", "某某铸造", 1234.5, "2024/3/5", "高"]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def workbook(*rows: list[Any], build: Callable[[Any, Any], None] | None = None, name: str = "数据") -> bytes:
    """A real .xlsx whose first sheet holds the rows; `build` may add to it."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(name)
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if value is not None:
                sheet.write(number, place, value)
    if build:
        build(book, sheet)
    book.close()
    return out.getvalue()


def codes(remarks: list[Any]) -> list[str]:
    for remark in remarks:
        assert remark.message, remark
        assert remark.remedy, remark
        assert "%(" not in remark.message + remark.remedy
    return [remark.code for remark in remarks]


def refused(data: bytes, *, names: tuple[str, ...] = ()) -> str:
    """The code of the one problem of a file, which then holds no rows."""
    sheet = read_sheet(data, COLUMNS, names)
    assert sheet.rows == []
    assert len(codes(sheet.problems)) == 1, sheet.problems
    return codes(sheet.problems)[0]


def rewritten(data: bytes, **parts: Callable[[bytes], bytes]) -> bytes:
    """The workbook with parts changed: the end of its path (dots as __) → what becomes of its content."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            for end, change in parts.items():
                if name.endswith(end.replace("__", ".")):
                    content = change(content)
            new.writestr(name, content)
    return out.getvalue()


def added(data: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


# Rows and titles


def test_a_plain_sheet_is_read_with_its_row_numbers() -> None:
    sheet = read_sheet(workbook(TITLES, ROW, ["PZ124", "另一家", 5, date(2024, 3, 6), None]), COLUMNS)
    assert codes(sheet.problems) == codes(sheet.notes) == []
    assert sheet.columns == {
        "policy_no": "A",
        "insured_name": "B",
        "premium": "C",
        "start_on": "D",
        "risk": "E",
    }
    assert [number for number, _row in sheet.rows] == [2, 3]
    assert sheet.rows[0][1] == dict(zip(sheet.columns, ROW, strict=True))
    assert list(sheet.rows[1][1].values()) == ["PZ124", "另一家", 5.0, date(2024, 3, 6), None]
    assert sheet.cell(3, "premium") == "C3"
    assert sheet.name == "数据"
    read = {column.name: column.read(sheet.rows[0][1][column.name]) for column in COLUMNS}
    assert list(read.values()) == ["PZ123", "某某铸造", "1234.50", "2024-03-05", "HIGH"]


@pytest.mark.parametrize(
    "titles",
    [
        ["policy_no", "insured_name", "premium", "start_on", "risk"],
        ["Policy no.", "insured", "PREMIUM", "Start Date", "Risk"],
        ["*保单号", " 被 保险人\n", "保费", "＊保险起期", "风险等级"],
        ["保单号*", "被保险人", "保费(元)", "保险起期（年月日）", "风险等级"],
    ],
)
def test_titles_in_either_language_by_field_name_with_marks_and_units(titles: list[str]) -> None:
    sheet = read_sheet(workbook(titles, ROW), COLUMNS)
    assert codes(sheet.problems) == codes(sheet.notes) == []
    assert list(sheet.columns) == [column.name for column in COLUMNS]


def test_banner_empty_rows_and_empty_columns_do_not_move_the_numbers() -> None:
    def build(_book: Any, sheet: Any) -> None:
        sheet.merge_range(2, 1, 2, 6, "2024年保单明细表")
        for place, title in enumerate(TITLES):
            sheet.write(5, place + 2, title)
        for number in (7, 9):
            for place, value in enumerate(ROW):
                sheet.write(number, place + 2, value)

    sheet = read_sheet(workbook(build=build), COLUMNS)
    assert codes(sheet.problems) == []
    assert [number for number, _row in sheet.rows] == [8, 10]
    assert sheet.cell(8, "policy_no") == "C8"
    assert sheet.rows[0][1]["policy_no"] == "PZ123"


def test_titles_below_ten_banner_rows_are_found_and_below_eleven_not() -> None:
    assert read_sheet(workbook(*[["报表"]] * 10, TITLES, ROW), COLUMNS).rows[0][0] == 12
    assert refused(workbook(*[["报表"]] * 11, TITLES, ROW)) == "header_missing"


def test_the_columns_may_stand_in_any_order_and_unknown_ones_are_named() -> None:
    titles = ["序号", "风险等级", "保险起期", "保费（元）", "被保险人", "保单号", None]
    row = [1, "低", "2024-03-05", 1, "某某", "PZ1", "stray"]
    sheet = read_sheet(workbook(titles, row), COLUMNS)
    assert sheet.rows[0][1]["policy_no"] == "PZ1"
    assert codes(sheet.notes) == ["column_unknown", "column_untitled"]
    assert sheet.notes[0].values["found"] == "序号"
    assert sheet.notes[1].values["column"] == "G"


def test_an_untitled_column_among_the_others_is_named() -> None:
    sheet = read_sheet(workbook([None, *TITLES], ["x", *ROW], [None, *ROW]), COLUMNS)
    assert [(note.code, note.values) for note in sheet.notes] == [("column_untitled", {"column": "A"})]
    assert len(sheet.rows) == 2


def test_missing_required_columns_are_named_each_with_what_comes_near() -> None:
    sheet = read_sheet(workbook(["保单号", "被保险人名称", "风险等级"], ["PZ1", "某某", "高"]), COLUMNS)
    assert sheet.rows == []
    assert codes(sheet.problems) == ["column_missing_near", "column_missing", "column_missing"]
    assert "被保险人名称" in sheet.problems[0].message
    assert [problem.values["title"] for problem in sheet.problems] == ["被保险人", "保费（元）", "保险起期"]


def test_a_missing_optional_column_is_no_problem() -> None:
    sheet = read_sheet(workbook(TITLES[:4], ROW[:4]), COLUMNS)
    assert codes(sheet.problems) == []
    assert "risk" not in sheet.rows[0][1]


def test_the_same_column_twice_is_refused() -> None:
    sheet = read_sheet(workbook([*TITLES, "保费"], [*ROW, 7]), COLUMNS)
    assert codes(sheet.problems) == ["column_twice"]
    assert "C1, F1" in sheet.problems[0].message


@pytest.mark.parametrize("title", ["保费（万元）", "保费(千元)", "保费（亿元）"])
def test_a_title_in_another_unit_is_refused(title: str) -> None:
    sheet = read_sheet(workbook([*TITLES[:2], title, *TITLES[3:]], ROW), COLUMNS)
    assert codes(sheet.problems) == ["column_in_other_unit"]
    assert "元" in sheet.problems[0].message
    assert sheet.rows == []


@pytest.mark.parametrize(
    ("first", "last"),
    [((0, 2), (0, 3)), ((0, 0), (1, 0)), ((0, 4), (0, 6))],
    ids=["across", "down", "beyond"],
)
def test_merged_cells_in_the_row_of_titles_are_refused(first: tuple[int, int], last: tuple[int, int]) -> None:
    def build(_book: Any, sheet: Any) -> None:
        sheet.merge_range(*first, *last, TITLES[first[1]])

    data = workbook([title if place != first[1] else None for place, title in enumerate(TITLES)], build=build)
    sheet = read_sheet(data, COLUMNS)
    assert codes(sheet.problems)[0] == "header_merged"
    assert f"{letters_of(first[1])}{first[0] + 1}:{letters_of(last[1])}{last[0] + 1}" in sheet.problems[0].message
    assert sheet.rows == []


def test_titles_on_two_levels_are_refused_because_of_their_merged_cells() -> None:
    def build(_book: Any, sheet: Any) -> None:
        for place, title in enumerate(TITLES[:2]):
            sheet.merge_range(0, place, 1, place, title)
        sheet.merge_range(0, 2, 0, 4, "保险信息")
        for place, title in enumerate(TITLES[2:], start=2):
            sheet.write(1, place, title)

    assert codes(read_sheet(workbook(build=build), COLUMNS).problems)[0] == "header_merged"


def test_merged_cells_in_the_records_are_refused_and_in_a_total_not() -> None:
    def merge_record(_book: Any, sheet: Any) -> None:
        sheet.merge_range(1, 1, 2, 1, "某某铸造")

    def merge_total(_book: Any, sheet: Any) -> None:
        sheet.merge_range(2, 0, 2, 1, "合计")
        sheet.write(2, 2, 1234.5)

    assert refused(workbook(TITLES, ROW, ROW, build=merge_record)) == "data_merged"
    sheet = read_sheet(workbook(TITLES, ROW, build=merge_total), COLUMNS)
    assert codes(sheet.problems) == []
    assert codes(sheet.notes) == ["total_row"]


@pytest.mark.parametrize("word", ["合计", "总 计", "合计：", "Total", "GRAND TOTAL", "小计", "合计（元）", "本页合计"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_totals_row_is_left_out_and_said_so(word: str, place: int) -> None:
    total = [None] * place + [word] + [None] * (1 - place) + [1234.5]
    sheet = read_sheet(workbook(TITLES, ROW, total), COLUMNS)
    assert [number for number, _row in sheet.rows] == [2]
    assert [(note.code, note.row) for note in sheet.notes] == [("total_row", 3)]


def test_a_company_whose_name_begins_like_a_total_is_no_total() -> None:
    sheet = read_sheet(workbook(TITLES, ["PZ1", "总计量检测有限公司", 1, "2024-03-05", None]), COLUMNS)
    assert len(sheet.rows) == 1


def test_example_rows_left_in_place_are_left_out() -> None:
    examples = [[column.examples[i] for column in COLUMNS] for i in (0, 1)]
    sheet = read_sheet(workbook(TITLES, *examples, ROW), COLUMNS)
    assert [number for number, _row in sheet.rows] == [4]
    assert [(note.code, note.row) for note in sheet.notes] == [("example_row", 2), ("example_row", 3)]


def test_an_example_row_that_was_written_over_counts() -> None:
    written_over = ["PZ0001", "真的", "1200.00", "2024-03-05", "HIGH"]
    assert len(read_sheet(workbook(TITLES, written_over), COLUMNS).rows) == 1


def test_no_titles_no_rows_no_sheet() -> None:
    assert refused(workbook(["some", "thing"], [1, 2])) == "header_missing"
    assert refused(workbook(TITLES)) == "no_rows"
    assert refused(workbook(TITLES, [None], ["  ", "\u3000", "\u200b"])) == "no_rows"
    assert refused(workbook()) == "header_missing"


def test_one_title_alone_is_taken_for_a_banner() -> None:
    sheet = read_sheet(workbook(["保单号", "甲"], TITLES, ROW), COLUMNS)
    assert [number for number, _row in sheet.rows] == [3]


def test_two_columns_with_one_title_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="two columns"):
        read_sheet(workbook(TITLES, ROW), [Column("a", "甲"), Column("b", "甲")])


# Sheets


def several(book: Any, _sheet: Any) -> None:
    hidden = book.add_worksheet("旧数据")
    hidden.hide()
    other = book.add_worksheet("保单")
    book.add_chartsheet("图")
    for sheet, number in ((hidden, "PZ-HIDDEN"), (other, "PZ-OTHER")):
        for place, title in enumerate(TITLES):
            sheet.write(0, place, title)
        for place, value in enumerate([number, *ROW[1:]]):
            sheet.write(1, place, value)


def test_the_first_visible_sheet_with_titles_is_read_and_the_others_are_named() -> None:
    sheet = read_sheet(workbook(["说明", "请看下一页"], build=several), COLUMNS)
    assert sheet.rows[0][1]["policy_no"] == "PZ-OTHER"
    assert sheet.notes[0].code == "sheets_left_out"
    assert sheet.notes[0].values == {"read": "保单", "sheets": "数据"}


def test_the_declared_sheet_is_preferred() -> None:
    data = workbook(TITLES, ROW, build=several)
    assert read_sheet(data, COLUMNS).rows[0][1]["policy_no"] == "PZ123"
    assert read_sheet(data, COLUMNS, ("policies", " 保单 ")).rows[0][1]["policy_no"] == "PZ-OTHER"


def test_a_big_sheet_beside_the_declared_one_does_no_harm() -> None:
    def build(book: Any, sheet: Any) -> None:
        several(book, sheet)
        sheet.write(900_000, 300, "raw data")

    assert read_sheet(workbook(TITLES, ROW, build=build), COLUMNS, ("保单",)).rows[0][1]["policy_no"] == "PZ-OTHER"


# Cells that parsers read as empty


def test_error_cells_are_not_empty_cells() -> None:
    def build(_book: Any, sheet: Any) -> None:
        sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 4, "=NA()", None, "#N/A")

    sheet = read_sheet(workbook(TITLES, ["PZ1", "甲", None, "2024-03-05", None], build=build), COLUMNS)
    assert sheet.rows[0][1]["premium"] == "#DIV/0!"
    assert sheet.rows[0][1]["risk"] == "#N/A"


def test_formulas_without_a_result_are_not_empty_cells() -> None:
    def build(_book: Any, sheet: Any) -> None:
        sheet.write_formula(1, 2, "=1+1", None, "WANTED")
        sheet.write_formula(2, 2, "=1+1", None, 2)
        sheet.write_formula(3, 1, "=B9", None, "EMPTY")

    data = workbook(TITLES, ROW[:2], ["PZ2", "乙"], ["PZ3"], build=build)

    def without_results(xml: bytes) -> bytes:
        xml = xml.replace(b"<v>EMPTY</v>", b"<v></v>")  # calculated, and the result is an empty text
        return xml.replace(b' t="str"><f>1+1</f><v>WANTED</v>', b"><f>1+1</f><v></v>")

    without = rewritten(data, sheet1__xml=without_results)
    rows = [row for _number, row in read_sheet(without, COLUMNS).rows]
    assert [row["premium"] for row in rows] == [UNCALCULATED, 2.0, None]
    assert rows[2]["insured_name"] is None
    bare = rewritten(data, sheet1__xml=lambda xml: xml.replace(b' t="str"><f>1+1</f><v>WANTED</v>', b"><f>1+1</f>"))
    assert read_sheet(bare, COLUMNS).rows[0][1]["premium"] == UNCALCULATED


def test_dates_times_booleans_and_long_numbers_come_as_what_they_are() -> None:
    def build(book: Any, sheet: Any) -> None:
        chinese = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
        to_the_minute = book.add_format({"num_format": "yyyy/m/d h:mm"})
        sheet.write_datetime(1, 3, datetime(2024, 3, 5, 8, 30), to_the_minute)  # noqa: DTZ001
        sheet.write_datetime(2, 3, date(2024, 3, 5), chinese)

    row = [123456789012345678, "甲", True]
    rows = [row for _number, row in read_sheet(workbook(TITLES, row, row, build=build), COLUMNS).rows]
    assert rows[0]["policy_no"] == pytest.approx(123456789012345680, rel=1e-14)
    assert rows[0]["premium"] is True
    assert rows[0]["start_on"] == datetime(2024, 3, 5, 8, 30)  # noqa: DTZ001
    assert COLUMNS[3].read(rows[1]["start_on"]) == "2024-03-05"


# Files that are refused


def test_an_empty_file() -> None:
    assert refused(b"") == "file_empty"


def test_a_file_beyond_twenty_megabytes_is_not_even_opened() -> None:
    assert refused(b"PK" + bytes(opening.MAX_BYTES)) == "file_too_big"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = added(workbook(TITLES, ROW), "xl/media/image1.png", bytes(30_000_000))
    assert len(bomb) < 100_000
    assert refused(bomb) == "file_is_a_bomb"


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    data = added(workbook(TITLES, ROW), "xl/extra.xml", bytes(30_000_000))
    lying = data.replace((30_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != data
    assert refused(lying) == "file_damaged"


def test_too_many_parts_are_refused() -> None:
    out = io.BytesIO(workbook(TITLES, ROW))
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(opening.MAX_ENTRIES):
            archive.writestr(f"xl/x{number}.txt", b"")
    assert refused(out.getvalue()) == "file_is_a_bomb"


def test_macros_are_refused_by_part_and_by_type() -> None:
    assert refused(added(workbook(TITLES, ROW), "xl/vbaProject.bin", b"macro")) == "file_has_macros"
    typed = rewritten(
        workbook(TITLES, ROW),
        Content_Types__=lambda xml: xml,
        **{
            "[Content_Types]__xml": lambda xml: xml.replace(
                b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main"
            )
        },
    )
    assert refused(typed) == "file_has_macros"


def test_old_excel_and_encrypted_excel_are_told_apart() -> None:
    compound = opening.COMPOUND_FILE + bytes(1000)
    assert refused(compound + "Workbook".encode("utf-16-le")) == "file_old_excel"
    assert refused(compound + "EncryptedPackage".encode("utf-16-le")) == "file_encrypted"


def test_a_zip_under_a_password_is_refused() -> None:
    data = bytearray(workbook(TITLES, ROW))
    start = data.find(b"PK\x01\x02")
    data[start + 8] |= 1
    assert refused(bytes(data)) == "file_encrypted"


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 broken",
        workbook(TITLES, ROW)[:-200],
        rewritten(workbook(TITLES, ROW), sheet1__xml=lambda xml: xml[:-50]),
        rewritten(workbook(TITLES, ROW), sheet1__xml=lambda xml: xml.replace(b"?>", b"?><!DOCTYPE x>")),
        rewritten(workbook(TITLES, ROW), workbook__xml=lambda xml: b"not xml"),
        rewritten(workbook(TITLES, ROW), sharedStrings__xml=lambda xml: xml[:100]),
        rewritten(workbook(TITLES, ROW), sheet1__xml=lambda xml: xml.replace(b'r="A2"', b'r="!!"')),
    ],
    ids=["no zip", "cut off", "broken sheet", "doctype", "broken workbook", "broken strings", "bad address"],
)
def test_damaged_files_are_refused(data: bytes) -> None:
    assert refused(data) == "file_damaged"


def test_other_zip_files_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("content.xml", "<a/>")
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert refused(out.getvalue()) == "file_other_format"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html><table><tr><td>", "file_is_a_page"),
        (b"\r\n  <TABLE border=1>", "file_is_a_page"),
        (b'<?xml version="1.0"?><Workbook>', "file_is_a_page"),
        (b"%PDF-1.7 ...", "file_other_format"),
        (b"\x89PNG\r\n\x1a\n", "file_other_format"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "file_other_format"),
        (bytes(range(256)), "file_encoding"),
    ],
)
def test_files_that_are_no_tables(data: bytes, code: str) -> None:
    assert refused(data) == code


def test_two_hundred_columns_are_refused_and_two_hundred_empty_ones_not() -> None:
    wide = [f"列{n}" for n in range(200)]
    sheet = read_sheet(workbook(TITLES + wide, ROW + wide), COLUMNS)
    assert codes(sheet.problems) == ["too_many_columns"]
    assert "GW" in sheet.problems[0].message

    def build(book: Any, sheet: Any) -> None:
        for row in range(3):
            sheet.write_blank(row, 300, None, book.add_format({"bg_color": "yellow"}))

    assert len(read_sheet(workbook(TITLES, ROW, build=build), COLUMNS).rows) == 1


def test_a_cell_at_the_far_corner_does_not_reserve_the_whole_grid() -> None:
    def far_down(_book: Any, sheet: Any) -> None:
        sheet.write(1_048_575, 0, "x")

    def far_out(_book: Any, sheet: Any) -> None:
        sheet.write(1_048_575, 16_383, "x")

    assert refused(workbook(TITLES, ROW, build=far_down)) == "too_many_rows"
    assert refused(workbook(TITLES, ROW, build=far_out)) == "too_many_columns"

    def corner(_book: Any, sheet: Any) -> None:
        sheet.write(99_999, 119, "x")

    assert refused(workbook(TITLES, ROW, build=corner)) == "too_many_cells"


def test_more_than_a_hundred_thousand_records_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "\n".join([",".join(TITLES), *["PZ,甲,1,2024-03-05,高"] * 100_001])
    assert refused(lines.encode()) == "too_many_rows"
    monkeypatch.setattr("anze.exchange.workbooks.MAX_ROWS", 3)
    assert refused(workbook(TITLES, *[ROW] * 4)) == "too_many_rows"
    assert len(read_sheet(workbook(TITLES, *[ROW] * 3), COLUMNS).rows) == 3


def test_cells_without_addresses_are_refused() -> None:
    data = rewritten(workbook(TITLES, ROW), sheet1__xml=lambda xml: re.sub(rb'<c r="[A-Z]+[0-9]+"', b"<c", xml))
    assert refused(data) == "cells_without_address"


def test_prefixed_xml_is_read_like_any_other() -> None:
    def prefixed(xml: bytes) -> bytes:
        xml = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", xml.partition(b"?>")[2])
        return xml.replace(b"xmlns=", b"xmlns:x=", 1)

    data = rewritten(workbook(TITLES, ROW), sheet1__xml=prefixed)
    assert len(read_sheet(data, COLUMNS).rows) == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_with_damaged_bytes_never_crashes(data: st.DataObject) -> None:
    good = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(2, len(good) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(read_sheet(bytes(good), COLUMNS), Sheet)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_sheet_with_damaged_xml_never_crashes(data: st.DataObject) -> None:
    def damage(xml: bytes) -> bytes:
        changed = bytearray(xml)
        for _ in range(data.draw(st.integers(1, 5))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.sampled_from(b"<>/\"'= 09azAZ\x00\xff"))
        return bytes(changed)

    part = data.draw(st.sampled_from(["sheet1__xml", "workbook__xml", "sharedStrings__xml", "styles__xml"]))
    assert isinstance(read_sheet(rewritten(GOOD, **{part: damage}), COLUMNS), Sheet)


GOOD = workbook(TITLES, ROW, ROW)


# CSV

CSV = '保单号,被保险人,保费（元）,保险起期,风险等级\r\nPZ1,某某铸造,"1,234.50",2024年3月5日,高\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_in_every_encoding_in_use(encoding: str) -> None:
    sheet = read_sheet(CSV.encode(encoding), COLUMNS)
    assert codes(sheet.problems) == codes(sheet.notes) == []
    assert [number for number, _row in sheet.rows] == [2]
    assert list(sheet.rows[0][1].values()) == ["PZ1", "某某铸造", "1,234.50", "2024年3月5日", "高"]


def test_csv_with_rare_characters_of_names() -> None:
    assert (
        read_sheet(CSV.replace("某某", "䶮㙍𬱟").encode("gb18030"), COLUMNS).rows[0][1]["insured_name"] == "䶮㙍𬱟铸造"
    )


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_csv_with_other_separators_and_line_ends(separator: str, ending: str) -> None:
    text = ending.join([separator.join(TITLES), separator.join(["PZ1", "甲", "1,234.50", "2024-03-05", "高"]), ""])
    assert read_sheet(text.encode(), COLUMNS).rows[0][1]["premium"] == "1,234.50"


def test_csv_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    text = 'sep=,\n\n保单号,被保险人,保费,保险起期\nPZ1,"甲\n乙",1,2024-03-05\n\nPZ2,丙,2,2024-03-06\n合计,,3,\n'
    sheet = read_sheet(text.encode(), COLUMNS)
    assert [(number, row["insured_name"]) for number, row in sheet.rows] == [(4, "甲\n乙"), (6, "丙")]
    assert [(note.code, note.row) for note in sheet.notes] == [("total_row", 7)]


def test_a_comma_inside_an_amount_shifts_no_cell_unnoticed() -> None:
    sheet = read_sheet((CSV + "PZ2,乙,1,234.50,2024-03-05,高\n").encode(), COLUMNS)
    assert sheet.rows == []
    assert [(problem.code, problem.row) for problem in sheet.problems] == [("row_too_long", 3)]


def test_an_open_quotation_mark_swallows_no_rows() -> None:
    sheet = read_sheet((CSV + 'PZ2,"乙,1,2024-03-05,高\n' + "PZ3,丙,1,2024-03-05,高\n" * 20).encode(), COLUMNS)
    assert sheet.rows == []
    assert [(problem.code, problem.row) for problem in sheet.problems] == [("csv_broken", 3)]


def test_csv_with_too_many_columns() -> None:
    assert refused((CSV + "x," * 200 + "x\n").encode()) == "too_many_columns"


def test_the_name_of_the_file_does_not_matter_its_content_does() -> None:
    assert len(read_sheet(workbook(TITLES, ROW), COLUMNS).rows) == len(read_sheet(CSV.encode(), COLUMNS).rows) == 1


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_whatever_is_uploaded_is_read_or_refused_and_never_crashes(data: bytes) -> None:
    sheet = read_sheet(data, COLUMNS)
    assert bool(sheet.rows) != bool(sheet.problems)
    codes(sheet.problems)


def test_letters_of_columns() -> None:
    assert [letters_of(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]

"""Workbooks that are written can be read again as they are, and nothing in them is executable."""

import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from anze.exchange.columns import Column, Kind
from anze.exchange.reading import Unreadable, read_text
from anze.exchange.workbook_templates import write_workbook
from anze.exchange.workbooks import read_sheet
from anze.kernel.identifiers import make_uscc

RISK = (("HIGH", _("high")), ("MEDIUM", _("medium")), ("LOW", _("low")))
MANY = tuple((f"C{n:03}", f"第{n}个很长很长的选项名称") for n in range(60))

COLUMNS = (
    Column(
        "policy_no",
        "保单号",
        Kind.IDENTIFIER,
        True,
        note="每份保单一个号码。",
        examples=("000123456789012345", "PZ2"),
    ),
    Column("uscc", "统一社会信用代码", Kind.USCC, True, examples=(make_uscc("370102", 1), make_uscc("370281", 2))),
    Column("name", "名称", examples=("=1+1", "示例乙")),
    Column("risk", "风险等级", Kind.CODE, codes=RISK, examples=("HIGH", "LOW")),
    Column("services", "服务类别", Kind.CODES, codes=RISK, examples=(["HIGH", "LOW"], ["LOW"])),
    Column("sector", "行业", Kind.CODE, codes=MANY, examples=("C000", "C059")),
    Column("workers", "人数", Kind.INTEGER, True, examples=(25, 0)),
    Column("premium", "保费（元）", Kind.DECIMAL, True, examples=("1234567.50", "-3.00")),
    Column("ratio", "比例", Kind.RATIO, places=4, examples=("0.1550", None)),
    Column("start_on", "起期", Kind.DATE, True, examples=("2024-03-05", "2024-12-31")),
    Column(
        "issued_at",
        "签发时间",
        Kind.MOMENT,
        examples=("2024-03-05T08:30:00+08:00", "2024-12-31T00:00:00+08:00"),
    ),
    Column("is_renewal", "是否续保", Kind.BOOL, examples=(True, False)),
)
ROWS = [{column.name: column.examples[i] for column in COLUMNS} for i in (0, 1)]


@pytest.fixture(autouse=True, params=["en", "zh-hans"])
def _language(request: pytest.FixtureRequest) -> Iterator[None]:
    with translation.override(request.param):
        yield


def part(data: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


def canonical(data: bytes) -> list[dict[str, Any]]:
    sheet = read_sheet(data, COLUMNS)
    assert sheet.problems == []
    return [{column.name: column.read(row[column.name]) for column in COLUMNS} for _number, row in sheet.rows]


def test_rows_come_back_exactly_as_they_were_written() -> None:
    rows = [{**row, "policy_no": f"00{i}"} for i, row in enumerate(ROWS)]
    assert canonical(write_workbook(COLUMNS, rows)) == rows


def test_the_template_holds_titles_notes_drop_downs_and_two_examples() -> None:
    data = write_workbook(COLUMNS, sheet_name="保单")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name("保单")
    rows = sheet.to_python(skip_empty_area=False)
    assert len(rows) == 3
    assert rows[0][:3] == ["*保单号", "*统一社会信用代码", "名称"]
    assert rows[1][0] == "000123456789012345"
    assert rows[1][2] == "=1+1"
    xml = part(data, "xl/worksheets/sheet1.xml")
    assert 'state="frozen"' in xml
    assert xml.count("<dataValidation ") == 3
    assert "codes!$A$1:$A$60" in xml
    assert part(data, "xl/worksheets/sheet2.xml").count("<row ") == len(MANY)
    assert "<f>" not in xml
    comments = part(data, "xl/comments1.xml")
    assert "每份保单一个号码。" in comments
    assert comments.count("<comment ") == len(COLUMNS)
    assert 'state="veryHidden"' in part(data, "xl/workbook.xml")


def test_an_untouched_template_holds_no_records_and_a_filled_one_only_the_filled() -> None:
    sheet = read_sheet(write_workbook(COLUMNS), COLUMNS)
    assert [note.code for note in sheet.notes] == ["example_row", "example_row"]
    assert [problem.code for problem in sheet.problems] == ["no_rows"]


def test_identifier_columns_have_the_format_text_and_dates_a_date_format() -> None:
    data = write_workbook(COLUMNS)
    styles = part(data, "xl/styles.xml")
    xml = part(data, "xl/worksheets/sheet1.xml")
    formats = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
    spans = re.findall(r'<col min="(\d+)" max="(\d+)"[^>]* style="(\d+)"', xml)
    of_column = {n: formats[int(style)] for low, high, style in spans for n in range(int(low), int(high) + 1)}
    own = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]+)"', styles))
    assert own[of_column[1]] == own[of_column[2]] == "@"  # Text
    assert own[of_column[10]] == "yyyy-mm-dd"


def test_rejected_rows_carry_their_reasons_and_can_be_sent_again() -> None:
    rows = [
        {**ROWS[0], "policy_no": "A1", "premium": "12.5万元", "start_on": "24/3/5", "workers": "1,23"},
        {**ROWS[1], "policy_no": "A2"},
    ]
    reasons = [
        [("premium", "单位不对。填 125000。"), ("start_on", "日期有歧义。"), ("premium", "第二个问题。")],
        [("", "整行重复。")],
    ]
    data = write_workbook(COLUMNS, rows, reasons)
    cells = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert cells[1][0] == "保费（元）: 单位不对。填 125000。\n第二个问题。\n起期: 日期有歧义。"
    assert cells[2][0] == "整行重复。"
    comments = part(data, "xl/comments1.xml")
    assert 'ref="I2"' in comments
    assert 'ref="K2"' in comments
    assert 'ref="H2"' not in comments
    sheet = read_sheet(data, COLUMNS)
    assert sheet.problems == sheet.notes == []
    raw = [row for _number, row in sheet.rows]
    assert (raw[0]["premium"], raw[0]["start_on"], raw[0]["workers"]) == ("12.5万元", "24/3/5", "1,23")
    assert COLUMNS[7].read(raw[1]["premium"]) == "-3.00"


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("premium", "1E5"),
        ("premium", "1.2345"),
        ("premium", "00123"),
        ("premium", "1234567890123456.78"),
        ("start_on", "20240305"),
        ("start_on", "2024-02-30"),
        ("start_on", "1899-12-31"),
        ("issued_at", "2024-W10-2"),
        ("workers", "5人"),
        ("is_renewal", "maybe"),
        ("risk", "=cmd|' /C calc'!A0"),
        ("name", "http://example.org"),
    ],
)
def test_what_could_not_be_read_comes_back_as_it_was_typed(name: str, typed: str) -> None:
    data = write_workbook(COLUMNS, [{**ROWS[0], "policy_no": "A1", name: typed}], [[(name, "?")]])
    assert read_sheet(data, COLUMNS).rows[0][1][name] == typed
    xml = part(data, "xl/worksheets/sheet1.xml")
    assert "<f>" not in xml
    assert "<hyperlink" not in xml


texts = st.text(st.characters(blacklist_categories=["Cs", "Co", "Cn"]), max_size=40)


@settings(deadline=None, max_examples=60)
@given(texts, texts, st.integers(0, 10**9), st.decimals(-(10**9), 10**9, places=2))
def test_any_row_survives_being_written_and_read(number: str, name: str, workers: int, premium: Decimal) -> None:
    try:
        expected = {"policy_no": read_text(number, identifier=True), "name": read_text(name)}
    except Unreadable:
        return  # an Excel error or a number in scientific notation, typed as text
    expected_premium = f"{premium or abs(premium):.2f}"
    row = {**ROWS[0], **expected, "workers": workers, "premium": expected_premium}
    assert canonical(write_workbook(COLUMNS, [row])) == [row]

"""Exports hold exactly what the list shows, explain themselves, run no formula, and are recorded."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from anze.kernel.models import Event
from anze.parties.models import Enterprise
from anze.parties.rules import Role
from anze.screen.exports import safe
from tests.cast import XINGHUO, YUANFAN, policy_row
from tests.screen.conftest import hazard_rows


def read(response) -> bytes:
    return b"".join(response.streaming_content)


def sheet(response) -> tuple[list[list], dict[str, str]]:
    """The rows of the first sheet, and the facts of the second."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(read(response)))
    data, about = (book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names)
    return data, {str(row[0]): str(row[1]) for row in about[1:]}


@pytest.fixture
def regulator(cast, browser_of):
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO, premium_written="1234567.89"))
    cast.accepted(cast.bohai, "policies", policy_row("P2", YUANFAN))
    regulator = browser_of(Role.PROVINCE_REGULATOR)
    regulator.cookies["language"] = "en"
    return regulator


def test_excel_holds_the_filtered_rows_and_the_chosen_columns_with_their_types(regulator):
    query = {
        "region": "370102",
        "columns": "policy_no,enterprise__name,premium_written,start_on,received_at,is_renewal",
    }
    response = regulator.get(reverse("policies-export"), query)
    assert response["Content-Type"].startswith("application/vnd.openxmlformats")
    assert "attachment" in response["Content-Disposition"]
    data, about = sheet(response)
    assert data[0][:4] == ["Policy no.", "Enterprise", "Premium written (yuan)", "In force from"]
    assert len(data) == 2
    number, name, premium, start, received, renewal = data[1]
    assert (number, name, premium, start) == ("P1", "星火示例铸造有限公司", 1234567.89, date(2026, 3, 1))
    assert isinstance(received, datetime)
    assert renewal == "no"
    assert about["List"] == "Policies"
    assert about["Filter: Region"] == "Lixia District, Jinan City" or "Jinan" in about["Filter: Region"]
    assert about["Made by"].startswith("示例")
    assert about["As of"]
    assert about["Sorted by"] == "In force from, descending"


def test_csv_is_clean_and_in_the_lists_order(regulator):
    response = regulator.get(
        reverse("policies-export"), {"format": "csv", "columns": "policy_no,premium_written,start_on"}
    )
    text = read(response)
    assert text.startswith(b"\xef\xbb\xbf"), "Excel takes the text for UTF-8"
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert rows[0] == ["Policy no.", "Premium written (yuan)", "In force from"]
    assert sorted(rows[1:]) == [["P1", "1234567.89", "2026-03-01"], ["P2", "50000", "2026-03-01"]]


@pytest.mark.parametrize("name", ["=1+1", "+86 531", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x","y")'])
def test_no_text_is_run_as_a_formula(regulator, name):
    Enterprise.objects.filter(uscc=XINGHUO).update(name=name)
    query = {"region": "370102", "columns": "enterprise__name"}
    rows = list(
        csv.reader(
            io.StringIO(read(regulator.get(reverse("policies-export"), {**query, "format": "csv"})).decode("utf-8-sig"))
        )
    )
    assert rows[1] == [f"'{name}"]
    data, _about = sheet(regulator.get(reverse("policies-export"), query))
    assert data[1] == [name], "in Excel it is a text cell as it stands"
    book = read(regulator.get(reverse("policies-export"), query))
    import zipfile

    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("cell", "made"),
    [
        ("=1+1", "'=1+1"),
        ("+8613800000000x", "'+8613800000000x"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-12.50", "-12.50"),
        (Decimal("-12.50"), Decimal("-12.50")),
        (-3, -3),
        ("济南", "济南"),
        ("a=b", "a=b"),
        (None, None),
        ("", ""),
    ],
)
def test_csv_cells_are_never_formulas(cell, made):
    assert safe(cell) == made


@given(st.text(max_size=30))
@example("\x1f@")
def test_no_csv_cell_begins_a_formula(text):
    out = io.StringIO()
    csv.writer(out).writerow([safe(text)])
    cell = next(csv.reader(io.StringIO(out.getvalue(), newline="")), [""])[0]
    assert not cell.lstrip().startswith(("=", "@")) or cell.startswith("'")


def test_every_row_is_exported_not_only_the_page(cast, regulator):
    cast.accepted(cast.huaihai, "hazards", *hazard_rows(120))
    data, _about = sheet(regulator.get(reverse("hazards-export"), {"columns": "hazard_no,found_on"}))
    assert len(data) == 121
    days = [row[1] for row in data[1:]]
    assert days == sorted(days, reverse=True)


def test_an_empty_list_still_has_its_heads(regulator):
    data, _about = sheet(regulator.get(reverse("claims-export"), {"columns": "claim_no,claimed"}))
    assert data[0] == ["Claim no.", "Amount claimed (yuan)"]
    rows = read(regulator.get(reverse("claims-export"), {"columns": "claim_no", "format": "csv"})).decode("utf-8-sig")
    assert rows.splitlines() == ["Claim no."]


def test_an_export_is_recorded_with_filters_columns_and_rows(regulator):
    read(regulator.get(reverse("policies-export"), {"region": "370102", "columns": "policy_no", "format": "csv"}))
    event = Event.objects.get(kind="export.made")
    assert event.role == Role.PROVINCE_REGULATOR
    assert event.address == "127.0.0.1"
    details = event.details
    assert (details["list"], details["format"], details["rows"]) == ("policies", "csv", 1)
    assert details["columns"] == ["policy_no"]
    assert list(details["filters"]) == ["Region"]


def test_an_insurer_exports_only_its_own(cast, regulator, browser_of):
    own = browser_of(Role.INSURER_CLERK)
    rows = read(own.get(reverse("policies-export"), {"format": "csv", "columns": "policy_no"})).decode("utf-8-sig")
    assert rows.splitlines()[1:] == ["P1"]


@pytest.mark.parametrize("role", [Role.EXPERT, Role.ENTERPRISE])
def test_who_may_not_export_is_refused_and_sees_no_button(regulator, browser_of, role):
    person = browser_of(role)
    assert person.get(reverse("hazards-export")).status_code == 403
    assert reverse("hazards-export") not in person.get(reverse("hazards")).content.decode()
    assert not Event.objects.filter(kind="export.made").exists()


def test_headings_of_the_same_name_are_told_apart(cast, regulator):
    cast.accepted(cast.huaihai, "hazards", *hazard_rows(1))
    data, _about = sheet(regulator.get(reverse("hazards-export"), {"columns": "deadline_on,due,state"}))
    assert len(set(data[0])) == 3

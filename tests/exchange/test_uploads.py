"""Spreadsheets: the template, uploads with lines on their own sheet, dry run, confirmation, rejected rows back."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import xlsxwriter
from django.utils import translation

from anze.exchange.actions import cancel_upload, confirm_upload, upload_file
from anze.exchange.columns import Kind as CellKind
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, RejectedRow
from anze.exchange.receipts import receipt_of
from anze.exchange.refusals import UnreadableFile
from anze.exchange.rules import BatchState
from anze.exchange.tasks import process_next
from anze.exchange.uploads import (
    columns_of,
    line_columns_of,
    line_fields,
    read_upload,
    template_of,
)
from anze.kernel.actor import platform
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission
from anze.prevention.models import Service, ServicePerson
from anze.underwriting.models import Policy
from tests.cast import XINGHUO, policy_row

BY = platform(frozenset({Permission.ENTER_DATA}))
AT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, place, value, day)
                elif value is not None:
                    sheet.write(number, place, value)
    book.close()
    return out.getvalue()


def policies(*rows: dict[str, Any]) -> bytes:
    """A workbook of policies as somebody would type it in Chinese."""
    with translation.override("zh-hans"):
        columns = columns_of(FEEDS["policies"])
        names = list(policy_row("P", XINGHUO))
        titles = [str(next(c.title for c in columns if c.name == name)) for name in names]
        return workbook({str(FEEDS["policies"].title): [titles, *[[row.get(name) for name in names] for row in rows]]})


def upload(
    cast: Any, data: bytes, feed: str = "policies", at: datetime = AT, name: str = "a.xlsx"
) -> tuple[Batch, bool]:
    return upload_file(cast.huaihai, by=BY, at=at, feed=FEEDS[feed], data=data, file_name=name)


def typed(policy_no: str, **words: Any) -> dict[str, Any]:
    """A row as people type it: labels, dates in their own way, thousands separators, per cent."""
    return {
        **policy_row(policy_no, XINGHUO),
        "nature": "独家承保" if FEEDS else "",
        "applied_on": "2026年2月20日",
        "issued_on": datetime(2026, 2, 24),  # noqa: DTZ001 - as a spreadsheet has it
        "start_on": "2026/3/1",
        "limit_per_person": "500,000.00",
        "insured_workers": "100人",
        "agreed_expense_ratio": "18%",
        "is_renewal": "否",
        **words,
    }


@pytest.mark.parametrize("name", list(FEEDS))
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_template_of_every_dataset_reads_back_empty(name: str, language: str) -> None:
    feed = FEEDS[name]
    with translation.override(language):
        read = read_upload(feed, template_of(feed))
    assert [problem.code for problem in read.problems] == ["no_rows"]
    assert {note.code for note in read.remarks} <= {"example_row"}


@pytest.mark.parametrize("name", list(FEEDS))
def test_every_field_has_its_column(name: str) -> None:
    feed = FEEDS[name]
    lines = {each.name for each in line_fields(feed)}
    assert [column.name for column in columns_of(feed)] == [f.name for f in feed.fields if f.name not in lines]
    for each in line_fields(feed):
        names = [column.name for column in line_columns_of(feed, each.name)]
        assert names == [*feed.key_fields, *(inner.name for inner in each.of)]
    for column in columns_of(feed):
        assert column.titles  # no two columns share a title
        if column.kind is CellKind.CODE:
            assert column.codes


def test_numbers_that_must_survive_are_read_as_identifiers() -> None:
    kinds = {column.name: column.kind for column in columns_of(FEEDS["policies"])}
    assert kinds["policy_no"] is kinds["branch_code"] is kinds["previous_policy_no"] is CellKind.IDENTIFIER
    assert kinds["agreed_expense_ratio"] is kinds["rate_base"] is CellKind.RATIO
    assert kinds["holder_name"] is CellKind.TEXT


def test_an_upload_is_checked_confirmed_and_repeated(cast: Any) -> None:
    nature = str(FEEDS["policies"].get("nature").codes["SOLE"].label)
    data = policies(
        typed("U1", nature=nature),
        typed("U2", nature=nature, end_on="2026-01-01"),
        typed("U3", nature=nature, premium_written="5万"),
    )
    batch, is_new = upload(cast, data)
    assert is_new
    assert batch.state == BatchState.CHECKED
    assert (batch.created, batch.rejected, batch.outcomes) == (1, 2, "ARR"), receipt_of(batch)["findings"]
    assert not Policy.objects.filter(insurer=cast.huaihai).exists()
    findings = {(f["row"], f["code"]): f for f in receipt_of(batch)["findings"]}
    assert set(findings) == {(3, "ends_before_start"), (4, "other_unit")}
    assert "50000" in findings[(4, "other_unit")]["remedy"]
    cells = {f.row: f.values["cell"] for f in batch.findings.all()}
    names = list(policy_row("P", XINGHUO))
    assert cells == {3: f"{chr(65 + names.index('end_on'))}3", 4: f"{chr(65 + names.index('premium_written'))}4"}

    later = AT + timedelta(hours=3)
    confirm_upload(batch, by=BY, at=later)
    assert batch.state == BatchState.DONE
    [policy] = Policy.objects.filter(insurer=cast.huaihai)
    assert (policy.policy_no, policy.received_at, policy.channel) == ("U1", later, "EXCEL")
    assert str(policy.agreed_expense_ratio) == "0.1800"
    with pytest.raises(Refused) as refused:
        confirm_upload(batch, by=BY, at=later)
    assert refused.value.code == "wrong_state"

    again, is_new = upload(cast, data, at=later)
    assert (again.pk, is_new, again.state) == (batch.pk, False, BatchState.DONE)
    assert Policy.objects.get(policy_no="U1").version == 1


def test_a_cancelled_file_can_be_uploaded_again(cast: Any) -> None:
    nature = str(FEEDS["policies"].get("nature").codes["SOLE"].label)
    data = policies(typed("C1", nature=nature))
    batch, _new = upload(cast, data)
    cancel_upload(batch, by=BY, at=AT)
    assert batch.state == BatchState.CANCELLED
    again, is_new = upload(cast, data)
    assert (again.pk, is_new, again.state, again.created) == (batch.pk, False, BatchState.CHECKED, 1)


def test_a_file_that_cannot_be_read_leaves_nothing_behind(cast: Any) -> None:
    with pytest.raises(UnreadableFile) as refused:
        upload(cast, b"%PDF-1.4 something")
    assert refused.value.code == "file_other_format"


def services(persons: list[list[Any]], **words: Any) -> bytes:
    feed = FEEDS["services"]
    row = {**feed.example_rows()[0], "policy_no": "S1", "service_no": "SV1"}
    for name in ("persons", "plan_no", "plan_item_seq"):
        row.pop(name, None)
    row |= words
    columns = {column.name: column for column in columns_of(feed)}
    line_titles = [str(column.title) for column in line_columns_of(feed, "persons")]
    return workbook(
        {
            str(feed.title): [
                [str(columns[name].title) for name in row],
                ["、".join(value) if isinstance(value, list) else str(value) for value in row.values()],
            ],
            str(feed.get("persons").title): [line_titles, *persons],
        }
    )


def test_lines_stand_on_a_sheet_of_their_own(cast: Any) -> None:
    cast.accepted(cast.huaihai, "policies", policy_row("S1", XINGHUO))
    data = services(
        [
            ["SV1", "EXPERT", "示例专家甲", "EXP001"],
            ["SV1", "EXPERT", "示例专家丁", "EXP404"],
            ["SV9", "EXPERT", "某某", ""],
        ]
    )
    batch, _new = upload(cast, data, "services", at=datetime(2026, 11, 23, tzinfo=UTC))
    assert not [f for f in receipt_of(batch)["findings"] if f["field"] != "persons.2.expert_number"]
    [finding] = batch.findings.all()
    assert (finding.row, finding.field, finding.code) == (2, "persons.2.expert_number", "unknown_expert")
    assert finding.values["cell"] == "persons!D3"
    [remark] = [each for each in batch.remarks if each["code"] == "lines_without_record"]
    assert remark["values"]["rows"] == "4"

    good = services([["SV1", "EXPERT", "示例专家甲", "EXP001"], ["SV1", "INSURER_STAFF", "示例员工", None]])
    batch, _new = upload(cast, good, "services", at=datetime(2026, 11, 23, tzinfo=UTC))
    assert batch.rejected == 0, receipt_of(batch)["findings"]
    confirm_upload(batch, by=BY, at=datetime(2026, 11, 23, tzinfo=UTC))
    service = Service.objects.get(service_no="SV1")
    persons = ServicePerson.objects.filter(service=service).order_by("seq").values_list("name", "expert_id")
    assert list(persons) == [("示例专家甲", cast.expert.pk), ("示例员工", None)]


def test_a_large_file_is_checked_and_published_by_the_worker(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nature = str(FEEDS["policies"].get("nature").codes["SOLE"].label)
    monkeypatch.setattr("anze.exchange.actions.uploads.SMALL_FILE", 10)
    monkeypatch.setattr("anze.exchange.actions.uploads.AT_ONCE", 1)
    data = policies(typed("L1", nature=nature), typed("L2", nature=nature))
    batch, _new = upload(cast, data)
    assert batch.state == BatchState.CHECKING
    assert process_next()
    batch.refresh_from_db()
    assert (batch.state, batch.created) == (BatchState.CHECKED, 2)
    confirm_upload(batch, by=BY, at=AT)
    assert batch.state == BatchState.RECEIVED
    assert process_next()
    batch.refresh_from_db()
    assert (batch.state, batch.created) == (BatchState.DONE, 2)
    assert not process_next()


def test_a_rejected_record_is_remembered_until_it_is_corrected(cast: Any) -> None:
    cast.send(cast.huaihai, "policies", policy_row("R1", XINGHUO, end_on="2026-01-01"), policy_row("R2", XINGHUO))
    [row] = RejectedRow.objects.all()
    assert (row.key, row.feed, str(row.event_on)) == ("R1", "policies", "2026-02-24")
    assert row.report_due_at == datetime(2026, 2, 24, 16, 0, tzinfo=UTC)  # an interface reports on the same day
    cast.send(cast.huaihai, "policies", policy_row("R2", XINGHUO, end_on="2026-01-01"))
    assert RejectedRow.objects.count() == 1, "a record on file has been reported; its correction has no deadline"
    cast.send(cast.bohai, "policies", policy_row("R1", XINGHUO))
    assert RejectedRow.objects.count() == 1, "another sender's record makes nothing good"
    cast.accepted(cast.huaihai, "policies", policy_row("R1", XINGHUO))
    assert not RejectedRow.objects.exists()


def test_several_codes_in_a_cell_may_have_commas_in_their_labels() -> None:
    column = next(c for c in columns_of(FEEDS["policies"]) if c.name == "agreed_service_types")
    for language in ("zh-hans", "en"):
        with translation.override(language):
            labels = [str(label) for _code, label in column.codes]
            for separator in (",", "、", "; ", "\n"):
                assert column.read(separator.join(labels)) == [code for code, _label in column.codes]

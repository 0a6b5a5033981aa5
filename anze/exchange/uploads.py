"""Spreadsheets of a feed: its columns, the template, an uploaded file as rows, rejected rows to be corrected.

The records stand on one sheet; the lines of a ROWS or LIST field on a sheet of their own, tied to their
record by its number. Row numbers in findings are those of the sheet.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from anze.exchange.columns import Column, in_all_languages
from anze.exchange.columns import Kind as CellKind
from anze.exchange.decoding import DecodedRow, FoundProblem, RowDecoder
from anze.exchange.feed import Feed, Field, Kind
from anze.exchange.folding import unspaced
from anze.exchange.opening import tab_names
from anze.exchange.refusals import Remark, Unreadable
from anze.exchange.workbook_templates import SheetToWrite, sheet_title, write_sheets
from anze.exchange.workbooks import read_sheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
FILE_TYPES = (XLSX, CSV)

_CELLS = {
    Kind.TEXT: CellKind.TEXT,
    Kind.USCC: CellKind.USCC,
    Kind.CODE: CellKind.CODE,
    Kind.CODES: CellKind.CODES,
    Kind.INTEGER: CellKind.INTEGER,
    Kind.DECIMAL: CellKind.DECIMAL,
    Kind.DATE: CellKind.DATE,
    Kind.MOMENT: CellKind.MOMENT,
    Kind.BOOL: CellKind.BOOL,
}
_IDENTIFIERS = ("_no", "_code", "_number", "_hash", "_phone", "_file", "reversal_of")


# columns --------------------------------------------------------------------------------------------------


def cell_kind(each: Field) -> CellKind:
    """How what is typed for a field is read."""
    if each.kind is Kind.TEXT and each.name.endswith(_IDENTIFIERS):
        return CellKind.IDENTIFIER
    if each.kind is Kind.DECIMAL and each.maximum == 1:
        return CellKind.RATIO
    return _CELLS[each.kind]


def column_of(each: Field, *, examples: tuple[object, ...] = ()) -> Column:
    return Column(
        each.name,
        each.title,
        cell_kind(each),
        required=each.required,
        note=each.note,
        codes=tuple((code, label) for code, label in each.codes.choices) if each.codes else (),
        examples=tuple("" if example is None else example for example in examples),
        places=each.places,
    )


@cache
def columns_of(feed: Feed) -> tuple[Column, ...]:
    """The columns of the sheet of records."""
    return tuple(column_of(each, examples=each.example) for each in feed.fields if not each.of)


@cache
def line_columns_of(feed: Feed, name: str) -> tuple[Column, ...]:
    """The columns of the sheet of a field's lines: the number of the record, then the line's own."""
    each = feed.get(name)
    keys = [column_of(feed.get(key)) for key in feed.key_fields]
    # with examples of its own only: a line of the template is told from a real one by its record's number
    return (*keys, *(column_of(inner) for inner in each.of))


def line_fields(feed: Feed) -> list[Field]:
    return [each for each in feed.fields if each.of]


@cache
def sheet_names(feed: Feed) -> dict[str, tuple[str, ...]]:
    """'' and the fields with lines → the names their sheet may have, in any language."""
    names = {"": (feed.name, *map(sheet_title, in_all_languages(feed.title)))}
    for each in line_fields(feed):
        names[each.name] = (each.name, *map(sheet_title, in_all_languages(each.title)))
    return names


def template_of(feed: Feed) -> bytes:
    """The empty workbook with two example rows, in the reader's language."""
    sheets = [SheetToWrite(str(feed.title), columns_of(feed))]
    for each in line_fields(feed):
        rows = [
            {key: feed.get(key).example[i] for key in feed.key_fields} | dict(line)
            for i in (0, 1)
            for line in each.example[i] or ()
        ]
        sheets.append(SheetToWrite(str(each.title), line_columns_of(feed, each.name), rows))
    return write_sheets(sheets)


# reading --------------------------------------------------------------------------------------------------


@dataclass
class Upload:
    """What a file holds. `problems` keep the whole file out; `remarks` tell what was left out of it.

    `contents` are the wanted records with their lines: canonical values or, where a cell could not be read,
    what was typed. `lines` are the rows of their sheet on which a record's lines stand, by field.
    """

    rows: list[DecodedRow] = field(default_factory=list)
    contents: dict[int, dict[str, Any]] = field(default_factory=dict)
    lines: dict[int, dict[str, list[int]]] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    problems: list[Remark] = field(default_factory=list)

    def place(self, problem: FoundProblem) -> FoundProblem:
        """The finding with the address of its cell."""
        name, _dot, rest = problem.field.partition(".")
        number, _dot, inner = rest.partition(".")
        lines = self.lines.get(problem.row, {}).get(name, [])
        if number.isdigit() and 0 < int(number) <= len(lines):
            row = lines[int(number) - 1]
            letters = self.columns.get(name, {}).get(inner, "")
            cell = f"{name}!{letters}{row}"
        elif letters := self.columns.get("", {}).get(name, ""):
            cell = f"{letters}{problem.row}"
        else:
            return problem
        return msgspec.structs.replace(problem, values={**problem.values, "cell": cell})


def read_upload(feed: Feed, data: bytes, wanted: Container[int] = ()) -> Upload:
    """The records of a file with their lines, each read as its column says and judged as the interface does.

    `contents` holds the `wanted` rows only: a large file is in memory once as it is.
    """
    names = sheet_names(feed)
    main = read_sheet(data, columns_of(feed), names[""])
    upload = Upload(columns={"": main.columns}, problems=main.problems)
    ours = {unspaced(name).casefold() for others in names.values() for name in others}
    upload.remarks = [note for note in main.notes if not _is_of_ours(note, ours)]
    if main.problems:
        return upload
    tabs = {unspaced(name).casefold() for name in tab_names(data)}
    lines = {
        each.name: _lines(feed, each, data, upload)
        for each in line_fields(feed)
        if tabs.intersection(unspaced(name).casefold() for name in names[each.name])
    }
    decoder = RowDecoder(feed)
    main.rows.reverse()
    while main.rows:
        number, cells = main.rows.pop()
        content, found = _read(number, cells, columns_of(feed))
        for name, by_key in lines.items():
            found += _take_lines(upload, number, name, by_key.pop(_key(feed, content), []), content)
        if number in wanted:
            upload.contents[number] = content
        decoded = decoder.read(number, content)
        if found:
            # what was typed into such a cell is judged once
            known = {problem.field for problem in found}
            found = found + [problem for problem in decoded.problems if problem.field not in known]
            decoded = DecodedRow(number, None, found)
        decoded.problems = [upload.place(problem) for problem in decoded.problems]
        upload.rows.append(decoded)
    examples = {_key(feed, {key: feed.get(key).example[i] for key in feed.key_fields}) for i in (0, 1)}
    for name, by_key in lines.items():
        orphans = [line.row for key, left in by_key.items() if key not in examples for line in left]
        if orphans:
            rows = ", ".join(map(str, sorted(orphans)[:20]))
            upload.remarks.append(Remark("lines_without_record", {"sheet": str(feed.get(name).title), "rows": rows}))
    return upload


def _is_of_ours(note: Remark, ours: set[str]) -> bool:
    """Whether a note says that a sheet was left out which is read separately."""
    if note.code != "sheets_left_out":
        return False
    left = [unspaced(name).casefold() for name in str(note.values["sheets"]).split("、")]
    return all(name in ours for name in left)


def _read(
    number: int, cells: Mapping[str, Any], columns: Sequence[Column]
) -> tuple[dict[str, Any], list[FoundProblem]]:
    content: dict[str, Any] = {}
    problems: list[FoundProblem] = []
    for column in columns:
        value: Any = cells.get(column.name)
        try:
            value = column.read(value)
        except Unreadable as refused:
            content[column.name] = value
            problems.append(FoundProblem(number, column.name, refused.code, dict(refused.values)))
        if value is not None:
            content[column.name] = value
    return content, problems


def _key(feed: Feed, content: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(content.get(name) for name in feed.key_fields)


@dataclass(frozen=True, slots=True)
class _Line:
    row: int
    content: dict[str, Any]
    problems: list[FoundProblem]  # their fields named within the line


def _lines(feed: Feed, each: Field, data: bytes, upload: Upload) -> dict[tuple[Any, ...], list[_Line]]:
    """The lines on a field's own sheet by the number of the record they belong to."""
    columns = line_columns_of(feed, each.name)
    sheet = read_sheet(data, columns, sheet_names(feed)[each.name])
    upload.problems += [problem for problem in sheet.problems if problem.code != "no_rows"]
    upload.columns[each.name] = sheet.columns
    upload.remarks += [note for note in sheet.notes if note.code != "sheets_left_out"]
    keys, inner = columns[: len(feed.key_fields)], columns[len(feed.key_fields) :]
    found: dict[tuple[Any, ...], list[_Line]] = {}
    for row, cells in sheet.rows:
        key, _problems = _read(row, cells, keys)
        content, problems = _read(row, cells, inner)
        found.setdefault(_key(feed, key), []).append(_Line(row, content, problems))
    return found


def _take_lines(
    upload: Upload, number: int, name: str, lines: Sequence[_Line], content: dict[str, Any]
) -> list[FoundProblem]:
    """Give a record its lines; what could not be read in them is named from the record on."""
    problems = []
    for place, line in enumerate(lines, 1):
        upload.lines.setdefault(number, {}).setdefault(name, []).append(line.row)
        content.setdefault(name, []).append(line.content)
        problems += [
            FoundProblem(number, f"{name}.{place}.{each.field}", each.code, each.values) for each in line.problems
        ]
    return problems


# rejected rows --------------------------------------------------------------------------------------------


def rejected_workbook(
    feed: Feed,
    rejected: Iterable[tuple[int, Mapping[str, Any]]],
    findings: Mapping[int, Sequence[tuple[str, str]]],
) -> bytes:
    """The rejected rows as a workbook like the template, with the reasons in place.

    `rejected` are (row number, content) with lines under the names of their fields; `findings` row number →
    (field, words).
    """
    rows: list[Mapping[str, Any]] = []
    reasons: list[Sequence[tuple[str, str]]] = []
    lines: dict[str, list[Mapping[str, Any]]] = {each.name: [] for each in line_fields(feed)}
    line_reasons: dict[str, list[Sequence[tuple[str, str]]]] = {name: [] for name in lines}
    for number, content in rejected:
        found = findings.get(number, ())
        rows.append({name: value for name, value in content.items() if name not in lines})
        reasons.append([(name, words) for name, words in found if "." not in name or name.split(".")[0] not in lines])
        keys = {key: content.get(key) for key in feed.key_fields}
        for name in lines:
            given = content.get(name) or ()
            for place, line in enumerate(given if isinstance(given, list | tuple) else (), 1):
                if not isinstance(line, Mapping):
                    continue
                lines[name].append({**line, **keys})
                start = f"{name}.{place}"
                line_reasons[name].append(
                    [
                        (where[len(start) + 1 :], words)
                        for where, words in found
                        if where == start or where.startswith(start + ".")
                    ]
                )
    sheets = [SheetToWrite(str(feed.title), columns_of(feed), rows, reasons)]
    sheets += [
        SheetToWrite(str(each.title), line_columns_of(feed, each.name), lines[each.name], line_reasons[each.name])
        for each in line_fields(feed)
    ]
    return write_sheets(sheets)


def file_type(data: bytes) -> str:
    return XLSX if data.startswith(b"PK") else CSV


def words_of_remark(remark: Mapping[str, Any]) -> dict[str, Any]:
    """A remark that was kept with its batch, in the reader's language."""
    said = Remark(remark["code"], remark["values"], remark["row"])
    row = _("Row %(row)s") % {"row": said.row} if said.row else ""
    return {"row": row, "message": said.message, "remedy": said.remedy, "is_problem": remark["is_problem"]}


def kept_remarks(upload: Upload) -> list[dict[str, Any]]:
    return [
        {"code": each.code, "values": each.values, "row": each.row, "is_problem": is_problem}
        for listed, is_problem in ((upload.problems, True), (upload.remarks, False))
        for each in listed
    ]

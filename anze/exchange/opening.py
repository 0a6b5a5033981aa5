"""Opening an uploaded .xlsx or .csv safely: everything that is wrong with the file as a file is found here.

An Excel workbook is a zip of XML. It is unpacked under limits, checked, and packed again before the parser
sees it, so the parser meets exactly the bytes that were measured: no lying sizes, no cell at XFD1048576
that would make it reserve the whole grid. Error cells and formulas without a result, which the parser reads
as empty, come out as texts that say what they are.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineSheet, CalamineWorkbook

from anze.exchange.folding import unspaced
from anze.exchange.reading import UNCALCULATED
from anze.exchange.refusals import UnreadableFile

MEGABYTE = 1_000_000
MAX_BYTES = 20 * MEGABYTE
MAX_EXPANDED = 200 * MEGABYTE
MAX_RATIO = 100  # expanded to packed; a small file may be packed more tightly, it can do no harm
RATIO_MATTERS_FROM = 10 * MEGABYTE
MAX_ENTRIES = 2000
MAX_COLUMNS = 120
MAX_ROWS = 100_000
MAX_CELLS = 3_000_000  # rows × columns of the used area, which the parser reserves at once: about 600 MB
BANNER_ROWS = 10  # rows that may stand above the column titles

COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Excel, or a new one under a password
EMPTY_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'

Position = tuple[int, int]  # row and column, both counted from 0


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet from row 1 and column A on, and the ranges of its merged cells."""

    name: str
    rows: Iterator[list[Any]]
    merged: Sequence[tuple[Position, Position]] = ()
    other_sheets: Sequence[str] = field(default=())
    is_csv: bool = False


def open_grids(data: bytes, sheet_names: Sequence[str] = ()) -> Iterator[Grid]:
    """The sheets in which the records may be, likeliest first; for CSV, one reading a separator.

    `sheet_names` are the names the declared sheet may have; without a match every visible sheet is offered.
    Raises `UnreadableFile`, at once or when a sheet is opened.
    """
    if not data:
        raise UnreadableFile("file_empty")
    if len(data) > MAX_BYTES:
        size = f"{len(data) / MEGABYTE:.1f}"
        raise UnreadableFile("file_too_big", size=size, limit=MAX_BYTES // MEGABYTE)
    if data.startswith(b"PK"):
        return _open_xlsx(data, sheet_names)
    if data.startswith(COMPOUND_FILE):
        is_encrypted = "EncryptedPackage".encode("utf-16-le") in data
        raise UnreadableFile("file_encrypted" if is_encrypted else "file_old_excel")
    return _open_csv(_decoded(data))


# Excel


def _open_xlsx(data: bytes, sheet_names: Sequence[str]) -> Iterator[Grid]:
    parts = _unpacked(data)
    sheets = _sheets(parts)
    visible = [name for name, (state, _path) in sheets.items() if state == "visible"]
    declared = {unspaced(name).casefold() for name in sheet_names}
    wanted = [name for name in sheets if unspaced(name).casefold() in declared][:1] or visible
    if not wanted:
        raise UnreadableFile("file_empty")
    for name in wanted:
        path = sheets[name][1]
        marks = _marks(parts[path])
        others = {other: EMPTY_SHEET for _state, other in sheets.values() if other != path}
        sheet = _parsed(_packed(parts | others), name)
        yield Grid(
            name,
            _rows(sheet, marks),
            sheet.merged_cell_ranges or [],
            [other for other in visible if other != name],
        )


def tab_names(data: bytes) -> list[str]:
    """The names of a workbook's sheets, without opening them; none where it cannot be told."""
    found: list[str] = []

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            found.append(attributes.get("name", ""))

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("xl/workbook.xml") as file:
            _walk(file.read(MEGABYTE), sheet)
    except (UnreadableFile, zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, ValueError):
        return []
    return found


def _parsed(packed: bytes, name: str) -> CalamineSheet:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(packed)) as book:
            return book.get_sheet_by_name(name)
    except Exception:
        raise UnreadableFile("file_damaged") from None
    except BaseException as error:
        # the parser's own crash, which is no Exception; anything else (an interrupt) goes on
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableFile("file_damaged") from None


def _rows(sheet: CalamineSheet, marks: dict[Position, str]) -> Iterator[list[Any]]:
    """The rows from 1 and the cells from A on, as the sheet counts them, with the marks put in place."""
    by_row: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in marks.items():
        by_row.setdefault(row, []).append((column, text))
    left = [""] * (sheet.start[1] if sheet.start else 0)  # the parser leaves out empty columns on the left
    height = max(sheet.end[0] if sheet.end else -1, max(by_row, default=-1)) + 1
    parsed = sheet.iter_rows()
    for number in range(height):
        cells: list[Any] = left + next(parsed, [])
        for column, text in by_row.get(number, ()):
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = text if cells[column] == "" else cells[column]
        yield cells


def _unpacked(data: bytes) -> dict[str, bytes]:
    """The XML parts by path, none larger than it may be. Pictures and other parts are not unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries, len(data))
            parts: dict[str, bytes] = {}
            left = MAX_EXPANDED
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(entry) as file:
                        parts[entry.filename] = file.read(left + 1)
                    left -= len(parts[entry.filename])
                    if left < 0:
                        raise _bomb()
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, ValueError):
        raise UnreadableFile("file_damaged") from None
    if b"macroEnabled" in parts.get("[Content_Types].xml", b""):
        raise UnreadableFile("file_has_macros")
    return parts


def _check_entries(entries: list[zipfile.ZipInfo], packed: int) -> None:
    names = [entry.filename for entry in entries]
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile("file_encrypted")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise UnreadableFile("file_has_macros")
    expanded = sum(entry.file_size for entry in entries)
    too_tight = expanded > RATIO_MATTERS_FROM and expanded > MAX_RATIO * packed
    if expanded > MAX_EXPANDED or too_tight or len(entries) > MAX_ENTRIES:
        raise _bomb()
    if "xl/workbook.xml" not in names:
        raise UnreadableFile("file_other_format")
    if len({name.lower() for name in names}) != len(names):
        raise UnreadableFile("file_damaged")


def _bomb() -> UnreadableFile:
    return UnreadableFile("file_is_a_bomb", limit=MAX_EXPANDED // MEGABYTE, ratio=MAX_RATIO)


def _packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def _sheets(parts: dict[str, bytes]) -> dict[str, tuple[str, str]]:
    """Worksheets in the order of their tabs: name → (visible, hidden or veryHidden; path of the part)."""
    try:
        book, links = parts["xl/workbook.xml"], parts["xl/_rels/workbook.xml.rels"]
    except KeyError:
        raise UnreadableFile("file_damaged") from None
    paths: dict[str, str] = {}
    found: dict[str, tuple[str, str]] = {}

    def link(name: str, attributes: dict[str, str]) -> None:
        paths[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            target = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            path = posixpath.normpath(posixpath.join("/xl", paths.get(target, ""))).lstrip("/")
            if path in parts and b"sheetData" in parts[path]:  # else a chart sheet or a dialogue
                found[attributes.get("name", "")] = (attributes.get("state", "visible"), path)

    _walk(links, link)
    _walk(book, sheet)
    return found


def _walk(xml: bytes, on_start: Callable[[str, dict[str, str]], None]) -> None:
    parser = _parser()
    parser.StartElementHandler = on_start
    _parse(parser, xml)


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("UTF-8")  # whatever the part declares, for this is how it will be read

    def refuse(*_anything: object) -> None:
        raise UnreadableFile("file_damaged")  # workbooks have no document types, XML bombs do

    parser.StartDoctypeDeclHandler = refuse
    return parser


def _parse(parser: expat.XMLParserType, xml: bytes) -> None:
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise UnreadableFile("file_damaged") from None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _marks(xml: bytes) -> dict[Position, str]:
    """Checks that the sheet keeps its limits; gives the texts of error cells and uncalculated formulas.

    The parser reserves the whole used area and reads such cells as empty, so both must be known before.
    One handler a cell is all there is time for: the others are switched on inside the cells that need them.
    """
    parser = _parser()
    marks: dict[Position, str] = {}
    columns: set[str] = set()
    last_row = 0
    address = kind = text = ""
    formula = False
    cell = value = inline = calculation = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal address, kind, text, formula, last_row, cell, value, inline, calculation
        if name == cell:
            address, kind = attributes.get("r", ""), attributes.get("t", "")
            if not address:
                raise UnreadableFile("cells_without_address")
            if kind == "e":
                text, formula = "", False
                parser.EndElementHandler = end
        elif name in (value, inline, calculation):
            letters = address.rstrip("0123456789")
            if letters not in columns:
                _column_number(letters)  # refuses what is no column
                columns.add(letters)
            last_row = max(last_row, int(address[len(letters) :]))
            if name == calculation and kind != "e":
                text, formula = "", True
                parser.EndElementHandler = end
            elif name == value and (formula or kind == "e"):
                parser.CharacterDataHandler = characters
        elif not cell:
            prefix = name.removesuffix("worksheet")
            cell, value, inline, calculation = prefix + "c", prefix + "v", prefix + "is", prefix + "f"

    def characters(data: str) -> None:
        nonlocal text
        text += data

    def end(name: str) -> None:
        nonlocal formula
        if name == calculation:
            pass
        elif name == value:
            parser.CharacterDataHandler = None
        elif name == cell:
            parser.EndElementHandler = parser.CharacterDataHandler = None
            letters = address.rstrip("0123456789")
            position = int(address[len(letters) :]) - 1, _column_number(letters) - 1
            if kind == "e" and text.strip():
                marks[position] = text.strip()
            elif formula and not text and kind != "str":
                marks[position] = UNCALCULATED
            formula = False

    parser.StartElementHandler = start
    _parse(parser, xml)
    last_column = max(map(_column_number, columns), default=0)
    if last_column > MAX_COLUMNS:
        raise UnreadableFile("too_many_columns", column=letters_of(last_column - 1), limit=MAX_COLUMNS)
    if last_row > MAX_ROWS + BANNER_ROWS + 1:
        raise UnreadableFile("too_many_rows", row=last_row, limit=MAX_ROWS)
    if last_row * last_column > MAX_CELLS:
        raise UnreadableFile("too_many_cells", cells=last_row * last_column, limit=MAX_CELLS)
    return marks


def _column_number(letters: str) -> int:
    """A → 1, AA → 27. ValueError on anything but letters."""
    number = 0
    for letter in letters.upper()[:8]:
        number = number * 26 + int(letter, 36) - 9
    return number


def letters_of(column: int) -> str:
    """The letters of a column counted from 0: 0 → A, 26 → AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# CSV


def _decoded(data: bytes) -> str:
    """The text of a CSV file in UTF-8, UTF-16 or GB18030 (which includes GBK), with or without a mark."""
    head = data[:400].lstrip().lower()
    if head.startswith((b"<html", b"<table", b"<!doctype", b"<?xml", b"<meta")):
        raise UnreadableFile("file_is_a_page")
    if head.startswith((b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")):
        raise UnreadableFile("file_other_format")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data:
        # in UTF-16 without a mark, separators and digits have a zero byte on one side only
        encodings = ["utf-16-le" if data[1::2].count(0) > data[0::2].count(0) else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1a\ufffd\ue000-\uf8ff]", text):
            return text
    raise UnreadableFile("file_encoding")


def _open_csv(text: str) -> Iterator[Grid]:
    if "\n" not in text:
        text = text.replace("\r", "\n")
    for separator in (",", "\t", ";", "|"):
        yield Grid("CSV", _csv_rows(text, separator), is_csv=True)


def _csv_rows(text: str, separator: str) -> Iterator[list[Any]]:
    """Rows as a spreadsheet would number them: a quoted line break does not begin a new one."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for row in reader:
            number += 1
            while row and not row[-1].strip():
                row.pop()
            if len(row) > MAX_COLUMNS:
                raise UnreadableFile("too_many_columns", row=number, column=letters_of(len(row) - 1), limit=MAX_COLUMNS)
            if number > MAX_ROWS + BANNER_ROWS + 1:
                raise UnreadableFile("too_many_rows", row=number, limit=MAX_ROWS)
            yield row
    except csv.Error:
        raise UnreadableFile("csv_broken", row=number + 1) from None

"""Writing workbooks: the template of a dataset, and rejected rows with the reasons beside each cell.

What is written can be uploaded again as it is: titles, labels, dates and numbers are those the reading side
understands, and nothing in the file is executable.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.utils.translation import gettext_lazy as _
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from anze.exchange.columns import Column, Kind, Words
from anze.exchange.opening import MAX_ROWS
from anze.exchange.reading import BEIJING, EXACT_DIGITS
from anze.exchange.workbooks import REASONS_TITLE

Reasons = Sequence[Sequence[tuple[str, str]]]  # for each row: (field or "", what is wrong and what to do)

LONGEST_TEXT = 32_000  # a cell holds 32,767 characters
LONGEST_LIST = 250  # a drop-down written in place holds 255
LISTS_SHEET = "codes"

_ISO = re.compile(r"\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])(T[0-2]\d:[0-5]\d:[0-5]\d([+-]\d\d:\d\d)?)?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?")

FORMATS: dict[Kind, str] = {
    Kind.TEXT: "@",
    Kind.IDENTIFIER: "@",
    Kind.USCC: "@",
    Kind.CODE: "@",
    Kind.CODES: "@",
    Kind.INTEGER: "0",
    Kind.RATIO: "0.00##%",
    Kind.DATE: "yyyy-mm-dd",
    Kind.MOMENT: "yyyy-mm-dd hh:mm",
    Kind.BOOL: "@",
}

WIDTHS: dict[Kind, int] = {Kind.USCC: 22, Kind.IDENTIFIER: 22, Kind.MOMENT: 18, Kind.DATE: 13, Kind.TEXT: 24}

HOW_TO_WRITE: dict[Kind, Words] = {
    Kind.TEXT: _("Text."),
    Kind.IDENTIFIER: _("Text, character by character; keep the cell format Text so that no digit is lost."),
    Kind.USCC: _("Unified social credit code, 18 characters."),
    Kind.CODE: _("Choose from the list."),
    Kind.CODES: _("One or more of the list, separated by 、"),
    Kind.INTEGER: _("A whole number."),
    Kind.DECIMAL: _("A number with up to %(places)s decimals."),
    Kind.RATIO: _("A percentage such as 15%% or a ratio such as 0.15."),
    Kind.DATE: _("A date such as 2024-03-05."),
    Kind.MOMENT: _("Date and time such as 2024-03-05 08:30."),
    Kind.BOOL: _("Yes or no."),
}


@dataclass(frozen=True)
class SheetToWrite:
    """One sheet. Without rows it is a template with the columns' example rows; with `reasons`, one entry a
    row, the first column says what is wrong and the cells concerned are tinted and carry a comment."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]] = ()
    reasons: Reasons | None = None


def write_workbook(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]] = (),
    reasons: Reasons | None = None,
    *,
    sheet_name: str = "Sheet1",
) -> bytes:
    """An .xlsx of one sheet in the reader's language; see `SheetToWrite`.

    `rows` hold canonical values or, where a cell could not be read, what was typed.
    """
    return write_sheets([SheetToWrite(sheet_name, columns, rows, reasons)])


def write_sheets(sheets: Sequence[SheetToWrite]) -> bytes:
    """An .xlsx with several sheets, as of records and of the lines that belong to them."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    styles = _Styles(book)
    lists = _Lists(book)
    for each in sheets:
        # the sheets in front, that of the long lists behind them
        _write_sheet(book.add_worksheet(sheet_title(each.name)), each, styles, lists)
    lists.write()
    book.close()
    return out.getvalue()


def sheet_title(name: str) -> str:
    """A name as tabs may have it: 31 characters, none of those that addresses need."""
    return re.sub(r"[\[\]:*?/\\']", " ", name).strip()[:31] or "Sheet1"


def _write_sheet(sheet: Worksheet, given: SheetToWrite, styles: _Styles, lists: _Lists) -> None:
    columns, rows, reasons = given.columns, given.rows, given.reasons
    first = 1 if reasons is not None else 0
    _write_titles(sheet, columns, first, styles)
    lists.add(sheet, columns, first)
    if first:
        sheet.set_column(0, 0, 60)
        sheet.write_string(0, 0, str(REASONS_TITLE), styles.get(bold=True, bg_color="#F8D7DA", border=1))
    if rows:
        titles = {column.name: str(column.title) for column in columns}
        for i, row in enumerate(rows):
            wrong = _by_field(reasons[i]) if reasons is not None else {}
            if first:
                lines = [f"{titles[name]}: {text}" if name in titles else text for name, text in wrong.items()]
                sheet.write_string(i + 1, 0, "\n".join(lines)[:LONGEST_TEXT], styles.get(text_wrap=True, valign="top"))
            for place, column in enumerate(columns, start=first):
                comment = wrong.get(column.name, "")
                tint = {"bg_color": "#F8D7DA"} if comment else {}
                _write_cell(sheet, i + 1, place, column, row.get(column.name), styles, tint)
                if comment:
                    sheet.write_comment(i + 1, place, comment[:LONGEST_TEXT], {"x_scale": 2})
    elif reasons is None:
        for i in range(max((len(column.examples) for column in columns), default=0)):
            for place, column in enumerate(columns, start=first):
                value = column.examples[i] if i < len(column.examples) else None
                _write_cell(sheet, i + 1, place, column, value, styles, {"italic": True, "font_color": "#808080"})
    sheet.freeze_panes(1, first)


class _Styles:
    """Cell formats made once each."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def get(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]

    def of(self, column: Column, **more: Any) -> Format:
        return self.get(num_format=_number_format(column), **more)


def _number_format(column: Column) -> str:
    if column.kind is Kind.DECIMAL:
        return "#,##0" + ("." + "0" * column.places if column.places else "")
    return FORMATS[column.kind]


def _write_titles(sheet: Worksheet, columns: Sequence[Column], first: int, styles: _Styles) -> None:
    for place, column in enumerate(columns, start=first):
        sheet.set_column(
            place, place, max(WIDTHS.get(column.kind, 14), 2 * len(str(column.title)) + 3), styles.of(column)
        )
        fill = "#FFF3CD" if column.required else "#E9ECEF"
        look = styles.get(bold=True, border=1, bg_color=fill, text_wrap=True, valign="vcenter")
        sheet.write_string(0, place, ("*" if column.required else "") + str(column.title), look)
        sheet.write_comment(0, place, _explained(column), {"x_scale": 2.5, "y_scale": 1.5})
    sheet.set_row(0, 32)


def _explained(column: Column) -> str:
    lines = [str(_("Required.")) if column.required else str(_("May be left empty."))]
    lines.append(str(HOW_TO_WRITE[column.kind]) % {"places": column.places})
    if column.note:
        lines.append(str(column.note))
    if column.codes:
        labels = [str(label) for _code, label in column.codes]
        lines.append("、".join(labels[:40]) + (" …" if len(labels) > 40 else ""))
    if column.examples:
        lines.append(str(_("The grey rows are examples; they are left out if you leave them in place.")))
    return "\n".join(lines)


class _Lists:
    """Drop-downs; long lists stand on a hidden sheet. They only warn: codes and the other language work."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._long: dict[tuple[str, ...], int] = {}

    def add(self, sheet: Worksheet, columns: Sequence[Column], first: int) -> None:
        for place, column in enumerate(columns, start=first):
            if column.kind is Kind.BOOL:
                labels = [str(_("Yes")), str(_("No"))]
            elif column.kind is Kind.CODE and column.codes:
                labels = [str(label) for _code, label in column.codes]
            else:
                continue
            source: list[str] | str = labels
            if len(",".join(labels)) > LONGEST_LIST or any("," in label for label in labels):
                letters = xlsxwriter.utility.xl_col_to_name(
                    self._long.setdefault(tuple(labels), len(self._long)), col_abs=True
                )
                source = f"={LISTS_SHEET}!{letters}$1:{letters}${len(labels)}"
            sheet.data_validation(
                1, place, MAX_ROWS, place,
                {
                    "validate": "list",
                    "source": source,
                    "ignore_blank": True,
                    "error_type": "warning",
                    "error_title": str(_("Not in the list")),
                    "error_message": str(_("Choose a value from the list.")),
                },
            )  # fmt: skip

    def write(self) -> None:
        if not self._long:
            return
        sheet = self._book.add_worksheet(LISTS_SHEET)
        sheet.very_hidden()
        for labels, place in self._long.items():
            for row, label in enumerate(labels):
                sheet.write_string(row, place, label)


def _by_field(reasons: Sequence[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in reasons:
        found[name] = f"{found[name]}\n{text}" if name in found else text
    return found


def _write_cell(
    sheet: Worksheet,
    row: int,
    place: int,
    column: Column,
    value: Any,
    styles: _Styles,
    look: Mapping[str, Any],
) -> None:
    if value is None or value == "":
        if look:
            sheet.write_blank(row, place, None, styles.of(column, **look))
        return
    value = _for_excel(column, value)
    if isinstance(value, str):
        # as text, whatever it looks like: what could not be read must come back as it was typed
        sheet.write_string(row, place, value[:LONGEST_TEXT], styles.get(num_format="@", **look))
    elif isinstance(value, date):
        sheet.write_datetime(row, place, value, styles.of(column, **look))
    else:
        sheet.write_number(row, place, value, styles.of(column, **look))


def _for_excel(column: Column, value: Any) -> Any:
    """The value as a spreadsheet shows it: labels for codes, real dates and numbers where they are such."""
    labels = {code: str(label) for code, label in column.codes}
    if column.kind is Kind.CODES and isinstance(value, list | tuple):
        return "、".join(labels.get(each, str(each)) for each in value)
    if column.kind is Kind.BOOL and isinstance(value, bool):
        return str(_("Yes")) if value else str(_("No"))
    if column.kind is Kind.CODE:
        return labels.get(str(value), str(value))
    if column.kind in (Kind.DATE, Kind.MOMENT):
        return _day_for_excel(value)
    if column.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.RATIO) and not isinstance(value, bool | date):
        return _number_for_excel(column, value)
    return str(value)


def _day_for_excel(value: Any) -> Any:
    """Canonical days and moments as such; anything else stays as it was typed."""
    if isinstance(value, str):
        if not _ISO.fullmatch(value):
            return value
        try:
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
        except ValueError:
            return value
    if not isinstance(value, date) or value.year < 1900:
        return str(value)
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(BEIJING).replace(tzinfo=None)
    return value


def _number_for_excel(column: Column, value: Any) -> str | float:
    """Plain numbers as such, unless the sheet would hide decimals or drop digits of them."""
    text = str(value)
    if not _PLAIN_NUMBER.fullmatch(text):
        return text
    number = Decimal(text)
    hidden = number != number.quantize(Decimal(1).scaleb(-max(column.places, 0)))
    return text if hidden or len(number.as_tuple().digits) > EXACT_DIGITS else float(number)

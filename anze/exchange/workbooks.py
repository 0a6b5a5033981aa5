"""From an uploaded file to rows: finds the column titles, matches them, keeps the sheet's own row numbers.

Nothing is left out in silence. What keeps the file out is a problem, with the remedy; what was skipped (a
total, an example row, an unknown column) is a note. Cells are handed on raw: `Column.read` understands them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.exchange.columns import Column, in_all_languages, title_key
from anze.exchange.folding import plain, tidy, unspaced
from anze.exchange.opening import BANNER_ROWS, MAX_ROWS, Grid, Position, letters_of, open_grids
from anze.exchange.refusals import Remark, Unreadable, UnreadableFile
from anze.kernel.wording import listed

REASONS_TITLE = _("Reasons for rejection")  # the first column of a file of rejected rows; ignored when it returns
MENTIONED = 20  # at most this many places are named for one problem

_TOTAL = re.compile(
    r"[(]?(本页|本表|本月|全部)?(合计|总计|小计|共计|累计|总和|grandtotal|subtotal|total|sum)([(].{0,6}[)])?[:：]?[)]?"
)
_BRACKET = re.compile(r"\(([^()]*)\)$")
_BIG_UNIT = re.compile(r"(百|千|万|亿)+(元|人)?")


@dataclass
class Sheet:
    """What a file holds. With any problem, `rows` is empty. `columns` is field → letter of its column."""

    columns: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    problems: list[Remark] = field(default_factory=list)
    name: str = ""

    def cell(self, row: int, name: str) -> str:
        """The address of a field's cell, such as C5; the row alone if the file has no such column."""
        return f"{self.columns.get(name, '')}{row}"


@dataclass(frozen=True)
class _Header:
    """The row of titles, counted from 0, and which column of the sheet holds which field."""

    row: int
    titles: list[str]
    fields: dict[int, str]


def read_sheet(data: bytes, columns: Sequence[Column], sheet_names: Sequence[str] = ()) -> Sheet:
    """The records of an uploaded .xlsx or .csv, judged by its content and not by its name."""
    try:
        return _read(open_grids(data, sheet_names), columns)
    except UnreadableFile as refused:
        return Sheet(problems=[refused.remark])


def _read(grids: Iterator[Grid], columns: Sequence[Column]) -> Sheet:
    first: Sheet | None = None
    best: tuple[_Header, Grid, list[list[Any]]] | None = None
    for grid in grids:
        try:
            top = list(islice(grid.rows, BANNER_ROWS + 1))
        except UnreadableFile as refused:  # a CSV read with the wrong separator
            first = first or Sheet(name=grid.name, problems=[refused.remark])
            continue
        header = _header(top, columns)
        if header is None:
            merged = _addresses(each for each in grid.merged if each[0][0] <= BANNER_ROWS)
            first = first or Sheet(name=grid.name, problems=[_no_header(columns, merged)])
            continue
        # a CSV is taken with the separator that finds most titles, a workbook with its first fitting sheet
        if best is None or len(header.fields) > len(best[0].fields):
            best = header, grid, top
        if not grid.is_csv:
            break
    if best is None:
        return first or Sheet(problems=[Remark("file_empty")])
    header, grid, top = best
    sheet = Sheet(name=grid.name)
    _match(sheet, header, grid, columns)
    records = _records(sheet, header, grid, chain(top[header.row + 1 :], grid.rows), columns)
    if not sheet.problems and not records:
        sheet.problems.append(Remark("no_rows"))
    if not sheet.problems:
        sheet.rows = records
    return sheet


# Titles


def _header(top: list[list[Any]], columns: Sequence[Column]) -> _Header | None:
    """Among the rows at the top, the one that holds most of the titles; at least two, or all of fewer."""
    known = _known_titles(columns)
    best: _Header | None = None
    for number, cells in enumerate(top):
        titles = [tidy(cell) if isinstance(cell, str) else "" for cell in cells]
        fields = {place: name for place, title in enumerate(titles) if (name := _named(title, known))}
        if len(set(fields.values())) >= min(2, len(columns)) and (best is None or len(fields) > len(best.fields)):
            best = _Header(number, titles, fields)
    return best


def _known_titles(columns: Sequence[Column]) -> dict[str, str]:
    """Folded title → field, with and without a unit in brackets. ValueError if two columns share a title."""
    known: dict[str, str] = {}
    for column in columns:
        for title in column.titles:
            if known.setdefault(title, column.name) != column.name:
                raise ValueError(f"two columns have the title {title!r}")
    for column in columns:
        for title in column.titles:
            known.setdefault(_without_bracket(title), column.name)
    return known


def _named(title: str, known: dict[str, str]) -> str | None:
    key = title_key(title)
    return known.get(key) or known.get(_without_bracket(key)) if key else None


def _without_bracket(key: str) -> str:
    return _BRACKET.sub("", key) or key


def _no_header(columns: Sequence[Column], merged: str) -> Remark:
    if merged:
        return Remark("header_merged", {"cells": merged})
    titles = listed(column.title for column in columns if column.required)
    return Remark("header_missing", {"rows": BANNER_ROWS + 1, "titles": titles})


def _match(sheet: Sheet, header: _Header, grid: Grid, columns: Sequence[Column]) -> None:
    """Fills in `sheet.columns` and says what is wrong with the titles."""
    merged = _addresses(each for each in grid.merged if each[0][0] <= header.row <= each[1][0])
    if merged:
        sheet.problems.append(Remark("header_merged", {"cells": merged}, header.row + 1))
    by_name = {column.name: column for column in columns}
    places: dict[str, list[int]] = {}
    for place, name in header.fields.items():
        places.setdefault(name, []).append(place)
    for name, found in places.items():
        column, title = by_name[name], header.titles[found[0]]
        sheet.columns[name] = letters_of(found[0])
        if len(found) > 1:
            cells = ", ".join(f"{letters_of(place)}{header.row + 1}" for place in found)
            sheet.problems.append(Remark("column_twice", {"title": title, "cells": cells}, header.row + 1))
        unit = _BRACKET.search(title_key(title))
        if unit and _BIG_UNIT.fullmatch(unit[1]) and title_key(title) not in column.titles:
            values: dict[str, str | int] = {"found": title, "unit": unit[1], "title": str(column.title)}
            sheet.problems.append(Remark("column_in_other_unit", values, header.row + 1))
    reasons = {title_key(title) for title in in_all_languages(REASONS_TITLE)}
    unknown = [
        title for place, title in enumerate(header.titles)
        if title and place not in header.fields and title_key(title) not in reasons
    ]  # fmt: skip
    for column in columns:
        if column.required and column.name not in places:
            sheet.problems.append(_missing(column, unknown, header.row + 1))
    if not sheet.problems:
        sheet.notes += [Remark("column_unknown", {"found": title}, header.row + 1) for title in unknown]
    if grid.other_sheets:
        others = "、".join(grid.other_sheets)
        sheet.notes.append(Remark("sheets_left_out", {"read": grid.name, "sheets": others}))


def _missing(column: Column, unknown: list[str], row: int) -> Remark:
    close = [
        title for title in unknown
        if difflib.get_close_matches(_without_bracket(title_key(title)), column.titles, n=1, cutoff=0.7)
    ]  # fmt: skip
    if close:
        return Remark("column_missing_near", {"title": str(column.title), "found": close[0]}, row)
    return Remark("column_missing", {"title": str(column.title)}, row)


# Records


def _records(
    sheet: Sheet, header: _Header, grid: Grid, rows: Iterable[list[Any]], columns: Sequence[Column]
) -> list[tuple[int, dict[str, Any]]]:
    fields = list(header.fields.items())
    width = max(header.fields, default=-1) + 1
    last_title = max((place for place, title in enumerate(header.titles) if title), default=-1)
    untitled: set[int] = set()
    too_long: list[int] = []
    examples = _example_rows(columns)
    records: list[tuple[int, dict[str, Any]]] = []
    for number, cells in enumerate(rows, start=header.row + 2):
        if all(_is_blank(cell) for cell in cells):
            continue
        total = _total(cells)
        if total:
            sheet.notes.append(Remark("total_row", {"shown": total}, number))
            continue
        if len(cells) > last_title + 1 and not all(_is_blank(cell) for cell in cells[last_title + 1 :]):
            too_long.append(number)
        for place, cell in enumerate(cells[: last_title + 1]):
            if not (place < len(header.titles) and header.titles[place]) and not _is_blank(cell):
                untitled.add(place)
        if len(cells) < width:
            cells = [*cells, *[None] * (width - len(cells))]
        record = {name: None if _is_blank(cells[place]) else cells[place] for place, name in fields}
        if examples and len(records) < 2 and _is_example(record, examples, columns):
            sheet.notes.append(Remark("example_row", row=number))
            continue
        if len(records) == MAX_ROWS:
            raise UnreadableFile("too_many_rows", row=number, limit=MAX_ROWS)
        records.append((number, record))
    if grid.is_csv:
        # a comma inside an amount shifts every later cell of the row: such a row cannot be trusted
        sheet.problems += [Remark("row_too_long", row=number) for number in too_long[:MENTIONED]]
    elif too_long:
        untitled.add(last_title + 1)
    sheet.notes += [Remark("column_untitled", {"column": letters_of(place)}) for place in sorted(untitled)]
    taken = {number for number, _record in records}
    spoilt = [each for each in grid.merged if not taken.isdisjoint(range(each[0][0] + 1, each[1][0] + 2))]
    if spoilt:
        sheet.problems.append(Remark("data_merged", {"cells": _addresses(spoilt)}, spoilt[0][0][0] + 1))
    return records


def _is_blank(cell: Any) -> bool:
    if not isinstance(cell, str):
        return cell is None
    return not cell or (not cell[0].isalnum() and not plain(cell))


def _total(cells: list[Any]) -> str:
    """The word by which a row says that it is a total, if it does: alone in its cell, first in the row."""
    for cell in cells[:3]:
        if not _is_blank(cell):
            return plain(cell) if isinstance(cell, str) and _TOTAL.fullmatch(unspaced(cell).lower()) else ""
    return ""


def _example_rows(columns: Sequence[Column]) -> list[dict[str, object]]:
    count = max((len(column.examples) for column in columns), default=0)
    return [
        {
            column.name: _understood(column, column.examples[i] if i < len(column.examples) else None)
            for column in columns
        }
        for i in range(count)
    ]


def _is_example(record: dict[str, Any], examples: list[dict[str, object]], columns: Sequence[Column]) -> bool:
    read = {column.name: _understood(column, record.get(column.name)) for column in columns}
    return read in examples


def _understood(column: Column, cell: object) -> object:
    if isinstance(cell, list):  # an example of several codes
        cell = "、".join(cell)
    try:
        return column.read(cell)
    except Unreadable as refused:
        return refused.code


def _addresses(ranges: Iterable[tuple[Position, Position]]) -> str:
    named = [f"{letters_of(c1)}{r1 + 1}:{letters_of(c2)}{r2 + 1}" for (r1, c1), (r2, c2) in islice(ranges, MENTIONED)]
    return ", ".join(named)

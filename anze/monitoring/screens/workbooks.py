"""A bulletin as a workbook: one sheet a table, the numbers as numbers, and its pictures as charts of the spreadsheet.

The charts refer to cells of a sheet of their own, in the order in which page, PDF and Word show them, so that whoever
works on with the file can change both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from io import BytesIO
from typing import TYPE_CHECKING, Any

import xlsxwriter
from django.utils.translation import gettext as _now

from anze.monitoring.screens.pictures import Chart
from anze.screen.exports import safe

if TYPE_CHECKING:
    from anze.monitoring.screens.printing import Cell, Paper, Table

_WIDE, _GAP, _LINE = 640, 24, 20  # pixels: of a chart, between two, of a bar


def workbook_of(paper: Paper) -> bytes:
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        created = paper.bulletin.made_at.astimezone(UTC).replace(tzinfo=None)
        book.set_properties({"title": paper.title, "author": paper.bulletin.made_by, "created": created})
        looks = Looks(book)
        about = _sheet(book, _now("About this file"), paper)
        about.set_column(0, 0, 24)
        about.set_column(1, 1, 90)
        facts = [(_now("Item"), _now("Content")), (paper.title, ""), *paper.facts]
        for row, fact in enumerate(facts):
            for column, text in enumerate(fact):
                about.write_string(row, column, safe(text), looks.head if row == 0 else looks.prose)
        for table in paper.tables:
            _add_table(book, table, looks, paper)
        charts = [(table.title, chart) for table in paper.tables for chart in table.charts]
        if charts:
            _add_charts(book, charts, looks.head, paper)
    return made.getvalue()


class Looks:
    """How cells look: heads, words, and numbers by what they are."""

    def __init__(self, book: Any) -> None:
        head = {"bold": True, "bg_color": "#E8EEF4", "text_wrap": True, "valign": "vcenter"}
        points = _now("%(points)s percentage points") % {"points": ""}
        self.head = book.add_format(head)
        self.number_head = book.add_format({**head, "align": "right"})
        self.prose = book.add_format({"text_wrap": True, "valign": "top"})
        self.whole = book.add_format({"num_format": "#,##0"})
        self.exact = book.add_format({"num_format": "#,##0.00"})
        self.share = book.add_format({"num_format": "0.00%"})
        self.points = book.add_format({"num_format": f'+0.00"{points}";-0.00"{points}";0.00"{points}"'})

    def of(self, cell: Cell) -> Any:
        if cell.look:
            return self.share if cell.look == "share" else self.points
        return self.whole if cell.number is not None and cell.number == int(cell.number) else self.exact


def _sheet(book: Any, name: str, paper: Paper) -> Any:
    """A sheet that prints: A4 across, as wide as a page, the heads on each, and the checksum below."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L&7SHA-256 {paper.bulletin.checksum}&R&7&A  &P / &N")
    return sheet


def _add_table(book: Any, table: Table, looks: Looks, paper: Paper) -> None:
    sheet = _sheet(book, table.title, paper)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, min(table.words, 2))
    widths = table.widths if table.rows else [16] * len(table.heads)
    for place, (name, width) in enumerate(zip(table.heads, widths, strict=True)):
        is_word = place < table.words
        sheet.set_column(place, place, max(width + 3, 12))
        sheet.write_string(0, place, name, looks.head if is_word else looks.number_head)
    for row, line in enumerate(table.rows, 1):
        for place, cell in enumerate(line):
            if place < table.words:
                sheet.write_string(row, place, safe(cell.text), looks.prose if table.is_prose else None)
            elif cell.number is not None:
                # percentage points are reckoned in points, so that they read as they are written
                number = cell.number * 100 if cell.look == "points" else cell.number
                sheet.write_number(row, place, number, looks.of(cell))


def _add_charts(book: Any, charts: list[tuple[str, Chart]], head: Any, paper: Paper) -> None:
    """Two in a line, and below one another what they show."""
    shown, data = _sheet(book, _now("Charts"), paper), _sheet(book, _now("Data of the charts"), paper)
    shown.hide_gridlines(2)
    data.set_column(0, 0, 34)
    share = book.add_format({"num_format": "0.0%"})
    data.set_column(1, 20, 16, share)
    row, top = 0, _GAP
    for first in range(0, len(charts), 2):
        pair = charts[first : first + 2]
        for place, (table, chart) in enumerate(pair):
            names = _data_of(chart)
            _write_data(data, row, f"{table}: {chart.title}", names, chart, head)
            drawn = _drawn(book, data.name, row, chart, len(names))
            drawn.set_size({"width": _WIDE, "height": _height(chart)})
            shown.insert_chart(0, 0, drawn, {
                "x_offset": _GAP + place * (_WIDE + _GAP), "y_offset": top, "description": chart.said,
            })  # fmt: skip
            row += len(chart.labels) + 3
        top += max(_height(chart) for _table, chart in pair) + _GAP


def _data_of(chart: Chart) -> list[tuple[str, tuple[float | None, ...]]]:
    found = [(each.name, each.values) for each in chart.series]
    if chart.target is not None:
        found.append((_now("Target"), (chart.target,) * len(chart.labels)))
    return found


def _height(chart: Chart) -> int:
    return 300 if chart.shape == "line" else 120 + _LINE * len(chart.labels)


def _write_data(
    sheet: Any, row: int, title: str, series: list[tuple[str, tuple[float | None, ...]]], chart: Chart, head: Any
) -> None:
    sheet.write_string(row, 0, safe(title), head)
    for column, (name, values) in enumerate(series, 1):
        sheet.write_string(row, column, safe(name), head)
        for place, value in enumerate(values, 1):
            if value is not None:
                sheet.write_number(row + place, column, value)
    for place, label in enumerate(chart.labels, 1):
        sheet.write_string(row + place, 0, safe(label))


def _drawn(book: Any, sheet: str, row: int, chart: Chart, count: int) -> Any:
    """Lines with the target as one of them; bars, the highest on top, with the target in their title."""
    is_bar = chart.shape == "bar"
    made = book.add_chart({"type": "bar" if is_bar else "line"})
    for column, look in _looks(chart, count):
        made.add_series({
            "name": [sheet, row, column],
            "categories": [sheet, row + 1, 0, row + len(chart.labels), 0],
            "values": [sheet, row + 1, column, row + len(chart.labels), column],
            **look,
        })  # fmt: skip
    low, high = chart.ends
    shares = {"min": low, "max": high, "num_format": "0%", "major_gridlines": {"visible": True}}
    title = chart.title
    if is_bar and chart.target is not None:
        title = _now("%(title)s (target %(target)s)") % {"title": title, "target": f"{chart.target:.0%}"}
    made.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
    if is_bar:
        made.set_y_axis({"reverse": True, "interval_unit": 1})
        made.set_x_axis({**shares, "label_position": "low"})
        made.set_legend({"none": True})
    else:
        made.set_y_axis(shares)
        made.set_legend({"position": "bottom"})
    made.show_blanks_as("gap")
    return made


def _looks(chart: Chart, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Column of the data → how its series looks."""
    for column in range(1, count + 1):
        is_target = chart.target is not None and column == count
        if chart.shape == "bar":
            if not is_target:
                yield column, {"fill": {"color": "#1F6FB5"}, "gap": 40,
                               "data_labels": {"value": True, "num_format": "0.0%"}}  # fmt: skip
        elif is_target:
            yield column, {"line": {"color": "#6B7280", "dash_type": "dash", "width": 1.25}}
        else:
            color = "#1F6FB5" if column == 1 else "#C2570C"
            yield column, {"line": {"color": color, "width": 2}, "marker": {"type": "circle", "size": 5}}

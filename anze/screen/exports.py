"""Excel and CSV of exactly what a list shows: its filters, its columns, its order, all of its rows.

Rows are streamed from a server-side cursor into a temporary file while the reader's scope holds, so memory stays
flat and nothing outside the scope can slip in. Every export is an audit event.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import IO, Any, cast

from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from rustpy_xlsxwriter import Format, write_worksheets

from anze.kernel.actions import require
from anze.kernel.audit import record
from anze.kernel.refusal import Refused
from anze.screen.asked import Asked
from anze.screen.cells import Reader
from anze.screen.columns import Kind, file_value
from anze.screen.lists import ListScreen, check_reader
from anze.screen.registry import page

CHUNK = 5000
MOST_IN_EXCEL = 1_000_000  # a sheet holds 1,048,576 lines
EXPORT = "EXPORT"
# what a spreadsheet would take for the beginning of a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - read as formulas too
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
FORMATS = {
    Kind.MONEY: ("#,##0.00", 16.0),
    Kind.DATE: ("yyyy-mm-dd", 12.0),
    Kind.MOMENT: ("yyyy-mm-dd hh:mm", 17.0),
    Kind.DEADLINE: ("", 17.0),
    Kind.RATIO: ("0.00%", 10.0),
    Kind.CODE: ("", 22.0),
    Kind.NAME: ("", 24.0),
    Kind.NUMBER: ("", 12.0),
}


def export_page(screen: ListScreen, room: str) -> None:
    """The address beside a list's own under which it is exported."""

    def view(request: HttpRequest) -> HttpResponse:
        require(request.actor, EXPORT)  # type: ignore[attr-defined]
        check_reader(request, screen.model)
        return export(screen, request)

    view.__module__ = __name__
    page(
        f"{screen.path}export/",
        name=f"{screen.name}-export",
        title=screen.title,
        permission=screen.permission,
        room=room,
    )(view)


def export(screen: ListScreen, request: HttpRequest) -> HttpResponse:
    """All rows of what is asked for as a file, and an audit event of how many, which columns and which filters."""
    asked = Asked(screen, request)
    kind = "csv" if request.GET.get("format") == "csv" else "xlsx"
    reader = Reader([screen.plans[each.name] for each in asked.columns], asked.asking, file_value, links=False)
    titles = _titles([each.heading for each in reader.plans])
    written = _Counted(_rows(asked, reader))
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response when it has been sent
    try:
        if kind == "csv":
            _write_csv(file, titles, written)
        else:
            _write_excel(file, asked, reader, titles, written)
    except BaseException:
        file.close()
        raise
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    actor, at = asked.request.actor, asked.asking.at  # type: ignore[attr-defined]
    record(
        "export.made",
        by=actor,
        at=at,
        details={
            "list": screen.name,
            "format": kind,
            "rows": written.count,
            "columns": asked.chosen_names,
            "filters": {mark.title: mark.said for mark in asked.marks},
        },
    )
    stamp = timezone.localtime(at).strftime("%Y%m%d-%H%M")
    name = f"{screen.title}-{stamp}.{kind}"
    response: HttpResponse = cast(
        "HttpResponse", FileResponse(file, as_attachment=True, filename=name, content_type=MEDIA[kind])
    )
    response["Content-Length"] = str(size)
    return response


class _Counted:
    def __init__(self, rows: Iterator[list[Any]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[list[Any]]:
        for row in self._rows:
            self.count += 1
            if self.count > MOST_IN_EXCEL:
                raise Refused(
                    "export_too_long",
                    _("The list has more than %(most)s rows."),
                    remedy=_("Narrow it with the filters, for example to one year or one city, and export again."),
                    status=409,
                    values={"most": f"{MOST_IN_EXCEL:,}"},
                )
            yield row


def _rows(asked: Asked, reader: Reader) -> Iterator[list[Any]]:
    rows = asked.ordered(asked.rows()).values_list(*reader.reads, asked.sort_field.attname, "pk")
    stream = iter(rows.iterator(chunk_size=CHUNK))
    while chunk := list(islice(stream, CHUNK)):
        yield from reader.shown(chunk)


def _titles(titles: list[str]) -> list[str]:
    """Column heads, each once: a number is added to a second one of the same name."""
    seen: dict[str, int] = {}
    made = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        made.append(title if seen[title] == 1 else f"{title} {seen[title]}")
    return made


def safe(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula gets the apostrophe that makes it text again.

    Numbers stay numbers, those written as text too. The one guard for every file that spreadsheets open.
    """
    if not isinstance(value, str):
        return value
    # what stands behind blanks of any kind counts as the beginning, and so does a line break
    if not any(each.startswith(FORMULA) for each in (value.lstrip(" \u00a0\u3000"), value.lstrip())):
        return value
    try:
        Decimal(value)
    except InvalidOperation:
        return f"'{value}"
    return value


def _write_csv(file: IO[bytes], titles: list[str], rows: _Counted) -> None:
    import io

    # the mark at the beginning tells Excel that the text is UTF-8
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow([safe(title) for title in titles])
    for row in rows:
        writer.writerow(["" if v is None else _plain(v) for v in row])
    text.flush()
    text.detach()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return repr(value) if value != int(value) or abs(value) >= 1e15 else str(int(value))
    return safe(value)


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook: records by column head, the same heads in each. Texts must be `safe` already."""

    title: str
    records: Iterator[dict[str, Any]]
    widths: Any  # head → width, or widths from the left
    formats: Mapping[str, Format] = field(
        default_factory=dict
    )  # of number columns; such a sheet keeps its heads in view
    has_filter: bool = False


def write_workbook(file: IO[bytes], sheets: Sequence[Sheet]) -> None:
    """Sheet after sheet, heads set apart; the library needs a path, so by way of a file of its own."""
    head = Format().set_bold().set_background_color("#E8EEF4").set_text_wrap().set_align("vcenter")
    descriptor, path = tempfile.mkstemp(suffix=".xlsx")
    os.close(descriptor)
    try:
        write_worksheets(
            [(each.title, each.records) for each in sheets],
            path,
            freeze_panes={each.title: {"row": 1, "col": 1} for each in sheets if each.formats or each.has_filter},
            column_widths={each.title: each.widths for each in sheets},
            column_formats={each.title: dict(each.formats) for each in sheets if each.formats},
            header_format={each.title: head for each in sheets},
            autofilter={each.title: True for each in sheets if each.has_filter},
        )
        with open(path, "rb") as written:  # noqa: PTH123 - read in pieces into the file that is sent
            while piece := written.read(1 << 20):
                file.write(piece)
    finally:
        os.unlink(path)  # noqa: PTH108


def _write_excel(file: IO[bytes], asked: Asked, reader: Reader, titles: list[str], rows: _Counted) -> None:
    data, about = _now("Data"), _now("About this file")
    widths: dict[str, float] = {}
    formats: dict[str, Format] = {}
    for title, each in zip(titles, reader.plans, strict=True):
        pattern, width = FORMATS.get(each.kind, ("", 18.0))
        if each.kind is Kind.NUMBER and each.directory is None:
            pattern = "#,##0" if each.places in (0, 2) else "#,##0." + "0" * each.places
        widths[title] = width
        if pattern and each.directory is None:
            formats[title] = Format().set_num_format(pattern)
    empty = dict.fromkeys(titles)

    def records() -> Iterator[dict[str, Any]]:
        nothing = True
        for row in rows:
            nothing = False
            yield dict(zip(titles, row, strict=True))
        if nothing:
            yield empty  # a sheet without any record would lose its heads

    write_workbook(
        file,
        [Sheet(data, records(), widths, formats, has_filter=True), Sheet(about, iter(_facts(asked)), [22.0, 90.0])],
    )


def _facts(asked: Asked) -> list[dict[str, str]]:
    """The second sheet: what the first one holds, when it was so, who asked for it."""
    screen, actor, at = asked.screen, asked.request.actor, asked.asking.at  # type: ignore[attr-defined]
    direction = _now("descending") if asked.sort.startswith("-") else _now("ascending")
    sorted_by = next(
        (p.heading for p in screen.plans.values() if p.name == asked.sort.lstrip("-")),
        asked.sort.lstrip("-"),
    )
    facts = [
        (_now("List"), str(screen.title)),
        (_now("What it holds"), str(screen.about) or str(screen.title)),
        (_now("As of"), timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S")),
        (_now("Made by"), " · ".join(part for part in (actor.name, actor.organisation_name) if part)),
        (_now("Sorted by"), f"{sorted_by}, {direction}"),
        *[(_now("Filter: %(title)s") % {"title": mark.title}, mark.said) for mark in asked.marks],
        *([] if asked.marks else [(_now("Filter"), _now("none"))]),
        (
            _now("Scope"),
            _now("Only rows that the person who made the file may see; void records only where asked for."),
        ),
    ]
    key, value = _now("Item"), _now("Content")
    return [{key: name, value: said} for name, said in facts]

"""Rows of a library's draft as a file: handed out, edited in a spreadsheet, taken in again.

The pages stand in the library's menu; they are here because reading uploaded files is the exchange's trade.
"""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import xlsxwriter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.exchange.columns import in_all_languages, title_key
from anze.exchange.opening import open_grids
from anze.exchange.refusals import UnreadableFile
from anze.exchange.screens.batches import download
from anze.exchange.uploads import XLSX
from anze.kernel.refusal import Refused
from anze.library.actions import change_draft
from anze.library.rules import DRAFT_COLUMNS
from anze.library.screens.drafts import draft_of
from anze.parties.rules import Permission
from anze.screen.registry import page

MOST_ROWS = 2000


@page("library/drafts/<uuid:pk>/rows.xlsx", name="draft-file", permission=Permission.KEEP_LIBRARY, room="library")
def draft_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = draft_of(pk)
    made = io.BytesIO()
    words = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(made, words) as book:
        sheet = book.add_worksheet(draft.of_code[:31])
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        for at, (name, title) in enumerate(DRAFT_COLUMNS[draft.kind]):
            sheet.set_column(at, at, 48 if name.startswith("text_") else 16, wrapped)
            sheet.write_string(0, at, str(title), bold)
            for n, row in enumerate(draft.rows, 1):
                sheet.write_string(n, at, row.get(name, ""))
        sheet.freeze_panes(1, 0)
    return download(made.getvalue(), f"{draft.of_code}.xlsx", XLSX)


@page(
    "library/drafts/<uuid:pk>/upload/", name="draft-upload", permission=Permission.KEEP_LIBRARY, methods=("POST",),
    room="library",
)  # fmt: skip
def draft_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    draft = draft_of(pk)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise UnreadableFile("file_empty")
        rows = rows_of(file.read(), draft.kind)
    except Refused as refused:
        messages.error(request, f"{refused.message} {refused.remedy}")
        return redirect("draft", pk)
    change_draft(draft, by=request.actor, at=request.at, rows=rows)  # type: ignore[attr-defined]
    messages.success(
        request, ngettext("%(count)s row taken over.", "%(count)s rows taken over.", len(rows)) % {"count": len(rows)}
    )
    return redirect("draft", pk)


def rows_of(data: bytes, kind: str) -> list[dict[str, str]]:
    """The rows of an edited file. Columns are known by their titles in either language, or by their field names."""
    known = _titles(kind)
    for grid in open_grids(data):
        cells = [[_text(cell) for cell in row] for row, _n in zip(grid.rows, range(MOST_ROWS + 1), strict=False)]
        head = [known.get(title_key(title)) for title in cells[0]] if cells else []
        if not any(head):
            continue
        missing = [str(title) for name, title in DRAFT_COLUMNS[kind] if name not in head]
        if missing:
            raise Refused(
                "columns_missing",
                _("Row 1 lacks the column %(column)s."),
                remedy=_("Download the file and keep its first row."),
                field="file",
                values={"column": missing[0]},
            )
        found = [{name: value for name, value in zip(head, row, strict=False) if name} for row in cells[1:]]
        return [row for row in found if any(row.values())]
    raise Refused(
        "no_header",
        _("The first row holds no titles known here."),
        remedy=_("Download the file and keep its first row."),
        field="file",
    )


def _titles(kind: str) -> dict[str, str]:
    found = {}
    for name, title in DRAFT_COLUMNS[kind]:
        found[title_key(name)] = name
        for said in in_all_languages(title):
            found[title_key(said)] = name
    return found


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()

"""What is said when a cell or a file cannot be taken: code → (what is wrong, what to do).

Findings are stored as a code with values and put into words when somebody reads them, in their language.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.kernel.refusal import Refused

# One cell (reading.py).
READING: dict[str, tuple[Promise, Promise]] = {
    "formula_not_calculated": (
        _("The cell holds a formula without a result."),
        _("Open the file in Excel or WPS, save it and upload it again, or paste the values only."),
    ),
    "excel_error": (
        _("The cell shows the Excel error %(shown)s."),
        _("Correct the formula or type the value itself. Leave the cell empty if there is none."),
    ),
    "date_in_text": (
        _("The cell holds the date or time %(shown)s where text is expected. Excel may have changed it."),
        _("Set the format of the cell to Text and type the value again."),
    ),
    "number_in_text": (
        _("The cell holds the number %(shown)s; Excel keeps only 15 digits, so some may be lost."),
        _("Set the format of the cell to Text and type all characters again."),
    ),
    "uscc_length": (
        _("A unified social credit code has 18 characters; %(shown)s has %(length)s."),
        _("Copy the code from the business licence."),
    ),
    "uscc_alphabet": (
        _("%(shown)s holds a character that a credit code cannot have in that place."),
        _("Copy the code from the business licence. It never holds the letters I, O, S, V, Z."),
    ),
    "uscc_lookalike": (
        _("%(shown)s holds a letter that credit codes never use (I, O, S, V, Z)."),
        _("If the business licence says %(suggestion)s, write that."),
    ),
    "uscc_check": (
        _("The check character of %(shown)s is wrong: after these 17 characters it would be %(check)s."),
        _("One character or more is mistyped. Compare the code with the business licence."),
    ),
    "unknown_code": (
        _("“%(shown)s” is not one of the values of this column."),
        _("Choose from: %(choices)s"),
    ),
    "unknown_code_near": (
        _("“%(shown)s” is not one of the values of this column."),
        _("Did you mean “%(suggestion)s”? Choose from: %(choices)s"),
    ),
    "not_yes_or_no": (
        _("“%(shown)s” is neither yes nor no."),
        _("Write 是 or 否 (Y or N, 1 or 0)."),
    ),
    "not_a_number": (
        _("“%(shown)s” is not a number."),
        _("Write digits only, for example 1234.50. Leave the cell empty if there is no value."),
    ),
    "not_whole": (
        _("%(shown)s is not a whole number."),
        _("Write the number without decimals."),
    ),
    "too_many_decimals": (
        _("%(shown)s has more than %(places)s decimal places."),
        _("Write %(suggestion)s, or round the formula to %(places)s places."),
    ),
    "ratio_over_one": (
        _("%(shown)s is more than 1 where a ratio is expected."),
        _("Write %(suggestion)s or %(percent)s if that is what you mean."),
    ),
    "percent": (
        _("%(shown)s is a percentage, but this column holds plain numbers."),
        _("Write the number without a percent sign, in the unit that the note of the column gives."),
    ),
    "other_unit": (
        _("%(shown)s is given in %(unit)s, but this column is not."),
        _("Write %(suggestion)s if that is what you mean."),
    ),
    "separators": (
        _("The separators of %(shown)s can be read in more than one way."),
        _("Write it without thousands separators and with a decimal point, for example 1234.50."),
    ),
    "parentheses": (
        _("%(shown)s stands in parentheses, which may mean a negative amount."),
        _("Write %(suggestion)s if it is negative; otherwise leave the parentheses out."),
    ),
    "scientific": (
        _("%(shown)s is in scientific notation, in which digits may be lost."),
        _("Write all digits of the number."),
    ),
    "not_a_date": (
        _("“%(shown)s” is not a complete date."),
        _("Write year, month and day, for example 2024-03-05."),
    ),
    "no_such_day": (
        _("There is no such day as %(shown)s."),
        _("Check the month and the day."),
    ),
    "ambiguous_date": (
        _("The date %(shown)s can be read in more than one way."),
        _("Write the year with four digits first, for example 2024-03-05."),
    ),
    "year_out_of_range": (
        _("The year of %(shown)s is not between %(first)s and %(last)s."),
        _("Check the year. Leave the cell empty if there is no date."),
    ),
    "not_a_time": (
        _("The time in “%(shown)s” cannot be read."),
        _("Write it as in 2024-03-05 08:30."),
    ),
}

# An uploaded file (opening.py, workbooks.py).
FILES: dict[str, tuple[Promise, Promise]] = {
    "file_empty": (_("The file is empty."), _("Choose the file again.")),
    "file_too_big": (
        _("The file has %(size)s MB; at most %(limit)s MB are taken."),
        _("Split the rows over several files."),
    ),
    "file_is_a_bomb": (
        _("The file would unpack to more than it may (%(limit)s MB, or %(ratio)s times its size)."),
        _("Copy the rows into a new workbook and upload that one."),
    ),
    "file_damaged": (
        _("The file is damaged or not what its name says."),
        _("Open it in Excel or WPS, save it as an Excel workbook (.xlsx) and upload it again."),
    ),
    "file_old_excel": (
        _("The file has the old Excel format (.xls)."),
        _("Open it in Excel or WPS, save it as an Excel workbook (.xlsx) and upload it again."),
    ),
    "file_other_format": (
        _("The file is neither an Excel workbook (.xlsx) nor a CSV table."),
        _("Open it in Excel or WPS, save it as an Excel workbook (.xlsx) and upload it again."),
    ),
    "file_is_a_page": (
        _("The file is a web page that is named like an Excel workbook."),
        _("Open it in Excel or WPS, save it as an Excel workbook (.xlsx) and upload it again."),
    ),
    "file_encrypted": (
        _("The file is protected by a password."),
        _("Save it without a password and upload it again."),
    ),
    "file_has_macros": (
        _("The file contains macros, which are not taken."),
        _("Save it as an Excel workbook without macros (.xlsx) and upload it again."),
    ),
    "file_encoding": (
        _("The encoding of the text file cannot be recognised."),
        _("Save it as an Excel workbook (.xlsx), or as CSV in UTF-8."),
    ),
    "csv_broken": (
        _("The CSV table cannot be read from row %(row)s on: an open quotation mark, or a huge cell."),
        _("Correct the row, or save the table as an Excel workbook (.xlsx)."),
    ),
    "too_many_columns": (
        _("The sheet reaches to column %(column)s; at most %(limit)s columns are taken."),
        _("Delete the columns that do not belong to the template and save the file again."),
    ),
    "too_many_rows": (
        _("The sheet reaches to row %(row)s; at most %(limit)s records are taken in one file."),
        _("Delete stray cells below the records, or split the records over several files."),
    ),
    "too_many_cells": (
        _("The sheet spans %(cells)s cells; at most %(limit)s are taken in one file."),
        _("Delete empty rows and columns, or split the records over several files."),
    ),
    "cells_without_address": (
        _("The cells of the sheet carry no addresses, so rows cannot be named reliably."),
        _("Open it in Excel or WPS, save it as an Excel workbook (.xlsx) and upload it again."),
    ),
    "header_missing": (
        _("None of the first %(rows)s rows holds the column titles."),
        _("Use the template, or put these titles into one row: %(titles)s"),
    ),
    "header_merged": (
        _("The row of column titles contains merged cells (%(cells)s)."),
        _("Unmerge the cells and write one title into each column, in one row."),
    ),
    "data_merged": (
        _("The records contain merged cells (%(cells)s): only the first cell of each would be read."),
        _("Unmerge the cells and fill in every row."),
    ),
    "column_twice": (
        _("The column “%(title)s” appears more than once (%(cells)s)."),
        _("Keep one of them."),
    ),
    "column_missing": (
        _("The required column “%(title)s” is missing."),
        _("Add the column with exactly this title."),
    ),
    "column_missing_near": (
        _("The required column “%(title)s” is missing, but there is a column “%(found)s”."),
        _("If it is the same, rename it; otherwise add the column."),
    ),
    "column_in_other_unit": (
        _("The column “%(found)s” is in %(unit)s, but the template's column “%(title)s” is not."),
        _("Convert the amounts and use the title of the template."),
    ),
    "row_too_long": (
        _("The row has more cells than there are column titles."),
        _("Put values that contain the separator in quotation marks, or save as an Excel workbook."),
    ),
    "no_rows": (_("There is no record below the column titles."), _("Fill in at least one row.")),
    # Notes: what was left out, and that it was.
    "column_unknown": (
        _("The column “%(found)s” is not known and was left out."),
        _("Rename it if it belongs to the template."),
    ),
    "column_untitled": (
        _("Column %(column)s has values but no title and was left out."),
        _("Give it the title of a column of the template if it belongs there."),
    ),
    "total_row": (
        _("The row looks like a total (“%(shown)s”) and was left out."),
        _("Nothing needs to be done."),
    ),
    "example_row": (_("The example row of the template was left out."), _("Nothing needs to be done.")),
    "lines_without_record": (
        _("On the sheet “%(sheet)s” these rows belong to no record of the main sheet and were left out: %(rows)s"),
        _("Write the number of a record of the main sheet into their first column."),
    ),
    "sheets_left_out": (
        _("Only the sheet “%(read)s” was read; left out: %(sheets)s"),
        _("Upload the other sheets as files of their own if they hold records."),
    ),
}


@dataclass(frozen=True)
class Remark:
    """Something to be said about a file: a problem that keeps it out, or a note on what was left out."""

    code: str
    values: dict[str, str | int] = field(default_factory=dict)
    row: int | None = None

    @property
    def message(self) -> str:
        return str(FILES[self.code][0]) % {"row": self.row, **self.values}

    @property
    def remedy(self) -> str:
        return str(FILES[self.code][1]) % {"row": self.row, **self.values}


class UnreadableFile(Refused):
    """The whole file cannot be taken; `remark` says why."""

    def __init__(self, code: str, *, row: int | None = None, **values: str | int) -> None:
        message, remedy = FILES[code]
        super().__init__(code, message, remedy=remedy, values={"row": row, **values})
        self.remark = Remark(code, values, row)


class Unreadable(Refused):
    """A cell cannot be taken as it is. `values` fill the words of its code and are fit for JSON."""

    def __init__(self, code: str, **values: str | int) -> None:
        message, remedy = READING[code]
        super().__init__(code, message, remedy=remedy, values=values)

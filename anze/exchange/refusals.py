"""What is said when a cell or a file cannot be taken: code → (what is wrong, what to do).

Findings are stored as a code with values and put into words when somebody reads them, in their language.
"""

from __future__ import annotations

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


class Unreadable(Refused):
    """A cell cannot be taken as it is. `values` fill the words of its code and are fit for JSON."""

    def __init__(self, code: str, **values: str | int) -> None:
        message, remedy = READING[code]
        super().__init__(code, message, remedy=remedy, values=values)

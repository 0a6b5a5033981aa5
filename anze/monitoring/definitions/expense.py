"""Prevention expense: what was promised, what was really paid and can be shown, and the cap."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.monitoring.definitions.money import MONEY
from anze.monitoring.rules import Direction, Family, Indicator, Unit, Words

_CAP = "应急厅函〔2024〕322号"


def _ratio(code: str, title: Words, about: Words, numerator: str, denominator: str, direction: Direction) -> Indicator:
    unit = Unit.RATIO
    return Indicator(
        code, title, about, Family.EXPENSE, MONEY, numerator, denominator, unit, direction, _CAP, money=True
    )


EXPENSE_INDICATORS = (
    _ratio(
        "expense_payment_rate",
        _("Expense payment rate"),
        _(
            "Prevention expense paid with voucher, of the share promised for the months so far "
            "(the month under way included)."
        ),
        "expense_paid",
        "committed",
        Direction.UP,
    ),
    _ratio(
        "expense_payment_year_end",
        _("Expense payment rate (ended policies)"),
        _("All prevention expense paid under policies that ended in the period, of all that was promised for them."),
        "ended_paid",
        "ended_committed",
        Direction.UP,
    ),
    _ratio(
        "expense_ratio",
        _("Expense ratio"),
        _("Prevention expense paid with voucher, of the premium received; the cap is 21 percent."),
        "expense_paid",
        "premium",
        Direction.NONE,
    ),
)

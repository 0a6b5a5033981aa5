"""Every write of the expenses room that is no record of a feed."""

from anze.expenses.actions.matching import Matched, answer_finding, decide_finding, match_expenses
from anze.expenses.actions.settlement import (
    confirm_statement,
    correct_price,
    draw_up_statements,
    money_of,
    object_to_statement,
    settle_paid,
)

__all__ = [
    "Matched",
    "answer_finding",
    "confirm_statement",
    "correct_price",
    "decide_finding",
    "draw_up_statements",
    "match_expenses",
    "money_of",
    "object_to_statement",
    "settle_paid",
]

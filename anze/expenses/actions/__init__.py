"""Every write of the expenses room."""

from anze.expenses.actions.matching import Matched, answer_finding, decide_finding, match_expenses

__all__ = ["Matched", "answer_finding", "decide_finding", "match_expenses"]

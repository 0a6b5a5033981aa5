"""Tables of prevention expenses."""

from anze.expenses.models.findings import ExpenseFinding
from anze.expenses.models.records import Expense

__all__ = ["Expense", "ExpenseFinding"]

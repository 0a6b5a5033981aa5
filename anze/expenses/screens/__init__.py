"""Pages of prevention expenses."""

from anze.expenses.screens import findings, records
from anze.expenses.screens.records import EXPENSES

__all__ = ["EXPENSES", "findings", "records"]

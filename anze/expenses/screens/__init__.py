"""Pages of prevention expenses."""

from anze.expenses.screens import findings, invoices, premium, records, settlement
from anze.expenses.screens.records import EXPENSES

__all__ = ["EXPENSES", "findings", "invoices", "premium", "records", "settlement"]

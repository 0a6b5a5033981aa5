"""Tables of prevention expenses."""

from anze.expenses.models.findings import ExpenseFinding
from anze.expenses.models.invoices import Invoice
from anze.expenses.models.records import Expense
from anze.expenses.models.settlement import Statement, StatementLine

__all__ = ["Expense", "ExpenseFinding", "Invoice", "Statement", "StatementLine"]

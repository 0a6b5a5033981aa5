"""Code lists and rules of prevention expenses."""

from anze.expenses.rules.findings import (
    BASIS,
    FINDING_LIFECYCLE,
    OF_SERVICE,
    PENDING,
    STATE_TONES,
    TELLING_WORDS,
    TONES,
    FindingKind,
    FindingState,
    ForbiddenUse,
)
from anze.expenses.rules.records import Allocation, ExpenseCategory
from anze.expenses.rules.settlement import (
    SETTLEMENT,
    STATEMENT_LIFECYCLE,
    STATEMENT_TONES,
    PriceSource,
    StatementState,
    shares,
)

__all__ = [
    "BASIS",
    "FINDING_LIFECYCLE",
    "OF_SERVICE",
    "PENDING",
    "SETTLEMENT",
    "STATEMENT_LIFECYCLE",
    "STATEMENT_TONES",
    "STATE_TONES",
    "TELLING_WORDS",
    "TONES",
    "Allocation",
    "ExpenseCategory",
    "FindingKind",
    "FindingState",
    "ForbiddenUse",
    "PriceSource",
    "StatementState",
    "shares",
]

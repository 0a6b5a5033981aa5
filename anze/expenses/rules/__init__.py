"""Code lists and rules of prevention expenses."""

from anze.expenses.rules.findings import (
    BASIS,
    FINDING_LIFECYCLE,
    OF_POLICY,
    PENDING,
    STATE_TONES,
    TELLING_WORDS,
    TONES,
    FindingKind,
    FindingState,
    ForbiddenUse,
)
from anze.expenses.rules.records import Allocation, ExpenseCategory

__all__ = [
    "BASIS",
    "FINDING_LIFECYCLE",
    "OF_POLICY",
    "PENDING",
    "STATE_TONES",
    "TELLING_WORDS",
    "TONES",
    "Allocation",
    "ExpenseCategory",
    "FindingKind",
    "FindingState",
    "ForbiddenUse",
]

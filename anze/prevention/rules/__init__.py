"""Code lists, state machines and duties of prevention services."""

from anze.prevention.rules.orders import ConflictReason, OrderState
from anze.prevention.rules.plans import AnnualState
from anze.prevention.rules.records import (
    SEVEN,
    ConfirmationMethod,
    PersonKind,
    ServiceForm,
    ServiceType,
    StandardEdition,
)
from anze.prevention.rules.topics import ShareRule, ShareState, TaskMeasure, TaskState, TopicState
from anze.prevention.rules.visits import EntryKind, Outcome, RecheckResult, VisitorKind, VisitState

__all__ = [
    "SEVEN",
    "AnnualState",
    "ConfirmationMethod",
    "ConflictReason",
    "EntryKind",
    "OrderState",
    "Outcome",
    "PersonKind",
    "RecheckResult",
    "ServiceForm",
    "ServiceType",
    "ShareRule",
    "ShareState",
    "StandardEdition",
    "TaskMeasure",
    "TaskState",
    "TopicState",
    "VisitState",
    "VisitorKind",
]

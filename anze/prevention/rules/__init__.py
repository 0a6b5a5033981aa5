"""Code lists, state machines and duties of prevention services."""

from anze.prevention.rules.orders import OrderState
from anze.prevention.rules.records import (
    SEVEN,
    ConfirmationMethod,
    PersonKind,
    ServiceForm,
    ServiceType,
    StandardEdition,
)
from anze.prevention.rules.visits import EntryKind, Outcome, RecheckResult, VisitorKind, VisitState

__all__ = [
    "SEVEN",
    "ConfirmationMethod",
    "EntryKind",
    "OrderState",
    "Outcome",
    "PersonKind",
    "RecheckResult",
    "ServiceForm",
    "ServiceType",
    "StandardEdition",
    "VisitState",
    "VisitorKind",
]

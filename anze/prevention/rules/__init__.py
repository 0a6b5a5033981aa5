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

__all__ = [
    "SEVEN",
    "ConfirmationMethod",
    "OrderState",
    "PersonKind",
    "ServiceForm",
    "ServiceType",
    "StandardEdition",
]

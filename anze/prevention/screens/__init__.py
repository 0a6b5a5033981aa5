"""Pages of prevention services."""

from anze.prevention.screens import phone
from anze.prevention.screens.records import SERVICES
from anze.prevention.screens.visits import VISITS

__all__ = ["SERVICES", "VISITS", "phone"]

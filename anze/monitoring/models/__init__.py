"""Tables of monitoring: the cells of every figure, the alerts, and the bulletins."""

from anze.monitoring.models.alerts import Alert, Raising, TouchedSubject
from anze.monitoring.models.bulletins import Bulletin
from anze.monitoring.models.cells import (
    Cell,
    CompletionCell,
    CoverageCell,
    HazardCell,
    MoneyCell,
    State,
    TimelinessCell,
)
from anze.monitoring.models.effect import EffectEstimate

__all__ = [
    "Alert", "Bulletin", "Cell", "CompletionCell", "CoverageCell", "EffectEstimate", "HazardCell", "MoneyCell", "Raising", "State",
    "TimelinessCell", "TouchedSubject",
]  # fmt: skip

"""What facts and indicators are, and the life of an alert."""

from anze.monitoring.rules.alerts import ALERT, AlertState, Closing, Reached, may_close, mine, reached_of
from anze.monitoring.rules.effect import Outcome, Verdict
from anze.monitoring.rules.figures import (
    REASONS,
    Direction,
    Fact,
    Family,
    Indicator,
    Part,
    Source,
    Unit,
    Words,
)

__all__ = [
    "ALERT", "REASONS", "AlertState", "Closing", "Direction", "Fact", "Family", "Indicator", "Outcome", "Part", "Reached",
    "Source", "Unit", "Verdict", "Words", "may_close", "mine", "reached_of",
]  # fmt: skip

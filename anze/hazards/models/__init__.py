"""Tables of hazards and their steps."""

from anze.hazards.models.hazards import Hazard
from anze.hazards.models.steps import HazardStep

__all__ = ["Hazard", "HazardStep"]

"""Pages of hazards by subject."""

from anze.hazards.actions import reporting as _reporting
from anze.hazards.screens import campaigns as _campaigns
from anze.hazards.screens import closing as _closing
from anze.hazards.screens import editions as _editions
from anze.hazards.screens import links as _links
from anze.hazards.screens import selfchecks as _selfchecks
from anze.hazards.screens import steps as _steps
from anze.hazards.screens.hazards import HAZARDS

__all__ = ["HAZARDS", "_campaigns", "_closing", "_editions", "_links", "_reporting", "_selfchecks", "_steps"]

"""Tables of the assessment."""

from anze.assessment.models.campaigns import Campaign, Outcome, Tally
from anze.assessment.models.contested import Appeal, Feedback, ReviewItem, SelfReport
from anze.assessment.models.frozen import ConductCase, Correction, Forecast, FrozenRow
from anze.assessment.models.schemes import Scheme, SchemeCopy
from anze.assessment.models.supervision import Supervised

__all__ = [
    "Appeal",
    "Campaign",
    "ConductCase",
    "Correction",
    "Feedback",
    "Forecast",
    "FrozenRow",
    "Outcome",
    "ReviewItem",
    "Scheme",
    "SchemeCopy",
    "SelfReport",
    "Supervised",
    "Tally",
]

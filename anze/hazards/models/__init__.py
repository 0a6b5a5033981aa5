"""Tables of hazards, their steps, their return, and campaigns."""

from anze.hazards.models.campaigns import (
    Attendance,
    Campaign,
    CampaignEnterprise,
    CampaignGroup,
    CampaignMember,
    CampaignReport,
    Figures,
    Share,
    figures_of,
    shares_of,
)
from anze.hazards.models.escalation import escalated, level_reached, overdue_since
from anze.hazards.models.hazards import Hazard
from anze.hazards.models.recurrence import Recurrence
from anze.hazards.models.selfchecks import OwnFinding
from anze.hazards.models.steps import HazardStep

__all__ = [
    "Attendance",
    "Campaign",
    "CampaignEnterprise",
    "CampaignGroup",
    "CampaignMember",
    "CampaignReport",
    "Figures",
    "Hazard",
    "HazardStep",
    "OwnFinding",
    "Recurrence",
    "Share",
    "escalated",
    "figures_of",
    "level_reached",
    "overdue_since",
    "shares_of",
]

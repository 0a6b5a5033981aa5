"""Tables of institutions and people, and of how they enter and stay."""

from anze.parties.models.entering import Appeal, Application, Document, Seat, Standing
from anze.parties.models.institutions import (
    Account,
    AccountManager,
    Engagement,
    Enterprise,
    Expert,
    Membership,
    OfEnterprise,
    OfInsurer,
    Organisation,
    Qualification,
    Region,
)

__all__ = [
    "Account",
    "AccountManager",
    "Appeal",
    "Application",
    "Document",
    "Engagement",
    "Enterprise",
    "Expert",
    "Membership",
    "OfEnterprise",
    "OfInsurer",
    "Organisation",
    "Qualification",
    "Region",
    "Seat",
    "Standing",
]

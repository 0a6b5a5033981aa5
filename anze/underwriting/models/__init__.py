"""Tables of underwriting: the register, policies and what hangs on them, and what is found wrong with cover."""

from anze.underwriting.models.choosing import InsurerProfile, Invitation, Offer, Product, QuoteRequest
from anze.underwriting.models.findings import Finding, FindingNote, Substitute
from anze.underwriting.models.policies import Endorsement, Policy, PremiumReceipt, predecessors, successors, with_life
from anze.underwriting.models.register import Obligation, ObligationSource, RegisterDispute

__all__ = [
    "Endorsement",
    "Finding",
    "FindingNote",
    "InsurerProfile",
    "Invitation",
    "Obligation",
    "ObligationSource",
    "Offer",
    "Policy",
    "PremiumReceipt",
    "Product",
    "QuoteRequest",
    "RegisterDispute",
    "Substitute",
    "predecessors",
    "successors",
    "with_life",
]

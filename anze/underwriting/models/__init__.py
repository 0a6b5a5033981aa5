"""Tables of underwriting: the register, policies and what hangs on them."""

from anze.underwriting.models.policies import Endorsement, Policy, PremiumReceipt, predecessors, successors, with_life
from anze.underwriting.models.register import Obligation

__all__ = [
    "Endorsement",
    "Obligation",
    "Policy",
    "PremiumReceipt",
    "predecessors",
    "successors",
    "with_life",
]

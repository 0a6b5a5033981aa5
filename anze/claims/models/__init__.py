"""Tables of accidents, claims, their steps, and what is kept beside them."""

from anze.claims.models.claims import Accident, Claim, Payment, Victim
from anze.claims.models.findings import CasualtyCount, ClaimCover, ClaimTwin
from anze.claims.models.samples import ClaimPopulation, ClaimReview, ClaimSample
from anze.claims.models.steps import ClaimStep, LossNotice

__all__ = [
    "Accident",
    "CasualtyCount",
    "Claim",
    "ClaimCover",
    "ClaimPopulation",
    "ClaimReview",
    "ClaimSample",
    "ClaimStep",
    "ClaimTwin",
    "LossNotice",
    "Payment",
    "Victim",
]

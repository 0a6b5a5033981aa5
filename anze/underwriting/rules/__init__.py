"""Rules of underwriting by subject."""

from anze.underwriting.rules.policies import (
    EXPIRES_SOON,
    NEW_BUSINESS_AFTER,
    POLICY_TONES,
    RENEWS_EARLY,
    EndorsementKind,
    PolicyState,
    UnderwritingNature,
    gap_days,
    policy_state,
)
from anze.underwriting.rules.register import ObligationReason, ObligationState

__all__ = [
    "EXPIRES_SOON",
    "NEW_BUSINESS_AFTER",
    "POLICY_TONES",
    "RENEWS_EARLY",
    "EndorsementKind",
    "ObligationReason",
    "ObligationState",
    "PolicyState",
    "UnderwritingNature",
    "gap_days",
    "policy_state",
]

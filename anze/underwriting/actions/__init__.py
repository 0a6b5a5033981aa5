"""Everything that changes the register and what is found about cover."""

from anze.underwriting.actions.choosing import (
    ask_quotes,
    decline_request,
    levels_of,
    make_offer,
    save_product,
    save_profile,
    trial_of,
    trial_of_request,
    withdraw_offer,
    withdraw_request,
)
from anze.underwriting.actions.findings import (
    Looked,
    answer_finding,
    close_finding,
    look_for_findings,
    remind_findings,
)
from anze.underwriting.actions.register import (
    confirm_entries,
    dispute_entry,
    duplicates_of,
    grant_dispute,
    merge_entries,
    refuse_dispute,
    resume_entry,
    side_of,
    suspend_entry,
)

__all__ = [
    "Looked",
    "answer_finding",
    "ask_quotes",
    "close_finding",
    "confirm_entries",
    "decline_request",
    "dispute_entry",
    "duplicates_of",
    "grant_dispute",
    "levels_of",
    "look_for_findings",
    "make_offer",
    "merge_entries",
    "refuse_dispute",
    "remind_findings",
    "resume_entry",
    "save_product",
    "save_profile",
    "side_of",
    "suspend_entry",
    "trial_of",
    "trial_of_request",
    "withdraw_offer",
    "withdraw_request",
]

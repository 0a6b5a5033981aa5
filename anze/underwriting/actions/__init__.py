"""Everything that changes the register and what is found about cover."""

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
    "close_finding",
    "confirm_entries",
    "dispute_entry",
    "duplicates_of",
    "grant_dispute",
    "look_for_findings",
    "merge_entries",
    "refuse_dispute",
    "remind_findings",
    "resume_entry",
    "side_of",
    "suspend_entry",
]

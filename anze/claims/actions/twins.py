"""A person says whether two claims are about one loss."""

from __future__ import annotations

from datetime import datetime

from anze.claims.models import ClaimTwin
from anze.claims.rules import TWIN
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import reasoned
from anze.parties.rules import Permission


@action(Permission.REVIEW_CLAIMS, "claim.twin_decided")
def decide_twin(twin: ClaimTwin, *, by: Actor, at: datetime, is_same: bool, words: str) -> ClaimTwin:
    """Both claims stay as they are: what follows for them is for the insurers, who see the decision."""
    TWIN.move(
        twin, "same" if is_same else "different", words=reasoned(words)[:500], decided_at=at, decided_by=by.name[:120]
    )
    return twin

"""What is written of claims outside the feeds: notices of losses, and a person's word on claims that look alike."""

from anze.claims.actions.notices import Loss, send_notice, withdraw_notice
from anze.claims.actions.twins import decide_twin

__all__ = ["Loss", "decide_twin", "send_notice", "withdraw_notice"]

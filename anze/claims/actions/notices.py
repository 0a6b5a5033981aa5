"""An enterprise tells its insurer of a loss, and takes the notice back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from anze.claims.models import LossNotice
from anze.claims.rules import NOTICE
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import BEIJING, beijing_day
from anze.kernel.refusal import Refused, reasoned
from anze.parties.rules import Permission
from anze.underwriting.models import Policy


@dataclass(frozen=True)
class Loss:
    """What an enterprise knows of a loss in the first hour."""

    occurred_at: datetime
    place: str
    kind: str
    description: str
    contact: str
    claimed: Decimal = Decimal(0)
    phone: str = ""
    deaths: int = 0
    serious_injuries: int = 0
    minor_injuries: int = 0
    hits_third_party: bool = False
    learned_at: datetime | None = None
    reported_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.occurred_at.isoformat()} {self.kind}"


@action(Permission.REPORT_LOSSES, "loss.notified")
def send_notice(policy: Policy, *, by: Actor, at: datetime, loss: Loss) -> LossNotice:
    """Tell the insurer. Whether the policy covers it is not asked here: that is for the insurer to say, with reasons."""
    if loss.occurred_at > at:
        raise Refused(
            "loss_in_future", _("The loss lies in the future."), remedy=_("Correct the moment."), field="occurred_at"
        )
    earlier = [moment for moment in (loss.learned_at, loss.reported_at) if moment is not None]
    if any(moment < loss.occurred_at or moment > at for moment in earlier):
        raise Refused(
            "moments_out_of_order",
            _("It was known or reported before it happened, or after now."),
            remedy=_("Correct the moments."),
            field="learned_at",
        )
    notice = LossNotice(
        id=uuid7(),
        policy=policy,
        enterprise_id=policy.enterprise_id,
        insurer_id=policy.insurer_id,
        region_code=policy.region_code,
        sector=policy.sector,
        sent_at=at,
        sent_by=by.name[:120],
        **vars(loss),
    )
    # a number people can read out on the telephone: the day, and the end of the key
    notice.notice_no = f"BA{beijing_day(at):%Y%m%d}-{notice.pk.hex[-6:].upper()}"
    notice.save(force_insert=True)
    return notice


@action(Permission.REPORT_LOSSES, "loss.withdrawn")
def withdraw_notice(notice: LossNotice, *, by: Actor, at: datetime, reason: str) -> LossNotice:
    NOTICE.move(notice, "withdraw", reason=reasoned(reason, "reason")[:200], answered_at=at)
    return notice


def claim_number(notice: LossNotice) -> str:
    """The number proposed for the claim of a notice; an insurer with numbers of its own writes them over it."""
    return f"LP{notice.sent_at.astimezone(BEIJING):%Y%m%d}-{notice.pk.hex[-6:].upper()}"

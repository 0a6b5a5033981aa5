"""Appeals: raised by the party concerned, decided by somebody else than who decided first.

A room whose decisions can be appealed against registers how they are found and what an upheld appeal does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import acts_for
from anze.parties.actions.entering import business_number
from anze.parties.actions.standing import end_standing
from anze.parties.models import Appeal, Application, Seat, Standing
from anze.parties.rules import Permission
from anze.parties.rules.entering import (
    APPEAL,
    APPLICATION,
    DECIDE_APPEAL,
    RAISE_APPEAL,
    SEAT,
    ApplicationState,
    SeatState,
    why_not_decide,
)


@dataclass(frozen=True)
class Appealed:
    """A decision as far as an appeal against it must know it. `row` carries the party's keys and its own."""

    row: Any
    title: str
    party_name: str
    decided_on: date
    decided_by: UUID | None
    decided_by_name: str
    decided_role: str
    page: str  # the page of the row

    def __str__(self) -> str:
        return self.title


@dataclass(frozen=True)
class Appealable:
    """`find` gives a decision that can be appealed against, or nothing; `uphold` sets it right. Both run with
    everything in view."""

    kind: str
    title: str | Promise
    find: Callable[[UUID], Appealed | None]
    uphold: Callable[[UUID, Actor, datetime, str], None]


APPEALABLE: dict[str, Appealable] = {}


def appealable(made: Appealable) -> Appealable:
    APPEALABLE[made.kind] = made
    return made


def find_appealed(kind: str, key: UUID, by: Actor) -> Appealed | None:
    """The decision, if it can be appealed against and is about a party somebody acts for."""
    known = APPEALABLE.get(kind)
    with widened(EVERYTHING):
        found = known.find(key) if known else None
    return found if found is not None and acts_for(by, found.row) else None


def appeal_until(decision: Appealed) -> datetime:
    return RAISE_APPEAL.due_at(decision.decided_on, calendar=load_calendar())


@action(Permission.APPLY, "appeal.raised")
def raise_appeal(decision: Appealed, *, by: Actor, at: datetime, kind: str, grounds: str) -> Appeal:
    if not acts_for(by, decision.row):
        raise Refused("not_your_party", _("Only the party concerned appeals."), status=403)
    if not grounds.strip():
        raise Refused(
            "grounds_missing", _("Say why the decision is wrong."), remedy=_("Facts first, then the rule."),
            field="grounds",
        )  # fmt: skip
    with widened(EVERYTHING):
        calendar, day = load_calendar(), beijing_day(at)
        until = RAISE_APPEAL.due_at(decision.decided_on, calendar=calendar)
        if at >= until:
            raise Refused(
                "appeal_too_late",
                _("The time for an appeal ended with %(day)s."),
                remedy=_("Apply anew, or ask the authority to look at it by itself."),
                values={"day": beijing_day(until) - timedelta(days=1)},
                status=409,
            )
        row = decision.row
        try:
            with transaction.atomic():
                return Appeal.objects.create(
                    number=business_number("SS", at),
                    subject_kind=kind,
                    subject=row.pk,
                    title=decision.title[:200],
                    party_name=decision.party_name[:120],
                    decided_on=decision.decided_on,
                    decided_by=decision.decided_by,
                    decided_by_name=decision.decided_by_name,
                    decided_role=decision.decided_role,
                    organisation_id=getattr(row, "organisation_id", None),
                    expert_id=getattr(row, "expert_id", None),
                    enterprise_id=getattr(row, "enterprise_id", None),
                    region_code=getattr(row, "region_code", ""),
                    grounds=grounds.strip()[:2000],
                    raised_at=at,
                    raised_by=by.name[:120],
                    due_at=DECIDE_APPEAL.due_at(day, calendar=calendar),
                )
        except IntegrityError:
            raise Refused(
                "appealed_already", _("An appeal against this decision was raised before."),
                remedy=_("Wait for its decision, which is final here."), status=409,
            ) from None  # fmt: skip


@action(Permission.APPLY, "appeal.withdrawn")
def withdraw_appeal(appeal: Appeal, *, by: Actor, at: datetime) -> Appeal:
    if not acts_for(by, appeal):
        raise Refused("not_your_party", _("Only the party concerned withdraws its appeal."), status=403)
    with widened(EVERYTHING):
        APPEAL.move(appeal, "withdraw")
    return appeal


def why_not_decide_appeal(appeal: Appeal, by: Actor) -> Any:
    return why_not_decide(
        first_account=appeal.decided_by, first_role=appeal.decided_role, account=by.account_id, role=by.role
    )


@action(Permission.DECIDE_APPEALS, "appeal.decided")
def decide_appeal(appeal: Appeal, *, by: Actor, at: datetime, is_upheld: bool, reasons: str) -> Appeal:
    """Uphold or dismiss, with reasons. What is upheld is set right at once."""
    if why := why_not_decide_appeal(appeal, by):
        raise Refused("not_independent", why, remedy=_("Leave it to somebody else."), status=403)
    if not reasons.strip():
        raise Refused("reason_missing", _("Say why."), remedy=_("The party concerned reads it."), field="reasons")
    with widened(EVERYTHING):
        APPEAL.move(
            appeal,
            "uphold" if is_upheld else "dismiss",
            reasons=reasons.strip()[:2000],
            closed_at=at,
            closed_by=by.account_id,
            closed_by_name=(by.organisation_name or by.name)[:120],
        )
        if is_upheld:
            APPEALABLE[appeal.subject_kind].uphold(appeal.subject, by, at, reasons)
    return appeal


# what can be appealed against in this room ------------------------------------------------------------------------


def _refused_application(key: UUID) -> Appealed | None:
    row = Application.objects.filter(pk=key, state=ApplicationState.REFUSED).first()
    if row is None or row.decided_at is None:
        return None
    title = str(_("Application %(number)s refused")) % {"number": row.number}
    return Appealed(
        row,
        title,
        row.name,
        beijing_day(row.decided_at),
        row.decided_by,
        row.decided_by_name,
        row.decided_role,
        "application",
    )


def _reopen(key: UUID, by: Actor, at: datetime, reasons: str) -> None:
    APPLICATION.move(Application.objects.get(pk=key), "reopen", reason=reasons.strip()[:500])


def _standing(key: UUID) -> Appealed | None:
    row = Standing.objects.filter(pk=key, lifted_on=None).select_related("organisation", "expert", "decided_by").first()
    if row is None or row.decided_on is None:
        return None
    return Appealed(
        row, str(row), str(row.organisation or row.expert), row.decided_on, row.decided_account, str(row.decided_by),
        row.decided_role, "standing",
    )  # fmt: skip


def _lift(key: UUID, by: Actor, at: datetime, reasons: str) -> None:
    end_standing(Standing.objects.get(pk=key), by=by, at=at, reason=reasons)


def _seat(key: UUID) -> Appealed | None:
    row = Seat.objects.filter(pk=key, state__in=(SeatState.EXCLUDED, SeatState.DECLINED)).first()
    if row is None or row.decided_at is None:
        return None
    title = f"{row.organisation} · {row.get_state_display()}"
    return Appealed(
        row, title, str(row.organisation), beijing_day(row.decided_at), row.decided_by, row.decided_by_name, row.decided_role,
        "seat",
    )  # fmt: skip


def _readmit(key: UUID, by: Actor, at: datetime, reasons: str) -> None:
    seat = Seat.objects.get(pk=key)
    SEAT.move(seat, "readmit", ended_on=None, joined_on=seat.joined_on or beijing_day(at))


appealable(Appealable("application", _("refused application"), _refused_application, _reopen))
appealable(Appealable("standing", _("suspension or blacklisting"), _standing, _lift))
appealable(Appealable("seat", _("exclusion from the committee"), _seat, _readmit))

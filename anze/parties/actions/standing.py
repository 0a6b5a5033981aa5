"""Suspending and blacklisting, lifting it early; seats on the committee."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import acts_for
from anze.parties.models import Expert, Organisation, Seat, Standing
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.rules.entering import SEAT, SeatRole, SeatState, StandingKind, may_decide_standing

# who can be suspended: those who take business, not those who supervise it
HELD = (OrganisationKind.INSURER, OrganisationKind.AGENCY)
SEATED = (OrganisationKind.INSURER, OrganisationKind.AGENCY)


def kind_of(party: Organisation | Expert) -> str:
    return "EXPERT" if isinstance(party, Expert) else party.kind


@action(Permission.DECIDE_STANDINGS, "standing.decided")
def decide_standing(
    party: Organisation | Expert,
    *,
    by: Actor,
    at: datetime,
    kind: str,
    from_on: date,
    to_on: date | None,
    reason: str,
) -> Standing:
    """From a day on a party takes no new business. What runs already goes on."""
    of = kind_of(party)
    if of not in (*HELD, "EXPERT"):
        raise Refused(
            "wrong_party", _("Only insurers, agencies and experts are suspended or blacklisted."), field="party"
        )
    if not may_decide_standing(by.role, kind, of) or by.organisation_id is None:
        raise Refused(
            "not_yours_to_decide",
            _("The committee suspends agencies and experts; everything else is decided by the province."),
            remedy=_("Propose it to the provincial authority."),
            field="kind",
        )
    if from_on < beijing_day(at):
        raise Refused(
            "begins_in_the_past", _("A suspension does not reach back."), remedy=_("Take today or a later day."),
            field="from_on",
        )  # fmt: skip
    if to_on is not None and to_on < from_on:
        raise Refused(
            "ends_before_start", _("The last day lies before the first."), remedy=_("Correct one of the days."),
            field="to_on",
        )  # fmt: skip
    if to_on is None and kind == StandingKind.SUSPENDED:
        raise Refused(
            "suspension_without_end",
            _("A suspension has a last day."),
            remedy=_("Give it; only the blacklist is without end."),
            field="to_on",
        )
    _check_reason(reason)
    with widened(EVERYTHING):
        return Standing.objects.create(
            kind=kind,
            organisation=party if isinstance(party, Organisation) else None,
            expert=party if isinstance(party, Expert) else None,
            from_on=from_on,
            to_on=to_on,
            reason=reason.strip()[:200],
            decided_by_id=by.organisation_id,
            decided_account=by.account_id,
            decided_role=by.role,
            decided_on=beijing_day(at),
        )


@action(Permission.DECIDE_STANDINGS, "standing.lifted")
def lift_standing(standing: Standing, *, by: Actor, at: datetime, reason: str) -> Standing:
    """From today on it does not hold any more."""
    of = standing.organisation.kind if standing.organisation is not None else "EXPERT"
    if not may_decide_standing(by.role, standing.kind, of):
        raise Refused(
            "not_yours_to_decide", _("The provincial authority decides on this."),
            remedy=_("Propose it to the provincial authority."), status=403,
        )  # fmt: skip
    _check_reason(reason)
    end_standing(standing, by=by, at=at, reason=reason)
    return standing


def end_standing(standing: Standing, *, by: Actor, at: datetime, reason: str) -> None:
    """Also what an upheld appeal does, whose right to it is that of the appeal."""
    day = beijing_day(at)
    with widened(EVERYTHING):
        held = Standing.objects.select_for_update().get(pk=standing.pk)
        if held.lifted_on is not None or (held.to_on is not None and held.to_on < day):
            raise Refused("over_already", _("It is over already."), remedy=_("Reload the page."), status=409)
        held.lifted_on, held.lift_reason = day, reason.strip()[:300]
        held.lifted_by = (by.organisation_name or by.name)[:120]
        held.save(update_fields=["lifted_on", "lift_reason", "lifted_by"])
    for name in ("lifted_on", "lift_reason", "lifted_by"):
        setattr(standing, name, getattr(held, name))


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason_missing", _("Say why."), remedy=_("The party concerned reads it."), field="reason")


# seats on the committee -----------------------------------------------------------------------------------------


@action(Permission.JOIN_COMMITTEE, "seat.asked")
def ask_seat(organisation: Organisation, *, by: Actor, at: datetime, representative: str) -> Seat:
    """An insurer or agency asks to join the committee."""
    if organisation.kind not in SEATED or organisation.pk not in (by.scope.insurer_id, by.scope.agency_id):
        raise Refused("not_your_party", _("Insurers and agencies join for themselves."), status=403)
    with widened(EVERYTHING):
        try:
            with transaction.atomic():
                return Seat.objects.create(
                    organisation=organisation, state=SeatState.ASKED, asked_on=beijing_day(at),
                    representative=representative.strip()[:60],
                )  # fmt: skip
        except IntegrityError:
            raise Refused(
                "seat_there", _("You are a member, or have asked to become one."),
                remedy=_("Wait for the committee's answer."), status=409,
            ) from None  # fmt: skip


def _decided(by: Actor, at: datetime) -> dict[str, Any]:
    return {
        "decided_at": at, "decided_by": by.account_id, "decided_by_name": (by.organisation_name or by.name)[:120],
        "decided_role": by.role,
    }  # fmt: skip


@action(Permission.KEEP_MEMBERS, "seat.accepted")
def accept_seat(seat: Seat, *, by: Actor, at: datetime, role: str = SeatRole.MEMBER) -> Seat:
    with widened(EVERYTHING):
        SEAT.move(seat, "accept", joined_on=beijing_day(at), role=role, **_decided(by, at))
    return seat


@action(Permission.KEEP_MEMBERS, "seat.role_changed")
def change_seat(seat: Seat, *, by: Actor, at: datetime, role: str, representative: str) -> Seat:
    with widened(EVERYTHING):
        if not Seat.objects.filter(pk=seat.pk, state=SeatState.MEMBER).update(
            role=role, representative=representative.strip()[:60]
        ):
            raise Refused("wrong_state", _("It is no member at present."), status=409)
    return seat


@action(Permission.KEEP_MEMBERS, "seat.declined")
def decline_seat(seat: Seat, *, by: Actor, at: datetime, reason: str) -> Seat:
    _check_reason(reason)
    with widened(EVERYTHING):
        SEAT.move(seat, "decline", reason=reason.strip()[:300], **_decided(by, at))
    return seat


@action(Permission.KEEP_MEMBERS, "seat.excluded")
def exclude_seat(seat: Seat, *, by: Actor, at: datetime, reason: str) -> Seat:
    _check_reason(reason)
    with widened(EVERYTHING):
        SEAT.move(seat, "exclude", ended_on=beijing_day(at), reason=reason.strip()[:300], **_decided(by, at))
    return seat


@action(Permission.JOIN_COMMITTEE, "seat.left")
def leave_seat(seat: Seat, *, by: Actor, at: datetime, reason: str = "") -> Seat:
    """A member leaves when it wants to; its services and duties are no matter of membership."""
    if not acts_for(by, seat):
        raise Refused("not_your_party", _("Insurers and agencies leave for themselves."), status=403)
    with widened(EVERYTHING):
        SEAT.move(seat, "leave", ended_on=beijing_day(at), reason=reason.strip()[:300])
    return seat

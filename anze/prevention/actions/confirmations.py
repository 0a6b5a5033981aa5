"""The enterprise says whether a service took place, and how it was; disputes are answered and closed."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import holder_of_link
from anze.parties.rules import Permission
from anze.prevention.models import Confirmation, ConfirmationLink, Dispute, FollowUp, Rating, Service
from anze.prevention.rules import ConfirmationMethod
from anze.prevention.rules.confirmations import (
    ANSWER_DISPUTE,
    DISCREDITING,
    DISPUTE,
    Answer,
    DisputeFinding,
    DisputeState,
    Way,
    quarter_of,
)

MOST_LINKS = 5  # open at the same time for one service


def scope_of_service(service: Service) -> dict[str, Any]:
    """The scope columns of a row that hangs on a service."""
    return {
        "service": service,
        "enterprise_id": service.enterprise_id,
        "insurer_id": service.insurer_id,
        "agency_id": service.agency_id,
        "region_code": service.region_code,
        "sector": service.sector,
    }


# links ----------------------------------------------------------------------------------------------------


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@action(Permission.ISSUE_REPORTS, "confirmation_link.made")
def _keep_link(service: Service, *, by: Actor, at: datetime, token: bytes) -> ConfirmationLink:
    with widened(EVERYTHING):
        open_links = ConfirmationLink.objects.filter(service=service, used_at__isnull=True, expires_at__gt=at)
        # the oldest gives way: a link that got lost is no reason to be without one
        for old in open_links.order_by("-made_at")[MOST_LINKS - 1 :]:
            old.expires_at = at
            old.save(update_fields=["expires_at"])
        return ConfirmationLink.objects.create(
            **scope_of_service(service),
            token_hash=_hash(token.decode()),
            made_at=at,
            made_by=by.name[:120],
            made_from=by.address,
            expires_at=at + timedelta(days=int(parameter("confirmation_link_days", beijing_day(at)))),
        )


def make_link(service: Service, *, by: Actor, at: datetime) -> tuple[ConfirmationLink, str]:
    """A link for the enterprise and its secret, which is to be had this once."""
    check_can_be_confirmed(service)
    token = secrets.token_urlsafe(24)
    return _keep_link(service, by=by, at=at, token=token.encode()), token


def link_of(token: str, at: datetime) -> ConfirmationLink | None:
    """The link a token belongs to, if it still serves or did serve; called with everything in view."""
    found = ConfirmationLink.objects.select_related("service").filter(token_hash=_hash(token)).first()
    if found is None or (found.used_at is None and found.expires_at <= at):
        return None
    return found


def holder_of(link: ConfirmationLink, name: str, address: str) -> Actor:
    """Whoever holds a link acts for the enterprise, in this one matter."""
    return holder_of_link(link.enterprise_id, name, Permission.CONFIRM_SERVICES, address=address)


# the word of the enterprise -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What somebody of the enterprise answered. Its text in an audit event is the answer only: stars and
    comments are private, and events are read by those they are about."""

    answer: Answer
    name: str
    text: str = ""
    stars: int | None = None
    comment: str = ""

    def __str__(self) -> str:
        return str(self.answer.value)


def check_can_be_confirmed(service: Service) -> None:
    if service.is_void:
        raise Refused(
            "service_void",
            _("This service record is void."),
            remedy=_("Ask the insurer which record replaces it."),
            status=409,
        )


@action(Permission.CONFIRM_SERVICES, "service.answered")
def answer_service(
    service: Service, *, by: Actor, at: datetime, said: Said, link: ConfirmationLink | None = None
) -> Confirmation:
    """Keep the enterprise's word. “Yes” confirms the service; anything else opens a dispute."""
    _check_said(service, said, at)
    with widened(EVERYTHING):
        service = Service.objects.select_for_update().get(pk=service.pk)
        check_can_be_confirmed(service)
        if by.scope.enterprise_id != service.enterprise_id:
            raise Refused("not_your_service", _("This service was done elsewhere."), status=403)
        _check_not_said(service)
        if link is not None:
            used = ConfirmationLink.objects.filter(pk=link.pk, used_at__isnull=True, expires_at__gt=at)
            if not used.update(used_at=at):
                raise link_is_used()
        made = Confirmation.objects.create(
            **scope_of_service(service),
            answer=said.answer,
            by_name=said.name.strip()[:60],
            way=Way.LINK if link else Way.ACCOUNT,
            said_at=at,
            said_on=beijing_day(at),
            performed_on=service.performed_on,
            service_type=service.service_type,
            is_same_network=bool(link and link.made_from and link.made_from == by.address),
        )
        if said.answer == Answer.YES:
            _confirm(service, said, at)
        else:
            _open_dispute(service, said, at)
        if said.stars:
            Rating.objects.get_or_create(
                service=service,
                defaults={
                    **scope_of_service(service),
                    "stars": said.stars,
                    "comment": said.comment.strip()[:500],
                    "rated_on": beijing_day(at),
                    "quarter": quarter_of(beijing_day(at)),
                },
            )
    return made


def link_is_used() -> Refused:
    return Refused(
        "link_used",
        _("This link has served already, or its time is over."),
        remedy=_("Ask the insurer for a new one, or sign in."),
        status=409,
    )


def _check_said(service: Service, said: Said, at: datetime) -> None:
    if not said.name.strip():
        raise Refused("name_missing", _("Say who answers."), remedy=_("Write your name."), field="name")
    if said.answer == Answer.WRONG and not said.text.strip():
        raise Refused(
            "text_missing",
            _("Say what is wrong."),
            remedy=_("A few words are enough: the day, the persons, what was not done."),
            field="text",
        )
    if said.stars is not None and not 1 <= said.stars <= 5:
        raise Refused("stars_out_of_range", _("A rating has one to five stars."), field="stars")
    if service.performed_on > beijing_day(at):
        raise Refused(
            "service_to_come",
            _("This service is still to come."),
            remedy=_("Answer after %(day)s."),
            values={"day": service.performed_on},
            status=409,
        )


def _check_not_said(service: Service) -> None:
    if Dispute.objects.filter(service=service).exclude(state=DisputeState.CLOSED).exists():
        raise Refused(
            "dispute_open",
            _("You have said already that something is wrong; it is being looked into."),
            remedy=_("Wait for the answer. It will stand with the service."),
            status=409,
        )
    last = Confirmation.objects.filter(service=service).order_by("-said_at").first()
    if last and last.answer == Answer.YES and service.confirmation != ConfirmationMethod.NONE:
        raise Refused(
            "confirmed_already",
            _("You have confirmed this service already."),
            remedy=_("If something is wrong after all, tell the insurer or the authority."),
            status=409,
        )


def _confirm(service: Service, said: Said, at: datetime) -> None:
    service.confirmation = ConfirmationMethod.ONLINE
    service.confirmed_by = said.name.strip()[:60]
    service.confirmed_on = beijing_day(at)
    service.save(update_fields=["confirmation", "confirmed_by", "confirmed_on"])


def _open_dispute(service: Service, said: Said, at: datetime) -> Dispute:
    day = beijing_day(at)
    return Dispute.objects.create(
        **scope_of_service(service),
        kind=said.answer,
        text=said.text.strip()[:1000],
        raised_by=said.name.strip()[:60],
        raised_at=at,
        raised_on=day,
        answer_due_at=ANSWER_DISPUTE.due_at(day, calendar=load_calendar(), region_code=service.region_code),
    )


# disputes -------------------------------------------------------------------------------------------------


@action(Permission.ISSUE_REPORTS, "dispute.answered")
def answer_dispute(dispute: Dispute, *, by: Actor, at: datetime, answer: str) -> Dispute:
    """The insurer says how it was."""
    if not by.scope.insurer_id:
        raise Refused(
            "not_yours_to_answer",
            _("Disputes are answered by the insurer."),
            remedy=_("Tell the insurer what you know."),
            status=403,
        )
    if not answer.strip():
        raise Refused("text_missing", _("Say how it was."), remedy=_("Write a few sentences."), field="answer")
    with widened(EVERYTHING):
        DISPUTE.move(dispute, "answer", answer=answer.strip()[:1000], answered_at=at, answered_by=by.name[:120])
    return dispute


@action(Permission.SETTLE_DISPUTES, "dispute.closed")
def close_dispute(dispute: Dispute, *, by: Actor, at: datetime, finding: str, reason: str) -> Dispute:
    """Say what was found. A service that did not take place is returned and counts nowhere."""
    if finding not in DisputeFinding.values:
        raise Refused("finding_missing", _("Say what was found."), remedy=_("Choose one."), field="finding")
    if not reason.strip():
        raise Refused(
            "reason_missing",
            _("A dispute is not closed without a reason."),
            remedy=_("Say what the finding rests on: who was asked, what was seen."),
            field="reason",
        )
    with widened(EVERYTHING):
        DISPUTE.move(
            dispute, "close", finding=finding, reason=reason.strip()[:500], closed_at=at, closed_by=by.name[:120]
        )
        if finding in DISCREDITING:
            Service.objects.filter(pk=dispute.service_id).update(is_returned=True)
    return dispute


# follow-up ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One call after a service."""

    called_on: date
    is_reached: bool
    spoke_with: str = ""
    score: int | None = None
    opinion: str = ""

    def __str__(self) -> str:
        return f"{self.called_on}"


@action(Permission.ISSUE_REPORTS, "service.followed_up")
def record_call(service: Service, *, by: Actor, at: datetime, call: Call) -> FollowUp:
    """Keep a follow-up call; the service shows the last one somebody was reached by."""
    if not service.performed_on <= call.called_on <= beijing_day(at):
        raise Refused(
            "call_out_of_time",
            _("A follow-up lies between the service and today."),
            remedy=_("Correct the day of the call."),
            field="called_on",
        )
    if call.score is not None and not 1 <= call.score <= 5:
        raise Refused("stars_out_of_range", _("A rating has one to five stars."), field="score")
    if not call.is_reached and (call.score or call.opinion.strip()):
        raise Refused(
            "not_reached_but_said",
            _("Nobody was reached, yet something was said."),
            remedy=_("Tick that somebody was reached, or leave score and opinion empty."),
            field="is_reached",
        )
    with widened(EVERYTHING):
        made = FollowUp.objects.create(
            **scope_of_service(service),
            called_on=call.called_on,
            called_by=by.name[:120],
            spoke_with=call.spoke_with.strip()[:60],
            is_reached=call.is_reached,
            score=call.score,
            opinion=call.opinion.strip()[:300],
            recorded_at=at,
        )
        if call.is_reached and (service.followed_up_on is None or service.followed_up_on <= call.called_on):
            service.followed_up_on = call.called_on
            service.satisfaction = call.score or service.satisfaction
            service.opinion = made.opinion or service.opinion
            service.save(update_fields=["followed_up_on", "satisfaction", "opinion"])
    return made

"""Complaints of enterprises and workers: who answers, within which time, and what comes after the answer (AQ 9010)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission

_SOURCE = "AQ 9010-2019《安全生产责任保险事故预防技术服务规范》"
ANSWER = Duty(
    "complaint_answer",
    _("Answer a complaint"),
    "complaint_answer_workdays",
    "WORKDAYS",
    _SOURCE,
    (Party.INSURER, Party.AGENCY, Party.AUTHORITY),
    pgettext_lazy("clock starts", "the complaint comes in"),
)
SETTLE = Duty(
    "complaint_settle",
    _("Settle a complaint that must be verified"),
    "complaint_verify_workdays",
    "WORKDAYS",
    _SOURCE,
    (Party.INSURER, Party.AGENCY, Party.AUTHORITY),
    pgettext_lazy("clock starts", "the complaint comes in"),
)


class ComplaintSubject(TextChoices):
    QUALITY = "QUALITY", _("quality of a service")
    NOT_SERVED = "NOT_SERVED", _("agreed services do not take place")
    CONDUCT = "CONDUCT", _("conduct of experts or staff")
    FEES = "FEES", _("money asked for, or forced purchases")
    CLAIM = "CLAIM", _("settlement of a claim")
    INSURANCE = "INSURANCE", _("insurance missing, or not for all workers")
    OTHER = "OTHER", _("something else")


class Complainant(TextChoices):
    ENTERPRISE = "ENTERPRISE", _("enterprise")
    WORKER = "WORKER", _("worker")
    OTHER = "OTHER", pgettext_lazy("complainant", "somebody else")


class Side(TextChoices):
    """Who has to answer."""

    INSURER = "INSURER", _("insurer")
    AGENCY = "AGENCY", _("service agency")
    AUTHORITY = "AUTHORITY", _("authority")


# Insurers answer for the services they arrange and the claims they settle; who takes money or leaves workers without
# insurance does not judge himself.
TO_AUTHORITY = (ComplaintSubject.FEES, ComplaintSubject.INSURANCE)


def side_of(subject: str, has_insurer: bool) -> Side:
    """The side a complaint goes to at first."""
    return Side.INSURER if has_insurer and subject not in TO_AUTHORITY else Side.AUTHORITY


class ComplaintState(TextChoices):
    RECEIVED = "RECEIVED", pgettext_lazy("complaint", "received")
    ACCEPTED = "ACCEPTED", pgettext_lazy("complaint", "accepted")
    VERIFYING = "VERIFYING", _("being verified")
    ANSWERED = "ANSWERED", pgettext_lazy("complaint", "answered")
    CLOSED = "CLOSED", pgettext_lazy("complaint", "closed")
    NOT_ACCEPTED = "NOT_ACCEPTED", _("not accepted")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("complaint", "withdrawn")


class ComplaintStepKind(TextChoices):
    MADE = "MADE", _("complaint made")
    ACCEPTED = "ACCEPTED", pgettext_lazy("complaint", "accepted")
    NOT_ACCEPTED = "NOT_ACCEPTED", _("not accepted")
    ASSIGNED = "ASSIGNED", _("given to the side that answers")
    VERIFYING = "VERIFYING", _("first answer: it is being verified")
    EXTENSION_ASKED = "EXTENSION_ASKED", _("more time requested")
    EXTENSION_GRANTED = "EXTENSION_GRANTED", _("more time approved")
    EXTENSION_REFUSED = "EXTENSION_REFUSED", _("more time refused")
    ANSWERED = "ANSWERED", pgettext_lazy("complaint", "answered")
    RATED = "RATED", _("the complainant is satisfied")
    ESCALATED = "ESCALATED", _("taken to the authority")
    CLOSED = "CLOSED", pgettext_lazy("complaint", "closed")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("complaint", "withdrawn")


class ExtensionState(TextChoices):
    ASKED = "ASKED", _("requested")
    GRANTED = "GRANTED", _("approved")
    REFUSED = "REFUSED", _("refused")


class Acting(TextChoices):
    """In what capacity somebody takes a step."""

    COMPLAINANT = "COMPLAINANT", _("complainant")
    INSURER = "INSURER", _("insurer")
    AGENCY = "AGENCY", _("service agency")
    AUTHORITY = "AUTHORITY", _("authority")


S, K = ComplaintState, ComplaintStepKind
OPEN = (S.RECEIVED, S.ACCEPTED, S.VERIFYING)


@dataclass(frozen=True)
class Move:
    """One thing that can be done with a complaint. `by_side`: only the side it is given to; else `actings`."""

    name: str
    kind: ComplaintStepKind
    title: str | Promise
    permission: Permission
    sources: tuple[ComplaintState, ...]
    target: ComplaintState | None = None
    by_side: bool = False
    actings: tuple[Acting, ...] = ()
    tone: str = ""
    icon: str = "pencil"


_ANSWER, _MAKE, _SETTLE = Permission.ANSWER_COMPLAINTS, Permission.MAKE_COMPLAINTS, Permission.SETTLE_COMPLAINTS
MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Move("accept", K.ACCEPTED, _("Accept the complaint"), _ANSWER, (S.RECEIVED,), S.ACCEPTED, True, tone="primary", icon="check"),
        Move("answer", K.ANSWERED, _("Answer the complaint"), _ANSWER, (S.ACCEPTED, S.VERIFYING), S.ANSWERED, True, tone="primary",
             icon="message"),
        Move("verify", K.VERIFYING, _("Must be verified"), _ANSWER, (S.ACCEPTED,), S.VERIFYING, True, icon="search"),
        Move("ask-time", K.EXTENSION_ASKED, _("Request more time"), _ANSWER, (S.VERIFYING,), None, True, icon="clock"),
        Move("grant-time", K.EXTENSION_GRANTED, _("Approve more time"), _SETTLE, (S.VERIFYING,), None, False,
             (Acting.AUTHORITY,), tone="primary", icon="check"),
        Move("refuse-time", K.EXTENSION_REFUSED, _("Refuse more time"), _SETTLE, (S.VERIFYING,), None, False,
             (Acting.AUTHORITY,), icon="x"),
        Move("rate", K.RATED, _("Satisfied"), _MAKE, (S.ANSWERED,), S.CLOSED, False, (Acting.COMPLAINANT,),
             tone="primary", icon="star"),
        Move("escalate", K.ESCALATED, _("Not satisfied: to the authority"), _MAKE, (*OPEN, S.ANSWERED), S.RECEIVED,
             False, (Acting.COMPLAINANT,), icon="arrow-up"),
        Move("withdraw", K.WITHDRAWN, _("Withdraw"), _MAKE, (*OPEN, S.ANSWERED), S.WITHDRAWN, False,
             (Acting.COMPLAINANT,), icon="x"),
        Move("assign", K.ASSIGNED, _("Give to another side"), _SETTLE, (S.RECEIVED, S.ACCEPTED), S.RECEIVED, False,
             (Acting.AUTHORITY,), icon="arrow-right"),
        Move("take-over", K.ESCALATED, _("Take over"), _SETTLE, (*OPEN, S.ANSWERED), S.RECEIVED, False,
             (Acting.AUTHORITY,), icon="arrow-up"),
        Move("not-accept", K.NOT_ACCEPTED, _("Do not accept"), _ANSWER, (S.RECEIVED,), S.NOT_ACCEPTED, True, icon="x"),
        Move("close", K.CLOSED, _("Close"), _SETTLE, (S.ANSWERED,), S.CLOSED, False, (Acting.AUTHORITY,),
             icon="circle-check"),
    )
}  # fmt: skip
COMPLAINT = Lifecycle(
    S.RECEIVED,
    tuple(
        Transition(each.name, each.sources, each.target, each.title, each.permission)
        for each in MOVES.values()
        if each.target is not None
    ),
)


class ComplaintFacts(Protocol):
    """What the rules must know of a complaint."""

    state: str
    side: str
    extension: str
    escalations: int


def _no(code: str, sentence: str | Promise, remedy: str | Promise, status: int = 409) -> Refused:
    return Refused(code, sentence, remedy=remedy, status=status, field="state")


def why_not(move: Move, complaint: ComplaintFacts, acting: Acting) -> Refused | None:
    """Why somebody cannot take a step now, or nothing."""
    if (move.by_side and acting != complaint.side) or (move.actings and acting not in move.actings):
        return _no(
            "not_your_step",
            _("This step is not yours to take."),
            _("The page of the complaint says whose turn it is."),
            status=403,
        )
    if complaint.state not in move.sources:
        return _no(
            "wrong_state",
            _("This cannot be done in the present state."),
            _("Reload the page: somebody may have moved it meanwhile."),
        )
    if move.kind is K.ESCALATED and complaint.side == Side.AUTHORITY and acting is Acting.AUTHORITY:
        return _no("with_authority", _("It is with the authority already."), _("Answer it."))
    if move.kind is K.ESCALATED and complaint.side == Side.AUTHORITY and complaint.state != S.ANSWERED:
        return _no("with_authority", _("It is with the authority already."), _("Wait for its answer."))
    if move.kind is K.EXTENSION_ASKED and complaint.extension:
        return _no(
            "extended_once",
            _("More time is requested once, for up to thirty days."),
            _("Answer with what is known by now."),
        )
    if move.kind in (K.EXTENSION_GRANTED, K.EXTENSION_REFUSED) and complaint.extension != ExtensionState.ASKED:
        return _no("no_request", _("No more time is requested."), _("Nothing has to be decided."))
    return None


def moves_open(complaint: ComplaintFacts, acting: Acting) -> Iterator[Move]:
    """What somebody can do with a complaint now, the likeliest first."""
    for move in MOVES.values():
        if why_not(move, complaint, acting) is None:
            yield move


TURN: dict[str, str | Promise] = {
    S.RECEIVED: _("The side it is given to accepts it."),
    S.ACCEPTED: _("It is answered, or said that it must be verified."),
    S.VERIFYING: _("It is being verified; then it is answered."),
    S.ANSWERED: _("The complainant says whether the answer satisfies."),
    S.CLOSED: _("The complaint is closed."),
    S.NOT_ACCEPTED: _("The complaint was not accepted, for the reason given."),
    S.WITHDRAWN: _("The complaint was withdrawn."),
}


def longest_extension(settle_by: date, days: int) -> date:
    """The last day an answer may be put off to."""
    return date.fromordinal(settle_by.toordinal() + days)

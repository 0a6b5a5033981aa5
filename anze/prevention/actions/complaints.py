"""Complaints from the first word to the closing: each step holds the row, asks the rules, writes row and story."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from anze.claims.models import Claim
from anze.kernel.actions import action
from anze.kernel.actor import Actor, platform
from anze.kernel.duty import beijing_day, end_of_day, load_calendar
from anze.kernel.guessing import DAY, count_wrong_try, tries_of
from anze.kernel.links import make_link
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused, reasoned
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import holder_of_link
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.prevention.models import Complaint, ComplaintContact, ComplaintStep, Service
from anze.prevention.rules.complaints import (
    ANSWER,
    COMPLAINT,
    MOVES,
    SETTLE,
    Acting,
    Complainant,
    ComplaintState,
    ComplaintStepKind,
    ExtensionState,
    Move,
    Side,
    longest_extension,
    side_of,
    why_not,
)
from anze.underwriting.models import Policy

MAKE, FOLLOW = "complain", "complaint"  # purposes of links
# Without an account, at one enterprise: from one network address; and from all of them together, against a flood from
# many. A sheet with the link hangs on a wall, so whoever misuses it must not take it from the others.
MOST_OF_ONE_A_DAY, MOST_A_DAY = 20, 400
_ACTINGS = {"anze_insurer": Acting.INSURER, "anze_agency": Acting.AGENCY, "anze_enterprise": Acting.COMPLAINANT}


def acting_of(by: Actor) -> Acting:
    return _ACTINGS.get(by.scope.reader, Acting.AUTHORITY)


@dataclass(frozen=True)
class Told:
    """What a complainant writes. Who chooses neither insurer nor service may name the day it happened."""

    subject: str
    text: str
    kind: str = Complainant.ENTERPRISE.value
    name: str = ""
    phone: str = ""
    may_be_named: bool = False
    day: date | None = None
    insurer: UUID | None = None
    service: UUID | None = None
    claim: UUID | None = None

    def __str__(self) -> str:
        return self.subject


def link_to_complain(enterprise: Enterprise, *, at: datetime) -> str:
    """A link by which anybody at the enterprise complains without an account."""
    days = int(parameter("complaint_link_days", beijing_day(at)))
    return make_link(MAKE, enterprise.pk, until=at + timedelta(days=days))


def link_to_follow(complaint: Complaint, *, at: datetime) -> str:
    """A link by which the complainant reads the answer and says whether it satisfies."""
    days = int(parameter("complaint_link_days", beijing_day(at)))
    return make_link(FOLLOW, complaint.pk, until=at + timedelta(days=days))


def holder_of(enterprise_id: UUID, *, name: str = "", address: str = "") -> Actor:
    """Whoever holds a link may complain in the enterprise's matters, and nothing else."""
    return holder_of_link(enterprise_id, name or str(_("complainant")), Permission.MAKE_COMPLAINTS, address=address)


@dataclass(frozen=True)
class Made:
    """A complaint that has been made."""

    complaint: Complaint


def _of_day(enterprise: Enterprise, day: date) -> tuple[Service | None, Organisation | None]:
    """The service and the insurer a complaint about a day is about, as far as there is only one: who did a service
    on that day, else whose cover was in force. Among several nobody guesses."""
    done = list(Service.objects.filter(enterprise=enterprise, performed_on=day, is_void=False)[:50])
    insurers = {each.insurer_id for each in done}
    if not done:
        cover = Policy.objects.filter(enterprise=enterprise, is_void=False, start_on__lte=day, cover_end_on__gte=day)
        insurers = set(cover.values_list("insurer_id", flat=True))
    insurer = Organisation.objects.filter(pk=insurers.pop()).first() if len(insurers) == 1 else None
    return done[0] if len(done) == 1 else None, insurer


@action(Permission.MAKE_COMPLAINTS, "complaint.made")
def make_complaint(enterprise: Enterprise, *, by: Actor, at: datetime, told: Told) -> Made:
    """Keep a complaint, give it to the side that answers, and start its clock.

    The audit event is about the enterprise: who complained must not stand in what an insurer may read of its own.
    """
    if not told.text.strip():
        raise Refused("text_missing", _("Say what it is about."), remedy=_("A few words are enough."), field="text")
    today = beijing_day(at)
    if told.day is not None and told.day > today:
        raise Refused(
            "day_in_future", _("This day is still to come."), remedy=_("Give the day it happened."), field="day"
        )
    with widened(EVERYTHING):
        own = {"enterprise_id": enterprise.pk}
        service = Service.objects.filter(pk=told.service, **own).first() if told.service else None
        claim = Claim.objects.filter(pk=told.claim, **own).first() if told.claim else None
        about = service.insurer_id if service else claim.insurer_id if claim else told.insurer
        concerns = Organisation.objects.filter(pk=about).first() if about else None
        if concerns is None and told.day is not None:
            service, concerns = _of_day(enterprise, told.day)
        if by.account_id is None:
            sender = f"{enterprise.pk} {by.address}"
            if tries_of("complaint", sender, at, DAY) >= MOST_OF_ONE_A_DAY:
                raise Refused(
                    "too_many_of_one",
                    _("Many complaints came in from your network today already."),
                    remedy=_("Call the authority, or come back tomorrow."),
                    status=429,
                )
            count_wrong_try("complaint", sender, at, window=DAY)
            count = Complaint.objects.filter(enterprise=enterprise, made_at__range=(at - timedelta(days=1), at)).count()
            if count >= MOST_A_DAY:
                raise Refused(
                    "too_many",
                    _("Many complaints came in from here today already."),
                    remedy=_("Call the authority, or come back tomorrow."),
                    status=429,
                )
        side = side_of(told.subject, concerns is not None)
        complaint = Complaint(
            id=uuid7(),
            subject=told.subject,
            text=told.text.strip()[:1000],
            made_by_kind=told.kind,
            named_as=told.name.strip()[:60] if told.may_be_named else "",
            made_at=at,
            enterprise=enterprise,
            concerns=concerns,
            service=service,
            claim=claim,
            side=side,
            state=ComplaintState.RECEIVED,
            answer_due_at=ANSWER.due_at(today, calendar=load_calendar(), region_code=enterprise.region_code),
            insurer=concerns if side is Side.INSURER else None,
            region_code=enterprise.region_code,
            sector=enterprise.sector,
        )
        complaint.complaint_no = f"TS{today:%Y%m%d}-{complaint.pk.hex[-6:].upper()}"
        complaint.save(force_insert=True)
        ComplaintContact.objects.create(complaint=complaint, name=told.name.strip()[:60], phone=told.phone.strip()[:40])
        _tell(complaint, ComplaintStepKind.MADE, Acting.COMPLAINANT, by, at, words=told.text.strip(), side=side)
    return Made(complaint)


def _tell(
    complaint: Complaint, kind: ComplaintStepKind, acting: Acting, by: Actor, at: datetime, *, words: str = "",
    day: date | None = None, side: str = "",
) -> ComplaintStep:  # fmt: skip
    is_known = acting is not Acting.COMPLAINANT
    return ComplaintStep.objects.create(
        complaint=complaint,
        kind=kind,
        at=at,
        acting=acting,
        by=by.account_id if is_known else None,
        by_name=by.name[:120] if is_known else complaint.named_as,
        organisation_name=by.organisation_name[:160] if is_known else "",
        words=words[:1000],
        day=day,
        side=side,
    )


@dataclass(frozen=True)
class Said:
    """What goes with a step."""

    words: str = ""
    day: date | None = None
    side: str = ""
    stars: int | None = None

    def __str__(self) -> str:
        return self.side or str(self.day or "")


def take_move(complaint: Complaint, move: Move, *, by: Actor, at: datetime, said: Said) -> ComplaintStep:
    """One step, in the present transaction: the row is held, the rules are asked, the way is gone."""
    acting = acting_of(by)
    with widened(EVERYTHING):
        now = Complaint.objects.select_for_update().get(pk=complaint.pk)
        if refused := why_not(move, now, acting):
            raise refused
        sets = _SETS[move.name](now, said, at) if move.name in _SETS else {}
        if move.target is not None:
            COMPLAINT.move(now, move.name, **sets)
        else:
            Complaint.objects.filter(pk=now.pk).update(**sets)
        words = reasoned(said.words) if move.name in _WITH_REASON else said.words.strip()
        return _tell(
            now, move.kind, acting, by, at, words=words, day=sets.get("extension_to_on"), side=sets.get("side", "")
        )


_WITH_REASON = ("answer", "verify", "ask-time", "refuse-time", "escalate", "assign", "take-over", "not-accept", "close")


def _accepted(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    return {}


def _answered(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    sets: dict[str, Any] = {"answer": said.words.strip()[:1000], "settled_at": at}
    if complaint.answered_at is None:
        sets["answered_at"] = at
    if complaint.extension == ExtensionState.ASKED:
        sets["extension"] = ""
    return sets


def _verifying(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    # both clocks run from the day the complaint came in to this side
    began = _began(complaint)
    due = SETTLE.due_at(began, calendar=load_calendar(), region_code=complaint.region_code)
    return {"answered_at": at, "settle_due_at": due}


def _began(complaint: Complaint) -> date:
    again = ComplaintStep.objects.filter(complaint=complaint, kind=ComplaintStepKind.ESCALATED).order_by("-at").first()
    return beijing_day(again.at if again else complaint.made_at)


def _time_asked(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    due = complaint.settle_due_at
    assert due is not None
    last = beijing_day(due - timedelta(seconds=1))
    most = longest_extension(last, int(parameter("complaint_extension_days", beijing_day(at), complaint.region_code)))
    if said.day is None or not last < said.day <= most:
        raise Refused(
            "extension_out_of_range",
            _("More time ends after the deadline and at most on %(day)s."),
            remedy=_("Give a day between the two."),
            field="day",
            values={"day": most},
        )
    return {"extension": ExtensionState.ASKED, "extension_to_on": said.day}


def _time_granted(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    assert complaint.extension_to_on is not None
    return {
        "extension": ExtensionState.GRANTED,
        "settle_due_at": end_of_day(complaint.extension_to_on),
    }


def _time_refused(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    return {"extension": ExtensionState.REFUSED}


def _rated(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    if said.stars is None or not 1 <= said.stars <= 5:
        raise Refused(
            "stars_out_of_range", _("A rating has one to five stars."), remedy=_("Choose one."), field="stars"
        )
    return {"satisfaction": said.stars}


def _escalated(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    """To the authority, with a clock of its own; what was answered before stays in the story."""
    due = ANSWER.due_at(beijing_day(at), calendar=load_calendar(), region_code=complaint.region_code)
    return {
        "side": Side.AUTHORITY, "answer_due_at": due, "settle_due_at": None, "answered_at": None, "settled_at": None,
        "extension": "", "extension_to_on": None, "escalations": complaint.escalations + 1,
    }  # fmt: skip


def _assigned(complaint: Complaint, said: Said, at: datetime) -> dict[str, Any]:
    """To the side that can answer; the clock is the complainant's and runs on."""
    if said.side == Side.INSURER and complaint.concerns_id is not None:
        return {"side": Side.INSURER, "insurer_id": complaint.concerns_id}
    agency = complaint.service.agency_id if complaint.service else None
    if said.side == Side.AGENCY and agency is not None:
        return {"side": Side.AGENCY, "agency_id": agency}
    if said.side == Side.AUTHORITY:
        return {"side": Side.AUTHORITY}
    raise Refused(
        "side_unknown",
        _("The complaint names nobody of this side."),
        remedy=_("Give it to another side, or answer it yourself."),
        field="side",
    )


_SETS: dict[str, Any] = {
    "accept": _accepted,
    "answer": _answered,
    "verify": _verifying,
    "ask-time": _time_asked,
    "grant-time": _time_granted,
    "refuse-time": _time_refused,
    "rate": _rated,
    "escalate": _escalated,
    "take-over": _escalated,
    "assign": _assigned,
}


def _action_of(move: Move) -> Any:
    @action(move.permission, f"complaint.{move.name}")
    def take(complaint: Complaint, *, by: Actor, at: datetime, said: Said) -> ComplaintStep:
        return take_move(complaint, move, by=by, at=at, said=said)

    return take


# step → the action that takes it; permission and event are the step's own
COMPLAINT_ACTIONS: dict[str, Any] = {move.name: _action_of(move) for move in MOVES.values()}


def take_over_overdue(*, at: datetime) -> int:
    """What an insurer or agency has not answered, or not settled, by the stored deadline goes to the authority by
    itself, with a clock of its own. From the authority's county on it is the alert that goes up, to city and province.

    Everything must be in view.
    """
    passed = Q(state__in=(ComplaintState.RECEIVED, ComplaintState.ACCEPTED), answer_due_at__lte=at)
    passed |= Q(state=ComplaintState.VERIFYING, settle_due_at__lte=at)
    by = platform(frozenset({Permission.SETTLE_COMPLAINTS}))
    said = Said(words=str(_("The deadline passed without an answer (AQ 9010).")))
    overdue = Complaint.objects.filter(passed, side__in=(Side.INSURER, Side.AGENCY)).order_by("made_at")
    count = 0
    for complaint in overdue:
        # answered in this very moment, it is no longer to be taken over
        with suppress(Refused):
            COMPLAINT_ACTIONS["take-over"](complaint, by=by, at=at, said=said)
            count += 1
    return count

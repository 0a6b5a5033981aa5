"""The steps of a hazard. Each is one action: it holds the row, asks the rules, writes the row and the story."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from anze.hazards.models import Hazard, HazardStep
from anze.hazards.rules import (
    ANSWER_EXTENSION,
    LIFECYCLE,
    RECHECK,
    STEPS,
    Extension,
    HazardClass,
    Level,
    Means,
    Party,
    Step,
    why_not,
)
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.models import parameter, parameter_text
from anze.kernel.refusal import Refused, reasoned
from anze.kernel.scope import Scope
from anze.library.models import edition_on
from anze.parties.rules import Permission

_PARTIES = {
    "anze_enterprise": Party.ENTERPRISE,
    "anze_insurer": Party.INSURER,
    "anze_agency": Party.AGENCY,
    "anze_expert": Party.EXPERT,
}


def party_of(by: Actor) -> Party:
    """In what capacity somebody acts on a hazard; whoever sees whole regions is an authority."""
    return _PARTIES.get(by.scope.reader, Party.REGULATOR)


def level_of(scope: Scope) -> Level:
    """The level of the authority somebody acts for."""
    if scope.reader == "anze_all" or scope.region_from.endswith("0000"):
        return Level.PROVINCE
    return Level.CITY if scope.region_from.endswith("00") else Level.COUNTY


def major_extension_by(on: date, region_code: str) -> Party:
    return Party(parameter_text("hazard_extension_by.MAJOR", on, region_code, Party.REGULATOR.value))


def report_due(found_at: datetime, region_code: str) -> datetime:
    """Until when a major hazard is to be reported to the authority."""
    hours = int(parameter("major_hazard_report_hours", beijing_day(found_at), region_code))
    return found_at + timedelta(hours=hours)


def _held(hazard: Hazard, step: Step, by: Actor, at: datetime) -> Hazard:
    """The hazard as it stands, locked, if the step may be taken; refuses otherwise."""
    now = Hazard.objects.select_for_update().filter(pk=hazard.pk).first()
    if now is None:
        raise Refused("not_found", _("There is no such hazard."), remedy=_("Go back to the list."), status=404)
    approver = Party.REGULATOR
    if step.name.endswith("-extension"):
        approver = major_extension_by(beijing_day(at), now.region_code)
    refused = why_not(step, now, party_of(by), major_extension_by=approver)
    if refused is not None:
        raise refused
    return now


def _take(hazard: Hazard, name: str, *, by: Actor, at: datetime, sets: dict[str, Any], **told: Any) -> HazardStep:
    """Write the hazard and the step. `hazard` is the locked row; afterwards it shows what was written."""
    step = STEPS[name]
    before = hazard.state
    sets["acted_at"] = at
    if step.target is not None:
        LIFECYCLE.move(hazard, name, **sets)
    else:
        Hazard.objects.filter(pk=hazard.pk).update(**sets)
        for column, value in sets.items():
            setattr(hazard, column, value)
    return HazardStep.objects.create(
        hazard=hazard,
        kind=step.kind,
        at=at,
        from_state=before,
        to_state=hazard.state,
        party=party_of(by),
        by=by.account_id,
        by_name=by.name,
        organisation_name=by.organisation_name,
        region_code=hazard.region_code,
        sector=hazard.sector,
        insurer_id=hazard.insurer_id,
        enterprise_id=hazard.enterprise_id,
        **{name_: value for name_, value in told.items() if value not in (None, "")},
    )


_F, _R, _S = Permission.HANDLE_HAZARDS, Permission.RECTIFY_HAZARDS, Permission.SUPERVISE_HAZARDS


@action(_F, "hazard.notified")
def notify_enterprise(
    hazard: Hazard, *, by: Actor, at: datetime, to_whom: str, means: str = Means.PLATFORM, words: str = ""
) -> HazardStep:
    """The enterprise is told in writing: to whom, when, how."""
    held = _held(hazard, STEPS["notify"], by, at)
    sets = {"notified_on": beijing_day(at), "notify_due_at": None}
    return _take(held, "notify", by=by, at=at, sets=sets, to_whom=to_whom, means=means, words=words)


@action(_F, "hazard.principal_told")
def tell_principal(
    hazard: Hazard, *, by: Actor, at: datetime, to_whom: str, means: str = Means.LETTER, words: str = ""
) -> HazardStep:
    """The principal or actual controller is told of a major hazard (应急厅函〔2024〕322号)."""
    held = _held(hazard, STEPS["tell"], by, at)
    return _take(
        held, "tell", by=by, at=at, sets={"notified_principal": True}, to_whom=to_whom, means=means, words=words
    )


@action(_F, "hazard.reported")
def report_to_authority(
    hazard: Hazard, *, by: Actor, at: datetime, to_whom: str, number: str = "", words: str = ""
) -> HazardStep:
    """A major hazard is reported to the department in charge."""
    held = _held(hazard, STEPS["report"], by, at)
    return _take(held, "report", by=by, at=at, sets={"reported_at": at}, to_whom=to_whom, number=number, words=words)


@action(_R, "hazard.started")
def start_rectification(
    hazard: Hazard, *, by: Actor, at: datetime, to_whom: str = "", words: str = "", media: Sequence[UUID] = ()
) -> HazardStep:
    """The enterprise begins: measures, and the person responsible (`to_whom`); for a major hazard the plan."""
    held = _held(hazard, STEPS["start"], by, at)
    if held.hazard_class == HazardClass.MAJOR and not (words.strip() and to_whom.strip()):
        raise Refused(
            "plan_missing",
            _("A major hazard is rectified by a plan with measures and a responsible person."),
            remedy=_("State the measures and who is responsible."),
            field="words" if not words.strip() else "to_whom",
        )
    return _take(held, "start", by=by, at=at, sets={}, to_whom=to_whom, words=words, media=list(media))


@action(_R, "hazard.submitted")
def submit_rectification(
    hazard: Hazard,
    *,
    by: Actor,
    at: datetime,
    words: str,
    cost: Decimal | None = None,
    media: Sequence[UUID] = (),
) -> HazardStep:
    """The enterprise says that it is done, with what it did, what it cost, and photos of it."""
    held = _held(hazard, STEPS["submit"], by, at)
    today = beijing_day(at)
    due = RECHECK.due_at(today, calendar=load_calendar(), region_code=held.region_code)
    sets: dict[str, Any] = {"rectified_on": today, "recheck_due_at": due, "notify_due_at": None}
    if held.extension == Extension.ASKED:
        # done before it was decided: nobody has to answer any more
        sets |= {"extension": "", "extension_asked_to_on": None, "extension_due_at": None}
    return _take(held, "submit", by=by, at=at, sets=sets, words=reasoned(words), cost=cost, media=list(media))


@action(_F, "hazard.closed")
def close_hazard(hazard: Hazard, *, by: Actor, at: datetime, words: str = "", media: Sequence[UUID] = ()) -> HazardStep:
    """Somebody looked again: it is rectified."""
    held = _held(hazard, STEPS["close"], by, at)
    today = beijing_day(at)
    sets = {"verified_on": today, "closed_on": today, "verifier": party_of(by).value, "recheck_due_at": None}
    return _take(held, "close", by=by, at=at, sets=sets, words=words, media=list(media))


@action(_F, "hazard.returned")
def return_rectification(
    hazard: Hazard, *, by: Actor, at: datetime, words: str, media: Sequence[UUID] = ()
) -> HazardStep:
    """Somebody looked again: it is not rectified, and why."""
    held = _held(hazard, STEPS["return"], by, at)
    sets = {"rectified_on": None, "recheck_due_at": None}
    return _take(held, "return", by=by, at=at, sets=sets, words=reasoned(words), media=list(media))


@action(_R, "hazard.extension_asked")
def ask_extension(hazard: Hazard, *, by: Actor, at: datetime, until: date, words: str) -> HazardStep:
    """One extension, with its reason. The original deadline stays as it is."""
    held = _held(hazard, STEPS["ask-extension"], by, at)
    today = beijing_day(at)
    if until <= held.deadline_on or until <= today:
        raise Refused(
            "extension_not_later",
            _("The extension does not end later than the deadline."),
            remedy=_("Give a later day."),
            field="day",
        )
    due = ANSWER_EXTENSION.due_at(today, calendar=load_calendar(), region_code=held.region_code)
    sets = {"extension": Extension.ASKED.value, "extension_asked_to_on": until, "extension_due_at": due}
    return _take(held, "ask-extension", by=by, at=at, sets=sets, day=until, words=reasoned(words))


@action(_F, "hazard.extension_granted")
def grant_extension(
    hazard: Hazard, *, by: Actor, at: datetime, until: date | None = None, words: str = ""
) -> HazardStep:
    """Until the day asked for, or an earlier one."""
    held = _held(hazard, STEPS["grant-extension"], by, at)
    asked = held.extension_asked_to_on
    day = until or asked
    if day is None or asked is None or not held.deadline_on < day <= asked:
        raise Refused(
            "extension_beyond_request",
            _("An extension ends after the deadline and not after the day asked for."),
            remedy=_("Give a day between the two."),
            field="day",
        )
    reason = held.steps.filter(kind="EXTENSION_ASKED").order_by("-at").values_list("words", flat=True).first() or ""
    sets = {
        "extension": Extension.GRANTED.value,
        "extended_to_on": day,
        "extension_reason": reason[:200],
        "extension_due_at": None,
    }
    return _take(held, "grant-extension", by=by, at=at, sets=sets, day=day, words=words)


@action(_F, "hazard.extension_refused")
def refuse_extension(hazard: Hazard, *, by: Actor, at: datetime, words: str) -> HazardStep:
    held = _held(hazard, STEPS["refuse-extension"], by, at)
    sets = {"extension": Extension.REFUSED.value, "extension_due_at": None}
    return _take(held, "refuse-extension", by=by, at=at, sets=sets, words=reasoned(words))


@action(_F, "hazard.reopened")
def reopen_hazard(hazard: Hazard, *, by: Actor, at: datetime, words: str, media: Sequence[UUID] = ()) -> HazardStep:
    """It is there again. The deadline stays what it was, so that nobody gains time by a closing too early."""
    held = _held(hazard, STEPS["reopen"], by, at)
    sets = {
        "reopened_on": beijing_day(at),
        "rectified_on": None,
        "verified_on": None,
        "verifier": "",
        "closed_on": None,
    }
    return _take(held, "reopen", by=by, at=at, sets=sets, day=held.closed_on, words=reasoned(words), media=list(media))


@action(_F, "hazard.shut_down")
def record_shut_down(hazard: Hazard, *, by: Actor, at: datetime, words: str) -> HazardStep:
    """The enterprise is shut down: the hazard is out of every count until it works again."""
    held = _held(hazard, STEPS["shut-down"], by, at)
    sets: dict[str, Any] = {"recheck_due_at": None, "notify_due_at": None}
    if held.extension == Extension.ASKED:
        sets |= {"extension": "", "extension_asked_to_on": None, "extension_due_at": None}
    return _take(held, "shut-down", by=by, at=at, sets=sets, words=reasoned(words))


@action(_F, "hazard.restarted")
def record_restart(hazard: Hazard, *, by: Actor, at: datetime, words: str = "") -> HazardStep:
    held = _held(hazard, STEPS["restart"], by, at)
    return _take(held, "restart", by=by, at=at, sets={"rectified_on": None}, words=words)


@action(_F, "hazard.reclassified")
def reclassify_hazard(hazard: Hazard, *, by: Actor, at: datetime, words: str, criterion_code: str = "") -> HazardStep:
    """General becomes major or major general: a person decides, and says by which criterion and why."""
    held = _held(hazard, STEPS["reclassify"], by, at)
    is_major = held.hazard_class == HazardClass.GENERAL
    sets: dict[str, Any] = {"hazard_class": HazardClass.MAJOR if is_major else HazardClass.GENERAL}
    if criterion_code:
        sets["criterion_code"] = criterion_code
        sets["criterion_edition"] = edition_on(criterion_code, beijing_day(at))
    sets["authority_due_at"] = report_due(at, held.region_code) if is_major else None
    before = HazardClass(held.hazard_class)
    return _take(
        held,
        "reclassify",
        by=by,
        at=at,
        sets=sets,
        words=reasoned(words),
        hazard_class=before.value,
        number=criterion_code,
    )


@action(_F, "hazard.assisted")
def record_assistance(hazard: Hazard, *, by: Actor, at: datetime, to_whom: str, words: str = "") -> HazardStep:
    """Who helped the enterprise to rectify (`to_whom`), and how: insurers' people and experts of a campaign."""
    held = _held(hazard, STEPS["assist"], by, at)
    return _take(held, "assist", by=by, at=at, sets={}, to_whom=to_whom, words=words)


@action(_S, "hazard.supervised")
def supervise_hazard(
    hazard: Hazard, *, by: Actor, at: datetime, number: str, until: date, words: str = ""
) -> HazardStep:
    """挂牌督办: the authority lists a major hazard at its own level, with number, measures and a day."""
    held = _held(hazard, STEPS["supervise"], by, at)
    level = level_of(by.scope)
    sets = {
        "supervised_level": level.value,
        "supervised_no": number,
        "supervised_on": beijing_day(at),
        "lifted_on": None,
    }
    return _take(held, "supervise", by=by, at=at, sets=sets, number=number, day=until, words=words, level=level.value)


@action(_S, "hazard.listing_lifted")
def lift_supervision(hazard: Hazard, *, by: Actor, at: datetime, words: str) -> HazardStep:
    held = _held(hazard, STEPS["lift"], by, at)
    return _take(
        held,
        "lift",
        by=by,
        at=at,
        sets={"lifted_on": beijing_day(at)},
        words=reasoned(words),
        level=held.supervised_level,
    )


@action(_S, "hazard.stopped")
def order_stop(hazard: Hazard, *, by: Actor, at: datetime, number: str, words: str) -> HazardStep:
    """A stop-work order (山东省安全生产条例 Art. 44)."""
    held = _held(hazard, STEPS["stop"], by, at)
    sets = {"stopped_on": beijing_day(at), "resumed_on": None}
    return _take(held, "stop", by=by, at=at, sets=sets, number=number, words=reasoned(words))


@action(_S, "hazard.resumed")
def consent_to_resume(hazard: Hazard, *, by: Actor, at: datetime, words: str, number: str = "") -> HazardStep:
    """Work is resumed only after the authority consents (山东省安全生产条例 Art. 45)."""
    held = _held(hazard, STEPS["resume"], by, at)
    return _take(
        held, "resume", by=by, at=at, sets={"resumed_on": beijing_day(at)}, words=reasoned(words), number=number
    )

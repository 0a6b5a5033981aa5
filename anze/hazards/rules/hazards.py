"""Code lists of hazards, and the steps from the finding to the verified closing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty
from anze.kernel.duty import Party as Bound  # those of a hazard are others
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.refusal import Refused
from anze.kernel.rules import HazardClass as HazardClass  # the library below speaks of it too
from anze.parties.rules import Permission


class HazardSource(TextChoices):
    SERVICE = "SERVICE", _("found by a service")
    SELF_CHECK = "SELF_CHECK", _("found by the enterprise itself")
    REGULATOR = "REGULATOR", _("found by an authority")


class HazardState(TextChoices):
    FOUND = "FOUND", _("found")
    NOTIFIED = "NOTIFIED", _("notified in writing")
    RECTIFYING = "RECTIFYING", _("being rectified")
    SUBMITTED = "SUBMITTED", _("rectification submitted")
    CLOSED = "CLOSED", _("verified and closed")
    SHUT_DOWN = "SHUT_DOWN", _("enterprise shut down")


class VerifierKind(TextChoices):
    """Closed means verified by one of these, not merely “the enterprise says done”."""

    INSURER = "INSURER", _("insurer")
    AGENCY = "AGENCY", _("service agency")
    EXPERT = "EXPERT", _("expert")
    REGULATOR = "REGULATOR", _("regulator")


class Party(TextChoices):
    """In what capacity somebody takes a step."""

    ENTERPRISE = "ENTERPRISE", _("enterprise")
    INSURER = "INSURER", _("insurer")
    AGENCY = "AGENCY", _("service agency")
    EXPERT = "EXPERT", _("expert")
    REGULATOR = "REGULATOR", _("regulator")
    SYSTEM = "SYSTEM", _("the insurer's system")


class StepKind(TextChoices):
    NOTIFIED = "NOTIFIED", _("notified in writing")
    TOLD = "TOLD", _("principal notified")
    REPORTED = "REPORTED", _("reported to the authority")
    STARTED = "STARTED", _("rectification begun")
    SUBMITTED = "SUBMITTED", _("rectification submitted")
    CLOSED = "CLOSED", _("verified and closed")
    RETURNED = "RETURNED", _("recheck: not rectified")
    REOPENED = "REOPENED", _("reopened")
    SHUT_DOWN = "SHUT_DOWN", _("enterprise shut down")
    RESTARTED = "RESTARTED", _("enterprise works again")
    EXTENSION_ASKED = "EXTENSION_ASKED", _("extension requested")
    EXTENSION_GRANTED = "EXTENSION_GRANTED", _("extension approved")
    EXTENSION_REFUSED = "EXTENSION_REFUSED", _("extension refused")
    RECLASSIFIED = "RECLASSIFIED", _("reclassified")
    SUPERVISED = "SUPERVISED", _("put under supervised listing")
    LIFTED = "LIFTED", _("supervised listing lifted")
    STOPPED = "STOPPED", _("stop-work order")
    RESUMED = "RESUMED", _("consent to resume work")
    ASSISTED = "ASSISTED", _("help with the rectification")
    CORRECTED = "CORRECTED", _("correction from the insurer's system")


class Means(TextChoices):
    """How somebody was told in writing."""

    LETTER = "LETTER", _("letter handed over")
    PLATFORM = "PLATFORM", _("on this platform")
    MESSAGE = "MESSAGE", _("message with a link")
    SEALED = "SEALED", _("letter with seal by post")


class Level(TextChoices):
    COUNTY = "COUNTY", _("county")
    CITY = "CITY", _("city")
    PROVINCE = "PROVINCE", _("province")


class Extension(TextChoices):
    ASKED = "ASKED", _("requested")
    GRANTED = "GRANTED", _("approved")
    REFUSED = "REFUSED", _("refused")


S, P, K = HazardState, Party, StepKind
OPEN = (S.FOUND, S.NOTIFIED, S.RECTIFYING, S.SUBMITTED)
ENDED = (S.CLOSED, S.SHUT_DOWN)
# How far a hazard has come; a correction of the insurer's system never leads back behind a step taken here.
ORDER = {S.FOUND: 0, S.NOTIFIED: 1, S.RECTIFYING: 2, S.SUBMITTED: 3, S.CLOSED: 4, S.SHUT_DOWN: 4}
_CHECKERS = (P.INSURER, P.AGENCY, P.EXPERT, P.REGULATOR)


@dataclass(frozen=True)
class Step:
    """One thing that can be done with a hazard: by whom, in which states, and to which state it leads.

    `name` stands in the address of its page. Without a target the state stays. `only_major`: only a major hazard
    knows it. `tone` is the look of its button.
    """

    name: str
    kind: StepKind
    title: str | Promise
    permission: Permission
    parties: tuple[Party, ...]
    sources: tuple[HazardState, ...]
    target: HazardState | None = None
    only_major: bool = False
    tone: str = ""
    icon: str = "pencil"


_HANDLE, _RECTIFY, _SUPERVISE = Permission.HANDLE_HAZARDS, Permission.RECTIFY_HAZARDS, Permission.SUPERVISE_HAZARDS
# 安全生产法 Arts. 41, 46, 70; 山东省安全生产条例 Arts. 32, 43-45; AQ 9010-2019 §6 (notice, tracking, recheck)
STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("submit", K.SUBMITTED, _("Submit the rectification"), _RECTIFY, (P.ENTERPRISE,),
             (S.FOUND, S.NOTIFIED, S.RECTIFYING), S.SUBMITTED, tone="primary", icon="camera"),
        Step("start", K.STARTED, _("Begin the rectification"), _RECTIFY, (P.ENTERPRISE,),
             (S.FOUND, S.NOTIFIED), S.RECTIFYING, icon="tool"),
        Step("notify", K.NOTIFIED, _("Notify in writing"), _HANDLE, _CHECKERS,
             (S.FOUND,), S.NOTIFIED, tone="primary", icon="mail"),
        Step("close", K.CLOSED, _("Recheck: rectified"), _HANDLE, _CHECKERS,
             (S.SUBMITTED,), S.CLOSED, tone="primary", icon="check"),
        Step("return", K.RETURNED, _("Recheck: not rectified"), _HANDLE, _CHECKERS,
             (S.SUBMITTED,), S.RECTIFYING, tone="warning", icon="arrow-left"),
        Step("grant-extension", K.EXTENSION_GRANTED, _("Approve the extension"), _HANDLE, (P.INSURER, P.REGULATOR),
             OPEN, tone="primary", icon="check"),
        Step("refuse-extension", K.EXTENSION_REFUSED, _("Refuse the extension"), _HANDLE, (P.INSURER, P.REGULATOR),
             OPEN, tone="warning", icon="x"),
        Step("ask-extension", K.EXTENSION_ASKED, _("Request an extension"), _RECTIFY, (P.ENTERPRISE,),
             (S.FOUND, S.NOTIFIED, S.RECTIFYING), icon="clock"),
        Step("tell", K.TOLD, _("Principal notified"), _HANDLE, _CHECKERS, OPEN, only_major=True, icon="user"),
        Step("report", K.REPORTED, _("Reported to the authority"), _HANDLE,
             (P.INSURER, P.AGENCY, P.EXPERT), OPEN, only_major=True, tone="primary", icon="send"),
        Step("supervise", K.SUPERVISED, _("Supervised listing"), _SUPERVISE, (P.REGULATOR,),
             OPEN, only_major=True, icon="flag"),
        Step("lift", K.LIFTED, _("Lift the supervised listing"), _SUPERVISE, (P.REGULATOR,),
             tuple(S), only_major=True, icon="flag"),
        Step("stop", K.STOPPED, _("Stop-work order"), _SUPERVISE, (P.REGULATOR,),
             OPEN, only_major=True, tone="danger", icon="alert-octagon"),
        Step("resume", K.RESUMED, _("Consent to resume work"), _SUPERVISE, (P.REGULATOR,),
             tuple(S), icon="circle-check"),
        Step("assist", K.ASSISTED, _("Record help given"), _HANDLE, _CHECKERS,
             (S.FOUND, S.NOTIFIED, S.RECTIFYING, S.SUBMITTED, S.CLOSED), icon="users"),
        Step("reclassify", K.RECLASSIFIED, _("Change the class"), _HANDLE, _CHECKERS, OPEN, icon="arrows-sort"),
        Step("reopen", K.REOPENED, _("Reopen"), _HANDLE, _CHECKERS, (S.CLOSED,), S.RECTIFYING, icon="rotate"),
        Step("shut-down", K.SHUT_DOWN, _("Enterprise shut down"), _HANDLE, (P.INSURER, P.REGULATOR),
             OPEN, S.SHUT_DOWN, icon="building"),
        Step("restart", K.RESTARTED, _("Enterprise works again"), _HANDLE, (P.INSURER, P.REGULATOR),
             (S.SHUT_DOWN,), S.RECTIFYING, icon="building"),
    )
}  # fmt: skip

LIFECYCLE = Lifecycle(
    S.FOUND,
    tuple(
        Transition(each.name, each.sources, each.target, each.title, each.permission)
        for each in STEPS.values()
        if each.target is not None
    ),
)

# AQ 9010 obliges to tell of every hazard in writing and promptly; it names no days, for none of the three
NOTIFY = Duty(
    "hazard_notify",
    _("Notify the enterprise in writing"),
    "hazard_notify_workdays",
    "WORKDAYS",
    OURS,
    (Bound.INSURER, Bound.AGENCY),
    pgettext_lazy("clock starts", "the hazard is found"),
)
RECHECK = Duty(
    "hazard_recheck",
    _("Recheck the rectification"),
    "hazard_recheck_workdays",
    "WORKDAYS",
    OURS,
    (Bound.INSURER, Bound.AGENCY),
    pgettext_lazy("clock starts", "the enterprise says it is rectified"),
)
ANSWER_EXTENSION = Duty(
    "hazard_extension",
    _("Answer the request for an extension"),
    "hazard_extension_workdays",
    "WORKDAYS",
    OURS,
    (Bound.INSURER, Bound.AUTHORITY),
    pgettext_lazy("clock starts", "the request"),
)


class Facts(Protocol):
    """What the rules must know of a hazard."""

    state: str
    hazard_class: str
    deadline_on: date
    extended_to_on: date | None
    extension: str
    reported_at: datetime | None
    notified_principal: bool
    supervised_level: str
    lifted_on: date | None
    stopped_on: date | None
    resumed_on: date | None
    is_void: bool


def is_supervised(hazard: Facts) -> bool:
    return bool(hazard.supervised_level) and hazard.lifted_on is None


def is_stopped(hazard: Facts) -> bool:
    return hazard.stopped_on is not None and hazard.resumed_on is None


def _no(code: str, sentence: str | Promise, remedy: str | Promise, status: int = 409) -> Refused:
    return Refused(code, sentence, remedy=remedy, status=status, field="state")


def why_not(step: Step, hazard: Facts, party: Party, *, major_extension_by: Party = P.REGULATOR) -> Refused | None:
    """Why somebody cannot take a step now, or nothing. `major_extension_by`: who extends a major hazard."""
    if party not in step.parties:
        return _no(
            "not_your_step",
            _("This step is not yours to take."),
            _("Those who may: see the hazard's page for who acts next."),
            status=403,
        )
    if hazard.is_void:
        return _no("hazard_void", _("The record is void."), _("The insurer can take the voiding back."))
    if hazard.state not in step.sources:
        return _no(
            "wrong_state",
            _("This cannot be done in the present state."),
            _("Reload the page: somebody may have moved it meanwhile."),
        )
    is_major = hazard.hazard_class == HazardClass.MAJOR
    if step.only_major and not is_major:
        return _no("not_major", _("Only major hazards are treated so."), _("Change the class first, with its reason."))
    return _SPECIAL[step.name](hazard, party, major_extension_by) if step.name in _SPECIAL else None


def _submit(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    # 山东省安全生产条例 Art. 32: a major hazard is rectified by a plan with measures and a person responsible
    if hazard.hazard_class == HazardClass.MAJOR and hazard.state != S.RECTIFYING:
        return _no(
            "plan_missing",
            _("A major hazard is rectified by a plan with measures and a responsible person."),
            _("Begin the rectification first and state the plan."),
        )
    return None


def _recheck(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    # 山东省安全生产条例 Arts. 43-45: who supervises or stopped the work also decides that it is safe again
    if (is_supervised(hazard) or hazard.stopped_on is not None) and party is not P.REGULATOR:
        return _no(
            "only_regulator",
            _("This hazard is supervised or work was stopped: an authority decides on its closing."),
            _("Ask the authority that supervises it for the recheck."),
        )
    return None


def _ask_extension(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    if hazard.extension == Extension.ASKED:
        return _no("extension_pending", _("A request is being decided."), _("Wait for the answer."))
    if hazard.extended_to_on is not None:
        return _no("extended_once", _("The deadline was extended once already."), _("Rectify without delay."))
    return None


def _answer_extension(hazard: Facts, party: Party, major_by: Party) -> Refused | None:
    if hazard.extension != Extension.ASKED:
        return _no("no_request", _("No extension is requested."), _("The enterprise asks with a reason and a day."))
    if hazard.hazard_class == HazardClass.MAJOR and major_by is P.REGULATOR and party is not P.REGULATOR:
        return _no(
            "only_regulator",
            _("The deadline of a major hazard is extended by an authority."),
            _("The authority of the region finds the request in its work list."),
        )
    return None


def _tell(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    return _once(hazard.notified_principal)


def _report(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    return _once(hazard.reported_at is not None)


def _once(is_done: bool) -> Refused | None:
    return _no("done_already", _("This was done already."), _("See the story of the hazard.")) if is_done else None


def _supervise(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    return _once(is_supervised(hazard))


def _lift(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    if not is_supervised(hazard):
        return _no("not_supervised", _("The hazard is not listed."), _("Nothing has to be lifted."))
    return None


def _stop(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    return _once(is_stopped(hazard))


def _resume(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    if not is_stopped(hazard):
        return _no("not_stopped", _("Work is not stopped."), _("Nothing has to be consented to."))
    return None


def _reclassify(hazard: Facts, party: Party, _by: Party) -> Refused | None:
    if hazard.hazard_class != HazardClass.MAJOR:
        return None
    if is_supervised(hazard) or is_stopped(hazard):
        return _no(
            "under_supervision",
            _("A hazard that is listed or stops work stays a major one."),
            _("Lift the listing or consent to resuming work first."),
        )
    if party not in (P.INSURER, P.REGULATOR):
        return _no(
            "class_by_insurer",
            _("That a hazard is no longer a major one is for the insurer or an authority to say."),
            _("Tell the insurer why."),
        )
    return None


_SPECIAL = {
    "submit": _submit,
    "close": _recheck,
    "return": _recheck,
    "ask-extension": _ask_extension,
    "grant-extension": _answer_extension,
    "refuse-extension": _answer_extension,
    "tell": _tell,
    "report": _report,
    "supervise": _supervise,
    "lift": _lift,
    "stop": _stop,
    "resume": _resume,
    "reclassify": _reclassify,
}


def steps_open(hazard: Facts, party: Party, *, major_extension_by: Party = P.REGULATOR) -> Iterator[Step]:
    """What somebody can do with a hazard now, the likeliest first: the buttons of its page."""
    for step in STEPS.values():
        if why_not(step, hazard, party, major_extension_by=major_extension_by) is None:
            yield step


# whose turn it is, as the page says it
TURN: dict[str, str | Promise] = {
    S.FOUND: _("The insurer notifies the enterprise in writing."),
    S.NOTIFIED: _("The enterprise rectifies and submits the proof."),
    S.RECTIFYING: _("The enterprise rectifies and submits the proof."),
    S.SUBMITTED: _("The insurer, the agency or the expert rechecks."),
    S.CLOSED: pgettext_lazy("hazard", "Nothing more is to be done."),
    S.SHUT_DOWN: _("The enterprise is shut down; the hazard is looked at again when it works."),
}


def escalation_key(hazard_class: str, level: str) -> str:
    """The parameter that says after how many overdue working days a level takes a hazard up."""
    return f"hazard_escalation_workdays.{hazard_class}.{level}"

"""Entering the market and staying in it: applications, conditions, standing, membership, appeals.

放开市场、管住质量: whoever meets the published conditions enters, and every decision that shuts somebody out has a
reason that can be read, a time within which it falls, and somebody else to appeal to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.rules import ParameterStatus

Words = str | Promise


# applications ---------------------------------------------------------------------------------------------------


class ApplicationKind(TextChoices):
    INSURER = "INSURER", _("insurer")
    AGENCY = "AGENCY", _("technical service agency")
    EXPERT = "EXPERT", _("expert")
    ENTERPRISE = "ENTERPRISE", _("enterprise")
    QUALIFICATION = "QUALIFICATION", _("renewed qualification")


# those who are not on the platform yet register themselves; a qualification is renewed by its holder
ENTRANTS = (ApplicationKind.INSURER, ApplicationKind.AGENCY, ApplicationKind.EXPERT, ApplicationKind.ENTERPRISE)


class ApplicationState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("application", "being prepared")
    SUBMITTED = "SUBMITTED", pgettext_lazy("application", "under review")
    RETURNED = "RETURNED", pgettext_lazy("application", "returned for correction")
    ACCEPTED = "ACCEPTED", pgettext_lazy("application", "accepted")
    REFUSED = "REFUSED", pgettext_lazy("application", "refused")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("application", "withdrawn")


APPLICATION_TONES = {
    "SUBMITTED": "info",
    "RETURNED": "warning",
    "ACCEPTED": "success",
    "REFUSED": "danger",
}
_S = ApplicationState
# the applicant may change what he says
EDITABLE = (_S.DRAFT, _S.RETURNED)
APPLICATION = Lifecycle(
    _S.DRAFT,
    (
        Transition("submit", EDITABLE, _S.SUBMITTED, pgettext_lazy("application", "Submit"), "APPLY"),
        Transition("withdraw", (_S.DRAFT, _S.SUBMITTED, _S.RETURNED), _S.WITHDRAWN, _("Withdraw"), "APPLY"),
        Transition(
            "return",
            (_S.SUBMITTED,),
            _S.RETURNED,
            pgettext_lazy("application", "Return for correction"),
            "REVIEW_ENTRIES",
        ),
        Transition("accept", (_S.SUBMITTED,), _S.ACCEPTED, pgettext_lazy("application", "Accept"), "REVIEW_ENTRIES"),
        Transition("refuse", (_S.SUBMITTED,), _S.REFUSED, _("Refuse"), "REVIEW_ENTRIES"),
        Transition("reopen", (_S.REFUSED,), _S.RETURNED, _("Open again"), "DECIDE_APPEALS"),
    ),
)


class RefusalCode(TextChoices):
    """Why an application is refused: a condition that is not met and cannot be mended by correcting the form."""

    NOT_QUALIFIED = "NOT_QUALIFIED", _("the qualification does not fit or is not valid")
    NO_STAFF = "NO_STAFF", _("the staff that is required is not there")
    NOT_LICENSED = "NOT_LICENSED", _("the licence does not cover this business")
    NOT_TRUE = "NOT_TRUE", _("what was stated is not true")
    IN_DISREPUTE = "IN_DISREPUTE", _("on a blacklist, or serious breach of trust")
    ELSEWHERE = "ELSEWHERE", _("registered already, or not in this province")
    OTHER = "OTHER", pgettext_lazy("refusal", "another condition is not met")


class DocumentKind(TextChoices):
    BUSINESS_LICENCE = "BUSINESS_LICENCE", _("business licence")
    PERMIT = "PERMIT", _("licence for the business")
    WORDING = "WORDING", _("filing of wording and rates")
    STAFF = "STAFF", _("list of staff with their certificates")
    SYSTEM = "SYSTEM", _("description of the information system")
    CERTIFICATE = "CERTIFICATE", _("certificate")
    PLEDGE = "PLEDGE", _("signed declaration")
    DECISION = "DECISION", _("text of the decision")
    EVIDENCE = "EVIDENCE", pgettext_lazy("document", "evidence")


@dataclass(frozen=True)
class Condition:
    """One published condition of entering: what it asks, the rule it comes from, and how sure we are of that.

    `paper`: the document that shows it; an application cannot be submitted without those of `needed` conditions.
    """

    code: str
    title: Words
    basis: Words
    status: ParameterStatus
    paper: DocumentKind | None = None
    needed: bool = True


_C, _U, _D = ParameterStatus.CONFIRMED, ParameterStatus.UNVERIFIED, ParameterStatus.DESIGN
_OLD = "安监总办〔2017〕140号《安全生产责任保险实施办法》第八条"
_OWN = _("rule of this platform")
_AQ = "AQ 9010-2019《安全生产责任保险事故预防技术服务规范》"
_LICENCE = Condition(
    "legal_person", _("A legal person or its branch with a valid business licence"), _OWN, _D,
    DocumentKind.BUSINESS_LICENCE,
)  # fmt: skip
CONDITIONS: dict[str, tuple[Condition, ...]] = {
    ApplicationKind.INSURER: (
        _LICENCE,
        Condition("licensed", _("Licensed for liability insurance; solvent and of good credit"), _OLD, _U,
                  DocumentKind.PERMIT),
        Condition("wording_filed", _("Wording and rates are filed with the financial regulator"),
                  "应急〔2025〕27号《安全生产责任保险实施办法》", _C, DocumentKind.WORDING),
        Condition("staff", _("Full-time managers of prevention services at prefecture level or above, trained yearly"),
                  _AQ, _C, DocumentKind.STAFF),
        Condition("system", _("An information system for prevention services that reports to this platform"),
                  f"{_AQ} 7.5", _C, DocumentKind.SYSTEM, needed=False),
        Condition("experience", _("Experience in liability insurance and capacity for prevention services"), _OLD, _U),
    ),
    ApplicationKind.AGENCY: (
        _LICENCE,
        Condition("qualification", _("A qualification that fits the services; for evaluations the licence for them"),
                  _AQ, _U, DocumentKind.CERTIFICATE),
        Condition("staff", _("Staff of the sectors it serves, with certificates"), _AQ, _U,
                  DocumentKind.STAFF),
        Condition("independent", _("No conflict of interest with the enterprises it serves"), _AQ, _U,
                  DocumentKind.PLEDGE, needed=False),
    ),
    ApplicationKind.EXPERT: (
        Condition("qualification", _("Senior technical title or registered safety engineer of the sector, valid"),
                  _AQ, _U, DocumentKind.CERTIFICATE),
        Condition("independent", _("No conflict of interest with the enterprises to be served"), _AQ, _U,
                  DocumentKind.PLEDGE, needed=False),
    ),
    ApplicationKind.ENTERPRISE: (
        _LICENCE,
        Condition("obliged", _("Enterprises of the eight high-risk sectors must insure; all others may"),
                  "《中华人民共和国安全生产法》(2021) 第五十一条", _C),
    ),
    ApplicationKind.QUALIFICATION: (
        Condition("certificate", _("The renewed licence or certificate itself"), _OWN, _D,
                  DocumentKind.CERTIFICATE),
    ),
}  # fmt: skip


def needed_papers(kind: str) -> tuple[DocumentKind, ...]:
    return tuple(each.paper for each in CONDITIONS[kind] if each.paper is not None and each.needed)


def papers_of(kind: str) -> tuple[DocumentKind, ...]:
    return tuple(each.paper for each in CONDITIONS[kind] if each.paper is not None)


def missing_papers(kind: str, there: Iterable[str]) -> list[DocumentKind]:
    has = set(there)
    return [each for each in needed_papers(kind) if each not in has]


REVIEW_APPLICATION = Duty(
    "REVIEW_APPLICATION",
    _("Decide an application to enter"),
    "application_review_workdays",
    "WORKDAYS",
    OURS,
    (Party.AUTHORITY, Party.COMMITTEE),
    pgettext_lazy("clock starts", "the application is submitted"),
)

# who reviews what; an enterprise is reviewed by the city it lies in, or by the province
REVIEWERS: dict[str, frozenset[str]] = {
    ApplicationKind.INSURER: frozenset({"PROVINCE_REGULATOR"}),
    ApplicationKind.AGENCY: frozenset({"PROVINCE_REGULATOR"}),
    ApplicationKind.EXPERT: frozenset({"PROVINCE_REGULATOR", "COMMITTEE"}),
    ApplicationKind.ENTERPRISE: frozenset({"PROVINCE_REGULATOR", "CITY_REGULATOR"}),
    ApplicationKind.QUALIFICATION: frozenset({"PROVINCE_REGULATOR", "COMMITTEE"}),
}
# the committee's advice is read beside these; it binds nobody
ADVISED = (ApplicationKind.INSURER, ApplicationKind.AGENCY)


# standing -------------------------------------------------------------------------------------------------------


class StandingKind(TextChoices):
    """Why a party takes no new business for a time, or at all."""

    SUSPENDED = "SUSPENDED", _("suspended")
    BLACKLISTED = "BLACKLISTED", _("on the blacklist")


STANDING_TONES = {"SUSPENDED": "warning", "BLACKLISTED": "danger"}


class StandingState(TextChoices):
    """How a decision stands on a day; derived from its days, never stored."""

    COMING = "COMING", pgettext_lazy("standing", "not yet begun")
    RUNNING = "RUNNING", pgettext_lazy("standing", "in force")
    OVER = "OVER", pgettext_lazy("standing", "over")
    LIFTED = "LIFTED", pgettext_lazy("standing", "lifted early")


STANDING_STATE_TONES = {"COMING": "info", "RUNNING": "danger", "OVER": "", "LIFTED": "success"}


def standing_state(from_on: date, to_on: date | None, lifted_on: date | None, today: date) -> StandingState:
    if lifted_on is not None and lifted_on <= today:
        return StandingState.LIFTED
    if to_on is not None and to_on < today:
        return StandingState.OVER
    return StandingState.RUNNING if from_on <= today else StandingState.COMING


def may_decide_standing(role: str, kind: str, of: str) -> bool:
    """The province decides all of it; the committee suspends agencies and experts, for whom it answers.

    `of`: INSURER, AGENCY or EXPERT. No national rule on the exit of insurers was found (UNCONFIRMED), hence only
    the province decides on one.
    """
    if role == "PROVINCE_REGULATOR":
        return True
    return role == "COMMITTEE" and kind == StandingKind.SUSPENDED and of in ("AGENCY", "EXPERT")


# committee membership -------------------------------------------------------------------------------------------


class SeatState(TextChoices):
    ASKED = "ASKED", pgettext_lazy("committee", "asked to join")
    MEMBER = "MEMBER", pgettext_lazy("committee", "member")
    DECLINED = "DECLINED", pgettext_lazy("committee", "declined")
    LEFT = "LEFT", pgettext_lazy("committee", "left")
    EXCLUDED = "EXCLUDED", pgettext_lazy("committee", "excluded")


SEAT_TONES = {"ASKED": "info", "MEMBER": "success", "DECLINED": "danger", "EXCLUDED": "danger"}


class SeatRole(TextChoices):
    MEMBER = "MEMBER", pgettext_lazy("committee", "ordinary member")
    DIRECTOR = "DIRECTOR", pgettext_lazy("committee", "director")
    CHAIR = "CHAIR", pgettext_lazy("committee", "chair")


SEAT = Lifecycle(
    SeatState.ASKED,
    (
        Transition("accept", (SeatState.ASKED,), SeatState.MEMBER, _("Accept as member"), "KEEP_MEMBERS"),
        Transition("decline", (SeatState.ASKED,), SeatState.DECLINED, pgettext_lazy("committee", "Decline"), "KEEP_MEMBERS"),
        Transition("leave", (SeatState.ASKED, SeatState.MEMBER), SeatState.LEFT, _("Leave the committee"), "JOIN_COMMITTEE"),
        Transition("exclude", (SeatState.MEMBER,), SeatState.EXCLUDED, _("Exclude"), "KEEP_MEMBERS"),
        Transition("readmit", (SeatState.EXCLUDED, SeatState.DECLINED), SeatState.MEMBER, _("Take in again"),
                   "DECIDE_APPEALS"),
    ),
)  # fmt: skip


# appeals --------------------------------------------------------------------------------------------------------


class AppealState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("appeal on entering", "to be decided")
    UPHELD = "UPHELD", pgettext_lazy("appeal", "upheld")
    DISMISSED = "DISMISSED", pgettext_lazy("appeal on entering", "dismissed")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("appeal", "withdrawn")


APPEAL_TONES = {"OPEN": "info", "UPHELD": "success", "DISMISSED": "danger"}
APPEAL = Lifecycle(
    AppealState.OPEN,
    (
        Transition("uphold", (AppealState.OPEN,), AppealState.UPHELD, _("Uphold"), "DECIDE_APPEALS"),
        Transition("dismiss", (AppealState.OPEN,), AppealState.DISMISSED, _("Dismiss"), "DECIDE_APPEALS"),
        Transition("withdraw", (AppealState.OPEN,), AppealState.WITHDRAWN, _("Withdraw"), "APPLY"),
    ),
)
RAISE_APPEAL = Duty(
    "RAISE_APPEAL",
    _("Appeal against a decision on admission, suspension or the blacklist"),
    "appeal_window_workdays",
    "WORKDAYS",
    OURS,
    (Party.INSURER, Party.AGENCY, Party.EXPERT, Party.ENTERPRISE),
    pgettext_lazy("clock starts", "the decision"),
)
DECIDE_APPEAL = Duty(
    "DECIDE_APPEAL",
    _("Decide an appeal against a decision on admission, suspension or the blacklist"),
    "appeal_decision_workdays",
    "WORKDAYS",
    OURS,
    (Party.AUTHORITY, Party.COMMITTEE),
    pgettext_lazy("clock starts", "the appeal is raised"),
)


def why_not_decide(*, first_account: object, first_role: str, account: object, role: str) -> str | Promise | None:
    """Somebody else than who decided first decides; what the province decided, the committee does not judge."""
    if account is not None and account == first_account:
        return _("You decided the matter yourself: somebody else decides the appeal.")
    if role == "COMMITTEE" and first_role != "COMMITTEE":
        return _("The province decides appeals against decisions of an authority.")
    return None

"""The course of an assessment: from draft to publication, each step with its deadline."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission


class CampaignState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("assessment", "draft")
    FREEZING = "FREEZING", _("data being frozen")
    FROZEN = "FROZEN", _("data frozen")
    COMPUTED = "COMPUTED", pgettext_lazy("assessment", "computed")
    REVIEW = "REVIEW", _("sample review")
    PROVISIONAL = "PROVISIONAL", _("provisional result, open to appeal")
    FINAL = "FINAL", pgettext_lazy("assessment", "final")
    SIGNED = "SIGNED", pgettext_lazy("assessment", "signed")
    PUBLISHED = "PUBLISHED", pgettext_lazy("assessment", "published")


S, P = CampaignState, Permission.RUN_ASSESSMENT
CAMPAIGN = Lifecycle(
    S.DRAFT,
    (
        Transition("ask", (S.DRAFT,), S.FREEZING, _("Freeze the data"), P),
        Transition("freeze", (S.DRAFT, S.FREEZING), S.FROZEN, _("Freeze the data"), P),
        Transition("compute", (S.FROZEN,), S.COMPUTED, _("Compute and open the self-reports"), P),
        Transition("review", (S.COMPUTED,), S.REVIEW, _("Draw the sample and open the review"), P),
        Transition("announce", (S.REVIEW,), S.PROVISIONAL, _("Announce the provisional result"), P),
        Transition("finalise", (S.PROVISIONAL,), S.FINAL, _("Make the result final"), P),
        Transition("sign", (S.FINAL,), S.SIGNED, _("Sign"), P),
        Transition("publish", (S.SIGNED,), S.PUBLISHED, _("Publish"), P),
    ),
)
# from here on the assessed see their own scores
SHOWN_TO_OWN = (S.COMPUTED, S.REVIEW, S.PROVISIONAL, S.FINAL, S.SIGNED, S.PUBLISHED)

# a result that stands: of experts, who are not published, when it is signed
STANDING = (S.SIGNED, S.PUBLISHED)

# what a state means to those who are assessed
FOR_THE_ASSESSED: dict[str, Promise] = {
    S.DRAFT: _("in preparation"),
    S.FREEZING: _("in preparation"),
    S.FROZEN: _("your data of the period are fixed"),
    S.COMPUTED: _("your turn: hand in your self-report"),
    S.REVIEW: _("reviewers look at a sample of your records"),
    S.PROVISIONAL: _("your turn: look at your provisional result, appeal if something is wrong"),
    S.FINAL: _("appeals are decided; publication follows"),
    S.SIGNED: _("appeals are decided; publication follows"),
    S.PUBLISHED: pgettext_lazy("assessment", "published"),
}

_STANDS = _("appeals are decided; the result is shown to you, your agency and the authorities, and not published")
FOR_EXPERTS: dict[str, Promise] = {
    S.COMPUTED: _("your score is computed; a review of a sample follows"),
    S.FINAL: _STANDS,
    S.SIGNED: _STANDS,
}

REPORT = Duty(
    "ASSESSMENT_REPORT",
    _("Hand in the self-report"),
    "assessment_report_workdays",
    "WORKDAYS",
    OURS,
    (Party.INSURER, Party.AGENCY),
    pgettext_lazy("clock starts", "the frozen data are scored"),
)
REVIEW = Duty(
    "ASSESSMENT_REVIEW",
    _("Review the rows drawn"),
    "assessment_review_workdays",
    "WORKDAYS",
    OURS,
    (Party.AUTHORITY, Party.COMMITTEE),
    pgettext_lazy("clock starts", "the rows are drawn"),
)
APPEAL = Duty(
    "ASSESSMENT_APPEAL",
    _("Appeal against the provisional result"),
    "assessment_appeal_workdays",
    "WORKDAYS",
    OURS,
    (Party.INSURER, Party.AGENCY, Party.EXPERT),
    pgettext_lazy("clock starts", "the provisional result is announced"),
)
DECIDE = Duty(
    "ASSESSMENT_DECIDE",
    _("Decide on an appeal against the provisional result"),
    "assessment_decide_workdays",
    "WORKDAYS",
    OURS,
    (Party.AUTHORITY, Party.COMMITTEE),
    pgettext_lazy("clock starts", "the appeal is raised"),
)
ANSWER = Duty(
    "ASSESSMENT_ANSWER",
    _("Answer what was said of the result with measures of improvement"),
    "assessment_answer_workdays",
    "WORKDAYS",
    OURS,
    (Party.INSURER, Party.AGENCY, Party.EXPERT),
    pgettext_lazy("clock starts", "the feedback is given"),
)


class Level(TextChoices):
    PROVINCE = "PROVINCE", _("in the whole province")
    CITY = "CITY", _("in one city")


class ReportState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("self-report", "being written")
    SUBMITTED = "SUBMITTED", pgettext_lazy("self-report", "handed in")
    REVIEWED = "REVIEWED", pgettext_lazy("self-report", "reviewed")


REPORTING = Lifecycle(
    ReportState.DRAFT,
    (
        Transition("submit", (ReportState.DRAFT,), ReportState.SUBMITTED, _("Hand in"), Permission.ANSWER_ASSESSMENT),
        Transition("review", (ReportState.SUBMITTED, ReportState.REVIEWED), ReportState.REVIEWED, _("Review"),
                   Permission.REVIEW_ASSESSMENT),
    ),
)  # fmt: skip


class ItemState(TextChoices):
    WAITING = "WAITING", _("to be reviewed")
    CONFIRMED = "CONFIRMED", pgettext_lazy("row", "confirmed")
    CORRECTED = "CORRECTED", pgettext_lazy("row", "corrected")


ITEM = Lifecycle(
    ItemState.WAITING,
    (
        Transition("confirm", (ItemState.WAITING,), ItemState.CONFIRMED, _("Confirm"), Permission.REVIEW_ASSESSMENT),
        Transition("correct", (ItemState.WAITING,), ItemState.CORRECTED, _("Correct"), Permission.REVIEW_ASSESSMENT),
    ),
)


class AppealState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("appeal", "to be decided")
    GRANTED = "GRANTED", pgettext_lazy("appeal", "granted")
    PARTLY = "PARTLY", pgettext_lazy("appeal", "granted in part")
    DISMISSED = "DISMISSED", pgettext_lazy("appeal", "dismissed")


DECISIONS = (AppealState.GRANTED, AppealState.PARTLY, AppealState.DISMISSED)
APPEALING = Lifecycle(
    AppealState.OPEN,
    tuple(
        Transition(state.lower(), (AppealState.OPEN,), state, state.label, Permission.DECIDE_APPEALS)
        for state in DECISIONS
    ),
)

"""What follows from a result: what the committee or the authority expects, and what the assessed will do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions import PARTY
from anze.assessment.models import Feedback, Outcome, Supervised
from anze.assessment.rules import SubjectKind
from anze.assessment.rules.campaigns import ANSWER, STANDING
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, PROVINCE, widened
from anze.parties.rules import Permission


@dataclass(frozen=True)
class Said:
    """What is said of a result, and whether measures are to be sent in answer."""

    text: str
    is_to_be_answered: bool

    def __str__(self) -> str:
        return self.text[:100]


@action(Permission.RUN_ASSESSMENT, "assessment.feedback_given")
def give_feedback(outcome: Outcome, *, by: Actor, at: datetime, said: Said) -> Feedback:
    """Say of a result that stands what is expected. Once: what was said is not said differently later."""
    if outcome.campaign.state not in STANDING or outcome.region_code != PROVINCE:
        raise Refused(
            "result_not_standing",
            _("Feedback is given on a result in the whole province that stands."),
            remedy=_("Wait until it is signed and published."),
            status=409,
        )
    if not said.text.strip():
        raise Refused(
            "text_missing", _("Nothing is said."), remedy=_("Say what is expected, and until when."), field="text"
        )
    with widened(EVERYTHING):
        if Feedback.objects.filter(outcome=outcome).exists():
            raise Refused(
                "feedback_given",
                _("Feedback on this result has been given already."),
                remedy=_("It stands on the page of the result."),
                status=409,
            )
        Supervised.objects.filter(outcome=outcome).update(spoken_at=at)
        return Feedback.objects.create(
            outcome=outcome,
            campaign=outcome.campaign,
            insurer_id=outcome.insurer_id,
            agency_id=outcome.agency_id,
            expert_id=outcome.expert_id,
            region_code=outcome.region_code,
            text=said.text.strip()[:2000],
            given_at=at,
            given_by=by.name[:120],
            due_at=ANSWER.due_at(beijing_day(at), calendar=load_calendar()) if said.is_to_be_answered else None,
        )


@action(Permission.ANSWER_ASSESSMENT, "assessment.feedback_answered")
def answer_feedback(feedback: Feedback, *, by: Actor, at: datetime, answer: str) -> Feedback:
    """Say what will be done, and until when. Late answers are taken too: the alert tells that they were."""
    own = getattr(by.scope, PARTY[SubjectKind(feedback.campaign.subject)])
    if own is None or own != feedback.party:
        raise Refused("not_own", _("This is the result of another."), remedy=_("Open your own."), status=403)
    if not answer.strip():
        raise Refused(
            "text_missing", _("Nothing is said."), remedy=_("Say what will be done, and until when."), field="answer"
        )
    with widened(EVERYTHING):
        feedback = Feedback.objects.select_for_update().get(pk=feedback.pk)
        if feedback.answered_at is not None:
            raise Refused(
                "feedback_answered",
                _("This has been answered already."),
                remedy=_("The answer stands on the page of the result."),
                status=409,
            )
        feedback.answer, feedback.answered_at, feedback.answered_by = answer.strip()[:2000], at, by.name[:120]
        feedback.save(update_fields=["answer", "answered_at", "answered_by"])
        Supervised.objects.filter(outcome=feedback.outcome_id).update(answered_at=at)
    return feedback

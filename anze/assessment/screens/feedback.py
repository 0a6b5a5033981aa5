"""What is said of a result, and the answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.feedback import Said, answer_feedback, give_feedback
from anze.assessment.models import Feedback, Outcome
from anze.assessment.rules import Standing
from anze.assessment.rules.campaigns import ANSWER
from anze.assessment.screens.reports import found_row
from anze.assessment.screens.results import medians_of
from anze.assessment.screens.words import points_text
from anze.kernel.duty import beijing_day, deadline_text, load_calendar
from anze.parties.rules import Permission
from anze.screen.forms import Form, answer_form
from anze.screen.registry import page


class FeedbackForm(Form):
    text = forms.CharField(
        label=_("What is expected"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Only the assessed and the authorities read it."),
    )  # fmt: skip
    is_to_be_answered = forms.BooleanField(label=_("Measures are to be sent in answer"), required=False, initial=True)


class AnswerForm(Form):
    answer = forms.CharField(
        label=_("Measures, and until when"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6})
    )


def weakest(outcome: Outcome) -> str:
    """The elements that left most points, line by line, each beside the median: what there is to speak of."""
    scheme, medians = outcome.campaign.scheme.text, medians_of(outcome)
    points = {code: Decimal(value) for code, (value, standing) in outcome.points.items() if standing == Standing.SCORED}
    short = [each for each in scheme.elements if each.code in points and points[each.code] < each.weight]
    short.sort(key=lambda each: points[each.code] - each.weight)
    said = _now("%(element)s: %(points)s of %(weight)s points; median %(median)s")
    lines = (
        said
        % {
            "element": scheme.titled(each.code),
            "points": points_text(points[each.code]),
            "weight": each.weight,
            "median": points_text(medians.get(each.code)),
        }
        for each in short[:5]
    )
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines))


@page(
    "assessment/results/<uuid:pk>/feedback/",
    name="assessment-result-feedback",
    title=_("Feedback on a result"),
    permission=Permission.RUN_ASSESSMENT,
    methods=("GET", "POST"),
)
def feedback_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    outcome = found_row(Outcome, pk, request)
    use = next(each.use for each in outcome.campaign.scheme.text.grades if each.code == outcome.grade)
    form = FeedbackForm(request.POST or None)
    due_at = ANSWER.due_at(beijing_day(request.at), calendar=load_calendar())  # type: ignore[attr-defined]
    form.fields["is_to_be_answered"].help_text = _now("Until %(moment)s, with an alert until it is done.") % {
        "moment": deadline_text(due_at)
    }

    def act(words: dict[str, Any]) -> str:
        said = Said(words["text"], words["is_to_be_answered"])
        give_feedback(outcome, by=request.actor, at=request.at, said=said)  # type: ignore[attr-defined]
        messages.success(request, _now("The feedback is given."))
        return reverse("assessment-result", args=[pk])

    return answer_form(
        request, form, act, title=_("Feedback on a result"), done=_("Give feedback"),
        back=reverse("assessment-result", args=[pk]), back_title=str(outcome.assessed),
        facts=[
            (_now("Score"), f"{outcome.score}"),
            (_now("Grade"), f"{outcome.grade} · {use}" if use.zh and not outcome.why_not else outcome.grade),
            (_now("Where most points are missing"), weakest(outcome)),
        ],
        facts_title=outcome.campaign.title,
    )  # fmt: skip


@page(
    "assessment/results/<uuid:pk>/answer/",
    name="assessment-result-answer",
    title=_("Answer to the feedback"),
    permission=Permission.ANSWER_ASSESSMENT,
    methods=("GET", "POST"),
)
def feedback_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    outcome = found_row(Outcome, pk, request)
    feedback = Feedback.objects.filter(outcome=outcome).first()
    if feedback is None:
        raise Http404

    def act(words: dict[str, Any]) -> str:
        answer_feedback(feedback, by=request.actor, at=request.at, answer=words["answer"])  # type: ignore[attr-defined]
        messages.success(request, _now("Your answer is received."))
        return reverse("assessment-result", args=[pk])

    return answer_form(
        request, AnswerForm(request.POST or None), act, title=_("Answer to the feedback"), done=_("Send the answer"),
        back=reverse("assessment-result", args=[pk]), back_title=str(outcome.assessed),
        facts=[
            (_now("What is expected"), feedback.text),
            *([(_now("Answer due"), deadline_text(feedback.due_at))] if feedback.due_at else []),
            (_now("Score"), outcome.score),
            (_now("Grade"), outcome.grade),
        ],
        facts_title=feedback.given_by,
    )  # fmt: skip

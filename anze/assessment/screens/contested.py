"""Rows under review, and appeals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.actions.appeals import (
    Decision,
    Objection,
    appeal,
    codes_of,
    decide,
    rows_named,
    why_not_second,
)
from anze.assessment.actions.files import APPEAL_FILES
from anze.assessment.actions.reviews import Verdict, items_of, review_row
from anze.assessment.definitions import INPUTS
from anze.assessment.models import Appeal, FrozenRow, Outcome, ReviewItem, SelfReport
from anze.assessment.rules.campaigns import DECISIONS, AppealState, CampaignState, ItemState
from anze.assessment.screens.reports import (
    ASSESSED,
    CAMPAIGN,
    PAPERS_HINT,
    files_of,
    found_row,
    result_crumbs,
    take_papers,
)
from anze.assessment.screens.results import corrections_of, row_lines
from anze.assessment.screens.words import element_name, input_title, points_text
from anze.evidence.screens.forms import documents_field
from anze.kernel.duty import deadline_text
from anze.kernel.wording import listed
from anze.parties.rules import Permission
from anze.prevention.screens.forms import answer_form
from anze.screen.columns import Column, Kind
from anze.screen.details import Crumb, DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Choice, InRegion, Of
from anze.screen.forms import Form, Several
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.pages import url
from anze.screen.registry import page

SEE, ANSWER = Permission.SEE_ASSESSMENT, Permission.ANSWER_ASSESSMENT
REVIEW, DECIDE, CONFIRM = Permission.REVIEW_ASSESSMENT, Permission.DECIDE_APPEALS, Permission.CONFIRM_CASES


def _title_of_input(asking: Asking, code: str) -> str:
    return input_title(code)


INPUT = Column("input", title=_("Input"), needs=("input",), compute=_title_of_input)


# rows under review --------------------------------------------------------------------------------------------

ITEM_STATE = Column("state", tones={"WAITING": "warning", "CONFIRMED": "success", "CORRECTED": "info"})

ITEMS = list_screen(
    ListScreen(
        name="review-items",
        path="assessment/review-items/",
        title=_("Rows under review"),
        about=_("Rows drawn from what was frozen, by a public seed; reviewers of city and province look at them."),
        model=ReviewItem,
        permission=SEE,
        detail="review-item",
        sort="-id",
        columns=(
            Column("label"),
            ITEM_STATE,
            INPUT,
            Column("region_code"),
            Column("due_at"),
            CAMPAIGN,
            Column("reviewer_name", optional=True),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(Choice("state", main=True), InRegion(), Of("campaign")),
        order=61,
        icon="checklist",
        not_in_menu_of=ASSESSED,
    )
)


def _item_words(request: HttpRequest, item: Any) -> dict[str, Any]:
    row = FrozenRow.objects.filter(pk=item.row_id).first()
    known = INPUTS.get(item.input)
    lines = row_lines([row], {}, is_money=bool(known and known.is_money), actor=request.actor) if row else []  # type: ignore[attr-defined]
    may = (
        item.state == ItemState.WAITING and item.campaign.state == CampaignState.REVIEW and request.actor.may(REVIEW)  # type: ignore[attr-defined]
    )
    return {
        "line": lines[0] if lines else None,
        "input_title": input_title(item.input),
        "form": VerdictForm() if may else None,
    }


class VerdictForm(Form):
    verdict = forms.ChoiceField(label=_("What you find"), choices=Verdict.choices, widget=forms.RadioSelect())
    reasons = forms.CharField(
        label=_("Reasons"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed when something changes; everybody concerned reads them."),
    )  # fmt: skip


detail_screen(
    DetailScreen(
        name="review-item",
        path="assessment/review-items/<uuid:pk>/",
        title=_("Row under review"),
        model=ReviewItem,
        permission=SEE,
        named=("label",),
        state=ITEM_STATE,
        of_list="review-items",
        template="assessment/review_item.html",
        extra=_item_words,
        climb=lambda request, row: [Crumb("", row.campaign.title, url("assessment", row.campaign_id))],
        sections=(
            Section(
                _("The draw"),
                ("rank", Column("digest", kind=Kind.CODE), "due_at", "reviewer_name", "reviewed_at", "reasons"),
            ),
        ),
    )
)


@page(
    "assessment/review-items/<uuid:pk>/judge/",
    name="review-item-judge",
    title=_("Your review"),
    permission=REVIEW,
    methods=("GET", "POST"),
)
def review_item_judge(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form of the row's page; by itself where something in it is wrong."""
    item = found_row(ReviewItem, pk, request)

    def act(words: dict[str, Any]) -> str:
        review_row(item, by=request.actor, at=request.at, **words)  # type: ignore[attr-defined]
        messages.success(request, _now("The review stands."))
        waiting_here = ReviewItem.objects.filter(campaign=item.campaign_id, state=ItemState.WAITING)
        following = waiting_here.order_by("rank").first()
        return reverse("review-item", args=[following.pk]) if following else reverse("review-items")

    return answer_form(
        request, VerdictForm(request.POST or None), act, title=_("Your review"), done=_("Save the review"),
        back=reverse("review-item", args=[pk]), back_title=item.label,
        facts=[(_("Record"), item.label), (_("Input"), input_title(item.input))],
        facts_title=_("The row as it was frozen"),
    )  # fmt: skip


# appeals ------------------------------------------------------------------------------------------------------


def _titled(asking: Asking, code: str, campaign: UUID) -> str:
    return element_name(campaign, code)


ELEMENT = Column("named", title=_("Element"), kind=Kind.NAME, needs=("element", "campaign_id"), compute=_titled)

APPEAL_STATE = Column("state", tones={"OPEN": "warning", "GRANTED": "success", "PARTLY": "info", "DISMISSED": ""})

APPEALS = list_screen(
    ListScreen(
        name="appeals",
        path="assessment/appeals/",
        title=_("Appeals"),
        about=_("Objections to provisional results; decided by somebody who did not review, with reasons."),
        model=Appeal,
        permission=SEE,
        detail="appeal",
        sort="-id",
        columns=(
            Column("number"),
            APPEAL_STATE,
            ELEMENT,
            CAMPAIGN,
            Column("submitted_at"),
            Column("due_at"),
            Column("decided_at", optional=True),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(Choice("state", main=True), Of("campaign")),
        order=62,
        icon="gavel",
        not_in_menu_of=ASSESSED,
    )
)


def _appeal_words(request: HttpRequest, made: Any) -> dict[str, Any]:
    scheme = made.campaign.scheme.text
    code = scheme.rows_of(made.element)
    known, corrected = INPUTS.get(code), corrections_of(made.outcome, code)
    rows = list(FrozenRow.objects.filter(pk__in=made.rows[:200]).order_by("pk"))
    return {
        "element": scheme.titled(made.element),
        "who": str(made.outcome.assessed),
        "lines": row_lines(rows, corrected, is_money=bool(known and known.is_money), actor=request.actor),  # type: ignore[attr-defined]
        "is_open": made.state == AppealState.OPEN,
        **files_of(request, made.pk),
    }


def _appeal_ways(request: HttpRequest, made: Any) -> list[Way]:
    if made.state == AppealState.OPEN and request.actor.may(DECIDE):  # type: ignore[attr-defined]
        return [Way(pgettext_lazy("appeal", "Decide"), reverse("appeal-decide", args=[made.pk]), "gavel", "primary")]
    return []


detail_screen(
    DetailScreen(
        name="appeal",
        path="assessment/appeals/<uuid:pk>/",
        title=_("Appeal"),
        model=Appeal,
        permission=SEE,
        named=("number",),
        state=APPEAL_STATE,
        of_list="appeals",
        template="assessment/appeal.html",
        extra=_appeal_words,
        climb=result_crumbs,
        ways=_appeal_ways,
        sections=(
            Section(_("The appeal"), (ELEMENT, "text", "submitted_at", "submitted_by", "due_at")),
            Section(pgettext_lazy("appeal", "The decision"), ("decided_at", "decided_by", "reasons")),
        ),
    )
)


class AppealForm(Form):
    element = forms.ChoiceField(label=_("Element"))
    records = forms.CharField(
        label=_("Numbers of the records"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Numbers from the page of the rows, one a line; none: the element as a whole."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("What is wrong, and what shows it"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )
    papers = documents_field(_("Files"), PAPERS_HINT)


def _objected(request: HttpRequest) -> dict[str, str]:
    """What the page somebody came from named: an element, and perhaps one of its records."""
    return {name: request.GET.get(name, "")[:200] for name in ("element", "records")}


@page(
    "assessment/results/<uuid:pk>/appeal/",
    name="assessment-result-appeal",
    title=_("Appeal"),
    permission=ANSWER,
    methods=("GET", "POST"),
)
def appeal_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    outcome = found_row(Outcome, pk, request)
    form = AppealForm(request.POST or None, request.FILES or None, initial=_objected(request))
    scheme = outcome.campaign.scheme.text
    form.fields["element"].choices = [(code, scheme.titled(code)) for code in codes_of(outcome)]  # type: ignore[attr-defined]

    def act(words: dict[str, Any]) -> str:
        objection = Objection(words["element"], words["text"], tuple(words["records"].splitlines()))
        with transaction.atomic():
            made = appeal(outcome, by=request.actor, at=request.at, objection=objection)  # type: ignore[attr-defined]
            take_papers(request, APPEAL_FILES, made.pk)
        messages.success(request, _now("The appeal is received."))
        return reverse("appeal", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Appeal"), done=_("Send the appeal"), back=reverse("assessment-result", args=[pk]),
        back_title=str(outcome.assessed),
        facts=[
            (_now("Score"), outcome.score),
            *([(_now("Appeals until"), deadline_text(until))] if (until := outcome.campaign.appeal_until_at) else []),
        ],
        facts_title=outcome.campaign.title,
        about=_("Only what you name can move. Somebody who did not review decides, with reasons that are published."),
    )  # fmt: skip


class DecideForm(Form):
    state = forms.ChoiceField(
        label=pgettext_lazy("appeal", "Decision"), choices=[(each.value, each.label) for each in DECISIONS]
    )
    verdict = forms.ChoiceField(
        label=_("The rows named below"), choices=Verdict.choices, required=False,
        help_text=_("What counts of them after the decision."),
    )  # fmt: skip
    records = forms.CharField(
        label=_("Records the verdict is about"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One number a line; none: all the appeal names."),
    )  # fmt: skip
    reasons = forms.CharField(
        label=_("Reasons"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("They are published with the change."),
    )  # fmt: skip


def _points_now(made: Appeal) -> str:
    """The points of the element appealed against; a bonus, deduction or veto has none of its own."""
    found = made.outcome.points.get(made.element)
    weight = made.campaign.scheme.text.element(made.element).weight if found else ""
    return f"{points_text(found[0])} / {weight}" if found else ""


@page(
    "assessment/appeals/<uuid:pk>/decide/",
    name="appeal-decide",
    title=_("Decide on an appeal"),
    permission=DECIDE,
    methods=("GET", "POST"),
)
def appeal_decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    made = found_row(Appeal, pk, request)
    scheme = made.campaign.scheme.text
    form = DecideForm(request.POST or None)
    is_checklist = scheme.is_checklist(made.element)
    report = SelfReport.objects.filter(outcome=made.outcome_id).first() if is_checklist else None
    if is_checklist:
        del form.fields["verdict"], form.fields["records"]
        form.fields["items"] = Several(
            label=_now("Items that are met"),
            choices=[(item.code, str(item.title)) for item in items_of(scheme)],
            initial=report.confirmed if report else [],
            required=False,
        )
    elif made.element in scheme.case_codes:
        form.fields["verdict"].choices = [(each.value, each.label) for each in (Verdict.AS_IT_IS, Verdict.OUT)]  # type: ignore[attr-defined]

    def act(words: dict[str, Any]) -> str:
        named = words.get("records", "").splitlines()
        keys = rows_named(made.outcome, scheme.rows_of(made.element), named) or list(made.rows)
        verdicts = dict.fromkeys(keys, words.get("verdict") or Verdict.AS_IT_IS)
        confirmed = tuple(words["items"]) if is_checklist else None
        decision = Decision(words["state"], words["reasons"], verdicts, confirmed)
        decide(made, by=request.actor, at=request.at, decision=decision)  # type: ignore[attr-defined]
        messages.success(request, _now("The appeal is decided."))
        return reverse("appeal", args=[pk])

    facts = [
        (_now("Element"), scheme.titled(made.element)),
        *([(_now("Points now"), points)] if (points := _points_now(made)) else []),
        (_now("What the appeal says"), made.text),
    ]
    named = FrozenRow.objects.filter(pk__in=made.rows[:20]).order_by("pk").values_list("label", flat=True)
    if labels := list(named):
        facts.append((_now("The records named"), listed(labels)))
    if is_checklist and report:
        facts += [(item.title, report.remarks[item.code]) for item in items_of(scheme) if item.code in report.remarks]
    if why := why_not_second(made, request.actor):  # type: ignore[attr-defined]
        facts.append((_now("Attention"), why))
    return answer_form(
        request, form, act, title=_("Decide on an appeal"), done=pgettext_lazy("appeal", "Decide"), back=reverse("appeal", args=[pk]),
        back_title=made.number, facts=facts, facts_title=_("The appeal"),
        about=_("The score is computed anew for what the appeal names and for nothing else."),
    )  # fmt: skip


waiting(
    ITEMS,
    "assessment-items-waiting",
    _("Rows of the assessment to be reviewed"),
    why=_("The provisional result waits for them."),
    order=33,
    permission=REVIEW,
    state="WAITING",
)
waiting(
    APPEALS,
    "assessment-appeals-open",
    _("Appeals to be decided"),
    why=_("The final result waits for them."),
    tone="warning",
    order=32,
    permission=DECIDE,
    state="OPEN",
)

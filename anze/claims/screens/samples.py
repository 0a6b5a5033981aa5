"""Samples of claims for review: fixed, drawn with a published seed, marked, returned, answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.actions.samples import ClaimDraw, answer_review, draw_claims, fix_claims, mark_review
from anze.claims.models import ClaimReview, ClaimSample
from anze.claims.rules.samples import REVIEW_SHEET, ReviewState, SampleKind
from anze.kernel.refusal import Refused
from anze.parties.access import why_not_independent
from anze.parties.rules import INSURER_ROLES, Permission
from anze.parties.screens import ENTERPRISE, INSURER, insurer_filter
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates, InRegion, Numbers
from anze.screen.forms import Form, answer_page
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page
from anze.screen.samples import (
    SAMPLE_STATE,
    DrawForm,
    marks_of,
    population_file,
    sample_sections,
    sample_words,
    sheet_words,
)

REVIEW_STATE = Column(
    "state", tones={"WAITING": "info", "ANSWERED": "warning", "RETURNED": "danger", "PASSED": "success"}
)
SAMPLES = list_screen(
    ListScreen(
        name="claim-samples",
        path="claims/samples/",
        title=_("Samples of claims"),
        about=_("Claims drawn for review, at random or out of those whose amount stands apart. The population is fixed before the seed is known; anybody can draw again."),
        model=ClaimSample,
        permission=Permission.REVIEW_CLAIMS,
        detail="claim-sample",
        sort="-fixed_at",
        columns=(
            Column("title"), Column("kind"), SAMPLE_STATE, Column("period_from"), Column("period_to"),
            Column("population_count"), Column("size"), Column("fixed_at"), Column("drawn_at"),
        ),
        filters=(Choice("state", main=True), Choice("kind"), Dates("fixed_at")),
        buttons=(Button(_("New sample"), "claim-sample-new", Permission.REVIEW_CLAIMS, "plus"),),
        order=40,
    )
)  # fmt: skip


def _sample_words(request: HttpRequest, sample: Any) -> dict[str, Any]:
    return sample_words(sample, may_draw=True, draw="claim-sample-draw", population="claim-sample-population")


SAMPLE_PAGE = detail_screen(
    DetailScreen(
        name="claim-sample",
        path="claims/samples/<uuid:pk>/",
        title=_("Sample of claims"),
        model=ClaimSample,
        permission=Permission.REVIEW_CLAIMS,
        named=("title",),
        state=SAMPLE_STATE,
        of_list="claim-samples",
        template="screen/sample.html",
        extra=_sample_words,
        has_history=False,
        sections=sample_sections("kind"),
    )
)


class ClaimDrawForm(DrawForm):
    kind = forms.ChoiceField(label=_("Drawn"), choices=lambda: list(labels(SampleKind.choices).items()))

    field_order = ("title", "kind")


@page("claims/samples/new/", name="claim-sample-new", title=_("New sample"), permission=Permission.REVIEW_CLAIMS,
      methods=("GET", "POST"))  # fmt: skip
def sample_new(request: HttpRequest) -> HttpResponse:
    form = ClaimDrawForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = fix_claims(ClaimDraw(**form.cleaned_data), by=request.actor, at=request.at)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("claim-sample", made.pk)
    return answer_page(
        request,
        form,
        title=_now("New sample"),
        about=_now(
            "First it is fixed which claims may be drawn, by the day of their notice, and the digest is published. Then the seed is awaited."
        ),
        done=_now("Fix the population"),
        back=reverse("claim-samples"),
        back_title=_now("Samples of claims"),
    )


@page("claims/samples/<uuid:pk>/draw/", name="claim-sample-draw", permission=Permission.REVIEW_CLAIMS,
      methods=("POST",))  # fmt: skip
def sample_draw(request: HttpRequest, pk: UUID) -> HttpResponse:
    draw_claims(
        SAMPLE_PAGE.row(request, pk),
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        seed=request.POST.get("seed", ""),
        source=request.POST.get("source", ""),
    )
    messages.success(request, _now("The sample is drawn. Everybody can draw it again with the seed."))
    return redirect("claim-sample", pk)


@page("claims/samples/<uuid:pk>/population.txt", name="claim-sample-population", permission=Permission.REVIEW_CLAIMS)
def sample_population(request: HttpRequest, pk: UUID) -> HttpResponse:
    return population_file(SAMPLE_PAGE.row(request, pk))


REVIEWS = list_screen(
    ListScreen(
        name="claim-reviews",
        path="claims/reviews/",
        title=_("Reviews of claims"),
        about=_("Claims drawn for review, with what is usual for their like, the reviewer's mark and what came of it."),
        model=ClaimReview,
        permission=Permission.SEE_CLAIMS,
        detail="claim-review",
        sort="-id",
        columns=(
            Column("rank"), REVIEW_STATE, Column("claim__claim_no", opens="claim"), ENTERPRISE, INSURER,
            Column("sample__title", title=_("Sample")), Column("amount"), Column("usual_to"), Column("mark"),
            Column("marked_at"), Column("reasons", optional=True), Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(InRegion(), insurer_filter(), Choice("state", main=True), Numbers("mark")),
        tab_of={"claim-sample": "sample", "claim": "claim"},
        order=41,
    )
)  # fmt: skip


class AnswerForm(Form):
    words = forms.CharField(
        label=_("What was corrected, or why it stays as it is"), max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


def _sheet(request: HttpRequest, review: Any) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    waits = review.state in (ReviewState.WAITING, ReviewState.ANSWERED)
    may_mark = waits and actor.may(Permission.REVIEW_CLAIMS)
    why_not = why_not_independent(review, actor) if may_mark else ""
    words = sheet_words(request, REVIEW_SHEET, review, mark="claim-review-mark", may_mark=may_mark, why_not=why_not)
    answers = review.state == ReviewState.RETURNED and actor.may(Permission.HANDLE_CLAIMS)
    return words | {
        "answering": AnswerForm() if answers else None,
        "apart": review.usual_to is not None and not review.usual_from <= review.amount <= review.usual_to,
    }


REVIEW_PAGE = detail_screen(
    DetailScreen(
        name="claim-review",
        path="claims/reviews/<uuid:pk>/",
        title=_("Review of a claim"),
        model=ClaimReview,
        permission=Permission.SEE_CLAIMS,
        named=("claim__claim_no",),
        state=REVIEW_STATE,
        of_list="claim-reviews",
        template="claims/review.html",
        extra=_sheet,
        sections=(
            Section(
                _("What was drawn"),
                (Column("claim__claim_no", opens="claim"), ENTERPRISE, Column("insurer", opens="insurer"),
                 Column("sample__title", title=_("Sample")), "rank", "amount", "usual_from", "usual_to"),
            ),
            Section(_("The result"), ("mark", "reasons", "answer", "reviewer_name", "marked_at")),
        ),
    )
)  # fmt: skip


@page("claims/reviews/<uuid:pk>/mark/", name="claim-review-mark", permission=Permission.REVIEW_CLAIMS,
      methods=("POST",))  # fmt: skip
def review_mark(request: HttpRequest, pk: UUID) -> HttpResponse:
    review = REVIEW_PAGE.row(request, pk)
    mark_review(review, by=request.actor, at=request.at, marks=marks_of(request, REVIEW_SHEET))  # type: ignore[attr-defined]
    messages.success(request, _now("The mark stands."))
    return redirect("claim-review", pk)


@page("claims/reviews/<uuid:pk>/answer/", name="claim-review-answer", permission=Permission.HANDLE_CLAIMS,
      methods=("POST",))  # fmt: skip
def review_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    review = ClaimReview.objects.filter(pk=pk).first()
    if review is None:
        raise Http404
    answer_review(review, by=request.actor, at=request.at, words=request.POST.get("words", ""))  # type: ignore[attr-defined]
    return redirect("claim-review", pk)


waiting(
    REVIEWS,
    "claim-reviews-to-mark",
    _("Claims drawn, to be marked"),
    why=_("A sample speaks when all of it is marked."),
    order=33,
    permission=Permission.REVIEW_CLAIMS,
    state=["WAITING", "ANSWERED"],
)
waiting(
    REVIEWS,
    "claim-reviews-returned",
    _("Claims returned by a review"),
    why=_("Correct them or say why they stay as they are; then they are marked again."),
    tone="danger",
    order=21,
    roles=frozenset(INSURER_ROLES),
    state="RETURNED",
)

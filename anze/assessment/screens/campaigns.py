"""Assessments: their course, the results so far, and the steps somebody may take."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.actions.course import (
    Draw,
    Setting,
    announce,
    ask_freeze,
    compute,
    finalise,
    open_review,
    publish,
    set_up,
)
from anze.assessment.actions.packing import has_pack
from anze.assessment.models import Campaign, Outcome, Scheme
from anze.assessment.rules import Checklist, SchemeState, SubjectKind, WhyNot
from anze.assessment.rules.campaigns import FOR_EXPERTS, FOR_THE_ASSESSED, CampaignState
from anze.assessment.screens.spread import spread_words
from anze.assessment.screens.words import drawn_more_text
from anze.kernel.duty import beijing_day
from anze.parties.rules import Permission
from anze.parties.screens import REGION_NAMES
from anze.prevention.screens.forms import answer_form
from anze.screen.columns import Column, Kind
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Choice
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.registry import page

SEE, RUN = Permission.SEE_ASSESSMENT, Permission.RUN_ASSESSMENT
S = CampaignState
STATE = Column(
    "state",
    tones={
        S.DRAFT: "", S.FREEZING: "warning", S.FROZEN: "info", S.COMPUTED: "info", S.REVIEW: "info",
        S.PROVISIONAL: "warning", S.FINAL: "success", S.SIGNED: "success", S.PUBLISHED: "success",
    },
)  # fmt: skip

CAMPAIGNS = list_screen(
    ListScreen(
        name="assessments",
        path="assessment/",
        title=_("Effectiveness assessment"),
        about=_("Each year every insurer is assessed by the same scheme, from the data of the platform, in the open."),
        model=Campaign,
        permission=SEE,
        detail="assessment",
        sort="-period_to",
        columns=(
            Column("title"),
            Column("subject"),
            STATE,
            Column("period_from", optional=True),
            Column("period_to"),
            Column("report_due_at", optional=True),
            Column("review_due_at", optional=True),
            Column("appeal_until_at"),
            Column("published_at"),
            Column("code", kind=Kind.CODE, optional=True),
        ),
        filters=(Choice("subject", main=True), Choice("state", main=True)),
        buttons=(Button(_("Set up an assessment"), "assessment-new", RUN, "plus"),),
        order=10,
        icon="award",
    )
)

# state → the page of the step that follows, whether at once
STEPS: dict[str, tuple[str, Any, str, bool]] = {
    S.DRAFT: ("assessment-freeze", _("Freeze the data"), "database-import", True),
    S.FROZEN: ("assessment-compute", _("Compute and open the self-reports"), "calculator", True),
    S.COMPUTED: ("assessment-review", _("Draw the sample and open the review"), "checklist", False),
    S.REVIEW: ("assessment-announce", _("Announce the provisional result"), "speakerphone", True),
    S.PROVISIONAL: ("assessment-finalise", _("Make the result final"), "check", True),
    S.FINAL: ("assessment-sign", _("Sign"), "signature", True),
    S.SIGNED: ("assessment-publish", _("Publish"), "send", True),
}
# the course as everybody sees it: state reached, when, and until when it lasts
COURSE = (
    (S.FROZEN, "frozen_at", ""),
    (S.COMPUTED, "computed_at", "report_due_at"),
    (S.REVIEW, "review_at", "review_due_at"),
    (S.PROVISIONAL, "provisional_at", "appeal_until_at"),
    (S.FINAL, "final_at", ""),
    (S.SIGNED, "signed_at", ""),
    (S.PUBLISHED, "published_at", ""),
)


def course_of(campaign: Campaign) -> list[dict[str, Any]]:
    order = list(S)
    here = order.index(S(campaign.state))
    return [
        {
            "title": title_of(campaign, state),
            "at": getattr(campaign, when),
            "until": getattr(campaign, until) if until else None,
            "is_done": order.index(state) < here or campaign.state == S.PUBLISHED,
            "is_now": state == campaign.state,
        }
        for state, when, until in COURSE
        if not (state == S.PUBLISHED and campaign.subject == SubjectKind.EXPERT)
    ]


def title_of(campaign: Campaign, state: str) -> Promise | str:
    """A state's name; when computed also what follows: where a scheme has no checklist nobody hands a report in."""
    if state != S.COMPUTED:
        return S(state).label
    has_reports = any(isinstance(element.curve, Checklist) for element in campaign.scheme.text.elements)
    return _("computed, self-reports awaited") if has_reports else _("computed, to be reviewed")


def told_of(campaign: Campaign) -> Promise:
    """What the state means to the assessed; results of experts are not published."""
    if campaign.subject == SubjectKind.EXPERT:
        return FOR_EXPERTS.get(campaign.state, FOR_THE_ASSESSED[campaign.state])
    return FOR_THE_ASSESSED[campaign.state]


def _ways(request: HttpRequest, campaign: Any) -> list[Way]:
    ways = []
    if campaign.state == S.PUBLISHED:
        ways.append(Way(_("Published result"), reverse("assessment-published", args=[campaign.code]), "external-link"))
    if has_pack(campaign, request.actor):  # type: ignore[attr-defined]
        ways.append(Way(_("Evidence pack"), reverse("assessment-pack", args=[campaign.pk]), "download"))
    is_last = campaign.state == S.SIGNED and campaign.subject == SubjectKind.EXPERT
    if request.actor.may(RUN) and campaign.state in STEPS and not is_last:  # type: ignore[attr-defined]
        name, title, icon, at_once = STEPS[campaign.state]
        ways.append(Way(title, reverse(name, args=[campaign.pk]), icon, "primary", at_once))
    return ways


def _words(request: HttpRequest, campaign: Any) -> dict[str, Any]:
    """The course, and the results the reader may see: the province, or one city he chose."""
    asked = request.GET.get("region", "")
    regions = sorted(set(Outcome.objects.filter(campaign=campaign).values_list("region_code", flat=True)))
    region = asked if asked in regions else next(iter(regions), "")
    scope = request.actor.scope  # type: ignore[attr-defined]
    own = scope.expert_id or scope.insurer_id or scope.agency_id
    results = ranking_of(campaign, region)
    return {
        "course": course_of(campaign),
        "state_said": title_of(campaign, campaign.state) if campaign.state == S.COMPUTED else "",
        "said": told_of(campaign) if own is not None and campaign.state != S.PUBLISHED else "",
        "regions": [(code, REGION_NAMES.name(code)) for code in regions],
        "region": region,
        "region_name": REGION_NAMES.name(region) if len(regions) > 1 else "",
        "results": results,
        "spread": spread_words(campaign.scheme.text, results, own),
    }


def ranking_of(campaign: Campaign, region: str) -> list[dict[str, Any]]:
    """Results of one region in the order of rank, those not ranked below, by name."""
    scheme = campaign.scheme.text
    grades = {grade.code: grade.title for grade in scheme.grades}
    rows = Outcome.objects.filter(campaign=campaign, region_code=region).select_related("organisation", "expert")
    lines = [
        {
            "outcome": row,
            "name": str(row.assessed),
            "url": reverse("assessment-result", args=[row.pk]),
            "rank": row.rank,
            "score": row.score,
            "grade": row.grade,
            "grade_title": grades.get(row.grade, ""),
            "why_not": str(WhyNot(row.why_not).label) if row.why_not else "",
            "vetoes": [scheme.titled(code) for code in row.vetoes],
            "share": min(row.score, 100),
        }
        for row in rows
    ]
    return sorted(lines, key=lambda line: (line["rank"] is None, line["rank"] or 0, line["name"]))


detail_screen(
    DetailScreen(
        name="assessment",
        path="assessment/<uuid:pk>/",
        title=_("Assessment"),
        model=Campaign,
        permission=SEE,
        named=("title",),
        state=STATE,
        of_list="assessments",
        template="assessment/campaign.html",
        extra=_words,
        ways=_ways,
        has_history=False,
        sections=(
            Section(
                _("This assessment"),
                (
                    Column("scheme__code", title=pgettext_lazy("scheme", "Scheme"), opens="scheme"), "period_from", "period_to", "as_of", "made_by",
                    Column("code", kind=Kind.CODE),
                ),
            ),
            Section(
                _("What is fixed"),
                (
                    "frozen_rows", Column("frozen_sha256", kind=Kind.CODE), "frozen_at", "seed", "seed_source",
                    "sample_each", Column("manifest_sha256", kind=Kind.CODE),
                ),
            ),
        ),
    )
)  # fmt: skip


def campaign_or_404(pk: UUID) -> Campaign:
    found = Campaign.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def computed_campaigns() -> QuerySet[Campaign]:
    """Those with results, the latest first."""
    return Campaign.objects.exclude(computed_at=None).order_by("-period_to", "-id")


def computed_campaign(asked: str) -> Campaign | None:
    """The one asked for, else the latest of insurers."""
    try:
        found = computed_campaigns().filter(pk=UUID(asked)).first() if asked else None
    except ValueError:
        found = None
    return found or computed_campaigns().filter(subject=SubjectKind.INSURER).first()


class SetUpForm(Form):
    title = forms.CharField(label=_("Title"), max_length=120)
    scheme = forms.ChoiceField(label=pgettext_lazy("scheme", "Scheme"))
    period_from = forms.DateField(label=_("Period from"), widget=forms.DateInput())
    period_to = forms.DateField(label=_("Period until"), widget=forms.DateInput())

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        schemes = Scheme.objects.filter(state=SchemeState.ISSUED).order_by("-subject", "-version")
        self.fields["scheme"].choices = [(str(each.pk), str(each)) for each in schemes]  # type: ignore[attr-defined]


@page(
    "assessment/new/",
    name="assessment-new",
    title=_("Set up an assessment"),
    permission=RUN,
    methods=("GET", "POST"),
)
def assessment_new(request: HttpRequest) -> HttpResponse:
    year = (beijing_day(request.at) - timedelta(days=60)).year  # type: ignore[attr-defined]
    usual = {"period_from": date(year, 1, 1), "period_to": date(year, 12, 31)}
    form = SetUpForm(request.POST) if request.method == "POST" else SetUpForm(initial=usual)

    def act(words: dict[str, Any]) -> str:
        setting = Setting(**{**words, "scheme": Scheme.objects.get(pk=words["scheme"])})
        made = set_up(setting, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        return reverse("assessment", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Set up an assessment"), done=_("Set up"), back=reverse("assessments"),
        back_title=_("Effectiveness assessment"),
        about=_("First the data of the period are frozen. From then on corrections of records do not move the result."),
    )  # fmt: skip


@page("assessment/<uuid:pk>/freeze/", name="assessment-freeze", permission=RUN, methods=("POST",))
def assessment_freeze(request: HttpRequest, pk: UUID) -> HttpResponse:
    ask_freeze(campaign_or_404(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The data are being frozen. This takes up to a minute; you may leave the page."))
    return redirect("assessment", pk)


@page("assessment/<uuid:pk>/compute/", name="assessment-compute", permission=RUN, methods=("POST",))
def assessment_compute(request: HttpRequest, pk: UUID) -> HttpResponse:
    compute(campaign_or_404(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(
        request,
        _now(
            "Computed. Everybody assessed sees his own score; self-reports can be handed in where the scheme asks for them."
        ),
    )
    return redirect("assessment", pk)


class DrawForm(Form):
    seed = forms.CharField(
        label=_("Seed"), max_length=100,
        help_text=_("Numbers published after the data were frozen, which nobody here can choose."),
    )  # fmt: skip
    source = forms.CharField(label=_("Where the seed comes from"), max_length=200)
    each = forms.IntegerField(label=_("Rows to be drawn of each"), min_value=1, max_value=500, initial=30)


@page(
    "assessment/<uuid:pk>/review/",
    name="assessment-review",
    title=_("Draw the sample"),
    permission=RUN,
    methods=("GET", "POST"),
)
def assessment_review(request: HttpRequest, pk: UUID) -> HttpResponse:
    campaign = campaign_or_404(pk)
    form = DrawForm(request.POST) if request.method == "POST" else DrawForm()
    form.fields["each"].help_text = drawn_more_text(campaign.scheme.text, beijing_day(request.at))  # type: ignore[attr-defined]

    def act(words: dict[str, Any]) -> str:
        open_review(campaign, by=request.actor, at=request.at, draw=Draw(**words))  # type: ignore[attr-defined]
        messages.success(request, _now("The sample is drawn. Everybody can draw it again with the seed."))
        return reverse("assessment", args=[pk])

    return answer_form(
        request, form, act, title=_("Draw the sample"), done=_("Draw and open the review"),
        back=reverse("assessment", args=[pk]), back_title=campaign.title,
        about=_("Of everybody assessed rows are drawn from what was frozen, by his code and the seed."),
    )  # fmt: skip


@page("assessment/<uuid:pk>/announce/", name="assessment-announce", permission=RUN, methods=("POST",))
def assessment_announce(request: HttpRequest, pk: UUID) -> HttpResponse:
    announce(campaign_or_404(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The provisional result is announced; appeals are open."))
    return redirect("assessment", pk)


@page("assessment/<uuid:pk>/finalise/", name="assessment-finalise", permission=RUN, methods=("POST",))
def assessment_finalise(request: HttpRequest, pk: UUID) -> HttpResponse:
    finalise(campaign_or_404(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The result is final."))
    return redirect("assessment", pk)


@page("assessment/<uuid:pk>/publish/", name="assessment-publish", permission=RUN, methods=("POST",))
def assessment_publish(request: HttpRequest, pk: UUID) -> HttpResponse:
    publish(campaign_or_404(pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The result is published."))
    return redirect("assessment", pk)

"""Self-reports: what the assessed say of themselves, item by item, and what reviewers confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.files import REPORT_FILES
from anze.assessment.actions.reviews import Told, items_of, review_report, submit_report
from anze.assessment.models import SelfReport
from anze.assessment.rules.campaigns import CampaignState, ReportState
from anze.assessment.screens.photos import sees_photos
from anze.evidence.models import Media
from anze.evidence.rules import MediaKind, MediaRole
from anze.evidence.screens.forms import documents_field, files_taken
from anze.evidence.screens.media import tiles
from anze.kernel.duty import deadline_text
from anze.parties.rules import Permission
from anze.parties.screens import ORGANISATION_NAMES
from anze.prevention.screens.forms import answer_form
from anze.screen.columns import Column
from anze.screen.details import Crumb, DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Choice, Of
from anze.screen.forms import Form, style
from anze.screen.lists import ListScreen, check_reader, list_screen, waiting
from anze.screen.pages import url
from anze.screen.registry import page

SEE, ANSWER = Permission.SEE_ASSESSMENT, Permission.ANSWER_ASSESSMENT
REVIEW, DECIDE, CONFIRM = Permission.REVIEW_ASSESSMENT, Permission.DECIDE_APPEALS, Permission.CONFIRM_CASES
ASSESSED = frozenset({"anze_enterprise", "anze_expert", "anze_sector"})

PAPERS_HINT = _("Pictures or PDF, nine at most. Their hashes stand in the signed evidence pack.")

CAMPAIGN = Column("campaign__title", title=_("Assessment"), opens="assessment")


def _whose(asking: Asking, insurer: UUID | None, agency: UUID | None) -> str:
    return ORGANISATION_NAMES.name(insurer or agency)


REPORTS = list_screen(
    ListScreen(
        name="self-reports",
        path="assessment/self-reports/",
        title=_("Self-reports"),
        about=_("What insurers say of their own organisation, and what reviewers confirmed."),
        model=SelfReport,
        permission=SEE,
        detail="self-report",
        sort="-id",
        columns=(
            Column("id", title=_("Assessed"), needs=("insurer_id", "agency_id"), compute=_whose),
            CAMPAIGN,
            Column("state", tones={"DRAFT": "warning", "SUBMITTED": "info", "REVIEWED": "success"}),
            Column("due_at"),
            Column("submitted_at"),
            Column("reviewer_name", optional=True),
        ),
        filters=(Choice("state", main=True), Of("campaign")),
        order=60,
        icon="clipboard-list",
        not_in_menu_of=ASSESSED,
    )
)


def _report_words(request: HttpRequest, report: Any) -> dict[str, Any]:
    items = items_of(report.campaign.scheme.text)
    return {
        "items": [
            {
                "title": item.title,
                "is_met": item.code in report.met,
                "text": report.texts.get(item.code, ""),
                "is_confirmed": item.code in report.confirmed,
                "remark": report.remarks.get(item.code, ""),
            }
            for item in items
        ],
        "is_reviewed": report.state == ReportState.REVIEWED,
        "who": str(report.outcome.assessed),
        **files_of(request, report.pk),
    }


def files_of(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    """The files of a self-report or an appeal, as tiles of the gallery."""
    keys: list[UUID] = []
    if sees_photos(request.actor):  # type: ignore[attr-defined]
        keys = list(Media.objects.filter(subject=pk).order_by("received_at").values_list("pk", flat=True)[:100])
    return {"files": tiles(keys)["tiles"]}


def _report_ways(request: HttpRequest, report: Any) -> list[Way]:
    actor, open_states = request.actor, (CampaignState.COMPUTED, CampaignState.REVIEW)  # type: ignore[attr-defined]
    ways = []
    if report.campaign.state in open_states:
        if report.state == ReportState.DRAFT and actor.may(ANSWER) and request.at <= report.due_at:  # type: ignore[attr-defined]
            ways.append(
                Way(_("Fill in and hand in"), reverse("self-report-submit", args=[report.pk]), "pencil", "primary")
            )
        if report.state != ReportState.DRAFT and actor.may(REVIEW):
            ways.append(Way(_("Review"), reverse("self-report-review", args=[report.pk]), "check", "primary"))
    return ways


def result_crumbs(request: HttpRequest, row: Any) -> list[Crumb]:
    found = [Crumb("", row.campaign.title, url("assessment", row.campaign_id))]
    outcome = getattr(row, "outcome", None)
    if outcome is not None:
        found.append(Crumb("", str(outcome.assessed), url("assessment-result", outcome.pk)))
    return found


detail_screen(
    DetailScreen(
        name="self-report",
        path="assessment/self-reports/<uuid:pk>/",
        title=_("Self-report"),
        model=SelfReport,
        permission=SEE,
        named=(),
        state=Column("state", tones={"DRAFT": "warning", "SUBMITTED": "info", "REVIEWED": "success"}),
        of_list="self-reports",
        template="assessment/self_report.html",
        extra=_report_words,
        climb=result_crumbs,
        ways=_report_ways,
        sections=(
            Section(_("The report"), ("due_at", "submitted_at", "submitted_by", "reviewed_at", "reviewer_name")),
        ),
    )
)


def found_row(model: Any, pk: UUID, request: HttpRequest) -> Any:
    check_reader(request, model)
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


class ToldForm(Form):
    """One tick and one line of words for each item; under the tick what was `said` of it."""

    def __init__(
        self, items: Any, *positional: Any, ask: Any = "", said: Mapping[str, str] | None = None, **words: Any
    ) -> None:
        super().__init__(*positional, **words)
        for item in items:
            self.fields[f"met_{item.code}"] = forms.BooleanField(
                label=str(item.title), required=False, help_text=(said or {}).get(item.code, "")
            )
            self.fields[f"text_{item.code}"] = forms.CharField(label=ask, max_length=500, required=False)
        style(self)


def take_papers(request: HttpRequest, kind: str, pk: UUID) -> None:
    """Keep what came with a form; call it in the transaction of the form's action."""
    files_taken(request, "papers", kind, pk, MediaRole.DOCUMENT, request.actor, MediaKind.DOCUMENT)  # type: ignore[attr-defined]


class ReportForm(ToldForm):
    papers = documents_field(_("Files"), PAPERS_HINT)

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.order_fields([name for name in self.fields if name != "papers"])


@page(
    "assessment/self-reports/<uuid:pk>/submit/",
    name="self-report-submit",
    title=_("Hand in the self-report"),
    permission=ANSWER,
    methods=("GET", "POST"),
)
def self_report_submit(request: HttpRequest, pk: UUID) -> HttpResponse:
    report = found_row(SelfReport, pk, request)
    items = items_of(report.campaign.scheme.text)
    initial = {f"met_{code}": True for code in report.met} | {f"text_{c}": t for c, t in report.texts.items()}
    ask = _now("What shows it")
    form = (
        ReportForm(items, request.POST, request.FILES, ask=ask)
        if request.method == "POST"
        else ReportForm(items, ask=ask, initial=initial)
    )

    def act(words: dict[str, Any]) -> str:
        met = tuple(item.code for item in items if words[f"met_{item.code}"])
        texts = {item.code: words[f"text_{item.code}"] for item in items}
        with transaction.atomic():
            submit_report(report, by=request.actor, at=request.at, told=Told(met, texts))  # type: ignore[attr-defined]
            take_papers(request, REPORT_FILES, report.pk)
        messages.success(request, _now("The self-report is handed in."))
        return reverse("self-report", args=[pk])

    return answer_form(
        request, form, act, title=_("Hand in the self-report"), done=_("Hand in"),
        back=reverse("self-report", args=[pk]), back_title=_("Self-report"),
        facts=[(_now("To be handed in until"), deadline_text(report.due_at))], facts_title=report.campaign.title,
        about=_("Tick what is met and say what shows it: document, number, date, persons. A reviewer looks at it."),
    )  # fmt: skip


@page(
    "assessment/self-reports/<uuid:pk>/review/",
    name="self-report-review",
    title=_("Review the self-report"),
    permission=REVIEW,
    methods=("GET", "POST"),
)
def self_report_review(request: HttpRequest, pk: UUID) -> HttpResponse:
    report = found_row(SelfReport, pk, request)
    items = [item for item in items_of(report.campaign.scheme.text) if item.code in report.met]
    initial = {f"met_{item.code}": True for item in items}
    ask = _now("Remark")
    form = (
        ToldForm(items, request.POST, ask=ask, said=report.texts)
        if request.method == "POST"
        else ToldForm(items, ask=ask, said=report.texts, initial=initial)
    )

    def act(words: dict[str, Any]) -> str:
        confirmed = tuple(item.code for item in items if words[f"met_{item.code}"])
        remarks = {item.code: words[f"text_{item.code}"] for item in items}
        review_report(report, by=request.actor, at=request.at, confirmed=confirmed, remarks=remarks)  # type: ignore[attr-defined]
        messages.success(request, _now("The review stands."))
        return reverse("self-report", args=[pk])

    facts = [(_now("Assessed"), str(report.outcome.assessed))]
    if papers := len(files_of(request, report.pk)["files"]):
        facts.append((_now("Files"), _now("%(count)s, on the page of the self-report") % {"count": papers}))
    return answer_form(
        request, form, act, title=_("Review the self-report"), done=_("Save the review"),
        back=reverse("self-report", args=[pk]), back_title=_("Self-report"), facts=facts,
        facts_title=report.campaign.title,
        about=_("Leave the tick where the item is met; take it off and give a remark where it is not."),
    )  # fmt: skip


waiting(
    REPORTS,
    "assessment-reports-open",
    _("Self-reports to be handed in"),
    why=_("What is not handed in counts as not achieved."),
    tone="warning",
    order=21,
    permission=ANSWER,
    state="DRAFT",
)
waiting(
    REPORTS,
    "assessment-reports-waiting",
    _("Self-reports to be reviewed"),
    why=_("The provisional result waits for them."),
    order=34,
    permission=REVIEW,
    state="SUBMITTED",
)

"""The closing report of a campaign: its draft, issuing it, its file, and the page on which anybody checks one."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.hazards.actions.closing import draft_of, issue_closing
from anze.hazards.models import Campaign, CampaignReport
from anze.parties.rules import Permission
from anze.prevention.actions.reports import file_of
from anze.prevention.rules.reports import ReportLanguage
from anze.prevention.screens.reports import NUMBERED, checked
from anze.screen.lists import check_reader
from anze.screen.pages import is_chinese
from anze.screen.registry import page

NUMBERED["ZX"] = "verify-campaign"


def _campaign(pk: UUID) -> Campaign:
    found = Campaign.objects.select_related("authority").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _language() -> str:
    return ReportLanguage.ZH if is_chinese() else ReportLanguage.EN


@page("hazards/campaigns/<uuid:pk>/draft.pdf", name="campaign-report-draft", permission=Permission.RUN_CAMPAIGNS)
def draft(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The closing report as it would be issued now, marked as a draft."""
    made = HttpResponse(draft_of(_campaign(pk), _language(), request.at), content_type="application/pdf")  # type: ignore[attr-defined]
    made["Content-Disposition"] = 'inline; filename="draft.pdf"'
    made["Cache-Control"] = "private, no-store"
    return made


@page(
    "hazards/campaigns/<uuid:pk>/report/", name="campaign-report-issue", permission=Permission.RUN_CAMPAIGNS,
    methods=("POST",),
)  # fmt: skip
def issue(request: HttpRequest, pk: UUID) -> HttpResponse:
    made = issue_closing(
        _campaign(pk),
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        base=request.build_absolute_uri("/"),
        language=_language(),
    )
    messages.success(request, _now("Report %(number)s holds.") % {"number": made.number})
    return redirect("campaign", pk)


@page("hazards/campaign-reports/<uuid:pk>/file.pdf", name="campaign-report-file", permission=Permission.SEE_HAZARDS)
def file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The very file that was issued."""
    check_reader(request, CampaignReport)
    report = CampaignReport.objects.filter(pk=pk).first()
    if report is None:
        raise Http404
    answer = FileResponse(file_of(report), content_type="application/pdf", filename=f"{report.number}.pdf")
    answer["Cache-Control"] = "private, no-store"
    return cast("HttpResponse", answer)


@page("verify/campaign/<str:number>/", name="verify-campaign", title=_("Check a report"), is_open=True)
def verify_campaign(request: HttpRequest, number: str) -> HttpResponse:
    """Whether a closing report is genuine and still holds. Only who has the paper, with its check code, learns it."""
    issued = CampaignReport.objects.select_related("campaign__authority")
    return checked(request, number, issued, "hazards/verify_campaign.html", _later)


def _later(report: CampaignReport) -> dict[str, Any]:
    later = CampaignReport.objects.filter(campaign=report.campaign_id, issue__gt=report.issue).order_by("-issue")
    return {"later": later.values_list("issued_on", flat=True).first()}

"""Reports: issuing and reading them, and the public page that tells true from false."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, TypeVar, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.guessing import check_tries, count_wrong_try
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, agency_filter, insurer_filter
from anze.prevention.actions.reports import file_of, issue_report, preview_of, withdraw_report
from anze.prevention.models import Issued, Report
from anze.prevention.rules.reports import ReportLanguage, ReportState
from anze.prevention.screens.confirmations import SERVICE, service_seen
from anze.screen.columns import Column, Kind
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates, InRegion, Search
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, check_reader, list_screen
from anze.screen.pages import is_chinese
from anze.screen.registry import page

STATE = Column("state", tones={"VALID": "success", "SUPERSEDED": "info", "WITHDRAWN": "danger"})

REPORTS = list_screen(
    ListScreen(
        name="reports",
        path="prevention/reports/",
        title=_("Service reports"),
        about=_("Reports as they were issued: each issue with its file, its digest and whether it still holds."),
        model=Report,
        permission=Permission.SEE_SERVICES,
        detail="report",
        sort="-issued_on",
        columns=(
            Column("number", kind=Kind.CODE),
            STATE,
            SERVICE,
            ENTERPRISE,
            INSURER,
            AGENCY,
            Column("issue"),
            Column("language"),
            Column("issued_on"),
            Column("issued_by"),
            Column("file_sha256", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(
            Search(own=("number",), relation="enterprise", related=("name", "uscc"),
                   title=_("Report no., enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            Choice("language"),
            agency_filter(),
            Dates("issued_on"),
        ),
        tab_of={"service": "service", "enterprise": "enterprise"},
        order=25,
    )
)  # fmt: skip


def _report_words(request: HttpRequest, report: Any) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    return {
        "verify": reverse("verify-report", args=[report.number]) + f"?c={report.check_code}",
        "withdrawing": report.state == ReportState.VALID and actor.may(Permission.ISSUE_REPORTS),
    }


detail_screen(
    DetailScreen(
        name="report",
        path="prevention/reports/<uuid:pk>/",
        title=_("Service report"),
        model=Report,
        permission=Permission.SEE_SERVICES,
        named=("number",),
        state=STATE,
        of_list="reports",
        template="prevention/report.html",
        extra=_report_words,
        buttons=(Button(_("Open the file"), "report-file", Permission.SEE_SERVICES, "file-text"),),
        sections=(
            Section(
                _("The report"),
                (
                    ENTERPRISE,
                    SERVICE,
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    "issue",
                    "language",
                    "issued_at",
                    "issued_by",
                    "ended_at",
                    "reason",
                ),
            ),
            Section(
                _("What proves it"),
                (
                    Column("check_code", title=_("Check code"), kind=Kind.CODE),
                    Column("file_sha256", title=_("SHA-256 of the file"), kind=Kind.CODE),
                    Column("content_sha256", title=_("SHA-256 of the content"), kind=Kind.CODE),
                    Column("signed", kind=Kind.CODE),
                ),
            ),
        ),
    )
)


class LanguageForm(Form):
    language = forms.ChoiceField(label=_("Language of the report"), choices=ReportLanguage.choices)


@page(
    "prevention/services/<uuid:pk>/report/",
    name="service-report",
    title=_("Issue the report"),
    permission=Permission.ISSUE_REPORTS,
    methods=("GET", "POST"),
)
def service_report(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Look at the report as it would be, and issue it."""
    service = service_seen(request, pk)
    form = LanguageForm(
        request.POST if request.method == "POST" else None,
        initial={"language": ReportLanguage.ZH if is_chinese() else ReportLanguage.EN},
    )
    if form.is_bound and form.is_valid():
        try:
            made = issue_report(
                service,
                by=request.actor,  # type: ignore[attr-defined]
                at=request.at,  # type: ignore[attr-defined]
                base=request.build_absolute_uri("/"),
                language=form.cleaned_data["language"],
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("Report %(number)s holds.") % {"number": made.number})
            return redirect("report", made.pk)
    words = {
        "form": form,
        "service": service,
        "valid": Report.objects.filter(service=service, state=ReportState.VALID).order_by("-issue"),
    }
    return render(request, "prevention/service_report.html", words, status=422 if form.is_bound else 200)


@page("prevention/services/<uuid:pk>/draft.pdf", name="service-draft", permission=Permission.ISSUE_REPORTS)
def service_draft(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The report as it would be issued, marked as a draft."""
    service = service_seen(request, pk)
    language = request.GET.get("language", "")
    if language not in ReportLanguage.values:
        language = ReportLanguage.ZH
    made = HttpResponse(preview_of(service, language, request.at), content_type="application/pdf")  # type: ignore[attr-defined]
    made["Content-Disposition"] = 'inline; filename="draft.pdf"'
    made["Cache-Control"] = "private, no-store"
    return made


def _report(request: HttpRequest, pk: UUID) -> Report:
    check_reader(request, Report)
    found = Report.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("prevention/reports/<uuid:pk>/file.pdf", name="report-file", permission=Permission.SEE_SERVICES)
def report_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The very file that was issued."""
    report = _report(request, pk)
    answer = FileResponse(file_of(report), content_type="application/pdf", filename=f"{report.number}.pdf")
    answer["Cache-Control"] = "private, no-store"
    return cast("HttpResponse", answer)


@page(
    "prevention/reports/<uuid:pk>/withdraw/", name="report-withdraw", permission=Permission.ISSUE_REPORTS, methods=("POST",)
)  # fmt: skip
def report_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    withdraw_report(_report(request, pk), by=request.actor, at=request.at, reason=request.POST.get("reason", ""))  # type: ignore[attr-defined]
    messages.success(request, _now("The report is withdrawn."))
    return redirect("report", pk)


OnPaper = TypeVar("OnPaper", bound=Issued)
# how numbers on paper begin → the page that checks them; rooms above add theirs
NUMBERED: dict[str, str] = {"BG": "verify-report"}


# for everybody ----------------------------------------------------------------------------------------------


@page("verify/", name="verify", title=_("Check a report"), is_open=True)
def verify(request: HttpRequest) -> HttpResponse:
    """For whoever has paper and no camera: number and check code by hand."""
    number, code = request.GET.get("number", "").strip().upper(), request.GET.get("c", "").strip().upper()
    if number and code and "/" not in number:
        where = NUMBERED.get(number[:2], "verify-report")
        return redirect(f"{reverse(where, args=[number[:30]])}?c={code[:12]}")
    return render(request, "prevention/verify.html", {"number": number, "is_wrong": False})


@page("verify/report/<str:number>/", name="verify-report", title=_("Check a report"), is_open=True)
def verify_report(request: HttpRequest, number: str) -> HttpResponse:
    """Whether a report is genuine and still holds. Only who has the paper, with its check code, learns anything."""
    reports = Report.objects.select_related("service")
    return checked(request, number, reports, "prevention/verify_report.html", _confirmed)


def checked(
    request: HttpRequest,
    number: str,
    issued: QuerySet[OnPaper],
    template: str,
    face: Callable[[OnPaper], dict[str, Any]],
) -> HttpResponse:
    """What stands on the face of an issued paper, for whoever has its check code; wrong tries are counted."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    check_tries("report", actor.address, at)
    code = request.GET.get("c", "").strip().upper()
    with inside(EVERYTHING):
        found = issued.filter(number=number.upper()).first()
        if found is not None and hmac.compare_digest(found.check_code.encode(), code.encode()):
            answer = render(request, template, {"report": found, **face(found)})
            answer["Cache-Control"] = "no-store"
            return answer
    if code:
        count_wrong_try("report", actor.address, at)
    words = {"number": number, "is_wrong": bool(code)}
    return render(request, "prevention/verify.html", words, status=404)


def _confirmed(report: Report) -> dict[str, Any]:
    """What stands on the face of the report, and no more."""
    later = Report.objects.filter(service=report.service_id, language=report.language, state=ReportState.VALID).exclude(
        pk=report.pk
    )
    return {
        "is_valid": report.state == ReportState.VALID and not report.service.is_void,
        "is_void": report.service.is_void,
        "later": later.values_list("issued_on", flat=True).first(),
        "enterprise": Enterprise.objects.get(pk=report.enterprise_id).name,
        "insurer": Organisation.objects.get(pk=report.insurer_id),
        "agency": Organisation.objects.filter(pk=report.agency_id).first() if report.agency_id else None,
    }


REPORT_BUTTON = Button(pgettext_lazy("button", "Report"), "service-report", Permission.ISSUE_REPORTS, "file-text")

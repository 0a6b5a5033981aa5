"""Pages of quality checks: samples with all that is needed to draw them again, and the reviewer's sheet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.drawing import Draw
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, agency_filter, insurer_filter
from anze.prevention.actions.quality import draw_sample, fix_population, mark_check, why_not_judged
from anze.prevention.models import QualityCheck, Sample
from anze.prevention.rules.quality import SHEET, CheckState
from anze.prevention.screens.confirmations import SERVICE
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates, InRegion, Numbers
from anze.screen.forms import answer_page
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

CHECK_STATE = Column(
    "state", tones={"WAITING": "info", "RESUBMITTED": "warning", "RETURNED": "danger", "PASSED": "success"}
)

SAMPLES = list_screen(
    ListScreen(
        name="samples",
        path="prevention/samples/",
        title=_("Quality samples"),
        about=_(
            "Services drawn for a check. The population is fixed before the seed is known; anybody can draw again."
        ),
        model=Sample,
        permission=Permission.SEE_SERVICES,
        detail="sample",
        sort="-fixed_at",
        columns=(
            Column("title"),
            SAMPLE_STATE,
            Column("period_from"),
            Column("period_to"),
            Column("population_count"),
            Column("size"),
            Column("fixed_at"),
            Column("drawn_at"),
        ),
        filters=(Choice("state", main=True), Dates("fixed_at")),
        buttons=(Button(_("New sample"), "sample-new", Permission.CHECK_QUALITY, "plus"),),
        order=85,
    )
)


def _sample_words(request: HttpRequest, sample: Any) -> dict[str, Any]:
    may_draw = request.actor.may(Permission.CHECK_QUALITY)  # type: ignore[attr-defined]
    return sample_words(sample, may_draw=may_draw, draw="sample-draw", population="sample-population")


SAMPLE = detail_screen(
    DetailScreen(
        name="sample",
        path="prevention/samples/<uuid:pk>/",
        title=_("Quality sample"),
        model=Sample,
        permission=Permission.SEE_SERVICES,
        named=("title",),
        state=SAMPLE_STATE,
        of_list="samples",
        template="screen/sample.html",
        extra=_sample_words,
        has_history=False,
        sections=sample_sections(),
    )
)


@page(
    "prevention/samples/new/",
    name="sample-new",
    title=_("New sample"),
    permission=Permission.CHECK_QUALITY,
    methods=("GET", "POST"),
)
def sample_new(request: HttpRequest) -> HttpResponse:
    form = DrawForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = fix_population(Draw(**form.cleaned_data), by=request.actor, at=request.at)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("sample", made.pk)
    return answer_page(
        request,
        form,
        title=_now("New sample"),
        about=_now(
            "First it is fixed which services may be drawn, by the day they were performed, and the digest is published. Then the seed is awaited."
        ),
        done=_now("Fix the population"),
        back=reverse("samples"),
        back_title=_now("Quality samples"),
    )


@page("prevention/samples/<uuid:pk>/draw/", name="sample-draw", permission=Permission.CHECK_QUALITY, methods=("POST",))
def sample_draw(request: HttpRequest, pk: UUID) -> HttpResponse:
    draw_sample(
        SAMPLE.row(request, pk),
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        seed=request.POST.get("seed", ""),
        source=request.POST.get("source", ""),
    )
    messages.success(request, _now("The sample is drawn. Everybody can draw it again with the seed."))
    return redirect("sample", pk)


@page("prevention/samples/<uuid:pk>/population.txt", name="sample-population", permission=Permission.SEE_SERVICES)
def sample_population(request: HttpRequest, pk: UUID) -> HttpResponse:
    return population_file(SAMPLE.row(request, pk))


CHECKS = list_screen(
    ListScreen(
        name="quality-checks",
        path="prevention/quality-checks/",
        title=_("Quality checks"),
        about=_("Services drawn for a check, with the reviewer's mark and what came of it."),
        model=QualityCheck,
        permission=Permission.SEE_SERVICES,
        detail="quality-check",
        sort="-id",
        columns=(
            Column("rank"),
            CHECK_STATE,
            SERVICE,
            ENTERPRISE,
            INSURER,
            AGENCY,
            Column("sample__title", title=_("Sample"), opens="sample"),
            Column("mark"),
            Column("marked_at"),
            Column("reasons", optional=True),
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            agency_filter(),
            Numbers("mark"),
        ),
        tab_of={"sample": "sample", "service": "service"},
        order=86,
    )
)


def _sheet(request: HttpRequest, check: Any) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    waits = check.state in (CheckState.WAITING, CheckState.RESUBMITTED)
    may_mark = waits and actor.may(Permission.CHECK_QUALITY)
    why_not = why_not_judged(check, actor) if may_mark else ""
    returned = _now("Returned, it counts nowhere until it is corrected and passes.")
    return sheet_words(
        request, SHEET, check, mark="quality-check-mark", may_mark=may_mark, why_not=why_not, returned=returned
    )


CHECK_PAGE = detail_screen(
    DetailScreen(
        name="quality-check",
        path="prevention/quality-checks/<uuid:pk>/",
        title=_("Quality check"),
        model=QualityCheck,
        permission=Permission.SEE_SERVICES,
        named=("service__service_no",),
        state=CHECK_STATE,
        of_list="quality-checks",
        template="screen/sheet.html",
        extra=_sheet,
        sections=(
            Section(
                _("What was drawn"),
                (
                    SERVICE,
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    Column("sample__title", title=_("Sample"), opens="sample"),
                    "rank",
                ),
            ),
            Section(_("The result"), ("mark", "reasons", "reviewer_name", "marked_at", "rounds")),
        ),
    )
)


@page(
    "prevention/quality-checks/<uuid:pk>/mark/", name="quality-check-mark", permission=Permission.CHECK_QUALITY,
    methods=("POST",),
)  # fmt: skip
def quality_check_mark(request: HttpRequest, pk: UUID) -> HttpResponse:
    check = CHECK_PAGE.row(request, pk)
    mark_check(check, by=request.actor, at=request.at, marks=marks_of(request, SHEET))  # type: ignore[attr-defined]
    messages.success(request, _now("The mark stands."))
    return redirect("quality-check", pk)


waiting(
    CHECKS,
    "checks-to-mark",
    _("Services drawn, to be marked"),
    why=_("A sample speaks when all of it is marked."),
    order=30,
    permission=Permission.CHECK_QUALITY,
    state="WAITING",
)
waiting(
    CHECKS,
    "checks-resubmitted",
    _("Corrected services, to be marked again"),
    why=_("Until then they count nowhere."),
    tone="warning",
    order=31,
    permission=Permission.CHECK_QUALITY,
    state="RESUBMITTED",
)
waiting(
    CHECKS,
    "checks-returned",
    pgettext_lazy("quality check", "Services returned to be corrected"),
    why=_("A returned service counts nowhere until it is corrected and passes."),
    tone="danger",
    order=22,
    permission=Permission.ISSUE_REPORTS,
    state="RETURNED",
)

"""The monthly bulletin: its editions, one of them to read, and the same as PDF, Excel and Word."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.audit import record
from anze.kernel.refusal import Refused
from anze.monitoring.bulletin import publish_bulletin
from anze.monitoring.models import Bulletin
from anze.monitoring.screens.pictures import option
from anze.monitoring.screens.printing import FORMS, paper_of
from anze.parties.models import Organisation, Region
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.screens import insurer_filter
from anze.screen.columns import Column, Kind
from anze.screen.filters import Case, Cases, Dates, InRegion
from anze.screen.lists import ListScreen, check_reader, list_screen
from anze.screen.registry import page

OF_WHOM = Cases(
    "whose",
    pgettext_lazy("bulletin", "Of whom"),
    main=True,
    hide_for="insurer_id",
    cases={
        "regions": Case(pgettext_lazy("bulletin", "of regions"), lambda asking: Q(insurer=None)),
        "insurers": Case(pgettext_lazy("bulletin", "of single insurers"), lambda asking: Q(insurer__isnull=False)),
    },
)

list_screen(
    ListScreen(
        name="bulletins",
        path="bulletins/",
        title=_("Monthly bulletins"),
        about=_("Every edition as it was published. A correction is a further edition; none is ever changed."),
        empty=_(
            "No bulletin has been published yet. The platform publishes them each month, authorities on the statistics page."
        ),
        model=Bulletin,
        permission=Permission.SEE_DASHBOARD,
        detail="bulletin",
        sort="-month",
        columns=(
            Column("month"),
            Column("region_code"),
            Column("insurer", hide_for="insurer_id"),
            Column("edition"),
            Column("as_of"),
            Column("made_at"),
            Column("made_by"),
            Column("checksum", kind=Kind.CODE, optional=True),
        ),
        filters=(InRegion(), Dates("month"), insurer_filter(), OF_WHOM),
        order=12,
        icon="news",
    )
)


def _bulletin(request: HttpRequest, pk: UUID) -> Bulletin:
    check_reader(request, Bulletin)
    found = Bulletin.objects.filter(pk=pk).first()
    if found is None:
        raise Http404(pk)
    return found


@page("bulletins/<uuid:pk>/", name="bulletin", title=_("Monthly bulletin"), permission=Permission.SEE_DASHBOARD)
def bulletin(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _bulletin(request, pk)
    same = Bulletin.objects.filter(region_code=found.region_code, month=found.month, insurer=found.insurer_id)
    words = {
        "bulletin": found,
        "paper": paper_of(found, request.actor),  # type: ignore[attr-defined]
        "editions": list(same.order_by("-edition")),
        "forms": FORMS,
        "option": option,
    }
    return render(request, "monitoring/bulletin.html", words)


@page("bulletins/<uuid:pk>/file/", name="bulletin-file", permission=Permission.SEE_DASHBOARD)
def bulletin_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The edition as a file: `format` is pdf, xlsx or docx."""
    found = _bulletin(request, pk)
    asked = request.GET.get("format", "pdf")
    form = next((each for each in FORMS if each.code == asked), FORMS[0])
    paper = paper_of(found, request.actor)  # type: ignore[attr-defined]
    answer = HttpResponse(form.write(paper), content_type=form.media)
    name = paper.title.replace(": ", ", ")  # Windows takes no colon in a name
    answer["Content-Disposition"] = content_disposition_header(True, f"{name}.{form.code}") or ""
    record(
        "export.made", by=request.actor, at=request.at, about=found,  # type: ignore[attr-defined]
        details={"list": "bulletin", "format": form.code},
    )  # fmt: skip
    return answer


@page(
    "bulletins/publish/",
    name="bulletin-publish",
    title=_("Publish the bulletin"),
    permission=Permission.PUBLISH_BULLETINS,
    methods=("POST",),
)
def bulletin_publish(request: HttpRequest) -> HttpResponse:
    region = Region.objects.filter(code=request.POST.get("region", "")).first()
    if region is None:
        raise Refused(
            "no_such_region", _("There is no such region."), remedy=_("Choose one of the list."), field="region"
        )
    try:
        month = date.fromisoformat(f"{request.POST.get('month', '')}-01")
    except ValueError:
        raise Refused(
            "no_such_month", _("This is no month."), remedy=_("Write it as 2026-03."), field="month"
        ) from None
    insurer = None
    if asked := request.POST.get("insurer", ""):
        insurers = Organisation.objects.filter(kind=OrganisationKind.INSURER)
        insurer = next((each for each in insurers if str(each.pk) == asked), None)
        if insurer is None:
            raise Refused(
                "no_such_insurer", _("There is no such insurer."), remedy=_("Choose one of the list."), field="insurer"
            )
    made = publish_bulletin(region, by=request.actor, at=request.at, month=month, insurer=insurer)  # type: ignore[attr-defined]
    messages.success(request, _now("Published: edition %(number)s.") % {"number": made.edition})
    return redirect("bulletin", made.pk)

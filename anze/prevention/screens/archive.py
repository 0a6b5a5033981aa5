"""The archive of one policy year: what is there, what is missing, papers brought to it, and all of it as a file."""

from __future__ import annotations

from datetime import date
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.evidence.actions.files import arrived
from anze.kernel.actions import require
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, agency_filter, insurer_filter
from anze.prevention.actions.archive import contents_of_archive, with_files
from anze.prevention.actions.packing import ask_for_pack, open_pack
from anze.prevention.actions.papers import keep_paper, void_paper
from anze.prevention.models import Pack, Paper
from anze.prevention.rules.archive import UNDER_WAY, PaperKind
from anze.screen.columns import Column, Kind
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Case, Cases, Choice, Dates
from anze.screen.forms import Form, answer_page
from anze.screen.lists import Button, ListScreen, check_reader, list_screen
from anze.screen.pages import is_fragment
from anze.screen.registry import page
from anze.underwriting.models import Policy


def _policy(request: HttpRequest, pk: UUID) -> Policy:
    check_reader(request, Policy)
    found = Policy.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("prevention/archive/<uuid:pk>/", name="archive", title=_("Archive"), permission=Permission.SEE_SERVICES)
def archive(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What AQ 9010 asks for, part by part."""
    policy = _policy(request, pk)
    actor, today = request.actor, beijing_day(request.at)  # type: ignore[attr-defined]
    packs = list(Pack.objects.filter(policy=policy, asked_by=actor.account_id).order_by("-asked_at")[:3])
    words: dict[str, Any] = {
        "policy": policy,
        "packs": packs,
        "is_under_way": any(each.state in UNDER_WAY for each in packs),
        "may_export": may_take(actor),
    }
    if is_fragment(request):
        return render(request, "prevention/archive_files.html", words)
    words |= {
        "enterprise": Enterprise.objects.filter(pk=policy.enterprise_id).first(),
        "contents": contents_of_archive(policy, actor, today),
        "may_keep": actor.may(Permission.RUN_SERVICES),
        "years": years_kept(today),
    }
    response = render(request, "prevention/archive.html", words)
    response["Vary"] = "HX-Request, Cookie"
    return response


def years_kept(today: date) -> int:
    """How long a service's file is kept at least (AQ 9010 §7.4)."""
    return int(parameter("archive_retention_years", today))


def may_take(actor: Actor) -> bool:
    """An enterprise may take its own; others who may export."""
    return bool(actor.account_id) and (bool(actor.scope.enterprise_id) or actor.may(Permission.EXPORT))


@page("prevention/archive/<uuid:pk>/pack/", name="archive-pack", permission=Permission.SEE_SERVICES, methods=("POST",))
def archive_pack(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have all of it packed into one file; a job does it, with the rights of who asked."""
    policy = _policy(request, pk)
    if not may_take(request.actor):  # type: ignore[attr-defined]
        require(request.actor, Permission.EXPORT)  # type: ignore[attr-defined]
    ask_for_pack(policy, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("archive", pk)


@page("prevention/archive/files/<uuid:pk>/archive.zip", name="pack-file", permission=Permission.SEE_SERVICES)
def pack_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The file, for the one who asked for it; taking it is on record."""
    actor = request.actor  # type: ignore[attr-defined]
    pack = Pack.objects.select_related("policy").filter(pk=pk, asked_by=actor.account_id).first()
    if pack is None:
        raise Http404
    file = open_pack(pack, by=actor, at=request.at)  # type: ignore[attr-defined]
    name = f"archive-{pack.policy.policy_no}.zip"
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    answer["Cache-Control"] = "private, no-store"
    return cast("HttpResponse", answer)


# papers -----------------------------------------------------------------------------------------------------

PAPERS = list_screen(
    ListScreen(
        name="papers",
        path="prevention/papers/",
        title=_("Contracts and evaluations"),
        about=_("Papers the archive must hold and the platform does not make (AQ 9010 §7.4): contracts with agencies, their yearly evaluation, annual evaluation reports."),
        model=Paper,
        permission=Permission.SEE_SERVICES,
        detail="paper",
        sort="-kept_at",
        columns=(
            Column("number"),
            Column("kind"),
            INSURER,
            AGENCY,
            ENTERPRISE,
            Column("from_on"),
            Column("to_on"),
            Column("kept_at"),
            Column("kept_by", optional=True),
            Column("voided_at", optional=True),
        ),
        filters=(
            Choice("kind", main=True),
            insurer_filter(),
            agency_filter(),
            Dates("from_on"),
            Cases(
                "use",
                _("Use"),
                default="valid",
                cases={
                    "valid": Case(_("in use"), lambda a: Q(voided_at__isnull=True)),
                    "void": Case(_("set aside"), lambda a: Q(voided_at__isnull=False)),
                    "all": Case(_("all"), lambda a: Q()),
                },
            ),
        ),
        tab_of={"policy": "policy", "agency": "agency"},
        buttons=(Button(_("Put a paper on file"), "paper-new", Permission.RUN_SERVICES, "upload"),),
        order=75,
    )
)  # fmt: skip


def _paper_words(request: HttpRequest, paper: Any) -> dict[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    return {"may_void": paper.voided_at is None and actor.may(Permission.RUN_SERVICES)}


detail_screen(
    DetailScreen(
        name="paper",
        path="prevention/papers/<uuid:pk>/",
        title=_("Contract or evaluation"),
        model=Paper,
        permission=Permission.SEE_SERVICES,
        named=("number",),
        state=Column("kind"),
        of_list="papers",
        template="prevention/paper.html",
        extra=_paper_words,
        buttons=(Button(_("Open the file"), "paper-file", Permission.SEE_SERVICES, "file-text"),),
        sections=(
            Section(
                _("The paper"),
                (
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    Column("policy__policy_no", title=_("Policy"), opens="policy"),
                    ENTERPRISE,
                    "from_on",
                    "to_on",
                    "file_name",
                    Column("file_sha256", kind=Kind.CODE),
                    "kept_at",
                    "kept_by",
                    "voided_at",
                    "void_reason",
                ),
            ),
        ),
    )
)


class PaperForm(Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=PaperKind.choices)
    number = forms.CharField(label=_("Number or title"), max_length=80)
    agency = forms.ChoiceField(
        label=_("Agency"), required=False, help_text=_("For a contract and for the evaluation of an agency.")
    )
    policy_no = forms.CharField(
        label=_("Policy no."),
        required=False,
        max_length=60,
        help_text=_("For the annual evaluation report of a policy."),
    )
    from_on = forms.DateField(label=_("From"), widget=forms.DateInput())
    to_on = forms.DateField(
        label=pgettext_lazy("period", "Until"), widget=forms.DateInput(),
        help_text=_("The time for which a contract is in force, or the time that was evaluated."),
    )  # fmt: skip
    file = forms.FileField(
        label=_("File"), help_text=_("PDF, or a photo of the paper."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/*"}),
    )  # fmt: skip

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        agencies = Organisation.objects.filter(kind=OrganisationKind.AGENCY).order_by("code")
        self.fields["agency"].choices = [("", "–"), *((each.code, str(each)) for each in agencies)]  # type: ignore[attr-defined]


@page(
    "prevention/papers/new/", name="paper-new", title=_("Put a paper on file"), permission=Permission.RUN_SERVICES,
    methods=("GET", "POST"),
)  # fmt: skip
def paper_new(request: HttpRequest) -> HttpResponse:
    posted = (request.POST, request.FILES) if request.method == "POST" else (None,)
    asked = ("kind", "agency", "policy_no", "from_on", "to_on")
    form = PaperForm(*posted, initial={name: request.GET[name] for name in asked if name in request.GET})
    if form.is_bound and form.is_valid():
        given = dict(form.cleaned_data)
        file = given.pop("file")
        try:
            made = keep_paper(
                arrived(file.read()),
                by=request.actor,  # type: ignore[attr-defined]
                at=request.at,  # type: ignore[attr-defined]
                file_name=file.name or "",
                **given,
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("It is on file."))
            return redirect("paper", made.pk)
    return answer_page(
        request,
        form,
        title=_now("Put a paper on file"),
        about=_now("Kept as it is, for at least %(years)s years; a wrong one is set aside with a reason, not deleted.")
        % {"years": years_kept(beijing_day(request.at))},  # type: ignore[attr-defined]
        done=_now("Put on file"),
        back=PAPERS.url,
        back_title=PAPERS.title,
    )


def _paper(request: HttpRequest, pk: UUID) -> Paper:
    check_reader(request, Paper)
    found = Paper.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("prevention/papers/<uuid:pk>/file/", name="paper-file", permission=Permission.SEE_SERVICES)
def paper_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The very file that was brought; saved, never shown, for it may be anything inside."""
    paper = _paper(request, pk)
    [(_row, opens)] = with_files([paper])
    name = paper.file_name or paper.number
    answer = FileResponse(opens(), as_attachment=True, filename=name, content_type="application/octet-stream")
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return cast("HttpResponse", answer)


@page("prevention/papers/<uuid:pk>/void/", name="paper-void", permission=Permission.RUN_SERVICES, methods=("POST",))
def paper_void(request: HttpRequest, pk: UUID) -> HttpResponse:
    void_paper(_paper(request, pk), by=request.actor, at=request.at, reason=request.POST.get("reason", ""))  # type: ignore[attr-defined]
    messages.success(request, _now("It is set aside; it stays readable and no longer counts."))
    return redirect("paper", pk)


def _tile(request: HttpRequest, policy: Policy) -> tuple[str, str, str]:
    return _now("open"), "", reverse("archive", args=[policy.pk])


tile(Tile("policy", "archive", _("Archive"), Permission.SEE_SERVICES, _tile, order=90))

"""Self-checks: an enterprise reports in two minutes what it found; its insurer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.rules import MediaRole, Subject, register_subject
from anze.hazards.actions.selfchecks import finish_finding, report_finding
from anze.hazards.models import OwnFinding
from anze.hazards.rules import FindingState
from anze.hazards.screens.photos import photos_of, photos_taken
from anze.hazards.screens.steps import photos_field
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.library.models import HazardEntry, in_force
from anze.parties.models import Enterprise
from anze.parties.rules import INSURER_ROLES, Permission
from anze.parties.screens import ENTERPRISE, INSURER
from anze.screen.columns import Column, readers_of
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates, InRegion, Search
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, check_reader, list_screen, waiting
from anze.screen.registry import page

STATE = Column("state", tones={"OPEN": "warning", "DONE": "success", "TAKEN": "info"})

OWN_FINDINGS = list_screen(
    ListScreen(
        name="own-findings",
        path="hazards/self-checks/",
        title=_("Self-checks"),
        about=_("What enterprises found by themselves. It is information for their insurer, and no hazard on file until the insurer follows it up."),
        model=OwnFinding,
        permission=Permission.SEE_HAZARDS,
        detail="own-finding",
        sort="-found_on",
        columns=(
            Column("description"), ENTERPRISE, INSURER, Column("location"), Column("found_on"), STATE,
            Column("done_on", optional=True), Column("region_code", optional=True), Column("sector", optional=True),
        ),
        filters=(
            Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise or credit code")),
            InRegion(),
            Choice("state", main=True),
            Dates("found_on"),
        ),
        buttons=(Button(_("Report a finding"), "own-finding-new", Permission.RECTIFY_HAZARDS, "camera"),),
        order=20,
    )
)  # fmt: skip
waiting(
    OWN_FINDINGS,
    "own-findings",
    _("Findings of self-checks"),
    why=_("An enterprise of yours found something by itself: help, or follow it up as a hazard."),
    order=45,
    roles=frozenset(INSURER_ROLES),
    state="OPEN",
)


def _find(key: UUID, by: Actor, at: datetime) -> Subject | None:
    if by.scope.reader not in readers_of(OwnFinding):
        return None
    found = OwnFinding.objects.filter(pk=key).first()
    if found is None:
        return None
    return Subject(
        kind="self-check", id=found.pk, title=str(found), url=reverse("own-finding", args=[found.pk]),
        region_code=found.region_code, sector=found.sector, insurer_id=found.insurer_id,
        enterprise_id=found.enterprise_id, may_add=found.state == FindingState.OPEN,
    )  # fmt: skip


register_subject("self-check", _("Finding of a self-check"), _find)


def _more(request: HttpRequest, finding: OwnFinding) -> Mapping[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    return {
        "photos": photos_of(finding.pk) if not request.GET.get("tab") else [],
        "may_finish": actor.may(Permission.RECTIFY_HAZARDS) and finding.state == FindingState.OPEN,
        "may_take": actor.scope.insurer_id == finding.insurer_id
        and actor.may(Permission.ENTER_DATA)
        and finding.state != FindingState.TAKEN,
    }


detail_screen(
    DetailScreen(
        name="own-finding",
        path="hazards/self-checks/<uuid:pk>/",
        title=_("Finding of a self-check"),
        model=OwnFinding,
        permission=Permission.SEE_HAZARDS,
        named=("description",),
        state=STATE,
        of_list="own-findings",
        template="hazards/own_finding.html",
        extra=_more,
        sections=(
            Section(
                _("The finding"),
                (
                    ENTERPRISE, Column("insurer", opens="insurer"), "found_on", "location", "description", "entry_code",
                    "reported_by", "reported_at",
                ),
            ),
            Section(
                _("What became of it"),
                ("done_on", "done_words", Column("hazard__hazard_no", opens="hazard")),
            ),
        ),
    )
)  # fmt: skip


class FindingForm(Form):
    photos = photos_field(_("Photos"), hint=False)
    entry = forms.ChoiceField(
        label=_("From the checklist of your sector"), required=False,
        help_text=_("Choose what fits, or say it in your own words below."),
    )  # fmt: skip
    description = forms.CharField(
        label=_("In your own words"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    location = forms.CharField(label=_("Where"), max_length=200, required=False)

    def __init__(self, enterprise: Enterprise, on: Any, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        entries = HazardEntry.objects.filter(in_force(on), sector=enterprise.sector).order_by("place_zh", "code")
        self.entries = {each.code: each for each in entries}
        self.fields["entry"].choices = [  # type: ignore[attr-defined]
            ("", "–"), *((code, f"{each.place}: {each.wording}"[:80]) for code, each in self.entries.items()),
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("description") and given.get("entry"):
            given["description"] = self.entries[given["entry"]].wording[:500]
        if not given.get("description"):
            self.add_error("description", _("Say what you found, or choose it above."))
        return given


@page("hazards/self-checks/new/", name="own-finding-new", title=_("Report a finding"),
      permission=Permission.RECTIFY_HAZARDS, methods=("GET", "POST"))  # fmt: skip
def new(request: HttpRequest) -> HttpResponse:
    """Photo, words, done: under two minutes on a phone."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    enterprise = Enterprise.objects.filter(pk=actor.scope.enterprise_id).first()
    if enterprise is None:
        raise Http404
    form = FindingForm(enterprise, beijing_day(at), request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                finding = report_finding(
                    enterprise, by=actor, at=at, description=given["description"], location=given["location"],
                    entry_code=given["entry"],
                )  # fmt: skip
                photos_taken(request, "self-check", finding.pk, MediaRole.HAZARD, actor)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("Thank you. Your insurer sees it as well."))
            return redirect("own-finding", finding.pk)
    status = 422 if form.is_bound and form.errors else 200
    return render(
        request, "hazards/own_finding_form.html", {"form": form, "title": _("Report a finding")}, status=status
    )


class FinishForm(Form):
    photos = photos_field(_("Photos afterwards"))
    words = forms.CharField(label=_("What was done"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


@page("hazards/self-checks/<uuid:pk>/done/", name="own-finding-done", title=_("Rectified"),
      permission=Permission.RECTIFY_HAZARDS, methods=("GET", "POST"))  # fmt: skip
def done(request: HttpRequest, pk: UUID) -> HttpResponse:
    check_reader(request, OwnFinding)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    finding = OwnFinding.objects.filter(pk=pk).first()
    if finding is None:
        raise Http404
    form = FinishForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                photos_taken(request, "self-check", finding.pk, MediaRole.RECTIFIED, actor)
                finish_finding(finding, by=actor, at=at, words=form.cleaned_data["words"])
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("own-finding", finding.pk)
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "hazards/own_finding_form.html", {"form": form, "title": _("Rectified")}, status=status)

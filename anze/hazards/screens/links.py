"""One hazard on a cheap phone without an account: what, why, how, by when; the photo afterwards; done."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import picture_uri, shown_file
from anze.hazards.actions.links import PURPOSE, issue_link
from anze.hazards.actions.steps import start_rectification, submit_rectification
from anze.hazards.models import Hazard
from anze.hazards.rules import ENDED, STEPS, HazardClass, HazardState, Party, why_not
from anze.hazards.screens.photos import Photo, before_and_after, take_photos
from anze.hazards.screens.steps import photos_field
from anze.kernel.links import read_link
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import holder_of_link
from anze.parties.rules import Permission
from anze.screen.forms import Form
from anze.screen.lists import check_reader
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri


@page("hazards/<uuid:pk>/link/", name="hazard-link", title=_("Link for the workshop"),
      permission=Permission.SEE_HAZARDS, methods=("GET", "POST"))  # fmt: skip
def link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hand a hazard to the workshop: a code to scan from the screen or from paper, and an address to send."""
    check_reader(request, Hazard)
    hazard = Hazard.objects.filter(pk=pk).first()
    if hazard is None:
        raise Http404
    words: dict[str, Any] = {"hazard": hazard, "address": ""}
    if request.method == "POST":
        token = issue_link(hazard, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        words["address"] = request.build_absolute_uri(reverse("workshop", args=[token]))
        words["code"] = qr_uri(words["address"])
    return render(request, "hazards/link.html", words)


class Done(Form):
    name = forms.CharField(label=_("Your name"), max_length=60)
    measures = forms.CharField(
        label=_("Measures"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("A major hazard needs its plan: what is done, and how it is kept safe until then."),
    )
    words = forms.CharField(label=_("What was done"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
    photos = photos_field(_("Photos afterwards"))


@page("w/<str:token>/", name="workshop", title=_("Hazard to be rectified"), methods=("GET", "POST"), is_open=True)
def workshop(request: HttpRequest, token: str) -> HttpResponse:
    """Opened by whoever holds the link; nobody is asked for an account."""
    key = read_link(PURPOSE, token, at=request.at)  # type: ignore[attr-defined]
    with transaction.atomic(), widened(EVERYTHING):
        hazard = Hazard.objects.select_related("enterprise").filter(pk=key).first()
        if hazard is None or hazard.is_void:
            raise Refused(
                "link_invalid",
                _("This link does not open anything."),
                remedy=_("Scan the code again, or ask for a new link."),
            )
        is_open = why_not(STEPS["submit"], hazard, Party.ENTERPRISE) is None
        may_start = why_not(STEPS["start"], hazard, Party.ENTERPRISE) is None
        needs_plan = not is_open and may_start and hazard.hazard_class == HazardClass.MAJOR
        form = Done(request.POST or None, request.FILES or None)
        if not needs_plan:
            del form.fields["measures"]
        if request.method == "POST" and (is_open or needs_plan) and form.is_valid():
            try:
                with transaction.atomic():
                    _submit(request, hazard, form.cleaned_data, needs_plan)
            except Refused as refused:
                form.refuse(refused)
            else:
                return redirect("workshop", token)
        before, after = before_and_after(hazard)
        words = {
            "hazard": hazard,
            "form": form if is_open or needs_plan else None,
            "last": hazard.extended_to_on or hazard.deadline_on,
            "is_done": hazard.state in (*ENDED, HazardState.SUBMITTED),
            "before": _inline(before),
            "after": _inline(after),
        }
        status = 422 if form.is_bound and form.errors else 200
        return render(request, "hazards/workshop.html", words, status=status)


def _submit(request: HttpRequest, hazard: Hazard, given: dict[str, Any], needs_plan: bool) -> None:
    at = request.at  # type: ignore[attr-defined]
    asking = request.actor  # type: ignore[attr-defined]
    holder = holder_of_link(
        hazard.enterprise_id, given["name"], Permission.RECTIFY_HAZARDS, Permission.ADD_EVIDENCE,
        address=asking.address, language=asking.language,
    )  # fmt: skip
    with widened(holder.scope):
        if needs_plan:
            start_rectification(hazard, by=holder, at=at, to_whom=given["name"], words=given["measures"])
        media = take_photos(request, hazard, "submit", holder)
        submit_rectification(hazard, by=holder, at=at, words=given["words"], media=media)


def _inline(photos: list[Photo]) -> list[tuple[str, str]]:
    """Small pictures as part of the page, each with its time: an address of their own would need an account."""
    made = []
    for photo in photos:
        with suppress(FileNotFoundError):  # the page says the rest without it
            made.append((picture_uri(*shown_file(photo.media, is_small=True)), photo.when))
    return made

"""An insurer follows up what an enterprise found by itself: it becomes a hazard through the feed, like every other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from anze.exchange.feeds import FEEDS
from anze.exchange.screens.entry import save_record
from anze.exchange.senders import sending
from anze.hazards.actions.selfchecks import take_finding
from anze.hazards.models import Hazard, OwnFinding
from anze.hazards.rules import FindingState, HazardClass
from anze.kernel.refusal import Refused
from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.screen.columns import labels
from anze.screen.forms import Form
from anze.screen.lists import check_reader
from anze.screen.registry import page


class TakeForm(Form):
    hazard_class = forms.ChoiceField(
        label=_("Class of the hazard"), choices=lambda: list(labels(HazardClass.choices).items())
    )
    deadline_on = forms.DateField(label=_("To be rectified by"), widget=forms.DateInput())
    advice = forms.CharField(label=_("Advice"), required=False, max_length=500)


@page("hazards/self-checks/<uuid:pk>/take/", name="own-finding-take", title=_("Follow up as a hazard"),
      permission=Permission.ENTER_DATA, methods=("GET", "POST"))  # fmt: skip
def take(request: HttpRequest, pk: UUID) -> HttpResponse:
    check_reader(request, OwnFinding)
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    finding = OwnFinding.objects.filter(pk=pk).first()
    if finding is None or finding.insurer_id != actor.scope.insurer_id or finding.state == FindingState.TAKEN:
        raise Http404
    feed = FEEDS["hazards"]
    sender = sending(actor, feed)
    form = TakeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = f"ZC{finding.found_on:%y%m%d}{finding.pk.hex[-8:].upper()}"
        content = _row(finding, number, form.cleaned_data)
        batch, found = save_record(request, feed, sender, content, finding.pk.hex)
        hazard = Hazard.objects.filter(insurer_id=sender.pk, hazard_no=number).first() if batch else None
        if hazard is not None:
            take_finding(finding, by=actor, at=at, hazard=hazard)
            return redirect("hazard", hazard.pk)
        for problem in found:
            check = next((each for each in feed.checks if each.code == problem.code), None)
            message = check.message if check else problem.code
            form.refuse(Refused(problem.code, message, remedy=check.remedy if check else "", field=problem.field))
    status = 422 if form.is_bound and form.errors else 200
    words = {"form": form, "title": _("Follow up as a hazard")}
    return render(request, "hazards/own_finding_form.html", words, status=status)


def _row(finding: OwnFinding, number: str, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "hazard_no": number,
        "insured_uscc": Enterprise.objects.values_list("uscc", flat=True).get(pk=finding.enterprise_id),
        "source": "SELF_CHECK",
        "hazard_class": given["hazard_class"],
        "found_on": finding.found_on.isoformat(),
        "location": finding.location,
        "description": finding.description,
        "advice": given["advice"],
        "deadline_on": given["deadline_on"].isoformat(),
        "notified_principal": False,
        "state": "FOUND",
        "entry_code": finding.entry_code,
    }

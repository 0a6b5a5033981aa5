"""Insurers look for agencies and experts: by sector, region, qualification, load and quality, the choice free."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.parties.rules import Permission, QualificationKind
from anze.prevention.actions.agreements import standing_agreements
from anze.prevention.actions.dispatch import partners_for
from anze.prevention.screens.forms import city_choices, sector_choices
from anze.screen.columns import labels
from anze.screen.forms import Form
from anze.screen.registry import page

MOST = 60


class WhomForm(Form):
    kind = forms.ChoiceField(label=_("Whom"), choices=[("agency", _("agencies")), ("expert", _("experts"))])
    sector = forms.ChoiceField(label=_("Sector"))
    region = forms.ChoiceField(label=_("Region"), required=False)
    qualification = forms.ChoiceField(label=_("Qualification"), required=False)
    rating = forms.DecimalField(label=_("Rated at least"), required=False, min_value=1, max_value=5, decimal_places=1,
                                max_digits=2)  # fmt: skip
    load = forms.IntegerField(label=_("Visits in the next 30 days at most"), required=False, min_value=0)

    def __init__(self, request: HttpRequest, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        kinds = [each for each in labels(QualificationKind.choices).items() if each[0] != "LIABILITY_LICENCE"]
        self.fields["sector"].choices = sector_choices()  # type: ignore[attr-defined]
        self.fields["region"].choices = [("", _("all")), *city_choices(request.actor)]  # type: ignore[attr-defined]
        self.fields["qualification"].choices = [("", _("any")), *kinds]  # type: ignore[attr-defined]


@page(
    "prevention/partners/", name="service-partners", title=_("Find agencies and experts"), permission=Permission.RUN_SERVICES,
    in_menu=True, order=70, icon="users",
)  # fmt: skip
def partners(request: HttpRequest) -> HttpResponse:
    initial = {"kind": "agency", "sector": "SMELT"}
    form = WhomForm(request, request.GET if "kind" in request.GET else None, initial=initial)
    given: dict[str, Any] = form.cleaned_data if form.is_bound and form.is_valid() else initial
    found = partners_for(
        given["kind"], sector=given["sector"], region_code=given.get("region", ""),
        qualification=given.get("qualification", ""), on=beijing_day(request.at),  # type: ignore[attr-defined]
    )  # fmt: skip
    if given.get("rating"):
        found = [each for each in found if each.rating is not None and each.rating >= float(given["rating"])]
    if given.get("load") is not None:
        found = [each for each in found if each.load <= given["load"]]
    standing, insurer = {}, request.actor.scope.insurer_id  # type: ignore[attr-defined]
    if given["kind"] == "agency" and insurer is not None:
        today = beijing_day(request.at)  # type: ignore[attr-defined]
        standing = standing_agreements(insurer, [each.key for each in found[:MOST]], today)
    words = {"form": form, "found": found[:MOST], "number": len(found), "most": MOST, "opens": given["kind"],
             "standing": standing}  # fmt: skip
    return render(request, "prevention/partners.html", words)

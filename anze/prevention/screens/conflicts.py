"""Pages of conflicts of interest, and of those whom nobody may send."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.parties.models import Enterprise, Expert, Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.screens import AGENCY, ENTERPRISE
from anze.prevention.actions.orders import declare_conflict, end_conflict, may_end
from anze.prevention.models import Conflict
from anze.prevention.rules import ConflictReason
from anze.prevention.screens.forms import ReasonForm, answer_form
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Choice, InRegion, Search
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.registry import page

CONFLICTS = list_screen(
    ListScreen(
        name="conflicts",
        path="prevention/conflicts/",
        title=_("Conflicts of interest"),
        about=_("Agencies and experts that must not serve an enterprise, as declared by somebody concerned."),
        model=Conflict,
        permission=Permission.SEE_SERVICES,
        sort="-declared_on",
        detail="conflict",
        columns=(
            Column("reason"),
            ENTERPRISE,
            AGENCY,
            Column("expert__name", title=_("Expert"), opens="expert"),
            Column("note"),
            Column("declared_by"),
            Column("declared_on"),
            Column("ended_on"),
        ),
        filters=(
            Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise or credit code")),
            InRegion(),
            Choice("reason", main=True),
        ),
        tab_of={"enterprise": "enterprise", "agency": "agency", "expert": "expert"},
        buttons=(Button(_("Declare a conflict"), "conflict-new", Permission.SEE_SERVICES),),
        order=60,
        icon="scale",
    )
)


def _ways(request: HttpRequest, row: Any) -> list[Way]:
    if not may_end(row, request.actor):  # type: ignore[attr-defined]
        return []
    return [Way(_("End it"), reverse("conflict-end", args=[row.pk]), "lock-open")]


CONFLICT_PAGE = detail_screen(
    DetailScreen(
        name="conflict",
        path="prevention/conflicts/<uuid:pk>/",
        title=_("Conflict of interest"),
        model=Conflict,
        permission=Permission.SEE_SERVICES,
        named=(),
        of_list="conflicts",
        ways=_ways,
        sections=(
            Section(
                _("The conflict"),
                (
                    "reason",
                    ENTERPRISE,
                    AGENCY,
                    Column("expert__name", title=_("Expert"), opens="expert"),
                    "note",
                    "declared_by",
                    "declared_on",
                    "ended_on",
                    "end_reason",
                    "ended_by",
                ),
            ),
        ),
    )
)


class ConflictForm(Form):
    enterprise = forms.CharField(label=_("Credit code of the enterprise"), max_length=18)
    agency = forms.CharField(
        label=_("Agency code"), max_length=20, required=False, help_text=_("The agency, or the expert below.")
    )
    expert = forms.CharField(label=_("Expert number"), max_length=30, required=False)
    reason = forms.ChoiceField(label=_("Reason"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["reason"].choices = list(labels(ConflictReason.choices).items())  # type: ignore[attr-defined]

    def clean_enterprise(self) -> Enterprise:
        found = Enterprise.objects.filter(uscc=self.cleaned_data["enterprise"].strip().upper()).first()
        if found is None:
            raise forms.ValidationError(_("No enterprise of yours has this credit code. Copy it from its file."))
        return found

    def clean_agency(self) -> Organisation | None:
        code = self.cleaned_data["agency"].strip().upper()
        found = Organisation.objects.filter(code=code, kind=OrganisationKind.AGENCY).first() if code else None
        if code and found is None:
            raise forms.ValidationError(_("No agency has this code. Look it up in the list of agencies."))
        return found

    def clean_expert(self) -> Expert | None:
        number = self.cleaned_data["expert"].strip()
        found = Expert.objects.filter(number=number).first() if number else None
        if number and found is None:
            raise forms.ValidationError(_("No expert has this number. Look it up in the list of experts."))
        return found


@page("prevention/conflicts/new/", name="conflict-new", permission=Permission.SEE_SERVICES, methods=("GET", "POST"))
def declare(request: HttpRequest) -> HttpResponse:
    form = ConflictForm(request.POST if request.method == "POST" else None)

    def act(given: dict[str, Any]) -> str:
        declare_conflict(given.pop("enterprise"), by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("conflicts")

    return answer_form(
        request, form, act, title=_("Declare a conflict"), done=_("Declare"), back=reverse("conflicts"),
        back_title=_("Conflicts of interest"), about=_("Orders of this party for this enterprise are refused from now on."),
    )  # fmt: skip


@page("prevention/conflicts/<uuid:pk>/end/", name="conflict-end", permission=Permission.SEE_SERVICES,
      methods=("GET", "POST"))  # fmt: skip
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = CONFLICT_PAGE.row(request, pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)

    def act(given: dict[str, Any]) -> str:
        end_conflict(row, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("conflict", args=[pk])

    return answer_form(
        request, form, act, title=_("End the conflict"), done=_("End it"), back=reverse("conflict", args=[pk]),
        back_title=str(row), about=_("From tomorrow on orders of this party for this enterprise are taken again."),
    )  # fmt: skip

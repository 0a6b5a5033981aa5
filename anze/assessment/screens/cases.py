"""Confirmed cases of conduct, entered by authorities only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.assessment.actions.cases import Case, case_codes, confirm_case, subject_of, withdraw_case
from anze.assessment.models import ConductCase
from anze.assessment.rules import SubjectKind
from anze.assessment.screens.reports import ASSESSED, found_row
from anze.assessment.screens.words import element_name
from anze.kernel.refusal import Refused
from anze.kernel.scope import PROVINCE
from anze.parties.models import Expert, Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.screens import REGION_NAMES
from anze.prevention.screens.forms import ReasonForm, answer_form, region_choices
from anze.screen.columns import Column, Kind
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, InRegion
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.registry import page

SEE, ANSWER = Permission.SEE_ASSESSMENT, Permission.ANSWER_ASSESSMENT
REVIEW, DECIDE, CONFIRM = Permission.REVIEW_ASSESSMENT, Permission.DECIDE_APPEALS, Permission.CONFIRM_CASES


def _titled(asking: Asking, code: str, insurer: UUID | None, agency: UUID | None, expert: UUID | None) -> str:
    # an expert's case holds his agency too
    subject = SubjectKind.EXPERT if expert else SubjectKind.INSURER if insurer else SubjectKind.AGENCY
    return element_name(str(subject), code)


ITEM = Column(
    "item", title=_("Item"), kind=Kind.NAME, needs=("code", "insurer_id", "agency_id", "expert_id"), compute=_titled
)

CASES = list_screen(
    ListScreen(
        name="conduct-cases",
        path="assessment/cases/",
        title=_("Confirmed cases"),
        about=_(
            "What authorities confirmed: rate conduct, bonus, deduction, veto. The platform itself accuses nobody."
        ),
        model=ConductCase,
        permission=SEE,
        detail="conduct-case",
        sort="-happened_on",
        columns=(
            Column("document_no"),
            ITEM,
            Column("organisation"),
            Column("expert__name", title=_("Expert")),
            Column("region_code"),
            Column("happened_on"),
            Column("withdrawn_at"),
        ),
        filters=(InRegion(),),
        buttons=(Button(_("Enter a case"), "conduct-case-new", CONFIRM, "plus"),),
        order=63,
        icon="flag",
        not_in_menu_of=ASSESSED,
    )
)


def _case_ways(request: HttpRequest, case: Any) -> list[Way]:
    if case.withdrawn_at is None and request.actor.may(CONFIRM):  # type: ignore[attr-defined]
        return [Way(pgettext_lazy("case", "Withdraw"), reverse("conduct-case-withdraw", args=[case.pk]), "rotate")]
    return []


detail_screen(
    DetailScreen(
        name="conduct-case",
        path="assessment/cases/<uuid:pk>/",
        title=_("Confirmed case"),
        model=ConductCase,
        permission=SEE,
        named=("document_no",),
        of_list="conduct-cases",
        ways=_case_ways,
        sections=(
            Section(
                _("The case"),
                (
                    "organisation",
                    Column("expert__name", title=_("Expert"), opens="expert"),
                    ITEM,
                    "happened_on",
                    Column("region_code"),
                    "document_no",
                    "text",
                ),
            ),
            Section(
                pgettext_lazy("case", "Confirmed"),
                ("confirmed_at", "confirmed_by", "withdrawn_at", "withdrawn_by", "withdrawn_reason"),
            ),
        ),
    )
)


def about_of(organisation: str, number: str) -> Organisation | Expert:
    """The one organisation or expert somebody named."""
    expert = Expert.objects.filter(number=number).first() if number else None
    if number and expert is None:
        raise Refused("no_such_expert", _("No expert has this number."), remedy=_("Look at the list of experts."),
                      field="expert")  # fmt: skip
    if bool(organisation) == bool(expert):
        raise Refused(
            "about_one", _("A case is about one organisation or one expert."),
            remedy=_("Choose the organisation, or give the expert's number."), field="organisation",
        )  # fmt: skip
    return expert or Organisation.objects.get(pk=organisation)


def _item_of(about: Organisation | Expert, chosen: str) -> str:
    """The code chosen; V2 is something else with insurers than with experts."""
    subject, _space, code = chosen.partition(" ")
    if subject != subject_of(about):
        raise Refused(
            "item_of_others", _("This item stands in the scheme for %(whom)s."),
            remedy=_("Choose an item of the scheme that assesses whom the case is about."), field="code",
            values={"whom": SubjectKind(subject).label},
        )  # fmt: skip
    return code


class CaseForm(Form):
    organisation = forms.ChoiceField(label=pgettext_lazy("case", "About"), required=False)
    expert = forms.CharField(
        label=_("or an expert, by his number"), max_length=30, required=False,
        help_text=_("Instead of the organisation."),
    )  # fmt: skip
    code = forms.ChoiceField(label=_("Item of the scheme"))
    region = forms.ChoiceField(label=_("Region"))
    happened_on = forms.DateField(label=_("Day"), widget=forms.DateInput())
    document_no = forms.CharField(label=_("Document no."), max_length=80)
    text = forms.CharField(
        label=pgettext_lazy("case", "What was found"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )


@page(
    "assessment/cases/new/",
    name="conduct-case-new",
    title=_("Enter a case"),
    permission=CONFIRM,
    methods=("GET", "POST"),
)
def case_new(request: HttpRequest) -> HttpResponse:
    form = CaseForm(request.POST or None)
    kinds = (OrganisationKind.INSURER, OrganisationKind.AGENCY)
    parties = Organisation.objects.filter(kind__in=kinds, is_active=True).order_by("kind", "code")
    form.fields["organisation"].choices = [("", "–"), *((str(each.pk), str(each)) for each in parties)]  # type: ignore[attr-defined]
    form.fields["code"].choices = [  # type: ignore[attr-defined]
        (subject.label, [(f"{subject} {code}", title) for code, title in case_codes(subject).items()])
        for subject in SubjectKind
    ]
    form.fields["region"].choices = [  # type: ignore[attr-defined]
        # what the province found of an insurer as a whole is no city's
        *([(PROVINCE, REGION_NAMES.name(PROVINCE))] if request.actor.scope.covers_region(PROVINCE) else []),  # type: ignore[attr-defined]
        *region_choices(request.actor),  # type: ignore[attr-defined]
    ]

    def act(words: dict[str, Any]) -> str:
        about = about_of(words["organisation"], words["expert"].strip())
        case = Case(
            about,
            _item_of(about, words["code"]),
            words["happened_on"],
            words["document_no"],
            words["text"],
            words["region"],
        )
        made = confirm_case(case, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        return reverse("conduct-case", args=[made.pk])

    return answer_form(
        request, form, act, title=_("Enter a case"), done=_("Confirm the case"), back=reverse("conduct-cases"),
        back_title=_("Confirmed cases"),
        about=_("Only what an authority decided, with the number of its document. A veto leads to the last grade."),
    )  # fmt: skip


@page(
    "assessment/cases/<uuid:pk>/withdraw/",
    name="conduct-case-withdraw",
    title=pgettext_lazy("case", "Withdraw"),
    permission=CONFIRM,
    methods=("GET", "POST"),
)
def case_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    case = found_row(ConductCase, pk, request)

    def act(words: dict[str, Any]) -> str:
        withdraw_case(case, by=request.actor, at=request.at, reason=words["reason"])  # type: ignore[attr-defined]
        return reverse("conduct-case", args=[pk])

    return answer_form(
        request, ReasonForm(request.POST or None), act, title=pgettext_lazy("case", "Withdraw"), done=pgettext_lazy("case", "Withdraw"),
        back=reverse("conduct-case", args=[pk]), back_title=case.document_no,
    )  # fmt: skip

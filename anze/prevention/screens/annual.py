"""Pages of insurers' annual service plans."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.wording import listed
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.parties.screens import INSURER, insurer_filter
from anze.prevention.actions.plans import (
    accept_annual_plan,
    keep_annual_plan,
    return_annual_plan,
    submit_annual_plan,
)
from anze.prevention.models import AnnualPlan
from anze.prevention.rules import AnnualState, ServiceType
from anze.prevention.screens.forms import ReasonForm, answer_form
from anze.screen.columns import DASH, Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Numbers
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page

STATE = Column("state", tones={"SUBMITTED": "warning", "RETURNED": "danger", "ACCEPTED": "success"})


def own_drafts(rows: Any, asking: Asking) -> Any:
    return rows if asking.actor.scope.insurer_id else rows.exclude(state=AnnualState.DRAFT)


def _kinds(asking: Asking, services: dict[str, int]) -> str:
    names = labels(ServiceType.choices)
    return listed(f"{names.get(kind, kind)} {n:,}" for kind, n in services.items()) or DASH


ANNUALS = list_screen(
    ListScreen(
        name="annual-plans",
        path="prevention/annual-plans/",
        title=_("Annual plans"),
        about=_("What each insurer means to do in a year, and its expense budget target."),
        model=AnnualPlan,
        permission=Permission.SEE_SERVICES,
        detail="annual-plan",
        sort="-year",
        base=own_drafts,
        columns=(
            Column("year"),
            INSURER,
            STATE,
            Column("total_times"),
            Column("enterprises"),
            Column("budget"),
            Column("due_at"),
            Column("submitted_at"),
        ),
        filters=(
            insurer_filter(),
            Choice("state", main=True),
            Numbers("year"),
            Cases(
                "late",
                _("In time"),
                cases={"late": Case(_("not submitted, overdue"), lambda a: Q(state="DRAFT", due_at__lt=a.at))},
            ),
        ),
        tab_of={"insurer": "insurer"},
        buttons=(Button(_("Plan of a year"), "annual-plan-new", Permission.RUN_SERVICES),),
        order=8,
        icon="calendar",
    )
)


def _ways(request: HttpRequest, plan: AnnualPlan) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    if actor.scope.insurer_id == plan.insurer_id and actor.may(Permission.RUN_SERVICES):
        if plan.state in (AnnualState.DRAFT, AnnualState.RETURNED):
            return [
                Way(_("Edit"), f"{reverse('annual-plan-new')}?year={plan.year}", "edit"),
                Way(_("Submit"), reverse("annual-plan-submit", args=[plan.pk]), "send", "primary", at_once=True),
            ]
    elif actor.may(Permission.LIST_TASKS) and plan.state == AnnualState.SUBMITTED:
        return [
            Way(_("Accept"), reverse("annual-plan-accept", args=[plan.pk]), "check", "primary", at_once=True),
            Way(_("Return"), reverse("annual-plan-return", args=[plan.pk]), "rotate"),
        ]
    return []


ANNUAL_PAGE = detail_screen(
    DetailScreen(
        name="annual-plan",
        path="prevention/annual-plans/<uuid:pk>/",
        title=_("Annual plan"),
        model=AnnualPlan,
        permission=Permission.SEE_SERVICES,
        named=("insurer", "year"),
        state=STATE,
        of_list="annual-plans",
        base=own_drafts,
        ways=_ways,
        sections=(
            Section(
                _("The plan"),
                (
                    Column("insurer", opens="insurer"),
                    "year",
                    Column("services", title=_("Services by type"), needs=("services",), compute=_kinds),
                    "total_times",
                    "enterprises",
                    "budget",
                    "text",
                ),
            ),
            Section(_("The answer"), ("due_at", "submitted_at", "answered_at", "reason")),
        ),
    )
)
waiting(
    ANNUALS,
    "annual-plans-to-judge",
    _("Annual plans to judge"),
    why=_("Accept them, or return them with what is missing."),
    tone="warning",
    order=30,
    permission=Permission.LIST_TASKS,
    state="SUBMITTED",
)
waiting(
    ANNUALS,
    "annual-plans-returned",
    _("Annual plans returned"),
    why=_("The committee says what is missing."),
    tone="danger",
    order=18,
    permission=Permission.RUN_SERVICES,
    state="RETURNED",
)


class AnnualForm(Form):
    year = forms.IntegerField(label=_("Year"), min_value=2020, max_value=2100)
    enterprises = forms.IntegerField(label=_("Enterprises to be served"), min_value=0, max_value=1_000_000)
    budget = forms.DecimalField(
        label=_("Expense budget target"), min_value=0, max_digits=14, decimal_places=2, help_text=_("In yuan.")
    )
    text = forms.CharField(
        label=_("Measures"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}), required=False
    )

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.kinds = labels(ServiceType.choices)
        text = self.fields.pop("text")
        for kind, name in self.kinds.items():
            made = forms.IntegerField(label=name, min_value=0, max_value=1_000_000, required=False)
            made.widget.attrs["class"] = "form-control"
            self.fields[f"n_{kind}"] = made
        self.fields["text"] = text

    def content(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        given["services"] = {kind: given.pop(f"n_{kind}") or 0 for kind in self.kinds}
        return given


@page(
    "prevention/annual-plans/new/", name="annual-plan-new", permission=Permission.RUN_SERVICES, methods=("GET", "POST")
)
def annual_plan(request: HttpRequest) -> HttpResponse:
    """Begin the plan of a year, or change one that is not with the committee."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    today = beijing_day(at)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and len(asked) == 4 else today.year + (today.month > 10)
    known = AnnualPlan.objects.filter(insurer=actor.scope.insurer_id, year=year).first()
    initial: dict[str, Any] = {"year": year}
    if known:
        initial |= {"enterprises": known.enterprises, "budget": known.budget, "text": known.text}
        initial |= {f"n_{kind}": n for kind, n in known.services.items()}
    form = AnnualForm(request.POST if request.method == "POST" else None, initial=initial)
    insurer = Organisation.objects.get(pk=actor.scope.insurer_id)
    return answer_form(
        request, form,
        lambda _given: reverse("annual-plan", args=[keep_annual_plan(insurer, by=actor, at=at, **form.content()).pk]),
        title=_("Plan of a year"), done=_("Keep as a draft"), back=reverse("annual-plans"), back_title=_("Annual plans"),
        about=_("The committee sees it once you have submitted it."),
    )  # fmt: skip


def _page(name: str, permission: Permission, act: Any) -> None:
    @page(
        f"prevention/annual-plans/<uuid:pk>/{name}/",
        name=f"annual-plan-{name}",
        permission=permission,
        methods=("POST",),
    )
    def run(request: HttpRequest, pk: UUID) -> HttpResponse:
        plan = act(ANNUAL_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
        return redirect("annual-plan", plan.pk)


_page("submit", Permission.RUN_SERVICES, submit_annual_plan)
_page("accept", Permission.LIST_TASKS, accept_annual_plan)


@page(
    "prevention/annual-plans/<uuid:pk>/return/", name="annual-plan-return", permission=Permission.LIST_TASKS,
    methods=("GET", "POST"),
)  # fmt: skip
def give_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    plan: AnnualPlan = ANNUAL_PAGE.row(request, pk)
    back = reverse("annual-plan", args=[plan.pk])

    def act(given: dict[str, Any]) -> str:
        return_annual_plan(plan, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return back

    return answer_form(
        request, ReasonForm(request.POST if request.method == "POST" else None), act, title=_("Return the plan"),
        done=_("Return"), back=back, back_title=_("Annual plan"),
    )  # fmt: skip

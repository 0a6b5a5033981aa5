"""Policies that have no plan yet, and the enterprise's word on a plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.links import read_link
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import holder_of_link
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, insurer_filter
from anze.prevention.actions.plans import PLAN_LINK, confirm_plan, fingerprint, issue_plan_link
from anze.prevention.models import Plan
from anze.prevention.screens.records import PLAN_PAGE
from anze.screen.columns import Column
from anze.screen.filters import Asking, Choice, Dates, InRegion, Search
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri
from anze.underwriting.models import Policy


def without_plan(rows: Any, asking: Asking) -> Any:
    """In force, begun longer ago than a plan may take, and no plan on file."""
    today = beijing_day(asking.at)
    grace = timedelta(days=int(parameter("plan_grace_days", today)))
    planned = Plan.objects.filter(policy=OuterRef("pk"), is_void=False)
    return rows.filter(start_on__lt=today - grace, cover_end_on__gte=today).filter(~Exists(planned))


MISSING = list_screen(
    ListScreen(
        name="policies-without-plan",
        path="prevention/policies-without-plan/",
        title=_("Plans missing"),
        about=_("In force, and no service plan although the days allowed for it are over."),
        model=Policy,
        permission=Permission.SEE_SERVICES,
        detail="policy",
        sort="-start_on",
        base=without_plan,
        columns=(
            Column("policy_no"),
            ENTERPRISE,
            INSURER,
            Column("start_on"),
            Column("cover_end_on"),
            Column("region_code"),
            Column("sector"),
        ),
        filters=(
            Search(
                own=("policy_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Policy no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("sector", main=True),
            Dates("start_on"),
        ),
        buttons=(Button(_("Propose plans"), "plans-propose", Permission.RUN_SERVICES, "list-check"),),
        order=12,
        icon="alert-circle",
        not_in_menu_of=frozenset({"anze_agency", "anze_expert", "anze_enterprise"}),
    )
)  # fmt: skip
waiting(
    MISSING,
    "plans-missing",
    _("Policies without a service plan"),
    why=_("The days allowed after the start of the policy are over."),
    tone="danger",
    order=45,
    roles=frozenset({
        Role.INSURER_MANAGER, Role.INSURER_CLERK, Role.INSURER_BRANCH_MANAGER, Role.INSURER_BRANCH_CLERK,
        Role.COMMITTEE, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR,
    }),
)  # fmt: skip


@page(
    "prevention/plans/<uuid:pk>/confirm/", name="plan-confirm", permission=Permission.CONFIRM_PLANS, methods=("POST",)
)
def confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    plan = confirm_plan(PLAN_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("You have confirmed the plan."))
    return redirect("plan", plan.pk)


# without an account ---------------------------------------------------------------------------------------------


@page("prevention/plans/<uuid:pk>/link/", name="plan-link", title=_("Have a plan confirmed"),
      permission=Permission.RUN_SERVICES, methods=("GET", "POST"))  # fmt: skip
def plan_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hand a plan to an enterprise without an account: a code to scan, and an address to send."""
    plan = PLAN_PAGE.row(request, pk)
    words: dict[str, Any] = {**_told_of(plan), "address": ""}
    if request.method == "POST":
        token = issue_plan_link(plan, by=request.actor, at=request.at)  # type: ignore[attr-defined]
        words["address"] = request.build_absolute_uri(reverse("plan-by-link", args=[token]))
        words["code"] = qr_uri(words["address"])
    return render(request, "prevention/plan_link.html", words)


class Agreed(Form):
    name = forms.CharField(label=_("Your name"), max_length=60)
    seen = forms.CharField(widget=forms.HiddenInput)


@page("p/<str:token>/", name="plan-by-link", title=_("Service plan for your enterprise"), methods=("GET", "POST"),
      is_open=True)  # fmt: skip
def plan_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Opened by whoever holds the link: what the insurer will do at the enterprise this year, and a word on it."""
    at = request.at  # type: ignore[attr-defined]
    key = read_link(PLAN_LINK, token, at=at)
    with transaction.atomic(), widened(EVERYTHING):
        plan = Plan.objects.select_related("enterprise", "insurer", "policy").get(pk=key)
        shown = fingerprint(plan)
        form = Agreed(request.POST or None, initial={"seen": shown})
        if request.method == "POST" and form.is_valid():
            asking = request.actor  # type: ignore[attr-defined]
            holder = holder_of_link(
                plan.enterprise_id, form.cleaned_data["name"], Permission.CONFIRM_PLANS, address=asking.address,
                language=asking.language,
            )  # fmt: skip
            try:
                confirm_plan(plan, by=holder, at=at, seen=form.cleaned_data["seen"])
            except Refused as refused:
                form.refuse(refused)
                form.data = {**request.POST.dict(), "seen": shown}
            else:
                return redirect("plan-by-link", token)
        words = {**_told_of(plan), "form": form, "said": plan.confirmations.order_by("-confirmed_at").first()}
        return render(request, "prevention/plan_by_link.html", words, status=422 if form.is_bound else 200)


def _told_of(plan: Plan) -> dict[str, Any]:
    return {"plan": plan, "items": list(plan.items.select_related("agency", "task").order_by("seq"))}

"""Policies that have no plan yet, and the enterprise's word on a plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, insurer_filter
from anze.prevention.actions.plans import confirm_plan
from anze.prevention.models import Plan
from anze.prevention.screens.records import PLAN_PAGE
from anze.screen.columns import Column
from anze.screen.filters import Asking, Choice, Dates, InRegion, Search
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import page
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

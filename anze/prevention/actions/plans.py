"""Plans: an insurer's for a year, a policy's as proposed, and the enterprise's word on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.links import make_link
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, region_range, widened
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.prevention.models import FINGERPRINT, AnnualPlan, Plan, PlanConfirmation, Task, TaskShare
from anze.prevention.rules import AnnualState, ServiceForm, ShareState, TaskMeasure, TaskState
from anze.prevention.rules.plans import ANNUAL, SUBMIT_ANNUAL, Insured, ProposedItem, TaskWanted, propose
from anze.underwriting.models import Policy

# the year's plan of an insurer --------------------------------------------------------------------------------


@action(Permission.RUN_SERVICES, "annual_plan.kept")
def keep_annual_plan(
    insurer: Organisation,
    *,
    by: Actor,
    at: datetime,
    year: int,
    services: dict[str, int],
    enterprises: int,
    budget: Decimal,
    text: str,
) -> AnnualPlan:
    """Begin the plan of a year or change it, as long as the committee does not have it."""
    plan = AnnualPlan.objects.filter(insurer=insurer, year=year).first()
    if plan is not None and plan.state not in (AnnualState.DRAFT, AnnualState.RETURNED):
        raise Refused(
            "annual_plan_submitted",
            _("The plan of %(year)s is with the committee or accepted."),
            remedy=_("Ask the committee to return it if it has to be changed."),
            field="year",
            status=409,
            values={"year": year},
        )
    if not sum(services.values()):
        raise Refused(
            "no_services",
            _("The plan has no services."),
            remedy=_("Give the number for at least one kind."),
            field="text",
        )
    if plan is None:
        plan = AnnualPlan(
            insurer=insurer, year=year, due_at=SUBMIT_ANNUAL.due_at(date(year, 1, 1), calendar=load_calendar())
        )
    plan.services = {kind: n for kind, n in services.items() if n}
    plan.total_times = sum(services.values())
    plan.enterprises, plan.budget, plan.text = enterprises, budget, text
    plan.save()
    return plan


@action(Permission.RUN_SERVICES, "annual_plan.submitted")
def submit_annual_plan(plan: AnnualPlan, *, by: Actor, at: datetime) -> AnnualPlan:
    ANNUAL.move(plan, "submit", submitted_at=at, answered_at=None, reason="")
    return plan


@action(Permission.LIST_TASKS, "annual_plan.accepted")
def accept_annual_plan(plan: AnnualPlan, *, by: Actor, at: datetime) -> AnnualPlan:
    ANNUAL.move(plan, "accept", answered_at=at, reason="")
    return plan


@action(Permission.LIST_TASKS, "annual_plan.returned")
def return_annual_plan(plan: AnnualPlan, *, by: Actor, at: datetime, reason: str) -> AnnualPlan:
    ANNUAL.move(plan, "return", answered_at=at, reason=reason)
    return plan


# the enterprise's word ----------------------------------------------------------------------------------------


PLAN_LINK = "plan"


@action(Permission.RUN_SERVICES, "plan.link_issued")
def issue_plan_link(plan: Plan, *, by: Actor, at: datetime) -> str:
    """A link for the enterprise that has no account: it shows this plan and takes its word on it."""
    _check_is_open(plan)
    days = int(parameter("plan_link_days", beijing_day(at), plan.region_code))
    return make_link(PLAN_LINK, plan.pk, until=at + timedelta(days=days))


@action(Permission.CONFIRM_PLANS, "plan.confirmed")
def confirm_plan(plan: Plan, *, by: Actor, at: datetime, seen: str | None = None) -> Plan:
    """The enterprise agrees to the items as they stand. The same items need no second word after a correction.

    `seen` is the fingerprint of the items that were shown: agreed is what was read, not what was changed meanwhile."""
    if by.scope.enterprise_id != plan.enterprise_id:
        raise Refused(
            "not_your_plan",
            _("The plan is another enterprise's."),
            remedy=_("Open your own file."),
            status=403,
        )
    _check_is_open(plan)
    if seen is not None and seen != fingerprint(plan):
        raise Refused(
            "plan_changed",
            _("The insurer changed the plan while you were reading it."),
            remedy=_("Read the items once more and confirm them as they are now."),
            status=409,
        )
    PlanConfirmation.objects.create(
        plan=plan,
        items=fingerprint(plan),
        confirmed_at=at,
        confirmed_on=beijing_day(at),
        confirmed_by=by.name[:60],
        enterprise_id=plan.enterprise_id,
        insurer_id=plan.insurer_id,
        region_code=plan.region_code,
        sector=plan.sector,
    )
    plan.confirmed_on = beijing_day(at)
    plan.save(update_fields=["confirmed_on"])
    return plan


def _check_is_open(plan: Plan) -> None:
    if plan.is_void or plan.confirmed_on is not None:
        raise Refused(
            "nothing_to_confirm",
            _("This plan is void or confirmed already."),
            remedy=_("Reload the page."),
            status=409,
        )


def fingerprint(plan: Plan) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {FINGERPRINT.format(plan='%s')}", [plan.pk])
        return str(cursor.fetchone()[0])


# proposals ----------------------------------------------------------------------------------------------------


@dataclass
class Proposal:
    """What a policy's plan could be, with the reason of each item, and the agency that would do it."""

    policy: Policy
    items: list[ProposedItem] = field(default_factory=list)
    agency_code: str = ""
    agency_name: str = ""

    def form_of(self, item: ProposedItem) -> str:
        """Without an agency known there, experts are hired."""
        if item.form == ServiceForm.COMMISSIONED_TSP and not self.agency_code:
            return ServiceForm.HIRED_EXPERT.value
        return str(item.form)


def proposals_for(policies: Sequence[Policy], *, on: date) -> list[Proposal]:
    """Plans for policies of one insurer, set-based. A task of a number goes to the policies first in the list."""
    if not policies:
        return []
    insurer = policies[0].insurer_id
    with widened(EVERYTHING):
        tasks = _tasks_left(insurer, on)
        agencies = _agencies(insurer, policies)
    made = []
    for policy in policies:
        wanted = []
        for each in tasks:
            if each.left > 0 and each.holds(policy):
                each.left -= 1
                wanted.append(each.wanted)
        insured = Insured(
            start_on=max(policy.start_on, min(on, policy.cover_end_on)),
            end_on=policy.cover_end_on,
            usual_visits=policy.usual_visits,
            agreed_visits=policy.agreed_frequency,
            agreed_types=tuple(policy.agreed_service_types),
            risk_tier=policy.enterprise.get_risk_tier_display(),
            size=policy.enterprise.get_size_display(),
        )
        code, name = agencies.get(policy.enterprise_id) or agencies.get(policy.region_code[:4]) or ("", "")
        made.append(Proposal(policy, propose(insured, wanted), code, name))
    return made


@dataclass
class _Left:
    """A task the insurer has accepted, and how much of its share no plan serves yet."""

    task: Task
    left: int

    @property
    def wanted(self) -> TaskWanted:
        task = self.task
        return TaskWanted(task.code, task.title, task.service_type, task.starts_on, task.ends_on)

    def holds(self, policy: Policy) -> bool:
        task = self.task
        if task.sectors and policy.sector not in task.sectors:
            return False
        if not task.regions:
            return True
        return any(low <= policy.region_code <= high for low, high in map(region_range, task.regions))


def _tasks_left(insurer: UUID, on: date) -> list[_Left]:
    shares = list(
        TaskShare.objects.filter(
            insurer=insurer, state=ShareState.ACCEPTED, task__state=TaskState.ISSUED, task__ends_on__gte=on
        )
        .select_related("task")
        .order_by("task__ends_on", "task__code")
    )
    keys = [share.task_id for share in shares]
    planned: dict[UUID, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_id, sum(times) FROM ("
            "SELECT task_id, id, times FROM prevention_planitem WHERE insurer_id = %s AND task_id = ANY(%s) UNION "
            "SELECT o.task_id, i.id, i.times FROM prevention_order o JOIN prevention_planitem i ON i.id = o.plan_item_id "
            "WHERE o.insurer_id = %s AND o.task_id = ANY(%s) AND o.state NOT IN ('DECLINED', 'CANCELLED')) AS items "
            "GROUP BY 1",
            [insurer, keys, insurer, keys],
        )
        planned.update(cursor.fetchall())
    every = TaskMeasure.EACH_ENTERPRISE
    return [
        _Left(share.task, 10**9 if share.task.measure == every else share.times - planned[share.task_id])
        for share in shares
    ]


def _agencies(insurer: UUID, policies: Sequence[Policy]) -> dict[Any, tuple[str, str]]:
    """Enterprise → the agency that served it last for this insurer; city → the one that serves most there."""
    found: dict[Any, tuple[str, str]] = {}
    agencies = {
        each.pk: (each.code, str(each))
        for each in Organisation.objects.filter(kind=OrganisationKind.AGENCY, is_active=True)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (left(region_code, 4)) left(region_code, 4), agency_id FROM ("
            "SELECT region_code, agency_id, count(*) AS n FROM prevention_planitem "
            "WHERE insurer_id = %s AND agency_id IS NOT NULL GROUP BY 1, 2) AS used ORDER BY 1, n DESC, agency_id",
            [insurer],
        )
        rows = list(cursor.fetchall())
        cursor.execute(
            "SELECT DISTINCT ON (enterprise_id) enterprise_id, agency_id FROM prevention_planitem "
            "WHERE insurer_id = %s AND enterprise_id = ANY(%s) AND agency_id IS NOT NULL "
            "ORDER BY enterprise_id, window_end_on DESC",
            [insurer, [policy.enterprise_id for policy in policies]],
        )
        rows += cursor.fetchall()
    for key, agency in rows:
        if agency in agencies:
            found[key] = agencies[agency]
    return found

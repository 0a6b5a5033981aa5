"""An insurer's plan for a year, and the plan of one policy worked out from risk, size, contract and tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.refusal import filled
from anze.parties.rules import Permission
from anze.prevention.rules.records import ServiceForm, ServiceType


class AnnualState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("annual plan", "draft")
    SUBMITTED = "SUBMITTED", pgettext_lazy("annual plan", "submitted")
    RETURNED = "RETURNED", pgettext_lazy("annual plan", "returned")
    ACCEPTED = "ACCEPTED", pgettext_lazy("annual plan", "accepted")


ANNUAL = Lifecycle(
    "DRAFT",
    (
        Transition("submit", ("DRAFT", "RETURNED"), "SUBMITTED", _("Submit"), Permission.RUN_SERVICES),
        Transition("return", ("SUBMITTED",), "RETURNED", _("Return"), Permission.LIST_TASKS),
        Transition("accept", ("SUBMITTED",), "ACCEPTED", _("Accept"), Permission.LIST_TASKS),
    ),
)

# the days run from 1 January of the plan's year
SUBMIT_ANNUAL = Duty(
    "SUBMIT_ANNUAL",
    _("Submit the annual service plan"),
    "annual_plan_days",
    "DAYS",
    OURS,
    (Party.INSURER,),
    pgettext_lazy("clock starts", "1 January of the year"),
)


@dataclass(frozen=True)
class TaskWanted:
    """An accepted task the enterprise falls under."""

    code: str
    title: str
    service_type: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Insured:
    """What is known of a policy and its enterprise when a plan is proposed."""

    start_on: date
    end_on: date
    usual_visits: int  # by the matrix of risk and size
    agreed_visits: int | None = None  # by the contract
    agreed_types: tuple[str, ...] = ()
    risk_tier: str = ""
    size: str = ""


@dataclass(frozen=True)
class ProposedItem:
    service_type: str
    form: str
    times: int
    window_start_on: date
    window_end_on: date
    why: str | Promise
    values: tuple[tuple[str, object], ...] = ()
    task_code: str = ""

    @property
    def reason(self) -> str:
        return filled(self.why, dict(self.values))


def visits_in(insured: Insured) -> int:
    """Visits of a policy period: the yearly number pro rata, at least one, and at least what the contract says."""
    days = (insured.end_on - insured.start_on).days + 1
    yearly = max(insured.usual_visits, insured.agreed_visits or 0)
    return max(1, -(-yearly * min(days, 366) // 366)) if days < 360 else yearly


def propose(insured: Insured, tasks: Sequence[TaskWanted] = ()) -> list[ProposedItem]:
    """The plan of one policy: hazard inspections first, since they are the core; one of the visits is a training
    where there are several; what the contract names and no item has yet comes on top; then the tasks, as far as no
    item of theirs serves them already.
    """
    visits = visits_in(insured)
    trainings = 1 if visits >= 3 else 0
    by_contract = (insured.agreed_visits or 0) > insured.usual_visits
    why = (
        ngettext_lazy(
            "%(visits)s visit in the period by the contract",
            "%(visits)s visits in the period by the contract",
            "visits",
        )
        if by_contract
        else ngettext_lazy(
            "%(visits)s visit in the period for risk %(risk)s and size %(size)s",
            "%(visits)s visits in the period for risk %(risk)s and size %(size)s",
            "visits",
        )
    )
    values = (("visits", visits), ("risk", insured.risk_tier), ("size", insured.size))
    items = [
        ProposedItem(
            ServiceType.HAZARD, ServiceForm.COMMISSIONED_TSP, visits - trainings, insured.start_on, insured.end_on,
            why, values,
        )
    ]  # fmt: skip
    if trainings:
        items.append(
            ProposedItem(
                ServiceType.TRAIN, ServiceForm.OWN_STAFF, 1, insured.start_on, insured.end_on,
                _("one of the %(visits)s visits is a training"), values,
            )
        )  # fmt: skip
    have = {item.service_type for item in items}
    for kind in insured.agreed_types:
        if kind not in have:
            have.add(kind)
            items.append(
                ProposedItem(
                    kind, ServiceForm.COMMISSIONED_TSP, 1, insured.start_on, insured.end_on,
                    _("named in the contract"),
                )
            )  # fmt: skip
    return _with_tasks(items, insured, tasks)


def _with_tasks(items: list[ProposedItem], insured: Insured, tasks: Sequence[TaskWanted]) -> list[ProposedItem]:
    """A task is served by one of the visits of its kind as long as there is one, so that nobody is visited twice for
    the same thing; else it is a visit more."""
    served: list[ProposedItem] = []
    for task in sorted(tasks, key=lambda each: (each.ends_on, each.code)):
        start = max(task.starts_on, insured.start_on)
        end = min(task.ends_on, insured.end_on)
        if start > end:
            continue
        why: str | Promise = _("task “%(task)s”, a visit more")
        for n, item in enumerate(items):
            if item.service_type == task.service_type:
                why = _("task “%(task)s”, by one of the visits of risk, size and contract")
                items[n : n + 1] = [replace(item, times=item.times - 1)] if item.times > 1 else []
                break
        served.append(
            ProposedItem(
                task.service_type,
                ServiceForm.COMMISSIONED_TSP,
                1,
                start,
                end,
                why,
                (("task", task.title),),
                task.code,
            )
        )
    return items + served


def spread(start: date, end: date, times: int) -> list[date]:
    """Days for so many visits, evenly over a window."""
    length = (end - start).days + 1
    return [start + timedelta(days=(2 * n + 1) * length // (2 * times)) for n in range(times)]

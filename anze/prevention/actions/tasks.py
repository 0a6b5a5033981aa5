"""The committee lists tasks, divides them among the insurers, and the insurers answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, region_range, widened
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.prevention.actions.topics import check_days
from anze.prevention.models import Task, TaskShare
from anze.prevention.rules import ShareRule, ShareState, TaskMeasure, TaskState
from anze.prevention.rules.topics import ANSWER_TASK, SHARE, TASK, allocate, allocate_by_group


@action(Permission.LIST_TASKS, "task.drafted")
def draft_task(committee: Organisation, /, *, by: Actor, at: datetime, **values: Any) -> Task:
    task = Task(region_code=committee.region_id, **_checked(values))
    _save(task, is_new=True)
    return task


@action(Permission.LIST_TASKS, "task.changed")
def change_task(task: Task, /, *, by: Actor, at: datetime, **values: Any) -> Task:
    if task.state != TaskState.DRAFT:
        raise Refused(
            "task_issued",
            _("An issued task is not changed any more."),
            remedy=_("Withdraw it with the reason and list another one."),
            status=409,
        )
    for name, value in _checked(values).items():
        setattr(task, name, value)
    _save(task)
    return task


@action(Permission.LIST_TASKS, "task.issued")
def issue_task(task: Task, *, by: Actor, at: datetime) -> Task:
    """Send each insurer its share, as the preview showed it for this day; each has some working days to answer."""
    parts = work_out_shares(task, on=beijing_day(at))
    TASK.move(task, "issue", issued_at=at, total_times=sum(part.times for part in parts))
    due = ANSWER_TASK.due_at(beijing_day(at), calendar=load_calendar())
    TaskShare.objects.bulk_create(
        TaskShare(
            task=task,
            task_code=task.code,
            insurer_id=part.insurer_id,
            part=part.part,
            times=part.times,
            inside=part.inside,
            answer_due_at=due,
        )
        for part in parts
        if part.times
    )
    return task


@action(Permission.LIST_TASKS, "task.withdrawn")
def withdraw_task(task: Task, *, by: Actor, at: datetime, reason: str) -> Task:
    """Take a task back from every insurer. What was planned and done for it stays on file."""
    TASK.move(task, "withdraw", withdrawn_at=at, reason=reason)
    TaskShare.objects.filter(task=task).exclude(state=ShareState.WITHDRAWN).update(state=ShareState.WITHDRAWN)
    return task


@action(Permission.RUN_SERVICES, "task_share.accepted")
def accept_share(share: TaskShare, *, by: Actor, at: datetime) -> TaskShare:
    SHARE.move(share, "accept", answered_at=at, reason="")
    return share


@action(Permission.RUN_SERVICES, "task_share.declined")
def decline_share(share: TaskShare, *, by: Actor, at: datetime, reason: str) -> TaskShare:
    SHARE.move(share, "decline", answered_at=at, reason=reason)
    return share


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    check_days(values["starts_on"], values["ends_on"])
    topic = values.get("topic")
    if topic is not None and topic.state != "ISSUED" and topic.state != "CLOSED":
        raise Refused("topic_not_issued", _("The topic is not issued."), remedy=_("Choose another one."), field="topic")
    if values["measure"] == TaskMeasure.TIMES:
        if values["rule"] == ShareRule.FIXED:
            values["total_times"] = sum(values["fixed"].values())
        if not values["total_times"]:
            raise Refused(
                "no_total",
                _("A number of services is missing."),
                remedy=_("Say how many services there are to be in all, or for each insurer."),
                field="fixed" if values["rule"] == ShareRule.FIXED else "total_times",
            )
        if values["rule"] == ShareRule.PREMIUM:
            if not (values["base_from"] and values["base_to"]):
                raise Refused(
                    "no_base_period",
                    _("The period of the premium is missing."),
                    remedy=_("Give the first and the last day, for example of last year."),
                    field="base_from",
                )
            check_days(values["base_from"], values["base_to"])
    return values


def _save(task: Task, *, is_new: bool = False) -> None:
    try:
        with transaction.atomic():
            task.save(force_insert=is_new)
    except IntegrityError as problem:
        if "code" not in str(problem):
            raise
        raise Refused(
            "number_taken", _("This number is in use already."), remedy=_("Choose another one."), field="code"
        ) from None


# dividing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """What an insurer would get, and why. The base itself, which may be a premium, does not leave this room."""

    insurer_id: UUID
    name: str
    times: int
    part: Decimal | None
    inside: dict[str, int] = field(default_factory=dict)


def work_out_shares(task: Task, *, on: date) -> list[Part]:
    """Each insurer's part of the task by its rule, from the figures on file; set-based, the largest first."""
    with widened(EVERYTHING):
        insurers = {row.pk: row for row in Organisation.objects.filter(kind=OrganisationKind.INSURER, is_active=True)}
        inside: dict[UUID, dict[str, int]] = {}
        bases: dict[UUID, Decimal | int]
        if task.measure == TaskMeasure.EACH_ENTERPRISE:
            bases = _only(insurers, _enterprises_once(task, on))
            times = {key: int(base) for key, base in bases.items()}
        elif task.rule == ShareRule.FIXED:
            codes = {row.code: key for key, row in insurers.items()}
            bases = {codes[code]: number for code, number in task.fixed.items() if code in codes}
            times = {key: int(base) for key, base in bases.items()}
        elif task.rule == ShareRule.PREMIUM:
            bases = _only(insurers, _premium(task))
            times = allocate(task.total_times, bases)
        else:
            found = {(group, key): n for (group, key), n in _insured(task, on).items() if key in insurers}
            times, inside = allocate_by_group(task.total_times, found)
            bases = {}
            for (_group, key), n in found.items():
                bases[key] = bases.get(key, 0) + n
    if not sum(times.values()):
        raise Refused(
            "nobody_to_share",
            _("By this rule and filter nobody gets anything: no insurer has any base."),
            remedy=_("Widen the regions, sectors or the period, or choose another rule."),
            field="rule",
        )
    whole = Decimal(sum(Decimal(base) for base in bases.values()))
    parts = [
        Part(
            key,
            str(insurers[key]),
            number,
            (Decimal(bases[key]) / whole).quantize(Decimal("0.000001")) if whole else None,
            inside.get(key, {}),
        )
        for key, number in times.items()
    ]
    return sorted(parts, key=lambda part: (-part.times, -(part.part or 0), part.name))


def _only(insurers: dict[UUID, Organisation], bases: dict[UUID, Any]) -> dict[UUID, Any]:
    return {key: base for key, base in bases.items() if key in insurers and base > 0}


def _filter(regions: Sequence[str], sectors: Sequence[str]) -> tuple[str, list[Any]]:
    """SQL for rows of the task's regions and sectors; empty lists stand for all."""
    conditions = ["true"]
    words: list[Any] = []
    if sectors:
        conditions.append("sector = ANY(%s)")
        words.append(list(sectors))
    if regions:
        conditions.append("(" + " OR ".join("region_code BETWEEN %s AND %s" for _each in regions) + ")")
        for code in regions:
            words += region_range(code)
    return " AND ".join(conditions), words


def _rows(sql: str, words: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, words)
        return list(cursor.fetchall())


def _premium(task: Task) -> dict[UUID, Decimal]:
    condition, words = _filter(task.regions, task.sectors)
    return dict(
        _rows(
            "SELECT insurer_id, sum(amount) FROM underwriting_premiumreceipt WHERE NOT is_void "
            f"AND received_on BETWEEN %s AND %s AND {condition} GROUP BY 1",
            [task.base_from, task.base_to, *words],
        )
    )


def _insured(task: Task, on: date) -> dict[tuple[str, UUID], int]:
    """(city or sector, insurer) → enterprises insured on the day."""
    condition, words = _filter(task.regions, task.sectors)
    group = "left(region_code, 4) || '00'" if task.rule == ShareRule.REGION else "sector"
    found = _rows(
        f"SELECT {group}, insurer_id, count(DISTINCT enterprise_id) FROM underwriting_policy "
        f"WHERE NOT is_void AND start_on <= %s AND cover_end_on >= %s AND {condition} GROUP BY 1, 2",
        [on, on, *words],
    )
    return {(group, insurer): n for group, insurer, n in found}


def _enterprises_once(task: Task, on: date) -> dict[UUID, int]:
    """Insurer → enterprises of the filter; one insured with two is counted for whoever insured it last."""
    condition, words = _filter(task.regions, task.sectors)
    return dict(
        _rows(
            "SELECT insurer_id, count(*) FROM (SELECT DISTINCT ON (enterprise_id) insurer_id "
            f"FROM underwriting_policy WHERE NOT is_void AND start_on <= %s AND cover_end_on >= %s AND {condition} "
            "ORDER BY enterprise_id, start_on DESC, id DESC) AS last GROUP BY 1",
            [on, on, *words],
        )
    )

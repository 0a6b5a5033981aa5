"""How far the insurers are with their tasks: given, planned, ordered, done — each number opens its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.parties.rules import Permission
from anze.parties.screens import ORGANISATION_NAMES
from anze.prevention.models import Task, TaskShare
from anze.prevention.rules import ShareState, TaskState
from anze.prevention.rules.orders import ON_THE_WAY
from anze.screen.columns import labels
from anze.screen.forms import Form, Several
from anze.screen.registry import page

AT_ONCE = 6  # tasks side by side

_PROGRESS = """
WITH planned AS (
    SELECT task_id, insurer_id, sum(times) AS n FROM (
        SELECT i.task_id, i.insurer_id, i.id, i.times FROM prevention_planitem i WHERE i.task_id = ANY(%(tasks)s)
        UNION
        SELECT o.task_id, o.insurer_id, i.id, i.times FROM prevention_order o
        JOIN prevention_planitem i ON i.id = o.plan_item_id
        WHERE o.task_id = ANY(%(tasks)s) AND o.state IN ('SENT', 'ACCEPTED', 'IN_SERVICE', 'DONE')
    ) AS items GROUP BY 1, 2
), ordered AS (
    SELECT task_id, insurer_id, count(*) AS n FROM prevention_order
    WHERE task_id = ANY(%(tasks)s) AND state IN ('SENT', 'ACCEPTED', 'IN_SERVICE', 'DONE') GROUP BY 1, 2
), done AS (
    SELECT task_id, insurer_id, count(*) AS n FROM (
        SELECT o.task_id, o.insurer_id, o.service_id FROM prevention_order o
        WHERE o.task_id = ANY(%(tasks)s) AND o.service_id IS NOT NULL
        UNION
        SELECT i.task_id, i.insurer_id, s.id FROM prevention_planitem i
        JOIN prevention_service s ON s.plan_item_id = i.id AND NOT s.is_void WHERE i.task_id = ANY(%(tasks)s)
    ) AS services GROUP BY 1, 2
)
SELECT h.task_id, h.insurer_id, h.id, h.state, h.times, coalesce(p.n, 0), coalesce(o.n, 0), coalesce(d.n, 0)
FROM prevention_taskshare h
LEFT JOIN planned p USING (task_id, insurer_id)
LEFT JOIN ordered o USING (task_id, insurer_id)
LEFT JOIN done d USING (task_id, insurer_id)
WHERE h.task_id = ANY(%(tasks)s)
"""
TONES = {"SENT": "warning", "ACCEPTED": "success", "DECLINED": "danger"}


@dataclass(frozen=True)
class Figures:
    """An insurer at one task."""

    task_id: UUID
    insurer_id: UUID
    share_id: UUID
    state: str
    times: int
    planned: int
    ordered: int
    done: int

    @property
    def words(self) -> dict[str, str]:
        return {"task": str(self.task_id), "insurer": str(self.insurer_id)}

    @property
    def ordered_words(self) -> dict[str, Any]:
        return {**self.words, "state": [state.value for state in ON_THE_WAY]}

    @property
    def state_name(self) -> str:
        return labels(ShareState.choices)[self.state]

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "")


@dataclass(frozen=True)
class Line:
    """An insurer at all the tasks shown; on a phone its sums stand for it until it is unfolded."""

    name: str
    url: str
    cells: list[Figures | None]

    @property
    def times(self) -> int:
        return sum(each.times for each in self.cells if each)

    @property
    def done(self) -> int:
        return sum(each.done for each in self.cells if each)

    @property
    def unanswered(self) -> str:
        """What is said of one who has not answered all of them."""
        waits = any(each.state == ShareState.SENT for each in self.cells if each)
        return str(ShareState.SENT.label) if waits else ""


def progress_of(tasks: list[UUID]) -> list[Figures]:
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS, {"tasks": tasks})
        return [Figures(*row) for row in cursor.fetchall()]


class _Which(Form):
    task = Several(label=_("Tasks"), required=False)

    def __init__(self, offered: list[Task], chosen: dict[str, list[str]]) -> None:
        super().__init__(initial=chosen)
        choices = [(str(task.pk), f"{task.code} · {task.title}") for task in offered]
        self.fields["task"].choices = choices  # type: ignore[attr-defined]


@page(
    "prevention/progress/",
    name="progress",
    title=_("Progress of tasks"),
    permission=Permission.SEE_SERVICES,
    in_menu=True,
    order=6,
    icon="chart-bar",
    not_in_menu_of=frozenset({"anze_agency", "anze_expert", "anze_enterprise"}),
)
def progress(request: HttpRequest) -> HttpResponse:
    """Tasks side by side, insurers below one another."""
    offered = Task.objects.filter(state=TaskState.ISSUED).order_by("-starts_on", "-id")
    named = _keys(request.GET.getlist("task"))
    shown = list(offered.filter(pk__in=named) if named else offered[:AT_ONCE])[:AT_ONCE]
    found: list[Figures] = []
    if shown and request.actor.scope.reader in _READERS:  # type: ignore[attr-defined]
        found = progress_of([task.pk for task in shown])
    cells = {(each.insurer_id, each.task_id): each for each in found}
    insurers = sorted({each.insurer_id for each in found}, key=lambda key: -sum(
        each.times for each in found if each.insurer_id == key
    ))  # fmt: skip
    rows = [
        Line(
            ORGANISATION_NAMES.name(key), reverse("insurer", args=[key]), [cells.get((key, task.pk)) for task in shown]
        )
        for key in insurers
    ]
    words: dict[str, Any] = {
        "tasks": shown, "tasks_by_key": {task.pk: task for task in shown}, "rows": rows, "sums": [_sum(found, task.pk) for task in shown],
        "which": _Which(list(offered[:60]), {"task": [str(task.pk) for task in shown]}),
    }  # fmt: skip
    return render(request, "prevention/progress.html", words)


_READERS = {"anze_all", "anze_region", "anze_sector", "anze_insurer"}
assert TaskShare.policies.keys() <= _READERS


def _sum(found: list[Figures], task: UUID) -> dict[str, Any]:
    of = [each for each in found if each.task_id == task]
    accepted = sum(each.state == ShareState.ACCEPTED for each in of)
    return {
        "accepted": accepted, "asked": len(of), "times": sum(each.times for each in of),
        "planned": sum(each.planned for each in of), "ordered": sum(each.ordered for each in of),
        "done": sum(each.done for each in of),
    }  # fmt: skip


def _keys(given: list[str]) -> list[UUID]:
    keys = []
    for each in given[:AT_ONCE]:
        try:
            keys.append(UUID(each))
        except ValueError:
            continue
    return keys

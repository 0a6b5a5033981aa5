"""Pages of tasks: listing, the preview before issuing, the insurers' shares and answers, progress."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.wording import listed
from anze.library.screens.checklists import CHECKLIST, checklist_choices
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission, Role
from anze.parties.screens import INSURER, ORGANISATION_NAMES, REGION_NAMES, insurer_filter
from anze.prevention.actions.tasks import (
    Part,
    accept_share,
    change_task,
    decline_share,
    draft_task,
    issue_task,
    withdraw_task,
    work_out_shares,
)
from anze.prevention.models import Task, TaskShare, Topic
from anze.prevention.rules import ServiceType, ShareRule, ShareState, TaskMeasure, TaskState
from anze.prevention.screens.chain import task_crumbs, topic_crumb
from anze.prevention.screens.forms import (
    ReasonForm,
    answer_form,
    region_groups,
    region_names,
    sector_choices,
    sector_names,
)
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Search
from anze.screen.forms import Form, Several
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.pages import percent
from anze.screen.registry import Hit, page, search
from anze.screen.registry import Search as SearchAnswer

TASK_STATE = Column("state", tones={"ISSUED": "success", "DRAFT": "warning", "WITHDRAWN": "danger"})
SHARE_STATE = Column("state", tones={"SENT": "warning", "ACCEPTED": "success", "DECLINED": "danger"})
REGIONS = Column("regions", title=_("Only in"), needs=("regions",), compute=region_names)
SECTORS = Column("sectors", title=_("Only for"), needs=("sectors",), compute=sector_names)


def drafts_of_committee(rows: Any, asking: Asking) -> Any:
    return rows if asking.actor.may(Permission.LIST_TASKS) else rows.exclude(state=TaskState.DRAFT)


TASKS = list_screen(
    ListScreen(
        name="tasks",
        path="prevention/tasks/",
        title=_("Tasks"),
        about=_("What the committee has made of the topics: which services, how many, where, until when."),
        model=Task,
        permission=Permission.SEE_SERVICES,
        detail="task",
        sort="-starts_on",
        base=drafts_of_committee,
        columns=(
            Column("title"),
            Column("topic__title", title=_("Topic"), opens="topic"),
            TASK_STATE,
            Column("service_type"),
            Column("total_times", hide_for="insurer_id"),
            Column("starts_on"),
            Column("ends_on"),
            Column("code", optional=True),
            REGIONS,
            SECTORS,
            Column("rule", optional=True),
            Column("issued_at", optional=True),
        ),
        filters=(
            Search(own=("code",), inside=("title",), title=_("Task no. or title")),
            Choice("state", main=True),
            Choice("service_type", main=True),
            Dates("starts_on"),
            Dates("ends_on"),
        ),
        tab_of={"topic": "topic"},
        buttons=(Button(_("New task"), "task-new", Permission.LIST_TASKS),),
        order=4,
        icon="list-check",
        not_in_menu_of=frozenset({"anze_agency", "anze_expert", "anze_enterprise"}),
    )
)


def _ways(request: HttpRequest, task: Task) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    if actor.may(Permission.LIST_TASKS):
        if task.state == TaskState.DRAFT:
            return [
                Way(_("Edit"), reverse("task-edit", args=[task.pk]), "edit"),
                Way(_("Preview the shares"), reverse("task-preview", args=[task.pk]), "eye", "primary"),
            ]
        if task.state == TaskState.ISSUED:
            return [
                Way(_("Progress"), f"{reverse('progress')}?task={task.pk}", "chart-bar"),
                Way(_("Withdraw"), reverse("task-withdraw", args=[task.pk]), "x"),
            ]
    if actor.scope.insurer_id and actor.may(Permission.RUN_SERVICES):
        share = TaskShare.objects.filter(task=task, insurer=actor.scope.insurer_id).first()
        if share is not None:
            return [Way(_("Your share"), reverse("task-share", args=[share.pk]), "clipboard-list", "primary")]
    return []


TASK_PAGE = detail_screen(
    DetailScreen(
        name="task",
        path="prevention/tasks/<uuid:pk>/",
        title=_("Task"),
        model=Task,
        permission=Permission.SEE_SERVICES,
        named=("title",),
        state=TASK_STATE,
        of_list="tasks",
        base=drafts_of_committee,
        climb=lambda request, task: topic_crumb(task.topic_id),
        ways=_ways,
        sections=(
            Section(
                _("What is to be done"),
                (
                    "service_type", "goals", "measure", Column("total_times", hide_for="insurer_id"), CHECKLIST,
                    "starts_on", "ends_on", REGIONS, SECTORS,
                ),
            ),
            Section(
                _("How it is divided"), ("code", "rule", "base_from", "base_to", "issued_at", "withdrawn_at", "reason"),
                hides_empty=True,
            ),
        ),
    )
)  # fmt: skip


def _share_ways(request: HttpRequest, share: TaskShare) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    ways = []
    if actor.scope.insurer_id == share.insurer_id and actor.may(Permission.RUN_SERVICES):
        if share.state in (ShareState.SENT, ShareState.DECLINED):
            ways.append(
                Way(_("Accept"), reverse("task-share-accept", args=[share.pk]), "check", "primary", at_once=True)
            )
        if share.state == ShareState.SENT:
            ways.append(Way(_("Decline"), reverse("task-share-decline", args=[share.pk]), "x"))
        if share.state == ShareState.ACCEPTED:
            ways.append(Way(_("Place orders"), f"{reverse('orders-bulk')}?task={share.task_id}", "send", "primary"))
    return ways


def _late(asking: Asking) -> Q:
    return Q(state="SENT", answer_due_at__lt=asking.at)


SHARES = list_screen(
    ListScreen(
        name="task-shares",
        path="prevention/task-shares/",
        title=_("Shares of tasks"),
        about=_("What each insurer was given of a task, and whether it has accepted."),
        model=TaskShare,
        permission=Permission.SEE_SERVICES,
        detail="task-share",
        sort="-answer_due_at",
        columns=(
            Column("task__title", title=_("Task"), opens="task-share", opens_row=True),
            INSURER,
            Column("times"),
            Column("part", title=_("Share"), kind=None, hide_for="insurer_id", needs=("part",),
                   compute=lambda asking, part: percent(part)),
            SHARE_STATE,
            Column("answer_due_at"),
            Column("answered_at"),
            Column("reason"),
            Column("task_code", optional=True),
        ),
        filters=(
            Search(own=("task_code",), title=_("Task no.")),
            insurer_filter(),
            Choice("state", main=True),
            Cases("late", _("Answer"), cases={"late": Case(_("overdue"), _late)}),
            Dates("answer_due_at"),
        ),
        tab_of={"task": "task", "insurer": "insurer"},
        in_menu=False,
    )
)  # fmt: skip
SHARE_PAGE = detail_screen(
    DetailScreen(
        name="task-share",
        path="prevention/task-shares/<uuid:pk>/",
        title=_("Share of a task"),
        model=TaskShare,
        permission=Permission.SEE_SERVICES,
        named=("task__title", "insurer"),
        state=SHARE_STATE,
        of_list="task-shares",
        climb=lambda request, share: task_crumbs(share.task_id),
        ways=_share_ways,
        sections=(
            Section(
                _("The share"),
                (
                    Column("task__title", title=_("Task"), opens="task"),
                    Column("insurer", opens="insurer"),
                    "times",
                    Column("inside", title=_("Of these"), needs=("inside",), compute=lambda asking, inside: _inside(inside)),
                ),
            ),
            Section(_("The answer"), ("answer_due_at", "answered_at", "reason")),
        ),
    )
)  # fmt: skip
waiting(
    SHARES,
    "task-shares-to-answer",
    _("Tasks to accept or decline"),
    why=_("Your part of what the committee has listed."),
    tone="warning",
    order=10,
    permission=Permission.RUN_SERVICES,
    state="SENT",
)
waiting(
    SHARES,
    "task-shares-late",
    _("Insurers' answers overdue"),
    why=_("Tasks issued and not answered in time."),
    tone="danger",
    order=22,
    permission=Permission.LIST_TASKS,
    late="late",
)
waiting(
    SHARES,
    "task-shares-declined",
    _("Tasks declined"),
    why=_("The reason is stated; divide anew or talk."),
    tone="warning",
    order=24,
    permission=Permission.LIST_TASKS,
    state="DECLINED",
)
waiting(
    TASKS,
    "tasks-in-draft",
    _("Tasks not issued yet"),
    why=_("No insurer knows of them."),
    order=26,
    permission=Permission.LIST_TASKS,
    state="DRAFT",
)


# listing ------------------------------------------------------------------------------------------------------

_LINE = re.compile(r"^\s*(\S+)\s*[,，:：\s]\s*(\d{1,6})\s*$")


class TaskForm(Form):
    title = forms.CharField(label=_("Title"), max_length=120)
    code = forms.CharField(label=_("Task no."), max_length=40)
    topic = forms.ModelChoiceField(
        Topic.objects.none(), label=_("Topic"), required=False, help_text=_("Empty for a task of its own.")
    )
    service_type = forms.ChoiceField(label=_("Service"))
    goals = forms.CharField(label=_("Goals"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    starts_on = forms.DateField(label=_("Begins on"), widget=forms.DateInput())
    ends_on = forms.DateField(label=_("Ends on"), widget=forms.DateInput())
    regions = Several(label=_("Only in these regions"), required=False, help_text=_("None chosen: the whole province."))
    sectors = Several(label=_("Only for these sectors"), required=False, help_text=_("None chosen: all sectors."))
    checklist_code = forms.ChoiceField(label=_("Checklist"), required=False)
    measure = forms.ChoiceField(label=_("Counted by"))
    rule = forms.ChoiceField(label=_("Divided by"), help_text=_("Has no effect where every enterprise is served once."))
    total_times = forms.IntegerField(
        label=_("Services in all"), min_value=0, max_value=1_000_000, required=False,
        help_text=_("Not for a fixed list, and not where every enterprise is served once."),
    )  # fmt: skip
    base_from = forms.DateField(
        label=_("Premium received from"),
        widget=forms.DateInput(),
        required=False,
        help_text=_("For the share of premium."),
    )
    base_to = forms.DateField(label=_("Premium received until"), widget=forms.DateInput(), required=False)
    fixed = forms.CharField(
        label=_("Fixed list"), required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One insurer a line: its code, a comma, the number of services."),
    )  # fmt: skip

    def __init__(self, request: HttpRequest, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["topic"].queryset = Topic.objects.filter(state="ISSUED").order_by("-starts_on", "-id")  # type: ignore[attr-defined]
        for name, choices in (
            ("service_type", ServiceType.choices), ("measure", TaskMeasure.choices), ("rule", ShareRule.choices),
        ):  # fmt: skip
            self.fields[name].choices = list(labels(choices).items())  # type: ignore[attr-defined]
        self.fields["checklist_code"].choices = checklist_choices()  # type: ignore[attr-defined]
        self.fields["regions"].choices = region_groups(request.actor)  # type: ignore[attr-defined]
        self.fields["sectors"].choices = sector_choices()  # type: ignore[attr-defined]

    def clean_total_times(self) -> int:
        return self.cleaned_data["total_times"] or 0

    def clean_fixed(self) -> dict[str, int]:
        known = set(Organisation.objects.filter(kind=OrganisationKind.INSURER).values_list("code", flat=True))
        found: dict[str, int] = {}
        for line in self.cleaned_data["fixed"].splitlines():
            if not line.strip():
                continue
            read = _LINE.match(line)
            if read is None or read[1].upper() not in known or read[1].upper() in found:
                raise forms.ValidationError(
                    _("“%(line)s” is not an insurer's code with a number, or names it twice. Write: INS01, 120."),
                    params={"line": line.strip()},
                )
            found[read[1].upper()] = int(read[2])
        return found


def _to(task: Task) -> str:
    return reverse("task", args=[task.pk])


@page("prevention/tasks/new/", name="task-new", permission=Permission.LIST_TASKS, methods=("GET", "POST"))
def new_task(request: HttpRequest) -> HttpResponse:
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    today = beijing_day(at)
    topic = _topic_of(request)
    initial: dict[str, Any] = {
        "code": f"RW{today.year}-{Task.objects.filter(starts_on__year=today.year).count() + 1:03d}",
        "starts_on": max(today, topic.starts_on) if topic else today,
        "ends_on": topic.ends_on if topic else date(today.year, 12, 31),
        "base_from": date(today.year - 1, 1, 1),
        "base_to": date(today.year - 1, 12, 31),
        "service_type": ServiceType.HAZARD,
    }
    if topic:
        initial |= {"topic": topic, "title": topic.title, "regions": topic.regions, "sectors": topic.sectors}
    committee = Organisation.objects.get(pk=actor.organisation_id)
    form = TaskForm(request, request.POST if request.method == "POST" else None, initial=initial)
    return answer_form(
        request, form, lambda given: reverse("task-preview", args=[draft_task(committee, by=actor, at=at, **given).pk]),
        title=_("New task"), done=_("Keep as a draft and preview the shares"), back=reverse("tasks"), back_title=_("Tasks"),
        facts=_topic_facts(topic), facts_title=_("The topic"),
    )  # fmt: skip


def _topic_of(request: HttpRequest) -> Topic | None:
    try:
        key = UUID(request.GET.get("topic", ""))
    except ValueError:
        return None
    return Topic.objects.filter(pk=key, state="ISSUED").first()


def _topic_facts(topic: Topic | None) -> list[tuple[Any, Any]]:
    if topic is None:
        return []
    return [
        (_("Title"), topic.title), (_("Goals"), topic.goals), (_("Set by"), ORGANISATION_NAMES.name(topic.authority_id)),
        (_("Begins on"), topic.starts_on), (_("Ends on"), topic.ends_on),
    ]  # fmt: skip


@page("prevention/tasks/<uuid:pk>/edit/", name="task-edit", permission=Permission.LIST_TASKS, methods=("GET", "POST"))
def edit_task(request: HttpRequest, pk: UUID) -> HttpResponse:
    task: Task = TASK_PAGE.row(request, pk)
    initial = {name: getattr(task, name) for name in TaskForm.base_fields if name != "fixed"}
    initial["fixed"] = "\n".join(f"{code}, {number}" for code, number in task.fixed.items())
    form = TaskForm(request, request.POST if request.method == "POST" else None, initial=initial)

    def act(given: dict[str, Any]) -> str:
        change_task(task, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return reverse("task-preview", args=[task.pk])

    return answer_form(
        request, form, act, title=_("Change the task"), done=_("Save and preview the shares"), back=_to(task),
        back_title=task.title,
    )  # fmt: skip


@page("prevention/tasks/<uuid:pk>/preview/", name="task-preview", permission=Permission.LIST_TASKS)
def preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What each insurer would get and why, before anybody is told."""
    task: Task = TASK_PAGE.row(request, pk)
    if task.state != TaskState.DRAFT:
        return redirect(_to(task))
    parts: list[Part] = []
    refused = None
    try:
        parts = work_out_shares(task, on=beijing_day(request.at))  # type: ignore[attr-defined]
    except Refused as problem:
        refused = problem
    words = {
        "task": task,
        "parts": [(part, _why(task, part)) for part in parts],
        "receivers": sum(1 for part in parts if part.times),
        "total": sum(part.times for part in parts),
        "refused": refused,
        "rule": task.get_measure_display()
        if task.measure == TaskMeasure.EACH_ENTERPRISE
        else _now("Divided by: %(rule)s") % {"rule": task.get_rule_display()},
    }
    return render(request, "prevention/preview.html", words)


def _why(task: Task, part: Part) -> str:
    """The reason of a share, in words that give no premium away."""
    if task.measure == TaskMeasure.EACH_ENTERPRISE:
        return _now("its own insured enterprises of the filter, each once")
    if task.rule == ShareRule.FIXED:
        return _now("as listed")
    share = percent(part.part)
    if task.rule == ShareRule.PREMIUM:
        said = _now("%(share)s of the premium received %(start)s to %(end)s in the filter") % {
            "share": share, "start": task.base_from, "end": task.base_to,
        }  # fmt: skip
    elif task.rule == ShareRule.REGION:
        said = _now("%(share)s of the enterprises insured there") % {"share": share}
    else:
        said = _now("%(share)s of the enterprises insured in these sectors") % {"share": share}
    inside = _inside(part.inside)
    return f"{said}: {inside}" if inside else said


def _inside(inside: dict[str, int]) -> str:
    names = labels(sector_choices())
    told = [f"{names.get(code) or REGION_NAMES.name(code)} {n}" for code, n in sorted(inside.items())]
    return listed(told)


@page("prevention/tasks/<uuid:pk>/issue/", name="task-issue", permission=Permission.LIST_TASKS, methods=("POST",))
def issue(request: HttpRequest, pk: UUID) -> HttpResponse:
    task = issue_task(TASK_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect(f"{_to(task)}?tab=task-shares")


@page(
    "prevention/tasks/<uuid:pk>/withdraw/", name="task-withdraw", permission=Permission.LIST_TASKS,
    methods=("GET", "POST"),
)  # fmt: skip
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    task: Task = TASK_PAGE.row(request, pk)
    return answer_form(
        request, ReasonForm(request.POST if request.method == "POST" else None),
        lambda given: _to(withdraw_task(task, by=request.actor, at=request.at, **given)),  # type: ignore[attr-defined]
        title=_("Withdraw the task"), done=_("Withdraw"), back=_to(task), back_title=task.title, tone="danger",
        about=_("It is taken back from every insurer; what was done for it stays on file."),
    )  # fmt: skip


# the insurer's answer -----------------------------------------------------------------------------------------


@page(
    "prevention/task-shares/<uuid:pk>/accept/", name="task-share-accept", permission=Permission.RUN_SERVICES,
    methods=("POST",),
)  # fmt: skip
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    share = accept_share(SHARE_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("task-share", share.pk)


@page(
    "prevention/task-shares/<uuid:pk>/decline/", name="task-share-decline", permission=Permission.RUN_SERVICES,
    methods=("GET", "POST"),
)  # fmt: skip
def decline(request: HttpRequest, pk: UUID) -> HttpResponse:
    share: TaskShare = SHARE_PAGE.row(request, pk)
    back = reverse("task-share", args=[share.pk])

    def act(given: dict[str, Any]) -> str:
        decline_share(share, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return back

    return answer_form(
        request, ReasonForm(request.POST if request.method == "POST" else None), act,
        title=_("Decline the task"), done=_("Decline"), back=back, back_title=_("Share of a task"), tone="danger",
    )  # fmt: skip


waiting(
    SHARES,
    "task-shares-sent",
    _("Tasks that wait for insurers"),
    why=_("Issued, not answered yet."),
    order=28,
    roles=frozenset({Role.COMMITTEE}),
    state="SENT",
)


def _find(words: str, limit: int) -> list[Hit]:
    found = Task.objects.filter(Q(code__istartswith=words) | Q(title__icontains=words)).order_by("-starts_on", "-id")
    return [
        Hit(title, f"{code} · {start} – {end}", reverse("task", args=[key]))
        for key, code, title, start, end in found.values_list("pk", "code", "title", "starts_on", "ends_on")[:limit]
    ]


search(SearchAnswer("tasks", _("Tasks"), Permission.SEE_SERVICES, _find, order=34))

"""Pages of topics: what regulators want prevention services to be about."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident
from anze.kernel.duty import beijing_day
from anze.parties.models import Organisation
from anze.parties.rules import Permission, Role
from anze.parties.screens import REGION_NAMES
from anze.prevention.actions.topics import change_topic, close_topic, draft_topic, issue_topic
from anze.prevention.models import Topic
from anze.prevention.rules import TopicState
from anze.prevention.screens.forms import answer_form, region_groups, region_names, sector_choices, sector_names
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Search
from anze.screen.forms import Form, Several
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import Hit, page, search
from anze.screen.registry import Search as SearchAnswer

TOPIC_STATE = Column("state", tones={"ISSUED": "success", "DRAFT": "warning"})
REGIONS = Column("regions", title=_("Only in"), needs=("regions",), compute=region_names)
# for those who see accidents at all; whose scope does not hold this one reads nothing here
AFTER = Column(
    "accident__accident_no", title=_("After the accident"), opens="accident", permission=Permission.SEE_CLAIMS
)
SECTORS = Column("sectors", title=_("Only for"), needs=("sectors",), compute=sector_names)


def own_drafts(rows: Any, asking: Asking) -> Any:
    """A draft is its own authority's alone, whatever else somebody sees."""
    return rows.filter(~Q(state=TopicState.DRAFT) | Q(authority=asking.actor.organisation_id))


TOPICS = list_screen(
    ListScreen(
        name="topics",
        path="prevention/topics/",
        title=_("Topics"),
        about=_("What the authorities want prevention services to be about, for which time, places and sectors."),
        model=Topic,
        permission=Permission.SEE_SERVICES,
        detail="topic",
        sort="-starts_on",
        base=own_drafts,
        columns=(
            Column("title"),
            Column("authority", title=_("Set by")),
            TOPIC_STATE,
            Column("starts_on"),
            Column("ends_on"),
            REGIONS,
            SECTORS,
            Column("code", optional=True),
            Column("issued_at", optional=True),
        ),
        filters=(
            Search(own=("code",), inside=("title",), title=_("Topic no. or title")),
            Choice("state", main=True),
            Cases(
                "now",
                _("At present"),
                cases={
                    "running": Case(_("running"), lambda a: Q(state="ISSUED", ends_on__gte=beijing_day(a.at))),
                    "over": Case(_("over, not closed"), lambda a: Q(state="ISSUED", ends_on__lt=beijing_day(a.at))),
                },
            ),
            Dates("starts_on"),
        ),
        tab_of={"accident": "accident"},
        buttons=(Button(_("New topic"), "topic-new", Permission.SET_TOPICS),),
        order=2,
        icon="flag",
        not_in_menu_of=frozenset({"anze_agency", "anze_expert", "anze_enterprise"}),
    )
)


def _ways(request: HttpRequest, topic: Topic) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    ways = []
    if topic.authority_id == actor.organisation_id and actor.may(Permission.SET_TOPICS):
        if topic.state == TopicState.DRAFT:
            ways.append(Way(_("Edit"), reverse("topic-edit", args=[topic.pk]), "edit"))
            ways.append(Way(_("Issue"), reverse("topic-issue", args=[topic.pk]), "send", "primary", at_once=True))
        elif topic.state == TopicState.ISSUED:
            ways.append(Way(_("Close"), reverse("topic-close", args=[topic.pk]), "check"))
    if topic.state == TopicState.ISSUED and actor.may(Permission.LIST_TASKS):
        ways.append(Way(_("List a task"), f"{reverse('task-new')}?topic={topic.pk}", "plus", "primary"))
    return ways


TOPIC_PAGE = detail_screen(
    DetailScreen(
        name="topic",
        path="prevention/topics/<uuid:pk>/",
        title=_("Topic"),
        model=Topic,
        permission=Permission.SEE_SERVICES,
        named=("title",),
        state=TOPIC_STATE,
        of_list="topics",
        base=own_drafts,
        ways=_ways,
        sections=(
            Section(_("What it is about"), ("goals", "result"), hides_empty=True),
            Section(
                _("Where and when"),
                (
                    "code", Column("authority", title=_("Set by")), "starts_on", "ends_on", REGIONS, SECTORS, AFTER,
                    "issued_at", "closed_at",
                ),
            ),
        ),
    )
)  # fmt: skip
waiting(
    TOPICS,
    "topics-over",
    _("Topics that are over and not closed"),
    why=_("Closing says what came of it."),
    order=65,
    permission=Permission.SET_TOPICS,
    now="over",
)
waiting(
    TOPICS,
    "topics-running",
    _("Topics the authorities have set"),
    why=_("Each wants tasks for the insurers."),
    order=20,
    roles=frozenset({Role.COMMITTEE}),
    now="running",
)


class TopicForm(Form):
    title = forms.CharField(label=_("Title"), max_length=120)
    code = forms.CharField(label=_("Topic no."), max_length=40, help_text=_("As in your document, or as proposed."))
    goals = forms.CharField(
        label=_("Goals"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What should be reached, and by what one will see it."),
    )  # fmt: skip
    starts_on = forms.DateField(label=_("Begins on"), widget=forms.DateInput())
    ends_on = forms.DateField(label=_("Ends on"), widget=forms.DateInput())
    regions = Several(label=_("Only in these regions"), required=False, help_text=_("None chosen: your whole area."))
    sectors = Several(label=_("Only for these sectors"), required=False, help_text=_("None chosen: all sectors."))

    def __init__(self, request: HttpRequest, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["regions"].choices = region_groups(request.actor)  # type: ignore[attr-defined]
        self.fields["sectors"].choices = sector_choices()  # type: ignore[attr-defined]


def _authority(request: HttpRequest) -> Organisation:
    return Organisation.objects.get(pk=request.actor.organisation_id)  # type: ignore[attr-defined]


@page("prevention/topics/new/", name="topic-new", permission=Permission.SET_TOPICS, methods=("GET", "POST"))
def new_topic(request: HttpRequest) -> HttpResponse:
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    today = beijing_day(at)
    authority = _authority(request)
    accident = _accident(request)
    known = Topic.objects.filter(authority=authority, starts_on__year=today.year).count()
    initial = {
        "code": f"TM{today.year}-{authority.region_id}{actor.scope.sector and '-' + actor.scope.sector}-{known + 1:02d}",
        "starts_on": today,
        "ends_on": date(today.year, 12, 31) if today.month < 11 else today + timedelta(days=180),
        **(_lesson(accident) if accident else {}),
    }
    form = TopicForm(request, request.POST if request.method == "POST" else None, initial=initial)
    return answer_form(
        request, form, lambda given: _to(draft_topic(authority, by=actor, at=at, accident=accident, **given)),
        title=_("New topic"), done=_("Keep as a draft"), back=reverse("topics"), back_title=_("Topics"),
        about=_("A draft is seen by your authority only, until you issue it."),
        facts=[(_("After the accident"), accident.accident_no)] if accident else [], facts_title=_("What it comes from"),
    )  # fmt: skip


def _accident(request: HttpRequest) -> Accident | None:
    """The accident a topic is drawn from, for those who may see it."""
    if not request.actor.may(Permission.SEE_CLAIMS):  # type: ignore[attr-defined]
        return None
    try:
        return Accident.objects.filter(pk=UUID(request.GET.get("accident", "")), is_void=False).first()
    except ValueError:
        return None


def _lesson(accident: Accident) -> dict[str, Any]:
    """What a topic takes from an accident: its kind, sector and region; see `check_lesson` for what it leaves out."""
    words = {
        "kind": accident.get_kind_display(), "sector": accident.get_sector_display(),
        "region": REGION_NAMES.name(accident.region_code),
    }  # fmt: skip
    return {
        "title": _now("%(kind)s: looking for hazards after an accident (%(sector)s)") % words,
        "goals": _now(
            "There was an accident of the kind “%(kind)s” in %(region)s (%(sector)s). Enterprises of this sector there are "
            "to be looked at for the hazards that lead to it, and these are to be rectified."
        ) % words,
        "regions": [accident.region_code],
        "sectors": [accident.sector],
    }  # fmt: skip


def _to(topic: Topic) -> str:
    return reverse("topic", args=[topic.pk])


@page("prevention/topics/<uuid:pk>/edit/", name="topic-edit", permission=Permission.SET_TOPICS, methods=("GET", "POST"))
def edit_topic(request: HttpRequest, pk: UUID) -> HttpResponse:
    topic: Topic = TOPIC_PAGE.row(request, pk)
    names = ("title", "code", "goals", "starts_on", "ends_on", "regions", "sectors")
    form = TopicForm(
        request, request.POST if request.method == "POST" else None,
        initial={name: getattr(topic, name) for name in names},
    )  # fmt: skip
    return answer_form(
        request, form,
        lambda given: _to(change_topic(topic, by=request.actor, at=request.at, **given)),  # type: ignore[attr-defined]
        title=_("Change the topic"), done=_("Save"), back=_to(topic), back_title=topic.title,
    )  # fmt: skip


@page("prevention/topics/<uuid:pk>/issue/", name="topic-issue", permission=Permission.SET_TOPICS, methods=("POST",))
def issue(request: HttpRequest, pk: UUID) -> HttpResponse:
    topic = issue_topic(TOPIC_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect(_to(topic))


class CloseForm(Form):
    result = forms.CharField(label=_("What came of it"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}))


@page(
    "prevention/topics/<uuid:pk>/close/", name="topic-close", permission=Permission.SET_TOPICS, methods=("GET", "POST")
)
def close(request: HttpRequest, pk: UUID) -> HttpResponse:
    topic: Topic = TOPIC_PAGE.row(request, pk)
    return answer_form(
        request, CloseForm(request.POST if request.method == "POST" else None),
        lambda given: _to(close_topic(topic, by=request.actor, at=request.at, **given)),  # type: ignore[attr-defined]
        title=_("Close the topic"), done=_("Close"), back=_to(topic), back_title=topic.title,
    )  # fmt: skip


def _find(words: str, limit: int) -> list[Hit]:
    found = Topic.objects.filter(Q(code__istartswith=words) | Q(title__icontains=words)).order_by("-starts_on", "-id")
    return [
        Hit(title, f"{code} · {start} – {end}", reverse("topic", args=[key]))
        for key, code, title, start, end in found.values_list("pk", "code", "title", "starts_on", "ends_on")[:limit]
    ]


search(SearchAnswer("topics", _("Topics"), Permission.SEE_SERVICES, _find, order=33))

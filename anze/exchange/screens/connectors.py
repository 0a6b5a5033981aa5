"""Apps that are pulled: their state, the last runs, what was taken and refused; pause and resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.actions import make_connector, pause_connector, resume_connector
from anze.exchange.connectors.mapping import mappings
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, Connector, ConnectorRun
from anze.exchange.rules import CONNECTOR_TONES, RUN_TONES, ConnectorState
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.screens import INSURER, insurer_filter
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Choice
from anze.screen.forms import Form
from anze.screen.lists import Button, ListScreen, check_reader, list_screen
from anze.screen.pages import is_chinese
from anze.screen.registry import page

STATE = Column("state", tones=CONNECTOR_TONES)


def kind_of_app(name: str) -> str:
    found = mappings().get(name)
    return name if found is None else found.title_zh if is_chinese() else found.title_en


KIND = Column("mapping", title=_("Kind of app"), needs=("mapping",), compute=lambda asking, name: kind_of_app(name))

CONNECTORS = list_screen(
    ListScreen(
        name="connectors",
        path="exchange/connectors/",
        title=_("App connectors"),
        about=_("Insurers' apps that are pulled: what they list goes through the same checks as everything that is sent."),
        empty=_("No app is pulled yet."),
        model=Connector,
        permission=Permission.SEE_EXCHANGE,
        detail="connector",
        sort="name",
        order=60,
        icon="refresh",
        buttons=(Button(_("Connect an app"), "connector-new", Permission.MANAGE_KEYS),),
        columns=(
            Column("name"),
            INSURER,
            KIND,
            STATE,
            Column("last_run_at"),
            Column("next_run_at"),
            Column("failures"),
            Column("every_minutes", optional=True),
            Column("base_url", optional=True, permission=Permission.MANAGE_KEYS),
        ),
        filters=(insurer_filter(), Choice("state", main=True)),
    )
)  # fmt: skip


def _runs(request: HttpRequest, connector: Connector) -> Mapping[str, Any]:
    runs = ConnectorRun.objects.filter(connector=connector).order_by("-started_at", "-pk")[:20]
    batches = (
        Batch.objects.filter(sender_id=connector.insurer_id, channel=Channel.APP, file_name=connector.name)
        .defer("payload", "outcomes")
        .order_by("-received_at", "-pk")[:10]
    )
    found = mappings().get(connector.mapping)
    streams = [(each, connector.cursors.get(each.name, "")) for each in found.streams] if found else []
    delivered = [(each, FEEDS[each.feed].title) for each in batches]
    return {"runs": list(runs), "batches": delivered, "streams": streams, "tones": RUN_TONES,
            "about_app": found.about if found else ""}  # fmt: skip


def _ways(request: HttpRequest, connector: Any) -> list[Way]:
    if not request.actor.may(Permission.MANAGE_KEYS):  # type: ignore[attr-defined]
        return []
    resume = Way(_("Pull now"), reverse("connector-resume", args=[connector.pk]), "refresh", "primary", at_once=True)
    if connector.state == ConnectorState.PAUSED:
        return [Way(_("Resume"), resume.url, "refresh", "primary", at_once=True)]
    return [resume, Way(_("Pause"), reverse("connector-pause", args=[connector.pk]), "clock", at_once=True)]


detail_screen(
    DetailScreen(
        name="connector",
        path="exchange/connectors/<uuid:pk>/",
        title=_("App connector"),
        model=Connector,
        permission=Permission.SEE_EXCHANGE,
        named=("name",),
        state=STATE,
        of_list="connectors",
        template="exchange/connector.html",
        extra=_runs,
        ways=_ways,
        has_history=False,
        sections=(
            Section(
                _("The app"),
                (
                    Column("insurer", opens="insurer"), KIND, Column("base_url", permission=Permission.MANAGE_KEYS),
                    "every_minutes", "last_run_at", "next_run_at", "failures", "made_by", "made_at",
                ),
            ),
        ),
    )
)  # fmt: skip


class ConnectorForm(Form):
    insurer = forms.ChoiceField(label=_("Insurer"))
    name = forms.CharField(label=_("Name of the app"), max_length=80)
    mapping = forms.ChoiceField(label=_("Kind of app"))
    base_url = forms.CharField(
        label=_("Address"), max_length=200, help_text=_("As the app's maker told you, beginning with https://.")
    )
    token = forms.CharField(
        label=_("Access token"), max_length=2000, widget=forms.PasswordInput,
        help_text=_("Kept encrypted; it is not shown again."),
    )  # fmt: skip
    every_minutes = forms.IntegerField(label=_("Every so many minutes"), initial=60, min_value=5, max_value=10080)

    def __init__(self, insurers: list[tuple[str, str]], *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["insurer"].choices = insurers  # type: ignore[attr-defined]
        self.fields["mapping"].choices = [(name, kind_of_app(name)) for name in mappings()]  # type: ignore[attr-defined]


@page(
    "exchange/connectors/new/",
    name="connector-new",
    title=_("Connect an app"),
    permission=Permission.MANAGE_KEYS,
    methods=("GET", "POST"),
)
def new(request: HttpRequest) -> HttpResponse:
    check_reader(request, Connector)
    own = request.actor.scope.insurer_id  # type: ignore[attr-defined]
    insurers = Organisation.objects.filter(kind=OrganisationKind.INSURER, is_active=True).order_by("code")
    if own is not None:
        insurers = insurers.filter(pk=own)
    choices = [(str(each.pk), each.short_name or each.name) for each in insurers]
    form = ConnectorForm(choices, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        insurer = insurers.get(pk=given.pop("insurer"))
        given["token"] = given["token"].encode()
        try:
            made = make_connector(insurer, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _now("The app is connected; it is pulled within a minute."))
            return redirect("connector", made.pk)
    status = 422 if form.is_bound and form.errors else 200
    words = {
        "form": form, "title": _now("Connect an app"), "button": _now("Connect"), "back": "connectors", "shares": None,
        "about": _now("The app is asked for what is new, and its records go through the same checks as everything that is sent. Nothing is sent to it."),
    }  # fmt: skip
    return render(request, "exchange/spending_form.html", words, status=status)


def _connector(request: HttpRequest, pk: UUID) -> Connector:
    check_reader(request, Connector)
    found = Connector.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("exchange/connectors/<uuid:pk>/pause/", name="connector-pause", permission=Permission.MANAGE_KEYS, methods=("POST",))  # fmt: skip
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    pause_connector(_connector(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("Paused. What was taken over stays; it resumes where it stopped."))
    return redirect("connector", pk)


@page("exchange/connectors/<uuid:pk>/resume/", name="connector-resume", permission=Permission.MANAGE_KEYS, methods=("POST",))  # fmt: skip
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    resume_connector(_connector(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("It is pulled within a minute."))
    return redirect("connector", pk)

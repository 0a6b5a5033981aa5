"""Alerts: the list, one alert with its remedy, taking it in hand, closing it; and their place on the home page."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.actor import Actor
from anze.kernel.alert import AlertLevel, AlertRule, load_alerts
from anze.kernel.duty import Party, beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.wording import listed
from anze.monitoring.actions import close_alert, take_alert
from anze.monitoring.models import Alert
from anze.monitoring.rules.alerts import SAID, AlertState, may_close, mine, party_of
from anze.parties.rules import Permission
from anze.parties.screens import INSURER, insurer_filter
from anze.screen.columns import Column, Kind, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Search
from anze.screen.forms import Form, answer_form
from anze.screen.lists import ListScreen, check_reader, list_screen, waiting
from anze.screen.registry import PAGES, WORK_LISTS, page

RULES = load_alerts()
TITLES = tuple((code, rule.title) for code, rule in RULES.items())


def is_for_others(rule: AlertRule, actor: Actor) -> bool:
    """Whether somebody it is not addressed to may read it: if he may open what it is about."""
    needed = rule.permission or PAGES[rule.page].permission
    return needed is None or actor.may(needed)


def readable(rows: Any, asking: Asking) -> Any:
    hidden = [code for code, rule in RULES.items() if not is_for_others(rule, asking.actor)]
    if not hidden:
        return rows
    party = party_of(asking.actor.scope, asking.actor.role)
    return rows.filter(~Q(code__in=hidden) | Q(parties__contains=[party.value]))


def shown_elsewhere(actor: Actor) -> list[str]:
    """The rules whose alerts a reader finds on another card of his home page already."""
    cards = {each.name for each in WORK_LISTS if each.is_for(actor)}
    return [code for code, rule in RULES.items() if cards.intersection(rule.shown_as)]


def _title(asking: Asking, code: str) -> str:
    return str(RULES[code].title) if code in RULES else code


def _why(asking: Asking, code: str, facts: dict[str, Any]) -> str:
    return RULES[code].said(facts) if code in RULES else ""


def _clock(asking: Asking, state: str, due_on: date) -> str:
    if state == AlertState.CLOSED:
        return "CLOSED"
    left = (due_on - beijing_day(asking.at)).days
    return "OVERDUE" if left < 0 else "SOON" if left <= 3 else "LATER"


LEVEL = Column("level", tones={"URGENT": "danger", "IMPORTANT": "warning", "GENERAL": "info"})
STATE = Column("state", tones={"OPEN": "warning", "HANDLING": "info", "CLOSED": "success"})
RULE = Column("rule", title=pgettext_lazy("alert", "What"), needs=("code",), compute=_title)
WHY = Column("why", title=pgettext_lazy("alert", "Why"), needs=("code", "facts"), compute=_why)
REACHED = Column("reached", tones={"COUNTY": "info", "CITY": "warning", "PROVINCE": "danger"})
CLOCK = Column(
    "clock",
    title=_("Clock"),
    kind=Kind.STATE,
    needs=("state", "due_on"),
    compute=_clock,
    choices=(
        ("OVERDUE", _("overdue")),
        ("SOON", _("within three days")),
        ("LATER", _("later")),
        ("CLOSED", pgettext_lazy("alert", "closed")),
    ),
    tones={"OVERDUE": "danger", "SOON": "warning"},
)

LIST = list_screen(
    ListScreen(
        name="alerts",
        path="alerts/",
        title=_("Alerts"),
        about=_(
            "What somebody should see to: why, by when, and how. There is one alert for one cause; it closes by itself "
            "when the cause is gone, and goes up from county to city to province when nobody mends it."
        ),
        empty=_("No alert waits for you."),
        model=Alert,
        permission=Permission.HANDLE_ALERTS,
        detail="alert",
        sort="due_on",
        sorts=("-due_on",),
        base=readable,
        order=2,
        icon="bell",
        columns=(
            RULE,
            LEVEL,
            WHY,
            Column("enterprise__name", title=_("Enterprise"), opens="enterprise", hide_for="enterprise_id"),
            Column("due_on"),
            CLOCK,
            STATE,
            REACHED,
            INSURER,
            Column("region_code", optional=True),
            Column("begins_on", optional=True),
            Column("opened_at", optional=True),
            Column("taken_by", optional=True),
            Column("closing", optional=True),
            Column("reason", optional=True),
        ),
        filters=(
            Search(own=("label",), title=_("Number or name")),
            InRegion(),
            Cases(
                "whose",
                _("Whose turn"),
                main=True,
                default="mine",
                cases={
                    "mine": Case(_("mine"), lambda asking: mine(asking.actor.scope, asking.actor.role)),
                    "all": Case(_("all I may see"), lambda asking: Q()),
                },
            ),
            Cases(
                "now",
                _("State"),
                main=True,
                default="open",
                cases={
                    "open": Case(pgettext_lazy("alert", "not closed"), lambda asking: ~Q(state=AlertState.CLOSED)),
                    "new": Case(_("not in hand"), lambda asking: Q(state=AlertState.OPEN)),
                    "handling": Case(_("in hand"), lambda asking: Q(state=AlertState.HANDLING)),
                    "closed": Case(pgettext_lazy("alert", "closed"), lambda asking: Q(state=AlertState.CLOSED)),
                    "all": Case(_("all"), lambda asking: Q()),
                },
            ),
            Choice("level", main=True),
            Choice("code", pgettext_lazy("alert", "What"), main=True, choices=TITLES),
            Choice("reached"),
            Cases(
                "besides",
                _("On the home page"),
                cases={
                    "alone": Case(_("only here"), lambda asking: ~Q(code__in=shown_elsewhere(asking.actor))),
                },
            ),
            insurer_filter(main=False),
            Choice("closing"),
            Dates("due", _("By when"), path="due_on"),
            Dates("opened", _("Raised"), path="opened_at"),
        ),
    )
)

for _level, _words, _about, _tone, _order in (
    (AlertLevel.URGENT, _("Urgent alerts"), _("What cannot wait: each says why, and what mends it."), "danger", 1),
    (AlertLevel.IMPORTANT, _("Important alerts"), _("To be seen to by its day; afterwards it goes up."), "warning", 2),
    (AlertLevel.GENERAL, _("Alerts to keep in view"), _("Told in time, so that nothing comes of it."), "info", 3),
):
    waiting(
        LIST,
        f"alerts-{_level.value.lower()}",
        _words,
        why=_about,
        tone=_tone,
        order=_order,
        level=_level.value,
        besides="alone",
    )


# one alert ----------------------------------------------------------------------------------------------------


def _parties(asking: Asking, parties: list[str]) -> str:
    return listed(labels(Party.choices)[each] for each in parties)


def _basis(asking: Asking, code: str) -> str:
    return str(RULES[code].basis) if code in RULES else ""


def ways(request: HttpRequest, alert: Alert) -> list[Way]:
    """The remedy first; then what can be done with the alert itself."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    rule = RULES.get(alert.code)
    made = []
    if rule and alert.state != AlertState.CLOSED and (url := remedy_url(rule, alert, actor)):
        made.append(Way(rule.remedy, url, "tool", "primary"))
    if alert.state == AlertState.OPEN:
        made.append(Way(_("Take in hand"), reverse("alert-take", args=[alert.pk]), "user-check", at_once=True))
    if alert.state != AlertState.CLOSED and may_close(party_of(actor.scope, actor.role), alert.parties, alert.reached):
        made.append(Way(pgettext_lazy("alert", "Close"), reverse("alert-close", args=[alert.pk]), "check"))
    return made


def remedy_url(rule: AlertRule, alert: Alert, actor: Actor) -> str:
    """Where it is mended, for those who may open that page."""
    target = PAGES[rule.page]
    if target.permission is not None and not actor.may(target.permission):
        return ""
    return reverse(rule.page, args=[alert.row_id] if "<" in target.path else [])


DETAIL = detail_screen(
    DetailScreen(
        name="alert",
        path="alerts/<uuid:pk>/",
        title=_("Alert"),
        model=Alert,
        permission=Permission.HANDLE_ALERTS,
        of_list="alerts",
        named=(),
        state=STATE,
        base=readable,
        ways=ways,
        has_history=False,
        sections=(
            Section(
                _("What and why"),
                (
                    WHY,
                    LEVEL,
                    Column("enterprise__name", title=_("Enterprise"), opens="enterprise"),
                    INSURER,
                    "region_code",
                    "begins_on",
                    "due_on",
                    CLOCK,
                    Column("basis", title=_("Basis"), needs=("code",), compute=_basis),
                ),
            ),
            Section(
                _("Who sees to it"),
                (
                    Column("who", title=_("Who acts"), needs=("parties",), compute=_parties),
                    REACHED,
                    "reached_at",
                    "opened_at",
                    "taken_by",
                    "taken_at",
                    "closed_by",
                    "closed_at",
                    "closing",
                    "is_useful",
                    "reason",
                    "evidence",
                ),
            ),
        ),
    )
)


def _alert(request: HttpRequest, pk: UUID) -> Alert:
    check_reader(request, Alert)
    found: Alert = DETAIL.row(request, pk)
    return found


@page("alerts/<uuid:pk>/take/", name="alert-take", permission=Permission.HANDLE_ALERTS, methods=("POST",))
def take(request: HttpRequest, pk: UUID) -> HttpResponse:
    take_alert(_alert(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _now("The alert is in your hands."))
    return redirect("alert", pk)


class CloseForm(Form):
    closing = forms.ChoiceField(label=_("Why it is closed"), choices=[(each.value, each.label) for each in SAID])
    is_useful = forms.ChoiceField(
        label=_("Was the alert of use?"),
        choices=[("yes", _("yes, it pointed to something")), ("no", _("no, it was noise"))],
        widget=forms.RadioSelect,
        help_text=_("The rule is judged by it: what is mostly noise gets another threshold."),
    )
    reason = forms.CharField(label=_("What you found"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=300,
        required=False,
        help_text=_("The number of a record, a letter or a call, if there is one."),
    )


@page("alerts/<uuid:pk>/close/", name="alert-close", title=_("Close the alert"), permission=Permission.HANDLE_ALERTS,
      methods=("GET", "POST"))  # fmt: skip
def close(request: HttpRequest, pk: UUID) -> HttpResponse:
    alert = _alert(request, pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if not may_close(party_of(actor.scope, actor.role), alert.parties, alert.reached):
        raise Refused(
            "not_yours_to_close",
            _("This alert has come up to an authority: only the authority can close it by its word."),
            remedy=_("Mend the cause, and the alert closes by itself."),
            status=409,
        )
    form = CloseForm(request.POST if request.method == "POST" else None)

    def act(given: dict[str, Any]) -> str:
        words = {**given, "is_useful": given["is_useful"] == "yes"}
        close_alert(alert, by=actor, at=request.at, **words)  # type: ignore[attr-defined]
        messages.success(request, _now("The alert is closed."))
        return reverse("alert", args=[alert.pk])

    return answer_form(
        request,
        form,
        act,
        title=_("Close the alert"),
        done=pgettext_lazy("alert", "Close"),
        back=reverse("alert", args=[alert.pk]),
        back_title=str(alert),
        about=RULES[alert.code].said(alert.facts) if alert.code in RULES else "",
    )

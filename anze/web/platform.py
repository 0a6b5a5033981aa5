"""Pages of what everything stands on: parameters, the working-day calendar, the audit log."""

from __future__ import annotations

import calendar as months
import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.exchange.feed import INTERFACE_TIME, MANUAL_TIME
from anze.exchange.feeds import FEEDS
from anze.kernel.duty import Party, beijing_day, load_duties
from anze.kernel.models import CalendarDay, Event, Parameter, parameter_rows
from anze.kernel.parameters import change_parameter
from anze.kernel.refusal import Refused
from anze.kernel.rules import CalendarStatus, ParameterStatus
from anze.parties.models import Region
from anze.parties.rules import Permission, Role
from anze.screen.columns import Column, Kind, region_name
from anze.screen.details import DETAILS, DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Of, Search
from anze.screen.forms import Form
from anze.screen.history import EVENTS
from anze.screen.lists import Button, ListScreen, list_screen
from anze.screen.pages import is_chinese
from anze.screen.registry import page

# parameters ---------------------------------------------------------------------------------------------------

STATUS = Column("status", tones={"CONFIRMED": "success", "UNVERIFIED": "warning", "DESIGN": "info"})


def _title(asking: Asking, title_zh: str, title_en: str) -> str:
    return title_zh if is_chinese() else title_en


def _in_force(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(effective_from__lte=today) & (Q(effective_to__isnull=True) | Q(effective_to__gte=today))


PARAMETERS = list_screen(
    ListScreen(
        name="parameters",
        path="platform/parameters/",
        title=_("Parameters"),
        about=_(
            "Legal and configurable numbers with the days they are in force. A record is judged by the value of its own day."
        ),
        model=Parameter,
        permission=Permission.SEE_PARAMETERS,
        detail="parameter",
        sort="key",
        columns=(
            Column("title", title=_("Title"), needs=("title_zh", "title_en"), compute=_title),
            Column("value"),
            Column("unit"),
            Column("region_code"),
            Column("effective_from"),
            Column("effective_to"),
            STATUS,
            Column("source"),
            Column("key", kind=Kind.CODE, optional=True),
            Column("note", optional=True),
        ),
        filters=(
            Search(own=("key",), inside=("title_zh", "title_en", "source"), title=_("Title, key or source")),
            Choice("status", main=True),
            Cases(
                "in_force",
                _("In force"),
                main=True,
                default="today",
                cases={
                    "today": Case(_("today"), _in_force),
                    "later": Case(_("later"), lambda a: Q(effective_from__gt=beijing_day(a.at))),
                    "all": Case(_("ever"), lambda a: Q()),
                },
            ),
            Dates("effective_from"),
        ),
        buttons=(Button(_("Duties and deadlines"), "duties", Permission.SEE_PARAMETERS, "clock"),),
        order=10,
        icon="adjustments",
        room="kernel",
    )
)


def _versions(request: HttpRequest, parameter: Any) -> dict[str, Any]:
    same = Parameter.objects.filter(key=parameter.key, region_code=parameter.region_code)
    return {"values": same.order_by("-effective_from"), "today": beijing_day(request.at)}  # type: ignore[attr-defined]


detail_screen(
    DetailScreen(
        name="parameter",
        path="platform/parameters/<uuid:pk>/",
        title=_("Parameter"),
        model=Parameter,
        permission=Permission.SEE_PARAMETERS,
        named=(),
        state=STATUS,
        of_list="parameters",
        template="web/parameter.html",
        extra=_versions,
        buttons=(Button(_("Change from a day on"), "parameter-change", Permission.MANAGE_PARAMETERS, "edit"),),
        sections=(
            Section(
                _("This value"),
                (
                    Column("title", title=_("Title"), needs=("title_zh", "title_en"), compute=_title),
                    "value",
                    "unit",
                    "region_code",
                    "effective_from",
                    "effective_to",
                    "source",
                    "note",
                    Column("key", kind=Kind.CODE),
                ),
            ),
        ),
        room="kernel",
    )
)


class ParameterForm(Form):
    region_code = forms.ChoiceField(
        label=_("Applies in"),
        required=False,
        choices=lambda: [
            ("", _now("everywhere")),
            *(
                (each.code, region_name(each.code))
                for each in Region.objects.filter(valid_to__isnull=True).order_by("code")
            ),
        ],
        help_text=_("A region's own value goes before the one that holds everywhere."),
    )
    value = forms.CharField(label=_("New value"), max_length=80)
    effective_from = forms.DateField(
        label=_("In force from"),
        widget=forms.DateInput(),
        help_text=_("The present value stays in force until the day before. What was judged by it does not change."),
    )
    source = forms.CharField(
        label=_("Source"), max_length=300, help_text=_("The law, notice or decision this value rests on.")
    )
    status = forms.ChoiceField(label=_("How sure it is"), choices=ParameterStatus.choices)
    note = forms.CharField(label=_("Note"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3}))


@page(
    "platform/parameters/<uuid:pk>/change/",
    name="parameter-change",
    title=_("Change a parameter"),
    permission=Permission.MANAGE_PARAMETERS,
    methods=("GET", "POST"),
    room="kernel",
)
def parameter_change(request: HttpRequest, pk: UUID) -> HttpResponse:
    parameter = Parameter.objects.filter(pk=pk).first()
    if parameter is None:
        raise Http404
    initial = {
        "region_code": parameter.region_code,
        "value": parameter.value,
        "status": parameter.status,
        "source": parameter.source,
    }
    form = ParameterForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            made = change_parameter(parameter, by=request.actor, at=request.at, **form.cleaned_data)  # type: ignore[attr-defined]
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("parameter", made.pk)
    title = parameter.title_zh if is_chinese() else parameter.title_en
    words = {"form": form, "parameter": parameter, "title": title}
    return render(request, "web/parameter_form.html", words, status=422 if form.is_bound else 200)


# duties -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bound:
    """A duty as it binds a party today: what, by when, on what basis, and how sure the number is."""

    title: str
    allowed: str
    basis: str
    number: Parameter | None


@page(
    "platform/duties/",
    name="duties",
    title=_("Duties and deadlines"),
    in_menu=True,
    order=15,
    icon="clock",
    room="kernel",
    not_in_menu_of=frozenset({"anze_enterprise"}),
)
def duties(request: HttpRequest) -> HttpResponse:
    """Who must do what by when: what the rooms declare, with the numbers in force today in the reader's region."""
    actor, today = request.actor, beijing_day(request.at)  # type: ignore[attr-defined]
    declared = load_duties()
    keys = {MANUAL_TIME, INTERFACE_TIME, *(each.parameter for each in declared)}
    numbers = parameter_rows(keys, today, actor.scope.region_from or "")
    by_party: dict[Party, list[Bound]] = {party: [] for party in Party}
    for duty in declared:
        number = numbers.get(duty.parameter)
        allowed = _allowed(number, in_workdays=duty.unit == "WORKDAYS", after=str(duty.after))
        for party in duty.whose:
            by_party[party].append(Bound(capfirst(str(duty.title)), allowed, str(duty.source), number))
    manual, interface = numbers.get(MANUAL_TIME), numbers.get(INTERFACE_TIME)
    words = {
        "feeds": [(feed, feed.get(feed.event).title) for feed in FEEDS.values()],
        "channels": [
            Bound(_now("Entered by hand"), _allowed(manual, in_workdays=True), manual.source if manual else "", manual),
            Bound(_now("By interface"), _allowed(interface), interface.source if interface else "", interface),
        ],
        "parties": [(party, found) for party, found in by_party.items() if found],
        "tones": STATUS.tones,
        "may_open": actor.may(Permission.SEE_PARAMETERS),
    }
    return render(request, "web/duties.html", words)


def _allowed(number: Parameter | None, *, in_workdays: bool = False, after: str = "") -> str:
    """How long one has, counted from what starts the clock."""
    if number is None:
        return "–"
    count = int(number.value)
    if not count:
        return _now("on the day itself")
    words = {"count": count, "event": after}
    if in_workdays and after:
        return (
            ngettext("%(count)s working day after %(event)s", "%(count)s working days after %(event)s", count) % words
        )
    if in_workdays:
        return ngettext("%(count)s working day", "%(count)s working days", count) % words
    if after:
        return ngettext("%(count)s day after %(event)s", "%(count)s days after %(event)s", count) % words
    return ngettext("%(count)s day", "%(count)s days", count) % words


# calendar -----------------------------------------------------------------------------------------------------


@page(
    "platform/calendar/",
    name="calendar",
    title=_("Working-day calendar"),
    permission=Permission.SEE_PARAMETERS,
    in_menu=True,
    order=20,
    icon="calendar",
    room="kernel",
)
def calendar(request: HttpRequest) -> HttpResponse:
    """A year at a glance: working days, holidays, make-up working days; what is not published is marked."""
    this_year = beijing_day(request.at).year  # type: ignore[attr-defined]
    given = request.GET.get("year", "")
    year = int(given) if given.isascii() and given.isdigit() and 1900 < int(given) < 2200 else this_year
    days = {d.day: d for d in CalendarDay.objects.filter(day__year=year)}
    first, last = (
        CalendarDay.objects.order_by(order).values_list("day", flat=True).first() for order in ("day", "-day")
    )
    provisional = any(d.status == CalendarStatus.PROVISIONAL for d in days.values())
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    sources = sorted({d.source for d in days.values() if d.source})
    words = {
        "year": year,
        "years": range(first.year, last.year + 1) if first and last else [],
        "grids": [_month(year, month, days, today) for month in range(1, 13)] if days else [],
        "weekdays": [_now("Mo"), _now("Tu"), _now("We"), _now("Th"), _now("Fr"), _now("Sa"), _now("Su")],
        "provisional": provisional,
        "sources": sources,
        "workdays": sum(d.is_workday for d in days.values()),
    }
    return render(request, "web/calendar.html", words)


def _month(year: int, month: int, days: dict[date, CalendarDay], today: date) -> dict[str, Any]:
    weeks = []
    for week in months.Calendar(firstweekday=0).monthdatescalendar(year, month):
        cells: list[dict[str, Any]] = []
        for day in week:
            found = days.get(day)
            if day.month != month or found is None:
                cells.append({"number": "", "kind": "", "name": ""})
                continue
            weekend = day.weekday() >= 5
            kind = "makeup" if found.is_workday and weekend else "work" if found.is_workday else "rest"
            if not found.is_workday and not weekend:
                kind = "holiday"
            cells.append({"number": day.day, "kind": kind, "name": found.name, "today": day == today})
        weeks.append(cells)
    return {
        "title": f"{year}-{month:02d}",
        "weeks": weeks,
        "workdays": sum(d.is_workday for d in days.values() if d.day.month == month),
    }


# audit log ----------------------------------------------------------------------------------------------------

EVENTS.update(
    {
        "sign_in.done": _("signed in"),
        "sign_in.failed": _("sign-in failed"),
        "sign_in.wrong_code": _("wrong code at sign-in"),
        "sign_out.done": _("signed out"),
        "role.switched": _("switched the role"),
        "password.changed": _("changed the password"),
        "second_factor.set_up": _("set up the second factor"),
        "second_factor.removed": _("removed the second factor"),
        "person.created": _("opened an account"),
        "person.changed": _("changed a person"),
        "person.password_reset": _("gave a one-time password"),
        "person.second_factor_removed": _("removed a person's second factor"),
        "person.switched": _("let in or kept out"),
        "person.role_given": _("gave a role"),
        "person.role_ended": _("ended a role"),
        "parameter.changed": _("changed a parameter"),
        "export.made": _("exported a list"),
        "batch.received": _("delivered data"),
        "batch.retried": _("had a delivery processed again"),
        "key.issued": _("issued a key"),
        "key.ends": _("set the end of a key"),
        "key.revoked": _("revoked a key"),
    }
)


def _kinds(asking: Asking) -> list[tuple[str, str]]:
    return sorted(((kind, str(words)) for kind, words in EVENTS.items()), key=lambda each: each[1])


def _what(asking: Asking, kind: str) -> str:
    return str(EVENTS.get(kind, kind))


def _summary(asking: Asking, details: dict[str, Any]) -> str:
    return json.dumps(details, ensure_ascii=False) if details else ""


AUDIT = list_screen(
    ListScreen(
        name="audit",
        path="platform/audit/",
        title=_("Audit log"),
        about=_(
            "Every write, export and sign-in: who, when, from where, about what. Nothing here can be changed or deleted."
        ),
        model=Event,
        permission=Permission.SEE_AUDIT,
        detail="event",
        sort="-at",
        columns=(
            Column("at"),
            Column("by_name"),
            Column("role", choices=tuple(Role.choices)),
            Column("what", title=_("Action"), needs=("kind",), compute=_what),
            Column("label"),
            Column("address"),
            Column("region_code", optional=True),
            Column("summary", title=_("Details"), needs=("details",), compute=_summary, optional=True),
        ),
        filters=(
            Search(own=("by_name", "label"), title=_("Person or subject, from its beginning")),
            Choice("kind", _("Action"), main=True, options_of=_kinds),
            Choice("role", choices=tuple(Role.choices), main=True),
            Dates("at", _("Time")),
            Of(
                "by",
                _("Person"),
                named=lambda key: str(Event.objects.filter(by=key).values_list("by_name", flat=True).first() or key),
            ),
            Of(
                "row",
                _("About"),
                path="row_id",
                named=lambda key: str(Event.objects.filter(row_id=key).values_list("label", flat=True).first() or key),
            ),
        ),
        tab_of={"person": "by"},
        order=40,
        icon="clipboard-list",
        room="kernel",
    )
)


def _event_words(request: HttpRequest, event: Any) -> dict[str, Any]:
    """The details by name, and the page of the row it was about."""
    return {
        "details": [
            (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in event.details.items()
        ],
        "subject_url": _subject_url(request, event),
    }


def _subject_url(request: HttpRequest, event: Event) -> str:
    if not event.row_id or not event.table:
        return ""
    actor = request.actor  # type: ignore[attr-defined]
    for each in DETAILS.values():
        if each.model._meta.db_table == event.table and actor.may(each.permission):
            return reverse(each.name, args=[event.row_id])
    return ""


detail_screen(
    DetailScreen(
        name="event",
        path="platform/audit/<uuid:pk>/",
        title=_("Audit event"),
        model=Event,
        permission=Permission.SEE_AUDIT,
        named=("kind",),
        of_list="audit",
        template="web/event.html",
        extra=_event_words,
        sections=(
            Section(
                _("The event"),
                (
                    "at",
                    "by_name",
                    Column("role", choices=tuple(Role.choices)),
                    "address",
                    Column("what", title=_("Action"), needs=("kind",), compute=_what),
                    "label",
                ),
            ),
        ),
        room="kernel",
    )
)

"""Pages of accidents: class, casualties as they changed, the reporting clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident, CasualtyCount
from anze.claims.rules import AccidentClass, AccidentType, Reporting, reporting
from anze.kernel.duty import beijing_day
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE, INSURER, ORIGIN, USCC, insurer_filter
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Way, detail_screen
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Flag, InRegion, Numbers, Search
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.pages import moment
from anze.screen.stories import Story, story
from anze.underwriting.screens import ORIGIN_SECTION

CLASS_TONES = {"GENERAL": "warning", "LARGER": "danger", "MAJOR": "danger", "EXTRA_MAJOR": "danger"}


def _clock(asking: Asking, kind: str, due_at: datetime | None, reported_at: datetime | None) -> str:
    # an incident without death or serious injury need not be reported
    if due_at is None or (kind == AccidentClass.INCIDENT and reported_at is None):
        return ""
    return reporting(due_at, reported_at, asking.at).value


REPORTED = Column(
    "reporting",
    title=_("Report to the authority"),
    needs=("accident_class", "authority_due_at", "reported_at"),
    compute=_clock,
    choices=(*Reporting.choices, ("", "–")),
    tones={"IN_TIME": "success", "LATE": "warning", "MISSING": "danger", "RUNNING": "info"},
)
_COUNTED = ~Q(accident_class=AccidentClass.INCIDENT)

ACCIDENTS = list_screen(
    ListScreen(
        name="accidents",
        path="claims/accidents/",
        title=_("Accidents"),
        about=_("Accidents at insured enterprises as their insurers report them; the class follows order 493 of the State Council."),
        model=Accident,
        permission=Permission.SEE_CLAIMS,
        detail="accident",
        sort="-occurred_at",
        columns=(
            Column("accident_no"),
            ENTERPRISE,
            INSURER,
            Column("region_code"),
            Column("occurred_at"),
            Column("kind"),
            Column("accident_class", tones=CLASS_TONES),
            REPORTED,
            Column("deaths"),
            Column("serious_injuries"),
            Column("minor_injuries", optional=True),
            Column("direct_loss", optional=True),
            Column("sector", optional=True),
            Column("reported_at", optional=True),
            USCC,
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("accident_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Accident no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("accident_class", main=True),
            Choice("kind"),
            Choice("sector"),
            Dates("occurred_at"),
            Numbers("deaths"),
            Flag("hits_third_party"),
            Cases(
                "report",
                _("Report to the authority"),
                cases={
                    "late": Case(
                        _("late or missing"),
                        lambda a: _COUNTED
                        & (
                            Q(reported_at__gt=F("authority_due_at"))
                            | Q(reported_at__isnull=True, authority_due_at__lte=a.at)
                        ),
                    ),
                    "missing": Case(
                        _("not reported"), lambda a: _COUNTED & Q(reported_at__isnull=True, authority_due_at__lte=a.at)
                    ),
                },
            ),
            Cases(
                "counting",
                _("Casualties"),
                cases={
                    "open": Case(_("may still change the class"), lambda a: Q(counts_until_on__gte=beijing_day(a.at))),
                },
            ),
        ),
        tab_of={"enterprise": "enterprise"},
        order=20,
    )
)  # fmt: skip


def _ways(request: HttpRequest, accident: Any) -> list[Way]:
    """After an accident the insurer sends somebody who looks for its causes; the authority has others looked at."""
    actor, ways = request.actor, []  # type: ignore[attr-defined]
    if accident.is_void:
        return []
    if actor.may(Permission.RUN_SERVICES):
        order = f"{reverse('order-new')}?accident={accident.pk}"
        ways.append(Way(_("Order a service"), order, "calendar-event", "primary"))
    if actor.may(Permission.SET_TOPICS):
        ways.append(Way(_("Set a topic after it"), f"{reverse('topic-new')}?accident={accident.pk}", "flag", "primary"))
    return ways


def _words(request: HttpRequest, accident: Any) -> dict[str, Any]:
    """The casualties as they were told, oldest first, with the class that followed from each."""
    rows = CasualtyCount.objects.filter(accident=accident.pk).order_by("recorded_at", "id")
    return {
        "counts": [
            {
                "row": each,
                "when": moment(each.recorded_at),
                "tone": CLASS_TONES.get(each.accident_class, ""),
            }
            for each in rows[:50]
        ]
    }


detail_screen(
    DetailScreen(
        name="accident",
        path="claims/accidents/<uuid:pk>/",
        title=_("Accident"),
        model=Accident,
        permission=Permission.SEE_CLAIMS,
        named=("accident_no",),
        state=Column("accident_class", tones=CLASS_TONES),
        of_list="accidents",
        template="claims/accident.html",
        extra=_words,
        ways=_ways,
        sections=(
            Section(
                _("What happened"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    "occurred_at",
                    "place",
                    "kind",
                    "accident_class",
                    "description",
                ),
            ),
            Section(_("Report to the authority"), ("learned_at", "authority_due_at", "reported_at", REPORTED)),
            Section(
                _("Harm"),
                (
                    "deaths",
                    "serious_injuries",
                    "minor_injuries",
                    "direct_loss",
                    "hits_third_party",
                    "counted_on",
                    "counts_until_on",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)
waiting(
    ACCIDENTS,
    "accidents-unreported",
    _("Accidents without a report to the authority"),
    why=_("The hour of the law is over, and no report is known."),
    tone="danger",
    order=9,
    roles=frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.ENTERPRISE}),
    report="missing",
)


def _tell_accident(asking: Asking, kind: str, kind_class: str, deaths: int, injured: int) -> tuple[str, str]:
    text = (
        f"{labels(AccidentType.choices).get(kind, kind)}, {labels(AccidentClass.choices).get(kind_class, kind_class)}"
    )
    if deaths or injured:
        text += _now("; %(deaths)s dead, %(injured)s seriously injured") % {
            "deaths": deaths,
            "injured": injured,
        }
    return text, "danger" if deaths else ""


story(
    Story(
        "accident", _("Accident"), Permission.SEE_CLAIMS, "alert-octagon", Accident, "event_on", "accident_no",
        "accident", ("kind", "accident_class", "deaths", "serious_injuries"), _tell_accident,
        where=Q(is_void=False), order=60,
    )
)  # fmt: skip

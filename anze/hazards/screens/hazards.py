"""Pages of hazards, from the finding to the verified closing."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.claims.models import Accident
from anze.hazards.models import Hazard, Recurrence, escalated
from anze.hazards.rules import ENDED, OPEN, HazardClass, HazardState, Level
from anze.hazards.screens.story import page_words
from anze.kernel.duty import beijing_day
from anze.library.models import Criterion, Standard
from anze.parties.rules import INSURER_ROLES, Permission, Role
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, ORIGIN, USCC, agency_filter, insurer_filter
from anze.prevention.screens.chain import below_service
from anze.prevention.screens.records import accident_name
from anze.screen.asked import count_text
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, Exact, InRegion, Of, Search, begins
from anze.screen.lists import ListScreen, count, list_screen, waiting
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import Story, story
from anze.underwriting.screens import ORIGIN_SECTION

CLASS = Column("hazard_class", tones={"MAJOR": "danger"})
STATE_TONES = {"CLOSED": "success", "FOUND": "warning", "SHUT_DOWN": ""}


def is_open() -> Q:
    return ~Q(state__in=ENDED)


def is_overdue(asking: Asking) -> Q:
    """Not closed, and past its last day, an extension included."""
    return is_open() & Q(
        deadline_on__lt=beijing_day(asking.at),
    ) & (Q(extended_to_on__isnull=True) | Q(extended_to_on__lt=beijing_day(asking.at)))  # fmt: skip


def _at_level(level: str) -> Any:
    return lambda asking: escalated(level, beijing_day(asking.at))


def _unreported(asking: Asking) -> Q:
    """Open major hazards the authority was not told of."""
    return Q(hazard_class=HazardClass.MAJOR, reported_at__isnull=True, state__in=OPEN)


WAITS = Cases(
    "waits",
    _("Waiting for"),
    main=True,
    cases={
        "notice": Case(_("written notice"), lambda a: Q(state=HazardState.FOUND)),
        "recheck": Case(_("recheck"), lambda a: Q(state=HazardState.SUBMITTED)),
        "recheck-late": Case(_("recheck, overdue"), lambda a: Q(state=HazardState.SUBMITTED, recheck_due_at__lte=a.at)),
        "extension": Case(_("decision on an extension"), lambda a: Q(extension="ASKED", state__in=OPEN)),
        "report": Case(_("report to the authority"), _unreported),
        "report-late": Case(
            _("report to the authority, overdue"), lambda a: _unreported(a) & Q(authority_due_at__lte=a.at)
        ),
        "resume": Case(_("consent to resume work"), lambda a: Q(stopped_on__isnull=False, resumed_on__isnull=True)),
    },
)
LEVEL = Cases(
    "level",
    _("Overdue, for"),
    cases={level.value.lower(): Case(level.label, _at_level(level.value)) for level in Level},
)
RETURNED = Cases(
    "again",
    _("Found before"),
    cases={
        "proposed": Case(
            _("to be decided"),
            lambda a: Q(state__in=OPEN, pk__in=Recurrence.objects.filter(state="PROPOSED").values("hazard")),
        ),
        "linked": Case(
            _("found again"), lambda a: Q(pk__in=Recurrence.objects.filter(state="LINKED").values("hazard"))
        ),
    },
)
LISTED = Cases(
    "listed",
    _("Supervised listing"),
    cases={
        "now": Case(_("listed"), lambda a: ~Q(supervised_level="") & Q(lifted_on__isnull=True)),
        "ever": Case(_("listed at any time"), lambda a: ~Q(supervised_level="")),
    },
)


def _due(asking: Asking, state: str, deadline: date, extended: date | None, closed: date | None) -> str:
    if state in ENDED:
        return "ENDED"
    last = extended or deadline
    today = beijing_day(asking.at)
    return "OVERDUE" if last < today else "SOON" if (last - today).days <= 7 else "IN_TIME"


DUE = Column(
    "due",
    title=_("Deadline"),
    needs=("state", "deadline_on", "extended_to_on", "closed_on"),
    compute=_due,
    choices=(
        ("OVERDUE", _("overdue")),
        ("SOON", _("due within 7 days")),
        ("IN_TIME", _("in time")),
        ("ENDED", pgettext_lazy("hazard", "ended")),
    ),
    tones={"OVERDUE": "danger", "SOON": "warning", "IN_TIME": "info", "ENDED": "success"},
)


def _open_at_accident(accident: UUID) -> Q:
    """Hazards of the enterprise that were known and not closed on the day of its accident."""
    found = Accident.objects.filter(pk=accident).values_list("enterprise_id", "event_on").first()
    if found is None:
        return Q(pk__in=[])
    return Q(enterprise_id=found[0], found_on__lte=found[1]) & (
        Q(closed_on__isnull=True) & ~Q(state=HazardState.SHUT_DOWN) | Q(closed_on__gte=found[1])
    )


HAZARDS = list_screen(
    ListScreen(
        name="hazards",
        path="hazards/",
        title=_("Hazards"),
        about=_("Hazards found by services, by enterprises themselves and by authorities. Closed means verified, not merely reported as done."),
        model=Hazard,
        permission=Permission.SEE_HAZARDS,
        detail="hazard",
        sort="-found_on",
        columns=(
            Column("hazard_no"),
            ENTERPRISE,
            INSURER,
            CLASS,
            Column("description"),
            Column("found_on"),
            Column("deadline_on"),
            Column("state", tones=STATE_TONES),
            DUE,
            Column("region_code", optional=True),
            Column("sector", optional=True),
            AGENCY,
            Column("source", optional=True),
            Column("location", optional=True),
            Column("criterion_code", optional=True),
            Column("criterion_edition", optional=True),
            Column("rectified_on", optional=True),
            Column("verified_on", optional=True),
            Column("closed_on", optional=True),
            Column("reported_at", optional=True),
            Column("recheck_due_at", optional=True),
            Column("extension", optional=True),
            Column("extension_asked_to_on", optional=True),
            Column("supervised_level", optional=True),
            Column("supervised_no", optional=True),
            Column("stopped_on", optional=True),
            Column("campaign_code", optional=True),
            Column("service__service_no", opens="service", optional=True),
            USCC,
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("hazard_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Hazard no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("class", path="hazard_class", main=True),
            Choice("state", main=True),
            Cases(
                "due",
                _("Deadline"),
                cases={
                    "open": Case(_("not closed"), lambda a: is_open()),
                    "overdue": Case(_("overdue"), is_overdue),
                },
            ),
            WAITS,
            LEVEL,
            LISTED,
            RETURNED,
            agency_filter(),
            Choice("sector"),
            Choice("source"),
            Dates("found_on"),
            Dates("deadline_on"),
            Dates("closed_on"),
            Exact("campaign", _("Campaign"), path="campaign_code"),
            Exact("criterion", _("Criterion"), path="criterion_code"),
            Exact("edition", _("Edition of the criterion"), path="criterion_edition"),
            Choice("channel"),
            Of("before", _("Open on the day of the accident"), condition=_open_at_accident, named=accident_name),
        ),
        tab_of={
            "enterprise": "enterprise", "service": "service", "insurer": "insurer", "agency": "agency",
            "accident": "before",
        },
        order=10,
    )
)  # fmt: skip


def _edition(asking: Asking, code: str, edition: str, entry: str, hazard_class: str) -> str:
    """The edition it was judged by, by the words people know it by: title, number and clause."""
    if not edition:
        # a general hazard may rest on no standard at all
        is_judged = code or entry or hazard_class == HazardClass.MAJOR
        return _now("edition not recorded") if is_judged else ""
    found = Criterion.objects.filter(code=code, standard__code=edition).select_related("standard").first()
    if found is not None:
        return f"{found.standard} {found.clause}".rstrip()
    return str(Standard.objects.filter(code=edition).first() or edition)


EDITION = Column(
    "edition",
    title=_("edition of the criterion"),
    needs=("criterion_code", "criterion_edition", "entry_code", "hazard_class"),
    compute=_edition,
)

detail_screen(
    DetailScreen(
        name="hazard",
        path="hazards/<uuid:pk>/",
        title=_("Hazard"),
        model=Hazard,
        permission=Permission.SEE_HAZARDS,
        named=("hazard_no",),
        state=DUE,
        of_list="hazards",
        template="hazards/hazard.html",
        extra=page_words,
        climb=lambda request, hazard: below_service(request, hazard.service_id),
        sections=(
            Section(
                _("The hazard"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    Column("service__service_no", opens="service"),
                    "source",
                    CLASS,
                    "criterion_code",
                    EDITION,
                    "found_on",
                    "location",
                    "description",
                    "advice",
                    "entry_code",
                    "campaign_code",
                ),
                hides_empty=True,
            ),
            Section(
                _("Its rectification"),
                (
                    Column("state", tones=STATE_TONES),
                    "deadline_on",
                    "extended_to_on",
                    "extension_reason",
                    "notified_on",
                    "notified_principal",
                    "reported_at",
                    "rectified_on",
                    "verified_on",
                    "verifier",
                    "closed_on",
                    "recheck_due_at",
                    "authority_due_at",
                    "supervised_level",
                    "supervised_no",
                    "stopped_on",
                    "resumed_on",
                ),
                hides_empty=True,
            ),
            ORIGIN_SECTION,
        ),
    )
)
waiting(
    HAZARDS,
    "hazards-major-overdue",
    _("Major hazards past their deadline"),
    why=_("Not verified as rectified, extensions counted."),
    tone="danger",
    order=5,
    due="overdue",
    **{"class": "MAJOR"},  # type: ignore[arg-type]
)
waiting(
    HAZARDS,
    "hazards-overdue",
    _("Hazards past their deadline"),
    why=_("Not verified as rectified, extensions counted."),
    tone="warning",
    order=35,
    due="overdue",
)


_REGULATORS = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.SECTOR_DEPARTMENT})
_CHECKERS = frozenset({*INSURER_ROLES, Role.AGENCY, Role.EXPERT})
for _role, _level in (
    (Role.COUNTY_REGULATOR, Level.COUNTY), (Role.CITY_REGULATOR, Level.CITY), (Role.PROVINCE_REGULATOR, Level.PROVINCE),
):  # fmt: skip
    waiting(
        HAZARDS,
        f"hazards-escalated-{_level.value.lower()}",
        _("Overdue hazards for your level to take up"),
        why=_("So many working days past their deadline that they come up to you."),
        tone="danger",
        order=6,
        roles=frozenset({_role}),
        level=_level.value.lower(),
    )
for _name, _title, _why, _tone, _order, _roles in (
    ("notice", _("Hazards to notify in writing"), _("Found, and the enterprise not told in writing yet."),
     "warning", 20, frozenset(INSURER_ROLES)),
    ("recheck", _("Rectifications to recheck"), _("The enterprise says done; closed means verified."),
     "warning", 15, _CHECKERS),
    ("extension", _("Extensions to decide"), _("An enterprise asks for more time, with its reason."),
     "warning", 16, frozenset({*INSURER_ROLES, *_REGULATORS})),
    ("report", _("Major hazards to report to the authority"), _("Major hazards the authority was not told of."),
     "danger", 7, frozenset({*INSURER_ROLES, Role.AGENCY})),
    ("resume", _("Stopped work"), _("Work is stopped until you consent to resuming."), "warning", 18, _REGULATORS),
):  # fmt: skip
    waiting(
        HAZARDS, f"hazards-{_name}", _title, why=_why, tone=_tone, order=_order, roles=_roles, waits=_name
    )  # fmt: skip
waiting(
    HAZARDS,
    "hazards-listed",
    _("Hazards under supervised listing"),
    why=_("Listed, and not lifted yet."),
    tone="warning",
    order=17,
    roles=_REGULATORS,
    listed="now",
)
waiting(
    HAZARDS,
    "hazards-again",
    _("Hazards that may have come back"),
    why=_("Like one found at the same enterprise before: say whether it is the same."),
    tone="info",
    order=40,
    roles=frozenset({*INSURER_ROLES, *_REGULATORS}),
    again="proposed",
)
waiting(
    HAZARDS,
    "hazards-own",
    _("Hazards for you to rectify"),
    why=_("What was found at your enterprise and is not submitted yet."),
    tone="warning",
    order=4,
    roles=frozenset({Role.ENTERPRISE}),
    state=["FOUND", "NOTIFIED", "RECTIFYING"],
)


def _tell(asking: Asking, kind: str, text: str, state: str, closed: date | None) -> tuple[str, str]:
    said = labels(HazardClass.choices).get(kind, kind)
    end = _now("closed %(day)s") % {"day": closed} if closed else labels(HazardState.choices).get(state, state)
    return f"{said}{_now(': ')}{text} · {end}", "danger" if kind == "MAJOR" and not closed else ""


story(
    Story(
        "hazard", _("Hazard"), Permission.SEE_HAZARDS, "alert-triangle", Hazard, "found_on", "hazard_no", "hazard",
        ("hazard_class", "description", "state", "closed_on"), _tell, where=Q(is_void=False), order=50,
    )
)  # fmt: skip


def _tile(word: str, **more: str) -> Any:
    def find(request: HttpRequest, row: Any) -> tuple[str, str, str]:
        words = {word: str(row.pk), **more}
        number = count(HAZARDS, request, **words)
        tone = "danger" if number and more.get("due") == "overdue" else ""
        return count_text(number), tone, HAZARDS.link(**words)

    return find


for _where in ("enterprise", "insurer", "agency"):
    tile(Tile(_where, "hazards", _("Open hazards"), Permission.SEE_HAZARDS, _tile(_where, due="open"), order=50))
    tile(
        Tile(
            _where,
            "hazards-overdue",
            _("Overdue hazards"),
            Permission.SEE_HAZARDS,
            _tile(_where, due="overdue"),
            order=51,
        )
    )


def _before(more: dict[str, str]) -> Any:
    def find(request: HttpRequest, accident: Any) -> tuple[str, str, str]:
        words = {"before": str(accident.pk), **more}
        number = count(HAZARDS, request, **words)
        return count_text(number), "danger" if number and more else "", HAZARDS.link(**words)

    return find


tile(Tile("accident", "hazards-before", _("Open hazards that day"), Permission.SEE_HAZARDS, _before({}), order=20))
tile(
    Tile(
        "accident", "major-before", _("Open major hazards that day"), Permission.SEE_HAZARDS,
        _before({"class": "MAJOR"}), order=21,
    )
)  # fmt: skip


def _find(words: str, limit: int) -> list[Hit]:
    found = Hazard.objects.filter(begins("hazard_no", words) | begins("hazard_no", words.upper()), is_void=False)
    return [
        Hit(number, text[:60], reverse("hazard", args=[key]))
        for key, number, text in found.values_list("pk", "hazard_no", "description")[:limit]
    ]


search(SearchAnswer("hazards", _("Hazards"), Permission.SEE_HAZARDS, _find, order=40))

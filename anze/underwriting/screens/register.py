"""Pages of the obligation register."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.rules import Sector
from anze.parties.models import Enterprise
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE, ORIGIN, USCC
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Tile, Way, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Numbers
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.stories import Story, story
from anze.underwriting.actions import duplicates_of
from anze.underwriting.models import Obligation, ObligationSource, Policy
from anze.underwriting.rules import REGISTER_TONES, ObligationState
from anze.underwriting.screens.shared import OF_ENTERPRISE, ORIGIN_SECTION


def _covered(asking: Asking) -> Exists:
    today = beijing_day(asking.at)
    return Exists(
        Policy.objects.filter(
            enterprise_id=OuterRef("enterprise_id"),
            is_void=False,
            start_on__lte=today,
            cover_end_on__gte=today,
        )
    )


def _suspended(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(suspended_from_on__lte=today) & (Q(suspended_to_on__isnull=True) | Q(suspended_to_on__gte=today))


def _closed(asking: Asking) -> Q:
    gone = Enterprise.objects.filter(pk=OuterRef("enterprise_id"), closed_on__lte=beijing_day(asking.at))
    return Q(Exists(gone))


def _twice(asking: Asking) -> Q:
    """Another entry of the same credit code, or of another code with the same name in the same county."""
    others = Obligation.objects.filter(is_void=False, delisted_on__isnull=True).exclude(pk=OuterRef("pk"))
    same_code = others.filter(enterprise_id=OuterRef("enterprise_id"))
    same_name = others.filter(
        enterprise__name=OuterRef("enterprise__name"), enterprise__region_code=OuterRef("enterprise__region_code")
    )
    return (Q(Exists(same_code)) | Q(Exists(same_name))) & Q(delisted_on__isnull=True)


OBLIGATIONS = list_screen(
    ListScreen(
        name="obligations",
        path="underwriting/obligations/",
        title=_("Obligation register"),
        about=_("Who must insure, why, since when and by which source. The denominator of coverage."),
        model=Obligation,
        permission=Permission.SEE_REGISTER,
        detail="obligation",
        body="underwriting/obligations_body.html",
        sort="-listed_on",
        columns=(
            Column("enterprise__name", title=_("Enterprise")),
            USCC,
            Column("region_code"),
            Column("sector"),
            Column("reason", optional=True),
            Column("source"),
            Column("listed_on"),
            Column("state", tones=REGISTER_TONES),
            Column("registered_workers"),
            Column("dispute_note", optional=True),
            Column("delisted_on", optional=True),
            Column("delisting_reason", optional=True),
            Column("suspended_from_on", optional=True),
            Column("suspended_to_on", optional=True),
            *ORIGIN,
        ),
        filters=(
            OF_ENTERPRISE,
            InRegion(),
            Choice("sector", main=True),
            Choice("state", main=True),
            Cases(
                "cover",
                _("Insured today"),
                cases={
                    "no": Case(_("not insured"), lambda a: ~Q(_covered(a))),
                    "yes": Case(_("insured"), lambda a: Q(_covered(a))),
                },
            ),
            Cases(
                "listed",
                _("On the register"),
                cases={
                    "yes": Case(
                        _("on the register today"),
                        lambda a: Q(delisted_on__isnull=True) | Q(delisted_on__gt=beijing_day(a.at)),
                    ),
                    "no": Case(_("taken off"), lambda a: Q(delisted_on__lte=beijing_day(a.at))),
                },
            ),
            Cases(
                "unit",
                _("The unit"),
                cases={
                    "working": Case(_("operates"), lambda a: ~_suspended(a) & ~_closed(a)),
                    "suspended": Case(_("operation suspended"), _suspended),
                    "closed": Case(_("closed"), _closed),
                },
            ),
            Cases("twice", _("Perhaps listed twice"), cases={"yes": Case(_("yes"), _twice)}),
            Choice("reason"),
            Dates("listed_on"),
            Numbers("registered_workers"),
        ),
        tab_of={"enterprise": "enterprise"},
        order=10,
    )
)
SOURCES = list_screen(
    ListScreen(
        name="obligation-sources",
        path="underwriting/sources/",
        title=_("Sources of the register"),
        about=_("Every list that names an enterprise, also those of entries merged into another."),
        model=ObligationSource,
        permission=Permission.SEE_REGISTER,
        sort="-listed_on",
        columns=(
            Column("enterprise__name", title=_("Enterprise"), opens="enterprise", hide_for="enterprise_id"),
            Column("source"),
            Column("reason"),
            Column("listed_on"),
            Column("registered_workers"),
            Column("from_entry__source", title=_("From a merged entry"), opens="obligation"),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(OF_ENTERPRISE, InRegion(), Choice("sector", main=True), Choice("reason"), Dates("listed_on")),
        tab_of={"obligation": "obligation"},
        in_menu=False,
    )
)


def _ways(request: HttpRequest, entry: Obligation) -> list[Way]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if entry.is_void or entry.delisted_on is not None:
        return []
    ways = []
    if actor.may(Permission.ANSWER_COVER):
        ways.append(Way(_("Dispute"), reverse("obligation-dispute", args=[entry.pk]), "message", "primary"))
    if actor.may(Permission.KEEP_REGISTER):
        if entry.state == ObligationState.UNCERTAIN:
            confirm = reverse("obligation-confirm", args=[entry.pk])
            ways.append(Way(_("Confirm"), confirm, "check", "primary", at_once=True))
        ways.append(
            Way(_("Suspended or working again"), reverse("obligation-suspend", args=[entry.pk]), "calendar-event")
        )
    return ways


def _extra(request: HttpRequest, entry: Obligation) -> dict[str, Any]:
    """What may mean the same unit, for those who keep the register."""
    if entry.delisted_on is not None or not request.actor.may(Permission.KEEP_REGISTER):  # type: ignore[attr-defined]
        return {"twins": []}
    twins = [
        {"key": each.pk, "name": each.enterprise.name, "uscc": each.enterprise.uscc, "source": each.source,
         "sector": each.get_sector_display(), "listed_on": each.listed_on}
        for each in duplicates_of(entry)[:10]
    ]  # fmt: skip
    return {"twins": twins}


detail_screen(
    DetailScreen(
        name="obligation",
        path="underwriting/obligations/<uuid:pk>/",
        title=_("Register entry"),
        model=Obligation,
        permission=Permission.SEE_REGISTER,
        named=("enterprise__name", "sector"),
        state=Column("state", tones=REGISTER_TONES),
        of_list="obligations",
        template="underwriting/obligation.html",
        ways=_ways,
        extra=_extra,
        sections=(
            Section(
                _("The duty to insure"),
                (
                    ENTERPRISE,
                    Column("enterprise__uscc"),
                    "region_code",
                    "sector",
                    "reason",
                    "source",
                    "listed_on",
                    "registered_workers",
                    "dispute_note",
                    "delisted_on",
                    "delisting_reason",
                    "suspended_from_on",
                    "suspended_to_on",
                    Column("enterprise__closed_on", title=_("Unit closed on")),
                    Column("merged_into__source", title=_("Merged into"), opens="obligation"),
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)


_REGULATORS = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.SECTOR_DEPARTMENT})

waiting(
    OBLIGATIONS,
    "register-open",
    _("Register entries in dispute or to be verified"),
    why=_("Until they are settled, coverage is known only within a band."),
    tone="warning",
    order=30,
    roles=_REGULATORS,
    state=[ObligationState.DISPUTED.value, ObligationState.UNCERTAIN.value],
    listed="yes",
)


def _tell_listing(asking: Asking, sector: str, source: str) -> tuple[str, str]:
    return _now("%(sector)s; source: %(source)s") % {
        "sector": labels(Sector.choices).get(sector, sector),
        "source": source,
    }, ""


story(
    Story(
        "register", _("Put on the register"), Permission.SEE_REGISTER, "clipboard-list", Obligation, "listed_on",
        "source", "obligation", ("sector", "source"), _tell_listing, where=Q(is_void=False), order=5,
    )
)  # fmt: skip


def _register_tile(request: HttpRequest, enterprise: Any) -> tuple[str, str, str]:
    found = Obligation.objects.filter(enterprise=enterprise, is_void=False).order_by("-listed_on").first()
    if found is None:
        return _now("not on it"), "", ""
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    url = reverse("obligation", args=[found.pk])
    if found.delisted_on and found.delisted_on <= today:
        return _now("taken off %(day)s") % {"day": found.delisted_on}, "", url
    return str(found.get_state_display()), REGISTER_TONES[found.state], url


tile(Tile("enterprise", "register", _("Obligation register"), Permission.SEE_REGISTER, _register_tile, order=10))

"""Pages of the obligation register."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.rules import Sector
from anze.parties.rules import Permission, Role
from anze.parties.screens import ENTERPRISE, ORIGIN, USCC
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Tile, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Numbers
from anze.screen.lists import ListScreen, list_screen, waiting
from anze.screen.stories import Story, story
from anze.underwriting.models import Obligation, Policy
from anze.underwriting.rules import ObligationState
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


REGISTER_TONES = {"CONFIRMED": "success", "DISPUTED": "danger", "UNCERTAIN": "warning"}

OBLIGATIONS = list_screen(
    ListScreen(
        name="obligations",
        path="underwriting/obligations/",
        title=_("Obligation register"),
        about=_("Who must insure, why, since when and by which source. The denominator of coverage."),
        model=Obligation,
        permission=Permission.SEE_REGISTER,
        detail="obligation",
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
            Choice("reason"),
            Dates("listed_on"),
            Numbers("registered_workers"),
        ),
        tab_of={"enterprise": "enterprise"},
        order=10,
    )
)
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
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)


_REGULATORS = frozenset({Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.SECTOR_DEPARTMENT})

waiting(
    OBLIGATIONS,
    "uninsured",
    _("Must insure, but are not insured"),
    why=_("On the register and without a policy in force today."),
    tone="danger",
    order=10,
    cover="no",
    listed="yes",
)
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

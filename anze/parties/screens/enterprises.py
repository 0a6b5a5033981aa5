"""Enterprises: the list, and one file for each with everything that happened to it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.parties.models import Enterprise
from anze.parties.rules import Permission
from anze.parties.screens import ORIGIN
from anze.screen.columns import Column
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Case, Cases, Choice, Dates, Flag, InRegion, Numbers, Search
from anze.screen.lists import ListScreen, list_screen
from anze.screen.registry import Hit, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import time_line

RISK_TONES = {"HIGH": "danger", "MEDIUM": "warning", "LOW": "success"}

ENTERPRISES = list_screen(
    ListScreen(
        name="enterprises",
        path="parties/enterprises/",
        title=_("Enterprises"),
        about=_("Production and business units that are insured or obliged to be, as far as you work with them."),
        model=Enterprise,
        permission=Permission.SEE_ENTERPRISES,
        detail="enterprise",
        sort="-id",
        columns=(
            Column("name"),
            Column("uscc"),
            Column("region_code"),
            Column("sector"),
            Column("size"),
            Column("risk_tier", tones=RISK_TONES),
            Column("registered_workers"),
            Column("is_high_risk", optional=True),
            Column("industry_code", optional=True),
            Column("address", optional=True),
            Column("closed_on", optional=True),
            *ORIGIN,
            Column("id", title=_("Order of entry"), optional=True),
        ),
        filters=(
            Search(own=("uscc", "name"), inside=("name",), title=_("Credit code or name")),
            InRegion(),
            Choice("sector", main=True),
            Choice("size"),
            Choice("risk_tier"),
            Numbers("registered_workers"),
            Flag("is_high_risk"),
            Cases(
                "closed",
                _("Closed"),
                cases={
                    "no": Case(_("at work"), lambda asking: Q(closed_on__isnull=True)),
                    "yes": Case(_("closed"), lambda asking: Q(closed_on__isnull=False)),
                },
            ),
            Dates("received_at", _("First received")),
        ),
        order=10,
        not_in_menu_of=frozenset({"anze_enterprise"}),
    )
)


def _file(request: HttpRequest, enterprise: Any) -> dict[str, Any]:
    return {"line": time_line(request, enterprise.pk)} if not request.GET.get("tab") else {}


ENTERPRISE_FILE = detail_screen(
    DetailScreen(
        name="enterprise",
        path="parties/enterprises/<uuid:pk>/",
        title=_("Enterprise file"),
        model=Enterprise,
        permission=Permission.SEE_ENTERPRISES,
        named=("name",),
        of_list="enterprises",
        template="parties/enterprise.html",
        extra=_file,
        sections=(
            Section(
                _("The enterprise"),
                (
                    "uscc",
                    "alternative_id_kind",
                    "region_code",
                    "sector",
                    "industry_code",
                    "size",
                    Column("risk_tier", tones=RISK_TONES),
                    "registered_workers",
                    "is_high_risk",
                    "address",
                    "contact_name",
                    "contact_phone",
                    "closed_on",
                ),
            ),
            Section(_("Where the data come from"), ("event_on", "received_at", "channel", "version")),
        ),
    )
)


def find_enterprises(words: str, limit: int) -> list[Hit]:
    """By the beginning of the credit code, or by any part of the name."""
    rows = Enterprise.objects.filter(is_void=False)
    if words.isascii() and words.isalnum():
        found = Q(uscc__byte_gte=words.upper(), uscc__byte_lt=words.upper() + "~")
    else:
        found = Q(name__contains=words)
    return [
        Hit(name, uscc, reverse("enterprise", args=[key]))
        for key, name, uscc in rows.filter(found).values_list("id", "name", "uscc")[:limit]
    ]


search(SearchAnswer("enterprises", _("Enterprises"), Permission.SEE_ENTERPRISES, find_enterprises, order=10))

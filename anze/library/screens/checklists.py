"""Checklists: the list, each with its questions and what changed since the version before, and a sheet to print."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.library.models import Checklist, checklist_difference
from anze.library.screens import FORCE, STATUS, coming_filter, in_force_filter, worded
from anze.library.screens.standards import counted
from anze.parties.rules import Permission
from anze.screen.columns import DASH, Column, Kind
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Asking, Choice, Exact, Search
from anze.screen.lists import Button, ListScreen, list_screen, waiting
from anze.screen.registry import Hit, page, search
from anze.screen.registry import Search as SearchAnswer

SEE = Permission.SEE_LIBRARY


def _title(asking: Asking, code: str) -> str:
    found = Checklist.objects.filter(code=code).order_by("-version").first() if code else None
    return found.title if found else code or DASH


# for rows that name a checklist by its code: people know it by its title
CHECKLIST = Column("checklist", title=_("Checklist"), needs=("checklist_code",), compute=_title)


def checklist_choices() -> list[tuple[str, str]]:
    """The checklists there are, each in its latest version."""
    lists = Checklist.objects.order_by("code", "-version").distinct("code")
    return [("", DASH), *((each.code, each.title) for each in lists)]


FACTS = (
    Column("standard__number", title=_("Made for"), opens="standard"),
    "service_type",
    "campaign",
    "effective_from",
    "effective_to",
    STATUS,
    "version",
    Column("code", kind=Kind.CODE),
)

CHECKLISTS = list_screen(
    ListScreen(
        name="checklists",
        path="library/checklists/",
        title=_("Checklists"),
        about=_(
            "What is looked at on a visit, for the nine key sectors and for campaigns. A visit keeps the version it was made by."
        ),
        model=Checklist,
        permission=SEE,
        detail="checklist",
        sort="code",
        columns=(
            worded("title", _("Title")),
            Column("sector"),
            Column("version"),
            Column("standard__number", title=_("Made for"), opens="standard"),
            FORCE,
            Column("effective_from"),
            Column("effective_to"),
            STATUS,
            Column("service_type", optional=True),
            Column("campaign", optional=True),
            Column("code", kind=Kind.CODE, optional=True),
        ),
        filters=(
            Search(inside=("code", "title_zh", "title_en"), title=_("Title or code")),
            Choice("sector", main=True),
            in_force_filter(),
            Choice("service_type"),
            Exact("campaign", _("Campaign")),
            coming_filter(),
        ),
        tab_of={"standard": "standard"},
        order=40,
        icon="clipboard-list",
    )
)


def questions(checklist: Checklist) -> list[tuple[str, list[Any]]]:
    """The items by section, in order; a section that comes up again later stands there again."""
    made: list[tuple[str, list[Any]]] = []
    rows = checklist.items.select_related("criterion__standard", "standard", "hazard").order_by("seq")
    for each in rows:
        if not made or made[-1][0] != each.section:
            made.append((each.section, []))
        made[-1][1].append(each)
    return made


def _questions(request: HttpRequest, checklist: Any) -> dict[str, Any]:
    return {"parts": questions(checklist)} if not request.GET.get("tab") else {}


def _changes(request: HttpRequest, checklist: Any) -> dict[str, Any]:
    """Against the version before; the first is compared with nothing."""
    versions = list(Checklist.objects.filter(code=checklist.code).order_by("-version"))
    old = next((each for each in versions if each.version < checklist.version), None)
    found = checklist_difference(old, checklist) if old else []
    return {"versions": versions, "old": old, "new": checklist, "differences": found, "counts": counted(found)}


detail_screen(
    DetailScreen(
        name="checklist",
        path="library/checklists/<uuid:pk>/",
        title=_("Checklist"),
        model=Checklist,
        permission=SEE,
        named=(),
        state=FORCE,
        of_list="checklists",
        template="library/checklist.html",
        extra=_questions,
        tabs=(("changes", _("Versions and changes"), "", _changes),),
        buttons=(Button(_("Sheet to print"), "checklist-print", SEE, "printer"),),
        sections=(Section(_("This version"), FACTS),),
    )
)


@page("library/checklists/<uuid:pk>/print/", name="checklist-print", title=_("Sheet to print"), permission=SEE)
def checklist_print(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The checklist as a sheet with boxes to tick, for those who work on paper."""
    checklist = Checklist.objects.filter(pk=pk).select_related("standard").first()
    if checklist is None:
        raise Http404
    return render(request, "library/checklist_print.html", {"checklist": checklist, "parts": questions(checklist)})


waiting(
    CHECKLISTS,
    "checklists-coming",
    _("New checklists come into force within 30 days"),
    why=_("Visits from that day on use the new version; see what it asks otherwise."),
    order=60,
    coming="soon",
    in_force="later",
)


def find_checklists(words: str, limit: int) -> list[Hit]:
    rows = Checklist.objects.filter(Q(title_zh__contains=words) | Q(title_en__icontains=words) | Q(code=words.upper()))
    return [Hit(str(each), each.get_sector_display(), reverse("checklist", args=[each.pk])) for each in rows[:limit]]


search(SearchAnswer("checklists", _("Checklists"), SEE, find_checklists, order=83))

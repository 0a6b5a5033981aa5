"""Open hazards that a new edition of a standard touches; their own wording and edition stay as they were."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from anze.hazards.models import Hazard
from anze.hazards.rules import OPEN
from anze.hazards.screens.hazards import HAZARDS
from anze.library.models import Standard, edition_difference
from anze.parties.rules import Permission
from anze.screen.lists import check_reader
from anze.screen.registry import page


@dataclass(frozen=True)
class Touched:
    code: str
    text: str
    kind: str
    count: int
    url: str


@dataclass(frozen=True)
class Change:
    old: Standard
    new: Standard
    touched: list[Touched]
    count: int  # open hazards of the library that rest on the earlier edition as a whole
    url: str

    @property
    def open(self) -> list[Touched]:
        return [each for each in self.touched if each.count]

    @property
    def others(self) -> list[Touched]:
        return [each for each in self.touched if not each.count]


KINDS = {"removed": _("no longer there"), "changed": _("changed"), "renumbered": _("renumbered")}


@page("hazards/editions/", name="hazard-editions", title=_("Hazards and new editions"),
      permission=Permission.SEE_HAZARDS, in_menu=True, order=40, icon="book",
      not_in_menu_of=frozenset({"anze_enterprise"}))  # fmt: skip
def editions(request: HttpRequest) -> HttpResponse:
    """For every standard with an earlier edition: the criteria that changed, and the open hazards that were judged by the earlier one."""
    check_reader(request, Hazard)
    rows = (
        Hazard.objects.filter(state__in=OPEN, is_void=False)
        .exclude(criterion_edition="")
        .values_list("criterion_edition", "criterion_code")
        .annotate(count=Count("id"))
        .order_by()
    )
    counts = {(edition, code): count for edition, code, count in rows}
    changes = []
    for new in Standard.objects.filter(replaces__isnull=False).select_related("replaces").order_by("family", "-issued"):
        old = new.replaces
        if old is None:
            continue
        touched = [
            Touched(
                each.old.code, each.old.text, str(KINDS[each.kind]), counts.get((old.code, each.old.code), 0),
                HAZARDS.link(criterion=each.old.code, edition=old.code, due="open"),
            )
            for each in edition_difference(old, new)
            if each.old and each.kind in KINDS
        ]  # fmt: skip
        url = HAZARDS.link(edition=old.code, due="open")
        changes.append(Change(old, new, touched, counts.get((old.code, ""), 0), url))
    return render(request, "hazards/editions.html", {"changes": changes})

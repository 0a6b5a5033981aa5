"""Hazards that came back: what is known of the earlier ones, and a person's word on each."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from anze.hazards.actions.recurrence import decide_recurrence
from anze.hazards.models import Hazard, Recurrence
from anze.hazards.rules import RecurrenceState
from anze.parties.rules import Permission
from anze.screen.lists import check_reader
from anze.screen.registry import page


@dataclass(frozen=True)
class Earlier:
    """An earlier hazard as the page tells it; of another insurer's it says the month alone."""

    row: Recurrence
    when: str
    number: str
    text: str
    url: str
    may_decide: bool


def earlier_of(request: HttpRequest, hazard: Hazard) -> list[Earlier]:
    rows = list(Recurrence.objects.filter(hazard=hazard).exclude(state="REJECTED").order_by("-earlier_on", "-id")[:20])
    seen = {each.pk: each for each in Hazard.objects.filter(pk__in=[row.earlier_id for row in rows])}
    may = request.actor.may(Permission.HANDLE_HAZARDS)  # type: ignore[attr-defined]
    made = []
    for row in rows:
        known = seen.get(row.earlier_id)
        made.append(
            Earlier(
                row=row,
                when=str(row.earlier_on) if known else f"{row.earlier_on:%Y-%m}",
                number=known.hazard_no if known else "",
                text=known.description if known else "",
                url=reverse("hazard", args=[known.pk]) if known else "",
                may_decide=may and row.state == RecurrenceState.PROPOSED,
            )
        )
    return made


@page("hazards/<uuid:pk>/recurrence/", name="hazard-recurrence", permission=Permission.HANDLE_HAZARDS,
      methods=("POST",))  # fmt: skip
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    check_reader(request, Hazard)
    hazard = Hazard.objects.filter(pk=pk).first()
    try:
        wanted = UUID(request.POST.get("recurrence", ""))
    except ValueError:
        raise Http404 from None
    found = Recurrence.objects.filter(pk=wanted, hazard_id=pk).first()
    if hazard is None or found is None:
        raise Http404
    is_same = request.POST.get("same") == "yes"
    decide_recurrence(hazard, by=request.actor, at=request.at, recurrence=found, is_same=is_same)  # type: ignore[attr-defined]
    return redirect("hazard", pk)

"""Putting visits on file, what stood in the way of it, and the open hazards a phone takes along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.actions import deliver_visit
from anze.exchange.decoding import FoundProblem
from anze.exchange.receipts import explained_problems
from anze.hazards.models import Hazard
from anze.hazards.rules import HazardState
from anze.parties.rules import Permission
from anze.prevention.actions import missing_of, submit_visit
from anze.prevention.models import Visit
from anze.prevention.rules import VisitState
from anze.prevention.screens.phone import Place, as_told, carried, visit_as_told
from anze.screen.details import Tile, tile
from anze.screen.registry import page

MOST_HAZARDS = 500


def problems_of(visit: Visit) -> list[dict[str, Any]]:
    """What the checks found in a submitted visit, in the reader's language."""
    return [
        told
        for each in visit.problems
        for told in explained_problems(each["feed"], [FoundProblem(1, each["field"], each["code"], each["values"])])
    ]


@page(
    "visits/<uuid:pk>/submit/",
    name="visit-submit",
    title=_("Submit the visit"),
    permission=Permission.RECORD_VISITS,
    methods=("POST",),
)
def submit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Submit a visit and put it on file, both or nothing of both. From the app as from the visit's page."""
    visit = get_object_or_404(Visit, pk=pk)
    is_app = request.headers.get("Accept") == "application/json"
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    missing = missing_of(visit) if visit.state not in (VisitState.SUBMITTED, VisitState.DELIVERED) else []
    if is_app and any(each.is_hard for each in missing):
        return JsonResponse({**visit_as_told(visit), "missing": as_told(missing), "problems": []}, status=422)
    visit = submit_visit(visit, by=actor, at=at)
    visit = deliver_visit(visit, by=actor, at=at)
    if is_app:
        words = {"missing": as_told(missing), "problems": problems_of(visit)}
        return JsonResponse({**visit_as_told(visit), **words})
    if visit.state == VisitState.DELIVERED:
        messages.success(request, _now("The visit is on file."))
        return redirect("visit", pk)
    messages.error(request, _now("The visit was submitted, but a check refuses to put it on file."))
    return redirect("visit-problems", pk)


@page(
    "visits/<uuid:pk>/problems/",
    name="visit-problems",
    title=_("What stands in the way"),
    permission=Permission.SEE_SERVICES,
)
def problems(request: HttpRequest, pk: UUID) -> HttpResponse:
    visit = get_object_or_404(Visit, pk=pk)
    words = {"visit": visit, "problems": problems_of(visit)}
    return render(request, "exchange/visit_problems.html", words)


def _tile(request: HttpRequest, visit: Any) -> tuple[str, str, str]:
    if not visit.problems:
        return "0", "", ""
    return str(len(visit.problems)), "danger", reverse("visit-problems", args=[visit.pk])


tile(Tile("visit", "problems", _("Stands in the way of filing"), Permission.SEE_SERVICES, _tile, order=90))


def _open_hazards(places: list[Place]) -> dict[UUID, list[dict[str, Any]]]:
    """For each visit the open hazards of its enterprise that its own insurer knows of."""
    found: dict[tuple[UUID, UUID], list[dict[str, Any]]] = {}
    rows = (
        Hazard.objects.filter(
            enterprise_id__in={each.enterprise for each in places},
            insurer_id__in={each.insurer for each in places},
            is_void=False,
        )
        .exclude(state__in=(HazardState.CLOSED, HazardState.SHUT_DOWN))
        .order_by("-found_on", "-pk")[:MOST_HAZARDS]
    )
    for each in rows:
        found.setdefault((each.enterprise_id, each.insurer_id), []).append(
            {
                "id": str(each.pk),
                "hazard_no": each.hazard_no,
                "hazard_class": each.hazard_class,
                "description": each.description,
                "location": each.location,
                "found_on": each.found_on.isoformat(),
                "deadline_on": (each.extended_to_on or each.deadline_on).isoformat(),
            }
        )
    return {each.visit: found.get((each.enterprise, each.insurer), []) for each in places}


carried("open_hazards", _open_hazards)

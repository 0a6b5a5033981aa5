"""At the gate: the enterprise's code that begins a visit, and the expert's code that shows who sent him."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.scope import EVERYTHING, inside
from anze.kernel.signing import read_signed, sign
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.visits import NOT_TO_VISIT
from anze.prevention.models import OrderExpert
from anze.screen.details import Tile, tile
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri

PLACE, PERSON = "PLACE", "PERSON"  # kinds of signed lines


@page(
    "prevention/enterprises/<uuid:pk>/code/",
    name="enterprise-code",
    title=_("Code for the gate"),
    permission=Permission.SEE_ENTERPRISES,
)
def enterprise_code(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A sheet to print. The code says which enterprise it is, signed; the phone finds it in what it took along."""
    enterprise = get_object_or_404(Enterprise, pk=pk)
    at = request.at  # type: ignore[attr-defined]
    code = qr_uri(sign(PLACE, [str(enterprise.pk), enterprise.uscc], at=at))
    return render(request, "prevention/enterprise_code.html", {"enterprise": enterprise, "code": code})


def _tile(request: HttpRequest, enterprise: Any) -> tuple[str, str, str]:
    return _now("print"), "", reverse("enterprise-code", args=[enterprise.pk])


tile(Tile("enterprise", "code", _("Code for the gate"), Permission.SEE_ENTERPRISES, _tile, order=95))


def codes_of(expert_id: UUID | None, days: set[date], at: datetime, base: str) -> dict[str, str]:
    """For each day the beginning of the addresses that prove an expert's orders of this day."""
    if expert_id is None:
        return {}
    signed = {day.isoformat(): sign(PERSON, [str(expert_id), day.isoformat()], at=at) for day in sorted(days)}
    return {day: f"{base}/check/visits/{line}/" for day, line in signed.items()}


@page("check/visits/<str:token>/<str:order>/", name="gate", title=_("Who is at the gate"), is_open=True)
def gate(request: HttpRequest, token: str, order: str) -> HttpResponse:
    """For the enterprise's people, without signing in: who this is and by whose order, today only."""
    told = read_signed(token)
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    words: dict[str, Any] = {"row": None, "is_today": False, "day": ""}
    if told is not None and told.is_valid and told.kind == PERSON and len(told.fields) == 2:
        words |= {"day": told.fields[1], "is_today": told.fields[1] == today.isoformat()}
        if words["is_today"]:
            with inside(EVERYTHING):
                words |= _order_of(told.fields[0], order)
    return render(request, "prevention/gate.html", words, status=200 if words["row"] else 404)


def _order_of(expert: str, order: str) -> dict[str, Any]:
    try:
        key = UUID(order)
    except ValueError:
        return {}
    row = (
        OrderExpert.objects.filter(expert_id=expert, order_id=key)
        .exclude(order__state__in=NOT_TO_VISIT)
        .select_related("order", "expert", "enterprise")
        .first()
    )
    if row is None:
        return {}
    names = {each.pk: str(each) for each in Organisation.objects.filter(pk__in=[row.agency_id, row.insurer_id])}
    return {
        "row": row,
        "agency": names[row.agency_id] if row.agency_id else "",
        "insurer": names.get(row.insurer_id, ""),
    }

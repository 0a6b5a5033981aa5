"""Accepting an offer, and how an enterprise stands in the factors that accidents and hazards on file give."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident
from anze.exchange.actions import accept_offer
from anze.hazards.models import Hazard
from anze.hazards.rules import ENDED, HazardClass
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission
from anze.screen.details import DETAILS
from anze.screen.registry import page
from anze.underwriting.rules.choosing import FactorKind, Level, finds_factor


@finds_factor(FactorKind.ACCIDENTS)
def accident_record(enterprise: Any, at: datetime) -> Level:
    """Accidents of three years, with whichever insurer."""
    since = at - timedelta(days=3 * 365)
    found = Accident.objects.filter(enterprise_id=enterprise.pk, is_void=False, occurred_at__gte=since).aggregate(
        number=Count("pk"), deaths=Sum("deaths")
    )
    if not found["number"]:
        return Level(FactorKind.ACCIDENTS, "NONE", "")
    return Level(FactorKind.ACCIDENTS, "FATAL" if found["deaths"] else "SOME", str(found["number"]))


@finds_factor(FactorKind.HAZARDS)
def hazard_record(enterprise: Any, at: datetime) -> Level:
    """Hazards of a year: whether they were rectified in time."""
    today = beijing_day(at)
    late = Q(deadline_on__lt=today) & (Q(extended_to_on__isnull=True) | Q(extended_to_on__lt=today))
    overdue = ~Q(state__in=ENDED) & late
    found = Hazard.objects.filter(
        enterprise_id=enterprise.pk, is_void=False, found_on__gte=today - timedelta(days=365)
    ).aggregate(
        number=Count("pk"),
        overdue=Count("pk", filter=overdue),
        major=Count("pk", filter=overdue & Q(hazard_class=HazardClass.MAJOR)),
    )
    if found["major"]:
        return Level(FactorKind.HAZARDS, "MAJOR", str(found["major"]))
    if found["overdue"]:
        return Level(FactorKind.HAZARDS, "OVERDUE", str(found["overdue"]))
    return Level(FactorKind.HAZARDS, "CLOSED" if found["number"] else "NONE", str(found["number"] or ""))


@page(
    "underwriting/offers/<uuid:pk>/accept/", name="offer-accept", title=_("Accept the offer"),
    permission=Permission.CHOOSE_INSURER, methods=("POST",), room="underwriting",
)  # fmt: skip
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    offer = DETAILS["offer"].row(request, pk)
    try:
        with transaction.atomic():
            offer = accept_offer(offer, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    except Refused as refused:
        if refused.status == 403:
            raise
        messages.error(request, f"{refused.message} {refused.remedy}")
        return redirect("quote-request", offer.request_id)
    messages.success(request, _now("The offer is accepted, and the policy is on file."))
    return redirect("policy", offer.policy_id)

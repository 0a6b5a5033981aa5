"""Service plans as proposed: one in the entry form, or all that are missing in one delivery."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.actions import deliver
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.senders import sending
from anze.kernel.duty import beijing_day
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.plans import Proposal, proposals_for
from anze.prevention.models import Plan
from anze.prevention.rules import ServiceType, StandardEdition
from anze.screen.columns import labels
from anze.screen.registry import page
from anze.underwriting.models import Policy

AT_ONCE = 2000  # plans of one delivery
SHOWN = 50


def _in_force(sender: Organisation, at: datetime) -> QuerySet[Policy]:
    """Policies of the insurer within the reader's scope that have begun and have no plan, the riskiest first."""
    today = beijing_day(at)
    planned = Plan.objects.filter(policy=OuterRef("pk"), is_void=False)
    return (
        Policy.objects.filter(
            insurer=sender, is_void=False, start_on__lte=today, cover_end_on__gte=today, cancelled_on__isnull=True
        )
        .filter(~Exists(planned))
        .select_related("enterprise")
        .order_by("-usual_visits", "start_on", "pk")
    )


def proposal_of(request: HttpRequest, feed: Feed, sender: Organisation) -> Proposal | None:
    """The plan proposed for the policy named in the address, for the form of a plan."""
    if feed.name != "plans":
        return None
    try:
        key = UUID(request.GET.get("policy", ""))
    except ValueError:
        return None
    policy = Policy.objects.filter(pk=key, insurer=sender, is_void=False).select_related("enterprise").first()
    if policy is None:
        return None
    return proposals_for([policy], on=beijing_day(request.at))[0]  # type: ignore[attr-defined]


def content_of_proposal(proposal: Proposal, at: datetime) -> dict[str, Any]:
    """A proposal in the terms of the dataset."""
    policy = proposal.policy
    tasks = [item for item in proposal.items if item.task_code]
    items = []
    for item in proposal.items:
        form = proposal.form_of(item)
        line = {
            "service_type": str(item.service_type),
            "form": form,
            "times": item.times,
            "window_start_on": item.window_start_on.isoformat(),
            "window_end_on": item.window_end_on.isoformat(),
        }
        if form == "COMMISSIONED_TSP":
            line["agency_code"] = proposal.agency_code
        if item.task_code:
            line["task_code"] = item.task_code
        items.append(line)
    return {
        "plan_no": f"FA{policy.policy_no}"[:50],
        "policy_no": policy.policy_no,
        "edition": StandardEdition.AQ9010_2019.value,
        "risk_tier": policy.enterprise.risk_tier,
        "agreed_on": beijing_day(at).isoformat(),
        "goals": "；".join(dict.fromkeys(dict(item.values)["task"] for item in tasks))[:300] if tasks else "",  # type: ignore[misc] # titles
        "items": items,
    }


@page(
    "exchange/plans/propose/",
    name="plans-propose",
    title=_("Propose plans"),
    permission=Permission.RUN_SERVICES,
    methods=("GET", "POST"),
    room="prevention",
)
def propose_plans(request: HttpRequest) -> HttpResponse:
    """Plans for every policy in force that has none: shown first, then sent as one delivery like any other."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    feed = FEEDS["plans"]
    sender = sending(actor, feed)
    rows = _in_force(sender, at)
    today = beijing_day(at)
    if request.method == "POST":
        proposals = proposals_for(list(rows[:AT_ONCE]), on=today)
        if not proposals:
            messages.info(request, _now("Every policy in force has a plan."))
            return redirect("plans-propose")
        contents = [content_of_proposal(each, at) for each in proposals]
        body = "\n".join(json.dumps(each, ensure_ascii=False) for each in contents).encode()
        with transaction.atomic(), widened(EVERYTHING):
            batch, _is_new = deliver(
                sender,
                by=actor,
                at=at,
                rows=len(contents),
                feed=feed,
                channel=Channel.WEB,
                body=body,
                content_type="application/x-ndjson",
                idempotency_key=f"proposals {request.POST.get('key', '')[:60] or uuid4().hex}",
            )
        return redirect("batch", batch.pk)
    total = rows.count()
    words = {
        "total": total,
        "proposals": proposals_for(list(rows[:SHOWN]), on=today),
        "at_once": min(total, AT_ONCE),
        "shown": SHOWN,
        "kinds": labels(ServiceType.choices),
        "key": uuid4().hex,
    }
    return render(request, "exchange/proposals.html", words)

"""Something to do on site: the demonstration's expert has visits ahead, where hazards of earlier ones are open."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from anze.hazards.models import Hazard
from anze.hazards.rules import HazardState
from anze.parties.models import Membership
from anze.parties.rules import Role
from anze.prevention.models import Order, OrderExpert, Service
from anze.prevention.rules import OrderState
from anze.underwriting.models import Policy

AHEAD = 3  # today, tomorrow and the day after


def order_visits(on: date, at: datetime) -> int:
    """Orders of the next days for the expert people sign in as; done before, it does nothing. Returns how many.

    Enterprises he knows, with a policy in force: the one people sign in as, then those with open hazards.
    """
    role = Membership.objects.filter(role=Role.EXPERT, account__username="expert").select_related("expert").first()
    expert = role.expert if role else None
    if expert is None or OrderExpert.objects.filter(expert=expert, planned_on__gte=on).exists():
        return 0
    served = Service.objects.filter(persons__expert=expert, is_void=False).values("enterprise_id")
    policies = {
        each.enterprise_id: each
        for each in Policy.objects.filter(
            enterprise_id__in=served, start_on__lte=on, cover_end_on__gte=on + timedelta(days=AHEAD), is_void=False
        ).order_by("enterprise_id", "start_on")
    }
    open_at = dict.fromkeys(
        Hazard.objects.filter(enterprise_id__in=policies, is_void=False)
        .exclude(state__in=(HazardState.CLOSED, HazardState.SHUT_DOWN))
        .order_by("enterprise_id")
        .values_list("enterprise_id", flat=True)
    )
    shown = Membership.objects.filter(role=Role.ENTERPRISE, enterprise_id__in=policies)
    first = dict.fromkeys(shown.order_by("enterprise_id").values_list("enterprise_id", flat=True))
    chosen = [*{**first, **open_at, **dict.fromkeys(sorted(policies))}][:AHEAD]
    for number, key in enumerate(chosen):
        policy, day = policies[key], on + timedelta(days=number)
        scope = {
            "enterprise_id": key,
            "insurer_id": policy.insurer_id,
            "agency_id": expert.agency_id,
            "region_code": policy.region_code,
            "sector": policy.sector,
        }
        order = Order.objects.create(
            order_no=f"PD{day:%y%m%d}{number + 1:02d}",
            policy=policy,
            service_type="HAZARD",
            form="COMMISSIONED_TSP" if expert.agency_id else "HIRED_EXPERT",
            scope="隐患排查，复查上次发现的隐患",
            planned_on=day,
            due_on=day + timedelta(days=10),
            price=Decimal(1200),
            state=OrderState.ACCEPTED,
            sent_at=at,
            answered_at=at,
            **scope,
        )
        OrderExpert.objects.create(order=order, expert=expert, is_leader=True, planned_on=day, **scope)
    return len(chosen)

"""The week: who goes where on which day, with a mark where a day's ways are too long."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.models import CalendarDay, parameter
from anze.parties.models import Expert
from anze.parties.rules import Permission
from anze.parties.screens import ORGANISATION_NAMES
from anze.prevention.models import Order, OrderExpert
from anze.prevention.rules import OrderState, ServiceType
from anze.prevention.rules.orders import ON_THE_WAY, ORDER_TONES, kilometres
from anze.screen.columns import labels
from anze.screen.registry import page

MOST = 600


@page(
    "prevention/week/",
    name="week",
    title=_("Week"),
    permission=Permission.SEE_SERVICES,
    in_menu=True,
    order=16,
    icon="calendar",
    not_in_menu_of=frozenset({"anze_all", "anze_region", "anze_sector", "anze_enterprise"}),
)
def week(request: HttpRequest) -> HttpResponse:
    """An agency sees its experts below one another, an insurer those it sends, an expert himself."""
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        asked = today
    asked = min(max(asked, today - timedelta(days=730)), today + timedelta(days=730))
    monday = asked - timedelta(days=asked.weekday())
    days = [monday + timedelta(days=n) for n in range(7)]
    orders = {
        each["pk"]: each
        for each in Order.objects.filter(planned_on__range=(days[0], days[-1]), state__in=ON_THE_WAY)
        .order_by("planned_on", "order_no")
        .values(
            "pk", "order_no", "planned_on", "state", "service_type", "agency_id", "enterprise_id", "enterprise__name",
            "enterprise__lon", "enterprise__lat",
        )[:MOST]
    }  # fmt: skip
    going = defaultdict(list)
    for order, expert in OrderExpert.objects.filter(order__in=orders).values_list("order_id", "expert_id"):
        going[order].append(expert)
    rows = _rows(request, orders, going)
    most = float(parameter("travel_same_day_km", today))
    full = int(parameter("alert.services_per_expert_day", today))
    kinds, states = labels(ServiceType.choices), labels(OrderState.choices)
    free = set(CalendarDay.objects.filter(day__in=days, is_workday=False).values_list("day", flat=True))
    words: dict[str, Any] = {
        "days": [(day, day in free, day == today) for day in days],
        "rows": [
            (name, note, sum(len(of[day]) for day in days), [
                ([(o, kinds[o["service_type"]], states[o["state"]], ORDER_TONES.get(o["state"], "")) for o in of[day]],
                 _far(of[day], most) if is_person else 0, len(of[day]) if is_person and len(of[day]) > full else 0)
                for day in days
            ])
            for name, note, of, is_person in rows
        ],
        "before": monday - timedelta(days=7), "after": monday + timedelta(days=7), "is_cut": len(orders) == MOST,
    }  # fmt: skip
    return render(request, "prevention/week.html", words)


def _rows(
    request: HttpRequest, orders: dict[Any, Any], going: dict[Any, list[Any]]
) -> list[tuple[str, str, Any, bool]]:
    """One row a person who goes; what nobody is assigned to stands first, by agency."""
    names = dict(
        Expert.objects.filter(pk__in={key for keys in going.values() for key in keys}).values_list("pk", "name")
    )
    open_ones: dict[Any, dict[date, list[Any]]] = defaultdict(lambda: defaultdict(list))
    people: dict[Any, dict[date, list[Any]]] = defaultdict(lambda: defaultdict(list))
    agency_of: dict[Any, Any] = {}
    for key, order in orders.items():
        for expert in going[key]:
            people[expert][order["planned_on"]].append(order)
            agency_of[expert] = order["agency_id"]
        if not going[key]:
            open_ones[order["agency_id"]][order["planned_on"]].append(order)
    is_agency = request.actor.scope.agency_id is not None  # type: ignore[attr-defined]

    def of(agency: Any) -> str:
        return "" if is_agency else ORGANISATION_NAMES.name(agency) if agency else _now("without an agency")

    rows = [(_now("nobody assigned"), of(agency), days, False) for agency, days in open_ones.items()]
    named = sorted(people.items(), key=lambda each: (of(agency_of[each[0]]), names.get(each[0], "")))
    return [*rows, *((names.get(key, "–"), of(agency_of[key]), days, True) for key, days in named)]


def _far(orders: list[Any], most: float) -> int:
    """Kilometres between the two sites of a day that lie farthest apart, if that is too far; else 0."""
    places = [(float(o["enterprise__lon"]), float(o["enterprise__lat"])) for o in orders if o["enterprise__lon"]]
    if len(places) < 2:
        return 0
    longest = max(kilometres(*one, *other) for one, other in combinations(places, 2))
    return round(longest) if longest > most else 0

"""The way up: from a hazard, visit, service or order to the task and the topic it was for, as far as one may see."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now

from anze.prevention.models import Order, Plan, PlanItem, Service, Task, Topic
from anze.screen.columns import readers_of
from anze.screen.details import Crumb


def topic_crumb(topic_id: UUID | None) -> list[Crumb]:
    if topic_id is None:
        return []
    title = Topic.objects.filter(pk=topic_id).values_list("title", flat=True).first()
    return [Crumb(_now("Topic"), title, reverse("topic", args=[topic_id]))] if title else []


def task_crumbs(task_id: UUID | None) -> list[Crumb]:
    if task_id is None:
        return []
    found = Task.objects.filter(pk=task_id).values_list("title", "topic_id").first()
    if found is None:
        return []
    return [*topic_crumb(found[1]), Crumb(_now("Task"), found[0], reverse("task", args=[task_id]))]


def plan_crumbs(request: HttpRequest, item_id: UUID | None) -> list[Crumb]:
    """The plan of an item, for those whose scope has plans at all."""
    if item_id is None or request.actor.scope.reader not in readers_of(Plan):  # type: ignore[attr-defined]
        return []
    found = PlanItem.objects.filter(pk=item_id).values_list("plan_id", "plan__plan_no", "seq").first()
    return [Crumb(_now("Plan"), f"{found[1]} / {found[2]}", reverse("plan", args=[found[0]]))] if found else []


def order_crumbs(request: HttpRequest, order: Order) -> list[Crumb]:
    return [*task_crumbs(order.task_id), *plan_crumbs(request, order.plan_item_id)]


def below_order(request: HttpRequest, order_id: UUID | None) -> list[Crumb]:
    """For what hangs on an order: the order with all above it."""
    order = Order.objects.filter(pk=order_id).first() if order_id else None
    if order is None:
        return []
    return [
        *order_crumbs(request, order),
        Crumb(_now("Order"), order.order_no, reverse("order", args=[order.pk])),
    ]


def service_crumbs(request: HttpRequest, service: Any) -> list[Crumb]:
    """By its order where there was one, else by the plan item it fulfils."""
    if request.actor.scope.reader not in readers_of(Order):  # type: ignore[attr-defined]
        return []
    order_id = Order.objects.filter(service=service.pk).values_list("pk", flat=True).first()
    if order_id:
        return below_order(request, order_id)
    if service.plan_item_id is None:
        return []
    task = PlanItem.objects.filter(pk=service.plan_item_id).values_list("task_id", flat=True).first()
    return [*task_crumbs(task), *plan_crumbs(request, service.plan_item_id)]


def below_service(request: HttpRequest, service_id: UUID | None) -> list[Crumb]:
    """For what hangs on a service: the service with all above it."""
    service = Service.objects.filter(pk=service_id).first() if service_id else None
    if service is None:
        return []
    return [
        *service_crumbs(request, service),
        Crumb(_now("Service"), service.service_no, reverse("service", args=[service.pk])),
    ]

"""Orders from the insurer's draft to the service done: sending, answering, assigning, cancelling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from anze.claims.models import Accident
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise, Expert, Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.agreements import frameworks
from anze.prevention.actions.dispatch import doubts_about, refuse_blocked, sending_of
from anze.prevention.models import Conflict, Order, OrderExpert, PlanItem, Service, Task
from anze.prevention.rules import OrderState, ServiceForm
from anze.prevention.rules.orders import ANSWER_ORDER, ORDER, Doubt
from anze.underwriting.models import Policy


def order_number(on: date) -> str:
    """Numbers come from no sequence: the day and eight characters that two orders of a day hardly share."""
    return f"DD{on:%Y%m%d}{uuid7().hex[-8:].upper()}"


@action(Permission.RUN_SERVICES, "order.drafted")
def draft_order(
    policy: Policy,
    *,
    by: Actor,
    at: datetime,
    service_type: str,
    form: str,
    planned_on: date,
    due_on: date | None = None,
    price: Decimal | None = None,
    plan_item: PlanItem | None = None,
    task: Task | None = None,
    accident: Accident | None = None,
    agency: Organisation | None = None,
    experts: Sequence[Expert] = (),
    checklist_code: str = "",
    scope: str = "",
) -> Order:
    """One service at the enterprise of a policy, on a day; not sent yet, and nobody else sees it."""
    due_on = due_on or planned_on
    _check_plan(planned_on, due_on, beijing_day(at))
    task = task or (plan_item.task if plan_item else None)
    order = Order(
        order_no=order_number(planned_on),
        policy=policy,
        plan_item=plan_item,
        task=task,
        accident=accident,
        service_type=service_type,
        form=form,
        checklist_code=checklist_code or (task.checklist_code if task else ""),
        scope=scope,
        planned_on=planned_on,
        due_on=due_on,
        price=price or Decimal(0),
        state=OrderState.DRAFT,
        enterprise_id=policy.enterprise_id,
        insurer_id=policy.insurer_id,
        agency=agency if form == ServiceForm.COMMISSIONED_TSP else None,
        region_code=policy.region_code,
        sector=policy.sector,
    )
    _price([order])
    order.save(force_insert=True)
    if form == ServiceForm.HIRED_EXPERT:
        set_experts(order, experts)
    return order


@action(Permission.RUN_SERVICES, "order.drafted_in_bulk")
def draft_orders(
    items: Sequence[tuple[PlanItem, date]],
    *,
    by: Actor,
    at: datetime,
    agency: Organisation | None,
    price: Decimal | None,
    task: Task | None = None,
) -> list[Order]:
    """A draft for each plan item on its day; a commissioned one for the agency chosen, else the item's own.

    `task` is what the visits are for where the items themselves name none: one visit serves plan and task."""
    today = beijing_day(at)
    orders = []
    for item, planned_on in items:
        _check_plan(planned_on, max(planned_on, item.window_end_on), today)
        is_commissioned = item.form == ServiceForm.COMMISSIONED_TSP
        orders.append(
            Order(
                order_no=order_number(planned_on),
                policy_id=item.policy_id,
                plan_item=item,
                task_id=item.task_id or (task.pk if task else None),
                service_type=item.service_type,
                form=item.form,
                planned_on=planned_on,
                due_on=max(planned_on, item.window_end_on),
                price=price or Decimal(0),
                state=OrderState.DRAFT,
                enterprise_id=item.enterprise_id,
                insurer_id=item.insurer_id,
                agency_id=(agency.pk if agency else item.agency_id) if is_commissioned else None,
                region_code=item.region_code,
                sector=item.sector,
            )
        )
    _price(orders)
    return Order.objects.bulk_create(orders)


def _price(orders: Sequence[Order]) -> None:
    """An order without a price takes the one its houses agreed on, where a framework agreement holds that day."""
    open_ = [order for order in orders if order.agency_id is not None and not order.price]
    if not open_:
        return
    standing = frameworks(open_[0].insurer_id, agencies={order.agency_id for order in open_ if order.agency_id})
    for order in open_:
        prices = [
            each.price_of(order.service_type, order.sector, order.region_code, order.planned_on)
            for each in standing
            if each.agency_id == order.agency_id
        ]
        order.price = next((each.price for each in prices if each is not None), order.price)


@action(Permission.RUN_SERVICES, "order.changed")
def change_order(order: Order, /, *, by: Actor, at: datetime, experts: Sequence[Expert] = (), **values: Any) -> Order:
    if order.state != OrderState.DRAFT:
        raise Refused(
            "order_sent",
            _("An order that was sent is not changed any more."),
            remedy=_("Cancel it with the reason and make another one."),
            status=409,
        )
    for name, value in values.items():
        setattr(order, name, value)
    order.price = order.price or Decimal(0)
    if order.form != ServiceForm.COMMISSIONED_TSP:
        order.agency = None
    _check_plan(order.planned_on, order.due_on, beijing_day(at))
    _price([order])
    order.save(update_fields=[*values, "agency", "price"])
    set_experts(order, experts if order.form == ServiceForm.HIRED_EXPERT else ())
    return order


def _check_plan(planned_on: date, due_on: date, today: date) -> None:
    if planned_on < today:
        raise Refused(
            "planned_in_past",
            _("The planned day is over."),
            remedy=_("Choose today or a later day; a service already done is reported as a service record."),
            field="planned_on",
        )
    if due_on < planned_on:
        raise Refused(
            "due_before_planned",
            _("It would have to be done before the planned day."),
            remedy=_("Choose a later last day, or an earlier planned one."),
            field="due_on",
        )


def set_experts(order: Order, experts: Sequence[Expert], leader: UUID | None = None) -> None:
    """Who goes, anew; the first leads unless another is named."""
    with widened(EVERYTHING):
        OrderExpert.objects.filter(order=order).delete()
    OrderExpert.objects.bulk_create(
        OrderExpert(
            order=order,
            expert=each,
            is_leader=each.pk == leader if leader else n == 0,
            planned_on=order.planned_on,
            enterprise_id=order.enterprise_id,
            insurer_id=order.insurer_id,
            agency_id=order.agency_id,
            region_code=order.region_code,
            sector=order.sector,
        )
        for n, each in enumerate(experts)
    )


@action(Permission.RUN_SERVICES, "order.sent")
def send_order(order: Order, *, by: Actor, at: datetime) -> Order:
    """Ask the agency or the experts. What blocks is refused; hints were shown and are the insurer's to weigh."""
    _check_addressee(order)
    refuse_blocked(doubts_about([sending_of(order)])[order.pk])
    _send([order], at)
    return order


@action(Permission.RUN_SERVICES, "order.sent_in_bulk")
def send_orders(orders: Sequence[Order], *, by: Actor, at: datetime) -> tuple[list[Order], dict[UUID, Doubt]]:
    """Send what can be sent; tell for each of the others why not."""
    refused: dict[UUID, Doubt] = {}
    doubts = doubts_about([sending_of(order, ()) for order in orders])
    for order in orders:
        if order.form == ServiceForm.COMMISSIONED_TSP and order.agency_id is None:
            refused[order.pk] = NO_AGENCY
            continue
        if order.form == ServiceForm.HIRED_EXPERT:
            refused[order.pk] = NO_EXPERT
            continue
        blocking = next((each for each in doubts[order.pk] if each.blocks), None)
        if blocking is not None:
            refused[order.pk] = blocking
    sent = [order for order in orders if order.pk not in refused]
    _send(sent, at)
    return sent, refused


def _send(orders: Sequence[Order], at: datetime) -> None:
    if not orders:
        return
    due = ANSWER_ORDER.due_at(beijing_day(at), calendar=load_calendar())
    ORDER.move_all(orders, "send", sent_at=at, answer_due_at=due)
    # where nobody outside is asked, nobody has to answer
    own = [order for order in orders if order.form in (ServiceForm.OWN_STAFF, ServiceForm.OTHER_AGREED)]
    ORDER.move_all(own, "accept", answered_at=at)
    _engage(orders, beijing_day(at))


def _engage(orders: Sequence[Order], on: date) -> None:
    """Whoever is asked to go may open the enterprise's sheet."""
    keys = [order.pk for order in orders]
    with widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO parties_engagement (party_id, enterprise_id, since_on) "
            "SELECT party, enterprise_id, %s FROM (SELECT agency_id AS party, enterprise_id FROM prevention_order "
            "WHERE id = ANY(%s) UNION SELECT expert_id, enterprise_id FROM prevention_orderexpert "
            "WHERE order_id = ANY(%s)) AS asked WHERE party IS NOT NULL ON CONFLICT DO NOTHING",
            [on, keys, keys],
        )


NO_AGENCY = Doubt("no_agency", _("No agency is chosen."), _("Choose one of the candidates."), True)
NO_EXPERT = Doubt("no_expert", _("No expert is chosen."), _("Choose one of the candidates."), True)


def _check_addressee(order: Order) -> None:
    if order.form == ServiceForm.COMMISSIONED_TSP and order.agency_id is None:
        raise Refused("no_agency", _("No agency is chosen."), remedy=_("Choose one of the candidates."), field="agency")
    if order.form == ServiceForm.HIRED_EXPERT and not OrderExpert.objects.filter(order=order).exists():
        raise Refused(
            "no_expert", _("No expert is chosen."), remedy=_("Choose one of the candidates."), field="experts"
        )


@action(Permission.ANSWER_ORDERS, "order.accepted")
def accept_order(order: Order, *, by: Actor, at: datetime) -> Order:
    check_asked(order, by)
    ORDER.move(order, "accept", answered_at=at)
    return order


@action(Permission.ANSWER_ORDERS, "order.declined")
def decline_order(order: Order, *, by: Actor, at: datetime, reason: str) -> Order:
    check_asked(order, by)
    ORDER.move(order, "decline", answered_at=at, reason=reason)
    return order


@action(Permission.ANSWER_ORDERS, "order.assigned")
def assign_experts(
    order: Order, *, by: Actor, at: datetime, experts: Sequence[Expert], leader: UUID | None = None
) -> Order:
    """The agency names who goes; each is looked at again on the planned day."""
    check_asked(order, by)
    if order.state not in (OrderState.ACCEPTED, OrderState.IN_SERVICE):
        raise Refused(
            "not_accepted",
            _("Experts are assigned to an accepted order."),
            remedy=_("Accept the order first."),
            status=409,
        )
    if not experts:
        raise Refused("no_expert", _("No expert is chosen."), remedy=_("Choose at least one."), field="experts")
    refuse_blocked(doubts_about([sending_of(order, [each.pk for each in experts])])[order.pk])
    set_experts(order, experts, leader)
    _engage([order], beijing_day(at))
    return order


def check_asked(order: Order, by: Actor) -> None:
    """Only who was asked answers: the agency, or for an order without one its experts."""
    is_asked = by.scope.agency_id == order.agency_id if order.agency_id is not None else by.scope.expert_id is not None
    if not is_asked:
        raise Refused(
            "not_asked",
            _("The order was sent to somebody else."),
            remedy=_("Let the agency or the expert it was sent to answer."),
            status=403,
        )


@action(Permission.RUN_SERVICES, "order.cancelled")
def cancel_order(order: Order, *, by: Actor, at: datetime, reason: str) -> Order:
    ORDER.move(order, "cancel", reason=reason)
    return order


# for the actions of those who do the service: a visit that begins or ends takes its order along ------------------


def begin_order(order_id: UUID) -> None:
    """Somebody is on site. An order in another state stays as it is: phones tell late, and in any order."""
    Order.objects.filter(pk=order_id, state=OrderState.ACCEPTED).update(state=OrderState.IN_SERVICE)


def finish_order(order_id: UUID, *, service: Service, at: datetime) -> None:
    """The service is on file, so the order is done, whether or not somebody had answered it."""
    Order.objects.filter(pk=order_id).exclude(state=OrderState.DONE).update(
        state=OrderState.DONE,
        done_at=at,
        service=service,
        sent_at=Coalesce("sent_at", Value(at)),
        answered_at=Coalesce("answered_at", Value(at)),
    )


# conflicts of interest ----------------------------------------------------------------------------------------


@action(Permission.SEE_SERVICES, "conflict.declared")
def declare_conflict(
    enterprise: Enterprise,
    *,
    by: Actor,
    at: datetime,
    reason: str,
    agency: Organisation | None = None,
    expert: Expert | None = None,
    note: str = "",
) -> Conflict:
    """Whoever knows of it says that a party must not serve an enterprise."""
    if (agency is None) == (expert is None):
        raise Refused(
            "one_party", _("Name an agency or an expert, one of them."), remedy=_("Choose one."), field="expert"
        )
    with widened(EVERYTHING):  # also about parties whose own conflicts the declaring one could not read
        return Conflict.objects.create(
            enterprise=enterprise,
            agency=agency,
            expert=expert,
            reason=reason,
            note=note,
            declared_on=beijing_day(at),
            declared_by=(by.organisation_name or by.name)[:120],
            declared_account=by.account_id,
            region_code=enterprise.region_code,
            sector=enterprise.sector,
        )


def may_end(conflict: Conflict, by: Actor) -> bool:
    """Who declared it, or an authority that supervises the enterprise."""
    if conflict.ended_on is not None:
        return False
    is_own = by.account_id is not None and conflict.declared_account == by.account_id
    return is_own or (by.may(Permission.SUPERVISE_HAZARDS) and by.scope.covers_region(conflict.region_code))


@action(Permission.SEE_SERVICES, "conflict.ended")
def end_conflict(conflict: Conflict, *, by: Actor, at: datetime, reason: str) -> Conflict:
    """From the day after, orders of the party for the enterprise are taken again."""
    if not may_end(conflict, by):
        raise Refused(
            "not_yours_to_end",
            _("A conflict is ended by who declared it, or by the authority of its region."),
            remedy=_("Ask one of them."),
            status=403,
        )
    if not reason.strip():
        raise Refused("reason_missing", _("Say why it is over."), remedy=_("One sentence is enough."), field="reason")
    with widened(EVERYTHING):
        changed = Conflict.objects.filter(pk=conflict.pk, ended_on=None).update(
            ended_on=beijing_day(at), end_reason=reason.strip()[:300], ended_by=(by.organisation_name or by.name)[:120]
        )
    if not changed:
        raise Refused("over_already", _("It is over already."), remedy=_("Reload the page."), status=409)
    conflict.refresh_from_db()
    return conflict

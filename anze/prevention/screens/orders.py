"""Pages of service orders: placing, choosing whom to send, the answer of those asked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.library.screens.checklists import CHECKLIST, checklist_choices
from anze.parties.models import Expert, Organisation
from anze.parties.rules import OrganisationKind, Permission, Role
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, agency_filter, insurer_filter
from anze.prevention.actions.agreements import agreed_prices
from anze.prevention.actions.dispatch import agencies_for, doubts_about, experts_for, sending_of
from anze.prevention.actions.orders import (
    accept_order,
    assign_experts,
    cancel_order,
    change_order,
    decline_order,
    draft_order,
    send_order,
)
from anze.prevention.models import Order, OrderExpert, PlanItem, Task
from anze.prevention.rules import OrderState, ServiceForm, ServiceType
from anze.prevention.rules.agreements import Agreed
from anze.prevention.rules.orders import COMING, ORDER_TONES
from anze.prevention.screens.chain import order_crumbs
from anze.prevention.screens.forms import ReasonForm, answer_form
from anze.screen.asked import count_text
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Tile, Way, detail_screen, tile
from anze.screen.filters import Asking, Case, Cases, Choice, Dates, InRegion, Of, Search, begins
from anze.screen.forms import Form
from anze.screen.lists import ListScreen, count, list_screen, waiting
from anze.screen.registry import Hit, page, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import Story, story
from anze.underwriting.models import Policy

POLICY = Column("policy__policy_no", opens="policy")
STATE = Column("state", tones=ORDER_TONES)
INSURERS = frozenset({Role.INSURER_MANAGER, Role.INSURER_CLERK, Role.INSURER_BRANCH_MANAGER, Role.INSURER_BRANCH_CLERK})


def drafts_of_insurer(rows: Any, asking: Asking) -> Any:
    return rows if asking.actor.scope.insurer_id else rows.exclude(state=OrderState.DRAFT)


def _of_expert(expert: UUID) -> Q:
    return Q(pk__in=OrderExpert.objects.filter(expert_id=expert).values("order_id"))


def _expert_name(expert: UUID) -> str:
    return str(Expert.objects.filter(pk=expert).values_list("name", flat=True).first() or expert)


def _week(asking: Asking) -> Q:
    today = beijing_day(asking.at)
    return Q(state__in=COMING, planned_on__range=(today, today + timedelta(days=6)))


ORDERS = list_screen(
    ListScreen(
        name="orders",
        path="prevention/orders/",
        title=_("Service orders"),
        about=_("Who is to come when, to which enterprise, for what."),
        model=Order,
        permission=Permission.SEE_SERVICES,
        detail="order",
        sort="-planned_on",
        base=drafts_of_insurer,
        columns=(
            Column("order_no"),
            ENTERPRISE,
            Column("planned_on"),
            STATE,
            Column("service_type"),
            INSURER,
            AGENCY,
            Column("due_on", optional=True),
            Column("form", optional=True),
            Column("task__title", title=_("Task"), opens="task", optional=True),
            Column("accident__accident_no", opens="accident", permission=Permission.SEE_CLAIMS, optional=True),
            Column("answer_due_at", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
            Column("service__service_no", opens="service", optional=True),
        ),
        filters=(
            Search(
                own=("order_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Order no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("state", main=True),
            Cases(
                "waits",
                _("Waits for"),
                cases={
                    "answer": Case(_("an answer"), lambda a: Q(state="SENT")),
                    "late": Case(_("an answer that is overdue"), lambda a: Q(state="SENT", answer_due_at__lt=a.at)),
                    "experts": Case(_("experts to be assigned"), lambda a: Q(state="ACCEPTED", experts__isnull=True, form="COMMISSIONED_TSP")),
                    "service": Case(_("the service, the day is over"), lambda a: Q(state__in=("ACCEPTED", "IN_SERVICE"), due_on__lt=beijing_day(a.at))),
                    "week": Case(_("the next seven days"), _week),
                },
            ),
            Choice("service_type"),
            agency_filter(),
            Choice("form"),
            Choice("sector"),
            Dates("planned_on"),
            Of("expert", _("Expert"), condition=_of_expert, named=_expert_name),
        ),
        tab_of={
            "enterprise": "enterprise", "policy": "policy", "task": "task", "agency": "agency", "expert": "expert",
            "insurer": "insurer", "service": "service", "accident": "accident",
        },
        order=13,
        icon="calendar-event",
    )
)  # fmt: skip


# one order ----------------------------------------------------------------------------------------------------


def is_asked(request: HttpRequest, order: Order) -> bool:
    scope = request.actor.scope  # type: ignore[attr-defined]
    if not request.actor.may(Permission.ANSWER_ORDERS):  # type: ignore[attr-defined]
        return False
    return scope.agency_id == order.agency_id if order.agency_id else scope.expert_id is not None


def _ways(request: HttpRequest, order: Order) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]

    def at(name: str) -> str:
        return reverse(name, args=[order.pk])

    ways = []
    if actor.scope.insurer_id and actor.may(Permission.RUN_SERVICES):
        if order.state == OrderState.DRAFT:
            ways.append(Way(_("Edit"), at("order-edit"), "edit"))
            if order.form in (ServiceForm.COMMISSIONED_TSP, ServiceForm.HIRED_EXPERT):
                ways.append(Way(_("Choose whom to send"), at("order-choose"), "users"))
            ways.append(Way(_("Send"), at("order-send"), "send", "primary", at_once=True))
        if order.state in (OrderState.DRAFT, OrderState.SENT, OrderState.ACCEPTED):
            ways.append(Way(_("Cancel the order"), at("order-cancel"), "x"))
        if order.state in (OrderState.DECLINED, OrderState.CANCELLED):
            ways.append(Way(_("Order anew"), f"{reverse('order-new')}?like={order.pk}", "plus", "primary"))
    if is_asked(request, order):
        if order.state == OrderState.SENT:
            ways.append(Way(_("Accept"), at("order-accept"), "check", "primary", at_once=True))
            ways.append(Way(_("Decline"), at("order-decline"), "x"))
        if order.agency_id and order.state in (OrderState.ACCEPTED, OrderState.IN_SERVICE):
            ways.append(Way(_("Assign experts"), at("order-assign"), "users", "primary"))
    return ways


def _extra(request: HttpRequest, order: Order) -> dict[str, Any]:
    going = list(
        OrderExpert.objects.filter(order=order).values_list("expert_id", "expert__name", "expert__number", "is_leader")
    )
    doubts = []
    if order.state in (OrderState.DRAFT, OrderState.SENT, OrderState.ACCEPTED) and (
        request.actor.may(Permission.RUN_SERVICES) or is_asked(request, order)  # type: ignore[attr-defined]
    ):
        doubts = doubts_about([sending_of(order, [each[0] for each in going])])[order.pk]
    return {"going": going, "doubts": doubts, "agreed": _agreed(request, order)}


def _agreed(request: HttpRequest, order: Order) -> Agreed | None:
    """What the two houses agreed on for such a visit, for those who may know it."""
    if order.agency_id is None or not request.actor.may(Permission.SEE_AGREEMENTS):  # type: ignore[attr-defined]
        return None
    found = agreed_prices(
        order.insurer_id, [order.agency_id], order.service_type, sector=order.sector, region_code=order.region_code,
        on=order.planned_on,
    )  # fmt: skip
    return found.get(order.agency_id)


ORDER_PAGE = detail_screen(
    DetailScreen(
        name="order",
        path="prevention/orders/<uuid:pk>/",
        title=_("Service order"),
        model=Order,
        permission=Permission.SEE_SERVICES,
        named=("order_no",),
        state=STATE,
        of_list="orders",
        base=drafts_of_insurer,
        climb=order_crumbs,
        ways=_ways,
        extra=_extra,
        template="prevention/order.html",
        sections=(
            Section(
                _("What is to be done"),
                (
                    ENTERPRISE,
                    "planned_on",
                    "due_on",
                    "service_type",
                    "form",
                    "scope",
                    CHECKLIST,
                    Column("task__title", title=_("Task"), opens="task"),
                    Column("accident__accident_no", opens="accident", permission=Permission.SEE_CLAIMS),
                    POLICY,
                ),
            ),
            Section(
                _("Who was asked"),
                (
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    "sent_at",
                    "answer_due_at",
                    "answered_at",
                    "reason",
                    Column("price", hide_for="expert_id", permission=Permission.SEE_PARTIES),
                    Column("service__service_no", opens="service"),
                    "done_at",
                ),
                hides_empty=True,
            ),
        ),
    )
)


class OrderForm(Form):
    service_type = forms.ChoiceField(label=_("Service"))
    form = forms.ChoiceField(label=_("Form"))
    planned_on = forms.DateField(label=_("Planned for"), widget=forms.DateInput())
    due_on = forms.DateField(label=_("To be done by"), widget=forms.DateInput())
    price = forms.DecimalField(label=_("Price"), min_value=0, max_digits=12, decimal_places=2, required=False,
                               help_text=_("Empty or 0: as agreed with the agency."))  # fmt: skip
    scope = forms.CharField(
        label=_("What is to be done"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    checklist_code = forms.ChoiceField(label=_("Checklist"), required=False)

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["service_type"].choices = list(labels(ServiceType.choices).items())  # type: ignore[attr-defined]
        self.fields["form"].choices = list(labels(ServiceForm.choices).items())  # type: ignore[attr-defined]
        self.fields["checklist_code"].choices = checklist_choices()  # type: ignore[attr-defined]


def _to(order: Order) -> str:
    return reverse("order", args=[order.pk])


def _found(model: Any, key: str) -> Any:
    try:
        return model.objects.filter(pk=UUID(key)).first()
    except ValueError:
        return None


@page("prevention/orders/new/", name="order-new", permission=Permission.RUN_SERVICES, methods=("GET", "POST"))
def new_order(request: HttpRequest) -> HttpResponse:
    """From a plan item, a policy, an accident, or like an order that came to nothing."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    asked = request.GET.get
    item: PlanItem | None = _found(PlanItem, asked("item", ""))
    like: Order | None = _found(Order, asked("like", ""))
    policy: Policy | None = _found(Policy, asked("policy", ""))
    if item or like:
        policy = Policy.objects.filter(pk=(item or like).policy_id).first()  # type: ignore[union-attr]
    accident: Accident | None = _found(Accident, asked("accident", ""))
    if accident is not None:
        policy = policy_after(accident, beijing_day(at))
    if policy is None:
        return redirect("orders-bulk")
    task = _found(Task, asked("task", ""))
    today = beijing_day(at)
    initial = _initial(item, like, task, policy, today)
    if accident is not None:
        initial["scope"] = _now("After the accident %(number)s on %(day)s (%(kind)s, %(place)s): look for the causes.") % {
            "number": accident.accident_no, "day": accident.event_on, "kind": accident.get_kind_display(),
            "place": accident.place,
        }  # fmt: skip
    form = OrderForm(request.POST if request.method == "POST" else None, initial=initial)

    def act(given: dict[str, Any]) -> str:
        order = draft_order(
            policy, by=actor, at=at, plan_item=item or (like.plan_item if like else None),
            task=task or (like.task if like else None), agency=item.agency if item else None,
            accident=accident or (like.accident if like else None), **given,
        )  # fmt: skip
        if order.form in (ServiceForm.COMMISSIONED_TSP, ServiceForm.HIRED_EXPERT) and order.agency_id is None:
            return reverse("order-choose", args=[order.pk])
        return _to(order)

    facts = [
        (_("Enterprise"), policy.enterprise.name), (_("Policy no."), policy.policy_no),
        *([(_("Plan item"), f"{item.get_service_type_display()}, {item.window_start_on} – {item.window_end_on}")] if item else []),
        *([(_("Task"), task.title)] if task else []),
        *([(_("Accident"), accident.accident_no)] if accident else []),
    ]  # fmt: skip
    return answer_form(
        request, form, act, title=_("New order"), done=_("Continue"), back=reverse("orders"), back_title=_("Service orders"),
        about=_("Nobody sees it before it is sent."), facts=facts, facts_title=_("For"),
    )  # fmt: skip


def policy_after(accident: Accident, today: date) -> Policy | None:
    """The policy under which the insurer can still serve the enterprise after an accident: the last that runs."""
    running = Policy.objects.filter(
        enterprise_id=accident.enterprise_id, insurer_id=accident.insurer_id, is_void=False, cover_end_on__gte=today
    )
    return running.select_related("enterprise").order_by("-start_on").first()


def _initial(
    item: PlanItem | None, like: Order | None, task: Task | None, policy: Policy, today: date
) -> dict[str, Any]:
    if like:
        names = ("service_type", "form", "planned_on", "due_on", "price", "scope", "checklist_code")
        initial = {name: getattr(like, name) for name in names}
        initial["planned_on"] = max(like.planned_on, today)
        initial["due_on"] = max(like.due_on, today)
        return initial
    last = item.window_end_on if item else task.ends_on if task else policy.cover_end_on
    first = max(today + timedelta(days=7), item.window_start_on if item else today)
    return {
        "service_type": item.service_type if item else task.service_type if task else ServiceType.HAZARD,
        "form": item.form if item else ServiceForm.COMMISSIONED_TSP,
        "planned_on": first,
        "due_on": max(first, last),
        "checklist_code": task.checklist_code if task else "",
    }


@page(
    "prevention/orders/<uuid:pk>/edit/", name="order-edit", permission=Permission.RUN_SERVICES, methods=("GET", "POST")
)
def edit_order(request: HttpRequest, pk: UUID) -> HttpResponse:
    order: Order = ORDER_PAGE.row(request, pk)
    form = OrderForm(
        request.POST if request.method == "POST" else None,
        initial={name: getattr(order, name) for name in OrderForm.base_fields},
    )

    def act(given: dict[str, Any]) -> str:
        experts = [each.expert for each in order.experts.select_related("expert")]
        return _to(change_order(order, by=request.actor, at=request.at, experts=experts, **given))  # type: ignore[attr-defined]

    return answer_form(
        request, form, act, title=_("Change the order"), done=_("Save"), back=_to(order), back_title=order.order_no
    )


@page(
    "prevention/orders/<uuid:pk>/choose/", name="order-choose", permission=Permission.RUN_SERVICES,
    methods=("GET", "POST"),
)  # fmt: skip
def choose(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Whom to send: candidates with what speaks for and against each; the insurer chooses freely."""
    order: Order = ORDER_PAGE.row(request, pk)
    is_agency = order.form == ServiceForm.COMMISSIONED_TSP
    if request.method == "POST":
        given = _chosen(request)
        if is_agency:
            agency = Organisation.objects.filter(pk__in=given[:1], kind=OrganisationKind.AGENCY).first()
            change_order(order, by=request.actor, at=request.at, agency=agency)  # type: ignore[attr-defined]
        else:
            experts = list(Expert.objects.filter(pk__in=given))
            change_order(order, by=request.actor, at=request.at, experts=experts)  # type: ignore[attr-defined]
        return redirect(_to(order))
    limit = 200 if request.GET.get("all") else 15
    candidates = agencies_for(order, limit) if is_agency else experts_for(order, agency_id=None, limit=limit)
    agreed = {}
    if is_agency:
        agreed = agreed_prices(
            order.insurer_id, [each.key for each in candidates], order.service_type, sector=order.sector,
            region_code=order.region_code, on=order.planned_on,
        )  # fmt: skip
    going = {order.agency_id} if is_agency else set(order.experts.values_list("expert_id", flat=True))
    words = {"order": order, "candidates": candidates, "is_agency": is_agency, "chosen": going, "agreed": agreed,
             "opens": "agency" if is_agency else "expert", "is_all": limit > 15,
             "title": _("Choose an agency") if is_agency else _("Choose experts"), "action": _("Take the chosen")}  # fmt: skip
    return render(request, "prevention/choose.html", words)


def _chosen(request: HttpRequest) -> list[UUID]:
    found = []
    for key in request.POST.getlist("chosen")[:20]:
        try:
            found.append(UUID(key))
        except ValueError:
            continue
    return found


@page("prevention/orders/<uuid:pk>/send/", name="order-send", permission=Permission.RUN_SERVICES, methods=("POST",))
def send(request: HttpRequest, pk: UUID) -> HttpResponse:
    order: Order = ORDER_PAGE.row(request, pk)
    try:
        send_order(order, by=request.actor, at=request.at)  # type: ignore[attr-defined]
    except Refused as refused:
        if refused.status == 403:
            raise
        messages.error(request, f"{refused.message} {refused.remedy}")
        if refused.field in ("agency", "experts"):
            return redirect("order-choose", order.pk)
    return redirect(_to(order))


@page(
    "prevention/orders/<uuid:pk>/accept/", name="order-accept", permission=Permission.ANSWER_ORDERS, methods=("POST",)
)
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    order = accept_order(ORDER_PAGE.row(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    return redirect("order-assign" if order.agency_id else "order", order.pk)


def _with_reason(request: HttpRequest, order: Order, act: Any, title: Any, done: Any) -> HttpResponse:
    def run(given: dict[str, Any]) -> str:
        act(order, by=request.actor, at=request.at, **given)  # type: ignore[attr-defined]
        return _to(order)

    return answer_form(
        request, ReasonForm(request.POST if request.method == "POST" else None), run, title=title, done=done,
        back=_to(order), back_title=order.order_no, tone="danger",
    )  # fmt: skip


@page(
    "prevention/orders/<uuid:pk>/decline/", name="order-decline", permission=Permission.ANSWER_ORDERS,
    methods=("GET", "POST"),
)  # fmt: skip
def decline(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _with_reason(request, ORDER_PAGE.row(request, pk), decline_order, _("Decline the order"), _("Decline"))


@page(
    "prevention/orders/<uuid:pk>/cancel/", name="order-cancel", permission=Permission.RUN_SERVICES,
    methods=("GET", "POST"),
)  # fmt: skip
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _with_reason(
        request, ORDER_PAGE.row(request, pk), cancel_order, _("Cancel the order"), _("Cancel the order")
    )


@page(
    "prevention/orders/<uuid:pk>/assign/", name="order-assign", permission=Permission.ANSWER_ORDERS,
    methods=("GET", "POST"),
)  # fmt: skip
def assign(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The agency names who goes, out of its own."""
    order: Order = ORDER_PAGE.row(request, pk)
    if not is_asked(request, order) or not order.agency_id:
        raise Http404
    refused = None
    chosen = set(order.experts.values_list("expert_id", flat=True))
    if request.method == "POST":
        chosen = set(_chosen(request))
        try:
            assign_experts(
                order,
                by=request.actor,  # type: ignore[attr-defined]
                at=request.at,  # type: ignore[attr-defined]
                experts=list(Expert.objects.filter(pk__in=chosen)),
            )
        except Refused as problem:
            refused = problem
        else:
            return redirect(_to(order))
    words = {"order": order, "candidates": experts_for(order, agency_id=order.agency_id, limit=100), "is_agency": False,
             "chosen": chosen, "opens": "expert", "is_all": True, "refused": refused, "title": _("Assign experts"),
             "action": _("These go")}  # fmt: skip
    return render(request, "prevention/choose.html", words, status=422 if refused else 200)


# work lists, search, story ------------------------------------------------------------------------------------

ASKED = frozenset({Role.AGENCY, Role.EXPERT})
waiting(ORDERS, "orders-to-answer", _("Orders to accept or decline"), why=_("Answer before the deadline."),
        tone="warning", order=10, roles=ASKED, waits="answer")  # fmt: skip
waiting(ORDERS, "orders-to-assign", _("Orders without experts"), why=_("Accepted; name who goes."), tone="warning",
        order=12, roles=frozenset({Role.AGENCY}), waits="experts")  # fmt: skip
waiting(ORDERS, "orders-this-week", _("Visits of the next seven days"), order=14,
        roles=ASKED | INSURERS | {Role.ENTERPRISE, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR}, waits="week")  # fmt: skip
waiting(ORDERS, "orders-in-draft", _("Orders not sent yet"), order=16, roles=INSURERS, state="DRAFT")
waiting(ORDERS, "orders-declined", _("Orders declined"), why=_("Somebody else has to be asked."), tone="danger",
        order=11, roles=INSURERS, state="DECLINED")  # fmt: skip
waiting(ORDERS, "orders-unanswered", _("Orders without an answer in time"), tone="warning", order=13, roles=INSURERS,
        waits="late")  # fmt: skip
waiting(ORDERS, "orders-overdue", _("Orders whose day is over"), why=_("Accepted, and no service is on file."),
        tone="danger", order=17, roles=INSURERS | {Role.AGENCY}, waits="service")  # fmt: skip


def _coming_tile(word: str) -> Any:
    def find(request: HttpRequest, row: Any) -> tuple[str, str, str]:
        words = {word: str(row.pk), "waits": "week"}
        return count_text(count(ORDERS, request, **words)), "", ORDERS.link(**words)

    return find


for _where in ("enterprise", "agency", "expert"):
    tile(
        Tile(
            _where,
            "orders",
            _("Visits of the next seven days"),
            Permission.SEE_SERVICES,
            _coming_tile(_where),
            order=38,
        )
    )


def _find(words: str, limit: int) -> list[Hit]:
    found = Order.objects.filter(begins("order_no", words.upper())).exclude(state=OrderState.DRAFT)
    return [
        Hit(number, str(on), reverse("order", args=[key]))
        for key, number, on in found.values_list("pk", "order_no", "planned_on")[:limit]
    ]


search(SearchAnswer("orders", _("Service orders"), Permission.SEE_SERVICES, _find, order=32))


def _tell(asking: Asking, kind: str, state: str) -> tuple[str, str]:
    names, states = labels(ServiceType.choices), labels(OrderState.choices)
    return f"{names.get(kind, kind)} · {states.get(state, state)}", ""


story(
    Story(
        "order", _("Service order"), Permission.SEE_SERVICES, "calendar-event", Order, "planned_on", "order_no", "order",
        ("service_type", "state"), _tell, where=Q(state__in=COMING), order=35,
    )
)  # fmt: skip

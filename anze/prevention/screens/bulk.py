"""Orders for many plan items at once: chosen from what is open, spread over working days, sent or kept as drafts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, F, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import region_range
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.parties.screens import KINDS, REGION_NAMES, choices_of
from anze.prevention.actions.orders import draft_orders, send_orders
from anze.prevention.models import Order, Plan, PlanItem, Service, Task, TaskShare
from anze.prevention.rules import ServiceType, ShareState
from anze.prevention.screens.forms import city_choices
from anze.screen.columns import labels
from anze.screen.forms import Form
from anze.screen.registry import page

MOST = 100


class WhichForm(Form):
    """Which open plan items to show."""

    region = forms.ChoiceField(label=_("Region"), required=False)
    service_type = forms.ChoiceField(label=_("Service"), required=False)
    until = forms.DateField(label=_("Window begins by"), required=False, widget=forms.DateInput())

    def __init__(self, request: HttpRequest, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["region"].choices = [("", _("all")), *city_choices(request.actor)]  # type: ignore[attr-defined]
        self.fields["service_type"].choices = [("", _("all")), *labels(ServiceType.choices).items()]  # type: ignore[attr-defined]


class BulkForm(Form):
    agency = forms.ChoiceField(label=_("Agency"), required=False, help_text=_("Empty: the one each plan names."))
    first_on = forms.DateField(label=_("First day"), widget=forms.DateInput())
    per_day = forms.IntegerField(label=_("Visits a working day"), min_value=1, max_value=50)
    price = forms.DecimalField(label=_("Price of each"), min_value=0, max_digits=12, decimal_places=2, required=False,
                               help_text=_("Empty or 0: as agreed with the agency."))  # fmt: skip
    send = forms.BooleanField(label=_("Send at once"), required=False)

    def __init__(self, *positional: Any, **words: Any) -> None:
        super().__init__(*positional, **words)
        self.fields["agency"].choices = [("", _("as planned")), *choices_of(OrganisationKind.AGENCY)]  # type: ignore[attr-defined]


def open_items(insurer_id: UUID, today: date, until: date, region: str, kind: str, task: Task | None) -> Any:
    """Plan items of an insurer with services neither done nor on order, the most urgent first.

    For a task: the items that name it, and those whose visit would serve it as well, where none does there yet."""
    ordered = Order.objects.filter(plan_item=OuterRef("pk"), state__in=("DRAFT", "SENT", "ACCEPTED", "IN_SERVICE"))
    done = Service.objects.filter(plan_item=OuterRef("pk"), is_void=False)
    rows = PlanItem.objects.filter(
        insurer=insurer_id, window_end_on__gte=today, window_start_on__lte=until, plan__is_void=False
    )
    if region:
        rows = rows.filter(region_code__range=region_range(region))
    if kind:
        rows = rows.filter(service_type=kind)
    if task:
        rows = rows.filter(_serves(task, insurer_id))
    return (
        rows.annotate(ordered=_counted(ordered), done=_counted(done))
        .filter(times__gt=F("ordered") + F("done"))
        .select_related("enterprise", "policy")
        .order_by("window_end_on", "id")
    )


def _serves(task: Task, insurer_id: UUID) -> Q:
    here = Q(service_type=task.service_type, window_start_on__lte=task.ends_on, window_end_on__gte=task.starts_on)
    if task.sectors:
        here &= Q(sector__in=task.sectors)
    if task.regions:
        inside = Q()
        for region in task.regions:
            inside |= Q(region_code__range=region_range(region))
        here &= inside
    named = PlanItem.objects.filter(task=task, insurer=insurer_id, plan__is_void=False)
    ordered = Order.objects.filter(task=task, insurer=insurer_id).exclude(state__in=("DECLINED", "CANCELLED"))
    served = Q(enterprise__in=named.values("enterprise")) | Q(enterprise__in=ordered.values("enterprise"))
    return Q(task=task) | (Q(task__isnull=True) & here & ~served)


def _task_of(request: HttpRequest) -> Task | None:
    """The task asked for, as far as this insurer has accepted a share of it."""
    try:
        key = UUID(request.GET.get("task", ""))
    except ValueError:
        return None
    insurer = request.actor.scope.insurer_id  # type: ignore[attr-defined]
    share = (
        TaskShare.objects.filter(task=key, insurer=insurer, state=ShareState.ACCEPTED).select_related("task").first()
    )
    return share.task if share else None


def _plan_of(request: HttpRequest) -> Plan | None:
    """The plan whose items alone are asked for."""
    try:
        key = UUID(request.GET.get("plan", ""))
    except ValueError:
        return None
    return Plan.objects.filter(pk=key).first()


def _counted(rows: Any) -> Any:
    counted = rows.order_by().values("plan_item").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@page(
    "prevention/orders/bulk/",
    name="orders-bulk",
    title=_("Place orders"),
    permission=Permission.RUN_SERVICES,
    methods=("GET", "POST"),
    in_menu=True,
    order=14,
    icon="send",
)
def place_orders(request: HttpRequest) -> HttpResponse:
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    today = beijing_day(at)
    which = WhichForm(request, request.GET or None, initial={"until": today + timedelta(days=30)})
    asked = which.cleaned_data if which.is_bound and which.is_valid() else {}
    task, plan = _task_of(request), _plan_of(request)
    until = asked.get("until") or today + timedelta(days=366 if plan else 30)
    rows = open_items(
        actor.scope.insurer_id, today, until, asked.get("region", ""), asked.get("service_type", ""), task
    )
    if plan:
        rows = rows.filter(plan=plan)
    initial = {"first_on": today + timedelta(days=7), "per_day": 4}
    form = BulkForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        chosen = list(rows.filter(pk__in=_keys(request.POST.getlist("item")))[:MOST])
        if not chosen:
            form.add_error(None, _now("No plan item is chosen. Tick at least one."))
        else:
            try:
                return redirect(_place(request, chosen, form.cleaned_data, task))
            except Refused as refused:
                form.refuse(refused)
    items = list(rows[:MOST])
    words = {
        "which": which, "form": form, "task": task, "plan": plan, "items": items, "most": MOST, "regions": REGION_NAMES,
        "kinds": labels(ServiceType.choices), "agencies": KINDS[OrganisationKind.AGENCY],
    }  # fmt: skip
    return render(request, "prevention/bulk.html", words, status=422 if form.is_bound else 200)


def _place(request: HttpRequest, items: Sequence[PlanItem], given: dict[str, Any], task: Task | None) -> str:
    by, at = request.actor, request.at  # type: ignore[attr-defined]
    agency = Organisation.objects.filter(pk=given["agency"]).first() if given["agency"] else None
    calendar = load_calendar()
    days = [
        min(calendar.nth_workday(max(given["first_on"], item.window_start_on), n // given["per_day"] + 1),
            max(item.window_end_on, given["first_on"]))
        for n, item in enumerate(items)
    ]  # fmt: skip
    orders = draft_orders(
        list(zip(items, days, strict=True)), by=by, at=at, agency=agency, price=given["price"], task=task
    )
    if not given["send"]:
        messages.success(
            request,
            ngettext("%(count)s order is a draft now.", "%(count)s orders are drafts now.", len(orders))
            % {"count": len(orders)},
        )
        return f"{reverse('orders')}?state=DRAFT"
    sent, refused = send_orders(orders, by=by, at=at)
    messages.success(
        request, ngettext("%(count)s order was sent.", "%(count)s orders were sent.", len(sent)) % {"count": len(sent)}
    )
    for number, doubt in [(order.order_no, refused[order.pk]) for order in orders if order.pk in refused][:10]:
        messages.warning(request, f"{number}: {doubt.sentence} {doubt.remedy}")
    if refused:
        left = ngettext("%(count)s stays a draft.", "%(count)s stay drafts.", len(refused)) % {"count": len(refused)}
        messages.warning(request, left)
    return f"{reverse('orders')}?state={'DRAFT' if refused and not sent else 'SENT'}"


def _keys(given: Sequence[str]) -> list[UUID]:
    keys = []
    for each in given[:MOST]:
        try:
            keys.append(UUID(each))
        except ValueError:
            continue
    return keys

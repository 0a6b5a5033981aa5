"""Pages of service plans, services, and the persons who did them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from anze.claims.models import Accident
from anze.evidence.screens.media import tiles
from anze.kernel.duty import beijing_day
from anze.parties.models import Expert
from anze.parties.rules import Permission, Role
from anze.parties.screens import AGENCY, ENTERPRISE, INSURER, ORIGIN, USCC, agency_filter, insurer_filter
from anze.prevention.actions.reports import media_of
from anze.prevention.models import Order, Plan, PlanItem, Service, ServicePerson, Task
from anze.prevention.rules import ServiceType
from anze.prevention.rules.orders import ON_THE_WAY
from anze.prevention.screens.chain import service_crumbs
from anze.prevention.screens.confirmations import SERVICE_BUTTONS
from anze.prevention.screens.reports import REPORT_BUTTON
from anze.screen.asked import count_text
from anze.screen.columns import Column, labels
from anze.screen.details import DetailScreen, Section, Tile, Way, detail_screen, tile
from anze.screen.filters import (
    Asking,
    Case,
    Cases,
    Choice,
    Dates,
    Flag,
    InRegion,
    Numbers,
    Of,
    Search,
    begins,
)
from anze.screen.lists import ListScreen, count, list_screen, waiting
from anze.screen.registry import Hit, page, search
from anze.screen.registry import Search as SearchAnswer
from anze.screen.stories import Story, story
from anze.underwriting.screens import ORIGIN_SECTION

MOST_PHOTOS = 120
POLICY = Column("policy__policy_no", opens="policy")
CONFIRMATION = Column(
    "confirmation", tones={"NONE": "warning", "SIGNATURE": "success", "SEAL": "success", "ONLINE": "success"}
)

PLANS = list_screen(
    ListScreen(
        name="plans",
        path="prevention/plans/",
        title=_("Service plans"),
        about=_("What was agreed for each policy: which services, in which form, how often, by whom."),
        model=Plan,
        permission=Permission.SEE_SERVICES,
        detail="plan",
        sort="-agreed_on",
        columns=(
            Column("plan_no"),
            ENTERPRISE,
            INSURER,
            POLICY,
            Column("risk_tier"),
            Column("agreed_on"),
            Column("confirmed_on"),
            Column("edition", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
            Column("goals", optional=True),
            USCC,
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("plan_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Plan no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("risk_tier", main=True),
            Cases(
                "confirmed",
                _("Confirmed by the enterprise"),
                cases={
                    "no": Case(_("not confirmed"), lambda a: Q(confirmed_on__isnull=True)),
                    "yes": Case(_("confirmed"), lambda a: Q(confirmed_on__isnull=False)),
                },
            ),
            Choice("sector"),
            Choice("edition"),
            Dates("agreed_on"),
        ),
        tab_of={"enterprise": "enterprise", "policy": "policy"},
        order=10,
    )
)  # fmt: skip


def _plan_ways(request: HttpRequest, plan: Plan) -> list[Way]:
    actor = request.actor  # type: ignore[attr-defined]
    ways = []
    if actor.may(Permission.CONFIRM_PLANS) and plan.confirmed_on is None and not plan.is_void:
        ways.append(
            Way(_("Confirm the plan"), reverse("plan-confirm", args=[plan.pk]), "check", "primary", at_once=True)
        )
    if actor.may(Permission.RUN_SERVICES) and plan.confirmed_on is None and not plan.is_void:
        ways.append(Way(_("Have it confirmed"), reverse("plan-link", args=[plan.pk]), "qrcode", "primary"))
    if actor.scope.insurer_id and actor.may(Permission.RUN_SERVICES) and not plan.is_void:
        ways.append(Way(_("Place orders"), f"{reverse('orders-bulk')}?plan={plan.pk}", "send"))
    if actor.scope.insurer_id and actor.may(Permission.ENTER_DATA):
        ways.append(Way(_("Correct"), f"{reverse('entry', args=['plans'])}?of={plan.pk}", "edit"))
    return ways


PLAN_PAGE = detail_screen(
    DetailScreen(
        name="plan",
        path="prevention/plans/<uuid:pk>/",
        title=_("Service plan"),
        model=Plan,
        permission=Permission.SEE_SERVICES,
        named=("plan_no",),
        of_list="plans",
        ways=_plan_ways,
        sections=(
            Section(
                _("The plan"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    POLICY,
                    "edition",
                    "risk_tier",
                    "agreed_on",
                    "confirmed_on",
                    "goals",
                ),
            ),
            ORIGIN_SECTION,
        ),
    )
)


def _window(asking: Asking, end: date) -> str:
    return "PAST" if end < beijing_day(asking.at) else "OPEN"


def _for_task(task: UUID) -> Q:
    by_order = Order.objects.filter(task=task, service__isnull=False).values("service_id")
    return Q(pk__in=by_order) | Q(plan_item__in=PlanItem.objects.filter(task=task).values("pk"))


def _task_title(task: UUID) -> str:
    return str(Task.objects.filter(pk=task).values_list("title", flat=True).first() or _now("not visible to you"))


def _items_of_task(task: UUID) -> Q:
    """Items that name the task, or from which orders for it were made."""
    ordered = Order.objects.filter(task=task, plan_item__isnull=False, state__in=ON_THE_WAY)
    return Q(task=task) | Q(pk__in=ordered.values("plan_item_id"))


ITEMS = list_screen(
    ListScreen(
        name="plan-items",
        path="prevention/plan-items/",
        title=_("Plan items"),
        about=_("So many services of one type within a window of days."),
        model=PlanItem,
        permission=Permission.SEE_SERVICES,
        sort="-window_end_on",
        columns=(
            Column("service_type"),
            ENTERPRISE,
            INSURER,
            POLICY,
            Column("form"),
            Column("times"),
            Column("window_start_on"),
            Column("window_end_on"),
            Column(
                "window", title=_("Window"), needs=("window_end_on",), compute=_window,
                choices=(("OPEN", pgettext_lazy("window", "still open")), ("PAST", _("past"))), tones={"OPEN": "info"},
            ),
            AGENCY,
            Column("task__title", title=_("Task"), opens="task", optional=True),
            Column("seq", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(
            Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Choice("service_type", main=True),
            agency_filter(),
            Dates("window_start_on"),
            Dates("window_end_on"),
            Of("task", _("Task"), condition=_items_of_task, named=_task_title),
        ),
        tab_of={"plan": "plan", "task": "task"},
        order=30,
    )
)  # fmt: skip


def _of_expert(expert: UUID) -> Q:
    return Q(pk__in=ServicePerson.objects.filter(expert_id=expert).values("service_id"))


def _expert_name(expert: UUID) -> str:
    return str(Expert.objects.filter(pk=expert).values_list("name", flat=True).first() or expert)


def _unconfirmed(asking: Asking) -> Q:
    return Q(confirmation="NONE", performed_on__gte=beijing_day(asking.at) - timedelta(days=90))


def _before_accident(accident: UUID) -> Q:
    """Services at the enterprise in the year up to the day of its accident."""
    found = Accident.objects.filter(pk=accident).values_list("enterprise_id", "event_on").first()
    if found is None:
        return Q(pk__in=[])
    return Q(enterprise_id=found[0], performed_on__range=(found[1] - timedelta(days=365), found[1]))


def accident_name(accident: UUID) -> str:
    return str(Accident.objects.filter(pk=accident).values_list("accident_no", flat=True).first() or accident)


SERVICES = list_screen(
    ListScreen(
        name="services",
        path="prevention/services/",
        title=_("Services"),
        about=_("Services done at enterprises: when, where, by whom, what was found, and whether the enterprise confirmed."),
        model=Service,
        permission=Permission.SEE_SERVICES,
        detail="service",
        sort="-performed_on",
        columns=(
            Column("service_no"),
            ENTERPRISE,
            INSURER,
            AGENCY,
            Column("service_type"),
            Column("performed_on"),
            Column("hazards_found"),
            CONFIRMATION,
            Column("photo_count"),
            Column("region_code", optional=True),
            Column("sector", optional=True),
            Column("form", optional=True),
            Column("started_at", optional=True),
            Column("ended_at", optional=True),
            Column("attendees", optional=True),
            Column("satisfaction", optional=True),
            Column("is_returned", optional=True),
            Column("policy__policy_no", opens="policy", optional=True),
            USCC,
            *ORIGIN,
        ),
        filters=(
            Search(
                own=("service_no",), relation="enterprise", related=("name", "uscc"),
                title=_("Service no., enterprise or credit code"),
            ),
            InRegion(),
            insurer_filter(),
            Choice("service_type", main=True),
            Choice("confirmation"),
            Cases("waits", _("Waits for"), cases={"confirmation": Case(_("confirmation, last 90 days"), _unconfirmed)}),
            agency_filter(),
            Choice("form"),
            Choice("sector"),
            Dates("performed_on"),
            Numbers("hazards_found"),
            Flag("is_returned"),
            Choice("channel"),
            Of("expert", _("Expert"), condition=_of_expert, named=_expert_name),
            Of("task", _("Task"), condition=_for_task, named=_task_title),
            Of("before", _("In the year before the accident"), condition=_before_accident, named=accident_name),
        ),
        tab_of={
            "enterprise": "enterprise", "policy": "policy", "insurer": "insurer", "agency": "agency",
            "expert": "expert", "task": "task", "accident": "before",
        },
        order=20,
    )
)  # fmt: skip


def _photographed(_request: HttpRequest, service: Service) -> Mapping[str, Any]:
    return {"photos": tiles([media.pk for media in media_of(service)[:MOST_PHOTOS]])["tiles"]}


detail_screen(
    DetailScreen(
        name="service",
        path="prevention/services/<uuid:pk>/",
        title=_("Service"),
        model=Service,
        permission=Permission.SEE_SERVICES,
        named=("service_no",),
        state=CONFIRMATION,
        of_list="services",
        buttons=(REPORT_BUTTON, *SERVICE_BUTTONS),
        template="prevention/service.html",
        tabs=(("photos", _("Photos and files"), Permission.SEE_EVIDENCE, _photographed),),
        climb=service_crumbs,
        sections=(
            Section(
                _("The service"),
                (
                    ENTERPRISE,
                    Column("insurer", opens="insurer"),
                    Column("agency", opens="agency"),
                    POLICY,
                    "service_type",
                    "form",
                    "edition",
                    "started_at",
                    "ended_at",
                    "place",
                    "attendees",
                    "topics",
                ),
            ),
            Section(
                _("What came of it"),
                (
                    "hazards_found",
                    "nil_findings",
                    "photo_count",
                    "has_service_mark",
                    "report_text",
                    "report_file",
                    "is_returned",
                ),
            ),
            Section(
                _("The enterprise's word"),
                ("confirmation", "confirmed_by", "confirmed_on", "followed_up_on", "satisfaction", "opinion"),
            ),
            Section(
                _("Cost"),
                (Column("planned_cost", hide_for="expert_id"), Column("paid_cost", hide_for="expert_id")),
            ),
            ORIGIN_SECTION,
        ),
    )
)
PERSONS = list_screen(
    ListScreen(
        name="service-persons",
        path="prevention/service-persons/",
        title=_("Persons"),
        about=_("Who took part in a service, with the certificate that was valid then."),
        model=ServicePerson,
        permission=Permission.SEE_SERVICES,
        sort="seq",
        columns=(
            Column("seq"),
            Column("name"),
            Column("kind"),
            Column("expert__number", title=_("Expert number"), opens="expert"),
            Column("certificate_no"),
            Column("certificate_valid_to"),
            Column("service__service_no", opens="service", optional=True),
        ),
        filters=(
            Search(own=("name", "certificate_no"), title=_("Name or certificate")),
            Choice("kind", main=True),
        ),
        tab_of={"service": "service"},
        in_menu=False,
    )
)
waiting(
    SERVICES,
    "services-unconfirmed",
    _("Services the enterprise has not confirmed"),
    why=_("Done in the last 90 days; what is not confirmed does not count as completed."),
    tone="warning",
    order=40,
    waits="confirmation",
)
waiting(
    PLANS,
    "plans-unconfirmed",
    _("Plans not confirmed by the enterprise"),
    why=_("A plan binds when the enterprise has agreed to it."),
    order=50,
    roles=frozenset({Role.INSURER_MANAGER, Role.INSURER_CLERK, Role.INSURER_BRANCH_MANAGER, Role.INSURER_BRANCH_CLERK}),
    confirmed="no",
)
waiting(
    PLANS,
    "plans-to-confirm",
    _("Service plans for you to confirm"),
    why=_("What will be done at your enterprise; it binds when you agree."),
    tone="warning",
    order=6,
    permission=Permission.CONFIRM_PLANS,
    confirmed="no",
)


def _tell_plan(asking: Asking, confirmed: date | None, goals: str) -> tuple[str, str]:
    said = _now("confirmed %(day)s") % {"day": confirmed} if confirmed else _now("not confirmed yet")
    return f"{said}; {goals}" if goals else said, ""


def _tell_service(asking: Asking, kind: str, found: int, confirmation: str) -> tuple[str, str]:
    said = labels(ServiceType.choices).get(kind, kind)
    text = (
        ngettext("%(what)s; %(count)s hazard found", "%(what)s; %(count)s hazards found", found)
        % {"what": said, "count": found}
        if found
        else said
    )
    if confirmation == "NONE":
        text += _now("; not confirmed")
    return text, ""


story(
    Story(
        "plan", _("Service plan"), Permission.SEE_SERVICES, "clipboard-list", Plan, "agreed_on", "plan_no", "plan",
        ("confirmed_on", "goals"), _tell_plan, where=Q(is_void=False), order=30,
    )
)  # fmt: skip
story(
    Story(
        "service", _("Service"), Permission.SEE_SERVICES, "helmet", Service, "performed_on", "service_no", "service",
        ("service_type", "hazards_found", "confirmation"), _tell_service, where=Q(is_void=False), order=40,
    )
)  # fmt: skip


def _services_tile(word: str) -> Any:
    def find(request: HttpRequest, row: Any) -> tuple[str, str, str]:
        words = {word: str(row.pk), "performed_on_from": str(beijing_day(request.at).replace(month=1, day=1))}  # type: ignore[attr-defined]
        return count_text(count(SERVICES, request, **words)), "", SERVICES.link(**words)

    return find


for _where in ("enterprise", "insurer", "agency", "expert"):
    tile(
        Tile(
            _where,
            "services",
            _("Services this year"),
            Permission.SEE_SERVICES,
            _services_tile(_where),
            order=40,
        )
    )


def _find_services(words: str, limit: int) -> list[Hit]:
    found = Service.objects.filter(begins("service_no", words) | begins("service_no", words.upper()), is_void=False)
    return [
        Hit(number, str(on), reverse("service", args=[key]))
        for key, number, on in found.values_list("pk", "service_no", "performed_on")[:limit]
    ]


search(SearchAnswer("services", _("Services"), Permission.SEE_SERVICES, _find_services, order=30))


@page("prevention/plan-items/<uuid:pk>/", name="plan-item", permission=Permission.SEE_SERVICES)
def plan_item(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An item has no page of its own: it is read in its plan."""
    return redirect("plan", get_object_or_404(PlanItem, pk=pk).plan_id)


def _services_before(request: HttpRequest, accident: Any) -> tuple[str, str, str]:
    number = count(SERVICES, request, before=str(accident.pk))
    return count_text(number), "" if number else "warning", SERVICES.link(before=str(accident.pk))


tile(
    Tile(
        "accident", "services-before", _("Services in the year before"), Permission.SEE_SERVICES, _services_before,
        order=10,
    )
)  # fmt: skip

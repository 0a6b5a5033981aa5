"""What the phone app talks to: the shell it starts from, what it takes along, and what it sends back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.duty import beijing_day
from anze.kernel.parameters import nearest, numbers
from anze.kernel.refusal import Refused
from anze.kernel.rules import HazardClass
from anze.kernel.scope import EVERYTHING, widened
from anze.library.models import Checklist, checklist_for, pack
from anze.parties.models import Enterprise, Expert, Organisation
from anze.parties.rules import Permission
from anze.prevention.actions import (
    Answered,
    Sent,
    open_visit,
    places_of,
    take_changes,
    told,
    visit_of_order,
)
from anze.prevention.actions.visits import NOT_TO_VISIT, moment_of
from anze.prevention.models import Order, OrderExpert, Service, Visit, VisitChange, VisitEntry
from anze.prevention.rules import EntryKind, OrderState, Outcome, RecheckResult, ServiceType, VisitorKind, VisitState
from anze.prevention.rules.visits import Missing, Parcel
from anze.prevention.screens.gate import codes_of
from anze.prevention.screens.words import WORDS
from anze.screen.pages import static
from anze.screen.registry import page
from anze.screen.typesetting import qr_uri
from anze.underwriting.models import Policy

AHEAD, BEHIND = timedelta(days=7), timedelta(days=14)
MOST_ORDERS, MOST_PLACES = 60, 200


@dataclass(frozen=True)
class Place:
    """A visit to be prepared: whose enterprise it is, and for which insurer."""

    visit: UUID
    enterprise: UUID
    insurer: UUID


# the parameters a phone needs to propose a deadline where there is no network
RECTIFY_DAYS = {each.value: f"hazard_rectify_days.{each.value}" for each in HazardClass}

Find = Callable[[list[Place]], dict[UUID, Any]]
CARRIED: dict[str, Find] = {}


def carried(name: str, find: Find) -> None:
    """A room above contributes to what a phone takes along for each visit, by one query for all of them."""
    CARRIED[name] = find


# the shell ------------------------------------------------------------------------------------------------


def shell_version() -> str:
    """A name for exactly this app: of its files and its words."""
    digest = hashlib.sha256()
    for name in ("visits.js", "visits-worker.js", "app.css", "icons.svg"):
        found = finders.find(f"dist/{name}")
        if found:
            with open(found, "rb") as file:  # noqa: PTH123 - a plain name from the finder
                digest.update(file.read())
    digest.update(msgspec.json.encode(WORDS.said("zh-hans")))
    digest.update(msgspec.json.encode(WORDS.said("en")))
    return digest.hexdigest()[:16]


@page("visits/", name="visits-app", title=_("On-site work"), is_open=True)
def app(request: HttpRequest) -> HttpResponse:
    """The same page for everybody, so that a phone can keep it; whose it is the app learns from the bundle."""
    words = {each: WORDS.said(each) for each in ("zh-hans", "en")}
    said = msgspec.json.encode(words).decode().replace("</", "<\\/")
    return render(request, "prevention/phone.html", {"words": said, "shell_version": shell_version()})


@page("visits/worker.js", name="visits-worker", is_open=True)
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, from an address whose scope is the app; it begins with what it has to keep."""
    found = finders.find("dist/visits-worker.js")
    if not found:
        raise Http404
    keep = [
        static(f"dist/{name}") for name in ("early.js", "visits.js", "app.css", "fonts.css", "icons.svg", "favicon.svg")
    ]
    head = f"self.ANZE={msgspec.json.encode({'version': shell_version(), 'shell': reverse('visits-app'), 'keep': keep}).decode()};\n"
    with open(found, encoding="utf-8") as file:  # noqa: PTH123 - a plain name from the finder
        body = head + file.read()
    return HttpResponse(body, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@page("visits/manifest.webmanifest", name="visits-manifest", is_open=True)
def manifest(request: HttpRequest) -> HttpResponse:
    start = reverse("visits-app")
    said = {
        "id": start,
        "name": _now("Anze on-site work"),
        "short_name": _now("Anze"),
        "lang": "zh-CN" if (get_language() or "").startswith("zh") else "en",
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": "#f6f8fb",
        "theme_color": "#1f4e79",
        "icons": [
            {
                "src": static(f"dist/visits-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for size in (192, 512)
            for purpose in ("any", "maskable")
        ],
    }
    return HttpResponse(msgspec.json.encode(said), content_type="application/manifest+json")


# what is taken along --------------------------------------------------------------------------------------


@page("visits/bundle/", name="visits-bundle", permission=Permission.RECORD_VISITS)
def bundle(request: HttpRequest) -> HttpResponse:
    """Everything for the next days' visits, in the reader's language. Unchanged since last time it is not sent."""
    get_token(request)
    content = _bundle(request)
    etag = f'"{hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Account": str(request.actor.account_id)}  # type: ignore[attr-defined]
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(msgspec.json.encode(content), content_type="application/json")
    for name, value in headers.items():
        response[name] = value
    return response


def _bundle(request: HttpRequest) -> dict[str, Any]:
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    today = beijing_day(at)
    orders = list(
        Order.objects.exclude(state__in=(*NOT_TO_VISIT, OrderState.DONE))
        .filter(planned_on__range=(today - BEHIND, today + AHEAD))
        .order_by("planned_on", "pk")[:MOST_ORDERS]
    )
    visits = list(
        Visit.objects.exclude(state=VisitState.DELIVERED)
        .order_by("-planned_on", "-pk")
        .select_related(None)[:MOST_ORDERS]
    )
    with widened(EVERYTHING):
        places = list(places_of(actor, today).order_by("enterprise_id", "-start_on")[:MOST_PLACES])
        rows = _rows(orders, visits, today)
        sheets = _enterprises({row["enterprise"] for row in rows} | {str(each.enterprise_id) for each in places}, today)
        packs, kinds = _packs(rows, today)
        days = {each.planned_on for each in orders if each.planned_on >= today} | {today}
        begins = codes_of(actor.scope.expert_id, days, at, request.build_absolute_uri("/").rstrip("/"))
        for row in rows:
            day = max(row["planned_on"], today.isoformat())
            if row["order"] and day in begins:
                row["gate"] = {"day": day, "code": qr_uri(f"{begins[day]}{row['order']}/")}
        return {
            "account": _account(actor),
            "language": get_language(),
            "visits": rows,
            "places": [
                {"policy": str(each.pk), "policy_no": each.policy_no, "enterprise": str(each.enterprise_id)}
                for each in places
            ],
            "enterprises": sheets,
            "packs": packs,
            "checklists": kinds,
            "choices": {
                "service_type": _choices(ServiceType),
                "role": _choices(VisitorKind),
                "recheck": _choices(RecheckResult),
                "kind": _choices(EntryKind),
                "state": _choices(VisitState),
            },
        }


def _choices(codes: Any) -> dict[str, str]:
    return {str(value): str(label) for value, label in codes.choices}


def _account(actor: Any) -> dict[str, Any]:
    expert = Expert.objects.filter(pk=actor.scope.expert_id).first() if actor.scope.expert_id else None
    role = (
        VisitorKind.EXPERT
        if expert
        else VisitorKind.AGENCY_STAFF
        if actor.scope.agency_id
        else VisitorKind.INSURER_STAFF
    )
    return {
        "id": str(actor.account_id),
        "name": expert.name if expert else actor.name,
        "organisation": actor.organisation_name,
        "role": role.value,
        "expert_number": expert.number if expert else "",
        "post": expert.title if expert else "",
    }


def _rows(orders: list[Order], visits: list[Visit], today: date) -> list[dict[str, Any]]:
    """One row a visit, begun or only ordered."""
    begun = {each.order_id: each for each in visits if each.order_id}
    # an order whose visit is on file is done, whatever its own state says
    done = set(Visit.objects.filter(order__in=orders, state=VisitState.DELIVERED).values_list("order_id", flat=True))
    listed = {each.pk: each for each in orders if each.pk not in done}
    listed |= {each.pk: each for each in Order.objects.filter(pk__in=[k for k in begun if k not in listed])}
    experts: dict[UUID, list[dict[str, str]]] = {}
    for each in OrderExpert.objects.filter(order__in=listed).select_related("expert").order_by("-is_leader", "pk"):
        experts.setdefault(each.order_id, []).append(
            {"name": each.expert.name, "expert_number": each.expert.number, "post": each.expert.title}
        )
    made = []
    for order in listed.values():
        visit = begun.get(order.pk)
        made.append(
            _row(visit, visit.pk if visit else visit_of_order(order.pk), visit or order)
            | {
                "order": str(order.pk),
                "order_no": order.order_no,
                "scope": order.scope,
                "due_on": order.due_on.isoformat(),
                "experts": experts.get(order.pk, []),
            }
        )
    made += [_row(each, each.pk, each) for each in visits if not each.order_id]
    policies = dict(Policy.objects.filter(pk__in={row["policy"] for row in made}).values_list("pk", "policy_no"))
    names = {each.pk: str(each) for each in Organisation.objects.filter(pk__in={row["insurer"] for row in made})}
    carried_along = {
        name: find([Place(UUID(row["id"]), UUID(row["enterprise"]), UUID(row["insurer"])) for row in made])
        for name, find in CARRIED.items()
    }
    last = _last_services(made, today)
    for row in made:
        row["policy_no"] = policies.get(UUID(row["policy"]), "")
        row["insurer_name"] = names.get(UUID(row["insurer"]), "")
        row["last_service"] = last.get(row["enterprise"])
        for name, found in carried_along.items():
            row[name] = found.get(UUID(row["id"]), [])
    return sorted(made, key=lambda row: (row["planned_on"], row["id"]))


def _row(visit: Visit | None, key: UUID, of: Visit | Order) -> dict[str, Any]:
    return {
        "id": str(key),
        "order": None,
        "visit_no": visit.visit_no if visit else "",
        "state": visit.state if visit else "",
        "planned_on": of.planned_on.isoformat(),
        "service_type": of.service_type,
        "checklist": of.checklist_code,
        "checklist_version": visit.checklist_version if visit else None,
        "enterprise": str(of.enterprise_id),
        "insurer": str(of.insurer_id),
        "policy": str(of.policy_id),
        "sector": of.sector,
        "experts": [],
    }


def _last_services(rows: list[dict[str, Any]], today: date) -> dict[str, dict[str, Any]]:
    found = (
        Service.objects.filter(
            enterprise_id__in={row["enterprise"] for row in rows},
            insurer_id__in={row["insurer"] for row in rows},
            is_void=False,
        )
        .order_by("enterprise_id", "-performed_on", "-pk")
        .distinct("enterprise_id")
    )
    return {
        str(each.enterprise_id): {
            "service_no": each.service_no,
            "performed_on": each.performed_on.isoformat(),
            "hazards_found": each.hazards_found,
        }
        for each in found
    }


def _enterprises(keys: Iterable[str], today: date) -> dict[str, dict[str, Any]]:
    days = numbers(today, RECTIFY_DAYS.values())
    return {
        str(each.pk): {
            "name": each.name,
            "uscc": each.uscc,
            "address": each.address,
            "lon": float(each.lon) if each.lon is not None else None,
            "lat": float(each.lat) if each.lat is not None else None,
            "sector": each.sector,
            "risk_tier": each.get_risk_tier_display(),
            "workers": each.registered_workers,
            "contact_name": each.contact_name,
            "contact_phone": each.contact_phone,
            "rectify_days": {
                name: int(value)
                for name, key in RECTIFY_DAYS.items()
                if (value := nearest(days.get(key, {}), each.region_code)) is not None
            },
        }
        for each in Enterprise.objects.filter(pk__in=set(keys)).order_by("pk")
    }


def _packs(rows: list[dict[str, Any]], today: date) -> tuple[dict[str, Any], dict[str, str]]:
    """The checklists these visits need, each once, and which visit takes which."""
    chosen: dict[str, str] = {}
    packs: dict[str, Any] = {}
    by_use: dict[tuple[Any, ...], Checklist | None] = {}
    for row in rows:
        use = (row["sector"], row["service_type"], row["checklist"], row["checklist_version"])
        if use not in by_use:
            by_use[use] = _checklist(*use, on=today)
        checklist = by_use[use]
        if checklist is not None:
            key = f"{checklist.code}/{checklist.version}"
            chosen[row["id"]] = key
            if key not in packs:
                packs[key] = pack(checklist, get_language() or "zh-hans", today)
    return packs, chosen


def _checklist(sector: str, service_type: str, code: str, version: int | None, *, on: date) -> Checklist | None:
    """The version a visit was begun by, the one its order names, or the sector's."""
    if code and version:
        return Checklist.objects.filter(code=code, version=version).select_related("standard").first()
    if code:
        named = Checklist.objects.filter(code=code, effective_from__lte=on).select_related("standard")
        if found := named.order_by("-version").first():
            return found
    return checklist_for(sector, service_type, on) or checklist_for(sector, ServiceType.HAZARD, on)


# what is sent back ----------------------------------------------------------------------------------------


@page("visits/sync/", name="visits-sync", permission=Permission.RECORD_VISITS, methods=("POST",))
def sync(request: HttpRequest) -> HttpResponse:
    """Take a parcel: each visit and each change is answered by itself, then what the phone does not know yet."""
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    parcel = _parcel(request)
    sent_at = moment_of(parcel.sent_at)
    refused: dict[str, dict[str, str]] = {}
    for opening in parcel.visits:
        try:
            open_visit(opening, by=actor, at=at, device=parcel.device)
        except Refused as problem:
            refused[str(opening.id)] = told(problem)
    answers: dict[str, dict[str, Any]] = {}
    of_visit: dict[UUID, list[Any]] = {}
    for change in parcel.changes:
        of_visit.setdefault(change.visit, []).append(change)
    known = {each.pk: each for each in Visit.objects.filter(pk__in=of_visit)}
    for key, changes in of_visit.items():
        if key in known:
            sent = Sent(changes, parcel.device, sent_at)
            _visit, found = take_changes(known[key], by=actor, at=at, sent=sent)
        else:
            why = refused.get(str(key)) or told(_unknown())
            found = {each.id: Answered("REFUSED", problem=why) for each in changes}
        answers |= {str(change): msgspec.to_builtins(each) for change, each in found.items()}
    content = {
        "now": at.isoformat(),
        "account": str(actor.account_id),
        "answers": answers,
        "refused": refused,
        **_news(parcel, set(of_visit) | {each.id for each in parcel.visits}),
    }
    return JsonResponse(content)


def _parcel(request: HttpRequest) -> Parcel:
    try:
        return msgspec.json.decode(request.body, type=Parcel)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise Refused(
            "parcel_unreadable",
            _("What the app sent cannot be read: %(problem)s"),
            remedy=_("Load the app anew while there is a network; what you recorded stays on this device."),
            values={"problem": str(problem)[:200]},
        ) from None


def _unknown() -> Refused:
    return Refused(
        "visit_unknown",
        _("There is no such visit for you."),
        remedy=_("Ask the insurer; what you recorded stays on this device."),
        field="visit",
        status=404,
    )


def _news(parcel: Parcel, touched: set[UUID]) -> dict[str, Any]:
    """The visits a phone works on as they stand, and entries it has not got."""
    knows = {_uuid(key): revision for key, revision in parcel.knows.items()}
    knows.pop(None, None)
    found = list(Visit.objects.filter(pk__in={*knows, *touched}))
    stale = [each.pk for each in found if each.pk in touched or each.revision > knows.get(each.pk, 0)]
    entries = [
        {
            "id": str(each.pk),
            "visit": str(each.visit_id),
            "kind": each.kind,
            "payload": each.payload,
            "revision": each.revision,
            "removed": each.is_removed,
            "made_at": each.made_at.isoformat(),
            "by": each.changed_by_name,
        }
        for each in VisitEntry.objects.filter(visit_id__in=stale).order_by("visit_revision", "pk")
        if each.visit_revision > knows.get(each.visit_id, 0)
    ]
    versions: dict[str, list[dict[str, Any]]] = {str(each): [] for each in stale}
    for each in VisitChange.objects.filter(visit_id__in=stale, outcome__in=(Outcome.CONFLICT, Outcome.LATE)).order_by(
        "visit_revision", "pk"
    ):
        versions[str(each.visit_id)].append(
            {
                "id": str(each.pk),
                "entry": str(each.entry_id),
                "kind": each.kind,
                "payload": each.payload,
                "removed": each.is_removal,
                "outcome": each.outcome,
                "by": each.by_name,
                "device": each.device,
                "made_at": each.made_at.isoformat(),
            }
        )
    return {
        "visits": {str(each.pk): visit_as_told(each) for each in found},
        "entries": entries,
        "versions": versions,
        "gone": [str(key) for key in knows if key not in {each.pk for each in found}],
    }


def visit_as_told(visit: Visit) -> dict[str, Any]:
    return {
        "visit_no": visit.visit_no,
        "state": visit.state,
        "revision": visit.revision,
        "service": str(visit.service_id) if visit.service_id else None,
        "return_reason": visit.return_reason,
        "has_problems": bool(visit.problems),
    }


def as_told(missing: Iterable[Missing]) -> list[dict[str, Any]]:
    return [
        {"code": each.code, "is_hard": each.is_hard, "message": str(each.message), "remedy": str(each.remedy)}
        for each in missing
    ]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

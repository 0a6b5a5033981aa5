"""What is looked up before somebody is sent: who could go, and what speaks against him. Always set-based."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import parameter, parameter_text
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, region_range, widened
from anze.parties.models import Enterprise, Expert, Organisation, Qualification, Region, Standing
from anze.parties.rules import OrganisationKind
from anze.prevention.models import Conflict, Order, OrderExpert
from anze.prevention.rules.orders import (
    COMING,
    Candidate,
    Doubt,
    Paper,
    Stop,
    form_doubts,
    in_conflict,
    kilometres,
    mean_to_tell,
    near_doubts,
    paper_on,
    rank,
    standing_doubt,
    travel_doubts,
    unqualified,
)


@dataclass(frozen=True)
class Sending:
    """An order as far as it matters for whether somebody may be sent."""

    key: Any
    enterprise_id: UUID
    insurer_id: UUID
    service_type: str
    form: str
    planned_on: date
    agency_id: UUID | None = None
    expert_ids: tuple[UUID, ...] = ()


@dataclass
class _Known:
    """What is on file about the parties concerned."""

    agencies: dict[UUID, Organisation] = field(default_factory=dict)
    experts: dict[UUID, Expert] = field(default_factory=dict)
    enterprises: dict[UUID, Enterprise] = field(default_factory=dict)
    papers: dict[UUID, list[Paper]] = field(default_factory=lambda: defaultdict(list))
    standings: dict[UUID, list[Standing]] = field(default_factory=lambda: defaultdict(list))
    conflicts: dict[tuple[UUID, UUID], Conflict] = field(default_factory=dict)
    agency_kinds: frozenset[str] = frozenset()
    expert_kinds: frozenset[str] = frozenset()


def doubts_about(sendings: Sequence[Sending]) -> dict[Any, list[Doubt]]:
    """What speaks against each sending, blocking things first; a fixed number of queries however many there are."""
    if not sendings:
        return {}
    with widened(EVERYTHING):
        known = _look_up(
            {each.agency_id for each in sendings if each.agency_id},
            {key for each in sendings for key in each.expert_ids},
            {each.enterprise_id for each in sendings},
            max(each.planned_on for each in sendings),
        )
        on = sendings[0].planned_on
        most_km, most_visits = (
            float(parameter("travel_same_day_km", on)),
            int(parameter("alert.services_per_expert_day", on)),
        )
        within = int(parameter("merge_visits_days", on))
        stops = _stops(known.experts, {each.planned_on for each in sendings})
        near = _near(known.enterprises, min(each.planned_on for each in sendings), on, within, sendings)
    found: dict[Any, list[Doubt]] = {}
    for each in sendings:
        doubts = [*form_doubts(each.service_type, each.form)]
        if each.agency_id:
            doubts += agency_doubts(known, each)
        there = known.enterprises[each.enterprise_id]
        stop = Stop(each.key, _float(there.lon), _float(there.lat), there.name)
        for key in each.expert_ids:
            doubts += expert_doubts(known, each, key)
            doubts += travel_doubts(
                stops.get((key, each.planned_on), []), stop, most_km=most_km, most_visits=most_visits
            )
        days = [(day, owner == each.insurer_id) for k, day, owner in near.get(each.enterprise_id, []) if k != each.key]
        doubts += near_doubts(days, each.planned_on, within)
        found[each.key] = sorted(doubts, key=lambda doubt: not doubt.blocks)
    return found


def sending_of(order: Order, experts: Collection[UUID] | None = None) -> Sending:
    if experts is None:
        experts = list(OrderExpert.objects.filter(order=order).values_list("expert_id", flat=True))
    return Sending(
        order.pk, order.enterprise_id, order.insurer_id, order.service_type, order.form, order.planned_on,
        order.agency_id, tuple(experts),
    )  # fmt: skip


def _look_up(agencies: set[UUID], experts: set[UUID], enterprises: set[UUID], on: date) -> _Known:
    known = _Known()
    known.experts = Expert.objects.in_bulk(list(experts))
    of_experts = {each.agency_id for each in known.experts.values() if each.agency_id}
    known.agencies = Organisation.objects.in_bulk(list(agencies | of_experts))
    known.enterprises = Enterprise.objects.in_bulk(list(enterprises))
    parties = Q(organisation__in=known.agencies) | Q(expert__in=known.experts)
    for paper in Qualification.objects.filter(parties):
        holder = paper.organisation_id or paper.expert_id
        known.papers[holder].append(Paper(paper.kind, paper.valid_from, paper.valid_to))  # type: ignore[index] # one of the two is set
    for standing in Standing.objects.filter(parties):
        known.standings[standing.organisation_id or standing.expert_id].append(standing)  # type: ignore[index] # one of the two is set
    declared = Conflict.objects.filter(
        Q(agency__in=known.agencies) | Q(expert__in=known.experts), enterprise__in=enterprises
    ).filter(Q(ended_on__isnull=True) | Q(ended_on__gte=on))
    known.conflicts = {(c.agency_id or c.expert_id, c.enterprise_id): c for c in declared}  # type: ignore[misc] # one of the two is set
    known.agency_kinds = frozenset(parameter_text("order_agency_qualifications", on, default="").split())
    known.expert_kinds = frozenset(parameter_text("order_expert_qualifications", on, default="").split())
    return known


def agency_doubts(known: _Known, each: Sending) -> list[Doubt]:
    agency = known.agencies[each.agency_id]  # type: ignore[index] # asked only with an agency
    name = str(agency)
    doubts = _house_doubts(known, agency, each.insurer_id, each.planned_on)
    if declared := known.conflicts.get((agency.pk, each.enterprise_id)):
        doubts.append(in_conflict(name, str(declared.get_reason_display())))
    if agency.uscc and agency.uscc == known.enterprises[each.enterprise_id].uscc:
        doubts.append(in_conflict(name, _now("it is the enterprise itself")))
    return doubts


def _house_doubts(known: _Known, agency: Organisation, insurer_id: UUID, on: date) -> list[Doubt]:
    """What speaks against an agency wherever it were sent."""
    name = str(agency)
    doubts = _standing(known, agency.pk, name, on)
    if not agency.is_active:
        doubts.append(standing_doubt("SUSPENDED", name, None, _now("not active")))
    if known.agency_kinds and paper_on(known.papers[agency.pk], known.agency_kinds, on) is None:
        doubts.append(unqualified(name, on))
    if agency.parent_id == insurer_id:
        doubts.append(in_conflict(name, _now("it belongs to the insurer")))
    return doubts


def doubts_about_agency(agency_id: UUID, insurer_id: UUID, on: date) -> list[Doubt]:
    """What speaks against having an agency work for an insurer, wherever that may be."""
    with widened(EVERYTHING):
        known = _look_up({agency_id}, set(), set(), on)
    return _house_doubts(known, known.agencies[agency_id], insurer_id, on)


def refuse_blocked(doubts: Sequence[Doubt]) -> None:
    for each in doubts:
        if each.blocks:
            raise Refused(each.code, each.text, remedy=each.remedy, values=each.values)


def expert_doubts(known: _Known, each: Sending, key: UUID) -> list[Doubt]:
    expert = known.experts[key]
    name, on = expert.name, each.planned_on
    doubts = _standing(known, key, name, on)
    if each.agency_id and expert.agency_id != each.agency_id:
        doubts.append(
            Doubt(
                "expert_of_another_agency",
                _("%(name)s does not work for this agency."),
                _("Choose one of the agency's own experts: a name must not be lent."),
                True,
                {"name": name},
            )
        )
    if not expert.is_active:
        doubts.append(standing_doubt("SUSPENDED", name, None, _now("not active")))
    if known.expert_kinds and paper_on(known.papers[key], known.expert_kinds, on) is None:
        doubts.append(unqualified(name, on))
    if declared := known.conflicts.get((key, each.enterprise_id)):
        doubts.append(in_conflict(name, str(declared.get_reason_display())))
    if not each.agency_id and expert.agency_id and (known.conflicts.get((expert.agency_id, each.enterprise_id))):
        doubts.append(in_conflict(name, _now("so has the agency the expert works for")))
    return doubts


def _standing(known: _Known, key: UUID, name: str, on: date) -> list[Doubt]:
    return [
        standing_doubt(each.kind, name, each.to_on, each.reason) for each in known.standings[key] if each.holds_on(on)
    ]


def _stops(experts: Iterable[UUID], days: set[date]) -> dict[tuple[UUID, date], list[Stop]]:
    rows = OrderExpert.objects.filter(
        expert__in=list(experts), planned_on__in=days, order__state__in=COMING
    ).values_list("expert_id", "planned_on", "order_id", "enterprise__lon", "enterprise__lat", "enterprise__name")
    found: dict[tuple[UUID, date], list[Stop]] = defaultdict(list)
    for expert, day, order, lon, lat, name in rows:
        found[expert, day].append(Stop(order, _float(lon), _float(lat), name))
    return found


def _near(
    enterprises: Iterable[UUID], first: date, last: date, within: int, sendings: Sequence[Sending]
) -> dict[UUID, list[tuple[Any, date, UUID]]]:
    """Coming visits to the enterprises, of whichever insurer."""
    last = max(each.planned_on for each in sendings)
    days = (first - timedelta(days=within), last + timedelta(days=within))
    rows = Order.objects.filter(enterprise__in=list(enterprises), planned_on__range=days, state__in=COMING)
    found: dict[UUID, list[tuple[Any, date, UUID]]] = defaultdict(list)
    for enterprise, key, day, insurer in rows.values_list("enterprise_id", "pk", "planned_on", "insurer_id"):
        found[enterprise].append((key, day, insurer))
    return found


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


# candidates -----------------------------------------------------------------------------------------------------

# what somebody did in the last year, and what he is to do in the week of the order
_DONE_BY = {
    "agency": "SELECT s.agency_id AS party, s.sector, s.satisfaction, s.is_returned FROM prevention_service s "
    "WHERE s.agency_id = ANY(%s) AND NOT s.is_void AND s.performed_on >= %s",
    "expert": "SELECT p.expert_id AS party, s.sector, s.satisfaction, s.is_returned "
    "FROM prevention_serviceperson p JOIN prevention_service s ON s.id = p.service_id "
    "WHERE p.expert_id = ANY(%s) AND NOT s.is_void AND s.performed_on >= %s",
}
_BUSY = {
    "agency": "SELECT o.agency_id AS party, count(*) AS n FROM prevention_order o "
    "WHERE o.agency_id = ANY(%s) AND o.planned_on BETWEEN %s AND %s AND o.state = ANY(%s) GROUP BY 1",
    "expert": "SELECT x.expert_id AS party, count(*) AS n FROM prevention_orderexpert x "
    "JOIN prevention_order o ON o.id = x.order_id WHERE x.expert_id = ANY(%s) "
    "AND x.planned_on BETWEEN %s AND %s AND o.state = ANY(%s) GROUP BY 1",
}
_RECORD = """
SELECT d.party, count(*) FILTER (WHERE d.sector = %s), count(*), count(*) FILTER (WHERE d.is_returned),
       count(d.satisfaction), avg(d.satisfaction)
FROM ({done}) d GROUP BY 1
"""


def agencies_for(order: Order, limit: int = 15) -> list[Candidate]:
    """Agencies that could be sent, best first, with what speaks against each."""
    rows = Organisation.objects.filter(kind=OrganisationKind.AGENCY, is_active=True)
    made = [Candidate(each.pk, str(each), each.region_id) for each in rows]
    return _weighed(order, made, "agency", limit)


def experts_for(order: Order, *, agency_id: UUID | None, limit: int = 15) -> list[Candidate]:
    """Experts that could be sent: those of the agency, or for an order without one everybody."""
    rows = Expert.objects.filter(is_active=True)
    rows = rows.filter(agency_id=agency_id) if agency_id is not None else rows.filter(sector=order.sector)
    made = [
        Candidate(each.pk, each.name, each.region_id, is_sector=each.sector == order.sector)
        for each in rows.order_by("number")
    ]
    return _weighed(order, made, "expert", limit)


def _weighed(order: Order, candidates: list[Candidate], kind: str, limit: int) -> list[Candidate]:
    keys = [each.key for each in candidates]
    monday = order.planned_on - timedelta(days=order.planned_on.weekday())
    with widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            _RECORD.format(done=_DONE_BY[kind]),  # of the two written above
            [order.sector, keys, order.planned_on - timedelta(days=365)],
        )
        record = {party: rest for party, *rest in cursor.fetchall()}
        cursor.execute(_BUSY[kind], [keys, monday, monday + timedelta(days=6), list(COMING)])
        load = dict(cursor.fetchall())
        there = Enterprise.objects.get(pk=order.enterprise_id)
        places = {r.code: (_float(r.lon), _float(r.lat)) for r in Region.objects.all()}
        known = _look_up(
            set(keys) if kind == "agency" else ({order.agency_id} if order.agency_id else set()),
            set(keys) if kind == "expert" else set(),
            {order.enterprise_id},
            order.planned_on,
        )
    fewest = int(parameter("rating_min_count", order.planned_on))
    lon, lat = _float(there.lon), _float(there.lat)
    if lon is None or lat is None:
        lon, lat = places.get(there.region_code, (None, None))
    for each in candidates:
        each.sector_services, each.done, each.returned, rated, rating = record.get(each.key, (0, 0, 0, 0, None))
        each.rating = mean_to_tell(_float(rating), rated, fewest)
        each.load = load.get(each.key, 0)
        place = places.get(each.region_code, (None, None))
        if lon is not None and lat is not None and place[0] is not None and place[1] is not None:
            each.distance = kilometres(lon, lat, place[0], place[1])
        kinds = known.agency_kinds if kind == "agency" else known.expert_kinds
        paper = paper_on(known.papers[each.key], kinds, order.planned_on)
        each.paper_until = paper.valid_to if paper else None
        sending = Sending(
            None, order.enterprise_id, order.insurer_id, order.service_type, order.form, order.planned_on,
            each.key if kind == "agency" else order.agency_id,
        )  # fmt: skip
        each.doubts = agency_doubts(known, sending) if kind == "agency" else expert_doubts(known, sending, each.key)
    return rank(candidates)[:limit]


def partners_for(kind: str, *, sector: str, region_code: str, qualification: str, on: date) -> list[Candidate]:
    """Agencies or experts for a sector without any order in mind, best first: their record of a year, what they are
    to do in the next thirty days, the paper asked for. A rating by too few is not told."""
    near = region_range(region_code) if region_code else ("", "ZZZZZZ")
    if kind == "agency":
        agencies = Organisation.objects.filter(kind=OrganisationKind.AGENCY, is_active=True, region__code__range=near)
        made = [Candidate(each.pk, str(each), each.region_id) for each in agencies]
    else:
        experts = Expert.objects.filter(is_active=True, sector=sector, region__code__range=near)
        made = [Candidate(each.pk, each.name, each.region_id, is_sector=True) for each in experts]
    keys = [each.key for each in made]
    with widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            _RECORD.format(done=_DONE_BY[kind]),  # of the two written above
            [sector, keys, on - timedelta(days=365)],
        )
        record = {party: rest for party, *rest in cursor.fetchall()}
        cursor.execute(_BUSY[kind], [keys, on, on + timedelta(days=30), list(COMING)])
        load = dict(cursor.fetchall())
        known = _look_up(set(keys) if kind == "agency" else set(), set(keys) if kind == "expert" else set(), set(), on)
    usual = known.agency_kinds if kind == "agency" else known.expert_kinds
    wanted = frozenset({qualification}) if qualification else usual
    fewest = int(parameter("rating_min_count", on))
    found = []
    for each in made:
        paper = paper_on(known.papers[each.key], wanted, on)
        if qualification and paper is None:
            continue
        each.sector_services, each.done, each.returned, rated, rating = record.get(each.key, (0, 0, 0, 0, None))
        each.rating = mean_to_tell(_float(rating), rated, fewest)
        each.load = load.get(each.key, 0)
        each.paper_until = paper.valid_to if paper else None
        each.doubts = _standing(known, each.key, each.name, on)
        found.append(each)
    return rank(found)

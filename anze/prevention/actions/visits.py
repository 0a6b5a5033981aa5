"""Recording a visit: begun on a phone, merged entry by entry, submitted, put on file or returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions import lay_over
from anze.evidence.models import Media
from anze.evidence.rules import MediaKind, Site, Subject, register_subject
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise, Expert
from anze.parties.rules import Permission
from anze.prevention.actions.orders import begin_order, finish_order
from anze.prevention.models import Order, PlanItem, Service, ServicePerson, Visit, VisitChange, VisitEntry
from anze.prevention.rules import EntryKind, OrderState, Outcome, ServiceForm, ServiceType, VisitState
from anze.prevention.rules.visits import (
    EDITABLE,
    PAYLOADS,
    VISIT,
    Change,
    Contents,
    Missing,
    Opening,
    derived_id,
    has_place,
    id_of_entry,
    merged,
    missing_from,
    photos_of,
)
from anze.underwriting.models import Policy

# A clock that is off by less is not off: it may as well be the network's delay.
EXACT = timedelta(seconds=60)
NOT_TO_VISIT = (OrderState.DRAFT, OrderState.DECLINED, OrderState.CANCELLED)
SCOPE = ("enterprise_id", "insurer_id", "agency_id", "region_code", "sector")


def visit_of_order(order_id: UUID) -> UUID:
    """The id of an order's visit; two phones without a network begin the same one."""
    return derived_id(order_id, "visit")


@dataclass
class Sent:
    """Changes to one visit as they came from one phone."""

    changes: Sequence[Change]
    device: str
    sent_at: datetime

    def __str__(self) -> str:
        return f"{len(self.changes)} changes from {self.device or 'a browser'}"


@dataclass
class Answered:
    """What a phone is told of one change."""

    state: str
    revision: int = 0
    problem: dict[str, str] = field(default_factory=dict)


# beginning ------------------------------------------------------------------------------------------------


def places_of(by: Actor, on: Any) -> Any:
    """Policies under which somebody may begin a visit without an order: his own business, in force on the day.

    Insurers their own; agencies those whose plan names them; experts those under which they served before.
    """
    found = Policy.objects.filter(start_on__lte=on, cover_end_on__gte=on, is_void=False)
    scope = by.scope
    if scope.insurer_id:
        return found.filter(insurer_id=scope.insurer_id, region_code__range=(scope.region_from, scope.region_to))
    if scope.agency_id:
        return found.filter(pk__in=PlanItem.objects.filter(agency_id=scope.agency_id).values("policy_id"))
    if scope.expert_id:
        served = ServicePerson.objects.filter(expert_id=scope.expert_id).values("policy_id")
        return found.filter(pk__in=served)
    return found.none()


@action(Permission.RECORD_VISITS, "visit.begun")
def open_visit(opening: Opening, *, by: Actor, at: datetime, device: str = "") -> Visit:
    """Begin a visit; sent again, by the same phone or by a second one, it is the same visit."""
    known = Visit.objects.filter(pk=opening.id).first()
    if known is not None:
        return known
    order = None
    if opening.order is not None:
        order = Order.objects.filter(pk=opening.order).exclude(state__in=NOT_TO_VISIT).first()
        if order is None:
            raise Refused(
                "order_not_yours",
                _("There is no such order for you, or it was withdrawn."),
                remedy=_("Ask the insurer; what you recorded stays on this device."),
                field="order",
            )
        if opening.id != visit_of_order(order.pk):
            raise Refused(
                "wrong_visit_id",
                _("An order has one visit."),
                remedy=_("Open the visit from the order."),
                field="id",
            )
    with widened(EVERYTHING):
        if Visit.objects.filter(pk=opening.id).exists():
            raise Refused(
                "visit_not_yours",
                _("This visit belongs to somebody else."),
                remedy=_("Begin the visit anew."),
                status=403,
            )
        visit = _of_order(order, by) if order is not None else _of_policy(opening, by, at)
        visit.id = opening.id
        visit.checklist_code = opening.checklist or visit.checklist_code
        visit.checklist_version = opening.checklist_version
        visit.visit_no = f"XC{beijing_day(at):%y%m%d}{opening.id.hex[-10:].upper()}"
        visit.begun_by, visit.device = by.name[:120], device[:80]
        visit.save(force_insert=True)
        if order is not None:
            begin_order(order.pk)
    return visit


def _of_order(order: Order, by: Actor) -> Visit:
    return Visit(
        order=order,
        policy_id=order.policy_id,
        expert_id=by.scope.expert_id,
        service_type=order.service_type,
        form=order.form,
        checklist_code=order.checklist_code,
        planned_on=order.planned_on,
        **{name: getattr(order, name) for name in SCOPE},
    )


def _of_policy(opening: Opening, by: Actor, at: datetime) -> Visit:
    today = beijing_day(at)
    policy = places_of(by, today).filter(pk=opening.policy).first() if opening.policy else None
    if policy is None:
        raise Refused(
            "no_policy_for_visit",
            _("You may not begin a visit here without an order."),
            remedy=_("Ask the insurer for an order; what you recorded stays on this device."),
            field="policy",
        )
    if opening.service_type not in ServiceType.values:
        raise Refused(
            "unknown_service_type",
            _("There is no service of this kind."),
            remedy=_("Choose one from the list."),
            field="service_type",
        )
    agency = by.scope.agency_id
    form = ServiceForm.COMMISSIONED_TSP if agency else ServiceForm.OWN_STAFF
    if by.scope.expert_id:
        agency = Expert.objects.filter(pk=by.scope.expert_id).values_list("agency_id", flat=True).first()
        form = ServiceForm.COMMISSIONED_TSP if agency else ServiceForm.HIRED_EXPERT
    return Visit(
        policy=policy,
        expert_id=by.scope.expert_id,
        service_type=opening.service_type,
        form=form,
        planned_on=today,
        enterprise_id=policy.enterprise_id,
        insurer_id=policy.insurer_id,
        agency_id=agency,
        region_code=policy.region_code,
        sector=policy.sector,
    )


# merging --------------------------------------------------------------------------------------------------


@action(Permission.RECORD_VISITS, "visit.recorded")
def take_changes(visit: Visit, *, by: Actor, at: datetime, sent: Sent) -> tuple[Visit, dict[UUID, Answered]]:
    """Merge what a phone recorded. Each change is answered by itself and kept whatever became of it.

    A change that was sent before gets its first answer again. Must be called with a visit read in the actor's
    scope; merging itself sees everything, so that ids of other people's rows are known to be taken.
    """
    answers: dict[UUID, Answered] = {}
    with widened(EVERYTHING):
        visit = Visit.objects.select_for_update().get(pk=visit.pk)
        offset = at - sent.sent_at if abs(at - sent.sent_at) >= EXACT else timedelta(0)
        ids = [each.id for each in sent.changes]
        before = {each.pk: each for each in VisitChange.objects.filter(pk__in=ids)}
        entries = {each.pk: each for each in VisitEntry.objects.filter(pk__in={each.entry for each in sent.changes})}
        count = visit.revision
        for change in sent.changes:
            try:
                answers[change.id] = _take(visit, change, before, entries, by=by, at=at, offset=offset, sent=sent)
            except Refused as refused:
                answers[change.id] = Answered("REFUSED", problem=told(refused))
        if visit.revision > count:
            visit.device = sent.device or visit.device
            visit.clock_offset = max(-(2**31), min(2**31 - 1, -round(offset.total_seconds())))
            summarise(visit)
    return visit, answers


def told(refused: Refused) -> dict[str, str]:
    return {
        "code": refused.code,
        "field": refused.field,
        "message": refused.message,
        "remedy": refused.remedy,
    }


def _take(
    visit: Visit,
    change: Change,
    before: dict[UUID, VisitChange],
    entries: dict[UUID, VisitEntry],
    *,
    by: Actor,
    at: datetime,
    offset: timedelta,
    sent: Sent,
) -> Answered:
    if (seen := before.get(change.id)) is not None:
        if seen.visit_id != visit.pk:
            raise _taken("id")
        return Answered(seen.outcome, seen.revision)
    entry = entries.get(change.entry)
    if entry is not None and (entry.visit_id != visit.pk or entry.kind != change.kind):
        raise _taken("entry")
    payload = read_payload(change.kind, change.payload)
    # an entry is about one thing for good
    about = change.entry if entry is None else id_of_entry(visit.pk, entry.kind, entry.payload)
    if id_of_entry(visit.pk, change.kind, payload) not in (None, about):
        raise _taken("entry")
    stored = (entry.revision, entry.is_removed, entry.payload) if entry is not None else None
    outcome = merged(stored, change.base, change.removed, payload)
    if outcome != Outcome.SAME and visit.state not in EDITABLE:
        outcome = Outcome.LATE
    made_at = min(moment_of(change.made_at) + offset, at)
    visit.revision += 1
    row = VisitChange(
        id=change.id,
        visit=visit,
        entry_id=change.entry,
        kind=change.kind,
        payload=payload,
        is_removal=change.removed,
        base_revision=change.base,
        revision=entry.revision if entry is not None else 0,
        visit_revision=visit.revision,
        outcome=outcome,
        made_at=made_at,
        received_at=at,
        by=by.account_id,
        by_name=by.name[:120],
        device=sent.device,
        **{name: getattr(visit, name) for name in SCOPE},
    )
    if outcome == Outcome.APPLIED:
        entries[change.entry] = entry = _write(visit, row, entry)
        _lay_over(visit, [payload])
    elif outcome == Outcome.SAME and entry is not None and made_at < entry.made_at:
        entry.made_at = made_at  # the phone that was there first may send last
        entry.save(update_fields=["made_at"])
    if entry is not None:
        row.revision = entry.revision
    row.save(force_insert=True)
    before[row.pk] = row
    if change.settles and outcome in (Outcome.APPLIED, Outcome.SAME):
        VisitChange.objects.filter(
            pk__in=change.settles, visit=visit, entry_id=change.entry, outcome__in=(Outcome.CONFLICT, Outcome.LATE)
        ).update(outcome=Outcome.SETTLED, visit_revision=visit.revision)
    return Answered(outcome, row.revision)


def _taken(name: str) -> Refused:
    return Refused(
        "id_taken",
        _("This id belongs to something else."),
        remedy=_("Record it once more; the app makes a new id."),
        field=name,
        status=409,
    )


def read_payload(kind: str, payload: Any) -> dict[str, Any]:
    """The content of an entry in its one form, or a refusal that names the field."""
    try:
        read = msgspec.convert(payload, type=PAYLOADS[kind], strict=False)
    except msgspec.ValidationError as problem:
        text, _at, where = str(problem).partition(" - at `$.")
        raise Refused(
            "entry_unreadable",
            _("This cannot be read: %(problem)s"),
            remedy=_("Open it, correct the field and save it again."),
            field=where.rstrip("`") or kind.lower(),
            values={"problem": text[:160]},
        ) from None
    content: dict[str, Any] = msgspec.to_builtins(read)
    if "\\u0000" in msgspec.json.encode(content).decode():
        raise Refused(
            "forbidden_character",
            _("The text contains a NUL character."),
            remedy=_("Remove the character."),
            field=kind.lower(),
        )
    return content


def _write(visit: Visit, change: VisitChange, entry: VisitEntry | None) -> VisitEntry:
    """Make a change the present state of its entry."""
    if entry is None:
        entry = VisitEntry(
            id=change.entry_id,
            visit=visit,
            kind=change.kind,
            revision=0,
            made_at=change.made_at,
            **{name: getattr(visit, name) for name in SCOPE},
        )
    entry.payload, entry.is_removed = change.payload, change.is_removal
    entry.revision += 1
    entry.visit_revision = visit.revision
    entry.changed_by, entry.changed_by_name, entry.device = change.by, change.by_name, change.device
    entry.save()
    return entry


def _lay_over(visit: Visit, payloads: Iterable[Mapping[str, Any]]) -> None:
    """Keep with each photo what its entry says is drawn over it."""
    lay_over(visit.pk, {UUID(str(each["file"])): each["strokes"] for said in payloads for each in photos_of(said)})


def moment_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(
            "bad_moment", _("This is no point in time."), remedy=_("Check the device's clock."), field="made_at"
        ) from None


def summarise(visit: Visit) -> None:
    """Write into the visit what its entries say."""
    entries = list(visit.entries.filter(is_removed=False).order_by("made_at", "pk"))
    starts = [each for each in entries if each.kind == EntryKind.START]
    ends = [each for each in entries if each.kind == EntryKind.END]
    visit.started_at = starts[0].made_at if starts else None
    visit.ended_at = max(ends[-1].made_at, visit.started_at or ends[-1].made_at) if ends else None
    places = [each.payload["position"] for each in starts if has_place(each.payload)]
    place = min(places, key=lambda each: each.get("accuracy") or 1e6) if places else {}
    visit.lon = _degrees(place.get("lon"))
    visit.lat = _degrees(place.get("lat"))
    accuracy = place.get("accuracy")
    visit.accuracy = min(round(accuracy), 1_000_000) if accuracy is not None else None
    refusals = [each.payload["position"].get("refused", "") for each in starts]
    visit.position_refused = "" if places or not refusals else refusals[0][:60]
    visit.findings = min(sum(each.kind == EntryKind.FINDING for each in entries), 30_000)
    visit.photos = min(sum(len(photos_of(each.payload)) for each in entries), 30_000)
    visit.nil_findings = any(each.kind == EntryKind.NIL for each in entries)
    visit.versions_open = visit.changes.filter(outcome__in=(Outcome.CONFLICT, Outcome.LATE)).count()
    if visit.state in (VisitState.OPEN, VisitState.FINISHED):
        visit.state = VisitState.FINISHED if ends else VisitState.OPEN
    visit.save()
    if visit.order_id and visit.started_at:
        begin_order(visit.order_id)


def _degrees(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(round(value, 6)))


@action(Permission.RECORD_VISITS, "visit.version_picked")
def pick_version(version: VisitChange, *, by: Actor, at: datetime, take: bool) -> Visit:
    """A person decides about a version that was kept beside the present one. Taken after the visit was
    submitted, it returns the visit, which is then submitted again."""
    with widened(EVERYTHING):
        visit = Visit.objects.select_for_update().get(pk=version.visit_id)
        version = VisitChange.objects.select_for_update().get(pk=version.pk)
        if version.outcome not in (Outcome.CONFLICT, Outcome.LATE):
            raise Refused(
                "version_settled",
                _("Somebody has decided about this version."),
                remedy=_("Reload the page."),
                status=409,
            )
        visit.revision += 1
        if take:
            entry = VisitEntry.objects.select_for_update().filter(pk=version.entry_id).first()
            version.revision = _write(visit, version, entry).revision
            _lay_over(visit, [version.payload])
            if visit.state not in EDITABLE:
                VISIT.move(visit, "return", return_reason=str(_("Something recorded in time came in late.")))
        version.outcome, version.visit_revision = Outcome.SETTLED, visit.revision
        version.save(update_fields=["outcome", "revision", "visit_revision"])
        summarise(visit)
    return visit


# photos ---------------------------------------------------------------------------------------------------

LONGEST = timedelta(hours=12)  # how long after its beginning a visit that has no end yet may still go on


def _evidence_of(visit_id: UUID, by: Actor, at: datetime) -> Subject | None:
    """A visit as the evidence room sees it. What was photographed may always arrive, also after the submission."""
    visit = Visit.objects.filter(pk=visit_id).first()
    if visit is None:
        return None
    with widened(EVERYTHING):
        enterprise = Enterprise.objects.get(pk=visit.enterprise_id)
    window = (visit.started_at, visit.ended_at or visit.started_at + LONGEST) if visit.started_at else None
    placed = enterprise.lon is not None and enterprise.lat is not None
    return Subject(
        kind="visit",
        id=visit.pk,
        title=visit.visit_no,
        url=reverse("visit", args=[visit.pk]),
        region_code=visit.region_code,
        sector=visit.sector,
        insurer_id=visit.insurer_id,
        agency_id=visit.agency_id,
        enterprise_id=visit.enterprise_id,
        expert_id=by.scope.expert_id or visit.expert_id,
        may_add=by.may(Permission.RECORD_VISITS),
        window=window,
        site=Site(float(enterprise.lon or 0), float(enterprise.lat or 0)) if placed else None,
    )


register_subject("visit", _("Visit"), _evidence_of)


# submitting -----------------------------------------------------------------------------------------------


def contents_of(visit: Visit) -> Contents:
    entries = visit.entries.filter(is_removed=False).order_by("made_at", "pk").values_list("kind", "payload")
    return Contents(
        service_type=visit.service_type,
        entries=tuple(entries),
        versions_open=visit.changes.filter(outcome__in=(Outcome.CONFLICT, Outcome.LATE)).count(),
        photos_here=photos_here(visit),
    )


def photos_here(visit: Visit) -> frozenset[str] | None:
    """Digests of the photos that have arrived, as photos: only those were compared with all others."""
    with widened(EVERYTHING):
        here = Media.objects.filter(subject=visit.pk, subject_kind="visit", kind=MediaKind.PHOTO, voided_at=None)
        return frozenset(here.values_list("original__sha256", flat=True))


def missing_of(visit: Visit) -> list[Missing]:
    return missing_from(contents_of(visit))


@action(Permission.RECORD_VISITS, "visit.submitted")
def submit_visit(visit: Visit, *, by: Actor, at: datetime) -> Visit:
    """Say that a visit is complete. Submitted twice it stays submitted once."""
    with widened(EVERYTHING):
        visit = Visit.objects.select_for_update().get(pk=visit.pk)
        if visit.state not in EDITABLE:
            return visit
        hard = [each for each in missing_of(visit) if each.is_hard]
        if hard:
            raise Refused("visit_incomplete", hard[0].message, remedy=hard[0].remedy, field=hard[0].code)
        VISIT.move(visit, "submit", submitted_at=at, problems=[], return_reason="")
        # a photo may have come in after the entry that says what is drawn over it
        _lay_over(visit, visit.entries.filter(is_removed=False).values_list("payload", flat=True))
    return visit


def keep_problems(visit: Visit, problems: list[dict[str, Any]]) -> None:
    """What stood in the way of putting a submitted visit on file."""
    visit.problems = problems
    visit.save(update_fields=["problems"])


def put_on_file(visit: Visit, service: Service, at: datetime) -> None:
    VISIT.move(visit, "deliver", service=service, delivered_at=at, problems=[])
    if visit.order_id:
        finish_order(visit.order_id, service=service, at=at)


@action(Permission.RECORD_VISITS, "visit.returned")
def return_visit(visit: Visit, *, by: Actor, at: datetime, reason: str) -> Visit:
    """The quality check gives a visit back, with what is to be corrected."""
    if not reason.strip():
        raise Refused(
            "reason_missing",
            _("A visit is not returned without a reason."),
            remedy=_("Say what is to be corrected."),
            field="reason",
        )
    if not (by.scope.insurer_id or by.scope.reader == "anze_all"):
        raise Refused(
            "not_yours_to_return",
            _("Visits are returned by the insurer or the committee."),
            remedy=_("Ask the insurer."),
            status=403,
        )
    with widened(EVERYTHING):
        VISIT.move(visit, "return", return_reason=reason.strip()[:300])
    return visit

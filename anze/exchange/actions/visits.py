"""A submitted visit becomes a service record and hazards, in the insurer's name and through the feeds' own checks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from anze.exchange.actions.batches import process_batch, receive_batch
from anze.exchange.entry import content_of
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch
from anze.hazards.actions import close_hazard, return_rectification
from anze.hazards.models import Hazard
from anze.hazards.rules import HazardState, VerifierKind, is_supervised
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import BEIJING, beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise, Organisation, Qualification
from anze.parties.rules import Permission, QualificationKind
from anze.prevention.actions import keep_problems, put_on_file
from anze.prevention.models import Order, Plan, Service, Visit
from anze.prevention.rules import EntryKind, PersonKind, RecheckResult, StandardEdition, VisitState
from anze.prevention.rules.visits import SERVING, has_place, photos_of
from anze.underwriting.models import Policy

NDJSON = "application/x-ndjson"
# the area whose positions the service records take; one measured elsewhere stays with the visit
AREA = (114, 123, 34, 39)


@action(Permission.RECORD_VISITS, "visit.delivered")
def deliver_visit(visit: Visit, *, by: Actor, at: datetime) -> Visit:
    """Put a submitted visit on file, once: all of it in the present transaction, or nothing.

    What a check refuses leaves no row behind; the visit then says what was found and what to do.
    """
    with widened(EVERYTHING):
        visit = Visit.objects.select_for_update().get(pk=visit.pk)
        if visit.state != VisitState.SUBMITTED:
            return visit
        # in the insurer's name, whoever recorded it
        sender_name = replace(by, scope=EVERYTHING, permissions=by.permissions | {Permission.ENTER_DATA})
        savepoint = transaction.savepoint()
        problems: list[dict[str, Any]] = []
        _take_rechecks(visit, by=by, at=at)
        for name, rows in (("services", [service_row(visit)]), ("hazards", hazard_rows(visit))):
            if rows and not problems:
                batch = _send(visit, FEEDS[name], rows, by=sender_name, at=at)
                problems = [
                    {"feed": name, "field": each.field, "code": each.code, "values": each.values}
                    for each in batch.findings.order_by("row", "id")
                ]
        if problems:
            transaction.savepoint_rollback(savepoint)
            keep_problems(visit, problems)
            return visit
        transaction.savepoint_commit(savepoint)
        service = Service.objects.get(insurer_id=visit.insurer_id, service_no=visit.visit_no)
        put_on_file(visit, service, at)
    return visit


def _send(visit: Visit, feed: Feed, rows: Iterable[dict[str, Any]], *, by: Actor, at: datetime) -> Batch:
    assert visit.submitted_at is not None
    sender = Organisation.objects.get(pk=visit.insurer_id)
    batch, is_new = receive_batch(
        sender,
        by=by,
        at=at,
        feed=feed,
        channel=Channel.PHONE,
        body=b"\n".join(msgspec.json.encode(row) for row in rows),
        content_type=NDJSON,
        # submitted again after a correction it is another delivery
        idempotency_key=f"visit {visit.pk} {visit.submitted_at.isoformat()}",
    )
    if is_new:
        process_batch(batch, at=at)
    return batch


# rows of the feeds ----------------------------------------------------------------------------------------


def _entries(visit: Visit, kind: str) -> list[dict[str, Any]]:
    found = visit.entries.filter(kind=kind, is_removed=False).order_by("made_at", "pk")
    return list(found.values_list("payload", flat=True))


def service_row(visit: Visit) -> dict[str, Any]:
    """The visit in the terms of the service records' feed. What came after it, a call or an opinion, is kept."""
    assert visit.started_at is not None
    assert visit.ended_at is not None
    policy = Policy.objects.get(pk=visit.policy_id)
    order = Order.objects.filter(visit=visit).select_related("plan_item__plan").first()
    plan = order.plan_item.plan if order and order.plan_item else None
    agency = Organisation.objects.get(pk=visit.agency_id) if visit.agency_id else None
    enterprise = Enterprise.objects.get(pk=visit.enterprise_id)
    known = Service.objects.filter(insurer_id=visit.insurer_id, service_no=visit.visit_no).first()
    row: dict[str, Any] = _kept(FEEDS["services"], known)
    persons = _entries(visit, EntryKind.PERSON)
    photos = [
        photo for payload in visit.entries.filter(is_removed=False).values_list("payload", flat=True)
        for photo in photos_of(payload)
    ]  # fmt: skip
    row |= {
        "service_no": visit.visit_no,
        "policy_no": policy.policy_no,
        "service_type": visit.service_type,
        "form": visit.form,
        "edition": plan.edition if plan else _edition(policy),
        "started_at": visit.started_at.astimezone(BEIJING).isoformat(),
        "ended_at": visit.ended_at.astimezone(BEIJING).isoformat(),
        "entered_at": visit.ended_at.astimezone(BEIJING).isoformat(),
        "place": enterprise.address or enterprise.name,
        "attendees": sum(each["role"] not in SERVING for each in persons),
        "topics": "；".join(each["text"] for each in _entries(visit, EntryKind.NOTE))[:300],
        "photo_count": sum(has_place(each) for each in photos),
        "has_service_mark": any(photos_of(each) for each in _entries(visit, EntryKind.MARK)),
        "nil_findings": visit.nil_findings,
        "hazards_found": visit.findings,
        "planned_cost": str(order.price) if order else "0.00",
        "persons": _persons(persons, beijing_day(visit.started_at)),
    }
    row.setdefault("paid_cost", "0.00")
    if agency is not None:
        row["agency_code"] = agency.code
    if plan is not None and order is not None and order.plan_item is not None:
        row |= {"plan_no": plan.plan_no, "plan_item_seq": order.plan_item.seq}
    west, east, south, north = AREA
    if visit.lon is not None and visit.lat is not None and west <= visit.lon <= east and south <= visit.lat <= north:
        row |= {"lon": str(visit.lon), "lat": str(visit.lat)}
    signed = [each for each in _entries(visit, EntryKind.SIGNATURE) if each["of"] == "ENTERPRISE"]
    if signed:
        row |= {
            "confirmation": "SIGNATURE",
            "confirmed_by": signed[-1]["name"],
            "confirmed_on": beijing_day(visit.ended_at).isoformat(),
        }
    row.setdefault("confirmation", "NONE")
    return row


def _edition(policy: Policy) -> str:
    """The edition agreed in the newest plan of the policy, else the one in force for so long."""
    newest = Plan.objects.filter(policy_id=policy.pk).order_by("-agreed_on").values_list("edition", flat=True).first()
    return newest or StandardEdition.AQ9010_2019.value


def _kept(feed: Feed, row: Any) -> dict[str, Any]:
    """A record on file in the feed's terms, so that sending it again changes only what the visit says."""
    if row is None:
        return {}
    content = content_of(feed, row)
    return {name: value for name, value in content.items() if value not in (None, "", [])}


CERTIFICATES = (QualificationKind.SAFETY_ENGINEER, QualificationKind.SENIOR_TITLE, QualificationKind.SECTOR_EXPERT)


def _persons(persons: list[dict[str, Any]], on: Any) -> list[dict[str, Any]]:
    """Those who served, each with the certificate that was valid on the day."""
    numbers = {each["expert_number"] for each in persons if each.get("expert_number")}
    valid: dict[str, Qualification] = {}
    held = Qualification.objects.filter(
        expert__number__in=numbers, kind__in=CERTIFICATES, valid_from__lte=on, valid_to__gte=on
    )
    for certificate in held.select_related("expert").order_by("valid_to"):
        if certificate.expert is not None:
            valid[certificate.expert.number] = certificate
    rows = []
    for each in persons:
        if each["role"] not in PersonKind.values:
            continue
        row = {"kind": each["role"], "name": each["name"]}
        if each.get("expert_number"):
            row["expert_number"] = each["expert_number"]
        found = valid.get(each.get("expert_number", ""))
        if found is not None:
            row |= {"certificate_no": found.number, "certificate_valid_to": found.valid_to.isoformat()}
        elif each.get("certificate_no"):
            row["certificate_no"] = each["certificate_no"]
        rows.append(row)
    return rows


def hazard_rows(visit: Visit) -> list[dict[str, Any]]:
    """What was found, and earlier hazards that were found rectified."""
    assert visit.started_at is not None
    feed = FEEDS["hazards"]
    on = beijing_day(visit.started_at).isoformat()
    uscc = Enterprise.objects.values_list("uscc", flat=True).get(pk=visit.enterprise_id)
    signed = any(each["of"] == "ENTERPRISE" for each in _entries(visit, EntryKind.SIGNATURE))
    found = list(visit.entries.filter(kind=EntryKind.FINDING).order_by("made_at", "pk"))
    rechecked = {UUID(each["hazard"]): each for each in _entries(visit, EntryKind.RECHECK)}
    numbers = {each.pk: f"{visit.visit_no}-{each.pk.hex[-6:].upper()}" for each in found}
    known = {
        each.hazard_no: each
        for each in Hazard.objects.filter(insurer_id=visit.insurer_id, hazard_no__in=numbers.values())
    }
    rows = []
    for each in found:
        number = numbers[each.pk]
        on_file = known.get(number)
        if each.is_removed:
            if on_file is not None:
                rows.append(_kept(feed, on_file) | {"is_void": True, "void_reason": "现场记录更正"})
            continue
        said = each.payload
        row = _kept(feed, on_file) | {
            "hazard_no": number,
            "insured_uscc": uscc,
            "source": "SERVICE",
            "service_no": visit.visit_no,
            "hazard_class": said["hazard_class"],
            "criterion_code": said.get("criterion_code", ""),
            "entry_code": said.get("library_code", ""),
            "found_on": on,
            "location": said.get("location", ""),
            "description": said["description"],
            "advice": said.get("advice", ""),
            "deadline_on": said["deadline_on"],
            "notified_principal": bool(said.get("notified_principal")),
        }
        if on_file is None:
            # the enterprise that signed has been told in writing
            row["state"] = (HazardState.NOTIFIED if signed else HazardState.FOUND).value
            if signed:
                row["notified_on"] = on
        rows.append(row)
    rows += _rectified(visit, rechecked, on)
    return rows


def _take_rechecks(visit: Visit, *, by: Actor, at: datetime) -> None:
    """Hazards whose rectification waits for somebody to look: closed or given back, as from their own page.

    The others, of which the enterprise has not said that they are done, go the way of every report of the insurer.
    """
    said = {UUID(each["hazard"]): each for each in _entries(visit, EntryKind.RECHECK)}
    for hazard in Hazard.objects.filter(
        pk__in=said, insurer_id=visit.insurer_id, enterprise_id=visit.enterprise_id, state=HazardState.SUBMITTED
    ).order_by("pk"):
        answer = said[hazard.pk]
        words = answer.get("note") or str(RecheckResult(answer["result"]).label)
        with suppress(Refused):  # somebody else's to decide: the answer stays with the visit
            if answer["result"] == RecheckResult.RECTIFIED:
                close_hazard(hazard, by=by, at=at, words=words)
            else:
                return_rectification(hazard, by=by, at=at, words=words)


def _rectified(visit: Visit, rechecked: dict[UUID, dict[str, Any]], on: str) -> list[dict[str, Any]]:
    """Earlier hazards of the same insurer at the same enterprise that were found rectified: verified and closed."""
    closed = []
    for hazard in Hazard.objects.filter(
        pk__in=rechecked, insurer_id=visit.insurer_id, enterprise_id=visit.enterprise_id, is_void=False
    ).exclude(state__in=(HazardState.CLOSED, HazardState.SHUT_DOWN)):
        if is_supervised(hazard) or hazard.stopped_on is not None:
            continue  # an authority closes it; the visit must not be refused for it
        if rechecked[hazard.pk]["result"] != RecheckResult.RECTIFIED:
            continue
        row = _kept(FEEDS["hazards"], hazard)
        row |= {
            "state": HazardState.CLOSED.value,
            "verified_on": on,
            "closed_on": on,
            "verifier": (VerifierKind.AGENCY if visit.agency_id else VerifierKind.INSURER).value,
        }
        row.setdefault("rectified_on", on)
        closed.append(row)
    return closed

"""Photos of recent services and hazards, before and after, and a few that were used twice.

They come in through the evidence room's own intake, one by one, so their number is bounded whatever the scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from django.db.models import Q

from anze.evidence.actions import arrived, receive_media, subject_of
from anze.evidence.rules import MediaRole
from anze.exchange.synthetic.calendar import BEIJING
from anze.exchange.synthetic.scenes import KINDS, Scene, draw, kind_for, photograph, used_again
from anze.exchange.synthetic.streams import stream
from anze.exchange.synthetic.words import person
from anze.hazards.models import Hazard
from anze.kernel.actor import Actor, platform
from anze.parties.models import Enterprise, Membership
from anze.parties.rules import Permission, Role
from anze.prevention.models import Service

MOST_HAZARDS, LEAST_HAZARDS = 44, 20
SERVICES_A_HAZARD = 100  # in a small province fewer are photographed
BACK = timedelta(days=100)
REPORTED = 4
SITE_PHOTOS = 2  # of each service
REUSED = ("brighter", "cropped", "smaller", "mirrored", "unchanged")
AFTER_IS_BEFORE = "after is before"
_REUSED_ROLE = {"cropped": MediaRole.SITE, "smaller": MediaRole.HAZARD}


@dataclass(eq=False)
class Shot:
    """One photograph: what of, for which record, when taken and when it arrived. `again`: it is an earlier one."""

    record: Service | Hazard
    role: MediaRole
    scene: Scene
    taken_at: datetime
    by_name: str
    expert_id: Any
    again: tuple[Shot, str] | None = None
    tells_nothing: bool = False
    arrived_at: datetime | None = None

    @property
    def number(self) -> str:
        return self.record.hazard_no if isinstance(self.record, Hazard) else self.record.service_no

    @property
    def file_name(self) -> str:
        return f"IMG_{self.taken_at.astimezone(BEIJING):%Y%m%d_%H%M%S}.jpg"

    @property
    def received_at(self) -> datetime:
        return self.arrived_at or self.taken_at + timedelta(minutes=3)


def show_photos(seed: int, at: datetime) -> dict[str, list[dict[str, object]]]:
    """Take the photos of the demonstration in, and say what was planted among them; the scope must be everything.

    Done before, it changes nothing: every photo has a number of its own.
    """
    hazards = _pictured()
    shots = [shot for hazard in hazards for shot in _shots(hazard, seed)]
    services = {each.service.pk: each.service for each in hazards if each.service is not None}
    services |= {each.pk: each for each in _of_enterprises()}
    shots += [shot for service in services.values() for shot in _on_site(service, seed)]
    shots = [each for each in shots if each.received_at <= at]
    shots.sort(key=lambda each: (each.received_at, each.number, each.role))
    planted = _plant(shots)
    places = Enterprise.objects.in_bulk({each.record.enterprise_id for each in shots})
    for shot in shots:
        _keep(shot, places[shot.record.enterprise_id], seed, at)
    return planted


def _pictured() -> list[Hazard]:
    """Recent hazards found by services: of everybody people sign in as in turn, then of all others."""
    most = min(MOST_HAZARDS, max(LEAST_HAZARDS, Service.objects.count() // SERVICES_A_HAZARD))
    last = Hazard.objects.order_by("-found_on").values_list("found_on", flat=True).first()
    if last is None:
        return []
    recent = (
        Hazard.objects.filter(source="SERVICE", found_on__gt=last - BACK, is_void=False, service__isnull=False)
        .select_related("service__insurer", "insurer")
        .order_by("-found_on", "insurer__code", "hazard_no")
    )
    ways = [iter(recent.filter(own)[:most]) for own in _of_people()]
    ways += [iter(recent.filter(rectified_on__isnull=False)[: 3 * most]), iter(recent[: 3 * most])]
    chosen: dict[Any, Hazard] = {}
    while ways and len(chosen) < most:
        for way in list(ways):
            found = next((each for each in way if each.pk not in chosen), None)
            if found is None:
                ways.remove(way)
            elif len(chosen) < most:
                chosen[found.pk] = found
    return list(chosen.values())


def _of_enterprises() -> list[Service]:
    """The last services at the enterprise people sign in as: their reports are issued with photos."""
    own = Membership.objects.filter(role=Role.ENTERPRISE).values("enterprise_id")
    found = Service.objects.filter(enterprise_id__in=own, is_void=False).select_related("insurer")
    return list(found.order_by("-performed_on", "service_no")[:REPORTED])


def _of_people() -> Iterator[Q]:
    for each in Membership.objects.select_related("organisation").order_by("account__username"):
        if each.role == Role.ENTERPRISE:
            yield Q(enterprise_id=each.enterprise_id)
        elif each.role == Role.EXPERT:
            yield Q(service__persons__expert_id=each.expert_id)
        elif each.role == Role.AGENCY:
            yield Q(agency_id=each.organisation_id)
        elif each.role in (Role.INSURER_MANAGER, Role.INSURER_CLERK):
            yield Q(insurer_id=each.organisation_id)
        elif each.role == Role.COUNTY_REGULATOR and each.organisation:
            yield Q(region_code=each.organisation.region_id)
        elif each.role == Role.SECTOR_DEPARTMENT:
            yield Q(sector=each.sector)


def _shots(hazard: Hazard, seed: int) -> Iterator[Shot]:
    """The hazard as it was found and, where it is rectified, as it is since."""
    service, random = hazard.service, stream(seed, "photo", hazard.hazard_no)
    assert service is not None
    kind = kind_for(hazard.description, random)
    leader = service.persons.order_by("seq").first()
    name, expert = (leader.name, leader.expert_id) if leader else ("", None)
    within = (service.ended_at - service.started_at) * random.uniform(0.3, 0.9)
    found = service.started_at + within if hazard.found_on == service.performed_on else _hour(hazard.found_on, random)
    yield Shot(hazard, MediaRole.HAZARD, Scene(seed, hazard.hazard_no, kind, is_bad=True), found, name, expert)
    if hazard.rectified_on is not None:
        since = Scene(seed, hazard.hazard_no, kind, is_bad=False, view=1)
        later = max(_hour(hazard.rectified_on, random), found + timedelta(hours=2))
        yield Shot(hazard, MediaRole.RECTIFIED, since, later, person(random), expert)


def _hour(day: Any, random: Any) -> datetime:
    return datetime.combine(day, time(random.randint(9, 16), random.randint(0, 59), random.randint(0, 59)), BEIJING)


def _on_site(service: Service, seed: int) -> Iterator[Shot]:
    random = stream(seed, "photo", service.service_no)
    leader = service.persons.order_by("seq").first()
    name, expert = (leader.name, leader.expert_id) if leader else ("", None)
    lasted = service.ended_at - service.started_at
    for n in range(SITE_PHOTOS):
        scene = Scene(seed, f"{service.service_no} {n}", random.choice(KINDS), is_bad=random.random() < 0.2)
        taken = service.started_at + lasted * random.uniform(0.05 + 0.4 * n, 0.4 + 0.4 * n)
        yield Shot(service, MediaRole.SITE, scene, taken, name, expert)


def _plant(shots: list[Shot]) -> dict[str, list[dict[str, object]]]:
    """Some photos become others that were there before; a few say too little or arrive too late."""
    used: set[Any] = set()  # services and hazards: each is in one story at most
    reused = [
        (*pair, how)
        for how in REUSED
        if (pair := _pair(shots, used, other_insurer=how != "unchanged", role=_REUSED_ROLE.get(how)))
    ]
    found = {each.record: each for each in shots if each.role == MediaRole.HAZARD}
    for after in shots:
        before = found.get(after.record)
        if after.role == MediaRole.RECTIFIED and before is not None and after.record not in used:
            used.add(after.record)
            reused.append((before, after, AFTER_IS_BEFORE))
            break
    for first, second, how in reused:
        second.again = (first, how)
    odd = []
    free = [each for each in shots if each.role == MediaRole.SITE and each.record not in used]
    for shot, is_late in zip(free[-2:], (True, False), strict=False):
        if is_late:
            shot.arrived_at = shot.received_at
            shot.taken_at -= timedelta(days=3)
        else:
            shot.tells_nothing = True
        odd.append(
            {**_named(shot), "what": "taken three days before the service" if is_late else "neither time nor device"}
        )
    return {
        "reused_photos": [
            {"how": how, "earlier": _named(first), "again": _named(second)} for first, second, how in reused
        ],
        "implausible_photos": odd,
    }


def _pair(
    shots: list[Shot], used: set[Any], *, other_insurer: bool, role: MediaRole | None
) -> tuple[Shot, Shot] | None:
    """The last photo that can be an earlier one of another enterprise, and that one; enterprises that are in no
    story yet first."""
    places = {each.enterprise_id for each in used}
    free = [each for each in shots if each.record not in used and each.role != MediaRole.RECTIFIED]
    fresh = [each for each in free if each.record.enterprise_id not in places]
    for offered in (fresh, free):
        for n, second in reversed(list(enumerate(offered))):
            for first in offered[:n]:
                is_other = first.record.insurer_id != second.record.insurer_id
                if (
                    first.role == second.role == (role or second.role)
                    and first.record.enterprise_id != second.record.enterprise_id
                    and is_other == other_insurer
                ):
                    used |= {first.record, second.record}
                    return first, second
    return None


def _named(shot: Shot) -> dict[str, object]:
    return {
        "insurer": shot.record.insurer.code,
        "hazard_no" if isinstance(shot.record, Hazard) else "service_no": shot.number,
        "file": shot.file_name,
    }


def _keep(shot: Shot, enterprise: Enterprise, seed: int, at: datetime) -> None:
    source, how = shot.again or (shot, "")
    image, corners = draw(source.scene)
    if how == "unchanged":
        content = photograph(image, source.taken_at)
    elif how:
        content = photograph(used_again(image, how), shot.taken_at, quality=70)
    else:
        content = photograph(image, None if shot.tells_nothing else shot.taken_at)
    kind = "hazard" if isinstance(shot.record, Hazard) else "service"
    by: Actor = replace(platform(frozenset({Permission.ADD_EVIDENCE})), name=shot.by_name)
    # what came in while the hazard was open is told here when it may long be closed
    subject = replace(subject_of(kind, shot.record.pk, by, at), may_add=True, expert_id=shot.expert_id)
    random = stream(seed, "photo place", shot.number, shot.scene.place, shot.role)
    placed = enterprise.lon is not None and enterprise.lat is not None and not shot.tells_nothing
    marked = shot.role == MediaRole.HAZARD and not how
    receive_media(
        subject, by=by, at=at, content=arrived(content), role=shot.role, file_name=shot.file_name,
        client_id=uuid5(NAMESPACE_OID, f"{seed} {kind} {shot.record.pk} {shot.role} {shot.scene.place}"),
        captured_at=None if shot.tells_nothing else shot.taken_at,
        lon=float(enterprise.lon or 0) + random.uniform(-6e-4, 6e-4) if placed else None,
        lat=float(enterprise.lat or 0) + random.uniform(-6e-4, 6e-4) if placed else None,
        accuracy_m=random.randint(6, 30) if placed else None,
        annotation={"shapes": [{"kind": "box", "points": corners}]} if marked else None,
        clock_offset_s=0, received_at=shot.received_at,
    )  # fmt: skip

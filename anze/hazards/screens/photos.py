"""Photos of a hazard: before and after, and how they come in with a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import shapes_over
from anze.evidence.models import Media
from anze.evidence.rules import MediaKind, MediaRole, Subject, register_subject
from anze.evidence.screens.forms import MOST, files_taken
from anze.hazards.models import Hazard, OwnFinding
from anze.hazards.rules import ENDED, HazardSource
from anze.kernel.actor import Actor
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, widened
from anze.prevention.models import VisitEntry
from anze.prevention.rules import EntryKind
from anze.prevention.rules.visits import photos_of as photos_in
from anze.screen.columns import readers_of
from anze.screen.pages import moment

# what a photo sent with a step shows
ROLE_OF = {"submit": MediaRole.RECTIFIED, "close": MediaRole.RECTIFIED}


def _find(key: UUID, by: Actor, at: datetime) -> Subject | None:
    if by.scope.reader not in readers_of(Hazard):
        return None
    hazard = Hazard.objects.filter(pk=key).first()
    if hazard is None:
        return None
    return Subject(
        kind="hazard",
        id=hazard.pk,
        title=f"{hazard.hazard_no} {hazard.description[:40]}",
        url=reverse("hazard", args=[hazard.pk]),
        region_code=hazard.region_code,
        sector=hazard.sector,
        insurer_id=hazard.insurer_id,
        agency_id=hazard.agency_id,
        enterprise_id=hazard.enterprise_id,
        expert_id=by.scope.expert_id,
        may_add=hazard.state not in ENDED and not hazard.is_void,
        why_not=_("The hazard is closed."),
    )


register_subject("hazard", _("Hazard"), _find)


def take_photos(request: HttpRequest, hazard: Hazard, step: str, by: Actor) -> list[UUID]:
    """Keep the photos that came with the form of a step; call it in the transaction of the step."""
    return photos_taken(request, "hazard", hazard.pk, ROLE_OF.get(step, MediaRole.HAZARD), by)


def photos_taken(request: HttpRequest, kind: str, key: UUID, role: MediaRole, by: Actor) -> list[UUID]:
    return files_taken(request, "photos", kind, key, role, by, MediaKind.PHOTO)


@dataclass(frozen=True)
class Photo:
    media: Media
    when: str
    shapes: list[dict[str, Any]]  # what was drawn over it


def before_and_after(hazard: Hazard) -> tuple[list[Photo], list[Photo]]:
    """Photos of the hazard as found, those of the visit that found it included, and after rectification."""
    subjects = [hazard.pk]
    if hazard.source == HazardSource.SELF_CHECK:
        subjects += OwnFinding.objects.filter(hazard=hazard).values_list("pk", flat=True)
    rows = list(
        Media.objects.filter(subject__in=subjects, kind=MediaKind.PHOTO, voided_at=None)
        .select_related("original")
        .order_by("received_at")
    )
    rows += _of_visits(hazard)
    after = [row for row in rows if row.role == MediaRole.RECTIFIED]
    before = [row for row in rows if row.role != MediaRole.RECTIFIED]
    return _photos(before), _photos(after)


def _of_visits(hazard: Hazard) -> list[Media]:
    """What was photographed on site: with the finding, and when a later visit looked at the hazard again. Photos of a
    phone belong to the visit; its entries name them. The reader sees those photos that are in his scope."""
    with widened(EVERYTHING):
        entries = VisitEntry.objects.filter(visit__enterprise_id=hazard.enterprise_id, is_removed=False)
        told = list(
            entries.filter(kind=EntryKind.RECHECK, payload__hazard=str(hazard.pk)).values_list("payload", flat=True)
        )
        visit_no, dash, mark = hazard.hazard_no.rpartition("-")
        if hazard.channel == Channel.PHONE and dash:
            findings = entries.filter(visit__visit_no=visit_no, kind=EntryKind.FINDING)
            told += [said for key, said in findings.values_list("pk", "payload") if key.hex[-6:].upper() == mark]
    files = [each["file"] for payload in told for each in photos_in(payload)]
    if not files:
        return []
    found = Media.objects.filter(client_id__in=files, kind=MediaKind.PHOTO, voided_at=None)
    return list(found.select_related("original").order_by("received_at"))


def photos_of(subject: UUID) -> list[Photo]:
    rows = Media.objects.filter(subject=subject, kind=MediaKind.PHOTO, voided_at=None).order_by("received_at")
    return _photos(list(rows[:MOST]))


def _photos(rows: Sequence[Media]) -> list[Photo]:
    return [Photo(row, moment(row.captured_at or row.received_at), shapes_over(row)) for row in rows[:MOST]]


def shown(request: HttpRequest, hazard: Hazard) -> dict[str, Any]:
    if request.actor.scope.reader not in readers_of(Media):  # type: ignore[attr-defined]
        return {"before": [], "after": []}
    before, after = before_and_after(hazard)
    return {"before": before, "after": after}

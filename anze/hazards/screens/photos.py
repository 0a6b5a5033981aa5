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

from anze.evidence.models import Media
from anze.evidence.rules import MediaKind, MediaRole, Subject, register_subject
from anze.evidence.screens.forms import MOST, files_taken
from anze.hazards.models import Hazard, OwnFinding
from anze.hazards.rules import ENDED, HazardSource
from anze.kernel.actor import Actor
from anze.kernel.rules import Channel
from anze.prevention.models import Visit
from anze.screen.columns import moment_text, readers_of

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
    rows += _of_visit(hazard)
    after = [row for row in rows if row.role == MediaRole.RECTIFIED]
    before = [row for row in rows if row.role != MediaRole.RECTIFIED]
    return _photos(before), _photos(after)


def _of_visit(hazard: Hazard) -> list[Media]:
    """A finding recorded on a phone has its photos under the visit; the hazard's number names both."""
    visit_no, dash, mark = hazard.hazard_no.rpartition("-")
    if hazard.channel != Channel.PHONE or not dash:
        return []
    visit = Visit.objects.filter(visit_no=visit_no).values_list("pk", flat=True).first()
    if visit is None:
        return []
    found = Media.objects.filter(subject=visit, kind=MediaKind.PHOTO, voided_at=None).select_related("original")
    return [each for each in found if each.part is not None and each.part.hex[-6:].upper() == mark]


def photos_of(subject: UUID) -> list[Photo]:
    rows = Media.objects.filter(subject=subject, kind=MediaKind.PHOTO, voided_at=None).order_by("received_at")
    return _photos(list(rows[:MOST]))


def _photos(rows: Sequence[Media]) -> list[Photo]:
    return [Photo(row, moment_text(row.captured_at or row.received_at)) for row in rows[:MOST]]


def shown(request: HttpRequest, hazard: Hazard) -> dict[str, Any]:
    if request.actor.scope.reader not in readers_of(Media):  # type: ignore[attr-defined]
        return {"before": [], "after": []}
    before, after = before_and_after(hazard)
    return {"before": before, "after": after}

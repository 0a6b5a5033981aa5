"""Photos and papers behind a score: of the records an element counts, and what the assessed handed in for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from anze.assessment.definitions import PARTY
from anze.assessment.models import Appeal, Correction, FrozenRow, Outcome, ReviewItem
from anze.assessment.rules import Checklist, SchemeText, SubjectKind
from anze.assessment.rules.campaigns import Level
from anze.evidence.models import Media
from anze.evidence.rules import PICTURES, MediaKind, MediaRole
from anze.kernel.actor import Actor
from anze.parties.rules import Permission
from anze.prevention.models import Visit
from anze.screen.columns import readers_of

OF_A_RECORD = 4
OF_AN_ELEMENT = 6
# looked at for photos: records a reviewer or an appeal looked at, and the first of each input, by its index
JUDGED, FIRST = 200, 200
# inputs of whose records a picture says something: what was done, what was found, what was paid for
PICTURED = frozenset({
    "qualified_services", "service_completion_rate", "quality_marks", "follow_up_on_time",
    "hazard_rectification_rate", "major_hazards_told",
    "major_hazard_on_time_rate", "expense_vouchers",
    "agency_quality", "agency_accuracy", "agency_timeliness",
    "expert_quality", "expert_findings", "expert_rechecks", "expert_timeliness",
})  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A small picture, or a paper that is none; `said` is read out instead of it."""

    key: UUID
    said: str
    is_picture: bool = True


def sees_photos(actor: Actor) -> bool:
    """Whether the pictures would open to the reader; which of them is the database's to say."""
    return actor.scope.reader in readers_of(Media) and actor.may(Permission.SEE_EVIDENCE)


def photos_of(rows: Iterable[FrozenRow], actor: Actor, most: int = OF_A_RECORD) -> dict[UUID, list[Shown]]:
    """Record → the first photos taken of it, of a service those of its visit included. Two queries."""
    labels = {row.row_id: row.label for row in rows if row.row_id}
    services = [row.row_id for row in rows if row.source == "services" and row.row_id]
    if not labels or not sees_photos(actor):
        return {}
    visits = dict(Visit.objects.filter(service_id__in=services).values_list("pk", "service_id")) if services else {}
    of_interest = Q(kind=MediaKind.PHOTO) | Q(kind=MediaKind.DOCUMENT, subject_kind="expense")
    taken = Media.objects.filter(of_interest, subject__in=[*labels, *visits], voided_at=None)
    found: dict[UUID, list[Shown]] = defaultdict(list)
    words = taken.order_by("received_at", "pk").values_list("pk", "subject", "role", "original__media_type")
    for key, subject, role, kind in words:
        record = visits.get(subject) or subject
        if len(found[record]) < most:
            found[record].append(Shown(key, f"{MediaRole(role).label} · {labels[record]}", kind in PICTURES))
    return found


def behind_elements(outcome: Outcome, report: Any, actor: Actor) -> dict[str, list[Shown]]:
    """Element → some of what can be looked at: papers handed in for it, then photos of its records.

    Records a reviewer or an appeal looked at come first, then those that fall short, then those that count.
    """
    if not sees_photos(actor):
        return {}
    scheme = outcome.campaign.scheme.text
    found: dict[str, list[Shown]] = defaultdict(list)
    for code, shown in _papers(outcome, report):
        found[code].append(shown)
    rows = _records(outcome, PICTURED.intersection(element.input for element in scheme.elements))
    photos = photos_of([row for inside in rows.values() for row in inside], actor, 2)
    for element in scheme.elements:
        for row in rows.get(element.input, ()):
            found[element.code] += photos.get(row.row_id, []) if row.row_id else []
    return {code: shown[:OF_AN_ELEMENT] for code, shown in found.items() if shown}


def checklists_of(scheme: SchemeText) -> list[str]:
    """The elements a self-report answers."""
    return [element.code for element in scheme.elements if isinstance(element.curve, Checklist)]


def _papers(outcome: Outcome, report: Any) -> list[tuple[str, Shown]]:
    """What came with the self-report belongs to its checklist, what came with an appeal to the element appealed."""
    of: dict[UUID, list[str]] = {report.pk: checklists_of(outcome.campaign.scheme.text)} if report else {}
    of |= {pk: [code] for pk, code in Appeal.objects.filter(outcome=outcome).values_list("pk", "element")}
    if not of:
        return []
    files = Media.objects.filter(subject__in=list(of), voided_at=None).order_by("received_at", "pk")
    return [
        (
            code,
            Shown(key, f"{MediaRole(role).label} · {name}" if name else str(MediaRole(role).label), kind in PICTURES),
        )
        for key, subject, role, name, kind in files.values_list(
            "pk", "subject", "role", "file_name", "original__media_type"
        )[:100]
        for code in of[subject]
    ]


def _records(outcome: Outcome, inputs: Iterable[str]) -> Mapping[str, list[FrozenRow]]:
    party = {PARTY[SubjectKind(outcome.campaign.subject)]: outcome.party}
    own = Q(campaign=outcome.campaign, **party)
    if outcome.level == Level.CITY:
        own &= Q(region_code__startswith=outcome.region_code[:4])
    looked_at = ReviewItem.objects.filter(own).order_by("rank").values_list("row_id", flat=True)[:JUDGED]
    corrected = Correction.objects.filter(own).order_by("-id").values_list("row_id", flat=True)[:JUDGED]
    judged = {*looked_at, *corrected}
    # each input's first rows, all in one query: a large insurer has ten thousand of one input
    first = [FrozenRow.objects.filter(own, input=code).order_by("id")[:FIRST] for code in sorted(inputs)]
    rows = {row.pk: row for row in FrozenRow.objects.none().union(*first, all=True)}
    rows |= FrozenRow.objects.in_bulk(list(judged - rows.keys()))
    found: dict[str, list[FrozenRow]] = defaultdict(list)
    for row in sorted(rows.values(), key=lambda row: (row.pk not in judged, not row.reason, row.pk)):
        found[row.input].append(row)
    return found

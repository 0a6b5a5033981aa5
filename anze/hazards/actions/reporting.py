"""What hazards contribute to the report and to the archive of services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.evidence.models import Media
from anze.hazards.models import Hazard, HazardStep
from anze.library.models import Criterion
from anze.parties.rules import Permission
from anze.prevention.actions.archive import ArchivePart, Held, Lack, archive_part, photos_with_files
from anze.prevention.actions.reports import Pictures, ReportPart, media_of, report_part, visit_of
from anze.prevention.models import Service
from anze.prevention.rules import EntryKind, RecheckResult
from anze.prevention.rules.visits import photos_of
from anze.underwriting.models import Policy

MOST = 60  # earlier hazards named one by one


def _bases(hazards: list[Hazard]) -> dict[UUID, str]:
    """Hazard → clause and wording of its criterion, in the edition it was judged by."""
    codes = {each.criterion_code for each in hazards if each.criterion_code}
    editions = {
        (criterion.code, criterion.standard.code): criterion
        for criterion in Criterion.objects.filter(code__in=codes).select_related("standard")
    }
    found: dict[UUID, str] = {}
    for hazard in hazards:
        criterion = editions.get((hazard.criterion_code, hazard.criterion_edition))
        if criterion is not None:
            clause = f" {criterion.clause}" if criterion.clause else ""
            found[hazard.pk] = f"{criterion.standard.number}{clause}: {criterion.text}"
    return found


def _findings(service: Service, pictures: Pictures) -> dict[str, Any]:
    hazards = list(Hazard.objects.filter(service=service, is_void=False).order_by("hazard_class", "hazard_no"))
    if not hazards:
        return {
            "text": _now("Nothing was found.")
            if service.nil_findings
            else _now("No hazard is on file for this service.")
        }
    bases = _bases(hazards)
    said, photos = _on_site(service)
    after = _afterwards(hazards) if pictures.is_page else {}
    blocks = []
    for number, each in enumerate(hazards, 1):
        on_site = said.get(each.hazard_no, {})
        basis = bases.get(each.pk) or on_site.get("basis", "") or each.criterion_code
        facts = [
            [_now("Class"), each.get_hazard_class_display()],
            [_now("Where"), each.location or "–"],
            [_now("Basis"), basis or "–"],
            [_now("Advice"), each.advice or "–"],
            [_now("To be rectified by"), str(each.extended_to_on or each.deadline_on)],
            [_now("Hazard no."), each.hazard_no],
        ]
        shown: list[dict[str, Any]] = []
        for media in photos.get(each.hazard_no, []) + photos.get(str(each.pk), []):
            shown += pictures.add(media, _now("finding %(number)s") % {"number": number})
        for media in after.get(each.pk, []):
            shown += pictures.add(media, _now("after rectification"))
        blocks.append({"heading": f"{number}. {each.description}", "facts": facts, "pictures": shown})
    return {"blocks": blocks}


def _on_site(service: Service) -> tuple[dict[str, dict[str, Any]], dict[str, list[Media]]]:
    """Hazard number → what was written on site, and hazard number or id → its photos."""
    visit = visit_of(service)
    media = media_of(service)
    by_file = {each.client_id: each for each in media}
    said: dict[str, dict[str, Any]] = {}
    photos: dict[str, list[Media]] = defaultdict(list)
    if visit is not None:
        for entry in visit.entries.filter(kind=EntryKind.FINDING, is_removed=False):
            number = f"{visit.visit_no}-{entry.pk.hex[-6:].upper()}"
            said[number] = entry.payload
            for photo in photos_of(entry.payload):
                found = by_file.get(UUID(str(photo["file"])))
                if found is not None:
                    photos[number].append(found)
    for each in Media.objects.filter(
        subject__in=Hazard.objects.filter(service=service).values("pk"), voided_at__isnull=True, role="HAZARD"
    ).select_related("original"):
        photos[str(each.subject)].append(each)
    return said, photos


def _afterwards(hazards: list[Hazard]) -> dict[UUID, list[Media]]:
    """Hazard → photos of what was done about it since."""
    found: dict[UUID, list[Media]] = defaultdict(list)
    for media in Media.objects.filter(
        subject__in=[each.pk for each in hazards], role="RECTIFIED", voided_at__isnull=True
    ).select_related("original").order_by("received_at"):  # fmt: skip
        found[media.subject].append(media)
    return found


def _rechecked(service: Service, pictures: Pictures) -> dict[str, Any] | None:
    """Hazards of earlier services that were still open when this one began, and what was seen of them."""
    day = service.performed_on
    earlier = Hazard.objects.filter(
        Q(closed_on__isnull=True) | Q(closed_on__gte=day),
        enterprise_id=service.enterprise_id, insurer_id=service.insurer_id, is_void=False, found_on__lt=day,
    ).order_by("found_on", "hazard_no")[:MOST]  # fmt: skip
    visit = visit_of(service)
    entries = visit.entries.filter(kind=EntryKind.RECHECK, is_removed=False) if visit else []
    seen = {str(each.payload["hazard"]): each.payload for each in entries}
    rows = []
    for hazard in earlier:
        said = seen.get(str(hazard.pk))
        if said is not None:
            result = " · ".join(
                word for word in (str(RecheckResult(said["result"]).label), said.get("note", "")) if word
            )
        elif hazard.verified_on == day:
            result = str(RecheckResult.RECTIFIED.label)
        else:
            result = _now("still open on this day")
        rows.append(
            [str(hazard.found_on), hazard.description, str(hazard.extended_to_on or hazard.deadline_on), result]
        )
    if not rows:
        return None
    heads = [_now("Found on"), _now("Hazard"), _now("To be rectified by"), _now("Seen at this service")]
    return {"table": {"heads": heads, "rows": rows}}


def _archived(policy: Policy, _today: date) -> Held:
    """Hazards found by services under the policy; those past their deadline are what is missing."""
    found = Hazard.objects.filter(service__policy=policy, is_void=False)
    lacks = tuple(
        Lack(hazard.hazard_no, _now("Not verified and closed, due %(day)s.") % {"day": hazard.extended_to_on or hazard.deadline_on},
             _now("enterprise and insurer"))
        for hazard in found.filter(closed_on__isnull=True).exclude(state="SHUT_DOWN")
        if (hazard.extended_to_on or hazard.deadline_on) < _today
    )  # fmt: skip
    files: list[tuple[str, Callable[[], Any]]] = []
    photos = photos_with_files(found.values_list("pk", flat=True), files)
    steps = HazardStep.objects.filter(hazard__in=found).order_by("hazard", "at")
    rows = (("hazards", found), ("steps", steps), ("photos", photos))
    return Held(rows, tuple(files), lacks, found.count())


archive_part(ArchivePart("hazards", _("Hazards and their rectification"), 35, _archived, Permission.SEE_HAZARDS))
report_part(ReportPart("findings", pgettext_lazy("report", "Findings"), 50, _findings))
report_part(ReportPart("rechecks", _("Hazards of earlier services"), 60, _rechecked))

"""Services drawn for a check: fixing, drawing, marking; who may not mark."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.drawing import Draw, Marks, draw_from, fix, judged
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import why_not_independent
from anze.parties.models import Expert
from anze.parties.rules import Permission
from anze.prevention.actions.confirmations import scope_of_service
from anze.prevention.actions.visits import return_visit
from anze.prevention.models import QualityCheck, Sample, Service, ServicePerson, Visit
from anze.prevention.rules.quality import CHECK, SHEET
from anze.prevention.rules.visits import VisitState


@action(Permission.CHECK_QUALITY, "sample.fixed")
def fix_population(draw: Draw, *, by: Actor, at: datetime) -> Sample:
    """Fix which services may be drawn."""
    with widened(EVERYTHING):
        services = Service.objects.filter(performed_on__range=(draw.period_from, draw.period_to), is_void=False)
        return fix(Sample, draw, services.values_list("pk", flat=True), by=by, at=at)


@action(Permission.CHECK_QUALITY, "sample.drawn")
def draw_sample(sample: Sample, *, by: Actor, at: datetime, seed: str, source: str) -> Sample:
    """Draw, and lay the sheets ready."""
    with widened(EVERYTHING):
        chosen = draw_from(sample, seed=seed, source=source, at=at)
        services = Service.objects.in_bulk([key for key, _digest in chosen])
        QualityCheck.objects.bulk_create(
            QualityCheck(sample=sample, rank=rank, digest=digest, **scope_of_service(services[key]))
            for rank, (key, digest) in enumerate(chosen, 1)
        )
    return sample


def why_not_judged(record: Any, by: Actor) -> str:
    """Why somebody may not judge a record; of a service also those who took part are known. Empty if he may."""
    service: UUID | None = getattr(record, "service_id", None)

    def took_part(expert: Expert) -> bool:
        return service is not None and ServicePerson.objects.filter(service_id=service, expert=expert).exists()

    return why_not_independent(record, by, took_part)


@action(Permission.CHECK_QUALITY, "quality.marked")
def mark_check(check: QualityCheck, *, by: Actor, at: datetime, marks: Marks) -> QualityCheck:
    """Mark a service drawn. Returned, it counts nowhere until it is corrected and passes."""
    columns = judged(SHEET, marks, by=by, at=at)
    if why := why_not_judged(check, by):
        raise Refused("not_independent", why, remedy=_("Leave it to another reviewer."), status=403)
    with widened(EVERYTHING):
        service = Service.objects.select_for_update().get(pk=check.service_id)
        CHECK.move(
            check,
            marks.result,
            **columns,
            service_version=service.version,
            rounds=check.rounds + 1,
        )
        Service.objects.filter(pk=service.pk).update(is_returned=not marks.passes)
        visit = Visit.objects.filter(service=service, state=VisitState.DELIVERED).first()
        if visit is not None and not marks.passes:
            reviewer = Actor(
                name=by.name, scope=EVERYTHING, permissions=by.permissions | {Permission.RECORD_VISITS},
                role=by.role, account_id=by.account_id,
            )  # fmt: skip
            return_visit(visit, by=reviewer, at=at, reason=marks.reasons)
    return check

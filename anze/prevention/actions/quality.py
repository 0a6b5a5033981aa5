"""Fixing a population, drawing from it, marking what was drawn; who may not mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.drawing import drawn, population_digest, population_text
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.access import insurer_id_of
from anze.parties.models import Membership
from anze.parties.rules import Permission
from anze.prevention.actions.confirmations import scope_of_service
from anze.prevention.actions.visits import return_visit
from anze.prevention.models import Population, QualityCheck, Sample, Service, ServicePerson, Visit
from anze.prevention.rules.quality import (
    CHECK,
    SHEET,
    CheckState,
    SampleState,
)
from anze.prevention.rules.visits import VisitState


@dataclass(frozen=True)
class Draw:
    """What a sample is to be: title, services of which days, how many."""

    title: str
    period_from: date
    period_to: date
    size: int

    def __str__(self) -> str:
        return f"{self.title} {self.period_from}–{self.period_to} {self.size}"


@action(Permission.CHECK_QUALITY, "sample.fixed")
def fix_population(draw: Draw, *, by: Actor, at: datetime) -> Sample:
    """Fix which services may be drawn and publish the digest, before anybody knows the seed."""
    if draw.period_to < draw.period_from:
        raise Refused(
            "period_out_of_order", _("The period ends before it begins."), remedy=_("Correct one of the days."),
            field="period_to",
        )  # fmt: skip
    with widened(EVERYTHING):
        keys = [
            str(key)
            for key in Service.objects.filter(
                performed_on__range=(draw.period_from, draw.period_to), is_void=False
            ).values_list("pk", flat=True)
        ]
        if not 0 < draw.size <= len(keys):
            raise Refused(
                "sample_size",
                _("There are %(count)s services in this period."),
                remedy=_("Draw at least one and at most as many as there are."),
                field="size",
                values={"count": len(keys)},
            )
        sample = Sample.objects.create(
            title=draw.title.strip()[:120],
            period_from=draw.period_from,
            period_to=draw.period_to,
            size=draw.size,
            population_count=len(keys),
            population_sha256=population_digest(keys),
            fixed_at=at,
            fixed_by=by.name[:120],
        )
        Population.objects.create(sample=sample, keys=population_text(keys))
    return sample


@action(Permission.CHECK_QUALITY, "sample.drawn")
def draw_sample(sample: Sample, *, by: Actor, at: datetime, seed: str, source: str) -> Sample:
    """Draw with a seed that became known after the population was fixed, such as the numbers of a public lottery."""
    seed = seed.strip()
    if not seed or not source.strip():
        raise Refused(
            "seed_missing",
            _("A draw needs a seed and where it comes from."),
            remedy=_("Use numbers that were published after the population was fixed, and say where."),
            field="seed" if not seed else "source",
        )
    with widened(EVERYTHING):
        changed = Sample.objects.filter(pk=sample.pk, state=SampleState.FIXED).update(
            state=SampleState.DRAWN, seed=seed[:100], seed_source=source.strip()[:200], drawn_at=at
        )
        if not changed:
            raise Refused(
                "drawn_already", _("This sample is drawn already."), remedy=_("Fix another population."), status=409
            )
        sample.refresh_from_db()
        keys = Population.objects.get(sample=sample).keys.split()
        chosen = drawn(keys, sample.seed, sample.size)
        services = Service.objects.in_bulk([UUID(key) for key, _digest in chosen])
        QualityCheck.objects.bulk_create(
            QualityCheck(sample=sample, rank=rank, digest=digest, **scope_of_service(services[UUID(key)]))
            for rank, (key, digest) in enumerate(chosen, 1)
        )
    return sample


@dataclass(frozen=True)
class Marks:
    """What a reviewer gives: points for each line of the sheet, pass or return, reasons."""

    points: dict[str, int] = field(default_factory=dict)
    passes: bool = True
    reasons: str = ""

    @property
    def total(self) -> int:
        return sum(self.points.values())

    def __str__(self) -> str:
        return f"{self.total} {'passed' if self.passes else 'returned'}"


def why_not_independent(check: Any, by: Actor) -> str:
    """Why somebody may not judge a record: it is his own organisation's, or his own. Empty if he may.

    All roles of the account count, not only the one he works in now. A record is anything with the columns of a
    scope, a quality check or a row of an assessment; of a service also those who took part are known.
    """
    service = getattr(check, "service_id", None)
    if by.account_id is None:
        return ""
    with widened(EVERYTHING):
        roles = Membership.objects.filter(account_id=by.account_id, is_active=True).select_related(
            "organisation", "expert"
        )
        for role in roles:
            if role.organisation and insurer_id_of(role.organisation) in (check.insurer_id, check.agency_id):
                return str(_("You belong to an organisation that did or paid this service."))
            if role.enterprise_id and role.enterprise_id == check.enterprise_id:
                return str(_("You belong to the enterprise that was served."))
            if role.expert and (
                (role.expert.agency_id and role.expert.agency_id == check.agency_id)
                or (service and ServicePerson.objects.filter(service_id=service, expert=role.expert).exists())
            ):
                return str(_("You or your agency did this service."))
    return ""


@action(Permission.CHECK_QUALITY, "quality.marked")
def mark_check(check: QualityCheck, *, by: Actor, at: datetime, marks: Marks) -> QualityCheck:
    """Mark a service drawn. Returned, it counts nowhere until it is corrected and passes."""
    for line in SHEET:
        if not 0 <= marks.points.get(line.code, -1) <= line.points:
            raise Refused(
                "points_out_of_range",
                _("This line has 0 to %(most)s points."),
                remedy=_("Give points for every line of the sheet."),
                field=line.code,
                values={"most": line.points},
            )
    needed = int(parameter("quality_pass_mark", at.date()))
    if marks.passes and marks.total < needed:
        raise Refused(
            "mark_too_low",
            _("A service passes with %(needed)s points or more; these are %(total)s."),
            remedy=_("Return it with reasons, or look at the points again."),
            field="result",
            values={"needed": needed, "total": marks.total},
        )
    if not marks.passes and not marks.reasons.strip():
        raise Refused(
            "reason_missing",
            _("A service is not returned without reasons."),
            remedy=_("Say what is to be corrected."),
            field="reasons",
        )
    if why := why_not_independent(check, by):
        raise Refused("not_independent", why, remedy=_("Leave it to another reviewer."), status=403)
    with widened(EVERYTHING):
        service = Service.objects.select_for_update().get(pk=check.service_id)
        CHECK.move(
            check,
            "pass" if marks.passes else "return",
            marks=marks.points,
            mark=marks.total,
            reasons=marks.reasons.strip()[:1000],
            reviewer=by.account_id,
            reviewer_name=by.name[:120],
            marked_at=at,
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


__all__ = ["CheckState", "Draw", "Marks", "draw_sample", "fix_population", "mark_check", "why_not_independent"]

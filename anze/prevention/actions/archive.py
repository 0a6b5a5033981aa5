"""The archive of one insured enterprise and policy year (AQ 9010 §7.4): what belongs to it and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import open_original
from anze.evidence.models import Media, Original
from anze.evidence.rules import SUFFIXES
from anze.kernel.actor import Actor
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.prevention.models import (
    Complaint,
    Dispute,
    FollowUp,
    Order,
    Paper,
    Plan,
    PlanItem,
    Report,
    Service,
    ServicePerson,
    Visit,
    VisitEntry,
)
from anze.prevention.rules.archive import PaperKind
from anze.screen.registry import load_screens
from anze.underwriting.models import Endorsement, Policy, PremiumReceipt


@dataclass(frozen=True)
class Lack:
    """Something the archive should hold and does not: what, why it should, who has to bring it."""

    what: str
    why: str
    who: str


@dataclass(frozen=True)
class Held:
    """What a part of the archive holds: rows of tables, files, and what is missing."""

    rows: tuple[tuple[str, models.QuerySet[Any]], ...] = ()
    files: tuple[tuple[str, Callable[[], Any]], ...] = ()  # path in the archive, how it is opened
    lacks: tuple[Lack, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class ArchivePart:
    """One of the contents that AQ 9010 asks for, contributed by the room that keeps it."""

    name: str
    title: str | Promise
    order: int
    find: Callable[[Policy, date], Held]
    permission: str = Permission.SEE_SERVICES


ARCHIVE_PARTS: list[ArchivePart] = []


def archive_part(part: ArchivePart) -> ArchivePart:
    if any(each.name == part.name for each in ARCHIVE_PARTS):
        raise ValueError(f"two parts of the archive are called {part.name}")
    ARCHIVE_PARTS.append(part)
    ARCHIVE_PARTS.sort(key=lambda each: (each.order, each.name))
    return part


# the parts of this room and of those below ------------------------------------------------------------------


def _contract(policy: Policy, _today: date) -> Held:
    own = Policy.objects.filter(pk=policy.pk)
    endorsements = Endorsement.objects.filter(policy=policy, is_void=False)
    receipts = PremiumReceipt.objects.filter(policy=policy, is_void=False)
    lacks: tuple[Lack, ...] = ()
    if not receipts.exists():
        lacks = (Lack(_now("Premium received"), _now("No receipt is on file."), _now("insurer")),)
    rows = (("policy", own), ("endorsements", endorsements), ("receipts", receipts))
    return Held(rows, lacks=lacks, count=1)


def _plan(policy: Policy, _today: date) -> Held:
    plans = Plan.objects.filter(policy=policy, is_void=False)
    lacks = []
    found = list(plans.values_list("plan_no", "confirmed_on"))
    if not found:
        lacks.append(Lack(_now("Service plan"), _now("No plan was agreed for the policy."), _now("insurer")))
    for number, confirmed_on in found:
        if confirmed_on is None:
            lacks.append(Lack(number, _now("The enterprise has not confirmed the plan."), _now("enterprise")))
    items = PlanItem.objects.filter(policy=policy)
    return Held((("plans", plans), ("plan-items", items)), lacks=tuple(lacks), count=len(found))


def photos_with_files(subjects: Iterable[UUID], files: list[tuple[str, Callable[[], Any]]]) -> models.QuerySet[Media]:
    """What was photographed for these records: its rows, with the digest each original is named by; the originals
    themselves go to `files`."""
    found = Media.objects.filter(subject__in=list(subjects), voided_at__isnull=True).select_related("original")
    found = found.annotate(sha256=models.F("original__sha256")).order_by("received_at", "pk")
    for media in found:
        name = f"originals/{media.original.sha256}.{SUFFIXES[media.original.media_type]}"
        files.append((name, partial(open_original, media)))
    return found


def _services(policy: Policy, today: date) -> Held:
    services = Service.objects.filter(policy=policy, is_void=False).order_by("performed_on", "service_no")
    reports = Report.objects.filter(service__policy=policy).order_by("issued_at")
    reported = set(reports.filter(state="VALID").values_list("service_id", flat=True))
    lacks = []
    for key, number, confirmation, returned in services.values_list("pk", "service_no", "confirmation", "is_returned"):
        if key not in reported:
            lacks.append(Lack(number, _now("No report is issued."), _now("insurer or agency")))
        if confirmation == "NONE":
            lacks.append(Lack(number, _now("The enterprise has not confirmed the service."), _now("enterprise")))
        if returned:
            lacks.append(Lack(number, _now("Returned by the quality check."), _now("insurer")))
    for seq, kind, end in (
        PlanItem.objects.filter(policy=policy, window_end_on__lt=today, services__isnull=True)
        .values_list("seq", "service_type", "window_end_on")
        .distinct()
    ):
        what = _now("plan item %(number)s (%(kind)s)") % {
            "number": seq,
            "kind": dict(PlanItem._meta.get_field("service_type").flatchoices).get(kind, kind),
        }
        lacks.append(Lack(what, _now("Planned until %(day)s, not done.") % {"day": end}, _now("insurer")))
    files = [(f"reports/{report.number}.pdf", opens) for report, opens in with_files(reports)]
    subjects = [
        *services.values_list("pk", flat=True),
        *Visit.objects.filter(policy=policy).values_list("pk", flat=True),
    ]
    media = photos_with_files(subjects, files)
    persons = ServicePerson.objects.filter(service__policy=policy, service__is_void=False)
    rows = (
        ("services", services),
        ("persons", persons),
        ("visits", Visit.objects.filter(policy=policy)),
        ("visit-entries", VisitEntry.objects.filter(visit__policy=policy, is_removed=False)),
        ("photos-and-files", media),
        ("reports", reports),
        ("follow-up-calls", FollowUp.objects.filter(service__policy=policy)),
    )
    return Held(rows, tuple(files), tuple(lacks), services.count())


def _orders(policy: Policy, _today: date) -> Held:
    orders = Order.objects.filter(policy=policy)
    done = Service.objects.filter(policy=policy, is_void=False, agency__isnull=False)
    without = done.exclude(agency_id__in=orders.filter(agency__isnull=False).values("agency_id"))
    names = Organisation.objects.filter(pk__in=without.values("agency_id")).values_list("name", flat=True)
    lacks = tuple(
        Lack(name, _now("It served under this policy, and no order to it is on file."), _now("insurer"))
        for name in names
    )
    return Held((("orders", orders),), lacks=lacks, count=orders.count())


def _complaints(policy: Policy, _today: date) -> Held:
    disputes = Dispute.objects.filter(service__policy=policy)
    lacks = tuple(
        Lack(str(each.raised_on), _now("The enterprise's complaint is not closed."), _now("insurer and authority"))
        for each in disputes.exclude(state="CLOSED")
    )
    return Held((("disputes", disputes),), lacks=lacks, count=disputes.count())


def _complaints_made(policy: Policy, _today: date) -> Held:
    """Those the reader may see: a worker's are not shown to his enterprise."""
    made = Complaint.objects.filter(models.Q(service__policy=policy) | models.Q(claim__policy=policy))
    lacks = tuple(
        Lack(each.complaint_no, _now("The complaint is not answered."), str(each.get_side_display()))
        for each in made.filter(state__in=("RECEIVED", "ACCEPTED", "VERIFYING"))
    )
    return Held((("complaints", made),), lacks=lacks, count=made.count())


def _papers(policy: Policy, kind: PaperKind) -> models.QuerySet[Paper]:
    found = Paper.objects.filter(kind=kind, insurer=policy.insurer_id, voided_at__isnull=True)
    return found.order_by("from_on", "number")


def _files(papers: models.QuerySet[Paper]) -> list[tuple[str, Callable[[], Any]]]:
    return [
        (f"papers/{paper.file_sha256[:24]}{PurePath(paper.file_name).suffix.lower()[:5]}", opens)
        for paper, opens in with_files(papers)
    ]


def with_files(rows: Iterable[Any]) -> list[tuple[Any, Callable[[], Any]]]:
    """Rows that the reader sees, each with how its file is opened: originals themselves are seen with evidence only."""
    seen = list(rows)
    with widened(EVERYTHING):
        originals = Original.objects.in_bulk({each.original_id for each in seen})
    return [(each, partial(open_original, Media(original=originals[each.original_id]))) for each in seen]


def _agencies(policy: Policy, today: date) -> Held:
    """Contracts with the agencies that served under the policy, and how each was judged when the year was over."""
    days: dict[Any, list[date]] = {}
    served = Service.objects.filter(policy=policy, is_void=False, agency__isnull=False).order_by("performed_on")
    for agency_id, day in served.values_list("agency_id", "performed_on"):
        days.setdefault(agency_id, []).append(day)
    names = dict(Organisation.objects.filter(pk__in=days).values_list("pk", "name"))
    contracts = _papers(policy, PaperKind.CONTRACT).filter(
        agency__in=days, from_on__lte=policy.end_on, to_on__gte=policy.start_on
    )
    judged = _papers(policy, PaperKind.AGENCY_EVALUATION).filter(agency__in=days, to_on__gte=policy.start_on)
    lacks = []
    for agency_id, when in days.items():
        covering = [(each.from_on, each.to_on) for each in contracts if each.agency_id == agency_id]
        without = next((day for day in when if not any(low <= day <= high for low, high in covering)), None)
        if without is not None:
            lacks.append(
                Lack(
                    names[agency_id],
                    _now("No contract in force on %(day)s is on file.") % {"day": without},
                    _now("insurer"),
                )
            )
        periods = [(each.from_on, each.to_on) for each in judged if each.agency_id == agency_id]
        for year in sorted({day.year for day in when if day.year < today.year}):
            if not any(low.year <= year <= high.year for low, high in periods):
                lacks.append(
                    Lack(
                        names[agency_id],
                        _now("Its evaluation for %(year)s is not on file.") % {"year": year},
                        _now("insurer"),
                    )
                )
    rows = (("contracts", contracts), ("agency-evaluations", judged))
    return Held(rows, (*_files(contracts), *_files(judged)), tuple(lacks), len(contracts) + len(judged))


def _evaluation(policy: Policy, today: date) -> Held:
    papers = _papers(policy, PaperKind.ANNUAL_REPORT).filter(policy=policy)
    lacks: tuple[Lack, ...] = ()
    if policy.end_on < today and not papers:
        lacks = (Lack(_now("Annual evaluation report"), _now("The policy year is over."), _now("insurer")),)
    return Held((("annual-reports", papers),), tuple(_files(papers)), lacks, len(papers))


archive_part(ArchivePart("contract", _("Insurance contract"), 10, _contract, Permission.SEE_UNDERWRITING))
archive_part(ArchivePart("plan", _("Service plan"), 20, _plan))
archive_part(ArchivePart("services", _("Materials of every service"), 30, _services))
archive_part(ArchivePart("orders", _("Orders to agencies and experts"), 40, _orders))
archive_part(ArchivePart("complaints", _("Disputes about services"), 60, _complaints))
archive_part(ArchivePart("complaints-made", _("Complaints made"), 61, _complaints_made, Permission.SEE_COMPLAINTS))


archive_part(
    ArchivePart("agencies", _("Contracts with agencies and their evaluation"), 45, _agencies, Permission.SEE_PARTIES)
)
archive_part(ArchivePart("evaluation", _("Annual evaluation"), 70, _evaluation))


@dataclass(frozen=True)
class Content:
    part: ArchivePart
    held: Held


def contents_of_archive(policy: Policy, by: Actor, today: date) -> list[Content]:
    """Every part that the reader may see, with what it holds and lacks."""
    load_screens()
    return [Content(part, part.find(policy, today)) for part in ARCHIVE_PARTS if by.may(part.permission)]

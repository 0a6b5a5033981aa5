"""The archive of one insured enterprise and policy year (AQ 9010 §7.4): what belongs to it, what is missing, and all
of it in one file that is readable without the platform."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import IO, Any, cast

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import open_original
from anze.evidence.models import Media
from anze.evidence.rules import SUFFIXES
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.signing import published_keys, sign
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.reports import file_of
from anze.prevention.models import (
    Complaint,
    Dispute,
    FollowUp,
    Order,
    Plan,
    PlanItem,
    Report,
    Service,
    ServicePerson,
    Visit,
)
from anze.screen.columns import readers_of, show_value
from anze.screen.registry import load_screens
from anze.underwriting.models import Endorsement, Policy, PremiumReceipt

CHUNK = 1 << 20
# what stands in no table for people
_HIDDEN = {"batch_id", "content_hash", "check_code", "content", "region_code", "sector"}


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
    files: list[tuple[str, Callable[[], Any]]] = [
        (f"reports/{report.number}.pdf", partial(file_of, report)) for report in reports
    ]
    subjects = [
        *services.values_list("pk", flat=True),
        *Visit.objects.filter(policy=policy).values_list("pk", flat=True),
    ]
    for media in Media.objects.filter(subject__in=subjects, voided_at__isnull=True).select_related("original"):
        name = f"originals/{media.original.sha256}.{SUFFIXES[media.original.media_type]}"
        files.append((name, partial(open_original, media)))
    persons = ServicePerson.objects.filter(service__policy=policy, service__is_void=False)
    rows = (
        ("services", services),
        ("persons", persons),
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


def _evaluation(policy: Policy, today: date) -> Held:
    if policy.end_on >= today:
        return Held()
    return Held(lacks=(Lack(_now("Annual evaluation report"), _now("The policy year is over."), _now("insurer")),))


archive_part(ArchivePart("contract", _("Insurance contract"), 10, _contract, Permission.SEE_UNDERWRITING))
archive_part(ArchivePart("plan", _("Service plan"), 20, _plan))
archive_part(ArchivePart("services", _("Materials of every service"), 30, _services))
archive_part(ArchivePart("orders", _("Orders to agencies and experts"), 40, _orders))
archive_part(ArchivePart("complaints", _("Disputes about services"), 60, _complaints))
archive_part(ArchivePart("complaints-made", _("Complaints made"), 61, _complaints_made, Permission.SEE_COMPLAINTS))
archive_part(ArchivePart("evaluation", _("Annual evaluation"), 70, _evaluation))


@dataclass(frozen=True)
class Content:
    part: ArchivePart
    held: Held


def contents_of_archive(policy: Policy, by: Actor, today: date) -> list[Content]:
    """Every part that the reader may see, with what it holds and lacks."""
    load_screens()
    return [Content(part, part.find(policy, today)) for part in ARCHIVE_PARTS if by.may(part.permission)]


# the file ---------------------------------------------------------------------------------------------------


@dataclass
class _Packing:
    """A ZIP under way, with the digest of everything put into it."""

    archive: zipfile.ZipFile
    listed: list[dict[str, Any]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def put(self, name: str, source: IO[bytes] | Any) -> None:
        if name in self.names:
            return
        self.names.add(name)
        digest, size = hashlib.sha256(), 0
        packed = not name.startswith(("originals/", "reports/"))
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with self.archive.open(info, "w", force_zip64=True) as target:
            while piece := source.read(CHUNK):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        self.listed.append({"name": name, "size": size, "sha256": digest.hexdigest()})


@action(Permission.SEE_SERVICES, "archive.exported")
def export_archive(policy: Policy, *, by: Actor, at: datetime, today: date) -> IO[bytes]:
    """The archive as a ZIP with a signed manifest, in a file that is gone when closed."""
    enterprise = Enterprise.objects.get(pk=policy.enterprise_id)
    insurer = Organisation.objects.get(pk=policy.insurer_id)
    contents = contents_of_archive(policy, by, today)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever sends it
    with zipfile.ZipFile(file, "w") as archive:
        packing = _Packing(archive)
        for content in contents:
            for name, rows in content.held.rows:
                # a table that the reader's kind cannot read at all stays out
                if by.scope.reader in readers_of(cast("Any", rows.model)):
                    packing.put(f"{content.part.name}/{name}.csv", io.BytesIO(_csv(rows)))
            for name, opens in content.held.files:
                with opens() as source:
                    packing.put(name, source)
        packing.put("index.html", io.BytesIO(_index(policy, enterprise, insurer, contents, packing, at)))
        manifest = json.dumps(
            {
                "policy": policy.policy_no,
                "enterprise": enterprise.uscc,
                "insurer": insurer.code,
                "made_at": at.isoformat(),
                "files": sorted(packing.listed, key=lambda each: each["name"]),
            },
            ensure_ascii=False,
            indent=1,
        ).encode()
        digest = hashlib.sha256(manifest).hexdigest()
        line = sign("archive", (policy.policy_no, insurer.code, enterprise.uscc, at.date().isoformat(), digest), at=at)
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.sig", line + "\n")
        archive.writestr("keys.json", keys_file())
    file.seek(0)
    return file


def keys_file() -> str:
    """Every key that ever signed, as a pack carries them."""
    keys = [
        {"kid": each.key_id, "x": each.public_key, "revoked_at": each.revoked_at and each.revoked_at.isoformat()}
        for each in published_keys()
    ]
    return json.dumps({"keys": keys}, indent=1)


def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [
        each for each in model._meta.local_concrete_fields if each.name not in _HIDDEN and each.attname not in _HIDDEN
    ]


def _csv(rows: Iterable[Any]) -> bytes:
    """Rows as they are kept, one column a field; what a spreadsheet would take for a formula is disarmed."""
    out = io.StringIO()
    writer = csv.writer(out)
    model = rows.model  # type: ignore[attr-defined]
    fields = _fields(model)
    writer.writerow([each.name for each in fields])
    for row in rows:
        values = ("" if value is None else str(value) for value in (getattr(row, each.attname) for each in fields))
        writer.writerow(
            [f"'{value}" if value[:1] in "=+-@\t\r" and not _is_number(value) else value for value in values]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _index(
    policy: Policy,
    enterprise: Enterprise,
    insurer: Organisation,
    contents: list[Content],
    packing: _Packing,
    at: datetime,
) -> bytes:
    """A page that opens from the unpacked folder: what is here, what is missing."""
    e = html.escape
    made = [
        "<!doctype html><html><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        f"<title>{e(enterprise.name)} · {e(policy.policy_no)}</title>",
        (
            "<style>body{font:16px/1.6 'Noto Sans SC',sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
            "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left}</style></head><body>"
        ),
        f"<h1>{e(_now('Archive of prevention services'))}</h1>",
        (
            f"<p>{e(enterprise.name)} · {e(enterprise.uscc)}<br>{e(policy.policy_no)} · {policy.start_on} – {policy.end_on}<br>"
            f"{e(str(insurer))}<br>{e(show_value(at))}</p>"
        ),
    ]
    for content in contents:
        made.append(f"<h2>{e(str(content.part.title))}</h2><ul>")
        prefix = f"{content.part.name}/"
        names = [each["name"] for each in packing.listed if each["name"].startswith(prefix)]
        if content.part.name == "services":
            names += [each["name"] for each in packing.listed if each["name"].startswith(("reports/", "originals/"))]
        made += [f"<li><a href='{e(name)}'>{e(name)}</a></li>" for name in names]
        made.append("</ul>")
        if content.held.lacks:
            made.append(f"<p>{e(_now('Missing'))}</p><ul>")
            made += [f"<li>{e(each.what)}: {e(each.why)} ({e(each.who)})</li>" for each in content.held.lacks]
            made.append("</ul>")
    made.append("</body></html>")
    return "".join(made).encode()

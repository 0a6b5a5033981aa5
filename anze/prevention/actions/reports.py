"""Issuing the report of a service: what it says is put together from the records, typeset, signed and kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.evidence.actions.files import arrived, is_picture, open_original, picture_uri, shapes_over, shown_file
from anze.evidence.actions.media import keep_original
from anze.evidence.models import Media
from anze.evidence.rules import FileType, MediaKind
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.kernel.signing import sign
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.confirmations import check_can_be_confirmed, scope_of_service
from anze.prevention.models import FollowUp, Issued, Report, Service, ServicePerson, Visit
from anze.prevention.rules import EntryKind
from anze.prevention.rules.reports import ALPHABET, CHECK_LENGTH, ReportLanguage, ReportState, digest_of
from anze.screen.columns import region_name
from anze.screen.registry import load_screens
from anze.screen.typesetting import qr_svg, typeset
from anze.underwriting.models import Policy

MOST_PICTURES, MOST_ON_A_PAGE = 40, 12
Block = dict[str, Any]


# what a report is made of ---------------------------------------------------------------------------------


def picture_name(media: Media) -> str:
    """The name of a picture in a report: of its original, and of what was drawn over it."""
    name, shapes = media.original.sha256[:24], shapes_over(media)
    return f"{name}-{digest_of({'shapes': shapes})[:8]}.svg" if shapes else f"{name}.jpg"


@dataclass
class Pictures:
    """The pictures of a report: shrunk, without what the camera noted in them, and named by their originals."""

    files: dict[str, bytes] = field(default_factory=dict)
    left_out: int = 0
    most: int = MOST_PICTURES
    is_page: bool = False  # for a page on a phone: small, and with what was rectified meanwhile

    def add(self, media: Media, caption: str) -> list[Block]:
        """The picture as it stands in the report, or nothing if there are enough of them."""
        if not is_picture(media.original):
            return []
        name = picture_name(media)
        if name not in self.files:
            if len(self.files) >= self.most:
                self.left_out += 1
                return []
            try:
                self.files[name], _kind = shown_file(media, is_small=self.is_page)
            except FileNotFoundError:
                if self.is_page:  # a page says the rest without it; a report is not issued without
                    return []
                raise
        taken = media.captured_at or media.exif_at
        words = [caption, _moment(taken) if taken else "", "" if self.is_page else media.original.sha256[:12]]
        return [{"file": name, "caption": " · ".join(word for word in words if word), "sha256": media.original.sha256}]


@dataclass(frozen=True)
class ReportPart:
    """A section of the report, contributed by the room that knows it. `make` returns nothing where there is nothing
    to say, else `facts` (pairs), `text`, a `table`, `blocks` or `pictures`; all of it in the present language."""

    name: str
    title: str | Promise
    order: int
    make: Callable[[Service, Pictures], Block | None]


REPORT_PARTS: list[ReportPart] = []


def report_part(part: ReportPart) -> ReportPart:
    if any(each.name == part.name for each in REPORT_PARTS):
        raise ValueError(f"two parts of the report are called {part.name}")
    REPORT_PARTS.append(part)
    REPORT_PARTS.sort(key=lambda each: (each.order, each.name))
    return part


def _moment(value: datetime) -> str:
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")


def visit_of(service: Service) -> Visit | None:
    """The visit a phone recorded, where the service comes from one."""
    return Visit.objects.filter(service=service).first()


def media_of(service: Service) -> list[Media]:
    """Everything photographed for a service, oldest first."""
    subjects = [service.pk, *Visit.objects.filter(service=service).values_list("pk", flat=True)]
    found = Media.objects.filter(subject__in=subjects, voided_at__isnull=True).select_related("original")
    return list(found.order_by("received_at", "pk"))


def _parties(service: Service, _pictures: Pictures) -> Block:
    enterprise = Enterprise.objects.get(pk=service.enterprise_id)
    policy = Policy.objects.get(pk=service.policy_id)
    return {
        "facts": [
            [_now("Enterprise"), enterprise.name],
            [_now("Unified social credit code"), enterprise.uscc],
            [_now("Region"), region_name(enterprise.region_code)],
            [_now("Sector"), enterprise.get_sector_display()],
            [_now("Policy no."), policy.policy_no],
            [_now("Insured from – until"), f"{policy.start_on} – {policy.end_on}"],
            [_now("Insurer"), str(Organisation.objects.get(pk=service.insurer_id))],
        ]
    }


def _done(service: Service, _pictures: Pictures) -> Block:
    agency = Organisation.objects.filter(pk=service.agency_id).first() if service.agency_id else None
    facts = [
        [_now("Service no."), service.service_no],
        [_now("Date and time"), f"{_moment(service.started_at)} – {_moment(service.ended_at)}"],
        [_now("Place"), service.place or "–"],
        [_now("Item"), service.get_service_type_display()],
        [_now("Form"), service.get_form_display()],
        [_now("Standard and edition"), service.get_edition_display()],
        [_now("Provider"), str(agency) if agency else _now("the insurer itself")],
        [_now("Persons attending"), str(service.attendees)],
        [_now("Unified service mark shown"), _now("yes") if service.has_service_mark else _now("no")],
    ]
    if service.lon is not None and service.lat is not None:
        facts.insert(3, [_now("Position (WGS 84)"), f"{service.lon}, {service.lat}"])
    return {"facts": facts}


def _persons(service: Service, _pictures: Pictures) -> Block | None:
    rows = [
        [
            each.name,
            each.get_kind_display(),
            each.certificate_no or "–",
            str(each.certificate_valid_to or "–"),
        ]
        for each in ServicePerson.objects.filter(service=service).order_by("seq")
    ]
    heads = [_now("Name"), _now("Kind"), _now("Certificate no."), _now("Valid until")]
    return {"table": {"heads": heads, "rows": rows}} if rows else None


def _scope(service: Service, _pictures: Pictures) -> Block:
    """What was looked at: the topics reported, the checklist and what was written down on site."""
    facts = [[_now("Subjects covered"), service.topics or "–"]]
    visit = visit_of(service)
    if visit is not None:
        if visit.checklist_code:
            version = f" · {visit.checklist_version}" if visit.checklist_version else ""
            facts.append([_now("Checklist"), f"{visit.checklist_code}{version}"])
        entries = visit.entries.filter(is_removed=False)
        answered = entries.filter(kind=EntryKind.ANSWER).count()
        if answered:
            facts.append([_now("Items checked"), str(answered)])
        looked = [each["looked_at"] for each in entries.filter(kind=EntryKind.NIL).values_list("payload", flat=True)]
        if any(looked):
            facts.append([_now("Looked at"), "；".join(each for each in looked if each)])
    if service.nil_findings:
        facts.append([_now("Result"), _now("Hazards were looked for and none was found.")])
    return {"facts": facts, "text": service.report_text}


def _other_pictures(service: Service, pictures: Pictures) -> Block | None:
    """The pictures that no other part has shown."""
    shown = set(pictures.files)  # by name: the same content drawn over in another way is another picture
    made: list[Block] = []
    for media in media_of(service):
        if media.kind == MediaKind.PHOTO and picture_name(media) not in shown:
            made += pictures.add(media, str(media.get_role_display()))
    if not made:
        return None
    text = ""
    if pictures.left_out:
        text = ngettext(
            "%(count)s more picture is kept in the archive.",
            "%(count)s more pictures are kept in the archive.",
            pictures.left_out,
        ) % {"count": pictures.left_out}
    return {"pictures": made, "text": text}


def _follow_up(service: Service, _pictures: Pictures) -> Block | None:
    """What the insurer asked afterwards. Ratings given in private stand in no report."""
    facts = []
    if service.satisfaction:
        facts.append([_now("Satisfaction (1–5)"), str(service.satisfaction)])
    if service.followed_up_on:
        facts.append([_now("Followed up on"), str(service.followed_up_on)])
    last = FollowUp.objects.filter(service=service, is_reached=True).order_by("-called_on", "-id").first()
    if last and last.spoke_with:
        facts.append([_now("Spoke with"), last.spoke_with])
    if service.opinion:
        facts.append([_now("Opinion"), service.opinion])
    return {"facts": facts} if facts else None


report_part(ReportPart("parties", _("Enterprise and policy"), 10, _parties))
report_part(ReportPart("service", _("The service"), 20, _done))
report_part(ReportPart("persons", _("Persons who did the service"), 30, _persons))
report_part(ReportPart("scope", _("What was inspected"), 40, _scope))
report_part(ReportPart("pictures", _("Pictures"), 80, _other_pictures))
report_part(ReportPart("follow-up", _("Follow-up"), 90, _follow_up))


def content_of(service: Service, language: str) -> tuple[dict[str, Any], Pictures]:
    """What the report of a service says now, and its pictures."""
    load_screens()  # every room above has then contributed its part
    pictures = Pictures()
    with translation.override(language):
        parts = []
        for part in REPORT_PARTS:
            made = part.make(service, pictures)
            if made is not None:
                parts.append({"name": part.name, "title": str(part.title), **made})
        return {"language": language, "parts": parts, "signatures": _signatures(service, pictures)}, pictures


def seen_of(service: Service) -> tuple[list[Block], Block]:
    """What was found at a service and what else was photographed, for a page: pictures stand in it as they are,
    for whoever reads it may have no account."""
    pictures = Pictures(most=MOST_ON_A_PAGE, is_page=True)
    parts = [each for each in REPORT_PARTS if each.name in ("findings", "pictures")]
    made = {each.name: each.make(service, pictures) or {} for each in parts}
    uris = {
        name: picture_uri(content, "image/svg+xml" if name.endswith(".svg") else "image/jpeg")
        for name, content in pictures.files.items()
    }
    findings, others = made.get("findings", {}).get("blocks", []), made["pictures"]
    for block in (*findings, others):
        block["pictures"] = [{**each, "uri": uris[each["file"]]} for each in block.get("pictures", [])]
    return findings, others


def _signatures(service: Service, pictures: Pictures) -> list[Block]:
    """Strokes as they were drawn on site; otherwise who confirmed, when and how."""
    made: list[Block] = []
    visit = visit_of(service)
    entries = visit.entries.filter(kind=EntryKind.SIGNATURE, is_removed=False) if visit else []
    for entry in entries:
        said = entry.payload
        name = f"signature-{entry.pk.hex[-12:]}.svg"
        pictures.files[name] = _drawn(said["strokes"])
        side = _now("For the enterprise") if said["of"] == "ENTERPRISE" else _now("For the provider")
        made.append({"side": side, "name": said["name"], "when": _moment(entry.made_at), "file": name})
    if service.confirmation not in ("NONE", "SIGNATURE") or (service.confirmation == "SIGNATURE" and not made):
        made.append(
            {
                "side": f"{_now('For the enterprise')} · {service.get_confirmation_display()}",
                "name": service.confirmed_by or "–",
                "when": str(service.confirmed_on or ""),
                "file": "",
            }
        )
    if not made:
        made.append({"side": _now("For the enterprise"), "name": _now("not confirmed yet"), "when": "", "file": ""})
    return made


def _drawn(strokes: list[list[list[float]]]) -> bytes:
    """A signature as a picture of lines; numbers only, so nothing foreign gets into the file."""
    lines = "".join(
        '<polyline points="{}"/>'.format(" ".join(f"{float(x):.0f},{float(y) / 3:.0f}" for x, y in stroke))
        for stroke in strokes
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 334" width="300" height="100" fill="none" '
        f'stroke="#111" stroke-width="9" stroke-linecap="round" stroke-linejoin="round">{lines}</svg>'
    ).encode()


# issuing --------------------------------------------------------------------------------------------------


def drawn_code(length: int) -> str:
    """A code nobody guesses, of letters and digits that are read from paper without mistakes."""
    return "".join(secrets.choice(ALPHABET) for _each in range(length))


def preview_of(service: Service, language: str, at: datetime) -> bytes:
    """The report as it would be issued now, marked as a draft: nothing is kept and nothing signed."""
    with widened(EVERYTHING):
        content, pictures = content_of(service, language)
        return _typeset(service, content, pictures, at=at)


@action(Permission.ISSUE_REPORTS, "report.issued")
def issue_report(service: Service, *, by: Actor, at: datetime, base: str, language: str = ReportLanguage.ZH) -> Report:
    """Issue the report of a service as its record stands now; `base` is the address of the platform.

    Where the valid issue says the same already, that one is it. Otherwise a new issue supersedes it.
    """
    check_can_be_confirmed(service)
    with widened(EVERYTHING):
        service = Service.objects.select_for_update().get(pk=service.pk)
        content, pictures = content_of(service, language)
        digest = digest_of(content)
        valid = Report.objects.filter(service=service, language=language, state=ReportState.VALID).first()
        if valid is not None and valid.content_sha256 == digest:
            return valid
        day = beijing_day(at)
        number, check = f"BG{day:%Y%m%d}-{drawn_code(6)}", drawn_code(CHECK_LENGTH)
        issue = (Report.objects.filter(service=service).aggregate(last=Max("issue"))["last"] or 0) + 1
        codes = dict(
            Organisation.objects.filter(
                pk__in=[each for each in (service.insurer_id, service.agency_id) if each]
            ).values_list("pk", "code")
        )
        uscc = Enterprise.objects.values_list("uscc", flat=True).get(pk=service.enterprise_id)
        agency_code = codes.get(service.agency_id, "") if service.agency_id else ""
        fields = (number, str(issue), day.isoformat(), codes[service.insurer_id], agency_code, uscc, digest)
        signed = sign("report", fields, at=at)
        address = f"{base.rstrip('/')}/verify/report/{number}/?c={check}"
        pdf = _typeset(service, content, pictures, at=at, face=Face(number, issue, check, signed, address))
        original = keep_original(arrived(pdf), FileType.PDF, None, at)
        if valid is not None:
            valid.state, valid.ended_at = ReportState.SUPERSEDED, at
            valid.save(update_fields=["state", "ended_at"])
        # a service whose record names no report of the insurer's own is reported by this one
        ours = ["", *([f"{valid.number}.pdf"] if valid else [])]
        Service.objects.filter(pk=service.pk, report_file__in=ours).update(report_file=f"{number}.pdf")
        return Report.objects.create(
            **scope_of_service(service),
            number=number,
            check_code=check,
            issue=issue,
            language=language,
            issued_at=at,
            issued_on=day,
            issued_by=by.name[:120],
            content=content,
            content_sha256=digest,
            signed=signed,
            original=original,
            file_sha256=original.sha256,
            service_version=service.version,
        )


@action(Permission.ISSUE_REPORTS, "report.withdrawn")
def withdraw_report(report: Report, *, by: Actor, at: datetime, reason: str) -> Report:
    """Say that a report no longer holds, without another in its place. It stays readable, marked so."""
    if not reason.strip():
        raise Refused(
            "reason_missing",
            _("A report is not withdrawn without a reason."),
            remedy=_("Say why it no longer holds."),
            field="reason",
        )
    with widened(EVERYTHING):
        changed = Report.objects.filter(pk=report.pk, state=ReportState.VALID).update(
            state=ReportState.WITHDRAWN, ended_at=at, reason=reason.strip()[:300]
        )
        Service.objects.filter(pk=report.service_id, report_file=f"{report.number}.pdf").update(report_file="")
        if not changed:
            raise Refused(
                "report_not_valid",
                _("Only a valid report can be withdrawn."),
                remedy=_("Reload the page: somebody may have replaced it meanwhile."),
                status=409,
            )
        report.refresh_from_db()
    return report


def file_of(report: Issued) -> Any:
    """The file of a report, opened; called by whoever sees the report."""
    with widened(EVERYTHING):
        media = Media(original=report.original)
        return open_original(media)


@dataclass(frozen=True)
class Face:
    """What an issued report bears: number, check code, the signed line, and the page that confirms it."""

    number: str
    issue: int
    check: str
    signed: str
    address: str


def typeset_report(
    content: Mapping[str, Any],
    *,
    title: str,
    issuer: str,
    closing: str,
    signed_under: str,
    at: datetime,
    face: Face | None,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """A report as PDF, in the content's language; without a face it is a draft, which proves nothing."""
    if face is None:
        number_line, verify_line, check_line = (
            _now("Draft: not issued, not signed"),
            _now("A draft proves nothing."),
            "",
        )
    else:
        number_line = _now("Report no. %(number)s · issue %(issue)s · %(when)s") % {
            "number": face.number,
            "issue": face.issue,
            "when": _moment(at),
        }
        verify_line = _now(
            "Scan the code to see whether this report is genuine and still holds. It can be checked without a network too: the code carries a signature."
        )
        check_line = _now("check code %(code)s") % {"code": face.check}
    data = {
        **content,
        "lang": "zh" if content["language"].startswith("zh") else "en",
        "title": title,
        "insurer": issuer,
        "number": face.number if face else _now("Draft"),
        "number_line": number_line,
        "verify_line": verify_line,
        "check_line": check_line,
        "signed": face.signed if face else "",
        "footer": issuer,
        "closing": closing,
        "words": {"signatures": signed_under},
    }
    code = qr_svg(f"{face.address}#{face.signed}" if face else "draft")
    return typeset("prevention/report.typ", data, files={"code.svg": code, **(files or {})}, at=at)


def _typeset(
    service: Service, content: dict[str, Any], pictures: Pictures, *, at: datetime, face: Face | None = None
) -> bytes:
    with translation.override(content["language"]):
        return typeset_report(
            content,
            title=_now("Report of a prevention service"),
            issuer=str(Organisation.objects.get(pk=service.insurer_id)),
            closing=_now("The digests below the pictures are those of the originals, which are kept unchanged."),
            signed_under=_now("Signatures and confirmation"),
            at=at,
            face=face,
            files=pictures.files,
        )

"""The one way in for evidence: a content that has arrived becomes an original and a piece of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import Arrived, derived_name, original_name, put, scan
from anze.evidence.actions.matching import keep_fingerprint, match_media
from anze.evidence.models import Media, Original
from anze.evidence.rules import (
    LIMIT_OF,
    PICTURES,
    SUBJECTS,
    TYPES_OF,
    FileType,
    Grade,
    MediaKind,
    MediaRole,
    Subject,
    annotation_problem,
    role_fits,
    sniffed,
)
from anze.evidence.rules.pictures import Exif, Picture, read_picture
from anze.evidence.rules.plausibility import Hint, HintCode, Limits, heaviest, plausibility
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameters
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.kernel.wording import listed
from anze.parties.rules import Permission

MEGABYTE = 1 << 20
MILLION = 1_000_000


def subject_of(kind: str, subject_id: UUID, by: Actor, at: datetime) -> Subject:
    """What evidence shall belong to, in the actor's view; refused where there is no such thing for him."""
    known = SUBJECTS.get(kind)
    if known is None:
        raise Refused(
            "unknown_subject_kind",
            _("Nothing of this kind can have photos or files."),
            remedy=_("Reload the app, so that it is of the same version as the server."),
            field="subject_kind",
        )
    found = known.find(subject_id, by, at)
    if found is None:
        raise Refused(
            "subject_not_found",
            _("The record this belongs to is not there, or not yours."),
            remedy=_("Send the record itself first, then its photos; or sign in with the role that owns it."),
            field="subject",
            status=404,
        )
    return found


def check_may_add(subject: Subject) -> None:
    if not subject.may_add:
        raise Refused(
            "subject_closed",
            subject.why_not or _("Nothing can be added to this record now."),
            remedy=_("Ask the one who keeps the record to open it again."),
            field="subject",
            status=403,
        )


Numbers = Mapping[str, Decimal]


def numbers_on(day: date) -> Numbers:
    """The room's parameters in force on a day, by one query."""
    return parameters("evidence_", day)


def limits_of(numbers: Numbers) -> Limits:
    """The thresholds of the plausibility sheet."""
    return Limits(**{each.name: float(numbers[each.name]) for each in fields(Limits)})


def check_size(kind: str, size: int, numbers: Numbers) -> None:
    limit = int(numbers[LIMIT_OF[kind]] * MEGABYTE)
    if not 0 < size <= limit:
        raise Refused(
            "file_too_large" if size > 0 else "file_empty",
            _("A file of this kind may have up to %(limit)s MB.") if size > 0 else _("The file is empty."),
            remedy=_("Record a shorter video, or choose a smaller picture size.") if size > 0 else _("Take it again."),
            field="size",
            values={"limit": limit // MEGABYTE},
            status=413 if size > 0 else 422,
        )


def check_role(kind: str, role: str) -> None:
    if not role_fits(kind, role):
        raise Refused(
            "role_not_of_kind",
            _("A signature is declared as one, and nothing else is."),
            remedy=_("Send a photo with what it shows, and a signature with whose it is."),
            field="role",
        )


def check_type(kind: str, head: bytes) -> FileType:
    found = sniffed(head)
    if found is None or found not in TYPES_OF[kind]:
        wanted = listed(each.label for each in TYPES_OF[kind])
        raise Refused(
            "wrong_type",
            _("The file's content is none of: %(wanted)s."),
            remedy=_("The name does not matter, the content does: send the file as the camera stored it.")
            if kind == MediaKind.PHOTO
            else _("The name does not matter, the content does: save it in one of these formats."),
            field="file",
            status=415,
            values={"wanted": wanted},
        )
    return found


@action(Permission.ADD_EVIDENCE, "media.received")
def receive_media(
    subject: Subject,
    *,
    by: Actor,
    at: datetime,
    content: Arrived,
    kind: str = MediaKind.PHOTO,
    role: str = MediaRole.SITE,
    client_id: UUID | None = None,
    part: UUID | None = None,
    file_name: str = "",
    captured_at: datetime | None = None,
    device_at: datetime | None = None,
    lon: Decimal | float | None = None,
    lat: Decimal | float | None = None,
    accuracy_m: int | None = None,
    annotation: Mapping[str, Any] | None = None,
    clock_offset_s: int | None = None,
    received_at: datetime | None = None,
) -> Media:
    """Keep a content for a subject. The same `client_id` again changes nothing and gives the same row.

    The file is checked and kept before the row is written; a file without a row is harmless, for its name is
    its hash. `received_at` is given only for what arrived earlier by another way.
    """
    client_id = client_id or uuid4()
    with widened(EVERYTHING):
        if (before := before_by(client_id, content.sha256, by)) is not None:
            return before
        check_may_add(subject)
        numbers = numbers_on(beijing_day(at))
        check_role(kind, role)
        check_size(kind, content.size, numbers)
        file_type = check_type(kind, content.head())
        if problem := annotation_problem(annotation):
            raise Refused(
                "annotation_unreadable",
                _("What was drawn over the picture cannot be read (%(problem)s)."),
                remedy=_("Draw it again."),
                field="annotation",
                values={"problem": problem},
            )
        scan(content)
        picture = _picture(content, file_type, numbers)
        exif = picture.exif if picture else Exif()
        media = Media(
            kind=kind,
            role=role,
            subject_kind=subject.kind,
            subject=subject.id,
            part=part,
            client_id=client_id,
            file_name=clean_name(file_name),
            captured_at=captured_at or exif.at,
            device_at=device_at,
            received_at=received_at or at,
            clock_offset_s=clock_offset_s if clock_offset_s is not None else clock_offset(device_at, at),
            **_position(lon, lat, accuracy_m),
            exif_at=exif.at,
            exif_lon=_degrees(exif.lon),
            exif_lat=_degrees(exif.lat),
            device=exif.device,
            annotation=dict(annotation or {}),
            taken_by=by.account_id,
            taken_by_name=by.name,
            expert_id=subject.expert_id,
            region_code=subject.region_code,
            sector=subject.sector,
            insurer_id=subject.insurer_id,
            agency_id=subject.agency_id,
            enterprise_id=subject.enterprise_id,
        )
        if kind == MediaKind.PHOTO:
            hints = plausibility(subject.window, subject.site, [cast("Any", media)], limits_of(numbers))
            media.hints = list(dict.fromkeys(hint.code.value for hint in hints))
            media.grade = heaviest(hints)
            if picture and picture.is_damaged:
                media.hints.append(HintCode.DAMAGED.value)
                media.grade = media.grade or Grade.INFO
        media.original, is_known = keep_or_find(content, file_type, picture, at)
        try:
            with transaction.atomic():
                media.save(force_insert=True)
        except IntegrityError:
            # the same device sent it twice at once, and the other one was first
            if (before := before_by(client_id, content.sha256, by)) is not None:
                return before
            raise
        if picture and kind != MediaKind.SIGNATURE:
            match_media(media, keep_fingerprint(media.original, picture), picture, at, is_known=is_known)
        return media


def before_by(client_id: UUID, sha256: str, by: Actor) -> Media | None:
    """What this device number stands for already, if it does. Another content under it is refused."""
    if not Media.objects.filter(client_id=client_id).exists():  # nearly always, and much the lighter question
        return None
    found = Media.objects.select_related("original").filter(client_id=client_id).first()
    if found is not None and (found.original.sha256 != sha256 or found.taken_by != by.account_id):
        raise number_taken()
    return found


def number_taken() -> Refused:
    return Refused(
        "client_id_taken",
        _("Another file was sent under this number before."),
        remedy=_("Give the file a number of its own and send it again."),
        field="client_id",
        status=409,
    )


def _picture(content: Arrived, file_type: FileType, numbers: Numbers) -> Picture | None:
    if file_type not in PICTURES:
        return None
    most = int(numbers["megapixels"] * MILLION)
    with content.open() as file:
        return read_picture(cast("Any", file.file or file), file_type, most)


def keep_original(content: Arrived, file_type: FileType, picture: Picture | None, at: datetime) -> Original:
    """The original of a content, kept once."""
    return keep_or_find(content, file_type, picture, at)[0]


_ADD_ORIGINAL = """
    INSERT INTO evidence_original (id, sha256, size, media_type, width, height, is_damaged, stored_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (sha256) DO NOTHING
"""


def keep_or_find(content: Arrived, file_type: FileType, picture: Picture | None, at: datetime) -> tuple[Original, bool]:
    """The original of a content, and whether it was there before."""
    original = Original(
        sha256=content.sha256,
        size=content.size,
        media_type=file_type,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        is_damaged=picture.is_damaged if picture else False,
        stored_at=at,
    )
    with content.open() as file:
        put(original_name(original), file)
    if picture:
        put(derived_name(original, "small"), ContentFile(picture.thumbnail))
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_ORIGINAL,
            [original.pk, original.sha256, original.size, original.media_type, original.width, original.height,
             original.is_damaged, original.stored_at],
        )  # fmt: skip
        if cursor.rowcount:
            original._state.adding = False
            return original, False
    return Original.objects.get(sha256=content.sha256), True


def clean_name(name: str) -> str:
    """A file's name without folders and without what could break a page or a header."""
    name = name.replace("\\", "/").rpartition("/")[2]
    return " ".join("".join(c if c.isprintable() and c not in '"<>' else " " for c in name).split())[:160]


def clock_offset(device_at: datetime | None, at: datetime) -> int | None:
    """How far ahead the device's clock is, judged when it declares a file."""
    if device_at is None:
        return None
    return max(-(2**31), min(2**31 - 1, round((device_at - at).total_seconds())))


def _degrees(value: float | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.000001"))


def _position(lon: Any, lat: Any, accuracy_m: int | None) -> dict[str, Any]:
    """What the device said about where it was; nonsense is left out, not refused."""
    try:
        lon, lat = _degrees(lon), _degrees(lat)
        fits = lon is not None and lat is not None and abs(lon) <= 180 and abs(lat) <= 90 and (lon, lat) != (0, 0)
    except ArithmeticError:
        fits = False
    if not fits:
        return {}
    accuracy = accuracy_m if accuracy_m is not None and 0 <= accuracy_m < 10_000_000 else None
    return {"lon": lon, "lat": lat, "accuracy_m": accuracy}


def plausibility_of(subject: Subject, at: datetime) -> list[Hint]:
    """The plausibility sheet of everything photographed for a subject, as far as the reader sees it."""
    photos = Media.objects.filter(subject=subject.id, kind=MediaKind.PHOTO, voided_at=None)
    return plausibility(
        subject.window, subject.site, list(cast("Any", photos[:500])), limits_of(numbers_on(beijing_day(at)))
    )


def lay_over(subject: UUID, drawn: Mapping[UUID, Sequence[Mapping[str, Any]]]) -> None:
    """Keep what was drawn over pictures of a subject, by the ids their devices gave them. It may be drawn before a
    picture is sent and after; so the record that says what was drawn calls this whenever it changes. What cannot be
    such a layer is left out. Within an action of the room above, in its scope."""
    for media in Media.objects.filter(subject=subject, client_id__in=drawn):
        shapes = [{**each, "points": [list(point) for point in each["points"]]} for each in drawn[media.client_id]]
        annotation = {"shapes": shapes} if shapes else {}
        if annotation != media.annotation and not annotation_problem(annotation):
            media.annotation = annotation
            media.save(update_fields=["annotation"])


@action(Permission.ADD_EVIDENCE, "media.voided")
def void_media(media: Media, *, by: Actor, at: datetime, reason: str) -> Media:
    """Set a piece of evidence aside, with a reason; it stays readable and keeps its matches."""
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise Refused(
            "reason_missing", _("Say why it does not count."), remedy=_("One sentence is enough."), field="reason"
        )
    if media.voided_at:
        raise Refused("voided_before", _("It was set aside before."), remedy=_("Reload the page."), status=409)
    if media.taken_by != by.account_id:
        raise Refused(
            "not_yours",
            _("Only the one who sent it sets it aside."),
            remedy=_("Ask %(name)s."),
            values={"name": media.taken_by_name},
            status=403,
        )
    media.voided_at, media.void_reason = at, reason
    media.save(update_fields=["voided_at", "void_reason"])
    return media

"""Files on their way: declared, sent in pieces, checked when the last piece is there.

What is acknowledged is on the disk. A server that is killed leaves at most bytes it never acknowledged; they are
sent again. What cannot be taken is refused with its reason and forgotten, so that it can be sent anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.files import append_part, arrived, drop_part, part_path
from anze.evidence.actions.media import (
    MEGABYTE,
    Numbers,
    before_by,
    check_may_add,
    check_role,
    check_size,
    clock_offset,
    number_taken,
    numbers_on,
    receive_media,
    subject_of,
)
from anze.evidence.models import Media, Upload
from anze.evidence.rules import MediaKind, UploadState
from anze.kernel.actions import require
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission

KEPT_DAYS = 14
PIECE_MOST = 8 * MEGABYTE
# refusals that go away by themselves: the bytes are kept, the last piece is just sent again
_PASSING = {"scanner_away", "subject_not_found", "subject_closed", "not_permitted"}


@dataclass(frozen=True)
class Declared:
    """What a device says about a file before it sends it."""

    client_id: UUID
    sha256: str
    size: int
    kind: MediaKind
    role: str
    subject_kind: str
    subject: UUID
    part: UUID | None = None
    file_name: str = ""
    captured_at: datetime | None = None
    device_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    accuracy_m: int | None = None
    annotation: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Progress:
    """Where a file stands: the upload with its offset, or the piece of evidence it became. `refused`: why not."""

    upload: Upload | None = None
    media: Media | None = None
    refused: Refused | None = None


def declare_upload(declared: Declared, *, by: Actor, at: datetime) -> Progress:
    """Begin an upload, find the one under way again, or say at once that the file is here.

    No event of its own: nothing is there yet. A number that was refused before starts anew.
    """
    require(by, Permission.ADD_EVIDENCE)
    with widened(EVERYTHING):
        if (media := before_by(declared.client_id, declared.sha256, by)) is not None:
            return Progress(media=media)
    numbers = numbers_on(beijing_day(at))
    check_role(declared.kind, declared.role)
    check_size(declared.kind, declared.size, numbers)
    check_may_add(subject_of(declared.subject_kind, declared.subject, by, at))
    with widened(EVERYTHING):
        known = Upload.objects.select_for_update().filter(client_id=declared.client_id).first()
        if known is None:
            _check_quota(declared, by, at, numbers)
            begun = Upload(
                client_id=declared.client_id,
                account_id=by.account_id,
                sha256=declared.sha256,
                size=declared.size,
                declared=_kept(declared, at),
                started_at=at,
                expires_at=at + timedelta(days=KEPT_DAYS),
            )
            # the same number sent twice at once: the second finds the first one's upload
            Upload.objects.bulk_create([begun], ignore_conflicts=True)
            known = Upload.objects.select_for_update().get(client_id=declared.client_id)
        same = (known.account_id, known.sha256, known.size) == (by.account_id, declared.sha256, declared.size)
        if known.account_id != by.account_id or (not same and known.state != UploadState.REFUSED):
            raise number_taken()
        if known.state == UploadState.REFUSED or not same:
            known.sha256, known.size, known.received = declared.sha256, declared.size, 0
            known.state, known.refusal, known.declared = UploadState.OPEN, "", _kept(declared, at)
            known.expires_at = at + timedelta(days=KEPT_DAYS)
            known.save()
        return Progress(upload=known)


def _kept(declared: Declared, at: datetime) -> dict[str, Any]:
    """What is kept until the last piece comes, as plain values. The clock is compared now, while it is read."""
    return {
        "kind": declared.kind.value,
        "role": declared.role,
        "subject_kind": declared.subject_kind,
        "subject": str(declared.subject),
        "part": str(declared.part) if declared.part else None,
        "file_name": declared.file_name[:400],
        "captured_at": declared.captured_at.isoformat() if declared.captured_at else None,
        "device_at": declared.device_at.isoformat() if declared.device_at else None,
        "clock_offset_s": clock_offset(declared.device_at, at),
        "lon": declared.lon,
        "lat": declared.lat,
        "accuracy_m": declared.accuracy_m,
        "annotation": dict(declared.annotation or {}),
    }


def _check_quota(declared: Declared, by: Actor, at: datetime, numbers: Numbers) -> None:
    """So many files and bytes an account a day; enough for any day's work, too little to fill a disk."""
    recent = Upload.objects.filter(account_id=by.account_id, started_at__gt=at - timedelta(days=1))
    sums = recent.aggregate(files=Count("id"), bytes=Sum("size"))
    most_files = int(numbers["daily_files"])
    most_bytes = int(numbers["daily_mb"]) * MEGABYTE
    if sums["files"] >= most_files or (sums["bytes"] or 0) + declared.size > most_bytes:
        raise Refused(
            "quota_reached",
            _("More than %(files)s files or %(megabytes)s MB came from this account within a day."),
            remedy=_("Nothing is lost: the device sends the rest tomorrow. More is possible by a parameter."),
            status=429,
            values={"files": most_files, "megabytes": most_bytes // MEGABYTE},
        )


def append_piece(upload_id: UUID, *, by: Actor, at: datetime, offset: int, piece: bytes) -> Progress:
    """Add a piece; with the last one the file is checked and becomes evidence.

    Runs in the caller's transaction. A refusal of the finished file is an answer and not an exception, because
    it has to stay written.
    """
    require(by, Permission.ADD_EVIDENCE)
    with widened(EVERYTHING):
        upload = Upload.objects.select_for_update().filter(pk=upload_id, account_id=by.account_id).first()
        if upload is None:
            raise Refused(
                "upload_not_found",
                _("There is no such upload any more."),
                remedy=_("Declare the file again; nothing on the device is lost."),
                status=404,
            )
        if upload.media_id is not None:
            return Progress(upload, Media.objects.select_related("original").get(pk=upload.media_id))
        if upload.state == UploadState.REFUSED:
            raise Refused(
                "upload_refused",
                _("This file was refused before."),
                remedy=_("Declare it again."),
                status=409,
            )
        if offset != upload.received:
            raise WrongOffset(upload)
        if offset + len(piece) > upload.size:
            raise Refused(
                "more_than_declared",
                _("More bytes were sent than the file was said to have."),
                remedy=_("Declare the file again with its true size."),
                status=413,
            )
        try:
            append_part(upload.pk, upload.received, piece)
        except FileNotFoundError:
            # the disk with the parts was lost: the device has everything and starts again
            upload.received = 0
            upload.save(update_fields=["received"])
            return Progress(upload, refused=WrongOffset(upload))
        upload.received += len(piece)
        upload.save(update_fields=["received"])
    if upload.received < upload.size:
        return Progress(upload)
    return _finish(upload, by, at)


class WrongOffset(Refused):
    """The piece does not continue where the server stands; `upload` knows where that is."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(
            "wrong_offset",
            _("The server has %(received)s bytes of this file."),
            remedy=_("Continue from there."),
            status=409,
            values={"received": upload.received},
        )
        self.upload = upload


def _finish(upload: Upload, by: Actor, at: datetime) -> Progress:
    """Check the whole file and make it evidence, in a savepoint of its own."""
    try:
        with transaction.atomic():
            content = arrived(part_path(upload.pk))
            if content.sha256 != upload.sha256:
                raise Refused(
                    "wrong_hash",
                    _("The bytes that arrived are not those that were announced."),
                    remedy=_("Send the file again from the beginning."),
                    field="sha256",
                )
            words: dict[str, Any] = dict(upload.declared)
            subject = subject_of(words.pop("subject_kind"), UUID(words.pop("subject")), by, at)
            for name in ("captured_at", "device_at"):
                words[name] = datetime.fromisoformat(words[name]) if words[name] else None
            words["part"] = UUID(words["part"]) if words["part"] else None
            media = receive_media(subject, by=by, at=at, content=content, client_id=upload.client_id, **words)
            with widened(EVERYTHING):
                upload.state, upload.media = UploadState.DONE, media
                upload.save(update_fields=["state", "media"])
    except Refused as refused:
        upload.media = None
        if refused.code in _PASSING:
            # everything is here; one byte less is acknowledged, so that the last piece comes again
            upload.state, upload.received = UploadState.OPEN, upload.size - 1
        else:
            upload.state, upload.refusal, upload.received = UploadState.REFUSED, refused.code, 0
            transaction.on_commit(lambda: drop_part(upload.pk))
        with widened(EVERYTHING):
            upload.save(update_fields=["state", "refusal", "received", "media"])
        return Progress(upload, refused=refused)
    transaction.on_commit(lambda: drop_part(upload.pk))
    return Progress(upload, media)


def clear_uploads(*, at: datetime) -> int:
    """Forget uploads nobody continued, and finished ones after a while; evidence itself is never touched."""
    with widened(EVERYTHING):
        old = list(Upload.objects.filter(expires_at__lt=at).order_by("expires_at")[:1000])
        for each in old:
            drop_part(each.pk)
        Upload.objects.filter(pk__in=[each.pk for each in old]).delete()
    return len(old)


def open_upload(upload_id: UUID, by: Actor) -> Upload | None:
    with widened(EVERYTHING):
        return Upload.objects.select_related("media__original").filter(pk=upload_id, account_id=by.account_id).first()

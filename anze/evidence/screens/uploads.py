"""Where devices send files to, piece by piece."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions.matching import earlier_of
from anze.evidence.actions.uploads import (
    PIECE_MOST,
    Declared,
    Progress,
    WrongOffset,
    append_piece,
    declare_upload,
    open_upload,
)
from anze.evidence.models import Media, Upload
from anze.evidence.rules import UploadState
from anze.evidence.rules.plausibility import HintCode
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission
from anze.screen.registry import page

DECLARED_MOST = 64 * 1024
_HASH = re.compile(r"[0-9a-f]{64}")


@page("evidence/uploads/", name="uploads", permission=Permission.ADD_EVIDENCE, methods=("POST",))
def uploads(request: HttpRequest) -> HttpResponse:
    """Declare a file. The answer is its receipt, or where to send its bytes and from which on."""
    declared = _declared(request)
    found = declare_upload(declared, by=_actor(request), at=_at(request))
    return _answer(request, found, 201)


@page(
    "evidence/uploads/<uuid:pk>/",
    name="uploads-piece",
    permission=Permission.ADD_EVIDENCE,
    methods=("GET", "PATCH"),
)
def piece(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The offset of an upload, or another piece of it."""
    if request.method != "PATCH":
        upload = open_upload(pk, _actor(request))
        if upload is None:
            raise Http404
        return _answer(request, Progress(upload, upload.media), 200)
    offset = request.headers.get("Upload-Offset", "")
    if not offset.isascii() or not offset.isdigit() or len(offset) > 15:
        raise Refused(
            "offset_missing",
            _("The header Upload-Offset does not say where the piece belongs."),
            remedy=_("Ask with HEAD for the offset and send it along."),
            field="Upload-Offset",
        )
    try:
        found = append_piece(pk, by=_actor(request), at=_at(request), offset=int(offset), piece=_body(request))
    except WrongOffset as refused:
        return _with_offset(_problem(refused), refused.upload)
    if found.refused is not None:
        answer = _problem(found.refused)
        return _with_offset(answer, found.upload) if found.upload else answer
    return _answer(request, found, 204)


def _body(request: HttpRequest) -> bytes:
    """The bytes of a piece; of one that breaks off, what came of it."""
    if int(request.headers.get("Content-Length") or 0) > PIECE_MOST:
        raise Refused(
            "piece_too_large",
            _("A piece may have up to %(limit)s bytes."),
            remedy=_("Cut the file into smaller pieces."),
            status=413,
            values={"limit": PIECE_MOST},
        )
    came = bytearray()
    try:
        while len(came) < PIECE_MOST and (chunk := request.read(min(1 << 16, PIECE_MOST - len(came)))):
            came += chunk
    except (UnreadablePostError, OSError):
        pass
    return bytes(came)


def _declared(request: HttpRequest) -> Declared:
    body = request.read(DECLARED_MOST + 1)
    try:
        declared = msgspec.json.decode(body, type=Declared, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        # msgspec names the field: “… - at `$.size`”
        place = re.search(r"`\$\.?([\w.]*)", str(problem))
        raise Refused(
            "declaration_unreadable",
            _("What was said about the file cannot be read: %(problem)s"),
            remedy=_("The fields are described in docs/evidence.md."),
            field=place[1] if place else "",
            values={"problem": str(problem)[:200]},
        ) from None
    if not _HASH.fullmatch(declared.sha256):
        raise Refused(
            "hash_unreadable",
            _("The SHA-256 of a file is 64 hexadecimal digits in lower case."),
            remedy=_("Compute it on the device over the whole file."),
            field="sha256",
        )
    for name in ("captured_at", "device_at"):
        moment = getattr(declared, name)
        if moment is not None and (moment.tzinfo is None or not 1990 < moment.year < 2200):
            raise Refused(
                "moment_unreadable",
                _("A moment is written with its offset from UTC, as 2026-11-23T10:00:00+08:00."),
                remedy=_("Leave it out where the device does not know it."),
                field=name,
            )
    return declared


def _answer(request: HttpRequest, found: Progress, status: int) -> HttpResponse:
    if found.media is not None:
        answer: HttpResponse = JsonResponse({"state": "received", "receipt": receipt(found.media)})
        size = found.media.original.size
        answer["Upload-Offset"] = answer["Upload-Length"] = str(size)
        answer["Cache-Control"] = "no-store"
        return answer
    upload = found.upload
    assert upload is not None
    if status == 204:
        answer = HttpResponse(status=204)
    else:
        answer = JsonResponse(
            {
                "state": "refused" if upload.state == UploadState.REFUSED else "open",
                "refusal": upload.refusal,
                "upload": reverse("uploads-piece", args=[upload.pk]),
                "offset": upload.received,
                "size": upload.size,
                "piece": PIECE_MOST,
                "expires_at": upload.expires_at.isoformat(),
            },
            status=status,
        )
    return _with_offset(answer, upload)


def _with_offset(answer: HttpResponse, upload: Upload) -> HttpResponse:
    answer["Upload-Offset"] = str(upload.received)
    answer["Upload-Length"] = str(upload.size)
    answer["Cache-Control"] = "no-store"
    return answer


def receipt(media: Media) -> dict[str, Any]:
    """What the sender gets for a file: the proof that it is here, and what he should know before he submits."""
    return {
        "id": str(media.pk),
        "client_id": str(media.client_id),
        "sha256": media.original.sha256,
        "size": media.original.size,
        "received_at": media.received_at.isoformat(),
        "hints": [{"code": code, "title": str(HintCode(code).label)} for code in media.hints],
        "same_as": [
            {
                "id": str(each.first_id),
                "kind": each.kind,
                "title": str(each.get_kind_display()),
                "received_at": each.first.received_at.isoformat(),
                "subject_kind": each.first.subject_kind,
                "subject": str(each.first.subject),
                "url": reverse("media", args=[each.first_id]),
            }
            for each in earlier_of(media)
        ],
    }


def _problem(refused: Refused) -> JsonResponse:
    body = {"type": f"urn:anze:problem:{refused.code}", "title": refused.message, "status": refused.status}
    body |= {"detail": refused.remedy or refused.message}
    if refused.field:
        body["field"] = refused.field
    return JsonResponse(body, status=refused.status, content_type="application/problem+json")


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined,no-any-return]


def _at(request: HttpRequest) -> datetime:
    return request.at  # type: ignore[attr-defined,no-any-return]

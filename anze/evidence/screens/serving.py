"""The pictures and files themselves. Whoever sees the row may see the file; nobody else learns that it is there.

A browser is told what a file is and never guesses; the original, which may be anything inside, is only ever
saved, never shown.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified

from anze.evidence.actions.files import is_picture, open_original, preview_file, thumbnail_file
from anze.evidence.models import Media
from anze.evidence.rules import SUFFIXES
from anze.kernel.audit import record
from anze.parties.rules import Permission
from anze.screen.lists import check_reader
from anze.screen.ranges import file_answer
from anze.screen.registry import page

_NOTHING_RUNS = "default-src 'none'; sandbox; frame-ancestors 'none'"


def media_seen(request: HttpRequest, pk: UUID) -> Media:
    check_reader(request, Media)
    found = Media.objects.select_related("original").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("evidence/media/<uuid:pk>/small.jpg", name="media-small", permission=Permission.SEE_EVIDENCE)
def small(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The small picture, without EXIF."""
    media = media_seen(request, pk)
    return _picture(request, media, "small")


@page("evidence/media/<uuid:pk>/large.jpg", name="media-large", permission=Permission.SEE_EVIDENCE)
def large(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The picture for the screen, without EXIF."""
    media = media_seen(request, pk)
    return _picture(request, media, "large")


def _picture(request: HttpRequest, media: Media, what: str) -> HttpResponse:
    if not is_picture(media.original):
        raise Http404
    mark = f'"{media.original.sha256[:32]}-{what}"'
    if request.headers.get("If-None-Match") == mark:
        answer: HttpResponse = HttpResponseNotModified()
    else:
        make = thumbnail_file if what == "small" else preview_file
        answer = HttpResponse(make(media), content_type="image/jpeg")
    answer["ETag"] = mark
    # kept by the reader's own browser only, and not so long that it outlives a sign-out by much
    answer["Cache-Control"] = "private, max-age=3600"
    answer["Content-Security-Policy"] = _NOTHING_RUNS
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@page("evidence/media/<uuid:pk>/original", name="media-original", permission=Permission.SEE_EVIDENCE)
def original(request: HttpRequest, pk: UUID) -> Any:
    """The very bytes that were sent, as a file to be saved; of a video a player takes parts. Who takes one is on
    record, for the many parts of one playing about once."""
    media = media_seen(request, pk)
    one_playing = f"taken:{media.pk}:{request.actor.account_id}"  # type: ignore[attr-defined]
    if "Range" not in request.headers or cache.add(one_playing, True, timeout=3600):
        record(
            "media.original_taken",
            by=request.actor,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            about=media,
            details={"sha256": media.original.sha256},
        )
    answer = file_answer(
        request,
        partial(open_original, media),
        size=media.original.size,
        content_type=media.original.media_type,
        mark=media.original.sha256,
    )
    suffix = SUFFIXES[media.original.media_type]
    name = media.file_name or f"{media.pk}.{suffix}"
    if not name.lower().endswith(f".{suffix}"):
        name = f"{name}.{suffix}"
    answer["Content-Disposition"] = f"attachment; filename=\"{media.pk}.{suffix}\"; filename*=UTF-8''{quote(name)}"
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Security-Policy"] = _NOTHING_RUNS
    answer["X-Content-Type-Options"] = "nosniff"
    return answer

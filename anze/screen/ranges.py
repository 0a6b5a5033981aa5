"""A kept file, whole or in the part a player or a resumed download asks for (RFC 9110 §14).

A phone seeks in a video only where the server gives parts of it. One part at a time is given: several at once are
asked for by nobody who plays, and the whole file is a right answer to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse

PIECE = 256 * 1024
_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def asked_part(header: str, size: int) -> tuple[int, int] | None:
    """First byte and number of bytes of the part a header asks for; None where the whole file is the answer.

    A part of which the file has nothing has no bytes. What is not understood is passed over, as the standard says.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or (not found[1] and not found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        return size - length, length
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return None
    return first, max(0, last - first + 1)


def is_beginning(request: HttpRequest) -> bool:
    """Whether a request asks for the beginning of a file: what comes after it is the same use going on."""
    found = _ONE.fullmatch(request.headers.get("Range", "").strip())
    return found is None or (found[1].strip("0") == "" and found[1] != "")


def file_answer(
    request: HttpRequest, opens: Callable[[], Any], *, size: int, content_type: str, mark: str
) -> HttpResponseBase:
    """The file, or the part of it that is asked for. `opens` gives it open for reading; `mark` names its content."""
    etag = f'"{mark}"'
    answer: HttpResponseBase
    if request.headers.get("If-None-Match") == etag:
        answer = HttpResponseNotModified()
    else:
        part = asked_part(request.headers.get("Range", ""), size) if _still_same(request, etag) else None
        if part is None:
            answer = StreamingHttpResponse(_pieces(opens, 0, size), content_type=content_type)
            answer["Content-Length"] = str(size)
        elif not part[1]:
            answer = HttpResponse(status=416)
            answer["Content-Range"] = f"bytes */{size}"
        else:
            first, length = part
            answer = StreamingHttpResponse(_pieces(opens, first, length), content_type=content_type, status=206)
            answer["Content-Length"] = str(length)
            answer["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = etag
    return answer


def _still_same(request: HttpRequest, etag: str) -> bool:
    """A part is only right beside what was read before: `If-Range` names that content."""
    return request.headers.get("If-Range", etag) == etag


def _pieces(opens: Callable[[], Any], first: int, length: int) -> Iterator[bytes]:
    """The bytes piece by piece; the file is opened when the first is asked for and closed after the last."""
    with closing(opens()) as file:
        if first:
            file.seek(first)
        while length > 0 and (piece := file.read(min(PIECE, length))):
            length -= len(piece)
            yield piece

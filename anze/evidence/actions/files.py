"""Where contents lie: originals under the name of their hash, what is made from them beside, parts of uploads apart.

Originals and derived files go through Django's storage interface, so a folder and a bucket are the same here.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.translation import gettext_lazy as _

from anze.evidence.models import Media, Original
from anze.evidence.rules import PICTURES, SUFFIXES, FileType
from anze.evidence.rules.pictures import make_preview, read_picture, with_layer
from anze.kernel.refusal import Refused

_PIECE = 1 << 20


class Disk(FileSystemStorage):
    """A folder in which a file is there as a whole or not at all, also when the power fails."""

    def _save(self, name: str, content: File[Any]) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        passing = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            with passing.open("xb") as file:
                for chunk in content.chunks(_PIECE):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            passing.replace(target)
        finally:
            passing.unlink(missing_ok=True)
        _sync_folder(target.parent)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # the same name is the same content


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def store() -> Storage:
    return storages["evidence"]


def original_name(original: Original) -> str:
    mark = original.sha256
    return f"originals/{mark[:2]}/{mark[2:4]}/{mark}.{SUFFIXES[original.media_type]}"


def derived_name(original: Original, what: str) -> str:
    mark = original.sha256
    return f"derived/{mark[:2]}/{mark[2:4]}/{mark}-{what}.jpg"


def put(name: str, content: File[Any]) -> None:
    """Keep a content, unless it lies there already with its full length."""
    files = store()
    if files.exists(name) and files.size(name) == content.size:
        return
    files.save(name, content)


def open_original(media: Media) -> File[Any]:
    return store().open(original_name(media.original), "rb")


def is_picture(original: Original) -> bool:
    return original.media_type in PICTURES


def thumbnail_file(media: Media) -> bytes:
    """The small picture of a photo; made again where it got lost."""
    return small_picture(media.original)


def small_picture(original: Original) -> bytes:
    return _derived(original, "small")


def preview_file(media: Media) -> bytes:
    """The picture for the screen and for reports (JPEG, longer side 1600, upright, without EXIF)."""
    return _derived(media.original, "large")


def shapes_over(media: Media) -> list[dict[str, Any]]:
    """What was drawn over a picture: arrows, boxes, lines and words."""
    return list((media.annotation or {}).get("shapes") or ())


def shown_file(media: Media, *, is_small: bool = False) -> tuple[bytes, str]:
    """A picture as whoever took it wants it seen, with what he drew over it, and its media type."""
    picture = thumbnail_file(media) if is_small else preview_file(media)
    shapes, original = shapes_over(media), media.original
    if not shapes or not original.width or not original.height:
        return picture, "image/jpeg"
    return with_layer(picture, original.width, original.height, shapes), "image/svg+xml"


def picture_uri(content: bytes, media_type: str) -> str:
    """A picture as part of a page, for pages whose readers have no account."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _derived(original: Original, what: str) -> bytes:
    if not is_picture(original):
        raise Refused("no_picture", _("There is no picture of this file."), remedy=_("Open the original."), status=404)
    name = derived_name(original, what)
    files = store()
    with suppress(FileNotFoundError), files.open(name, "rb") as kept:
        return bytes(kept.read())
    with files.open(original_name(original), "rb") as file:
        if what == "small":
            made = read_picture(cast("BinaryIO", file), FileType(original.media_type)).thumbnail
        else:
            made = make_preview(cast("BinaryIO", file), FileType(original.media_type))
    put(name, ContentFile(made))
    return made


# contents on their way in ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrived:
    """A content on this machine's disk or in memory, not yet kept."""

    size: int
    sha256: str
    path: Path | None = None
    data: bytes = b""

    def __str__(self) -> str:
        return self.sha256

    def open(self) -> File[Any]:
        return File(self.path.open("rb")) if self.path else ContentFile(self.data)

    def head(self) -> bytes:
        with closing(self.open()) as file:
            return bytes(file.read(64))


def arrived(content: bytes | Path) -> Arrived:
    """A content as it came, with its hash."""
    if isinstance(content, bytes):
        return Arrived(len(content), hashlib.sha256(content).hexdigest(), data=content)
    with content.open("rb") as file:
        return Arrived(content.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), path=content)


def part_path(upload_id: UUID) -> Path:
    return Path(settings.EVIDENCE_PARTS) / f"{upload_id}.part"


def append_part(upload_id: UUID, received: int, piece: bytes) -> None:
    """Add a piece behind the bytes that are safely there; it is on the disk when this returns.

    What lies behind `received` was written by somebody who was killed before he could say so, and goes.
    FileNotFoundError when fewer bytes are there than were acknowledged.
    """
    path = part_path(upload_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab" if received == 0 else "r+b") as file:
        if path.stat().st_size < received:
            raise FileNotFoundError(path)
        file.truncate(received)
        file.seek(received)
        file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if received == 0:
        _sync_folder(path.parent)


def drop_part(upload_id: UUID) -> None:
    part_path(upload_id).unlink(missing_ok=True)


# the virus scanner ----------------------------------------------------------------------------------------


def scan(content: Arrived) -> None:
    """Let ClamAV look at a file (INSTREAM), where a scanner is set; no file passes while it is away."""
    if not settings.EVIDENCE_CLAMD:
        return
    host, _colon, port = settings.EVIDENCE_CLAMD.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=60) as line, closing(content.open()) as file:
            line.sendall(b"zINSTREAM\0")
            while piece := file.read(_PIECE // 4):
                line.sendall(struct.pack(">I", len(piece)) + piece)
            line.sendall(struct.pack(">I", 0))
            said = b"".join(iter(lambda: line.recv(4096), b"")).decode("utf-8", "replace").strip("\0 \n")
    except (OSError, ValueError):
        said = ""
    if said.endswith(" OK"):
        return
    if said.endswith(" FOUND"):
        raise Refused(
            "virus_found",
            _("The virus scanner found something in this file: %(name)s."),
            remedy=_("Have the device checked, and send the file as the camera stored it."),
            field="file",
            values={"name": said.removesuffix(" FOUND").rpartition(": ")[2][:80]},
        )
    raise Refused(
        "scanner_away",
        _("The virus scanner does not answer, so no file is taken at present."),
        remedy=_("Nothing is lost: the device keeps the file and sends it again by itself."),
        field="file",
        status=503,
    )

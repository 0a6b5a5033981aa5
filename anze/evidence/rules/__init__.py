"""Kinds of evidence, what each may be, and what it may belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.actor import Actor
from anze.kernel.lifecycle import Lifecycle, Transition


class MediaKind(TextChoices):
    PHOTO = "PHOTO", pgettext_lazy("kind of a file", "photo")
    VIDEO = "VIDEO", _("video")
    DOCUMENT = "DOCUMENT", _("document")
    SIGNATURE = "SIGNATURE", _("signature")


class MediaRole(TextChoices):
    """What it shows of the thing it belongs to."""

    SITE = "SITE", _("the site")
    HAZARD = "HAZARD", _("hazard as found")
    RECTIFIED = "RECTIFIED", _("after rectification")
    SERVICE_MARK = "SERVICE_MARK", _("unified service mark")
    ATTENDANCE = "ATTENDANCE", pgettext_lazy("role of a file", "persons attending")
    SIGNATURE_EXPERT = "SIGNATURE_EXPERT", _("expert's signature")
    SIGNATURE_ENTERPRISE = "SIGNATURE_ENTERPRISE", _("enterprise's signature")
    DOCUMENT = "DOCUMENT", pgettext_lazy("role of a file", "document")
    OTHER = "OTHER", _("other picture")


SIGNATURES = (MediaRole.SIGNATURE_EXPERT, MediaRole.SIGNATURE_ENTERPRISE)


def role_fits(kind: str, role: str) -> bool:
    """Whether a file of this kind may show this. Only signatures are not compared with other pictures, hence nothing
    else is declared one, and a signature shows nothing else."""
    return role in MediaRole and (kind == MediaKind.SIGNATURE) == (role in SIGNATURES)


class FileType(TextChoices):
    """The contents that are taken, told by their first bytes and never by their name."""

    JPEG = "image/jpeg", "JPEG"
    PNG = "image/png", "PNG"
    WEBP = "image/webp", "WebP"
    HEIC = "image/heic", "HEIC"
    MP4 = "video/mp4", "MP4"
    MOV = "video/quicktime", "MOV"
    PDF = "application/pdf", "PDF"


PICTURES = (FileType.JPEG, FileType.PNG, FileType.WEBP, FileType.HEIC)
TYPES_OF: dict[str, tuple[FileType, ...]] = {
    MediaKind.PHOTO: PICTURES,
    MediaKind.VIDEO: (FileType.MP4, FileType.MOV),
    MediaKind.DOCUMENT: (FileType.PDF, *PICTURES),
    MediaKind.SIGNATURE: (FileType.PNG, FileType.JPEG, FileType.WEBP),
}
# the parameter evidence_… that limits the size, in megabytes
LIMIT_OF: dict[str, str] = {
    MediaKind.PHOTO: "photo_mb",
    MediaKind.VIDEO: "video_mb",
    MediaKind.DOCUMENT: "document_mb",
    MediaKind.SIGNATURE: "photo_mb",
}
SUFFIXES: dict[str, str] = {
    FileType.JPEG: "jpg",
    FileType.PNG: "png",
    FileType.WEBP: "webp",
    FileType.HEIC: "heic",
    FileType.MP4: "mp4",
    FileType.MOV: "mov",
    FileType.PDF: "pdf",
}

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MP4_BRANDS = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"dash",
    b"3gp4",
    b"3gp5",
}


def sniffed(head: bytes) -> FileType | None:
    """What a file is, by its first bytes; None for everything that is not taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return FileType.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileType.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileType.WEBP
    if head.startswith(b"%PDF-"):
        return FileType.PDF
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIF_BRANDS:
            return FileType.HEIC
        if brand == b"qt  ":
            return FileType.MOV
        if brand in _MP4_BRANDS or brand[:3] == b"3gp":
            return FileType.MP4
    return None


class UploadState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("upload", "under way")
    DONE = "DONE", pgettext_lazy("upload", "received")
    REFUSED = "REFUSED", pgettext_lazy("upload", "refused")


class MatchKind(TextChoices):
    """How two pictures are the same; from the surest to the one that needs the closest look."""

    EXACT = "EXACT", _("the same file")
    NEAR = "NEAR", _("the same picture, saved anew")
    PART = "PART", _("a part of the same picture")
    MIRRORED = "MIRRORED", _("the same picture, mirrored")


class Grade(TextChoices):
    """How much a hint weighs. None of them says that anybody did wrong."""

    INFO = "INFO", _("for information")
    NOTICE = "NOTICE", _("worth a look")
    STRONG = "STRONG", _("to be explained")


GRADES = (Grade.INFO, Grade.NOTICE, Grade.STRONG)
TONES = {Grade.INFO: "info", Grade.NOTICE: "warning", Grade.STRONG: "danger"}


class MatchState(TextChoices):
    OPEN = "OPEN", _("not looked at")
    EXAMINED = "EXAMINED", _("to be examined")
    HARMLESS = "HARMLESS", _("harmless")
    CONFIRMED = "CONFIRMED", _("confirmed")


_LOOKED = (MatchState.OPEN, MatchState.EXAMINED, MatchState.HARMLESS, MatchState.CONFIRMED)
MATCH_LIFECYCLE = Lifecycle(
    MatchState.OPEN,
    (
        Transition("examine", _LOOKED, MatchState.EXAMINED, _("To be examined"), "REVIEW_EVIDENCE"),
        Transition("clear", _LOOKED, MatchState.HARMLESS, _("Harmless"), "REVIEW_EVIDENCE"),
        Transition("confirm", _LOOKED, MatchState.CONFIRMED, _("Confirmed"), "REVIEW_EVIDENCE"),
    ),
)


def match_grade(kind: str, *, other_party: bool, other_enterprise: bool, after_is_before: bool) -> Grade:
    """How much it weighs that a picture was there before: most where it served two enterprises or two insurers,
    or where the picture after rectification is the one before it. A mirrored picture is looked at in any case."""
    if kind == MatchKind.MIRRORED:
        return Grade.STRONG if other_party or other_enterprise else Grade.NOTICE
    if after_is_before or other_party or other_enterprise:
        return Grade.STRONG
    return Grade.NOTICE


# what evidence belongs to ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """Where something should have been photographed."""

    lon: float
    lat: float


@dataclass(frozen=True)
class Subject:
    """The thing evidence belongs to, as the room that owns it describes it to this one.

    The scope columns are taken over by every piece of evidence. `may_add`: whether the actor who was asked for
    may add to it now; `why_not` tells him why he may not. `window` and `site`: when and where it took place.
    """

    kind: str
    id: UUID
    title: str
    url: str = ""
    region_code: str = ""
    sector: str = ""
    insurer_id: UUID | None = None
    agency_id: UUID | None = None
    enterprise_id: UUID | None = None
    expert_id: UUID | None = None
    may_add: bool = False
    why_not: str | Promise = ""
    window: tuple[datetime, datetime] | None = None
    site: Site | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True)
class SubjectKind:
    """`find` looks a subject up in the actor's scope; None where it is not there for him."""

    kind: str
    title: str | Promise
    find: Callable[[UUID, Actor, datetime], Subject | None]


SUBJECTS: dict[str, SubjectKind] = {}


LONGEST_KIND = 16


def register_subject(
    kind: str, title: str | Promise, find: Callable[[UUID, Actor, datetime], Subject | None]
) -> SubjectKind:
    """A room above says that its rows may have evidence: called once, where its models or screens are read."""
    if kind in SUBJECTS:
        raise ValueError(f"two rooms call what they have {kind}")
    if len(kind) > LONGEST_KIND:
        raise ValueError(f"{kind} is longer than {LONGEST_KIND} characters")
    SUBJECTS[kind] = SubjectKind(kind, title, find)
    return SUBJECTS[kind]


# the layer drawn over a picture ----------------------------------------------------------------------------

SHAPES = ("arrow", "box", "line", "text")
MOST_SHAPES, LONGEST_TEXT = 100, 200


def annotation_problem(annotation: object) -> str:
    """Why something cannot be the layer over a picture, or ''.

    {"shapes": [{"kind": "arrow", "points": [[x, y], [x, y]]}, {"kind": "text", "points": [[x, y]], "text": "…"}]};
    x and y run from 0 to 1 over the upright picture, from its left upper corner.
    """
    if annotation in (None, {}):
        return ""
    if not isinstance(annotation, dict) or set(annotation) != {"shapes"} or not isinstance(annotation["shapes"], list):
        return "shapes"
    if len(annotation["shapes"]) > MOST_SHAPES:
        return "too_many"
    for shape in annotation["shapes"]:
        if not isinstance(shape, dict) or shape.get("kind") not in SHAPES or set(shape) - {"kind", "points", "text"}:
            return "kind"
        points = shape.get("points")
        wanted = {"text": (1, 1), "line": (2, 500)}.get(str(shape["kind"]), (2, 2))
        if not isinstance(points, list) or not wanted[0] <= len(points) <= wanted[1]:
            return "points"
        for point in points:
            if not isinstance(point, list) or len(point) != 2:
                return "points"
            if any(isinstance(n, bool) or not isinstance(n, int | float) or not 0 <= n <= 1 for n in point):
                return "points"
        text = shape.get("text", "")
        if (
            not isinstance(text, str)
            or len(text) > LONGEST_TEXT
            or "\0" in text
            or (shape["kind"] == "text" and not text)
        ):
            return "text"
    return ""

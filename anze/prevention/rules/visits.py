"""On-site visits: their states, what is recorded on them, and what a finished one must hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition


class VisitState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("visit", "under way")
    FINISHED = "FINISHED", pgettext_lazy("visit", "finished, not submitted")
    SUBMITTED = "SUBMITTED", pgettext_lazy("visit", "submitted, not on file")
    DELIVERED = "DELIVERED", pgettext_lazy("visit", "on file")
    RETURNED = "RETURNED", pgettext_lazy("visit", "returned")


EDITABLE = (VisitState.OPEN, VisitState.FINISHED, VisitState.RETURNED)
_S = VisitState
VISIT = Lifecycle(
    initial=_S.OPEN,
    transitions=(
        Transition("finish", (_S.OPEN,), _S.FINISHED, _("Finish the visit")),
        Transition("go_on", (_S.FINISHED,), _S.OPEN, _("Go on with the visit")),
        Transition("submit", (_S.OPEN, _S.FINISHED, _S.RETURNED), _S.SUBMITTED, _("Submit the visit")),
        Transition("deliver", (_S.SUBMITTED,), _S.DELIVERED, _("Put on file")),
        # by the quality check, or because something recorded in time came in too late
        Transition("return", (_S.SUBMITTED, _S.DELIVERED), _S.RETURNED, _("Return for correction")),
    ),
)


class EntryKind(TextChoices):
    START = "START", pgettext_lazy("visit", "arrival")
    END = "END", pgettext_lazy("visit", "departure")
    PERSON = "PERSON", _("person present")
    ANSWER = "ANSWER", _("answer to the checklist")
    FINDING = "FINDING", pgettext_lazy("visit", "finding")
    RECHECK = "RECHECK", _("recheck of an earlier hazard")
    PHOTO = "PHOTO", pgettext_lazy("visit", "photo")
    MARK = "MARK", _("unified service mark")
    NIL = "NIL", _("statement that nothing was found")
    NOTE = "NOTE", pgettext_lazy("visit", "note")
    SIGNATURE = "SIGNATURE", pgettext_lazy("visit", "signature")


class Outcome(TextChoices):
    """What became of a change a phone sent. Nothing is dropped: what is not APPLIED is kept for a person to pick."""

    APPLIED = "APPLIED", pgettext_lazy("change", "taken")
    SAME = "SAME", pgettext_lazy("change", "the same was there already")
    CONFLICT = "CONFLICT", pgettext_lazy("change", "another version was there")
    LATE = "LATE", pgettext_lazy("change", "came after submission")
    SETTLED = "SETTLED", pgettext_lazy("change", "settled by a person")


class VisitorKind(TextChoices):
    """Who was present: those who serve, as in the service record, and the people of the enterprise."""

    EXPERT = "EXPERT", _("expert")
    INSURER_STAFF = "INSURER_STAFF", _("insurer's staff")
    AGENCY_STAFF = "AGENCY_STAFF", _("agency's staff")
    ENTERPRISE = "ENTERPRISE", _("enterprise's staff")
    OTHER = "OTHER", _("other")


class RecheckResult(TextChoices):
    RECTIFIED = "RECTIFIED", _("rectified")
    PARTLY = "PARTLY", _("partly rectified")
    NOT_RECTIFIED = "NOT_RECTIFIED", _("not rectified")


# what a phone sends ---------------------------------------------------------------------------------------

Short = Annotated[str, msgspec.Meta(max_length=60)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Day = Annotated[str, msgspec.Meta(pattern=r"^20\d\d-[01]\d-[0-3]\d$")]
Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Position(msgspec.Struct, forbid_unknown_fields=True):
    """Where a phone was, or why it does not say."""

    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    accuracy: Annotated[float, msgspec.Meta(ge=0)] | None = None
    refused: Short = ""  # denied, unavailable, timeout


class Stroke(msgspec.Struct, forbid_unknown_fields=True):
    """One arrow, line or word drawn over a photo; coordinates are parts of its width and height, from 0 to 1."""

    kind: Literal["arrow", "line", "text"]
    points: Annotated[list[tuple[float, float]], msgspec.Meta(max_length=2000)]
    text: Short = ""


class Photo(msgspec.Struct, forbid_unknown_fields=True):
    """A photo of the visit. The original travels by itself; `file` is the id it was declared under."""

    file: UUID
    sha256: Digest
    size: Annotated[int, msgspec.Meta(ge=1)]
    taken_at: Moment
    position: Position = msgspec.field(default_factory=Position)
    strokes: Annotated[list[Stroke], msgspec.Meta(max_length=100)] = []


Photos = Annotated[list[Photo], msgspec.Meta(max_length=50)]


class Presence(msgspec.Struct, forbid_unknown_fields=True):
    position: Position = msgspec.field(default_factory=Position)


class Person(msgspec.Struct, forbid_unknown_fields=True):
    role: VisitorKind
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    expert_number: Annotated[str, msgspec.Meta(max_length=30)] = ""
    certificate_no: Annotated[str, msgspec.Meta(max_length=40)] = ""
    post: Short = ""
    is_principal: bool = False


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    item: Annotated[int, msgspec.Meta(ge=1)]
    answer: Line
    note: Text = ""
    photos: Photos = []


class Found(msgspec.Struct, forbid_unknown_fields=True):
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    hazard_class: Literal["GENERAL", "MAJOR"]
    deadline_on: Day
    location: Line = ""
    advice: Text = ""
    basis: Text = ""
    library_code: Annotated[str, msgspec.Meta(max_length=20)] = ""
    criterion_code: Annotated[str, msgspec.Meta(max_length=20)] = ""
    item: int | None = None
    owner: Short = ""
    notified_principal: bool = False
    photos: Photos = []


class Recheck(msgspec.Struct, forbid_unknown_fields=True):
    hazard: UUID
    result: RecheckResult
    note: Text = ""
    photos: Photos = []


class Picture(msgspec.Struct, forbid_unknown_fields=True):
    caption: Line = ""
    photos: Photos = []


class Note(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Nil(msgspec.Struct, forbid_unknown_fields=True):
    looked_at: Text = ""


class Signature(msgspec.Struct, forbid_unknown_fields=True):
    """Strokes of a finger, thousandths of the pad; `of` says for which side."""

    of: Literal["EXPERT", "ENTERPRISE"]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    strokes: Annotated[
        list[Annotated[list[tuple[float, float]], msgspec.Meta(max_length=3000)]],
        msgspec.Meta(min_length=1, max_length=200),
    ]
    post: Short = ""


PAYLOADS: dict[str, type[msgspec.Struct]] = {
    EntryKind.START: Presence,
    EntryKind.END: Presence,
    EntryKind.PERSON: Person,
    EntryKind.ANSWER: Answer,
    EntryKind.FINDING: Found,
    EntryKind.RECHECK: Recheck,
    EntryKind.PHOTO: Picture,
    EntryKind.MARK: Picture,
    EntryKind.NIL: Nil,
    EntryKind.NOTE: Note,
    EntryKind.SIGNATURE: Signature,
}


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """One thing a phone recorded, changed or removed. `base` is the revision it knew of, 0 for something new."""

    id: UUID
    visit: UUID
    entry: UUID
    kind: EntryKind
    made_at: Moment
    payload: dict[str, Any]
    base: Annotated[int, msgspec.Meta(ge=0)] = 0
    removed: bool = False
    # versions a person has seen and decided about by this change
    settles: Annotated[list[UUID], msgspec.Meta(max_length=50)] = []


class Opening(msgspec.Struct, forbid_unknown_fields=True):
    """A visit a phone began: for an order, or at an enterprise under a policy."""

    id: UUID
    order: UUID | None = None
    policy: UUID | None = None
    service_type: Annotated[str, msgspec.Meta(max_length=12)] = "HAZARD"
    checklist: Annotated[str, msgspec.Meta(max_length=40)] = ""
    checklist_version: int | None = None


class Parcel(msgspec.Struct, forbid_unknown_fields=True):
    """What a phone sends at once: visits it began, changes, and what it knows already."""

    sent_at: Moment
    device: Annotated[str, msgspec.Meta(max_length=80)] = ""
    visits: Annotated[list[Opening], msgspec.Meta(max_length=20)] = []
    changes: Annotated[list[Change], msgspec.Meta(max_length=200)] = []
    knows: dict[str, int] = {}  # visit → its revision the phone has


def derived_id(*parts: object) -> UUID:
    """An id two phones find without talking to each other: the visit of an order, the answer to an item, a person."""
    digest = bytearray(sha256("/".join(str(part) for part in parts).encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80  # version 8: custom (RFC 9562)
    digest[8] = (digest[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(digest))


def id_of_entry(visit: UUID, kind: str, payload: Mapping[str, Any]) -> UUID | None:
    """The id an entry must have where there can be only one of it in a visit."""
    if kind == EntryKind.ANSWER:
        return derived_id(visit, "item", payload["item"])
    if kind == EntryKind.RECHECK:
        return derived_id(visit, "hazard", payload["hazard"])
    if kind == EntryKind.PERSON:
        return derived_id(visit, "person", *identity_of(payload))
    return None


def identity_of(person: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes somebody present the same person on two phones: an expert's number, else role, name and post."""
    number = person.get("expert_number")
    return (number,) if number else (str(person["role"]), person["name"], person.get("post", ""))


def merged(stored: tuple[int, bool, Any] | None, base: int, removed: bool, payload: Any) -> Outcome:
    """What becomes of a change: `stored` is the entry's revision, whether it is removed, and its payload."""
    if stored is None:
        return Outcome.APPLIED
    revision, was_removed, known = stored
    if was_removed == removed and (removed or known == payload):
        return Outcome.SAME
    return Outcome.APPLIED if base == revision else Outcome.CONFLICT


def photos_of(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(payload.get("photos") or ())


# what a finished visit must hold ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Missing:
    """Something that is not there. A hard one stands in the way of submitting."""

    code: str
    is_hard: bool
    message: str | Promise
    remedy: str | Promise


@dataclass(frozen=True)
class Contents:
    """A visit as far as its completeness depends on it. `entries`: kind and payload of what is not removed."""

    service_type: str
    entries: tuple[tuple[str, Mapping[str, Any]], ...]
    versions_open: int = 0
    photos_here: frozenset[str] | None = None  # digests that arrived; None where nobody can tell

    def of(self, kind: str) -> Iterable[Mapping[str, Any]]:
        return (payload for each, payload in self.entries if each == kind)

    @property
    def photos(self) -> list[Mapping[str, Any]]:
        return [photo for _kind, payload in self.entries for photo in photos_of(payload)]


def has_place(photo: Mapping[str, Any]) -> bool:
    position = photo.get("position") or {}
    return position.get("lon") is not None and position.get("lat") is not None


SERVING = (VisitorKind.EXPERT, VisitorKind.INSURER_STAFF, VisitorKind.AGENCY_STAFF)


def missing_from(visit: Contents) -> list[Missing]:
    """Everything that is missing, at once; AQ 9010-2019 §6 and §7.4 say what a service's file must hold."""
    found: list[Missing] = []

    def miss(code: str, is_hard: bool, message: str | Promise, remedy: str | Promise) -> None:
        found.append(Missing(code, is_hard, message, remedy))

    if not any(True for _each in visit.of(EntryKind.START)):
        miss("no_start", True, _("The beginning of the visit is missing."), _("Tap “Begin the visit”."))
    if not any(True for _each in visit.of(EntryKind.END)):
        miss("no_end", True, _("The end of the visit is missing."), _("Tap “Finish”."))
    if not any(each["role"] in SERVING for each in visit.of(EntryKind.PERSON)):
        miss("no_person", True, _("Nobody is named who did the service."), _("Add yourself under “Persons present”."))
    findings = list(visit.of(EntryKind.FINDING))
    nil = any(True for _each in visit.of(EntryKind.NIL))
    if findings and nil:
        miss(
            "nil_and_findings",
            True,
            _("“Nothing found” is stated together with findings."),
            _("Take back the statement, or remove the findings."),
        )
    if not findings and not nil:
        miss(
            "nothing_stated",
            visit.service_type == "HAZARD",
            _("There is neither a finding nor the statement that nothing was found."),
            _("Record what you found, or state that you looked and found nothing."),
        )
    signed = {each["of"] for each in visit.of(EntryKind.SIGNATURE)}
    if "EXPERT" not in signed:
        miss("not_signed", True, _("The expert's signature is missing."), _("Sign under “Signatures”."))
    if "ENTERPRISE" not in signed:
        miss(
            "not_confirmed",
            False,
            _("The enterprise has not signed."),
            _("Let it sign now, or send it the link to confirm later: until then the service does not count as done."),
        )
    photos = visit.photos
    if not photos:
        miss("no_photo", True, _("There is no photo."), _("Take at least one photo on site."))
    elif not any(has_place(each) for each in photos):
        miss(
            "no_place",
            False,
            _("No photo has a position."),
            _("Allow the app to know its position, or say in a note why it is not known."),
        )
    if not any(photos_of(each) for each in visit.of(EntryKind.MARK)):
        miss(
            "no_mark",
            False,
            _("The unified service mark is not in any photo."),
            _("Take a photo of the mark (badge, clothing or board)."),
        )
    if visit.photos_here is not None and any(each["sha256"] not in visit.photos_here for each in photos):
        miss(
            "photos_on_the_way",
            True,
            _("Not all photos have arrived."),
            _("Keep the app open until each photo has its receipt."),
        )
    if visit.versions_open:
        miss(
            "versions_open",
            True,
            _("Two people wrote different things about the same."),
            _("Pick the right version; both are kept."),
        )
    return found

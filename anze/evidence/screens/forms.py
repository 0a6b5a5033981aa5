"""Files that come with a form of another room: the field for several of them, and how they are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions import arrived, receive_media, subject_of
from anze.evidence.rules import MediaKind, MediaRole, Subject
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused

MOST = 9  # with one form


class Files(forms.FileInput):
    allow_multiple_selected = True


class SeveralFiles(forms.FileField):
    """Any number of files; each is checked by itself."""

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(SeveralFiles, self).clean(each, initial) for each in data or ()]


def documents_field(label: Any, help_text: Any = "") -> forms.FileField:
    """Papers or pictures as proof."""
    widget = Files(attrs={"accept": "image/*,application/pdf", "multiple": True})
    return SeveralFiles(label=label, required=False, widget=widget, help_text=help_text)


def photos_field(label: Any, help_text: Any = "") -> forms.FileField:
    """Several photos, from the camera or the album; a phone offers its camera at once."""
    widget = Files(attrs={"accept": "image/*", "multiple": True})
    return SeveralFiles(label=label, required=False, widget=widget, help_text=help_text)


def files_taken(
    request: HttpRequest, name: str, kind: str, key: UUID, role: MediaRole, by: Actor, media: MediaKind | None = None
) -> list[UUID]:
    """Keep what came with a form; call it in the transaction of what it belongs to. Without a kind a picture is a
    photo and everything else a document."""
    files = request.FILES.getlist(name)
    if not files:
        return []
    if len(files) > MOST:
        raise Refused(
            "too_many_photos",
            _("A step may have up to %(most)s photos."),
            remedy=_("Choose the clearest ones."),
            field=name,
            values={"most": MOST},
        )
    at: datetime = request.at  # type: ignore[attr-defined]
    subject = subject_of(kind, key, by, at)
    return [_taken(file, name, subject, role, by, at, media) for file in files]


def _taken(
    file: Any, name: str, subject: Subject, role: MediaRole, by: Actor, at: datetime, media: MediaKind | None
) -> UUID:
    """One file kept; a refusal stands at the field it came with, and says which file."""
    try:
        return receive_media(
            subject, by=by, at=at, content=arrived(file.read()), kind=media or _kind_of(file), role=role,
            file_name=file.name or "",
        ).pk  # fmt: skip
    except Refused as refused:
        raise Refused(
            refused.code,
            _("“%(file)s”: %(why)s"),
            remedy="%(remedy)s",
            field=name,
            status=refused.status,
            values={"file": file.name, "why": refused.message, "remedy": refused.remedy},
        ) from None


def _kind_of(file: Any) -> MediaKind:
    is_picture = str(file.content_type or "").startswith("image/")
    return MediaKind.PHOTO if is_picture else MediaKind.DOCUMENT

"""Whether what a photo says of itself fits the visit it belongs to: graded hints with reasons, never a verdict.

Most oddities are innocent: a phone without signal, a messenger that strips the EXIF, a clock that is wrong, a map
that shifts everything by half a kilometre. So each hint says what does not fit, what usually explains it, and
what would settle it; only what no usual cause explains weighs more than “worth a look”.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.evidence.rules import GRADES, Grade, Site


class HintCode(TextChoices):
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW", _("taken outside the visit")
    FAR_FROM_SITE = "FAR_FROM_SITE", _("taken away from the site")
    ORDER = "ORDER", _("received in another order than taken")
    LATE = "LATE", _("received late")
    CLOCK = "CLOCK", _("device's clock is wrong")
    FROM_FUTURE = "FROM_FUTURE", _("taken after it was received")
    TIMES_DIFFER = "TIMES_DIFFER", _("device and file name different times")
    PLACES_DIFFER = "PLACES_DIFFER", _("device and file name different places")
    NO_POSITION = "NO_POSITION", _("no position")
    NO_EXIF = "NO_EXIF", _("the file says nothing about itself")
    DAMAGED = "DAMAGED", _("the end of the picture is missing")


class Shot(Protocol):
    """What is judged of a photo; a row of the table has all of it."""

    id: UUID
    captured_at: datetime | None
    received_at: datetime
    clock_offset_s: int | None
    lon: Decimal | None
    lat: Decimal | None
    accuracy_m: int | None
    exif_at: datetime | None
    exif_lon: Decimal | None
    exif_lat: Decimal | None
    device: str


@dataclass(frozen=True)
class Limits:
    """The thresholds: each is the parameter evidence_… of its name."""

    window_minutes: float
    window_hours_strong: float
    site_metres: float
    site_metres_strong: float
    map_offset_metres: float
    lag_hours: float
    lag_hours_strong: float
    clock_minutes: float
    times_minutes: float


@dataclass(frozen=True)
class Hint:
    """`photo` None: about all of them together. `values` fill the sentences."""

    code: HintCode
    grade: Grade
    reason: str | Promise
    remedy: str | Promise
    photo: UUID | None = None
    values: tuple[tuple[str, object], ...] = ()

    @property
    def reason_said(self) -> str:
        return str(self.reason) % dict(self.values)


Window = tuple[datetime, datetime]
_EARTH_M = 6_371_008.8


def metres(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """The way between two places over the ground (haversine)."""
    a1, a2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((a2 - a1) / 2) ** 2
    half += math.cos(a1) * math.cos(a2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(min(1.0, half)))


def true_moment(shot: Shot) -> datetime | None:
    """When it was taken by the server's clock, as far as the device's error is known."""
    if shot.captured_at is None:
        return None
    return shot.captured_at - timedelta(seconds=shot.clock_offset_s or 0)


def plausibility(window: Window | None, site: Site | None, photos: Sequence[Shot], limits: Limits) -> list[Hint]:
    """The hints of a visit's photos, the weightiest first. Without window or site these are not judged."""
    found: list[Hint] = []
    for shot in photos:
        found += own_hints(shot, limits)
        if window:
            found += _outside(shot, window, limits)
        if site:
            found += _away(shot, site, limits)
    found += _order(photos, limits)
    weight = {grade: -place for place, grade in enumerate(GRADES)}
    return sorted(found, key=lambda hint: weight[hint.grade])


def heaviest(hints: Sequence[Hint]) -> str:
    return max((hint.grade for hint in hints), key=GRADES.index, default="")


def own_hints(shot: Shot, limits: Limits) -> Iterator[Hint]:
    """What can be said of one photo without knowing the visit."""
    offset = shot.clock_offset_s or 0
    if abs(offset) > limits.clock_minutes * 60:
        yield Hint(
            HintCode.CLOCK, Grade.NOTICE,
            _("The device's clock was off by %(span)s when the photo was sent; its times are corrected by that."),
            _("Switch on automatic date and time in the phone's settings."),
            shot.id, (("span", span_said(offset)),),
        )  # fmt: skip
    taken = true_moment(shot)
    slack = timedelta(minutes=limits.clock_minutes)
    if taken and taken > shot.received_at + slack:
        yield Hint(
            HintCode.FROM_FUTURE, Grade.NOTICE,
            _("By its own time the photo was taken %(span)s after it was received."),
            _("Usually a clock that was set in between; compare with the other photos of the visit."),
            shot.id, (("span", span_said((taken - shot.received_at).total_seconds())),),
        )  # fmt: skip
    elif taken and (lag := (shot.received_at - taken).total_seconds()) > limits.lag_hours * 3600:
        yield Hint(
            HintCode.LATE, Grade.STRONG if lag > limits.lag_hours_strong * 3600 else Grade.NOTICE,
            _("The photo was received %(span)s after it was taken."),
            _("Usual where there is no network for days; the one who took it can say where it was in between."),
            shot.id, (("span", span_said(lag)),),
        )  # fmt: skip
    if shot.exif_at and shot.captured_at:
        apart = abs((shot.exif_at - shot.captured_at).total_seconds())
        if apart > limits.times_minutes * 60:
            yield Hint(
                HintCode.TIMES_DIFFER, Grade.NOTICE,
                _("The file says it was taken %(span)s apart from what the device said."),
                _("Usual when an older picture was chosen from the album instead of the camera; ask which one it is."),
                shot.id, (("span", span_said(apart)),),
            )  # fmt: skip
    if shot.exif_lat is not None and shot.exif_lon is not None and shot.lat is not None and shot.lon is not None:
        away = metres(float(shot.exif_lon), float(shot.exif_lat), float(shot.lon), float(shot.lat))
        if away - (shot.accuracy_m or 0) - limits.map_offset_metres > limits.site_metres:
            yield Hint(
                HintCode.PLACES_DIFFER, Grade.NOTICE,
                _("The place in the file lies %(way)s from the place the device named."),
                _("Usual when an older picture was chosen from the album instead of the camera; ask which one it is."),
                shot.id, (("way", way_said(away)),),
            )  # fmt: skip
    if shot.exif_at is None and shot.exif_lat is None and not shot.device:
        yield Hint(
            HintCode.NO_EXIF, Grade.INFO,
            _("The file holds no time, place or device."),
            _("Messengers such as WeChat remove them. Take photos in the app, or send the camera's own file."),
            shot.id,
        )  # fmt: skip


def _outside(shot: Shot, window: Window, limits: Limits) -> Iterator[Hint]:
    taken = true_moment(shot) or shot.exif_at
    if taken is None:
        return
    start, end = window
    beyond = max((start - taken).total_seconds(), (taken - end).total_seconds())
    if beyond <= limits.window_minutes * 60:
        return
    is_before = taken < start
    yield Hint(
        HintCode.OUTSIDE_WINDOW,
        Grade.STRONG if beyond > limits.window_hours_strong * 3600 else Grade.NOTICE,
        _("The photo was taken %(span)s before the visit began.")
        if is_before
        else _("The photo was taken %(span)s after the visit ended."),
        _("Check the recorded beginning and end of the visit; a photo of another day needs an explanation."),
        shot.id,
        (("span", span_said(beyond)),),
    )


def _away(shot: Shot, site: Site, limits: Limits) -> Iterator[Hint]:
    """The nearer of the two places counts; the accuracy and the offset of Chinese maps are given away."""
    places = [
        (float(lon), float(lat), slack)
        for lon, lat, slack in (
            (shot.lon, shot.lat, shot.accuracy_m or 0),
            (shot.exif_lon, shot.exif_lat, 0),
        )
        if lon is not None and lat is not None
    ]
    if not places:
        yield Hint(
            HintCode.NO_POSITION, Grade.INFO,
            _("Neither the device nor the file names a place."),
            _("Inside buildings and underground this is usual. Allow the app to use the position."),
            shot.id,
        )  # fmt: skip
        return
    away = min(max(0.0, metres(lon, lat, site.lon, site.lat) - slack) for lon, lat, slack in places)
    beyond = away - limits.site_metres - limits.map_offset_metres
    if beyond <= 0:
        return
    yield Hint(
        HintCode.FAR_FROM_SITE,
        Grade.STRONG if beyond > limits.site_metres_strong else Grade.NOTICE,
        _("The photo was taken %(way)s from the registered place of the enterprise."),
        _("Check the registered place first: workshops often lie elsewhere than the office."),
        shot.id,
        (("way", way_said(away)),),
    )


def _order(photos: Sequence[Shot], limits: Limits) -> Iterator[Hint]:
    """Photos are sent in the order they were taken; one that comes after later ones was added afterwards."""
    latest: datetime | None = None
    slack = timedelta(minutes=limits.times_minutes)
    late: list[UUID] = []
    for shot in sorted(photos, key=lambda shot: shot.received_at):
        taken = true_moment(shot)
        if taken is None:
            continue
        if latest and taken < latest - slack:
            late.append(shot.id)
        latest = max(latest or taken, taken)
    for each in late:
        yield Hint(
            HintCode.ORDER, Grade.INFO,
            _("The photo was received after others that were taken later."),
            _("Usual when sending was interrupted, or a picture was added from the album."),
            each,
        )  # fmt: skip


def span_said(seconds: float) -> str:
    """A span of time in few words; the units are those of the reader's language."""
    seconds = abs(seconds)
    if seconds < 3600:
        return str(_("%(n)s min") % {"n": max(1, round(seconds / 60))})
    if seconds < 48 * 3600:
        return str(_("%(n)s h") % {"n": round(seconds / 3600, 1)})
    return str(_("%(n)s days") % {"n": round(seconds / 86400, 1)})


def way_said(length: float) -> str:
    return (
        str(_("%(n)s m") % {"n": round(length)})
        if length < 1000
        else str(_("%(n)s km") % {"n": round(length / 1000, 1)})
    )

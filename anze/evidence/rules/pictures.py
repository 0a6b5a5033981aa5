"""Reading a picture once: its size, what its EXIF says, a thumbnail and the grey picture fingerprints are made of.

Nothing here changes the original. A file is opened only as what its first bytes say it is, its size is judged
before any pixel is made, and whatever its EXIF holds can at most be left out.
"""

from __future__ import annotations

import base64
import io
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import numpy as np
import pi_heif
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps

from anze.evidence.rules import FileType
from anze.kernel.refusal import Refused

pi_heif.register_heif_opener()

Grey = NDArray[np.uint8]

THUMBNAIL, PREVIEW = 400, 1600  # longer side in pixels
MOST_PIXELS = 100_000_000
# a second lock behind the check of the header: no decoder makes more pixels than this, whatever asks it
Image.MAX_IMAGE_PIXELS = MOST_PIXELS

_FORMATS = {FileType.JPEG: "JPEG", FileType.PNG: "PNG", FileType.WEBP: "WEBP", FileType.HEIC: "HEIF"}
_BEIJING = ZoneInfo("Asia/Shanghai")
_MOMENT = re.compile(r"(\d{4})[:\-](\d\d)[:\-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_EARLIEST, _LATEST = 2000, 2100


@dataclass(frozen=True)
class Exif:
    """What the file itself says, as far as it can be true. `position_problem`: why a position was left out."""

    at: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    device: str = ""
    position_problem: str = ""


@dataclass(frozen=True)
class Picture:
    """`width` and `height` are those of the upright picture; `thumbnail` is a JPEG without any EXIF."""

    width: int
    height: int
    exif: Exif
    thumbnail: bytes
    grey: Grey
    is_damaged: bool


def _unreadable() -> Refused:
    return Refused(
        "not_a_picture",
        _("The file cannot be opened as a picture."),
        remedy=_("Send the photo as the camera stored it. If it does not open on the phone either, take it again."),
        field="file",
    )


def _opened(file: BinaryIO, file_type: FileType, most_pixels: int) -> Image.Image:
    """The picture with only its header read; refused when it is none or would fill the memory."""
    too_large = Refused(
        "too_many_pixels",
        _("The picture has more than %(limit)s million pixels."),
        remedy=_("Take it with a smaller picture size in the camera's settings."),
        field="file",
        values={"limit": most_pixels // 1_000_000},
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=[_FORMATS[file_type]])
    except Image.DecompressionBombError:
        raise too_large from None
    except Exception:
        raise _unreadable() from None
    if picture.width * picture.height > most_pixels:
        raise too_large
    if min(picture.size) < 1:
        raise _unreadable()
    return picture


def reduced(picture: Image.Image, side: int) -> tuple[Image.Image, bool]:
    """The upright picture in RGB with the given longer side at most, and whether its end is missing.

    JPEG is decoded at a fraction of its size: for a thumbnail of 12 megapixels that is a tenth of the work.
    """
    longer = max(picture.size)
    if longer > side:
        picture.draft("RGB", (max(1, picture.width * side // longer), max(1, picture.height * side // longer)))
    is_damaged = False
    try:
        picture.load()
    except Exception:
        is_damaged = True
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            picture.load()
        except Exception:
            raise _unreadable() from None
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
    picture.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    upright = _safely(lambda: ImageOps.exif_transpose(picture)) or picture
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        upright = Image.new("RGB", layer.size, "white")
        upright.paste(layer, mask=layer.getchannel("A"))
    return upright.convert("RGB"), is_damaged


def jpeg_of(picture: Image.Image, quality: int) -> bytes:
    """A JPEG that holds pixels and nothing else."""
    made = io.BytesIO()
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    clean.save(made, "JPEG", quality=quality)
    return made.getvalue()


def read_picture(file: BinaryIO, file_type: FileType, most_pixels: int = MOST_PIXELS) -> Picture:
    """One pass over a picture. Refuses what is none, or has too many pixels."""
    picture = _opened(file, file_type, most_pixels)
    width, height = picture.size
    exif = _safely(lambda: read_exif(picture)) or Exif()
    if _safely(lambda: picture.getexif().get(ExifTags.Base.Orientation)) in (5, 6, 7, 8):
        width, height = height, width
    small, is_damaged = reduced(picture, THUMBNAIL)
    return Picture(
        width=width,
        height=height,
        exif=exif,
        thumbnail=jpeg_of(small, 80),
        grey=np.asarray(small.convert("L")),
        is_damaged=is_damaged,
    )


def grey_of(thumbnail: bytes) -> Grey:
    """The grey picture again, from a kept thumbnail."""
    return np.asarray(Image.open(io.BytesIO(thumbnail)).convert("L"))


def make_preview(file: BinaryIO, file_type: FileType) -> bytes:
    small, _is_damaged = reduced(_opened(file, file_type, MOST_PIXELS), PREVIEW)
    return jpeg_of(small, 85)


def _safely(make: Callable[[], Any]) -> Any:
    """What can be read, or None: no EXIF is worth losing a photo for."""
    try:
        return make()
    except Exception:
        return None


def read_exif(picture: Image.Image) -> Exif:
    """Time, position and device. Each is read by itself, so that one broken entry costs only itself."""
    all_ = picture.getexif()
    more = _safely(lambda: all_.get_ifd(ExifTags.IFD.Exif)) or {}
    place = _safely(lambda: all_.get_ifd(ExifTags.IFD.GPSInfo)) or {}
    at = _safely(
        lambda: exif_moment(more.get(ExifTags.Base.DateTimeOriginal), more.get(ExifTags.Base.OffsetTimeOriginal))
    )
    at = at or _safely(lambda: exif_moment(all_.get(ExifTags.Base.DateTime), more.get(ExifTags.Base.OffsetTime)))
    lon = lat = None
    problem = ""
    if place:
        lat = _safely(lambda: degrees(place[ExifTags.GPS.GPSLatitude], place.get(ExifTags.GPS.GPSLatitudeRef), "S", 90))
        lon = _safely(
            lambda: degrees(place[ExifTags.GPS.GPSLongitude], place.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
        )
        if lat is None or lon is None:
            problem = "position_unreadable" if ExifTags.GPS.GPSLatitude in place else ""
            lat = lon = None
        elif abs(lat) < 0.0001 and abs(lon) < 0.0001:
            problem, lat, lon = "position_zero", None, None
    names = [exif_text(all_.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    make, model = names
    device = model if make and model.lower().startswith(make.lower()) else f"{make} {model}".strip()
    return Exif(at, lon, lat, device, problem)


def exif_text(value: object) -> str:
    """A name as it may stand on a page: printable, short, without what a database cannot hold."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    text = "".join(c if c.isprintable() else " " for c in value[:1000])
    return " ".join(text.split())[:60]


def exif_moment(value: object, offset: object = None) -> datetime | None:
    """EXIF's local time; without an offset it is Beijing's, where the platform's photos are taken."""
    found = _MOMENT.match(exif_text(value))
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups())
    if not _EARLIEST <= year < _LATEST:
        return None
    zone: Any = _BEIJING
    if away := _OFFSET.match(exif_text(offset)):
        minutes = int(away[2]) * 60 + int(away[3])
        if minutes <= 14 * 60:
            zone = timezone(timedelta(minutes=-minutes if away[1] == "-" else minutes))
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    except ValueError:
        return None


def degrees(parts: object, side: object, negative: str, most: int) -> float | None:
    """Degrees, minutes and seconds as one number; None where they mean nothing."""
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    numbers = [float(part) for part in parts]
    if not all(0 <= number < 1e6 for number in numbers):  # also false for what is not a number
        return None
    found = numbers[0] + numbers[1] / 60 + numbers[2] / 3600
    if found > most:
        return None
    return round(-found if exif_text(side).upper() == negative else found, 6)


_RED = "#e03131"


def with_layer(jpeg: bytes, width: int, height: int, shapes: Sequence[Mapping[str, Any]]) -> bytes:
    """A picture with what was drawn over it, as one SVG: the picture itself stays as it is underneath.

    `shapes` as `annotation_problem` allows them: numbers, and text that is escaped, so nothing else gets into it.
    """
    w, h = 1000.0, 1000.0 * height / width
    drawn = "".join(_shape(each, w, h) for each in shapes)
    picture = base64.b64encode(jpeg).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}">'
        f'<image href="data:image/jpeg;base64,{picture}" width="{w:.0f}" height="{h:.0f}" preserveAspectRatio="none"/>'
        f'<g fill="none" stroke="{_RED}" stroke-width="7" stroke-linecap="round" stroke-linejoin="round">{drawn}</g></svg>'
    ).encode()


def _shape(shape: Mapping[str, Any], w: float, h: float) -> str:
    points = [(float(x) * w, float(y) * h) for x, y in shape["points"]]
    (x1, y1), (x2, y2) = points[0], points[-1]
    if shape["kind"] == "text":
        words, size = escape("".join(filter(str.isprintable, shape["text"]))), w / 26
        where = (
            f'x="{x1:.1f}" y="{y1:.1f}" font-size="{size:.0f}" font-weight="700" font-family="Noto Sans SC, sans-serif"'
        )
        return f'<text {where} stroke="#fff" stroke-width="6">{words}</text><text {where} stroke="none" fill="{_RED}">{words}</text>'
    if shape["kind"] == "box":
        points = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    elif shape["kind"] == "arrow":
        turn, length = math.atan2(y2 - y1, x2 - x1), w / 26
        sides = [(x2 - length * math.cos(turn + by), y2 - length * math.sin(turn + by)) for by in (-0.5, 0.5)]
        points = [(x1, y1), (x2, y2), sides[0], (x2, y2), sides[1]]
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{told}"/>'

"""Pictures as phones make them, and as nobody should: what is read of them."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pi_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from anze.evidence.rules import FileType, annotation_problem, sniffed
from anze.evidence.rules.pictures import degrees, exif_moment, exif_text, read_picture, with_layer
from tests.evidence.conftest import jpeg, picture


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def read(data: bytes, kind: FileType = FileType.JPEG):
    return read_picture(io.BytesIO(data), kind)


def exif_of(**words: object) -> Image.Exif:
    exif = Image.Exif()
    for name, value in words.items():
        exif[ExifTags.Base[name]] = value
    return exif


def with_place(lat: object, lon: object) -> bytes:
    exif = exif_of(Make="Hualu")
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
    place[ExifTags.GPS.GPSLatitude], place[ExifTags.GPS.GPSLongitude] = lat, lon
    return jpeg(1, exif=exif)


def test_time_place_and_device_are_read_from_a_phones_photo():
    exif = exif_of(Make="Hualu", Model="Hualu X1")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:23 10:00:00"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[1], place[2], place[3], place[4] = "N", (36.0, 39.0, 0.0), "E", (117.0, 7.0, 12.0)
    found = read(jpeg(1, exif=exif)).exif
    assert found.at == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert (found.lon, found.lat, found.device) == (117.12, 36.65, "Hualu X1")


@pytest.mark.parametrize(("turn", "size"), [(1, (640, 480)), (6, (480, 640)), (3, (640, 480))])
def test_a_picture_stands_upright_as_the_phone_says(turn, size):
    found = read(jpeg(1, exif=exif_of(Orientation=turn)))
    assert (found.width, found.height) == size
    small = opened(found.thumbnail)
    assert (small.width > small.height) == (size[0] > size[1])


@pytest.mark.parametrize(
    ("lat", "lon"),
    [((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), ((91.0, 0.0, 0.0), (117.0, 0.0, 0.0)), ((36.0, 0.0, 0.0), (700.0, 0.0, 0.0))],
)
def test_a_place_that_is_none_is_left_out_and_named(lat, lon):
    found = read(with_place(lat, lon)).exif
    assert (found.lon, found.lat) == (None, None)
    assert found.position_problem


@pytest.mark.parametrize(
    "value", ["9999:99:99 99:99:99", "0000:00:00 00:00:00", "1826:11:23 10:00:00", "\0\0", "2026", b"\xff\xfe"]
)
def test_an_absurd_moment_is_none(value):
    assert exif_moment(value) is None


def test_an_offset_is_taken_into_account():
    assert exif_moment("2026:11:23 10:00:00", "+09:00") == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert exif_moment("2026:11:23 10:00:60", "+99:99") == datetime(2026, 11, 23, 2, 0, 59, tzinfo=UTC)


def test_names_with_nul_huge_names_and_bytes_become_short_texts():
    exif = exif_of(Make="A\0B" * 9000, Model="<script>\n\x1b[31m")
    device = read(jpeg(1, exif=exif)).exif.device
    assert len(device) <= 121
    assert device.isprintable()
    assert "\0" not in device


@given(st.binary(max_size=300))
def test_whatever_stands_in_the_exif_the_picture_is_read(block):
    made = io.BytesIO()
    picture(1, (64, 48)).save(made, "JPEG", exif=b"Exif\0\0" + block)
    found = read(made.getvalue())
    assert (found.width > 0, bool(found.thumbnail)) == (True, True)


@given(st.one_of(st.text(), st.binary(), st.integers(), st.none(), st.tuples(st.floats(), st.floats(), st.floats())))
def test_readers_of_entries_never_break(value):
    assert len(exif_text(value)) <= 60
    exif_moment(value, value)
    found = degrees(value, value, "S", 90)
    assert found is None or -90 <= found <= 90


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_formats_are_read_as_well(kind):
    made = io.BytesIO()
    picture(2, (640, 480)).save(made, kind)
    file_type = sniffed(made.getvalue()[:64])
    assert file_type is not None
    assert opened(read(made.getvalue(), file_type).thumbnail).format == "JPEG"


def test_transparent_signatures_stand_on_white():
    made = io.BytesIO()
    Image.new("RGBA", (300, 100), (0, 0, 0, 0)).save(made, "PNG")
    assert opened(read(made.getvalue(), FileType.PNG).thumbnail).getpixel((5, 5)) == (255, 255, 255)


def test_what_iphones_call_heic_is_known_by_its_first_bytes():
    assert "HEIF" in Image.registered_extensions().values()
    assert pi_heif.libheif_version()
    for brand, kind in (
        (b"heic", FileType.HEIC),
        (b"mif1", FileType.HEIC),
        (b"qt  ", FileType.MOV),
        (b"isom", FileType.MP4),
    ):
        assert sniffed(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0") is kind
    assert sniffed(b"\0\0\0\x18ftypavif") is None


def test_an_iphones_photo_is_read_with_its_device():
    content = (Path(__file__).parent / "data" / "small.heic").read_bytes()
    assert sniffed(content[:64]) is FileType.HEIC
    found = read(content, FileType.HEIC)
    assert (found.width, found.height, found.exif.device) == (320, 240, "Hualu H1")
    assert opened(found.thumbnail).size == (320, 240)


SMALL = jpeg(3, size=(64, 48))
PARTS = st.floats(0, 1)
POINTS = st.tuples(PARTS, PARTS).map(list)
SHAPES = st.one_of(
    st.builds(lambda a, b, kind: {"kind": kind, "points": [a, b], "text": ""}, POINTS, POINTS, st.sampled_from(("arrow", "box"))),
    st.builds(lambda points: {"kind": "line", "points": points}, st.lists(POINTS, min_size=2, max_size=9)),
    st.builds(lambda at, text: {"kind": "text", "points": [at], "text": text}, POINTS,
              st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=30)),
)  # fmt: skip


@given(shapes=st.lists(SHAPES, max_size=6))
def test_whatever_is_drawn_over_a_picture_lies_beside_it_and_nothing_else_gets_in(shapes):
    assert annotation_problem({"shapes": shapes}) == ""
    root = ElementTree.fromstring(with_layer(SMALL, 640, 480, shapes))  # noqa: S314 - made a line above
    named = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert named <= {"svg", "image", "g", "polyline", "text"}
    [picture_] = [each for each in root.iter() if each.tag.endswith("image")]
    assert base64.b64decode(picture_.get("href").partition(",")[2]) == SMALL, "the picture is as it was"
    words = [each.text or "" for each in root.iter() if each.tag.endswith("text")]
    said = ["".join(filter(str.isprintable, each["text"])) for each in shapes if each["kind"] == "text"]
    assert words == [each for each in said for _twice in range(2)]

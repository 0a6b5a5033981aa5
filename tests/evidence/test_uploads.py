"""Files sent in pieces: what is acknowledged is there, whatever breaks in between; what is wrong is refused with its reason."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from PIL import Image

from anze.evidence.actions import arrived, clear_uploads, open_original, receive_media
from anze.evidence.actions.files import append_part, part_path
from anze.evidence.models import Media, Original, Upload
from anze.kernel.models import Parameter
from anze.kernel.refusal import Refused
from anze.parties.rules import Role
from tests.cast import NOW
from tests.evidence.conftest import SENDER, jpeg, picture


class Phone:
    """A signed-in device that talks as docs/evidence.md says."""

    def __init__(self, browser: Any, subject: Any) -> None:
        self.browser, self.subject = browser, subject

    def declare(self, content: bytes, **words: Any) -> Any:
        said = {
            "client_id": str(uuid4()), "sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
            "kind": "PHOTO", "role": "SITE", "subject_kind": "check", "subject": str(self.subject.id), **words,
        }  # fmt: skip
        return self.browser.post(
            reverse("uploads"),
            json.dumps(said),
            content_type="application/json",
            headers={"Accept": "application/json"},
        )

    def send(self, address: str, offset: int, piece: bytes) -> Any:
        return self.browser.patch(
            address, piece, content_type="application/offset+octet-stream",
            headers={"Upload-Offset": str(offset), "Accept": "application/json"},
        )  # fmt: skip

    def whole(self, content: bytes, **words: Any) -> Any:
        answer = self.declare(content, **words)
        if answer.status_code != 201:
            return answer
        return self.send(answer.json()["upload"], 0, content)


@pytest.fixture
def phone(browser_of, at_xinghuo) -> Phone:
    return Phone(browser_of(Role.EXPERT), at_xinghuo)


def code(answer: Any) -> str:
    return str(answer.json()["type"]).removeprefix("urn:anze:problem:")


@pytest.mark.parametrize(
    ("kind", "role"),
    [("SIGNATURE", "SITE"), ("PHOTO", "SIGNATURE_EXPERT"), ("DOCUMENT", "SIGNATURE_ENTERPRISE"), ("PHOTO", "ANYTHING")],
)
def test_a_photo_is_not_declared_a_signature_nor_a_signature_a_photo(phone, kind, role):
    """A signature is compared with no other picture: whoever could call a photo one could use it twice."""
    answer = phone.declare(jpeg(1), kind=kind, role=role)
    assert (answer.status_code, code(answer)) == (422, "role_not_of_kind")
    assert not Upload.objects.exists()
    with pytest.raises(Refused, match="role_not_of_kind"):
        receive_media(phone.subject, by=SENDER, at=NOW, content=arrived(jpeg(1)), kind=kind, role=role)
    assert not Media.objects.exists()


def test_a_photo_in_pieces_ends_with_a_receipt(phone):
    content, number = jpeg(1), str(uuid4())
    address = phone.declare(
        content, client_id=number, lon=117.1, lat=36.6, captured_at="2026-11-23T09:00:00+08:00"
    ).json()["upload"]
    size = 1 + len(content) // 7
    for offset in range(0, len(content), size):
        answer = phone.send(address, offset, content[offset : offset + size])
        assert int(answer["Upload-Offset"]) == min(len(content), offset + size)
    receipt = answer.json()["receipt"]
    media = Media.objects.get(pk=receipt["id"])
    assert receipt["sha256"] == hashlib.sha256(content).hexdigest() == media.original.sha256
    assert (str(media.client_id), media.expert_id) == (number, phone.subject.expert_id)
    with open_original(media) as file:
        assert file.read() == content
    again = phone.declare(content, client_id=number)
    assert (again.status_code, again.json()["receipt"]["id"]) == (200, receipt["id"])
    assert phone.send(address, 0, b"x").json()["receipt"]["id"] == receipt["id"]
    assert Media.objects.count() == 1


def test_a_piece_that_does_not_continue_is_answered_with_the_true_offset(phone):
    content = jpeg(2)
    address = phone.declare(content).json()["upload"]
    phone.send(address, 0, content[:1000])
    for offset in (0, 999, 1001):
        answer = phone.send(address, offset, content[offset : offset + 10])
        assert (answer.status_code, answer["Upload-Offset"], code(answer)) == (409, "1000", "wrong_offset")
    asked = phone.browser.head(address)
    assert (asked["Upload-Offset"], asked["Upload-Length"]) == ("1000", str(len(content)))
    assert phone.send(address, 1000, content[1000:]).status_code == 200


def test_declaring_again_finds_the_upload_under_way(phone):
    content, number = jpeg(3), str(uuid4())
    first = phone.declare(content, client_id=number).json()
    phone.send(first["upload"], 0, content[:500])
    second = phone.declare(content, client_id=number).json()
    assert (second["upload"], second["offset"]) == (first["upload"], 500)


def test_bytes_of_a_killed_server_that_were_never_acknowledged_are_written_over(phone):
    content = jpeg(4)
    address = phone.declare(content).json()["upload"]
    phone.send(address, 0, content[:400])
    upload = Upload.objects.get()
    with part_path(upload.pk).open("ab") as file:
        file.write(b"half a piece")
    assert phone.send(address, 400, content[400:]).status_code == 200
    assert Original.objects.get().sha256 == hashlib.sha256(content).hexdigest()


def test_a_lost_part_file_starts_again_from_the_beginning(phone):
    content = jpeg(5)
    address = phone.declare(content).json()["upload"]
    phone.send(address, 0, content[:400])
    part_path(Upload.objects.get().pk).unlink()
    answer = phone.send(address, 400, content[400:])
    assert (answer.status_code, answer["Upload-Offset"]) == (409, "0")
    assert phone.send(address, 0, content).status_code == 200


def test_a_wrong_hash_is_refused_and_can_be_sent_anew(phone):
    content, number = jpeg(6), str(uuid4())
    first = phone.whole(content, client_id=number, sha256="0" * 64)
    assert (first.status_code, code(first)) == (422, "wrong_hash")
    assert not Media.objects.exists()
    assert phone.whole(content, client_id=number).status_code == 200


def test_another_content_under_a_number_in_use_is_refused(phone):
    number = str(uuid4())
    phone.declare(jpeg(7), client_id=number)
    assert code(phone.declare(jpeg(8), client_id=number)) == "client_id_taken"
    phone.whole(jpeg(7), client_id=number)
    assert code(phone.declare(jpeg(8), client_id=number)) == "client_id_taken"


def test_nobody_sends_for_another_ones_visit_or_into_his_upload(phone, at_yuanfan, browser_of):
    other = Phone(browser_of(Role.EXPERT, True), at_yuanfan)
    assert code(phone.declare(jpeg(9), subject=str(at_yuanfan.id))) == "subject_not_found"
    assert code(phone.declare(jpeg(9), subject_kind="nothing")) == "unknown_subject_kind"
    number = str(uuid4())
    address = phone.declare(jpeg(9), client_id=number).json()["upload"]
    assert other.send(address, 0, jpeg(9)).status_code == 404
    assert code(other.declare(jpeg(9), client_id=number)) == "client_id_taken"


def test_a_visit_closed_while_its_photo_is_under_way_keeps_the_bytes(phone, visits):
    content = jpeg(10)
    address = phone.declare(content).json()["upload"]
    visits.close(phone.subject)
    answer = phone.send(address, 0, content)
    assert (answer.status_code, code(answer)) == (403, "subject_closed")
    visits.known[phone.subject.id] = phone.subject
    offset = int(phone.browser.head(address)["Upload-Offset"])
    assert offset == len(content) - 1
    assert phone.send(address, offset, content[offset:]).status_code == 200


def png(**words: Any) -> bytes:
    made = io.BytesIO()
    picture(1, (64, 64)).save(made, "PNG", **words)
    return made.getvalue()


def bomb() -> bytes:
    """A PNG of 200 megapixels in some kilobytes."""
    made = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(made, "PNG", compress_level=9)
    return made.getvalue()


REFUSED = {
    "text with a picture's name": (b"not a picture at all", "wrong_type"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "wrong_type"),
    "HTML": (b"<!doctype html><script>alert(1)</script>", "wrong_type"),
    "zip": (b"PK\x03\x04" + b"\0" * 100, "wrong_type"),
    "PDF as photo": (b"%PDF-1.7\n" + b"\0" * 100, "wrong_type"),
    "JPEG of a header only": (jpeg(1)[:24], "not_a_picture"),
    "JPEG mark before nonsense": (b"\xff\xd8\xff" + b"\0" * 5000, "not_a_picture"),
    "200 megapixels": (bomb(), "too_many_pixels"),
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_what_is_no_photo_is_refused_with_its_reason(phone, what):
    content, reason = REFUSED[what]
    answer = phone.whole(content, file_name="IMG_0001.jpg")
    assert code(answer) == reason
    assert answer.json()["detail"]
    assert not Media.objects.exists()
    assert not Original.objects.exists()


def test_a_picture_with_something_behind_it_is_only_ever_a_picture(phone):
    content = jpeg(11) + b"<script>alert(1)</script>PK\x03\x04"
    receipt = phone.whole(content, file_name="x.html").json()["receipt"]
    taken = phone.browser.get(reverse("media-original", args=[receipt["id"]]))
    assert b"".join(taken.streaming_content) == content
    assert taken["Content-Type"] == "image/jpeg"
    assert taken["Content-Disposition"].startswith("attachment")
    assert taken["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in taken["Content-Security-Policy"]
    shown = phone.browser.get(reverse("media-large", args=[receipt["id"]]))
    assert b"script" not in shown.content


def hostile() -> bytes:
    """A photo whose EXIF lies in every entry: a place beyond the poles, a day that never was, markup as a name."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "<script>alert(1)</script>\0" * 500, "\x1b[31m'; DROP TABLE evidence_media; --"
    exif.get_ifd(0x8769)[0x9003] = "9999:99:99 99:99:99"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (9999.0, 0.0, 0.0), "<", (700.0, 0.0, 0.0)
    return jpeg(18, exif=exif)


@pytest.mark.parametrize(
    ("content", "kind"),
    [((Path(__file__).parent / "data" / "small.heic").read_bytes(), "image/heic"), (hostile(), "image/jpeg")],
    ids=["HEIC", "hostile EXIF"],
)
def test_an_iphones_photo_and_one_that_lies_are_kept_byte_by_byte_and_shown(phone, content, kind):
    receipt = phone.whole(content).json()["receipt"]
    media = Media.objects.get()
    assert (media.original.sha256, media.original.media_type) == (receipt["sha256"], kind)
    with open_original(media) as file:
        assert file.read() == content
    assert (media.exif_at, media.exif_lon, media.exif_lat) == (None, None, None)
    assert media.device.isprintable()
    for size in ("media-small", "media-large"):
        shown = b"".join(phone.browser.get(reverse(size, args=[media.pk])))
        assert shown[:2] == b"\xff\xd8"
        assert b"script" not in shown
    page = phone.browser.get(reverse("media", args=[media.pk])).content.decode()
    assert "<script>alert" not in page


def test_a_truncated_photo_is_kept_and_marked(phone):
    content = jpeg(12, size=(1600, 1200))[:-20_000]
    receipt = phone.whole(content).json()["receipt"]
    assert "DAMAGED" in [hint["code"] for hint in receipt["hints"]]
    assert Original.objects.get().is_damaged


@pytest.mark.parametrize(
    ("key", "kind", "limit"), [("evidence_photo_mb", "PHOTO", 30), ("evidence_video_mb", "VIDEO", 200)]
)
def test_a_file_over_its_limit_is_refused_before_a_byte_is_sent(phone, key, kind, limit):
    answer = phone.declare(b"x", size=limit * 2**20 + 1, kind=kind)
    assert (answer.status_code, code(answer)) == (413, "file_too_large")
    assert str(limit) in answer.json()["title"]
    assert Parameter.objects.filter(key=key).exists()
    assert phone.declare(b"", size=0).status_code == 422


def test_the_quota_of_a_day_refuses_what_is_new_and_keeps_what_is_there(phone):
    Parameter.objects.filter(key="evidence_daily_files").update(value="2")
    assert phone.whole(jpeg(13)).status_code == 200
    number = str(uuid4())
    phone.declare(jpeg(14), client_id=number)
    assert code(phone.declare(jpeg(15))) == "quota_reached"
    assert phone.whole(jpeg(14), client_id=number).status_code == 200
    assert Media.objects.count() == 2


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"sha256": "ABC"}, "sha256"), ({"client_id": "1"}, "client_id"), ({"size": "many"}, "size"),
        ({"kind": "SECRET"}, "kind"), ({"captured_at": "yesterday"}, "captured_at"),
        ({"captured_at": "2026-11-23T10:00:00"}, "captured_at"), ({"device_at": "0001-01-01T00:00:00Z"}, "device_at"),
    ],
)  # fmt: skip
def test_an_unreadable_declaration_names_its_field(phone, words, field):
    answer = phone.declare(jpeg(16), **words)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_piece_may_not_be_larger_than_announced(phone):
    content = jpeg(17)
    address = phone.declare(content).json()["upload"]
    assert code(phone.send(address, 0, content + b"more")) == "more_than_declared"
    assert (
        code(phone.browser.patch(address, b"", headers={"Upload-Offset": "x", "Accept": "application/json"}))
        == "offset_missing"
    )


def test_forgotten_uploads_go_and_evidence_stays(phone):
    address = phone.declare(jpeg(18)).json()["upload"]
    phone.send(address, 0, jpeg(18)[:100])
    phone.whole(jpeg(19))
    part = part_path(Upload.objects.get(received=100).pk)
    assert part.exists()
    from datetime import timedelta

    assert clear_uploads(at=NOW) == 0
    assert clear_uploads(at=Upload.objects.latest("expires_at").expires_at + timedelta(days=1)) == 2
    assert not part.exists()
    assert Media.objects.count() == 1


def test_a_part_that_has_fewer_bytes_than_acknowledged_says_so(tmp_path, settings):
    number = uuid4()
    append_part(number, 0, b"abc")
    append_part(number, 1, b"x")
    assert part_path(number).read_bytes() == b"ax"
    with pytest.raises(FileNotFoundError):
        append_part(number, 9, b"y")


def test_signed_out_devices_are_told_so(client, db):
    answer = client.patch(f"/evidence/uploads/{uuid4()}/", b"x", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:anze:problem:signed_out")

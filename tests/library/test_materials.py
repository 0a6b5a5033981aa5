"""Materials: what is taken in, how it is given out, and that everybody is counted once a day."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from anze.kernel.actor import platform
from anze.kernel.refusal import Refused
from anze.library.actions import count_use, publish_material
from anze.library.models import Material, MaterialDay
from anze.library.rules import Use
from anze.parties.rules import Permission, Role
from tests.cast import NOW

KEEPER = platform(frozenset({Permission.KEEP_LIBRARY}))
PDF = b"%PDF-1.7 example"


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path) -> None:
    place = {"BACKEND": "anze.evidence.actions.files.Disk", "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "evidence": place}


@pytest.fixture
def poster(everything) -> Material:
    return publish_material(
        "HB-1", by=KEEPER, at=NOW, kind="POSTER", title_zh="有限空间作业", title_en="Confined spaces", data=PDF,
        sectors=["OTHER"],
    )  # fmt: skip


def test_everybody_is_counted_once_a_day_for_each_use(poster) -> None:
    one, two = uuid4(), uuid4()
    assert count_use(poster.pk, Use.VIEW, account=one, at=NOW)
    assert not count_use(poster.pk, Use.VIEW, account=one, at=NOW + timedelta(hours=1))
    assert count_use(poster.pk, Use.DOWNLOAD, account=one, at=NOW)
    assert count_use(poster.pk, Use.VIEW, account=two, at=NOW)
    assert count_use(poster.pk, Use.VIEW, account=one, at=NOW + timedelta(days=1))
    poster.refresh_from_db()
    assert (poster.views, poster.downloads) == (3, 1)
    days = MaterialDay.objects.filter(material=poster).order_by("on").values_list("views", "downloads")
    assert list(days) == [(2, 1), (1, 0)]


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("POSTER", b"", "file_empty"),
        ("POSTER", b"MZ\x90 a program", "file_type"),
        ("POSTER", b"<html>", "file_type"),
        ("HANDBOOK", b"\x89PNG\r\n\x1a\n....", "file_type"),
        ("POSTER", b"\x00\x00\x00\x20ftypisom", "file_type"),
    ],
)
def test_a_file_is_judged_by_its_content(everything, kind, data, code) -> None:
    with pytest.raises(Refused) as refused:
        publish_material("X-1", by=KEEPER, at=NOW, kind=kind, title_zh="标", title_en="t", data=data)
    assert refused.value.code == code
    assert refused.value.field == "file"


def test_the_file_comes_back_byte_for_byte_and_opening_it_counts(poster, browser_of) -> None:
    reader = browser_of(Role.ENTERPRISE)
    address = reverse("material-file", args=[poster.pk])
    for _again in range(2):
        answer = reader.get(address)
        assert b"".join(answer.streaming_content) == PDF
        assert answer["Content-Disposition"].startswith("inline")
    answer = reader.get(address, {"download": "1"})
    assert answer["Content-Disposition"].startswith("attachment")
    poster.refresh_from_db()
    assert (poster.views, poster.downloads) == (1, 1)


def test_a_phone_seeks_in_a_video_and_counts_as_one_viewer(everything, browser_of) -> None:
    film = b"\x00\x00\x00\x20ftypisom" + bytes(range(200)) * 40
    video = publish_material("VD-1", by=KEEPER, at=NOW, kind="VIDEO", title_zh="视频", title_en="Film", data=film)
    reader, address = browser_of(Role.ENTERPRISE), reverse("material-file", args=[video.pk])
    whole = reader.get(address)
    assert (whole.status_code, whole["Accept-Ranges"]) == (200, "bytes")
    assert b"".join(whole.streaming_content) == film
    part = reader.get(address, headers={"Range": "bytes=4000-4999", "If-Range": whole["ETag"]})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 4000-4999/{len(film)}")
    assert b"".join(part.streaming_content) == film[4000:5000]
    beyond = reader.get(address, headers={"Range": f"bytes={len(film)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(film)}")
    video.refresh_from_db()
    assert video.views == 1


def test_a_keeper_publishes_and_withdraws_and_others_cannot(browser_of) -> None:
    keeper, reader = browser_of(Role.COMMITTEE), browser_of(Role.EXPERT)
    words = {
        "code": "SC-1",
        "kind": "HANDBOOK",
        "title_zh": "粉尘防爆手册",
        "title_en": "Dust handbook",
        "audience": "ALL",
    }
    file = SimpleUploadedFile("any.exe", PDF)
    assert reader.post(reverse("material-new"), words).status_code == 403
    assert keeper.post(reverse("material-new"), words).status_code == 422
    assert keeper.post(reverse("material-new"), {**words, "file": file}).status_code == 302
    made = Material.objects.get(code="SC-1")
    assert "粉尘防爆手册" in reader.get(reverse("materials"), {"q": "粉尘"}).content.decode()
    assert "粉尘防爆手册" in reader.get(reverse("materials"), {"sector": "MINE"}).content.decode()
    assert "1" in reader.get(reverse("library")).content.decode()
    assert reader.post(reverse("material-withdraw", args=[made.pk])).status_code == 403
    keeper.post(reverse("material-withdraw", args=[made.pk]))
    assert "粉尘防爆手册" not in reader.get(reverse("materials")).content.decode()


def test_a_sector_filter_finds_what_is_for_it_and_for_all(poster, browser_of) -> None:
    reader = browser_of(Role.EXPERT)
    assert "有限空间作业" in reader.get(reverse("materials"), {"sector": "OTHER"}).content.decode()
    assert "有限空间作业" not in reader.get(reverse("materials"), {"sector": "MINE"}).content.decode()

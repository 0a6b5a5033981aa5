"""Originals in an S3-compatible store, by setting: the same bytes, the same pages, as from a folder."""

from __future__ import annotations

import hashlib
import os

import pytest
from django.urls import reverse

from anze.evidence.actions import arrived, open_original, preview_file, thumbnail_file
from anze.evidence.actions.files import store
from anze.evidence.models import Original
from anze.evidence.rules import FileType
from anze.parties.rules import Role
from config.settings import _evidence_store
from tests.evidence.bucket import bucket
from tests.evidence.conftest import jpeg


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch, settings):
    with bucket() as (address, found):
        monkeypatch.setenv("ANZE_EVIDENCE_STORE", f"s3://evidence/anze?endpoint={address}&region=cn-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "example")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        settings.STORAGES = {**settings.STORAGES, "evidence": _evidence_store()}
        yield found


def test_an_original_lies_in_the_bucket_under_its_hash_and_comes_back_byte_by_byte(
    at_xinghuo, take, objects, browser_of
):
    content = jpeg(31)
    media = take(at_xinghuo, content)
    mark = hashlib.sha256(content).hexdigest()
    name = f"/evidence/anze/originals/{mark[:2]}/{mark[2:4]}/{mark}.jpg"
    assert objects[name] == content
    with open_original(media) as file:
        assert file.read() == content
    assert thumbnail_file(media)[:2] == preview_file(media)[:2] == b"\xff\xd8"
    browser = browser_of(Role.INSURER_CLERK)
    taken = browser.get(reverse("media-original", args=[media.pk]))
    assert b"".join(taken.streaming_content) == content
    part = browser.get(reverse("media-original", args=[media.pk]), headers={"Range": "bytes=10-19"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, content[10:20])


def test_sent_again_it_is_not_stored_again_and_a_derived_picture_is_made_anew(at_xinghuo, take, objects):
    media = take(at_xinghuo, jpeg(32))
    before = set(objects)
    take(at_xinghuo, jpeg(32))
    assert set(objects) == before
    for name in [each for each in objects if "/derived/" in each]:
        del objects[name]
    assert thumbnail_file(media)[:2] == b"\xff\xd8"
    assert set(objects) == before


def test_a_large_file_goes_up_in_parts(objects, tmp_path):
    large = os.urandom(9 * 2**20)
    path = tmp_path / "video.mp4"
    path.write_bytes(large)
    with arrived(path).open() as file:
        store().save("originals/ab/cd/large.mp4", file)
    assert objects["/evidence/anze/originals/ab/cd/large.mp4"] == large
    with store().open("originals/ab/cd/large.mp4", "rb") as file:
        assert file.read() == large


def test_what_is_not_there_is_missing_as_in_a_folder(objects):
    gone = Original(sha256="ab" * 32, media_type=FileType.JPEG)
    with pytest.raises(FileNotFoundError):
        store().open(f"originals/{gone.sha256}.jpg", "rb").read()

"""The same picture elsewhere is found and shown to those set over both sides; honest photos of one scene are left alone."""

from __future__ import annotations

import io
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest
from django.urls import reverse

from anze.evidence.actions import decide_match
from anze.evidence.actions.files import derived_name, original_name, store
from anze.evidence.actions.matching import region_around
from anze.evidence.models import Match
from anze.evidence.rules import FileType
from anze.evidence.rules.fingerprints import distance, print_of, same, unpacked
from anze.evidence.rules.pictures import read_picture
from anze.kernel.models import Change, Event
from anze.kernel.refusal import Refused
from anze.parties.rules import Role
from bench import photos
from tests.cast import NOW
from tests.evidence.conftest import SENDER, jpeg

SEED = 4711


def changed(name: str, seed: int = SEED) -> bytes:
    return photos.as_jpeg(photos.CHANGES[name](photos.scene(seed), np.random.default_rng(1)))


@pytest.fixture(scope="module")
def scene() -> bytes:
    return photos.as_jpeg(photos.scene(SEED))


KINDS = {
    "saved anew at quality 40": "NEAR",
    "resized to a third": "NEAR",
    "cut by 10 %": "PART",
    "lighter by 30 %": "NEAR",
    "watermark": "NEAR",
    "screenshot with borders": "PART",
    "mirrored": "MIRRORED",
}


@pytest.mark.parametrize("name", list(KINDS))
def test_a_changed_copy_at_another_insurer_is_found(at_xinghuo, at_yuanfan, take, scene, name):
    first = take(at_xinghuo, scene)
    second = take(at_yuanfan, changed(name))
    match = Match.objects.get()
    assert (match.first_id, match.second_id, match.kind) == (first.pk, second.pk, KINDS[name])
    assert (match.is_across, match.grade, match.state) == (True, "STRONG", "OPEN")


def test_a_lost_file_keeps_no_new_photo_out(at_xinghuo, at_yuanfan, take, scene, caplog):
    first = take(at_xinghuo, scene)
    store().delete(derived_name(first.original, "small"))
    assert take(at_yuanfan, changed("resized to a third")).pk
    assert Match.objects.count() == 1, "the thumbnail is made again from the original"
    for name in (derived_name(first.original, "small"), original_name(first.original)):
        store().delete(name)
    take(at_yuanfan, changed("darker by 30 %"))
    assert "cannot be read" in caplog.text


def test_another_photo_of_the_same_scene_is_no_match(at_xinghuo, at_yuanfan, take, scene):
    take(at_xinghuo, scene)
    take(at_yuanfan, photos.as_jpeg(photos.second_shot(SEED, 1)))
    take(at_yuanfan, photos.as_jpeg(photos.scene(SEED + 1)))
    assert not Match.objects.exists()


def test_bare_walls_are_matched_as_the_same_file_only(at_xinghuo, at_yuanfan, take):
    from PIL import Image

    def wall(shade: int) -> bytes:
        return photos.as_jpeg(
            Image.linear_gradient("L").resize((800, 600)).point(lambda v: v // 4 + shade).convert("RGB")
        )

    take(at_xinghuo, wall(90))
    take(at_yuanfan, wall(95))
    assert not Match.objects.exists()
    take(at_yuanfan, wall(90))
    assert Match.objects.get().kind == "EXACT"


def test_twice_within_one_visit_is_no_match_but_before_as_after_is(at_xinghuo, take):
    take(at_xinghuo, jpeg(1), role="HAZARD")
    take(at_xinghuo, jpeg(1), role="SITE")
    assert not Match.objects.exists()
    take(at_xinghuo, jpeg(1), role="RECTIFIED")
    assert Match.objects.get().grade == "STRONG"


def test_only_those_over_both_sides_see_a_match(at_xinghuo, at_yuanfan, take, visits, browser_of):
    take(at_xinghuo, jpeg(2))
    take(at_yuanfan, jpeg(2))
    own = visits.add(**{**vars(at_xinghuo), "id": uuid4()})
    take(own, jpeg(2))
    across = [m for m in Match.objects.all() if m.is_across]
    inside = Match.objects.exclude(is_across=True).get()
    assert len(across) == 2
    for role, other, sees_inside, sees_across in (
        (Role.COMMITTEE, False, 200, 200), (Role.PROVINCE_REGULATOR, False, 200, 200),
        (Role.CITY_REGULATOR, False, 200, 404), (Role.COUNTY_REGULATOR, False, 200, 404),
        (Role.CITY_REGULATOR, True, 404, 404),
        (Role.INSURER_CLERK, False, 200, 404), (Role.INSURER_CLERK, True, 404, 404),
        (Role.AGENCY, False, 200, 404), (Role.EXPERT, False, 200, 404), (Role.EXPERT, True, 404, 404),
        (Role.ENTERPRISE, False, 403, 403), (Role.FINANCIAL_REGULATOR, False, 403, 403),
    ):  # fmt: skip
        browser = browser_of(role, other)
        assert browser.get(reverse("match", args=[inside.pk])).status_code == sees_inside, role
        for each in across:
            assert browser.get(reverse("match", args=[each.pk])).status_code == sees_across, role


def test_a_person_decides_with_a_reason_and_every_word_stays(at_xinghuo, at_yuanfan, take, browser_of):
    take(at_xinghuo, jpeg(3))
    take(at_yuanfan, jpeg(3))
    match = Match.objects.get()
    browser = browser_of(Role.COMMITTEE)
    page = browser.get(reverse("match", args=[match.pk])).content.decode()
    assert page.count("/large.jpg") == 2
    assert (
        browser.post(reverse("match-decide", args=[match.pk]), {"decision": "clear", "reason": " "}).status_code == 422
    )
    browser.post(reverse("match-decide", args=[match.pk]), {"decision": "clear", "reason": "同一厂区"})
    match.refresh_from_db()
    assert (match.state, match.reason) == ("HARMLESS", "同一厂区")
    decide_match(match, by=SENDER, at=NOW, decision="confirm", reason="核对后更正")
    assert [e.details["decision"] for e in Event.objects.filter(kind="match.decided").order_by("id")] == [
        "clear",
        "confirm",
    ]
    assert [c.before["reason"] for c in Change.objects.filter(row_id=match.pk).order_by("id")] == ["", "同一厂区"]
    with pytest.raises(Refused, match="unknown_decision"):
        decide_match(match, by=SENDER, at=NOW, decision="delete", reason="x")
    assert browser_of(Role.INSURER_CLERK).post(reverse("match-decide", args=[match.pk]), {}).status_code == 403


def test_regions_around_two():
    assert region_around("370102", "370102") == "370102"
    assert region_around("370102", "370103") == "370100"
    assert region_around("370102", "370202") == "370000"


def test_kept_corner_points_are_those_that_were_found(scene):
    found = print_of(read_picture(io.BytesIO(scene), FileType.JPEG).grey)
    words, x, y, scale = unpacked(found.corners.packed())
    assert list(words) == list(found.corners.word)
    assert np.allclose(x, found.corners.x, atol=1e-4)
    assert np.allclose(y, found.corners.y, atol=1e-4)
    assert (scale > 0).all()
    assert distance(found.whole, found.whole) == 0
    assert distance(found.whole, bytes(b ^ 255 for b in found.whole)) == 256


def test_a_picture_is_the_same_as_itself_and_not_as_its_neighbour(scene):
    one = read_picture(io.BytesIO(scene), FileType.JPEG)
    found = print_of(one.grey)
    verdict = same(found, one.grey, found.whole, found.corners.packed(), one.grey)
    assert verdict is not None
    assert (verdict.kind, verdict.distance, verdict.likeness) == ("NEAR", 0, 1.0)
    turned = np.ascontiguousarray(one.grey[::-1])
    other = print_of(turned)
    assert same(other, turned, found.whole, found.corners.packed(), one.grey) is None
    assert replace(verdict, distance=1) != verdict

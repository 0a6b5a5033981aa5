"""Who sees which picture, and what he gets of it."""

from __future__ import annotations

import io

import pytest
from django.urls import reverse
from PIL import ExifTags, Image

from anze.kernel.models import Event
from anze.parties.rules import Role
from tests.evidence.conftest import jpeg, picture


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Hualu", "Hualu X1"
    return jpeg(1, exif=exif)


@pytest.mark.parametrize("name", ["media", "media-small", "media-large", "media-original"])
@pytest.mark.parametrize(
    ("role", "other", "status"),
    [
        (Role.EXPERT, False, 200), (Role.EXPERT, True, 404), (Role.INSURER_CLERK, True, 404), (Role.ENTERPRISE, False, 200),
        (Role.ENTERPRISE, True, 404), (Role.CITY_REGULATOR, True, 404), (Role.COMMITTEE, False, 200),
        (Role.FINANCIAL_REGULATOR, False, 403),
    ],
)  # fmt: skip
def test_a_picture_opens_for_those_whose_scope_holds_it(at_xinghuo, take, browser_of, name, role, other, status):
    media = take(at_xinghuo)
    answer = browser_of(role, other).get(reverse(name, args=[media.pk]))
    assert answer.status_code == status
    if status == 200:
        assert answer["Cache-Control"].startswith("private")
    if answer.streaming:  # read to its end, it closes its file
        assert b"".join(answer.streaming_content)


def test_exif_stays_in_the_original_and_nowhere_else(at_xinghuo, take, browser_of):
    media = take(at_xinghuo, with_exif())
    assert media.device == "Hualu X1"
    browser = browser_of(Role.EXPERT)
    for name in ("media-small", "media-large"):
        shown = browser.get(reverse(name, args=[media.pk]))
        assert b"Hualu" not in shown.content
        assert not Image.open(io.BytesIO(shown.content)).getexif()
    original = browser.get(reverse("media-original", args=[media.pk]))
    assert b"Hualu" in b"".join(original.streaming_content)


def test_taking_an_original_is_on_record_and_looking_is_not(at_xinghuo, take, browser_of):
    media = take(at_xinghuo)
    browser = browser_of(Role.COMMITTEE)
    browser.get(reverse("media-large", args=[media.pk]))
    assert not Event.objects.filter(kind="media.original_taken").exists()
    assert b"".join(browser.get(reverse("media-original", args=[media.pk])).streaming_content)
    event = Event.objects.get(kind="media.original_taken")
    assert (event.row_id, event.by) == (media.pk, browser.membership.account_id)


def test_a_browser_that_has_a_picture_does_not_get_it_again(at_xinghuo, take, browser_of):
    browser, address = browser_of(Role.EXPERT), reverse("media-small", args=[take(at_xinghuo).pk])
    mark = browser.get(address)["ETag"]
    assert browser.get(address, headers={"If-None-Match": mark}).status_code == 304


def test_the_page_draws_the_layer_over_the_picture_and_names_where_it_belongs(at_xinghuo, take, browser_of):
    shapes = [
        {"kind": "arrow", "points": [[0.1, 0.2], [0.5, 0.5]]},
        {"kind": "text", "points": [[0.1, 0.1]], "text": "<裂纹>"},
    ]
    media = take(at_xinghuo, annotation={"shapes": shapes})
    page = browser_of(Role.EXPERT).get(reverse("media", args=[media.pk])).content.decode()
    assert 'x1="64.0" y1="96.0" x2="320.0" y2="240.0"' in page
    assert "&lt;裂纹&gt;" in page
    assert "V-1" in page


def test_the_gallery_costs_the_same_queries_for_any_number(at_xinghuo, take, browser_of, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser, counts = browser_of(Role.EXPERT), []
    for number in (1, 6):
        for i in range(number):
            made = io.BytesIO()
            picture(number * 10 + i, (80, 60)).save(made, "PNG")
            take(at_xinghuo, made.getvalue())
        browser.get(reverse("photos"))
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert browser.get(reverse("photos")).content.decode().count("/small.jpg") == (1 if number == 1 else 7)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_parts_of_an_original_are_given_and_their_taking_is_on_record_about_once(at_xinghuo, take, browser_of):
    media = take(at_xinghuo)
    browser, address = browser_of(Role.COMMITTEE), reverse("media-original", args=[media.pk])
    whole = b"".join(browser.get(address).streaming_content)
    for first in (1, 100, 200):
        part = browser.get(address, headers={"Range": f"bytes={first}-{first + 49}"})
        assert part.status_code == 206
        assert b"".join(part.streaming_content) == whole[first : first + 50]
    # not even somebody who leaves out the first byte takes it without being noted
    assert Event.objects.filter(kind="media.original_taken").count() == 2

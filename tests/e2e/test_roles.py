"""Every role signs in and stands in front of its first page: in Chinese and English, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from anze.exchange.synthetic.people import LOGINS
from tests.e2e.windows import Opens, People, assert_no_wider, assert_readable

pytestmark = pytest.mark.slow
ROLES = [login.username for login in LOGINS]
LATIN_WORDS = re.compile(r"[A-Za-z]{4,}")
# what stays in Latin letters in Chinese too
KEPT = re.compile(r"Excel|English|Anze|NDJSON|JSON|CSV|HTTP|API|OpenAPI|HMAC|SHA|Ed25519|PSD\w+|[A-Z0-9_\-]{4,}|\.\w+")


@pytest.fixture
def signed_in(newcomers: People) -> Iterator[Opens]:
    """Opens the first page of one of the demonstration's people; fails on any error a browser reports."""
    with newcomers.windows() as open_:

        def stand_before(username: str, width: int = 1280, language: str = "zh-hans") -> Page:
            page = open_(username, width, language)
            page.goto(f"{newcomers.base}/")
            expect(page.locator("h1")).to_be_visible()
            return page

        yield stand_before


def assert_sound(page: Page) -> None:
    """Nothing wider than the screen, and readable for everybody (WCAG)."""
    assert_no_wider(page)
    assert_readable(page)


@pytest.mark.parametrize("username", ROLES)
def test_the_first_page_of_every_role(signed_in, username):
    page = signed_in(username)
    assert_sound(page)
    words = LATIN_WORDS.findall(KEPT.sub(" ", page.inner_text("main")))
    assert not words, f"English on the Chinese page: {words[:8]}"
    page = signed_in(username, width=390, language="en")
    assert_sound(page)


def test_on_a_phone_one_signs_in_in_english(newcomers: People) -> None:
    with newcomers.windows() as open_:
        page = open_(width=390, language="en")
        page.goto(f"{newcomers.base}/sign-in/")
        assert_sound(page)
        newcomers.sign_in(page, "expert")
        expect(page.locator("h1")).to_be_visible()
        assert_sound(page)


def test_from_the_headline_to_a_named_row(signed_in, site):
    """Province → hazard rectification → a city → the overdue rows → the record."""
    page = signed_in("province")
    page.goto(f"{site}/statistics/?show=hazard_rectification_rate")
    expect(page.locator("[data-chart=map][data-chart-ready=yes]")).to_be_visible()
    assert_sound(page)
    page.locator("table a", has_text="市").first.click()
    page.wait_for_url(re.compile("region=37"))
    page.locator("a.drill").first.click()
    page.locator("a.drill").nth(1).click()
    expect(page.locator("#rows table tbody tr").first).to_be_visible()
    page.locator("#rows tbody tr td a").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert_sound(page)


def test_lists_filter_page_and_open_their_records(signed_in, site):
    page = signed_in("province")
    for address in ("/underwriting/policies/", "/prevention/services/", "/hazards/", "/claims/", "/expenses/"):
        page.goto(site + address)
        expect(page.locator("h1")).to_be_visible()
        assert_sound(page)
    page.goto(f"{site}/hazards/")
    rows = page.locator("#list tbody tr")
    expect(rows.first).to_be_visible()
    page.locator("#list tbody tr a").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert_sound(page)


@pytest.mark.parametrize(("width", "language"), [(390, "zh-hans"), (1280, "en")])
def test_several_of_many_are_ticked_without_a_key_held(signed_in, site, width, language):
    """Two counties of sixteen cities for a topic: by typing, by the keyboard, and taken back."""
    page = signed_in("province", width=width, language=language)
    page.goto(f"{site}/prevention/topics/new/")
    chosen = page.locator("[name=regions]:checked")
    boxes = page.locator(".boxes").first
    filter_ = boxes.locator("input[type=search]")
    filter_.fill("历下" if language == "zh-hans" else "lixia")
    expect(boxes.locator("[data-box]:visible")).to_have_count(1)
    filter_.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(chosen).to_have_count(1)
    assert chosen.get_attribute("value") == "370102"
    filter_.fill("nothing of that name")
    expect(boxes.locator("[data-boxes-none]")).to_be_visible()
    filter_.fill("")
    assert boxes.locator("details").count() == 16
    boxes.locator("summary").nth(1).click()
    boxes.locator("details").nth(1).locator("[data-box]").first.click()
    expect(chosen).to_have_count(2)
    assert_sound(page)
    boxes.locator("button").click()
    expect(chosen).to_have_count(0)


def test_an_insurer_never_meets_a_competitor(signed_in, site):
    page = signed_in("insurer")
    page.goto(f"{site}/underwriting/policies/")
    expect(page.locator("#list tbody tr").first).to_be_visible()
    text = page.inner_text("main")
    own = page.locator(".navbar .text-secondary, footer").last.inner_text()
    assert own
    assert "INS02" not in text

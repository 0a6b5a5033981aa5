"""Two pages for people without an account, on a phone, in both languages: a service confirmed, a hazard rectified."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.windows import Opens, assert_sound
from tests.exchange.live import Platform

pytestmark = pytest.mark.slow

LANGUAGES = ["zh-hans", "en"]
CONFIRM = {
    "zh-hans": ("是，确有此事", "提交答复", "已于"),
    "en": ("yes, this happened", "Send the answer", "confirmed this service"),
}
RECTIFY = {
    "zh-hans": ("整改前", "整改后", "提交整改"),
    "en": ("before rectification", "after rectification", "Submit the rectification"),
}


@pytest.fixture
def phone(live: Platform, opened: Opens) -> Opens:
    """Opens a link on a phone of 390 pixels."""

    def follow(kind: str, language: str) -> Page:
        page = opened(width=390, language=language)
        page.goto(live.base + live.links[kind][LANGUAGES.index(language)])
        return page

    return follow


def pictures_shown(page: Page) -> int:
    """Pictures that the browser could draw."""
    count: int = page.evaluate(
        "() => [...document.querySelectorAll('main img')].filter((i) => i.naturalWidth > 0).length"
    )
    return count


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_service_is_confirmed_and_rated_by_link(live: Platform, phone, language: str) -> None:
    page = phone("services", language)
    yes, send, thanks = CONFIRM[language]
    assert pictures_shown(page) == 1
    assert_sound(page)
    page.locator("label", has_text=yes).first.click()
    page.locator("label", has_text="★★★★★").click()
    page.fill("input[name=name]", "示例车间主任")
    page.get_by_role("button", name=send).click()
    expect(page.get_by_role("status").first).to_contain_text(thanks)
    assert_sound(page)
    number = f"S-LINK{LANGUAGES.index(language)}"
    assert live.ask(
        "SELECT s.confirmation, s.confirmed_by, r.stars FROM prevention_service s "
        "JOIN prevention_rating r ON r.service_id = s.id WHERE s.service_no = %s",
        number,
    ) == [("ONLINE", "示例车间主任", 5)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hazard_is_rectified_by_link_with_a_photo(live: Platform, phone, language: str, tmp_path: Path) -> None:
    page = phone("hazards", language)
    before, after, send = RECTIFY[language]
    assert pictures_shown(page) == 1
    expect(page.locator("main")).to_contain_text(before)
    assert page.locator("h1").bounding_box()["y"] >= 0, "the head of a long page can be reached"
    assert_sound(page)
    taken = tmp_path / "after.jpg"
    Image.effect_noise((640, 480), 90).convert("RGB").save(taken)
    page.fill("input[name=name]", "示例车间主任")
    page.fill("textarea[name=words]", "已清理，通道恢复畅通")
    page.set_input_files("input[name=photos]", taken)
    page.get_by_role("button", name=send).click()
    expect(page.locator(".alert-success")).to_be_visible()
    expect(page.locator("main")).to_contain_text(after)
    assert pictures_shown(page) == 2
    assert_sound(page)
    number = f"H-LINK{LANGUAGES.index(language)}"
    assert live.ask(
        "SELECT h.state, (SELECT count(*) FROM evidence_media m WHERE m.subject = h.id AND m.role = 'RECTIFIED') "
        "FROM hazards_hazard h WHERE h.hazard_no = %s",
        number,
    ) == [("SUBMITTED", 1)]

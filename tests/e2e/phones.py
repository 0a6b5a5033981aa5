"""The phone app in a browser, by what a person does with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from anze.prevention.screens.words import WORDS
from tests.exchange.live import PASSWORD, Platform

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
    "reduced_motion": "reduce",
    "geolocation": {"longitude": 117.07, "latitude": 36.66, "accuracy": 15},
    "permissions": ["geolocation"],
}


class Phone:
    """The app in a browser of a phone's size, by what a person does with it."""

    def __init__(
        self, live: Platform, context: BrowserContext, page: Page | None = None, language: str = "zh-hans"
    ) -> None:
        self.live, self.context, self.words = live, context, WORDS.said(language)
        self.page = page or context.new_page()
        self.page.set_default_timeout(12_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        self.page.on("console", lambda said: self.errors.append(said.text) if "Content Security" in said.text else None)

    def sign_in(self, username: str, password: str = PASSWORD) -> Phone:
        self.page.goto(f"{self.live.base}/sign-in/?next=/visits/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_selector(".phone-main")
        return self

    def ready(self) -> Phone:
        """Everything is on the device: the app's files and the next days' visits."""
        expect(self.page.locator(".phone-card").first).to_be_visible()
        self.page.evaluate("() => navigator.serviceWorker.ready")
        self.page.wait_for_function("async () => (await caches.keys()).some((name) => name.startsWith('visits-'))")
        return self

    def open(self, order: str) -> Phone:
        self.page.evaluate("() => { location.hash = '#/' }")
        self.page.locator(f"[data-order='{order}']").click()
        begins = re.compile(f"{self.words['begin']}|{self.words['begun_at'].replace('{time}', '').strip()}")
        expect(self.page.locator(".phone-main")).to_contain_text(begins)
        return self

    @property
    def base(self) -> str:
        found = re.search(r"#/visit/[0-9a-f-]{36}", self.page.url)
        assert found
        return found[0]

    @property
    def visit(self) -> str:
        return self.base[-36:]

    def to(self, part: str = "") -> None:
        base = self.base
        self.page.evaluate("(hash) => { location.hash = hash }", f"{base}{part}")

    def tap(self, text: str) -> None:
        self.page.get_by_role("button", name=text, exact=True).click()

    def press(self, word: str) -> None:
        """Tap the button the app calls so, whatever the language."""
        self.tap(self.words[word])

    def begin(self) -> None:
        self.press("begin")
        expect(self.page.locator(".phone-tiles")).to_be_visible()

    def photo(self, label: str, path: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.tap(label)
        before = self.page.locator(".phone-photo").count()
        chooser.value.set_files(path)
        expect(self.page.locator(".phone-photo")).to_have_count(before + 1)

    def arrow(self) -> None:
        """Draw an arrow over the first photo."""
        self.page.locator(".phone-photo").first.click()
        canvas = self.page.locator(".phone-draw")
        expect(canvas).to_be_visible()
        box = canvas.bounding_box()
        assert box
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
        mouse.down()
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        mouse.up()
        self.press("done")
        expect(canvas).to_have_count(0)

    def finding(self, path: Path | None, words: str = "铸") -> None:
        self.press("new_finding")
        self.page.get_by_role("searchbox").fill(words)
        if path:
            self.photo(self.words["take_photo"], path)
        self.page.locator(".list-group-item").first.click()
        self.press("save_finding")
        expect(self.page.locator(".phone-tiles")).to_be_visible()

    def note(self, words: str) -> None:
        self.to("/notes")
        self.page.locator("textarea").fill(words)
        self.press("save")
        expect(self.page.locator(".phone-item", has_text=words)).to_be_visible()
        self.to()

    def sign(self, side: str, name: str) -> None:
        self.to(f"/sign/{side}")
        self.page.locator("input.form-control").first.fill(name)
        box = self.page.locator(".phone-pad").bounding_box()
        assert box
        mouse = self.page.mouse
        mouse.move(box["x"] + 30, box["y"] + 30)
        mouse.down()
        mouse.move(box["x"] + 160, box["y"] + 70)
        mouse.move(box["x"] + 60, box["y"] + 100)
        mouse.up()
        self.press("save_signature")
        expect(self.page.locator(".phone-tiles")).to_be_visible()

    def finish(self) -> None:
        self.press("finish")
        expect(self.page.get_by_role("button", name=self.words["submit"], exact=True)).to_be_visible()

    def whole_visit(self, path: Path) -> None:
        self.begin()
        self.finding(path)
        self.sign("EXPERT", "示例专家甲")
        self.sign("ENTERPRISE", "示例负责人")
        self.finish()

    def all_sent(self) -> None:
        expect(self.page.locator(".phone-badge")).to_have_attribute("data-waiting", "0", timeout=20_000)
        expect(self.page.locator(".phone-badge")).to_have_attribute("data-link", "online", timeout=20_000)

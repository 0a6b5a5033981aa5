"""Browsers of several people at one live platform, and what every page must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.exchange.live import PASSWORD

Opens = Callable[..., Page]


class People:
    """Several people at one live platform, each with a browser of his own in which he stays signed in from test to test:
    to begin anew and sign in takes as long as five pages. Whoever is not signed in has a new one."""

    def __init__(self, browser: Browser, base: str, password: str = PASSWORD) -> None:
        self.browser, self.base, self.password = browser, base, password
        self.pages: dict[str, Page] = {}
        self.errors: list[str] = []

    @contextmanager
    def windows(self, refusals: str = "$^") -> Iterator[Opens]:
        """`open_("manager", width=390, language="en")`: the window of one person, or of nobody signed in. It fails at
        the end on any error a browser reported, but for answers with the status codes in `refusals`."""
        strangers = []
        self.errors.clear()

        def open_(username: str = "", width: int = 1280, language: str = "zh-hans") -> Page:
            page = self.pages.get(username) or self._new()
            page.set_viewport_size({"width": width, "height": 844})
            page.context.add_cookies([{"name": "language", "value": language, "url": self.base}])
            if not username:
                strangers.append(page)
            elif username not in self.pages:
                self.sign_in(page, username)
                self.pages[username] = page
            return page

        yield open_
        for page in strangers:
            page.context.close()
        assert not [each for each in self.errors if not re.search(refusals, each)]

    def _new(self) -> Page:
        context = self.browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce")
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        return page

    def sign_in(self, page: Page, username: str) -> None:
        page.goto(f"{self.base}/sign-in/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", self.password)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda address: "/sign-in" not in address)

    def leave(self) -> None:
        for page in self.pages.values():
            page.context.close()


def press(page: Page, name: str) -> None:
    """Press a button of the page, and wait for the page it leads to: what comes next would meet the one being left."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).first.click()


def follow(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).first.click()


def fill_in(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        field = page.locator(f"[name={name}]")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def assert_fits(page: Page) -> None:
    """Nothing is wider than the screen, once the page has come to rest."""
    page.wait_for_function("() => document.readyState === 'complete' && document.body")  # a page being left has neither
    page.wait_for_load_state("networkidle")
    assert_no_wider(page)


def assert_no_wider(page: Page) -> None:
    """The same of a page that has been waited for."""
    wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, f"{page.url} is {wide} pixels too wide"


def assert_sound(page: Page) -> None:
    """Nothing wider than the screen, and readable for everybody (WCAG)."""
    assert_fits(page)
    assert_readable(page)


def assert_readable(page: Page) -> None:
    """Readable for everybody (WCAG). What passes is not asked for: to describe it takes longer than to find it."""
    options = {"runOnly": ["wcag2a", "wcag2aa"], "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    told = [(each["id"], each["nodes"][0]["html"][:200], each["nodes"][0]["failureSummary"][:300]) for each in found]
    assert not found, (page.url, told)

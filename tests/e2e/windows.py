"""Browsers of several people at one live platform, and what every page must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.exchange.live import PASSWORD

Opens = Callable[..., Page]


@contextmanager
def windows(browser: Browser, base: str, *, refusals: str = "$^", password: str = PASSWORD) -> Iterator[Opens]:
    """`open_("manager", width=390, language="en")`: a browser of one person, or of nobody signed in. It fails at the
    end on any error a browser reported, but for answers with the status codes in `refusals`."""
    contexts, errors = [], []

    def open_(username: str = "", width: int = 1280, language: str = "zh-hans") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, locale="zh-CN", timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(120_000)
        context.add_cookies([{"name": "language", "value": language, "url": base}])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda problem: errors.append(str(problem)))
        if username:
            page.goto(f"{base}/sign-in/")
            page.fill("input[name=username]", username)
            page.fill("input[name=password]", password)
            page.press("input[name=password]", "Enter")
            page.wait_for_url(lambda address: "/sign-in" not in address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not [each for each in errors if not re.search(refusals, each)]


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
    assert wide <= 1, f"the page is {wide} pixels too wide"


def assert_sound(page: Page) -> None:
    """Nothing wider than the screen, and readable for everybody (WCAG)."""
    assert_fits(page)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    told = [(each["id"], each["nodes"][0]["html"][:200], each["nodes"][0]["failureSummary"][:300]) for each in found]
    assert not found, told

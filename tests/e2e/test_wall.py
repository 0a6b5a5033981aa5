"""The big screen of a command centre: readable, and as light after hours as it was in the morning."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.test_roles import assert_sound, pytestmark, signed_in

__all__ = ["pytestmark", "signed_in"]
MORNING, HOURS = 12, 90  # exchanges: to settle, and what is watched; three a minute
# one indicator kept in the middle: what another needs more of would look like growth
ADDRESS = "/big-screen/?show=service_completion_rate"


def exchanged(page: Page, times: int) -> None:
    """As the page does by itself every twenty seconds."""
    for _each in range(times):
        page.evaluate("address => htmx.ajax('GET', address, { target: '#wall', source: '#wall' })", ADDRESS)
        expect(page.locator("#wall .wall-map[data-chart-ready=yes]")).to_have_count(1)


def weighed(page: Page) -> dict[str, Any]:
    browser = page.context.new_cdp_session(page)
    browser.send("HeapProfiler.enable")
    for _twice in range(2):
        browser.send("HeapProfiler.collectGarbage")
    found = {**browser.send("Memory.getDOMCounters"), **browser.send("Runtime.getHeapUsage")}
    browser.detach()
    return found


def test_the_big_screen_does_not_grow(signed_in: Any, site: str) -> None:
    page = signed_in("province", width=1920)
    page.goto(f"{site}{ADDRESS}")
    expect(page.locator("#wall .wall-map[data-chart-ready=yes]")).to_have_count(1)
    expect(page.locator(".wall-figure")).to_have_count(5)
    assert_sound(page)
    exchanged(page, MORNING)
    morning = weighed(page)
    exchanged(page, HOURS)
    evening = weighed(page)
    grown = {key: evening[key] - morning[key] for key in ("nodes", "jsEventListeners", "usedSize")}
    print(f"after {HOURS} exchanges: {grown}")
    # a day has 4,320: what grew by one node an exchange would be seen
    assert grown["nodes"] < HOURS
    assert grown["jsEventListeners"] < HOURS // 2
    assert grown["usedSize"] < 2_000_000
    assert_sound(page)

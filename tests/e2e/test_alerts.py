"""The life of an alert in a real browser: from the work list to its reason, in hand, mended or closed, and judged."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_roles import assert_sound, signed_in

__all__ = ["signed_in"]
pytestmark = pytest.mark.slow


def test_an_alert_s_life(signed_in) -> None:
    page = signed_in("province")
    page.get_by_role("link", name=re.compile("^重要预警")).click()
    expect(page.locator("h1")).to_have_text("预警")
    assert_sound(page)
    page.locator('a[href^="/alerts/0"]').first.click()
    page.wait_for_url(re.compile("/alerts/0"))
    heading = page.locator("h1").inner_text()
    expect(page.get_by_text("处置期限").first).to_be_visible()
    assert_sound(page)
    there = page.url
    if page.get_by_role("button", name="受理").count():
        page.get_by_role("button", name="受理").click()
        expect(page.get_by_text("预警已由您受理。")).to_be_visible()
    expect(page.get_by_text("处置中").first).to_be_visible()
    # the remedy is one click away, and leads to what is to be mended
    page.locator("a.btn-primary").first.click()
    page.wait_for_url(lambda address: "/alerts/" not in address)
    expect(page.locator("h1")).to_be_visible()
    page.goto(there)
    page.get_by_role("link", name="关闭", exact=True).click()
    page.get_by_label("核查情况").fill("已电话核实，情况属实并已督促整改")
    page.get_by_label("有用，确有问题").check()
    page.get_by_role("button", name="关闭", exact=True).click()
    expect(page.get_by_text("预警已关闭。")).to_be_visible()
    expect(page.locator("h1")).to_have_text(heading)
    expect(page.get_by_text("已督促整改")).to_be_visible()
    expect(page.get_by_role("button", name="受理")).to_have_count(0)
    assert_sound(page)

"""From the request to the policy, in a real browser: the enterprise asks, the insurer offers, the enterprise takes it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_roles import assert_sound, signed_in

__all__ = ["signed_in"]

pytestmark = pytest.mark.slow


def test_from_asking_for_quotes_to_the_policy(signed_in, site):
    holder = signed_in("enterprise", width=390)
    holder.goto(f"{site}/underwriting/trial/")
    holder.get_by_role("button", name="试算").click()
    expect(holder.get_by_text("最终费率×人数×限额×年期。")).to_be_visible()
    assert_sound(holder)
    holder.goto(f"{site}/underwriting/quotes/ask/")
    for box in holder.locator("input[name=insurers]:checked").all():
        box.uncheck()
    # the insurer people sign in for
    mine = holder.locator("#id_insurers label").first
    mine.locator("input").check()
    assert_sound(holder)
    holder.get_by_role("button", name="发出询价").click()
    holder.wait_for_url(re.compile(r"/underwriting/quotes/[0-9a-f-]{36}/"))
    expect(holder.get_by_text("尚无报价。")).to_be_visible()
    assert_sound(holder)
    address = holder.url

    clerk = signed_in("insurer")
    clerk.goto(address)
    clerk.get_by_role("link", name="报价", exact=True).click()
    clerk.fill("input[name=premium]", "12345.67")
    assert_sound(clerk)
    clerk.get_by_role("button", name="发出报价").click()
    clerk.wait_for_url(address)
    expect(clerk.get_by_text("12,345.67").first).to_be_visible()

    holder.goto(address)
    expect(holder.get_by_text("12,345.67").first).to_be_visible()
    assert_sound(holder)
    holder.get_by_role("button", name="接受报价").first.click()
    holder.wait_for_url(re.compile(r"/underwriting/policies/"))
    expect(holder.get_by_text("12,345.67").first).to_be_visible()
    expect(holder.get_by_text("已签发未起保").first).to_be_visible()
    assert_sound(holder)

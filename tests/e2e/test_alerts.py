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
    first = page.locator('a[href^="/alerts/0"]').first
    first.click()
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
    assert "/alerts/" not in page.url
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


def test_another_threshold_is_tried_and_put_in_force(signed_in) -> None:
    page = signed_in("province")
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/alerts/rules/")
    assert_sound(page)
    page.get_by_role("link", name="保单无服务方案").click()
    page.get_by_label("试算值").fill("45")
    page.get_by_role("button", name="试算").click()
    expect(page.get_by_text(re.compile("按现行值产生预警 .* 条"))).to_be_visible()
    assert_sound(page)
    page.get_by_role("button", name="自今日起启用").click()
    expect(page.get_by_text("新值自今日起生效")).to_be_visible()


def test_wishes_about_notices_on_a_phone(signed_in) -> None:
    page = signed_in("clerk", width=390)
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/notices/wishes/")
    page.get_by_label("免打扰开始").fill("22:00")
    page.get_by_label("免打扰结束").fill("07:00")
    page.get_by_label("每日汇总时间").fill("08:30")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("通知设置已保存。")).to_be_visible()
    expect(page.get_by_label("免打扰开始")).to_have_value(re.compile("^22:00"))
    assert_sound(page)

"""From asking for quotes to the policy, in the browser: the enterprise on a phone, an insurer in Chinese, one in English."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.windows import assert_sound, press
from tests.exchange.live import CLERK, Platform

pytestmark = pytest.mark.slow
REFUSALS = "422|404"

A_REQUEST = re.compile(r"/underwriting/quotes/[0-9a-f-]{36}/$")


def publish(page: Page, base: str) -> None:
    """An insurer says what it promises and what it sells."""
    page.goto(f"{base}/underwriting/profile/")
    page.fill("[name=promise]", "每年至少上门服务两次，隐患整改全程跟踪。")
    page.fill("[name=hotline]", "0531-00000000")
    page.check("[name=sectors][value=SMELT]")
    assert_sound(page)
    press(page, "发布")
    page.goto(f"{base}/underwriting/product/")
    page.fill("[name=name]", "安全生产责任保险（金属冶炼）")
    page.fill("[name=least_limit]", "1000000")
    page.fill("[name=most_limit]", "400000")
    page.fill("[name=visits]", "2")
    page.check("[name=sectors][value=SMELT]")
    press(page, "发布")
    expect(page.locator("main")).to_contain_text("上限低于下限")
    page.fill("[name=least_limit]", "400000")
    page.fill("[name=most_limit]", "1000000")
    assert_sound(page)
    press(page, "发布")
    expect(page.locator("main")).to_contain_text("安全生产责任保险（金属冶炼）")


def test_from_the_request_to_the_policy(live: Platform, opened) -> None:
    clerk = opened(CLERK)
    publish(clerk, live.base)

    owner = opened("owner", width=390)
    owner.goto(f"{live.base}/underwriting/trial/")
    press(owner, "试算")
    expect(owner.locator("main")).to_contain_text("逾期未整改隐患1项")  # each factor with its reason
    expect(owner.locator("main")).to_contain_text("近三年无事故记录")
    assert_sound(owner)

    owner.goto(f"{live.base}/underwriting/insurers/")
    owner.locator("main table tbody a").first.click()
    expect(owner.locator("main")).to_contain_text("每年至少上门服务两次")
    assert_sound(owner)
    with owner.expect_navigation():
        owner.get_by_role("link", name="发起询价").click()
    expect(owner.get_by_label("淮海示例财产保险")).to_be_checked()
    owner.get_by_label("渤海示例财产保险").check()
    owner.get_by_label("莱芜示例财产保险").uncheck()
    owner.fill("[name=limit_per_person]", "300000")
    press(owner, "发出询价")
    expect(owner.locator("main")).to_contain_text("应急〔2025〕27号")  # too low, and the rule that says so
    owner.fill("[name=limit_per_person]", "500000")
    owner.fill("[name=wishes]", "希望每季度上门一次")
    assert_sound(owner)
    press(owner, "发出询价")
    expect(owner).to_have_url(A_REQUEST)
    expect(owner.locator("main")).to_contain_text("尚无报价")
    assert_sound(owner)
    request = owner.url

    laiwu = opened("laiwu")
    assert laiwu.goto(request).status == 404  # who was not asked does not know of it
    laiwu.goto(f"{live.base}/underwriting/quotes/")
    expect(laiwu.locator("main")).not_to_contain_text("星火示例铸造")

    clerk.goto(live.base + "/")
    expect(clerk.locator("main")).to_contain_text("待答复的询价")
    clerk.goto(request)
    expect(clerk.locator("main")).not_to_contain_text("渤海示例财产保险")
    assert_sound(clerk)
    clerk.get_by_role("link", name="报价", exact=True).last.click()
    assert_sound(clerk)
    clerk.fill("[name=agreed_expense_ratio]", "0.5")
    press(clerk, "发出报价")
    expect(clerk.locator("main")).to_contain_text("应急厅函〔2024〕322号")
    clerk.fill("[name=agreed_expense_ratio]", "0.18")
    clerk.fill("[name=premium]", "12345.67")
    press(clerk, "发出报价")
    expect(clerk.locator("main")).to_contain_text("12,345.67")

    bohai = opened("bohai", language="en")
    bohai.goto(f"{live.base}/underwriting/quotes/")
    bohai.locator("main table tbody a").first.click()
    expect(bohai.locator("main")).to_contain_text("No offer yet")
    expect(bohai.locator("main")).not_to_contain_text("Huaihai")
    expect(bohai.locator("main")).not_to_contain_text("12,345.67")
    assert_sound(bohai)
    bohai.get_by_role("link", name="Make an offer").click()
    bohai.fill("[name=premium]", "9876.54")
    bohai.fill("[name=visits]", "4")
    bohai.fill("[name=words]", "One emergency drill a year")
    assert_sound(bohai)
    press(bohai, "Send the offer")
    expect(bohai.locator("main")).to_contain_text("9,876.54")
    expect(bohai.locator("main")).not_to_contain_text("12,345.67")
    clerk.goto(request)
    expect(clerk.locator("main")).not_to_contain_text("9,876.54")

    owner.goto(live.base + "/")
    expect(owner.locator("main")).to_contain_text("待选择的报价")
    owner.goto(request)
    expect(owner.locator("main")).to_contain_text("12,345.67")
    expect(owner.locator("main")).to_contain_text("9,876.54")
    assert_sound(owner)
    owner.get_by_role("link", name="查看并接受").first.click()  # the cheapest first
    expect(owner.locator("main")).to_contain_text("One emergency drill a year")
    expect(owner.locator("main")).to_contain_text("风险等级 1.180；")
    assert_sound(owner)
    press(owner, "接受报价")
    expect(owner).to_have_url(re.compile("/underwriting/policies/"))
    expect(owner.locator("body")).to_contain_text("已签发未起保")
    expect(owner.locator("main")).to_contain_text("9,876.54")
    assert_sound(owner)

    clerk.goto(f"{live.base}/underwriting/offers/")
    clerk.locator("main table tbody a").first.click()
    expect(clerk.locator("body")).to_contain_text("未选中")
    assert_sound(clerk)
    policy = live.ask(
        "SELECT o.code, p.premium_written, p.is_renewal, p.channel, p.rate_factors -> 0 ->> 'name' FROM underwriting_policy p "
        "JOIN parties_organisation o ON o.id = p.insurer_id WHERE p.policy_no <> 'P-BEFORE'"
    )
    assert [(code, str(premium), *rest) for code, premium, *rest in policy] == [
        ("INS02", "9876.54", True, "WEB", "风险等级")  # in Chinese, whoever offered in whatever language
    ]
    # an offer that is taken once is taken for good, and the others are over
    assert live.ask("SELECT state, count(*) FROM underwriting_offer GROUP BY 1 ORDER BY 1") == [
        ("ACCEPTED", 1), ("NOT_TAKEN", 1),
    ]  # fmt: skip

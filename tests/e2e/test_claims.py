"""A claim's life and a complaint's life, in the browser, by those who live them: enterprise, insurer, authority."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.windows import assert_sound, fill_in
from tests.exchange.live import CLERK, Platform

pytestmark = pytest.mark.slow
REFUSALS = "422"


def step(page: Page, title: str, **fields: str) -> None:
    """Open a step of the page by its button, fill in its form, send it."""
    page.get_by_role("link", name=title, exact=True).first.click()
    fill_in(page, **fields)
    with page.expect_navigation():  # or what comes next would meet the page that is being left
        page.locator("main form button, .page-body form button").get_by_text(title, exact=True).first.click()


def test_a_claims_life(live: Platform, opened) -> None:
    """From the phone at the furnace to the last payment."""
    happened = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(hours=2)
    boss = opened("boss", width=390)
    boss.goto(live.base + "/claims/notices/")
    boss.get_by_role("link", name="我要报案").first.click()
    assert_sound(boss)
    boss.fill("[name=occurred_at]", happened.strftime("%Y-%m-%dT%H:%M"))
    boss.select_option("[name=kind]", "BURN")
    boss.fill("[name=place]", "熔炼车间")
    boss.fill("[name=description]", "铁水飞溅烫伤一名炉前工")
    boss.fill("[name=serious_injuries]", "1")
    boss.fill("[name=claimed]", "80000")
    boss.fill("[name=contact]", "示例安全员")
    boss.get_by_role("button", name="发送给保险机构").click()
    expect(boss.locator("body")).to_contain_text("已报案")
    notice = boss.url

    clerk = opened(CLERK)
    clerk.goto(live.base + "/")
    expect(clerk.locator("main")).to_contain_text("待立案报案")
    clerk.goto(notice)
    clerk.get_by_role("link", name="立案").click()
    clerk.get_by_role("button", name="立案").click()
    expect(clerk.locator("body")).to_contain_text("待保险机构查勘")
    claim = clerk.url
    assert_sound(clerk)
    step(clerk, "登记查勘", to_whom="示例查勘员", words="现场属实")
    step(clerk, "一次性告知补充材料", words="医疗费票据", to_whom="示例安全员")
    expect(clerk.locator("body")).to_contain_text("中止计时")
    # a second notice is not offered, and refused with the law's reason for whoever opens its address
    clerk.goto(claim + "ask/")
    clerk.fill("[name=words]", "还要别的")
    clerk.fill("[name=to_whom]", "示例安全员")
    clerk.locator("form button.btn-primary").last.click()
    expect(clerk.locator("body")).to_contain_text("第二十二条")

    boss.goto(claim)
    step(boss, "提交材料", words="票据原件")
    assert_sound(boss)
    clerk.goto(claim)
    step(clerk, "材料齐全")
    step(clerk, "先予支付", amount="20000", words="医疗费")
    step(clerk, "核定金额", amount="70000", words="医疗费与误工费")
    boss.goto(live.base + "/")
    expect(boss.locator("main")).to_contain_text("待您确认金额的赔案")
    boss.goto(claim)
    step(boss, "同意核定金额")
    clerk.goto(claim)
    step(clerk, "登记支付", amount="60000", to_whom="伤者本人")
    expect(clerk.locator("body")).to_contain_text("超过")  # 20,000 were paid in advance
    clerk.goto(claim)
    step(clerk, "登记支付", amount="50000", to_whom="伤者本人")
    step(clerk, "结案")
    expect(clerk.locator("body")).to_contain_text("已结案")
    state, paid = live.ask(
        "SELECT c.state, (SELECT sum(amount) FROM claims_payment p WHERE p.claim_id = c.id) FROM claims_claim c"
    )[0]
    assert (state, str(paid)) == ("CLOSED", "70000.00")
    clerk.goto(live.base + "/claims/accidents/")
    clerk.locator("table tbody a").first.click()
    expect(clerk.locator("body")).to_contain_text("事故前一年服务")
    assert_sound(clerk)


def test_a_complaints_life(live: Platform, opened) -> None:
    """A worker without an account, an insurer that answers, an authority that decides."""
    worker = opened(width=390)
    worker.goto(live.base + live.links["complain"])
    assert_sound(worker)
    worker.select_option("[name=subject]", "NOT_SERVED")
    worker.fill("[name=day]", datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat())
    worker.fill("[name=text]", "约定的应急演练没有开展")
    worker.select_option("[name=kind]", "WORKER")
    worker.fill("[name=name]", "示例工人")
    worker.locator("form button.btn-lg").click()
    expect(worker.locator("body")).to_contain_text("已收到")
    follow = worker.url
    assert_sound(worker)

    clerk = opened(CLERK)
    clerk.goto(live.base + "/")
    expect(clerk.locator("main")).to_contain_text("待您答复的投诉")
    clerk.goto(live.base + "/prevention/complaints/")
    clerk.locator("table tbody a").first.click()
    expect(clerk.locator("body")).to_contain_text("约定的应急演练没有开展")
    expect(clerk.locator("body")).not_to_contain_text("示例工人")
    assert_sound(clerk)
    step(clerk, "受理投诉")
    step(clerk, "需核实", words="正在核对服务方案")
    step(clerk, "答复投诉", words="将于下周补做演练")

    worker.goto(follow)
    expect(worker.locator("body")).to_contain_text("将于下周补做演练")
    worker.fill("[name=words]", "说了几次都没有来")
    worker.get_by_role("button", name="提交主管部门").click()
    expect(worker.locator("body")).to_contain_text("升级至主管部门")

    city = opened("city")
    city.goto(live.base + "/")
    expect(city.locator("main")).to_contain_text("待您答复的投诉")
    city.goto(live.base + "/prevention/complaints/")
    city.locator("table tbody a").first.click()
    expect(city.locator("body")).to_contain_text("示例工人")  # how to reach him: for the authority alone
    step(city, "受理投诉")
    step(city, "答复投诉", words="已约谈保险机构，演练已补做")
    worker.goto(follow)
    worker.select_option("[name=stars]", "5")
    worker.get_by_role("button", name="满意").first.click()
    expect(worker.locator("body")).to_contain_text("已办结")
    assert live.ask("SELECT state, satisfaction, escalations FROM prevention_complaint") == [("CLOSED", 5, 1)]

"""A settlement in the browser, in Chinese: both sides confirm, the insurer pays, the enterprise sees what it got."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.windows import assert_sound
from tests.exchange.live import Platform

pytestmark = pytest.mark.slow


def test_a_settlement_from_the_statement_to_the_enterprise(live: Platform, opened) -> None:
    agency = opened("js-agency", 390)
    agency.goto(f"{live.base}/expenses/statements/")
    agency.locator("main table tbody a").first.click()
    expect(agency.locator("main")).to_contain_text("2,400.00")
    assert_sound(agency)
    agency.get_by_role("button", name="确认服务与价格").click()
    expect(agency.locator("main")).to_contain_text("待对方确认")

    insurer = opened("js-insurer")
    insurer.goto(f"{live.base}/expenses/statements/")
    insurer.locator("main table tbody a").first.click()
    assert_sound(insurer)
    insurer.get_by_role("button", name="确认服务与价格").click()
    expect(insurer.locator("body")).to_contain_text("双方已确认，待付款")
    insurer.get_by_role("link", name="登记发票和付款").click()
    insurer.fill("input[name=invoice_no]", "26372000000000009999")
    insurer.fill("input[name=voucher_file]", "回单.pdf")
    insurer.get_by_role("button", name="登记付款").click()
    expect(insurer.locator("body")).to_contain_text("已结清")
    expect(insurer.locator("main")).to_contain_text("26372000000000009999")
    assert_sound(insurer)

    enterprise = opened("js-enterprise", 390)
    enterprise.goto(f"{live.base}/expenses/my-premium/")
    expect(enterprise.locator("main")).to_contain_text("2,400.00")
    expect(enterprise.locator("main")).to_contain_text("技服机构费用")
    assert_sound(enterprise)
    [(paid, rows, channels)] = live.ask(
        "SELECT sum(amount), count(*), count(*) FILTER (WHERE channel = 'WEB') FROM expenses_expense "
        "WHERE invoice_no = '26372000000000009999' AND paid_on IS NOT NULL"
    )
    assert (str(paid), rows, channels) == ("2400.00", 2, 2)
    # services, invoice and payments agree: the match finds nothing
    live.run("-m", "tests.e2e.expenses_seed", "match")
    assert live.ask("SELECT kind FROM expenses_expensefinding WHERE state <> 'GONE'") == []

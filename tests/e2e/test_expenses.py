"""A settlement in the browser, in Chinese: both sides confirm, the insurer pays, the enterprise sees what it got."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.windows import Opens, assert_sound, windows
from tests.exchange.conftest import seeded
from tests.exchange.live import Platform, copy_of

__all__ = ["seeded"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def live(seeded: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with copy_of(seeded, tmp_path_factory.mktemp("expenses")) as platform:
        platform.run("-m", "tests.e2e.expenses_seed")
        platform.start_server(workers=1, threads=4)
        yield platform


@pytest.fixture
def opened(live: Platform, browser: Browser) -> Iterator[Opens]:
    with windows(browser, live.base) as open_:
        yield open_


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
    expect(enterprise.locator("main")).to_contain_text("服务机构费用")
    assert_sound(enterprise)
    [(paid, rows, channels)] = live.ask(
        "SELECT sum(amount), count(*), count(*) FILTER (WHERE channel = 'WEB') FROM expenses_expense "
        "WHERE invoice_no = '26372000000000009999' AND paid_on IS NOT NULL"
    )
    assert (str(paid), rows, channels) == ("2400.00", 2, 2)
    # services, invoice and payments agree: the match finds nothing
    live.run("-m", "tests.e2e.expenses_seed", "match")
    assert live.ask("SELECT kind FROM expenses_expensefinding WHERE state <> 'GONE'") == []

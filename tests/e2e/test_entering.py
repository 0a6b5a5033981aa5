"""An agency comes in by itself: it registers, is sent back, corrects, is accepted, and signs in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from anze.exchange.synthetic.people import PASSWORD
from anze.kernel.identifiers import make_uscc
from tests.e2e.test_roles import assert_sound

pytestmark = pytest.mark.slow
PDF = b"%PDF-1.4\n%%EOF\n"
OWN_PASSWORD = "Kuaile-2026-anquan"


def _open(browser: Browser, site: str, width: int) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 860}, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(120_000)
    context.add_cookies([{"name": "language", "value": "zh-hans", "url": site}])
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)  # type: ignore[attr-defined]
    page.on("pageerror", lambda problem: page.errors.append(str(problem)))  # type: ignore[attr-defined]
    return page


def _sign_in(page: Page, site: str, username: str, password: str) -> None:
    page.goto(f"{site}/sign-in/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda address: "/sign-in" not in address)
    expect(page.locator("h1")).to_be_visible()


def test_an_agency_registers_is_returned_corrects_is_accepted_and_signs_in(site, browser):
    applicant = _open(browser, site, 390)
    applicant.goto(f"{site}/sign-in/")
    applicant.get_by_text("由此注册入驻").click()
    expect(applicant.locator("h1")).to_have_text("注册入驻")
    assert_sound(applicant)
    applicant.get_by_role("link", name="技服机构注册").click()
    for name, value in {
        "name": "长清示例安全技术服务公司", "short_name": "长清示例", "uscc": make_uscc("370102", 977_001),
        "number": "APJ-(鲁)-977", "issuer": "示例发证机关", "valid_from": "2026-01-01", "valid_to": "2030-12-31",
        "contact_name": "示例联系人", "contact_phone": "13900000000", "username": "changqing",
    }.items():  # fmt: skip
        applicant.fill(f"[name={name}]", value)
    applicant.select_option("[name=region_code]", "370100")
    assert_sound(applicant)
    applicant.get_by_role("button", name="上传材料").click()
    expect(applicant.get_by_text("请保存此链接")).to_be_visible()
    link = applicant.url
    for kind in ("BUSINESS_LICENCE", "CERTIFICATE", "STAFF"):
        applicant.select_option("[name=kind]", kind)
        applicant.set_input_files(
            "[name=file]", {"name": f"{kind}.pdf", "mimeType": "application/pdf", "buffer": PDF + kind.encode()}
        )
        applicant.get_by_role("button", name="上传材料").click()
        expect(applicant.get_by_text(f"{kind}.pdf")).to_be_visible()
    assert_sound(applicant)
    applicant.get_by_role("button", name="提交").click()
    expect(applicant.get_by_text("审核中")).to_be_visible()

    reviewer = _open(browser, site, 1280)
    _sign_in(reviewer, site, "province", PASSWORD)
    reviewer.goto(f"{site}/parties/applications/?state=SUBMITTED")
    reviewer.locator("#list tr", has_text="长清示例安全技术服务公司").locator("a").first.click()
    expect(reviewer.locator("h1")).to_have_text("长清示例安全技术服务公司")
    assert_sound(reviewer)
    page = reviewer.url
    reviewer.get_by_role("link", name="退回补正").click()
    reviewer.fill("[name=reason]", "证书编号与扫描件不一致")
    reviewer.get_by_role("button", name="退回").click()
    expect(reviewer.get_by_text("证书编号与扫描件不一致")).to_be_visible()

    applicant.goto(link)
    expect(applicant.get_by_text("证书编号与扫描件不一致")).to_be_visible()
    applicant.get_by_role("link", name="修改申报内容").click()
    applicant.fill("[name=number]", "APJ-(鲁)-978")
    applicant.get_by_role("button", name="上传材料").click()
    applicant.get_by_role("button", name="重新提交").click()
    expect(applicant.get_by_text("审核中")).to_be_visible()

    reviewer.goto(page)
    reviewer.get_by_role("link", name="通过", exact=True).click()
    reviewer.get_by_role("button", name="通过").click()
    expect(reviewer.locator(".page-header .state")).to_have_text("通过")

    applicant.goto(link)
    expect(applicant.get_by_text("您的用户名：changqing")).to_be_visible()
    applicant.fill("[name=fresh]", OWN_PASSWORD)
    applicant.fill("[name=again]", OWN_PASSWORD)
    applicant.get_by_role("button", name="设置密码").click()
    expect(applicant.get_by_text("密码已设置")).to_be_visible()
    _sign_in(applicant, site, "changqing", OWN_PASSWORD)
    assert_sound(applicant)
    applicant.goto(f"{site}/parties/qualifications/?own=yes")
    expect(applicant.get_by_text("APJ-(鲁)-978")).to_be_visible()

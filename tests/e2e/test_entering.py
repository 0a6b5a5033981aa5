"""Coming in without an account, being let in, being shut out again: in the browser, by those who live it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from anze.kernel.identifiers import make_uscc
from tests.e2e.windows import assert_sound, fill_in, follow, press
from tests.exchange.live import CLERK, Platform

pytestmark = pytest.mark.slow
REFUSALS = "422|409"

OWN_PASSWORD = "Changqing-2026-anquan"
PDF = b"%PDF-1.4\n%%EOF\n"
AGENCY = {
    "name": "长清示例安全技术服务公司", "short_name": "长清示例", "uscc": make_uscc("370102", 977_001),
    "number": "APJ-(鲁)-977", "issuer": "示例发证机关", "valid_from": "2026-01-01", "valid_to": "2030-12-31",
    "contact_name": "示例联系人", "contact_phone": "13900000000", "username": "changqing",
}  # fmt: skip
INSURER = AGENCY | {
    "name": "Changqing Example Insurance", "short_name": "Changqing", "uscc": make_uscc("370102", 977_002),
    "number": "L-977", "username": "changqing-insurance",
}  # fmt: skip


def hand_in(page: Page, kind: str, button: str) -> None:
    page.select_option("[name=kind]", kind)
    page.set_input_files(
        "[name=file]", {"name": f"{kind}.pdf", "mimeType": "application/pdf", "buffer": PDF + kind.encode()}
    )
    press(page, button)
    expect(page.locator("main")).to_contain_text(f"{kind}.pdf")


def decide(page: Page, way: str, button: str, **fields: str) -> None:
    """A step of the reviewer: open it, fill it in, confirm."""
    follow(page, way)
    fill_in(page, **fields)
    assert_sound(page)
    press(page, button)


def test_an_agency_enters_is_sent_back_let_in_and_shut_out(live: Platform, opened) -> None:
    applicant = opened(width=390)
    applicant.goto(f"{live.base}/sign-in/")
    applicant.get_by_role("link", name="由此注册入驻").click()
    expect(applicant.locator("h1")).to_have_text("注册入驻")
    assert_sound(applicant)
    follow(applicant, "填写申报表 技服机构注册")
    for name, value in AGENCY.items():
        applicant.fill(f"[name={name}]", value)
    applicant.select_option("[name=region_code]", "370100")
    applicant.fill("[name=uscc]", AGENCY["uscc"][:-1] + "~")
    press(applicant, "下一步：上传材料")
    expect(applicant.locator("main")).to_contain_text("这不是有效的统一社会信用代码")
    applicant.fill("[name=uscc]", AGENCY["uscc"])
    assert_sound(applicant)
    press(applicant, "下一步：上传材料")
    expect(applicant.locator("main")).to_contain_text("请保存此链接")
    link = applicant.url
    press(applicant, "提交")
    expect(applicant.locator("main")).to_contain_text("缺少以下材料：营业执照、证书、人员名单及证书")
    for kind in ("BUSINESS_LICENCE", "CERTIFICATE", "STAFF"):
        hand_in(applicant, kind, "上传材料")
    assert_sound(applicant)
    press(applicant, "提交")
    expect(applicant.locator("main")).to_contain_text("审核中")
    assert_sound(applicant)

    officer = opened("province")
    officer.goto(live.base + "/")
    expect(officer.locator("main")).to_contain_text("待审核入驻申请")
    officer.goto(f"{live.base}/parties/applications/?state=SUBMITTED")
    officer.locator("main tbody tr", has_text=AGENCY["name"]).locator("a").first.click()
    expect(officer.locator("h1")).to_have_text(AGENCY["name"])
    assert_sound(officer)
    page = officer.url
    decide(officer, "退回补正", "退回", reason="证书编号与扫描件不一致，请更正")
    expect(officer.locator("body")).to_contain_text("退回补正")

    applicant.goto(link)
    expect(applicant.locator("main")).to_contain_text("证书编号与扫描件不一致")
    assert_sound(applicant)
    follow(applicant, "修改申报内容")
    expect(applicant.locator("main")).to_contain_text("证书编号与扫描件不一致")  # beside the field it is about
    applicant.fill("[name=number]", "APJ-(鲁)-978")
    press(applicant, "保存")
    press(applicant, "重新提交")
    expect(applicant.locator("main")).to_contain_text("审核中")

    officer.goto(page)
    decide(officer, "通过", "通过", code="AGY01")
    expect(officer.locator("main")).to_contain_text("该编码已被使用")
    officer.fill("[name=code]", "AGY77")
    press(officer, "通过")
    expect(officer.get_by_role("link", name="(AGY77)")).to_be_visible()  # what it has become
    assert_sound(officer)

    applicant.goto(link)
    expect(applicant.locator("main")).to_contain_text("您的用户名：changqing")
    assert_sound(applicant)
    applicant.fill("[name=fresh]", OWN_PASSWORD)
    applicant.fill("[name=again]", OWN_PASSWORD + "!")
    press(applicant, "设置密码")
    expect(applicant.locator("main")).to_contain_text("两次输入不一致")
    applicant.fill("[name=fresh]", OWN_PASSWORD)
    applicant.fill("[name=again]", OWN_PASSWORD)
    press(applicant, "设置密码")
    expect(applicant.locator("body")).to_contain_text("密码已设置")
    applicant.fill("[name=username]", AGENCY["username"])
    applicant.fill("[name=password]", OWN_PASSWORD)
    press(applicant, "登录")
    applicant.goto(f"{live.base}/parties/qualifications/?own=yes")
    expect(applicant.locator("main")).to_contain_text("APJ-(鲁)-978")
    assert live.ask("SELECT kind, region_id FROM parties_organisation WHERE code = 'AGY77'") == [("AGENCY", "370100")]

    # it can be sent
    clerk = opened(CLERK)
    clerk.goto(live.base + live.links["order"])
    press(clerk, "下一步")
    choosing = clerk.url
    ours = clerk.locator("label", has_text="长清示例")
    expect(ours).not_to_contain_text("不可委托")
    ours.locator("input").check()
    assert_sound(clerk)
    press(clerk, "确定所选")
    order = clerk.url
    expect(clerk.locator("main")).not_to_contain_text("不可委托")

    # not while it is suspended, and everybody reads why
    officer.goto(f"{live.base}/parties/standings/")
    days = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=90)
    decide(
        officer, "暂停或列入黑名单", "作出决定", party="agy77", kind="SUSPENDED", to_on=f"{days:%Y-%m-%d}",
        reason="服务报告与现场不符",
    )  # fmt: skip
    officer.set_input_files("[name=file]", {"name": "决定书.pdf", "mimeType": "application/pdf", "buffer": PDF})
    press(officer, "上传材料")
    expect(officer.locator("main")).to_contain_text("决定书.pdf")
    assert_sound(officer)
    standing = officer.url
    clerk.goto(order)
    expect(clerk.locator("main")).to_contain_text("服务报告与现场不符")
    assert_sound(clerk)
    press(clerk, "发出")
    expect(clerk.locator("main")).to_contain_text("长清示例安全技术服务公司已被暂停服务至")
    assert live.ask("SELECT state FROM prevention_order") == [("DRAFT",)]
    clerk.goto(choosing)
    expect(ours).to_contain_text("不可委托")
    expect(ours.locator("input")).to_be_disabled()
    assert_sound(clerk)
    applicant.goto(f"{live.base}/parties/standings/")
    applicant.locator("main table tbody a").first.click()
    expect(applicant.locator("body")).to_contain_text("服务报告与现场不符")
    expect(applicant.get_by_role("link", name="申诉", exact=True)).to_be_visible()
    assert_sound(applicant)

    # lifted early, then on the blacklist without an end
    officer.goto(standing)
    decide(officer, "解除", "解除", reason="已整改")
    clerk.goto(order)
    expect(clerk.locator("main")).not_to_contain_text("不可委托")
    officer.goto(f"{live.base}/parties/standings/new/?party=AGY77")
    officer.select_option("[name=kind]", "BLACKLISTED")
    officer.fill("[name=reason]", "出租出借资质证书")
    press(officer, "作出决定")
    clerk.goto(order)
    expect(clerk.locator("main")).to_contain_text("已被列入黑名单：出租出借资质证书")
    press(clerk, "发出")
    assert live.ask("SELECT state FROM prevention_order") == [("DRAFT",)]


def test_an_insurer_is_refused_in_english_and_appeals(live: Platform, opened) -> None:
    applicant = opened(language="en")
    applicant.goto(f"{live.base}/apply/")
    follow(applicant, "Fill in the form Register as an insurer")
    for name, value in INSURER.items():
        applicant.fill(f"[name={name}]", value)
    press(applicant, "Go on to the papers")
    for kind in ("BUSINESS_LICENCE", "PERMIT", "WORDING", "STAFF"):
        hand_in(applicant, kind, "Add the paper")
    press(applicant, "Submit")
    expect(applicant.locator("main")).to_contain_text("under review")
    assert_sound(applicant)
    link = applicant.url

    officer = opened("province")
    officer.goto(f"{live.base}/parties/applications/?state=SUBMITTED")
    officer.locator("main tbody tr", has_text=INSURER["name"]).locator("a").first.click()
    decide(officer, "不予通过", "不予通过", refusal="NOT_LICENSED", reason="许可证未列明责任保险")
    expect(officer.locator("body")).to_contain_text("许可范围不包含该业务")

    applicant.goto(link)
    expect(applicant.locator("main")).to_contain_text("The licence does not cover this business")
    follow(applicant, "Appeal")
    assert_sound(applicant)
    applicant.fill("[name=grounds]", "Page 3 of the licence names liability insurance.")
    press(applicant, "Raise the appeal")
    expect(applicant.locator("main")).to_contain_text("by somebody else than before")
    assert_sound(applicant)
    assert live.ask("SELECT count(*) FROM parties_organisation WHERE name = %s", INSURER["name"]) == [(0,)]
    assert live.ask("SELECT state FROM parties_appeal") == [("OPEN",)]

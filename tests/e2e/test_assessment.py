"""A whole assessment in the browser, by those who live it: set up, frozen, told, reviewed, contested, signed, read."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.windows import assert_sound
from tests.exchange.live import ROOT, Platform

pytestmark = pytest.mark.slow
HAS_WORKER = True
REFUSALS = "409|422|403"


def press(page: Page, title: str) -> None:
    """The button of the step that follows; the page comes back with the step taken."""
    page.locator(".page-header form button", has_text=title).click()


def picture(colour: str = "white") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(made, "PNG")
    return made.getvalue()


def saved(page: Page, link: str, path: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=link, exact=True).first.click()
    waiting.value.save_as(path)
    return path


def verified(pack: Path) -> str:
    """What the verifier says of a pack; it must accept it. It imports nothing of the platform."""
    run = subprocess.run(
        [sys.executable, "-I", str(ROOT / "tools" / "verify_assessment.py"), str(pack)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def judge_all(page: Page, base: str) -> int:
    """Review every waiting row this person may see, each as it stands."""
    count = 0
    page.goto(base + "/assessment/review-items/?state=WAITING")
    first = page.locator("main table tbody a[href*='/assessment/review-items/']")
    if not first.count():
        return 0
    with page.expect_navigation():
        first.first.click()
    while page.locator("[name=verdict]").count():
        page.check("[name=verdict][value=AS_IT_IS]")
        with page.expect_navigation():
            page.locator("form[action$='/judge/'] button").click()
        count += 1
    return count


def test_a_campaign_from_draft_to_publication(live: Platform, opened, tmp_path: Path) -> None:
    secretary = opened("secretary")
    secretary.goto(live.base + "/assessment/")
    secretary.get_by_role("link", name="设立评估").first.click()
    assert_sound(secretary)
    secretary.fill("[name=title]", "2026年度效能评估")
    scheme = live.ask("SELECT id FROM assessment_scheme WHERE code = 'EXAMPLE-INSURER'")[0][0]
    secretary.select_option("[name=scheme]", str(scheme))
    secretary.fill("[name=period_from]", "2026-01-01")
    secretary.fill("[name=period_to]", "2026-12-31")
    secretary.locator("main form button.btn-primary").click()
    secretary.wait_for_url(re.compile(r"/assessment/[0-9a-f-]{36}/$"))
    campaign = secretary.url
    press(secretary, "固定数据")
    for _time in range(120):
        if live.ask("SELECT state FROM assessment_campaign")[0][0] == "FROZEN":
            break
        secretary.wait_for_timeout(500)
    secretary.goto(campaign)
    press(secretary, "计算得分并开放自评")
    expect(secretary.locator("main")).to_contain_text("淮海示例财产保险")
    assert_sound(secretary)

    # the insurer, who works in English on a phone, says what it has
    manager = opened("manager", width=390, language="en")
    manager.goto(live.base + "/")
    expect(manager.locator("main")).to_contain_text("Self-reports to be handed in")
    manager.goto(live.base + "/assessment/self-reports/")
    manager.locator("main table tbody a[href*='/assessment/self-reports/']").first.click()
    manager.get_by_role("link", name="Fill in and hand in").click()
    assert_sound(manager)
    manager.check("[name=met_UNIT]")
    manager.locator("main form button.btn-primary").click()
    expect(manager.locator("main")).to_contain_text("needs what shows it")
    manager.fill("[name=text_UNIT]", "鲁示例〔2026〕1号")
    manager.set_input_files("[name=papers]", {"name": "任命.png", "mimeType": "image/png", "buffer": picture()})
    manager.locator("main form button.btn-primary").click()
    manager.wait_for_url(re.compile(r"/self-reports/[0-9a-f-]{36}/$"))
    assert_sound(manager)
    report = manager.url

    secretary.goto(campaign)
    secretary.get_by_role("link", name="抽样并开始复核").click()
    secretary.fill("[name=seed]", "08 15 22 29 31 05")
    secretary.fill("[name=source]", "示例公开号码")
    secretary.fill("[name=each]", "4")
    secretary.locator("main form button.btn-primary").click()
    secretary.wait_for_url(campaign)
    assert_sound(secretary)
    # what still waits holds the announcement up
    press(secretary, "公布初评结果")
    expect(secretary.locator("body")).to_contain_text("待复核")

    city = opened("city-reviewer")
    city.goto(live.base + "/")
    expect(city.locator("main")).to_contain_text("待复核的评估记录")
    assert judge_all(city, live.base) >= 1
    elsewhere = live.ask("SELECT count(*) FROM assessment_reviewitem WHERE state = 'WAITING'")[0][0]
    assert judge_all(secretary, live.base) == elsewhere
    secretary.goto(report)
    expect(secretary.locator("main .evidence-grid li")).to_have_count(1)
    secretary.get_by_role("link", name="复核", exact=True).click()
    secretary.uncheck("[name=met_UNIT]")
    secretary.fill("[name=text_UNIT]", "未见任命文件")
    secretary.locator("main form button.btn-primary").click()
    secretary.wait_for_url(report)
    expect(secretary.locator("main")).to_contain_text("未见任命文件")
    secretary.goto(campaign)
    press(secretary, "公布初评结果")
    expect(secretary.locator("main")).to_contain_text("初评结果")

    # the insurer opens its score down to a row, and appeals against one element
    manager.goto(campaign)
    manager.locator("main a[href*='/assessment/results/']", has_text="Huaihai").first.click()
    assert_sound(manager)
    result = manager.url
    manager.goto(result + "rows/?element=A1&part=counted")
    expect(manager.locator("main")).to_contain_text("P-OWN7")
    assert_sound(manager)
    manager.goto(result + "appeal/?element=B1")
    manager.fill("[name=text]", "任命文件另附")
    manager.set_input_files(
        "[name=papers]", {"name": "任命补充.png", "mimeType": "image/png", "buffer": picture("red")}
    )
    assert_sound(manager)
    manager.locator("main form button.btn-primary").click()
    manager.wait_for_url(re.compile(r"/appeals/[0-9a-f-]{36}/$"))
    appeal = manager.url
    before = dict(live.ask("SELECT insurer_id, points FROM assessment_outcome WHERE region_code = '370000'"))

    # who reviewed the report may not decide; somebody else does
    secretary.goto(appeal + "decide/")
    expect(secretary.locator("main")).to_contain_text("应由他人处理")
    second = opened("second")
    second.goto(live.base + "/")
    expect(second.locator("main")).to_contain_text("待处理的申诉")
    second.goto(appeal)
    expect(second.locator("main .evidence-grid li")).to_have_count(1)
    second.get_by_role("link", name="作出决定", exact=True).click()
    second.select_option("[name=state]", "GRANTED")
    second.check("[name=items][value=UNIT]")
    second.fill("[name=reasons]", "任命文件属实")
    assert_sound(second)
    second.locator("main form button.btn-primary").click()
    second.wait_for_url(appeal)
    assert_sound(second)
    after = dict(live.ask("SELECT insurer_id, points FROM assessment_outcome WHERE region_code = '370000'"))
    moved = {(key, code) for key in after for code in after[key] if after[key][code] != before[key][code]}
    assert [code for _key, code in moved] == ["B1"]
    manager.goto(appeal)
    expect(manager.locator("main")).to_contain_text("What moved")

    # the time for appeals has to be over, which this test cannot wait for
    secretary.goto(campaign)
    press(secretary, "确定终评结果")
    expect(secretary.locator("body")).to_contain_text("申诉截止时间")
    live.ask("UPDATE assessment_campaign SET appeal_until_at = now() - interval '1 minute' RETURNING 1")
    for title in ("确定终评结果", "签名", "发布"):
        secretary.goto(campaign)
        press(secretary, title)
        secretary.wait_for_load_state()
    expect(secretary.locator("main")).to_contain_text("评估结果已公布")
    assert_sound(secretary)

    code = live.ask("SELECT code FROM assessment_campaign")[0][0]
    for width, language, name in ((1280, "zh-hans", "淮海示例财产保险"), (390, "en", "Huaihai Insurance")):
        reader = opened(width=width, language=language)
        reader.goto(f"{live.base}/assessment/published/{code}/")
        expect(reader.locator("main")).to_contain_text(name)
        assert_sound(reader)
    second.goto(campaign)
    said = verified(saved(second, "证据包", tmp_path / "all.zip"))
    assert "computed anew, all as published" in said
    manager.goto(campaign)
    own = saved(manager, "Evidence pack", tmp_path / "own.zip")
    assert "as published" in verified(own)
    with zipfile.ZipFile(own) as pack:
        files = json.loads(pack.read("files/INS01.json"))
        assert "files/INS02.json" not in pack.namelist()
    assert [each["sha256"] for each in files] == [
        hashlib.sha256(each).hexdigest() for each in (picture(), picture("red"))
    ]

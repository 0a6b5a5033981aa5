"""The built front end in a real browser, under the Content-Security-Policy of production.

A page of the kind that every room has, without Django: what fails here fails everywhere.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tools.bootstrap import DIST

pytestmark = pytest.mark.slow

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
CITIES = {"370100": "济南市", "370200": "青岛市", "370700": "潍坊市", "371700": "菏泽市"}
MAP = {
    "visualMap": {"min": 0, "max": 100},
    "tooltip": {"trigger": "item", "valueFormatter": "@percent"},
    "series": [
        {
            "type": "map",
            "data": [{"code": code, "name": name, "value": 80} for code, name in CITIES.items()],
        }
    ],
}
BAR = {
    "xAxis": {"type": "value", "axisLabel": {"formatter": "@integer"}},
    "yAxis": {"type": "category", "data": ["甲"]},
    "series": [{"type": "bar", "barWidth": "80%", "data": [{"value": 1200, "url": "/drilled.html"}]}],
}
PAGE = Path(__file__).with_name("page.html")
FRAGMENT = f"""<p id="arrived">片段</p>
<div class="chart chart-small" data-chart="late" data-chart-source="#late" role="img" aria-label="后到"></div>
<script type="application/json" id="late">{json.dumps(BAR)}</script>"""


class Handler(SimpleHTTPRequestHandler):
    """Static files with the policy of production."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root: Path = tmp_path_factory.mktemp("site")
    shutil.copytree(DIST, root / "dist")
    page = PAGE.read_text(encoding="utf-8")
    for place, option in (("MAP-OPTION", MAP), ("BAR-OPTION", BAR)):
        page = page.replace(place, json.dumps(option))
    (root / "index.html").write_text(page, encoding="utf-8")
    (root / "fragment.html").write_text(FRAGMENT, encoding="utf-8")
    (root / "drilled.html").write_text('<!doctype html><meta charset="utf-8"><title>明细</title>', encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def said(page: Page) -> list[str]:
    """What the console was told: refusals of the policy above all."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


@pytest.fixture
def opened(page: Page, site: str, said: list[str]) -> Page:
    page.goto(f"{site}/index.html")
    for name in ("map", "bar"):
        page.locator(f"[data-chart={name}][data-chart-ready=yes] canvas").wait_for()
    return page


def test_the_policy_is_kept_and_no_other_host_is_asked(page: Page, site: str, said: list[str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/index.html")
    page.locator("[data-chart=map][data-chart-ready=yes]").wait_for()
    page.mouse.move(*centre(page, "map"))
    page.locator("#dark").click()
    page.locator("#fetch").click()
    page.locator("[data-chart=late][data-chart-ready=yes]").wait_for()
    assert said == []
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []


def centre(page: Page, chart: str) -> tuple[float, float]:
    box = page.locator(f"[data-chart={chart}]").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_it_is_accessible_in_each_appearance(opened: Page, dark: bool, large: bool) -> None:
    for button, wanted in (("#dark", dark), ("#large", large)):
        if wanted:
            opened.locator(button).click()
            expect(opened.locator(button)).to_have_attribute("aria-pressed", "true")
    found = Axe().run(opened).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []


def test_appearance_is_kept_on_the_device(opened: Page) -> None:
    opened.locator("#dark").click()
    opened.locator("#large").click()
    opened.reload()
    html = opened.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "dark")
    expect(html).to_have_attribute("data-text", "large")


def test_a_datum_opens_its_rows(opened: Page) -> None:
    chart = opened.locator("[data-chart=bar]")
    chart.scroll_into_view_if_needed()
    opened.mouse.click(*centre(opened, "bar"))
    expect(opened).to_have_title("明细")


def test_charts_of_a_fragment_are_drawn_and_forgotten_with_it(opened: Page) -> None:
    opened.locator("#fetch").click()
    opened.locator("[data-chart=late] canvas").wait_for()
    opened.locator("#fetch").click()
    opened.locator("[data-chart=late] canvas").wait_for()
    expect(opened.locator("canvas")).to_have_count(3)


def test_a_failed_request_is_said_and_leaves_the_page(opened: Page) -> None:
    opened.locator("#broken").click()
    expect(opened.locator("#notices")).to_contain_text("不在您的管辖范围内")
    expect(opened.locator("#place")).to_have_text("原文")


def test_columns_travel_as_one_list_and_never_none(opened: Page) -> None:
    field = opened.locator("input[name=columns]")
    opened.get_by_label("代码").check()
    expect(field).to_have_value("name,code")
    opened.get_by_label("代码").uncheck()
    opened.get_by_label("名称").click()  # refused: the last column stays
    expect(field).to_have_value("name")


def test_copying_says_so(opened: Page) -> None:
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.locator("#copy").click()
    expect(opened.locator("#announcer")).to_have_text("已复制")
    assert opened.evaluate("() => navigator.clipboard.readText()") == "91370100MA3ABCDE1X"


def test_arrows_walk_the_rows(opened: Page) -> None:
    opened.get_by_role("link", name="一").focus()
    opened.keyboard.press("ArrowDown")
    expect(opened.get_by_role("link", name="二")).to_be_focused()
    opened.keyboard.press("Home")
    expect(opened.get_by_role("link", name="一")).to_be_focused()


def test_a_phone_needs_no_sideways_scrolling(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 740})
    assert opened.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_without_a_chinese_font_the_web_font_comes(site: str, page: Page) -> None:
    """The web font's faces cover what the pages say, and are served from here."""
    css = (DIST / "fonts.css").read_text(encoding="utf-8")
    files = re.findall(r'url\("?\./(fonts/[^")]+)', css)
    assert len(files) > 90
    assert all((DIST / name).is_file() for name in files)
    page.goto(f"{site}/index.html")
    loaded = page.evaluate(
        "() => document.fonts.load('16px \"Noto Sans SC Variable\"', '安责险菏泽').then(f => f.length)"
    )
    assert loaded > 0

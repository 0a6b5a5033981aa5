"""A visit on a phone in a real browser: without network, through crashes, on two phones, with a wrong clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import segno
from django.utils import timezone
from playwright.sync_api import Browser, BrowserType, Page, Route, expect

from anze.kernel.duty import beijing_day
from tests.e2e.phones import PHONE, Phone
from tests.e2e.visits_seed import PEOPLE
from tests.e2e.windows import assert_no_wider, assert_readable
from tests.exchange.live import Platform

pytestmark = pytest.mark.slow

ONE, TWO, AWAY = PEOPLE


@pytest.fixture
def phone_of(live: Platform, browser: Browser) -> Iterator[Callable[..., Phone]]:
    opened: list[Phone] = []

    def make(username: str, **words: Any) -> Phone:
        phone = Phone(live, browser.new_context(**(PHONE | words)))
        opened.append(phone)
        return phone.sign_in(username).ready()

    yield make
    for phone in opened:
        assert not phone.errors
        phone.context.close()


def entries(live: Platform, visit: str, kind: str) -> list[Any]:
    return [
        row[0]
        for row in live.ask(
            "SELECT payload FROM prevention_visitentry WHERE visit_id = %s AND kind = %s AND NOT is_removed ORDER BY id",
            visit,
            kind,
        )
    ]


def state(live: Platform, visit: str) -> str:
    rows = live.ask("SELECT state FROM prevention_visit WHERE id = %s", visit)
    return rows[0][0] if rows else ""


def test_a_whole_visit_without_network_through_a_crash(
    live: Platform, browser_type: BrowserType, browser_type_launch_args: dict[str, Any], picture: Any, tmp_path: Path
) -> None:
    """Begun, recorded and finished in a mine; the app killed and reloaded on the way; above ground it is on file."""
    start = lambda: browser_type.launch_persistent_context(tmp_path, **browser_type_launch_args, **PHONE)  # noqa: E731
    context = start()
    phone = Phone(live, context).sign_in(ONE).ready()
    context.set_offline(True)
    phone.page.reload()
    phone.open("PD-0").begin()
    phone.finding(picture("甲"))
    phone.page.reload()
    expect(phone.page.locator(".phone-card")).to_have_count(1)
    # half a sentence is on the device when the app dies
    phone.tap("记录隐患")
    phone.tap("自行填写")
    phone.page.locator("textarea").first.fill("写到一半的隐患")
    phone.page.wait_for_timeout(200)
    where = phone.page.url
    context.close()
    context = start()
    context.set_offline(True)
    phone = Phone(live, context, context.new_page())
    phone.page.goto(where)
    expect(phone.page.locator("textarea").first).to_have_value("写到一半的隐患")
    phone.tap("保存隐患")
    phone.to("/photos")
    phone.photo("拍摄标识照片", picture("乙"))
    phone.to("/recheck")
    phone.tap("已整改")
    expect(phone.page.get_by_role("button", name="已整改", exact=True)).to_have_attribute("aria-pressed", "true")
    phone.to()
    phone.sign("EXPERT", "示例专家甲")
    phone.sign("ENTERPRISE", "示例负责人")
    phone.finish()
    phone.tap("提交")
    visit = phone.visit
    assert state(live, visit) == ""
    context.set_offline(False)
    expect(phone.page.locator(".alert-success")).to_contain_text("已入档", timeout=30_000)
    phone.all_sent()
    [(service, photos)] = live.ask(
        "SELECT s.id, s.photo_count FROM prevention_service s JOIN prevention_visit v ON v.service_id = s.id "
        "WHERE v.id = %s AND s.channel = 'PHONE' AND s.has_service_mark AND s.confirmation = 'SIGNATURE'",
        visit,
    )
    assert photos == 2
    assert live.ask("SELECT count(*) FROM hazards_hazard WHERE service_id = %s", service) == [(2,)]
    assert live.ask("SELECT state FROM hazards_hazard WHERE hazard_no = 'H-PHONE'") == [("CLOSED",)]
    assert live.ask("SELECT count(*) FROM evidence_media WHERE subject = %s", visit) == [(2,)]
    assert not phone.errors
    context.close()


def test_two_phones_on_one_visit_see_the_conflict_and_one_person_picks(live: Platform, phone_of: Any) -> None:
    one, two = phone_of(ONE), phone_of(TWO)
    for phone in (one, two):
        phone.context.set_offline(True)
        phone.open("PD-1").begin()
        phone.to("/checklist")
    # the same question, answered differently on both
    for phone, answer in ((one, "是"), (two, "否")):
        phone.page.get_by_role("button", name=answer, exact=True).first.click()
        phone.to()
        phone.note(f"记录{answer}")
    visit = one.visit
    assert visit == two.visit
    one.context.set_offline(False)
    one.all_sent()
    two.context.set_offline(False)
    expect(two.page.locator(".phone-conflict")).to_be_visible(timeout=20_000)
    assert {each["text"] for each in entries(live, visit, "NOTE")} == {"记录是", "记录否"}
    one.page.reload()
    expect(one.page.locator(".phone-conflict")).to_be_visible(timeout=20_000)
    one.tap("采用另一版本")
    expect(one.page.locator(".phone-conflict")).to_have_count(0)
    one.all_sent()
    assert [each["answer"] for each in entries(live, visit, "ANSWER")] == ["NO"]
    kept = live.ask(
        "SELECT payload ->> 'answer' FROM prevention_visitchange WHERE visit_id = %s AND kind = 'ANSWER'", visit
    )
    assert {"YES", "NO"} <= {row[0] for row in kept}


def test_two_phones_of_one_person_name_him_once(live: Platform, phone_of: Any) -> None:
    one, two = phone_of(ONE), phone_of(ONE)
    for phone in (one, two):
        phone.context.set_offline(True)
        phone.open("PD-10").begin()
    for phone in (one, two):
        phone.context.set_offline(False)
        phone.all_sent()
    [person] = entries(live, one.visit, "PERSON")
    assert person["expert_number"] == "EXP001"
    one.page.reload()
    one.to("/people")
    expect(one.page.locator(".list-group-item")).to_have_count(1)


def test_a_slow_drawing_never_covers_the_form_opened_meanwhile(phone_of: Any) -> None:
    """Sending in the background draws the visit anew; whoever opened a form in that moment keeps it."""
    phone = phone_of(ONE)
    phone.open("PD-1")
    if phone.page.get_by_role("button", name="开始服务", exact=True).count():
        phone.begin()
    for _again in range(5):
        phone.to()
        expect(phone.page.locator(".phone-tiles")).to_be_visible()
        phone.page.evaluate(
            """(hash) => {
              const root = document.getElementById("phone");
              for (let n = 0; n < 20; n++) root.draw();
              location.hash = hash;
            }""",
            f"{phone.base}/notes",
        )
        expect(phone.page.locator("textarea")).to_be_visible()
        phone.page.wait_for_timeout(150)
        expect(phone.page.locator("textarea")).to_be_visible()


def test_submitted_twice_is_one_service(live: Platform, phone_of: Any, picture: Any) -> None:
    phone = phone_of(ONE)
    phone.open("PD-2").whole_visit(picture("丙"))
    phone.all_sent()
    # the answer to the first submission is lost on the way
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.request.url)
            route.fetch()
            route.abort()

    phone.context.route("**/submit/", lose)
    phone.tap("提交")
    phone.page.wait_for_timeout(800)
    phone.page.reload()
    expect(phone.page.locator(".alert-success")).to_contain_text("已入档", timeout=30_000)
    assert lost
    number = live.ask("SELECT visit_no FROM prevention_visit WHERE id = %s", phone.visit)[0][0]
    assert live.ask("SELECT count(*), max(version) FROM prevention_service WHERE service_no = %s", number) == [(1, 1)]


def test_a_picture_sent_before_is_shown_beside_the_earlier_one_before_it_is_submitted(
    live: Platform, phone_of: Any, picture: Any
) -> None:
    phone = phone_of(ONE)
    same = picture("庚")
    phone.open("PD-8").whole_visit(same)
    phone.tap("提交")
    expect(phone.page.locator(".alert-success")).to_contain_text("已入档", timeout=30_000)
    # submitted without a network: when the answer about the photo is here, it is asked for once more
    phone.open("PD-9")
    phone.context.set_offline(True)
    phone.whole_visit(same)
    phone.tap("提交")
    phone.context.set_offline(False)
    told = phone.page.locator("[data-same]")
    expect(told).to_be_visible(timeout=30_000)
    expect(told.locator("img")).to_have_count(2)
    drawn = "() => [...document.querySelectorAll('[data-same] img')].every((image) => image.naturalWidth > 0)"
    phone.page.wait_for_function(drawn)
    _sound(phone.page)
    assert state(live, phone.visit) in ("OPEN", "FINISHED"), "nobody has submitted it"
    phone.tap("提交")
    phone.page.locator("dialog").get_by_role("button").first.click()
    expect(phone.page.locator(".alert-success")).to_contain_text("已入档", timeout=30_000)


def test_a_position_denied_and_a_clock_a_day_ahead(live: Platform, phone_of: Any) -> None:
    phone = phone_of(ONE, permissions=[], geolocation=None)
    ahead = timezone.now() + timedelta(days=1)
    phone.page.clock.install(time=ahead)
    phone.page.reload()
    phone.open("PD-3").begin()
    expect(phone.page.locator(".state-warning").first).to_contain_text("未授权定位")
    phone.page.clock.run_for(1000)
    phone.all_sent()
    [(started, refused, offset)] = live.ask(
        "SELECT started_at, position_refused, clock_offset FROM prevention_visit WHERE id = %s", phone.visit
    )
    assert refused == "denied"
    assert abs(timezone.now() - started) < timedelta(minutes=5)
    assert 86_000 < offset < 86_800


def test_the_network_dies_at_each_step_of_a_photo(live: Platform, phone_of: Any, picture: Any) -> None:
    """Before the declaration, after it, before a piece, after it: the photo arrives once, whole."""
    phone = phone_of(ONE)
    step: list[str] = []

    def break_off(route: Route) -> None:
        name = f"{route.request.method} {len(step)}"
        step.append(name)
        if len(step) in (1, 4):  # the request never arrives
            route.abort()
        elif len(step) in (2, 6):  # it arrives, the answer does not
            route.fetch()
            route.abort()
        else:
            route.continue_()

    phone.context.route("**/evidence/uploads/**", break_off)
    phone.open("PD-4").begin()
    phone.finding(picture("丁"))
    for _time in range(8):
        phone.page.evaluate("() => dispatchEvent(new Event('online'))")
        phone.page.wait_for_timeout(700)
        if phone.page.locator(".phone-badge").get_attribute("data-waiting") == "0":
            break
    phone.all_sent()
    assert len(step) > 4
    [photo] = entries(live, phone.visit, "FINDING")[0]["photos"]
    rows = live.ask(
        "SELECT o.sha256, o.size FROM evidence_media m JOIN evidence_original o ON o.id = m.original_id WHERE m.subject = %s",
        phone.visit,
    )
    assert rows == [(photo["sha256"], photo["size"])]


def test_signing_out_with_a_full_queue_keeps_it_for_its_owner_only(live: Platform, phone_of: Any, picture: Any) -> None:
    phone = phone_of(ONE)
    page = phone.page
    phone.context.route("**/visits/sync/", lambda route: route.abort())
    phone.open("PD-5").begin()
    phone.finding(picture("戊"))
    page.evaluate("() => { location.hash = '#/' }")
    phone.tap("退出登录")
    page.locator("dialog").get_by_role("button", name="退出登录").click()
    expect(page.locator(".phone-empty")).to_contain_text("未发送内容")
    assert page.locator(".phone-card").count() == 0
    phone.context.unroute("**/visits/sync/")
    phone.sign_in(AWAY)
    expect(page.locator(".alert-info")).to_contain_text("他人未发送的内容")
    assert page.locator(".phone-card").count() == 0
    page.context.clear_cookies(name="sessionid")
    phone.sign_in(ONE).open("PD-5")
    expect(page.locator(".phone-card")).to_have_count(1)
    phone.all_sent()
    assert len(entries(live, phone.visit, "FINDING")) == 1


def test_a_session_that_ended_keeps_everything_and_says_so(live: Platform, phone_of: Any) -> None:
    phone = phone_of(ONE)
    phone.context.clear_cookies(name="sessionid")
    phone.open("PD-6").begin()
    expect(phone.page.locator(".phone-badge")).to_contain_text("登录后发送")
    phone.note("登录过期后的记录")
    phone.sign_in(ONE).open("PD-6")
    phone.all_sent()
    assert [each["text"] for each in entries(live, phone.visit, "NOTE")] == ["登录过期后的记录"]


def test_a_full_device_says_so_and_loses_nothing(live: Platform, phone_of: Any, picture: Any) -> None:
    phone = phone_of(ONE)
    phone.context.set_offline(True)
    phone.open("PD-7").begin()
    phone.note("之前的记录")
    phone.page.evaluate(
        """() => {
          const put = IDBObjectStore.prototype.put;
          IDBObjectStore.prototype.put = function (row, ...more) {
            if (row.blob) throw new DOMException("full", "QuotaExceededError");
            return put.call(this, row, ...more);
          };
        }"""
    )
    phone.to("/photos")
    with phone.page.expect_file_chooser() as chooser:
        phone.tap("拍摄现场照片")
    chooser.value.set_files(picture("己"))
    expect(phone.page.locator("#said")).to_contain_text("存储空间已满")
    phone.page.reload()
    phone.to("/notes")
    expect(phone.page.locator(".phone-item")).to_contain_text("之前的记录")


def test_the_deadline_proposed_goes_with_the_class_until_the_expert_sets_his_own(phone_of: Any, live: Platform) -> None:
    phone = phone_of(TWO)
    phone.page.locator("[data-order=PD-1]").click()
    begin = phone.page.locator(".btn-success")
    expect(phone.page.locator(".phone-tiles").or_(begin).first).to_be_visible()
    if phone.page.locator(".phone-tiles").count() == 0:
        begin.first.click()
    phone.press("new_finding")
    phone.press("free_finding")
    day, kind = phone.page.locator("input[type=date]"), phone.page.locator("select")
    after = lambda days: str(beijing_day(datetime.now(UTC) + timedelta(days=days)))  # noqa: E731
    expect(day).to_have_value(after(15))
    kind.select_option("MAJOR")
    expect(day).to_have_value(after(30))
    day.fill(after(7))
    day.dispatch_event("change")
    kind.select_option("GENERAL")
    expect(day).to_have_value(after(7))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_screen_is_readable_on_a_small_phone(phone_of: Any, live: Platform, language: str) -> None:
    phone = phone_of(TWO, viewport={"width": 360, "height": 740})
    phone.context.add_cookies([{"name": "language", "value": language, "url": live.base}])
    phone.page.reload()
    phone.page.locator("[data-order=PD-1]").click()
    begin = phone.page.locator(".btn-success")
    expect(phone.page.locator(".phone-tiles").or_(begin).first).to_be_visible()
    if phone.page.locator(".phone-tiles").count() == 0:
        begin.first.click()
    expect(phone.page.locator(".phone-tiles")).to_be_visible()
    for part in ("", "/people", "/checklist", "/finding/new", "/photos", "/notes", "/recheck", "/sign/EXPERT"):
        phone.to(part)
        phone.page.wait_for_timeout(150)
        _sound(phone.page)
    for hash_ in ("#/", "#/queue", "#/scan"):
        phone.page.evaluate("(hash) => { location.hash = hash }", hash_)
        phone.page.wait_for_timeout(150)
        _sound(phone.page)
        if language == "en":
            assert not re.search(r"[\u4e00-\u9fff]{2}", phone.page.locator("h1").inner_text())


def _sound(page: Page) -> None:
    assert_no_wider(page)
    assert_readable(page)


def camera_that_sees(code: str, folder: Path) -> list[str]:
    """Arguments that give the browser a camera which looks at a QR code (raw video: one brightness a pixel)."""
    width, height, pixel = 640, 480, 8
    rows = [[255] * width for _row in range(height)]
    modules = list(segno.make(code, error="m").matrix)
    top, left = (height - len(modules) * pixel) // 2, (width - len(modules) * pixel) // 2
    for y, line in enumerate(modules):
        for x, is_dark in enumerate(line):
            for row in range(top + y * pixel, top + (y + 1) * pixel):
                rows[row][left + x * pixel : left + (x + 1) * pixel] = [30 if is_dark else 225] * pixel
    colourless = bytes([128]) * (width * height // 2)
    frame = b"FRAME\n" + b"".join(map(bytes, rows)) + colourless
    video = folder / "camera.y4m"
    video.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 3)
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    ]


def test_the_code_at_the_gate_opens_the_visit(
    live: Platform, browser_type: BrowserType, browser_type_launch_args: dict[str, Any], tmp_path: Path
) -> None:
    """The platform's own code of an enterprise, read by the camera without a network."""
    [(enterprise, uscc)] = live.ask(
        "SELECT e.id::text, e.uscc FROM prevention_order o JOIN parties_enterprise e ON e.id = o.enterprise_id "
        "WHERE o.order_no = 'PD-1'"
    )
    camera = camera_that_sees(f"AZ1.PLACE.k.{enterprise}~{uscc}.{'A' * 86}", tmp_path)
    browser = browser_type.launch(**(browser_type_launch_args | {"args": [*browser_type_launch_args["args"], *camera]}))
    context = browser.new_context(**(PHONE | {"permissions": ["geolocation", "camera"]}))
    phone = Phone(live, context).sign_in(ONE).ready()
    context.set_offline(True)
    phone.tap("扫描企业二维码或选择企业")
    phone.tap("打开摄像头")
    expect(phone.page).to_have_url(re.compile(r"#/visit/[0-9a-f-]{36}$"), timeout=20_000)
    expect(phone.page.locator(".phone-main")).to_contain_text("PD-", timeout=20_000)
    assert not phone.errors
    browser.close()


def test_a_hazard_is_found_by_the_first_letters_of_its_words(phone_of: Any) -> None:
    phone = phone_of(ONE)
    phone.open("PD-3")
    if phone.page.get_by_role("button", name="开始服务", exact=True).count():
        phone.begin()
    phone.tap("记录隐患")
    phone.page.get_by_role("searchbox").fill("jzqj")
    expect(phone.page.locator(".list-group-item").first).to_contain_text("浇铸期间")
    phone.page.get_by_role("searchbox").fill("qqqqqq")
    expect(phone.page.locator(".list-group-item")).to_have_count(0)

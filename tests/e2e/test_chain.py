"""The whole chain in a real browser: seven people, each on the pages that are theirs, in Chinese at a desk and in English
on a phone. Topic, task, order, visit without a paper in between, report, the enterprise's word, and the hazard gone.

What each step refuses and counts is shown beside the rules of its room (tests/prevention/test_whole_chain.py tells the
same story by HTTP); here it is shown that people get through.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from anze.kernel.duty import beijing_day
from tests.e2e import windows
from tests.e2e.phones import PHONE, Phone
from tests.e2e.windows import Opens, assert_fits, fill_in, follow, press
from tests.exchange.live import Platform

pytestmark = pytest.mark.slow

HAS_WORKER = True  # the figures follow by themselves
WAYS = [("zh-hans", 1280), ("en", 390)]
WORDS = {
    "zh-hans": {
        "topic": "铝加工深井铸造专项", "goals": "重大隐患动态清零", "task": "深井铸造隐患排查", "look for": "冷却水",
        "insurer": "淮海示例财产保险", "measures": "停产加装报警并联锁", "done": "已加装并联锁", "seen": "现场复查，符合要求",
    },
    "en": {
        "topic": "Deep-well casting", "goals": "No major hazard is left", "task": "Look at deep-well casting",
        "look for": "cooling", "insurer": "Huaihai Insurance", "measures": "Stop, fit the alarm and the interlock",
        "done": "Alarm and interlock fitted", "seen": "Looked at on site: in order",
    },
}  # fmt: skip


def texts_in(language: str) -> Callable[..., str]:
    """What a text of the pages reads in a language."""

    def say(text: str, **words: Any) -> str:
        with translation.override(language):
            return translation.gettext(text) % words if words else translation.gettext(text)

    return say


def assert_sound(page: Page) -> None:
    """On the phone that it fits: what makes a page readable for everybody is the same there, and seen at the desk."""
    (assert_fits if (page.viewport_size or {})["width"] < 600 else windows.assert_sound)(page)


def open_row(page: Page, name: str) -> None:
    """Open the record of a list by what its link says."""
    with page.expect_navigation():
        page.locator("#list tbody a", has_text=name).first.click()
    assert_sound(page)


def step(page: Page, ending: str) -> None:
    """Follow the button of a record whose form has this address."""
    with page.expect_navigation():
        page.locator(f".page-wrapper a[href$='/{ending}/']:visible").first.click()
    assert_sound(page)


@pytest.mark.parametrize(("language", "width"), WAYS)
def test_seven_people_from_the_topic_to_the_hazard_that_is_gone(
    live: Platform,
    opened: Opens,
    browser: Browser,
    tmp_path: Path,
    language: str,
    width: int,
) -> None:
    number = [each for each, _width in WAYS].index(language)
    lane: dict[str, str] = live.links[number]  # type: ignore[assignment]
    say, words = texts_in(language), WORDS[language]
    today = beijing_day(timezone.now())

    def signed_in(who: str) -> Page:
        return opened(f"chain-{who}", width, language)

    # the city sets a topic
    city = signed_in("city")
    city.goto(f"{live.base}/prevention/topics/")
    follow(city, say("New topic"))
    fill_in(city, title=words["topic"], goals=words["goals"])
    city.locator("[name=sectors][value=SMELT]").check()
    assert_sound(city)
    press(city, say("Keep as a draft"))
    press(city, say("Issue"))
    assert_sound(city)

    # the committee lists a task on it and looks at the shares before anybody is told
    committee = signed_in("committee")
    committee.goto(f"{live.base}/prevention/topics/")
    open_row(committee, words["topic"])
    follow(committee, say("List a task"))
    fill_in(committee, title=words["task"], rule="REGION", total_times="2")
    press(committee, say("Keep as a draft and preview the shares"))
    expect(committee.locator("main")).to_contain_text(words["insurer"])
    assert_sound(committee)
    press(committee, say("Issue to %(count)s insurers", count=1))
    expect(committee.locator("main")).to_contain_text(words["insurer"])

    # the insurer accepts its share and orders a visit of the plan
    insurer = signed_in("insurer")
    insurer.goto(f"{live.base}/prevention/task-shares/")
    open_row(insurer, words["task"])
    press(insurer, say("Accept"))
    with insurer.expect_navigation():
        insurer.locator("a[href*='/orders/bulk/?task=']").click()
    insurer.get_by_role("checkbox", name=lane["enterprise"]).check()
    fill_in(insurer, first_on=str(today), price="1200")
    insurer.locator("[name=send]").check()
    assert_sound(insurer)
    press(insurer, say("Place the orders"))
    [(order, planned_on)] = live.ask(
        "SELECT o.order_no, o.planned_on FROM prevention_order o JOIN underwriting_policy p ON p.id = o.policy_id "
        "WHERE p.policy_no = %s AND o.state = 'SENT'",
        lane["policy"],
    )
    assert planned_on >= today

    # the agency accepts and names its expert
    agency = signed_in("agency")
    agency.goto(f"{live.base}/prevention/orders/?state=SENT")
    open_row(agency, order)
    press(agency, say("Accept"))
    agency.get_by_role("checkbox", name=re.compile("示例专家甲")).check()
    assert_sound(agency)
    press(agency, say("These go"))
    expect(agency.locator("main")).to_contain_text("示例专家甲")

    # the enterprise agrees to the plan and sees who comes
    enterprise = signed_in(f"enterprise{number}")
    enterprise.goto(f"{live.base}/prevention/plans/")
    open_row(enterprise, lane["plan"])
    press(enterprise, say("Confirm the plan"))
    enterprise.goto(f"{live.base}/prevention/orders/")
    open_row(enterprise, order)
    expect(enterprise.locator("main")).to_contain_text("示例专家甲")

    # the expert, on the phone
    taken = tmp_path / "before.jpg"
    Image.effect_noise((640, 480), 40 + 30 * number).convert("RGB").save(taken)
    visit = on_site(live, browser, language, order, words["look for"], taken)
    [(service, hazard)] = live.ask(
        "SELECT s.service_no, h.hazard_no FROM prevention_visit v JOIN prevention_service s ON s.id = v.service_id "
        "JOIN hazards_hazard h ON h.service_id = s.id WHERE v.id = %s",
        visit,
    )
    [(sha256, shapes)] = live.ask(
        "SELECT o.sha256, m.annotation -> 'shapes' FROM evidence_media m JOIN evidence_original o ON o.id = m.original_id "
        "WHERE m.subject = %s AND m.role = 'HAZARD'",
        visit,
    )
    assert sha256 == hashlib.sha256(taken.read_bytes()).hexdigest(), "the picture is as the camera gave it"
    assert [each["kind"] for each in shapes] == ["arrow"], "and the arrow lies over it"

    # the insurer issues the report; whoever has the paper can check it
    insurer.goto(f"{live.base}/prevention/services/")
    open_row(insurer, service)
    step(insurer, "report")
    press(insurer, say("Issue the report"))
    assert_sound(insurer)
    anybody = opened("", width, language)
    anybody.goto(
        live.base + (insurer.get_by_role("link", name=say("Open the public page")).get_attribute("href") or "")
    )
    expect(anybody.locator(".alert-success")).to_contain_text(
        say("Genuine and valid: this platform issued the report, and it holds.")
    )
    expect(anybody.locator("main")).to_contain_text(lane["enterprise"])
    assert_sound(anybody)

    # the enterprise says that it was so, and rectifies
    enterprise.goto(f"{live.base}/prevention/services/")
    open_row(enterprise, service)
    step(enterprise, "confirm")
    enterprise.locator("[name=answer][value=YES]").check(force=True)
    enterprise.locator("[name=stars][value='5']").check(force=True)
    press(enterprise, say("Send the answer"))
    enterprise.goto(f"{live.base}/hazards/")
    open_row(enterprise, hazard)
    step(enterprise, "start")
    fill_in(enterprise, to_whom="示例负责人", words=words["measures"])
    press(enterprise, say("Begin the rectification"))
    step(enterprise, "submit")
    after = tmp_path / "after.jpg"
    Image.effect_noise((640, 480), 60 + number).convert("RGB").save(after)
    fill_in(enterprise, words=words["done"], cost="12000")
    enterprise.set_input_files("input[name=photos]", after)
    press(enterprise, say("Submit the rectification"))
    assert_sound(enterprise)

    # the agency looks again
    agency.goto(f"{live.base}/hazards/")
    open_row(agency, hazard)
    expect(agency.locator("main img").first).to_be_visible()
    step(agency, "close")
    fill_in(agency, words=words["seen"])
    press(agency, say("Recheck: rectified"))
    assert live.ask("SELECT state, verifier FROM hazards_hazard WHERE hazard_no = %s", hazard) == [("CLOSED", "AGENCY")]

    # the city climbs from the hazard to its topic, and the figures say what was done
    city.goto(f"{live.base}/hazards/")
    open_row(city, hazard)
    follow(city, words["topic"])
    expect(city.locator("h1")).to_have_text(words["topic"])
    city.goto(f"{live.base}/prevention/progress/")
    expect(city.locator("main")).to_contain_text(re.compile(r"1\s*/\s*2"))
    assert_sound(city)
    figures = f"{live.base}/statistics/?show=hazard_rectification_rate"
    for _try in range(60):  # the worker counts every five seconds
        city.goto(figures)
        if "100" in city.locator("main").inner_text():
            break
        city.wait_for_timeout(1000)
    expect(city.locator("main")).to_contain_text("100")
    assert_sound(city)


def on_site(live: Platform, browser: Browser, language: str, order: str, wanted: str, taken: Path) -> str:
    """The visit as the expert records it; its id. Without a network from the start to the submission."""
    context = browser.new_context(**PHONE)
    context.add_cookies([{"name": "language", "value": language, "url": live.base}])
    phone = Phone(live, context, language=language).sign_in("chain-expert").ready()
    context.set_offline(True)
    phone.open(order).begin()
    phone.press("new_finding")
    phone.photo(phone.words["take_photo"], taken)
    phone.arrow()
    phone.page.get_by_role("searchbox").fill(wanted)
    phone.page.locator(".list-group-item").first.click()
    told = phone.page.get_by_label(phone.words["principal_told"])
    if told.count():
        told.check()
    phone.press("save_finding")
    phone.to("/photos")
    phone.photo(phone.words["photo_mark"], taken)
    phone.to()
    phone.sign("EXPERT", "示例专家甲")
    phone.sign("ENTERPRISE", "示例负责人")
    phone.finish()
    phone.press("submit")
    context.set_offline(False)
    expect(phone.page.locator(".alert-success")).to_contain_text(
        phone.words["is_on_file"].split("{")[0].strip(), timeout=30_000
    )
    phone.all_sent()
    visit = phone.visit
    assert not phone.errors
    context.close()
    return visit

"""The whole chain in a real browser, by those whom `make run` lets in: seven people, each on the pages that are theirs, in
both languages, at a desk and on a phone. Topic, task, plan, order, visit without a paper in between, report, the
enterprise's word, the hazard gone, and the figures moved.

What each step refuses and counts is shown beside the rules of its room (tests/prevention/test_whole_chain.py tells the
same story by HTTP); here it is shown that people get through.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from anze.exchange.synthetic.people import PASSWORD
from anze.kernel.duty import beijing_day
from tests.e2e import windows
from tests.e2e.phones import PHONE, Phone
from tests.e2e.windows import Opens, People, assert_no_wider, fill_in, follow, press
from tests.exchange.live import Platform

pytestmark = pytest.mark.slow

WAYS = [(language, width) for width in (1280, 390) for language in ("zh-hans", "en")]
WORDS = {
    "zh-hans": {
        "topic": "铝加工深井铸造专项", "goals": "重大隐患动态清零", "task": "深井铸造隐患排查", "look for": "冷却水",
        "measures": "停产加装报警并联锁", "done": "已加装并联锁", "seen": "现场复查，符合要求",
    },
    "en": {
        "topic": "Deep-well casting", "goals": "No major hazard is left", "task": "Look at deep-well casting",
        "look for": "cooling", "measures": "Stop, fit the alarm and the interlock",
        "done": "Alarm and interlock fitted", "seen": "Looked at on site: in order",
    },
}  # fmt: skip
# what a newcomer sees of them on the pages, by the names that are printed when the platform starts
STORY = """
WITH role AS (SELECT k.username, m.* FROM parties_account k JOIN parties_membership m ON m.account_id = k.id)
SELECT e.name, e.region_code, e.lon, e.lat, p.cover_end_on, l.plan_no, a.code, x.name, i.id, i.name, i.name_en
FROM role r JOIN parties_enterprise e ON r.username = 'enterprise' AND e.id = r.enterprise_id
JOIN role s ON s.username = 'insurer' JOIN parties_organisation i ON i.id = s.organisation_id
JOIN role t ON t.username = 'agency' JOIN parties_organisation a ON a.id = t.organisation_id
JOIN role u ON u.username = 'expert' JOIN parties_expert x ON x.id = u.expert_id AND x.agency_id = a.id
JOIN underwriting_policy p ON p.enterprise_id = e.id AND p.insurer_id = i.id AND NOT p.is_void
    AND %s BETWEEN p.start_on AND p.cover_end_on
JOIN prevention_plan l ON l.policy_id = p.id AND NOT l.is_void
"""


@dataclass(frozen=True)
class Story:
    enterprise: str
    county: str
    lon: Any
    lat: Any
    covered_until: date
    plan: str
    agency: str
    expert: str
    insurer_id: Any
    insurer: str
    insurer_in_english: str


@pytest.fixture
def opened(newcomers: People) -> Iterator[Opens]:
    """Browsers of several people of the demonstration."""
    with newcomers.windows() as open_:
        yield open_


def texts_in(language: str) -> Callable[..., str]:
    """What a text of the pages reads in a language."""

    def say(text: str, **words: Any) -> str:
        with translation.override(language):
            return translation.gettext(text) % words if words else translation.gettext(text)

    return say


def open_row(page: Page, name: str) -> None:
    """Open the record of a list by what its link says."""
    with page.expect_navigation():
        page.locator("#list tbody a", has_text=name).first.click()
    assert_no_wider(page)


def open_card(page: Page, base: str, title: str) -> None:
    """Open a list by its card on the first page: who signs in finds what waits for him."""
    page.goto(f"{base}/")
    with page.expect_navigation():
        page.locator("main .card-link", has_text=title).click()
    assert_no_wider(page)


def step(page: Page, ending: str) -> None:
    """Follow the button of a record whose form has this address."""
    with page.expect_navigation():
        page.locator(f".page-wrapper a[href$='/{ending}/']:visible").first.click()
    assert_no_wider(page)


def fraction(page: Page) -> tuple[int, int]:
    """The first “3 / 12” of a page that has come."""
    main = page.locator("main")
    expect(main).to_contain_text(re.compile(r"[\d,]+\s*/\s*[\d,]+"))
    found = re.search(r"([\d,]+)\s*/\s*([\d,]+)", main.inner_text())
    assert found
    part, whole = (int(each.replace(",", "")) for each in found.groups())
    return part, whole


@pytest.mark.parametrize(("language", "width"), WAYS)
def test_seven_people_from_the_topic_to_the_hazard_that_is_gone(
    newcomer: Platform,
    opened: Opens,
    browser: Browser,
    tmp_path: Path,
    language: str,
    width: int,
) -> None:
    base, ask, number = newcomer.base, newcomer.ask, WAYS.index((language, width))
    say, words = texts_in(language), dict(WORDS[language])
    words |= {each: f"{words[each]} {number + 1}" for each in ("topic", "task")}
    today = beijing_day(timezone.now())
    # Looked at with axe once: what makes a page readable for everybody is the same in each of the four, and looking at every
    # page would take longer than walking.
    assert_sound = windows.assert_sound if number == 0 else assert_no_wider
    [row] = ask(STORY, today)
    story = Story(*row)

    def signed_in(who: str) -> Page:
        return opened(who, width, language)

    # the city sets a topic
    city = signed_in("city")
    rectified = f"{base}/statistics/hazard_rectification_all/?region={story.county}"
    city.goto(rectified)
    before = fraction(city)
    city.goto(f"{base}/")
    follow(city, say("New topic"))
    fill_in(city, title=words["topic"], goals=words["goals"])
    city.locator("[name=sectors][value=SMELT]").check()
    assert_sound(city)
    press(city, say("Keep as a draft"))
    press(city, say("Issue"))
    assert_sound(city)

    # the committee lists a task on it and looks at the shares before anybody is told
    committee = signed_in("committee")
    open_card(committee, base, say("Topics the authorities have set"))
    open_row(committee, words["topic"])
    follow(committee, say("List a task"))
    fill_in(committee, title=words["task"], rule="REGION", total_times="12")
    press(committee, say("Keep as a draft and preview the shares"))
    insurer_s_name = story.insurer_in_english if language == "en" else story.insurer
    expect(committee.locator("main")).to_contain_text(insurer_s_name)
    assert_sound(committee)
    with committee.expect_navigation():
        committee.locator("form[action$='/issue/'] button").click()
    expect(committee.locator(f"main a[href$='/insurers/{story.insurer_id}/']").first).to_be_visible()
    [(task, code)] = ask("SELECT id, code FROM prevention_task WHERE title = %s", words["task"])
    progress = f"{base}/prevention/progress/?task={task}"
    city.goto(progress)
    done, share = fraction(city)
    assert done == 0 < share

    # the insurer accepts its share and gives the enterprise's plan one more visit for it
    insurer = signed_in("insurer")
    open_card(insurer, base, say("Tasks to accept or decline"))
    open_row(insurer, words["task"])
    press(insurer, say("Accept"))
    accepted = insurer.url
    insurer.goto(f"{base}/prevention/plans/?q={story.plan}")
    open_row(insurer, story.plan)
    follow(insurer, say("Correct"))
    lines = insurer.locator(".entry-line")
    there = lines.count()
    insurer.get_by_role("button", name=say("Add a line")).click()
    expect(lines).to_have_count(there + 1)
    visit_of_task = {
        "service_type": "HAZARD", "form": "COMMISSIONED_TSP", "times": "1", "window_start_on": str(today),
        "window_end_on": str(story.covered_until - timedelta(days=1)), "agency_code": story.agency, "task_code": code,
    }  # fmt: skip
    fill_in(insurer, confirmed_on="", **{f"items-{there}-{name}": value for name, value in visit_of_task.items()})
    assert_sound(insurer)
    press(insurer, say("Save as a new version"))
    assert_sound(insurer)

    # the enterprise agrees to the plan as it is now
    enterprise = signed_in("enterprise")
    open_card(enterprise, base, say("Service plans for you to confirm"))
    open_row(enterprise, story.plan)
    press(enterprise, say("Confirm the plan"))
    assert_sound(enterprise)

    # the insurer orders the visit
    insurer.goto(accepted)
    with insurer.expect_navigation():
        insurer.locator("a[href*='/orders/bulk/?task=']").click()
    insurer.get_by_role("checkbox", name=story.enterprise).check()
    fill_in(insurer, first_on=str(today))
    insurer.locator("[name=send]").check()
    assert_sound(insurer)
    press(insurer, say("Place the orders"))
    [(order, planned_on, price)] = ask(
        "SELECT order_no, planned_on, price FROM prevention_order WHERE task_id = %s AND state = 'SENT'", task
    )
    assert planned_on >= today
    assert price > 0, "as agreed with the agency"

    # the agency accepts and names its expert
    agency = signed_in("agency")
    open_card(agency, base, say("Orders to accept or decline"))
    open_row(agency, order)
    press(agency, say("Accept"))
    agency.get_by_role("checkbox", name=story.expert).check()
    assert_sound(agency)
    press(agency, say("These go"))
    expect(agency.locator("main")).to_contain_text(story.expert)

    # the enterprise sees who comes
    open_card(enterprise, base, say("Visits of the next seven days"))
    open_row(enterprise, order)
    expect(enterprise.locator("main")).to_contain_text(story.expert)

    # the expert, on the phone
    taken = tmp_path / "before.jpg"
    Image.effect_noise((640, 480), 40 + 10 * number).convert("RGB").save(taken)
    visit = on_site(newcomer, browser, story, language, order, words["look for"], taken)
    [(service, hazard)] = ask(
        "SELECT s.service_no, h.hazard_no FROM prevention_visit v JOIN prevention_service s ON s.id = v.service_id "
        "JOIN hazards_hazard h ON h.service_id = s.id WHERE v.id = %s",
        visit,
    )
    [(sha256, shapes)] = ask(
        "SELECT o.sha256, m.annotation -> 'shapes' FROM evidence_media m JOIN evidence_original o ON o.id = m.original_id "
        "WHERE m.subject = %s AND m.role = 'HAZARD'",
        visit,
    )
    assert sha256 == hashlib.sha256(taken.read_bytes()).hexdigest(), "the picture is as the camera gave it"
    assert [each["kind"] for each in shapes] == ["arrow"], "and the arrow lies over it"

    # the insurer issues the report; whoever has the paper can check it
    insurer.goto(f"{base}/prevention/services/?q={service}")
    open_row(insurer, service)
    step(insurer, "report")
    press(insurer, say("Issue the report"))
    assert_sound(insurer)
    anybody = opened("", width, language)
    anybody.goto(base + (insurer.get_by_role("link", name=say("Open the public page")).get_attribute("href") or ""))
    expect(anybody.locator(".alert-success")).to_contain_text(
        say("Genuine and valid: this platform issued the report, and it holds.")
    )
    expect(anybody.locator("main")).to_contain_text(story.enterprise)
    assert_sound(anybody)

    # the enterprise says that it was so, and rectifies
    enterprise.goto(f"{base}/prevention/services/")
    open_row(enterprise, service)
    step(enterprise, "confirm")
    enterprise.locator("[name=answer][value=YES]").check(force=True)
    enterprise.locator("[name=stars][value='5']").check(force=True)
    press(enterprise, say("Send the answer"))
    open_card(enterprise, base, say("Hazards for you to rectify"))
    open_row(enterprise, hazard)
    step(enterprise, "start")
    fill_in(enterprise, to_whom="示例负责人", words=words["measures"])
    press(enterprise, say("Begin the rectification"))
    step(enterprise, "submit")
    after = tmp_path / "after.jpg"
    Image.effect_noise((640, 480), 45 + 10 * number).convert("RGB").save(after)
    fill_in(enterprise, words=words["done"], cost="12000")
    enterprise.set_input_files("input[name=photos]", after)
    press(enterprise, say("Submit the rectification"))
    assert_sound(enterprise)

    # the agency looks again
    agency.goto(f"{base}/hazards/?q={hazard}")
    open_row(agency, hazard)
    expect(agency.locator("main img").first).to_be_visible()
    step(agency, "close")
    fill_in(agency, words=words["seen"])
    press(agency, say("Recheck: rectified"))
    assert ask("SELECT state, verifier FROM hazards_hazard WHERE hazard_no = %s", hazard) == [("CLOSED", "AGENCY")]

    # the city climbs from the hazard to its topic, and the figures have moved by what was done
    city.goto(f"{base}/hazards/?q={hazard}")
    open_row(city, hazard)
    follow(city, words["topic"])
    expect(city.locator("h1")).to_have_text(words["topic"])
    city.goto(progress)
    assert fraction(city) == (1, share)
    assert_sound(city)
    moved = (before[0] + 1, before[1] + 1)
    for _try in range(60):  # the worker counts every five seconds
        city.goto(rectified)
        if fraction(city) == moved:
            break
        city.wait_for_timeout(1000)
    assert fraction(city) == moved
    assert_sound(city)


def on_site(
    newcomer: Platform, browser: Browser, story: Story, language: str, order: str, wanted: str, taken: Path
) -> str:
    """The visit as the expert records it; its id. Without a network from the start to the submission."""
    there = {"longitude": float(story.lon), "latitude": float(story.lat), "accuracy": 15}
    context = browser.new_context(**{**PHONE, "geolocation": there})
    context.add_cookies([{"name": "language", "value": language, "url": newcomer.base}])
    phone = Phone(newcomer, context, language=language).sign_in("expert", PASSWORD).ready()
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
    phone.sign("EXPERT", story.expert)
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

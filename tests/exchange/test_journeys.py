"""An insurer's clerk in a real browser: a large upload with its progress, and a form with lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import translation

from anze.exchange.actions.uploads import SMALL_FILE
from anze.exchange.feeds import FEEDS
from tests.cast import XINGHUO, policy_row
from tests.exchange.live import CLERK, PASSWORD, Platform
from tests.exchange.test_interface import ndjson, send
from tests.exchange.test_uploads import policies, typed

pytestmark = pytest.mark.slow


@pytest.fixture
def clerk(live: Platform, page: Any) -> Any:
    """The clerk, signed in, in English; anything the browser complains about fails the test."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.context.add_cookies([{"name": "language", "value": "en", "url": live.base}])
    page.goto(f"{live.base}/sign-in/")
    page.fill("input[name=username]", CLERK)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    yield page
    # a refused form comes back with 422, which Chromium calls an error
    assert not [text for text in complaints if "422" not in text]


def test_a_large_file_shows_its_progress_and_is_published_when_confirmed(
    live: Platform, clerk: Any, tmp_path: Path
) -> None:
    prefix = uuid4().hex[:8]
    with translation.override("zh-hans"):
        nature = str(FEEDS["policies"].get("nature").codes["SOLE"].label)
        rows = [typed(f"{prefix}{n}", nature=nature) for n in range(4000)]
        rows[1]["end_on"] = "2026-01-01"
        file = tmp_path / "policies.xlsx"
        file.write_bytes(policies(*rows))
    assert file.stat().st_size > SMALL_FILE
    clerk.goto(f"{live.base}/exchange/feeds/policies/upload/")
    clerk.set_input_files("input[name=file]", str(file))
    clerk.get_by_role("button", name="Check the file").click()
    confirm = clerk.get_by_role("button", name="Publish 3999 good rows")
    confirm.wait_for(timeout=300_000)  # without a reload: the page asks again by itself
    assert clerk.get_by_text("The policy ends before it begins.").is_visible()
    counted = "SELECT count(*) FROM underwriting_policy WHERE policy_no LIKE %s"
    assert live.ask(counted, f"{prefix}%") == [(0,)]
    confirm.click()
    clerk.get_by_text("published", exact=True).wait_for(timeout=300_000)
    assert live.ask(counted, f"{prefix}%") == [(3999,)]
    with clerk.expect_download() as downloading:
        clerk.get_by_role("link", name="Rejected rows as Excel").click()
    assert downloading.value.suggested_filename.endswith("-rejected.xlsx")


def test_a_service_is_entered_with_its_persons(live: Platform, clerk: Any) -> None:
    policy_no, service_no = uuid4().hex[:12], uuid4().hex[:12]
    assert send(live, body=ndjson(policy_row(policy_no, XINGHUO))).status == 200
    clerk.goto(f"{live.base}/exchange/feeds/services/entry/")
    row = {**FEEDS["services"].example_rows()[0], "policy_no": policy_no, "service_no": service_no}
    for name in ("persons", "plan_no", "plan_item_seq"):
        row.pop(name, None)
    for name, value in row.items():
        field = clerk.locator(f"[name='{name}']")
        if field.evaluate("each => each.tagName") == "SELECT":
            field.select_option({True: "1", False: "0"}[value] if isinstance(value, bool) else str(value))
        else:
            text = str(value)
            field.fill(text[:16] if name in ("started_at", "ended_at") else text)
    clerk.fill("[name='persons-0-name']", "示例专家甲")
    clerk.select_option("[name='persons-0-kind']", "EXPERT")
    clerk.get_by_role("button", name="Add a line").click()
    clerk.fill("[name='persons-1-name']", "示例员工乙")
    clerk.get_by_role("button", name="Save").click()
    clerk.get_by_text("Nothing was saved").wait_for()
    assert clerk.input_value("[name='persons-1-name']") == "示例员工乙"
    clerk.select_option("[name='persons-1-kind']", "INSURER_STAFF")
    clerk.get_by_role("button", name="Save").click()
    clerk.get_by_text("The record is on file.").wait_for()
    found = live.ask(
        "SELECT p.name FROM prevention_serviceperson p JOIN prevention_service s ON s.id = p.service_id "
        "WHERE s.service_no = %s ORDER BY p.seq",
        service_no,
    )
    assert [name for (name,) in found] == ["示例专家甲", "示例员工乙"]

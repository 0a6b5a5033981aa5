"""The page of one row: facts, tabs, history with before and after; the enterprise's file on one time line."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import translation

from anze.claims.models import Claim
from anze.hazards.models import Hazard
from anze.kernel.models import Event
from anze.parties.models import Enterprise
from anze.parties.rules import Role
from anze.screen.history import history_of
from anze.underwriting.models import Policy
from tests.cast import XINGHUO, policy_row
from tests.screen.conftest import hazard_rows
from tests.web.world import OWN_MARK


def text_of(response) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def regulator(two_sides, browser_of):
    regulator = browser_of(Role.PROVINCE_REGULATOR)
    regulator.cookies["language"] = "en"
    with translation.override("en"):
        yield regulator


def test_a_policy_shows_its_facts_and_what_hangs_on_it(regulator):
    policy = Policy.objects.get(policy_no=f"P-{OWN_MARK}")
    page = regulator.get(reverse("policy", args=[policy.pk]))
    text = text_of(page)
    for said in (f"P-{OWN_MARK}", "11,111.11", "2026-03-01", "18.00%"):
        assert said in text
    tabs = re.findall(r"\?tab=([a-z-]+)", page.content.decode())
    # in the order of the menu; rooms add tabs of their own
    told = ["endorsements", "receipts", "claims", "plans", "orders", "services", "expenses", "history"]
    assert [tab for tab in tabs if tab in told] == told
    for tab, number in (("services", "S-"), ("claims", "L-"), ("receipts", "R-"), ("expenses", "X-")):
        assert f"{number}{OWN_MARK}" in text_of(regulator.get(reverse("policy", args=[policy.pk]), {"tab": tab}))


def test_history_tells_what_changed_when_and_by_which_delivery(cast, regulator):
    policy = Policy.objects.get(policy_no=f"P-{OWN_MARK}")
    cast.accepted(
        cast.huaihai,
        "policies",
        policy_row(policy.policy_no, XINGHUO, insured_workers=88, premium_written="11111.11"),
    )
    policy.refresh_from_db()
    versions, is_longer = history_of(policy)
    assert not is_longer
    latest = next(v for v in versions if any(d.title == "Insured workers" for d in v.differences))
    change = next(d for d in latest.differences if d.title == "Insured workers")
    assert (change.before, change.after) == ("100", "88")
    assert not any(d.title == "Premium written" for d in latest.differences), "what did not change is not told"
    assert versions[-1].is_first
    text = text_of(regulator.get(reverse("policy", args=[policy.pk]), {"tab": "history"}))
    assert "Insured workers 100 88" in text


def test_history_tells_a_value_as_its_field_is_shown_with_its_unit(cast, regulator):
    policy = Policy.objects.get(policy_no=f"P-{OWN_MARK}")
    row = policy_row(policy.policy_no, XINGHUO, premium_written="22222.22", agreed_expense_ratio="0.195")
    cast.accepted(cast.huaihai, "policies", row)
    overview = text_of(regulator.get(reverse("policy", args=[policy.pk])))
    history = text_of(regulator.get(reverse("policy", args=[policy.pk]), {"tab": "history"}))
    assert "Premium written (yuan) 22,222.22" in overview
    assert "Premium written (yuan) 11,111.11 22,222.22" in history
    assert "Agreed prevention expense ratio 18.00% 19.50%" in history


def test_history_keeps_premiums_from_those_who_may_not_see_them(cast, regulator):
    policy = Policy.objects.get(policy_no=f"P-{OWN_MARK}")
    cast.accepted(cast.huaihai, "policies", policy_row(policy.policy_no, XINGHUO, premium_written="22222.22"))
    policy.refresh_from_db()
    all_told = [d.title for v in history_of(policy)[0] for d in v.differences]
    told = [d.title for v in history_of(policy, {"insured_workers"})[0] for d in v.differences]
    assert any("remium" in title for title in all_told)
    assert not any("remium" in title for title in told)


def test_codes_and_days_of_the_past_are_told_in_words(cast, regulator):
    cast.accepted(cast.huaihai, "hazards", *hazard_rows(1))
    corrected = {**hazard_rows(1)[0], "state": "RECTIFYING", "deadline_on": "2026-05-30"}
    cast.accepted(cast.huaihai, "hazards", corrected)
    hazard = Hazard.objects.get(hazard_no="H00000")
    differences = {d.title: (d.before, d.after) for d in history_of(hazard)[0][0].differences}
    assert differences["To be rectified by"] == ("2026-04-11", "2026-05-30")
    assert differences["State"][0] != "NOTIFIED", "the state's word, not its code"


def test_the_enterprise_file_tells_everything_newest_first_and_can_be_narrowed(regulator):
    enterprise = Enterprise.objects.get(uscc=XINGHUO)
    page = regulator.get(reverse("enterprise", args=[enterprise.pk]))
    text = text_of(page)
    for number in ("P-", "E-", "A-", "S-", "H-", "X-", "G-", "L-"):
        assert f"{number}{OWN_MARK}" in text, number
    line = page.content.decode().split('<ol class="story">')[1].split("</ol>")[0]
    days = re.findall(r'datetime="([\d-]+)"', line)
    assert days == sorted(days, reverse=True)
    only = regulator.get(reverse("enterprise", args=[enterprise.pk]), {"kind": "hazard"})
    line = only.content.decode().split('<ol class="story">')[1].split("</ol>")[0]
    assert f"H-{OWN_MARK}" in line
    assert f"S-{OWN_MARK}" not in line


def test_a_long_file_is_told_in_pieces_and_no_day_is_cut(cast, regulator):
    cast.accepted(cast.huaihai, "hazards", *hazard_rows(150))
    enterprise = Enterprise.objects.get(uscc=XINGHUO)
    address, told = f"{reverse('enterprise', args=[enterprise.pk])}?kind=hazard", []
    for _step in range(10):
        text = regulator.get(address).content.decode()
        told += re.findall(
            r'<a class="code"[^>]*>(H\d+|H-\w+)</a>', text.split('<ol class="story">')[1].split("</ol>")[0]
        )
        more = re.search(r'<a class="btn" href="([^"]+before=[^"]+)"', text)
        if not more:
            break
        address = more[1].replace("&amp;", "&")
    assert len(told) == 151
    assert len(set(told)) == 151


def test_the_figures_of_a_file_open_the_rows_they_count(regulator):
    enterprise = Enterprise.objects.get(uscc=XINGHUO)
    page = regulator.get(reverse("enterprise", args=[enterprise.pk])).content.decode()
    links = re.findall(r'<a class="drill" href="([^"]+)">([^<]+)</a>', page)
    counted = [(href.replace("&amp;", "&"), int(said)) for href, said in links if said.isdigit()]
    assert len(counted) >= 4
    for href, number in counted:
        assert f'<strong class="numeric">{number}</strong>' in regulator.get(href).content.decode(), href


def test_an_enterprise_opens_its_own_file_from_its_home_page(cast, browser_of, regulator):
    own = browser_of(Role.ENTERPRISE)
    home = own.get(reverse("home"))
    file = reverse("enterprise", args=[Enterprise.objects.get(uscc=XINGHUO).pk])
    assert f"星火示例铸造{OWN_MARK}" in text_of(home)
    assert f'href="{file}"' in home.content.decode()
    assert f"H-{OWN_MARK}" in text_of(own.get(file))


def test_of_another_insurer_its_page_shows_public_facts_and_no_counts(cast, browser_of, regulator):
    clerk = browser_of(Role.INSURER_CLERK)
    clerk.cookies["language"] = "en"
    own = clerk.get(reverse("insurer", args=[cast.huaihai.pk])).content.decode()
    other = clerk.get(reverse("insurer", args=[cast.bohai.pk])).content.decode()
    assert "Policies in force" in own
    assert "Policies in force" not in other
    assert "tab=policies" not in other
    assert "Bohai Insurance" in other


def test_sums_of_a_claim_follow_its_payments(regulator):
    claim = Claim.objects.get(claim_no=f"L-{OWN_MARK}")
    assert "180,000.00" in text_of(regulator.get(reverse("claim", args=[claim.pk])))


def test_an_audit_event_opens_what_it_was_about(regulator):
    b"".join(regulator.get(reverse("policies-export"), {"format": "csv"}).streaming_content)
    event = Event.objects.get(kind="export.made")
    text = text_of(regulator.get(reverse("event", args=[event.pk])))
    assert "exported a list" in text
    assert "policies" in text

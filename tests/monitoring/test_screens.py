"""The statistics pages: whatever stands in the address, an answer, and never more than the reader may see."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from anze.kernel.actor import Actor
from anze.kernel.scope import EVERYTHING, Scope, region_range
from anze.monitoring.definitions import INDICATORS
from anze.monitoring.models import EffectEstimate
from anze.monitoring.screens import slice_of
from anze.parties.rules import Role
from anze.underwriting.models import Obligation
from tests.cast import YUANFAN
from tests.monitoring.counting import count, day
from tests.monitoring.deliveries import obligation, policy, receipt
from tests.stages import stage

AS_OF = date(2026, 11, 23)
HUAIHAI = uuid4()
SCOPES = {
    "province": EVERYTHING,
    "city": Scope("anze_region", "370100", "3701ZZ"),
    "county": Scope("anze_region", "370102", "370102"),
    "sector": Scope("anze_sector", "370100", "3701ZZ", sector="SMELT"),
    "insurer": Scope("anze_insurer", "370000", "37ZZZZ", insurer_id=HUAIHAI),
    "branch": Scope("anze_insurer", "370200", "3702ZZ", insurer_id=HUAIHAI),
}


def request(scope: Scope, query: str) -> Any:
    return SimpleNamespace(actor=Actor("", scope=scope), GET=QueryDict(query))


_text = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["370000", "370100", "370102", "3701Z1", "370200", "37010'", "37' OR", "3701%%", "370102\x00", "OTHER",
         "SMELT", "2026-01", "2026-13", "0000-01", "0001-01", "9999-12", "2026-1",
         "\uff12\uff10\uff12\uff16-01",
         "2026-01-01", "-2026-01", str(HUAIHAI), str(uuid4()), "{x}", "∞"]
    ),
)  # fmt: skip
_words = st.sampled_from(["region", "from", "to", "sector", "insurer"])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(SCOPES)),
    st.dictionaries(_words, _text),
)
def test_no_address_widens_what_one_may_see(name, asked):
    scope = SCOPES[name]
    cut = slice_of(request(scope, urlencode(asked)), AS_OF)
    low, high = region_range(cut.region_code)
    assert cut.region_code.isalnum()
    assert cut.region_code.isascii()
    if scope.reader != "anze_all":
        assert scope.region_from <= low
        assert high <= scope.region_to
    if scope.sector:
        assert cut.sector == scope.sector
    if scope.insurer_id:
        assert cut.insurer_id == scope.insurer_id
    assert date(2016, 1, 1) <= cut.month_from <= cut.month_to <= date(2026, 11, 1)
    assert cut.month_from.day == cut.month_to.day == 1


def test_what_is_asked_for_is_what_one_gets():
    cut = slice_of(
        request(EVERYTHING, f"region=3702Z1&from=2026-03&to=2025-12&sector=FISHERY&insurer={HUAIHAI}"), AS_OF
    )
    assert cut.words() == {
        "region": "3702Z1", "from": "2025-12", "to": "2026-03", "sector": "FISHERY", "insurer": str(HUAIHAI),
    }  # fmt: skip
    year = slice_of(request(SCOPES["county"], ""), AS_OF)
    assert year.words() == {
        "region": "370102",
        "from": "2026-01",
        "to": "2026-11",
        "sector": "",
        "insurer": "",
    }


@stage
def counted(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy("P1"))
    cast.accepted(cast.huaihai, "receipts", receipt("HUAIHAI-R1"))
    cast.accepted(cast.bohai, "policies", policy("B1", YUANFAN))
    cast.accepted(cast.bohai, "receipts", receipt("BOHAI-R9", "777.77", policy_no="B1"))
    count()
    return cast


@pytest.fixture
def filled(counted):
    cache.clear()
    return counted


BAD = [
    "", "?region=37010%27", "?region=%00", "?from=9999-12&to=0001-01", "?sector=%27;--", "?insurer=x",
    "?show=nothing", "?part=nothing", "?after=1", "?part=left_out&after=00000000-0000-0000-0000-000000000000",
    "?region=" + "9" * 3000, "?from=2026-01&from=2026-02", "?insurer=00000000-0000-0000-0000-000000000000",
]  # fmt: skip


@pytest.mark.parametrize(
    "role",
    [
        Role.PROVINCE_REGULATOR,
        Role.CITY_REGULATOR,
        Role.SECTOR_DEPARTMENT,
        Role.INSURER_CLERK,
        Role.COMMITTEE,
    ],
)
def test_no_address_brings_a_page_down(filled, browser_of, role):
    browser = browser_of(role)
    for query in BAD:
        for page in ("/statistics/", "/statistics/coverage_rate/", "/statistics/coverage_rate/rows/"):
            assert browser.get(page + query).status_code == 200, (page, query)
    for code in ("nothing", "data_timeliness.nothing", "%00", "coverage_rate'"):
        assert browser.get(f"/statistics/{code}/").status_code == 404
        assert browser.get(f"/statistics/{code}/rows/").status_code == 404


@pytest.mark.parametrize("code", INDICATORS)
def test_every_indicator_has_its_page_and_its_rows(filled, browser_of, code):
    browser = browser_of(Role.PROVINCE_REGULATOR)
    assert browser.get(f"/statistics/{code}/").status_code == 200
    for aspect in ("denominator", "numerator", "shortfall", "left_out"):
        page = browser.get(f"/statistics/{code}/rows/?part={aspect}")
        assert page.status_code == 200
    part = browser.get(f"/statistics/{code}/", headers={"HX-Target": "dashboard"})
    assert part.status_code == 200
    assert "<html" not in part.content.decode()


def test_sums_of_premium_are_for_those_who_may_see_them(filled, browser_of):
    committee, province = browser_of(Role.COMMITTEE), browser_of(Role.PROVINCE_REGULATOR)
    money = [code for code, each in INDICATORS.items() if each.money]
    for code in money:
        assert committee.get(f"/statistics/{code}/").status_code == 404
        assert committee.get(f"/statistics/{code}/rows/").status_code == 404
    # no page of theirs links to what would be refused, nor shows the sums; one's cache is not the other's
    for page in ("/statistics/", "/statistics/claim_settlement_rate/", "/statistics/?show=expense_ratio"):
        assert "37,277.77" in province.get("/statistics/?show=expense_ratio").content.decode()
        text = committee.get(page).content.decode()
        assert not [code for code in money if f"/statistics/{code}/" in text], page
        assert "37,277.77" not in text


def test_insurers_see_their_own_rows_only(filled, browser_of):
    own, other = browser_of(Role.INSURER_CLERK), browser_of(Role.INSURER_CLERK, other=True)
    mine = own.get("/statistics/expense_ratio/rows/").content.decode()
    assert "HUAIHAI-R1" in mine
    assert "BOHAI-R9" not in mine
    theirs = other.get(f"/statistics/expense_ratio/rows/?insurer={filled.huaihai.pk}").content.decode()
    assert "BOHAI-R9" in theirs
    assert "HUAIHAI-R1" not in theirs
    for page in ("/statistics/", "/statistics/expense_ratio/"):
        text = other.get(f"{page}?insurer={filled.huaihai.pk}").content.decode()
        assert "36,500.00" not in text


def test_what_no_insurer_is_counted_by_is_not_shown_of_one(filled, browser_of):
    regulator, clerk = browser_of(Role.PROVINCE_REGULATOR), browser_of(Role.INSURER_CLERK)
    everybody = regulator.get("/statistics/").content.decode()
    assert "/statistics/coverage_rate/" in everybody
    for text in (
        regulator.get(f"/statistics/?insurer={filled.huaihai.pk}").content.decode(),
        clerk.get("/statistics/?show=coverage_rate").content.decode(),
        clerk.get("/").content.decode(),
    ):
        assert "/statistics/coverage_rate/" not in text
        assert "/statistics/service_completion_rate/" in text


def test_rows_say_why_they_are_left_out(filled, browser_of):
    browser = browser_of(Role.PROVINCE_REGULATOR)
    rows = browser.get("/statistics/coverage_rate_compliant/rows/?part=shortfall").content.decode()
    assert "远帆示例渔业有限公司" not in rows  # 100 workers insured of 100
    numerator = browser.get("/statistics/coverage_rate/rows/?part=numerator").content.decode()
    assert "远帆示例渔业有限公司" in numerator
    # a share of which less is better has no rows that fall short: the numerator is what to look at
    assert "part=shortfall" not in browser.get("/statistics/under_limit_share/rows/").content.decode()


def test_the_time_machine_and_the_big_screen_speak_of_the_readers_own_part(cast, browser_of):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy("P1"))
    cast.accepted(cast.bohai, "policies", policy("B1", YUANFAN))
    count()
    cache.clear()
    city = browser_of(Role.CITY_REGULATOR)
    then = city.get("/statistics/coverage_rate/then/?known=2026-11-01").content.decode()
    assert "P1" in then or "星火" in then, "nothing was known before the 23rd: each of its rows makes a difference"
    assert "远帆" not in then
    wall = city.get("/big-screen/")
    assert wall.status_code == 200
    part = city.get("/big-screen/", headers={"HX-Target": "wall"}).content.decode()
    assert "<html" not in part
    assert part.count("wall-figure") == 5
    for nonsense in ("known=&day=", "known=9999-99-99", "known=9999-12-31&day=0001-01-01"):
        assert city.get(f"/statistics/coverage_rate/then/?{nonsense}").status_code == 200


def test_the_page_about_the_effect_says_what_may_be_said(cast, browser_of):
    province = browser_of(Role.PROVINCE_REGULATOR)
    assert "尚无比对结果" in province.get("/effect/").content.decode()
    words = {"computed_at": day("2026-11-23"), "service_days": 180, "follow_days": 180, "day": date(2026, 5, 26)}
    EffectEstimate.objects.create(
        outcome="ACCIDENT", verdict="FEWER", served=1000, served_hit=40, others=800, others_hit=60, ratio=0.5, low=0.4,
        high=0.8, **words,
    )  # fmt: skip
    EffectEstimate.objects.create(outcome="CLAIM", verdict="TOO_FEW", served=9, others=8, **words)
    text = province.get("/effect/").content.decode()
    for said in ("已服务企业发生较少", "0.40 – 0.80", "40 (10 – 60)", "尚不能判断：发生数过少"):
        assert said in text, said


def test_coverage_is_shown_with_its_confirmed_and_its_uncertain_part(cast, browser_of):
    cache.clear()
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", state="DISPUTED"))
    cast.accepted(cast.huaihai, "policies", policy("P1"))
    count()
    browser = browser_of(Role.PROVINCE_REGULATOR)
    for page in ("/statistics/", "/statistics/coverage_rate/"):
        text = browser.get(page).content.decode()
        for code in ("coverage_rate_lowest", "coverage_rate_highest", "coverage_rate_uncertain"):
            assert f"/statistics/{code}/rows/?" in text, (page, code)
    Obligation.objects.update(state="CONFIRMED")
    count()
    assert "coverage_rate_lowest/rows" not in browser.get("/statistics/coverage_rate/").content.decode()

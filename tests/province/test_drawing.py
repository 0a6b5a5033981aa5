"""The drawn province: published totals, plausible figures, nobody real in it, the same for the same seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pytest

from anze.exchange.synthetic import anomalies, words
from anze.exchange.synthetic.drawing import draw
from anze.exchange.synthetic.entities import Province
from anze.exchange.synthetic.feeding import fingerprint
from anze.exchange.synthetic.figures import figures
from anze.exchange.synthetic.places import counties, kilometres
from anze.exchange.synthetic.streams import shares
from anze.kernel.identifiers import is_synthetic_uscc, uscc_problem
from tests.province.conftest import AS_OF, SCALE, SEED, Sent

FIRST, LAST = AS_OF - timedelta(days=365), AS_OF - timedelta(days=1)

# insurers and large groups that exist
REAL = words.listed(
    "人保 平安 太平洋 国寿 中华联合 大地 阳光 华泰 永安 天安 安盛 太平 泰山 中银 英大 鼎和 紫金 浙商 国任 "
    "亚太 众安 永诚 安华 华安 利宝 长安 诚泰 东海 燕赵 恒邦 中煤 华海 长江 锦泰 中路 合众 海峡 渤海 黄河 "
    "都邦 富德 前海 珠峰 融盛 久隆 汇友 泰康 中原 国元 北部湾 鑫安 安诚 信达 华农 魏桥 万华 海尔 海信 "
    "浪潮 重汽 兖矿 青岛啤酒"
)


def test_the_same_seed_gives_the_same_province(drawn: Province) -> None:
    again = fingerprint(draw(SEED, SCALE, AS_OF))
    assert again == fingerprint(drawn)
    assert again != fingerprint(draw(SEED + 1, SCALE, AS_OF))


def test_full_scale_has_the_published_figures() -> None:
    whole = figures(1)
    assert (whole.insurers, whole.agencies, whole.active_agencies) == (35, 86, 54)
    assert whole.insured >= 56_000
    assert (whole.services, whole.expert_visits, whole.reports) == (79_000, 38_000, 15_000)
    assert whole.expense_cents == 78_000_000_00
    assert (whole.campaign_insurers, whole.campaign_expert_visits) == (10, 194)
    assert (whole.campaign_hazards, whole.campaign_major) == (1302, 120)


def test_the_totals_are_met_exactly(drawn: Province, sent: Sent) -> None:
    counts = figures(SCALE)
    services = [each.row for each in sent["services"]]
    assert len(services) == counts.services == 790
    persons = Counter(person["kind"] for row in services for person in row["persons"])
    assert persons["EXPERT"] == counts.expert_visits == 380
    assert sum("report_text" in row for row in services) == counts.reports == 150
    assert all(row["form"] == "COMMISSIONED_TSP" for row in services if "report_text" in row)
    assert all(row.get("report_file") for row in services if "report_text" in row)
    assert len({row["agency_code"] for row in services if "agency_code" in row}) == 54
    assert len(drawn.agencies) == 86
    assert len(drawn.insurers) == 35
    assert sum(round(float(each.row["amount"]) * 100) for each in sent["expenses"]) == 780_000_00
    assert len(sent["claims"]) == counts.claims
    assert len(sent["accidents"]) == counts.accidents


def test_everything_happens_within_the_year(sent: Sent) -> None:
    for feed, event in (("services", "started_at"), ("expenses", "incurred_on"), ("hazards", "found_on")):
        days = [date.fromisoformat(each.row[event][:10]) for each in sent[feed]]
        assert FIRST <= min(days) <= max(days) <= LAST, feed
    for rows in sent.values():
        assert max(each.received_at for each in rows).date() <= LAST


def test_insured_now_are_as_many_as_the_figures_say(drawn: Province) -> None:
    insured = sum(
        any(policy.start <= LAST <= policy.cover_end for policy in enterprise.policies)
        for enterprise in drawn.enterprises
    )
    assert insured == figures(SCALE).insured == 563


def test_figures_are_plausible(drawn: Province) -> None:
    obliged = [e for e in drawn.enterprises if e.listed_on and not e.delisted_on]
    insured = [e for e in obliged if any(p.start <= LAST <= p.cover_end for p in e.policies)]
    assert 0.9 < len(insured) / len(obliged) < 0.99
    premium = sum(r.cents for p in drawn.policies for r in p.receipts if FIRST <= r.day <= LAST)
    assert 0.13 < figures(SCALE).expense_cents / premium < 0.20
    by_insurer = Counter(policy.insurer.code for policy in drawn.policies)
    assert 0.18 < by_insurer["INS01"] / len(drawn.policies) < 0.32
    months = Counter(policy.start.month for policy in drawn.policies)
    assert sum(months[month] for month in (1, 2, 3)) > 0.3 * len(drawn.policies)
    assert {e.sector for e in drawn.enterprises} >= {
        "MINE",
        "HAZCHEM",
        "TRANSPORT",
        "CONSTR",
        "FISHERY",
        "OTHER",
    }
    partial = sum(p.workers < p.enterprise.workers for p in drawn.policies if not p.project)
    assert 0 < partial < 0.1 * len(drawn.policies)
    assert any(p.limit < 400_000 for p in drawn.policies if p.start >= date(2025, 3, 29))


def test_the_campaign_is_as_published(sent: Sent) -> None:
    counts = figures(SCALE)
    hazards = [each for each in sent["hazards"] if each.row.get("campaign_code")]
    assert len(hazards) == counts.campaign_hazards
    assert sum(each.row["hazard_class"] == "MAJOR" for each in hazards) == counts.campaign_major
    assert all(each.row["state"] == "CLOSED" for each in hazards)
    of_campaign = {each.row["service_no"] for each in hazards}
    visits = [each.row for each in sent["services"] if each.row["service_no"] in of_campaign]
    experts = sum(person["kind"] == "EXPERT" for row in visits for person in row["persons"])
    assert experts == counts.campaign_expert_visits


def test_hazards_agree_with_their_services(sent: Sent) -> None:
    found = Counter((each.sender, each.row.get("service_no")) for each in sent["hazards"])
    for each in sent["services"]:
        assert each.row["hazards_found"] == found[each.sender, each.row["service_no"]]
    assert sum(found.values()) >= 100_000 * SCALE * 0.9


@pytest.mark.parametrize("region", ["370000", "3701", "county"])
def test_it_is_spread_over_the_whole_province(drawn: Province, region: str) -> None:
    codes = {enterprise.county.code for enterprise in drawn.enterprises}
    if region == "county":
        known = {county.code for county in counties()}
        assert codes <= known
        assert len([county for county in counties() if not county.is_zone]) == 136
        assert len(codes) > 100
    else:
        assert len({code[:4] for code in codes}) == 16


def test_credit_codes_are_valid_synthetic_and_unique(drawn: Province) -> None:
    codes = [enterprise.uscc for enterprise in drawn.enterprises]
    assert len(set(codes)) == len(codes)
    for code in codes + [each.uscc for each in (*drawn.insurers, *drawn.agencies)]:
        assert uscc_problem(code) is None
        assert is_synthetic_uscc(code)


def test_names_are_invented(drawn: Province) -> None:
    institutions = [each.name for each in (*drawn.insurers, *drawn.agencies)]
    assert len(set(institutions)) == len(institutions)
    assert all("示例" in name for name in institutions)
    names = [enterprise.name for enterprise in drawn.enterprises]
    assert len(set(names)) == len(names)
    # a county may be called 泰山; what follows it may not
    invented = [
        name.removeprefix(words.short_region(each.county.name)).removeprefix(words.short_region(each.county.city_name))
        for name, each in zip(names, drawn.enterprises, strict=True)
    ]
    for name in institutions + invented:
        assert not [real for real in REAL if real in name], name
    # the invented part of an enterprise's name is three rare characters
    for enterprise in drawn.enterprises:
        assert any(enterprise.name[i : i + 3] in _BRANDS for i in range(len(enterprise.name) - 2)), enterprise.name


_BRANDS = {words.brand(number) for number in range(SEED, SEED + 2000)}


def test_brands_do_not_repeat() -> None:
    assert len({words.brand(number) for number in range(len(words.BRAND) ** 3)}) == len(words.BRAND) ** 3


def test_no_honest_expert_is_in_two_places(drawn: Province) -> None:
    planted = {id(visit) for pair in drawn.double_bookings for visit in pair}
    diary = defaultdict(list)
    for visit in drawn.visits:
        if id(visit) not in planted:
            for member in visit.team:
                diary[id(member), visit.day].append((visit.hour, visit.hour + visit.minutes / 60))
    for times in diary.values():
        times.sort()
        assert all(ends <= starts for (_, ends), (starts, _) in pairwise(times))


def test_planted_anomalies_are_in_the_rows(drawn: Province, sent: Sent) -> None:
    counts = figures(SCALE)
    truth = anomalies.truth(drawn)
    services = {(each.sender, each.row["service_no"]): each for each in sent["services"]}
    expenses = {(each.sender, each.row["expense_no"]): each.row for each in sent["expenses"]}

    assert len(truth["duplicate_invoices"]) == counts.duplicate_invoices
    for entry in truth["duplicate_invoices"]:
        first = expenses[entry["invoice_of"]["insurer"], entry["original_expense_no"]]
        second = expenses[entry["charged_again"]["insurer"], entry["expense_no"]]
        assert first["invoice_no"] == second["invoice_no"]
        assert first["amount"] == second["amount"]
        assert first["payee_name"] == second["payee_name"]
    invoices = Counter(row["invoice_no"] for row in expenses.values())
    assert sum(times - 1 for times in invoices.values()) == counts.duplicate_invoices

    assert len(truth["impossible_itineraries"]) == counts.impossible_itineraries
    for entry in truth["impossible_itineraries"]:
        pair = [services[entry[each]["insurer"], entry[each]["service_no"]].row for each in ("first", "second")]
        for row in pair:
            assert row["started_at"].startswith(entry["day"])
            assert entry["expert"] in [
                person["expert_number"] for person in row["persons"] if "expert_number" in person
            ]
        hours = [int(row["started_at"][11:13]) for row in pair]
        assert abs(hours[0] - hours[1]) <= 1
        apart = kilometres(*(float(row[each]) for row in pair for each in ("lon", "lat")))
        assert apart > anomalies.FAR - 5

    assert len(truth["copied_reports"]) == counts.copied_reports
    for entry in truth["copied_reports"]:
        texts = [
            services[entry[each]["insurer"], entry[each]["service_no"]].row["report_text"]
            for each in ("original", "copy")
        ]
        assert entry["original"]["insurer"] != entry["copy"]["insurer"]
        assert texts[0] != texts[1]
        assert _likeness(*texts) > 0.75
    assert len(truth["very_late_services"]) == counts.very_late_services
    for entry in truth["very_late_services"]:
        each = services[entry["insurer"], entry["service_no"]]
        assert (each.received_at.date() - date.fromisoformat(each.row["started_at"][:10])).days > 30


def test_honest_reports_differ(drawn: Province, sent: Sent) -> None:
    copies = {entry["copy"]["service_no"] for entry in anomalies.truth(drawn)["copied_reports"]}
    texts = [
        each.row["report_text"]
        for each in sent["services"]
        if "report_text" in each.row and each.row["service_no"] not in copies
    ][:60]
    assert max(_likeness(a, b) for i, a in enumerate(texts) for b in texts[:i]) < 0.6


def _likeness(first: str, second: str) -> float:
    """Share of common runs of five characters."""
    runs = [{text[i : i + 5] for i in range(len(text) - 4)} for text in (first, second)]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


def test_planted_policies_are_in_the_rows(drawn: Province, sent: Sent) -> None:
    counts = figures(SCALE)
    truth = anomalies.truth(drawn)
    policies = {(each.sender, each.row["policy_no"]): each.row for each in sent["policies"]}
    served = {(each.sender, each.row["policy_no"]) for each in sent["services"]}
    received: dict[tuple[str, str], float] = defaultdict(float)
    for each in sent["receipts"]:
        received[each.sender, each.row["policy_no"]] += float(each.row["amount"])
    spent: dict[tuple[str, str], float] = defaultdict(float)
    for each in sent["expenses"]:
        spent[each.sender, each.row["policy_no"]] += float(each.row["amount"])

    over = {key for key, amount in spent.items() if amount > 0.21 * received[key]}
    assert over == {(entry["insurer"], entry["policy_no"]) for entry in truth["over_cap_policies"]}
    assert len(over) >= counts.over_cap_policies * 0.9
    cheap = {key for key, row in policies.items() if float(row["rate_final"]) < 0.7 * float(row["rate_base"])}
    assert cheap == {(entry["insurer"], entry["policy_no"]) for entry in truth["low_price_policies"]}
    assert len(cheap) == counts.low_price_policies
    due = {
        (each.sender, each.row["policy_no"])
        for each in sent["plans"]
        if any(item["window_end_on"] <= LAST.isoformat() for item in each.row["items"])
    }
    unserved = {(entry["insurer"], entry["policy_no"]) for entry in truth["unserved_policies"]}
    assert unserved == due - served


def test_shares_add_up() -> None:
    assert shares(10, [1, 1, 1]) == [4, 3, 3]
    assert sum(shares(1302, [0.3 + n % 7 for n in range(97)])) == 1302

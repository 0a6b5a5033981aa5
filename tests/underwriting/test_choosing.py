"""From asking for quotes to the policy: only the invited offer, nobody sees a competitor, acceptance is a policy."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.exchange.actions import accept_offer
from anze.kernel.actor import Actor
from anze.kernel.duty import BEIJING
from anze.kernel.models import Parameter
from anze.kernel.parameters import begin_value
from anze.kernel.refusal import Refused
from anze.kernel.scope import Scope, inside
from anze.parties.models import Standing
from anze.parties.rules import Permission, Role
from anze.underwriting.actions import (
    ask_quotes,
    decline_request,
    insurers_to_ask,
    look_for_findings,
    make_offer,
    withdraw_request,
)
from anze.underwriting.models import Finding, Invitation, Offer, Policy, QuoteRequest
from anze.underwriting.rules.choosing import Level, part_of_year, try_premium
from tests.cast import NOW, XINGHUO, policy_row
from tests.monitoring.deliveries import obligation
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]

ASKED = {
    "workers": 100, "limit_per_person": Decimal(500_000), "limit_per_accident": Decimal(5_000_000),
    "aggregate_limit": Decimal(10_000_000), "start_on": date(2026, 12, 1), "end_on": date(2027, 11, 30),
}  # fmt: skip
OFFERED = {
    "product_name": "安全生产责任保险", "wording_no": "", "premium": Decimal("9000.00"),
    "agreed_expense_ratio": Decimal("0.18"), "service_types": ["HAZARD"], "visits": 2,
    "valid_to_on": date(2026, 12, 8),
}  # fmt: skip


def enterprise(cast) -> Actor:
    scope = Scope(reader="anze_enterprise", enterprise_id=cast.xinghuo.pk)
    return Actor(name="示例负责人", scope=scope, permissions=frozenset({Permission.CHOOSE_INSURER}))


def insurer(organisation) -> Actor:
    scope = Scope(reader="anze_insurer", insurer_id=organisation.pk, region_from="370000", region_to="37ZZZZ")
    return Actor(name="示例经办", scope=scope, permissions=frozenset({Permission.MAKE_OFFERS}))


@pytest.fixture
def request_(cast) -> QuoteRequest:
    return ask_quotes(cast.xinghuo, by=enterprise(cast), at=NOW, insurers=[cast.huaihai, cast.bohai], **ASKED)


def test_asking_is_checked_by_the_law(cast):
    def ask(**words):
        return ask_quotes(cast.xinghuo, by=enterprise(cast), at=NOW, **{"insurers": [cast.huaihai], **ASKED, **words})

    for words, code in (
        ({"insurers": []}, "insurers_missing"),
        ({"start_on": date(2026, 11, 22)}, "start_in_past"),
        ({"end_on": date(2027, 12, 2)}, "period_wrong"),
        ({"limit_per_person": Decimal("399999.99")}, "limit_below_minimum"),
        ({"aggregate_limit": Decimal(1_000_000)}, "limits_out_of_order"),
    ):
        with pytest.raises(Refused, match=code):
            ask(**words)
    assert ask().answer_due_at == datetime(2026, 12, 1, tzinfo=BEIJING)  # five working days


def test_only_the_invited_offer_and_as_long_as_it_is_open(cast, request_):
    Invitation.objects.filter(insurer=cast.bohai).delete()
    with pytest.raises(Refused, match="not_invited"):
        make_offer(request_, by=insurer(cast.bohai), at=NOW, **OFFERED)
    with pytest.raises(Refused, match="expense_ratio_over_cap"):
        make_offer(request_, by=insurer(cast.huaihai), at=NOW, **{**OFFERED, "agreed_expense_ratio": Decimal("0.22")})
    # the cap of the first day of cover counts, whatever is in force on the day of the offer
    cap = Parameter.objects.get(key="expense_cap_ratio")
    begin_value(cap, value="0.235", effective_from=request_.start_on, source="", status="UNVERIFIED")
    with pytest.raises(Refused) as refused:
        make_offer(request_, by=insurer(cast.huaihai), at=NOW, **{**OFFERED, "agreed_expense_ratio": Decimal("0.24")})
    assert "23.5" in refused.value.remedy
    first = make_offer(
        request_, by=insurer(cast.huaihai), at=NOW, **{**OFFERED, "agreed_expense_ratio": Decimal("0.22")}
    )
    second = make_offer(request_, by=insurer(cast.huaihai), at=NOW, **{**OFFERED, "premium": Decimal(8000)})
    first.refresh_from_db()
    assert (first.state, second.state) == ("WITHDRAWN", "SENT")
    withdraw_request(request_, by=enterprise(cast), at=NOW)
    second.refresh_from_db()
    assert second.state == "NOT_TAKEN"
    with pytest.raises(Refused, match="request_closed"):
        make_offer(request_, by=insurer(cast.huaihai), at=NOW, **OFFERED)


def test_a_suspended_insurer_is_neither_asked_nor_offers_nor_is_its_offer_accepted(cast, request_):
    offer = make_offer(request_, by=insurer(cast.bohai), at=NOW, **OFFERED)
    standing = Standing.objects.create(
        kind="SUSPENDED", organisation=cast.bohai, from_on=date(2026, 11, 23), to_on=date(2026, 12, 31), reason="示例",
        decided_by=cast.province, decided_on=date(2026, 11, 23), decided_role="PROVINCE_REGULATOR",
    )  # fmt: skip
    assert cast.bohai not in insurers_to_ask(NOW.date())
    assert cast.huaihai in insurers_to_ask(NOW.date())
    with pytest.raises(Refused, match="insurer_not_in_good_standing"):
        ask_quotes(cast.xinghuo, by=enterprise(cast), at=NOW, insurers=[cast.huaihai, cast.bohai], **ASKED)
    with pytest.raises(Refused, match="insurer_not_in_good_standing"):
        make_offer(request_, by=insurer(cast.bohai), at=NOW, **OFFERED)
    with pytest.raises(Refused, match="insurer_not_in_good_standing"):
        accept_offer(offer, by=enterprise(cast), at=NOW)
    standing.delete()
    accept_offer(offer, by=enterprise(cast), at=NOW)


def test_a_policys_factors_are_named_in_chinese_in_whatever_language_the_offer_was_made(cast, request_, browser_of):
    with translation.override("en"):
        offer = make_offer(request_, by=insurer(cast.huaihai), at=NOW, **OFFERED)
    assert "安全生产标准化建设" in [each["name"] for each in offer.rate_factors]
    assert "协商" in [each["name"] for each in offer.rate_factors]
    browser = browser_of(Role.INSURER_MANAGER)
    browser.cookies["language"] = "en"  # and read in one's own
    page = browser.get(reverse("offer", args=[offer.pk])).content.decode()
    assert "safety standardisation 1." in page
    assert "negotiated " in page
    assert "协商" not in page


def test_who_declines_takes_his_offer_back_and_who_offers_again_has_not_declined(cast, request_):
    offer = make_offer(request_, by=insurer(cast.huaihai), at=NOW, **OFFERED)
    declined = decline_request(request_, by=insurer(cast.huaihai), at=NOW, reason="超出承保能力")
    offer.refresh_from_db()
    assert offer.state == "WITHDRAWN"
    make_offer(request_, by=insurer(cast.huaihai), at=NOW, **OFFERED)
    declined.refresh_from_db()
    assert (declined.declined_at, declined.reason) == (None, "")
    withdraw_request(request_, by=enterprise(cast), at=NOW)
    with pytest.raises(Refused, match="request_closed"):
        decline_request(request_, by=insurer(cast.huaihai), at=NOW, reason="超出承保能力")


def test_row_level_security_hides_a_competitors_offer_and_who_else_was_asked(cast, request_):
    make_offer(request_, by=insurer(cast.huaihai), at=NOW, **OFFERED)
    make_offer(request_, by=insurer(cast.bohai), at=NOW, **{**OFFERED, "premium": Decimal("7777.77")})
    decline_request(request_, by=insurer(cast.bohai), at=NOW, reason="另行商议")
    for own in (cast.huaihai, cast.bohai):
        with inside(insurer(own).scope), connection.cursor() as cursor:
            # past every queryset: the database itself gives no other row
            cursor.execute("SELECT DISTINCT insurer_id FROM underwriting_offer")
            assert cursor.fetchall() == [(own.pk,)]
            cursor.execute("SELECT DISTINCT insurer_id FROM underwriting_invitation")
            assert cursor.fetchall() == [(own.pk,)]
            cursor.execute("UPDATE underwriting_offer SET premium = 1 WHERE insurer_id <> %s", [own.pk])
            assert cursor.rowcount == 0
            cursor.execute("SELECT count(*) FROM underwriting_quoterequest")
            assert cursor.fetchone() == (1,)
    with inside(Scope(reader="anze_enterprise", enterprise_id=cast.yuanfan.pk)):
        assert not Offer.objects.exists()
        assert not QuoteRequest.objects.exists()
    with inside(enterprise(cast).scope):
        assert Offer.objects.count() == 2


def test_pages_keep_the_competitors_apart(cast, request_, browser_of):
    make_offer(request_, by=insurer(cast.huaihai), at=NOW, **OFFERED)
    make_offer(request_, by=insurer(cast.bohai), at=NOW, **{**OFFERED, "premium": Decimal("7777.77")})
    page = reverse("quote-request", args=[request_.pk])
    own = browser_of(Role.INSURER_CLERK).get(page).content.decode()
    assert "9,000.00" in own
    assert "7,777.77" not in own
    assert str(cast.bohai) not in own.split("<main")[1]
    both = browser_of(Role.ENTERPRISE).get(page).content.decode()
    assert "9,000.00" in both
    assert "7,777.77" in both
    assert browser_of(Role.ENTERPRISE, other=True).get(page).status_code == 404


def test_an_accepted_offer_is_the_policy_and_the_cause_of_a_finding_is_gone(cast):
    cast.accepted(cast.province, "obligations", obligation())
    look_for_findings(at=NOW)
    assert Finding.objects.get().state == "OPEN"
    today = {**ASKED, "start_on": date(2026, 11, 23), "end_on": date(2027, 11, 22)}
    request = ask_quotes(cast.xinghuo, by=enterprise(cast), at=NOW, insurers=[cast.huaihai, cast.bohai], **today)
    taken = make_offer(request, by=insurer(cast.huaihai), at=NOW, **OFFERED)
    other = make_offer(request, by=insurer(cast.bohai), at=NOW, **OFFERED)
    accept_offer(taken, by=enterprise(cast), at=NOW)
    policy = Policy.objects.get()
    assert (policy.insurer_id, policy.channel, policy.premium_written) == (cast.huaihai.pk, "WEB", Decimal("9000.00"))
    assert (policy.insured_workers, policy.start_on, policy.agreed_frequency) == (100, date(2026, 11, 23), 2)
    assert abs(policy.rate_final * 100 * 500_000 - 9000) < 50  # rates are kept to a millionth
    other.refresh_from_db()
    request.refresh_from_db()
    assert (other.state, request.state) == ("NOT_TAKEN", "TAKEN")
    assert Finding.objects.get().closing == "GONE"
    with pytest.raises(Refused, match="wrong_state"):
        accept_offer(taken, by=enterprise(cast), at=NOW)
    assert Policy.objects.count() == 1


def test_a_lapsed_offer_is_not_accepted(cast, request_):
    offer = make_offer(request_, by=insurer(cast.huaihai), at=NOW, **{**OFFERED, "valid_to_on": date(2026, 11, 24)})
    with pytest.raises(Refused, match="offer_lapsed"):
        accept_offer(offer, by=enterprise(cast), at=NOW + timedelta(days=2))
    assert not Policy.objects.exists()
    request_.refresh_from_db()
    assert request_.state == "OPEN"


def test_a_renewal_names_the_policy_before(cast):
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    later = {**ASKED, "start_on": date(2027, 3, 1), "end_on": date(2028, 2, 29)}
    request = ask_quotes(cast.xinghuo, by=enterprise(cast), at=NOW, insurers=[cast.huaihai], **later)
    accept_offer(make_offer(request, by=insurer(cast.huaihai), at=NOW, **OFFERED), by=enterprise(cast), at=NOW)
    made = Policy.objects.exclude(policy_no="P1").get()
    assert (made.is_renewal, made.previous_policy_no) == (True, "P1")


# the premium ----------------------------------------------------------------------------------------------------

PERCENTS = st.integers(50, 200).map(Decimal)


def trial(factors, workers=100, limit=Decimal(500_000), start=date(2026, 3, 1), end=date(2027, 2, 28), **words):
    levels = [(Level("RISK", str(n), ""), each) for n, each in enumerate(factors)]
    given = {"base": Decimal("0.000250"), "scale": Decimal(72), "least": Decimal(70), "most": Decimal(150), **words}
    return try_premium(factors=levels, workers=workers, limit=limit, start_on=start, end_on=end, **given)


def test_a_premium_worked_out_by_hand():
    made = trial([Decimal(118), Decimal(95)])
    assert made.rate_base == Decimal("0.000180")
    assert made.floating == Decimal("1.1210")
    assert made.rate_final == Decimal("0.000202")
    assert made.premium == Decimal("10100.00")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PERCENTS, max_size=4), st.integers(1, 5000), st.integers(400_000, 2_000_000))
def test_the_premium_stays_within_the_bounds_of_the_factors(factors, workers, limit):
    made = trial(factors, workers, Decimal(limit))
    assert Decimal("0.7") <= made.floating <= Decimal("1.5")
    assert made.premium == made.premium.quantize(Decimal("0.01"))
    assert made.premium == (made.rate_final * workers * limit).quantize(Decimal("0.01"), ROUND_HALF_UP)
    product = Decimal(1)
    for each in made.factors:
        product *= each.value
    assert made.is_held == (not Decimal("0.7") <= product <= Decimal("1.5"))
    assert trial(factors, workers + 1, Decimal(limit)).premium > made.premium


@given(st.permutations([Decimal(118), Decimal(95), Decimal(110)]))
def test_the_order_of_the_factors_changes_nothing(factors):
    assert trial(factors).premium == trial([Decimal(118), Decimal(95), Decimal(110)]).premium


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_a_year_is_a_year_in_leap_years_too(start):
    try:
        end = start.replace(year=start.year + 1) - timedelta(days=1)
    except ValueError:
        end = date(start.year + 1, 2, 28)
    assert part_of_year(start, end) == 1
    assert part_of_year(start, end - timedelta(days=1)) <= 1
    assert part_of_year(start, end - timedelta(days=2)) < 1

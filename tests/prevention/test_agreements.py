"""Framework agreements: proposed by the insurer, accepted by the agency, known to nobody else, over on their day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.kernel.actor import Actor, platform
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import Scope, inside
from anze.monitoring.alerting import run
from anze.monitoring.models import Alert
from anze.parties.models import Organisation, Standing
from anze.parties.rules import Role
from anze.prevention.actions.agreements import (
    accept_agreement,
    agreed_prices,
    decline_agreement,
    end_agreement,
    propose_agreement,
    withdraw_agreement,
)
from anze.prevention.actions.orders import change_order, draft_order, draft_orders
from anze.prevention.models import Agreement, PlanItem
from anze.prevention.rules.agreements import Framework, Terms, agreement_state
from anze.screen.filters import Dates
from anze.underwriting.models import Policy
from tests.cast import NOW, XINGHUO, Cast, policy_row
from tests.prevention.conftest import papers
from tests.prevention.test_journey import plan

TODAY = beijing_day(NOW)
INSURER = platform(frozenset({"RUN_SERVICES", "SEE_SERVICES"}))
BOTH = frozenset({"PROPOSE_AGREEMENTS", "SIGN_AGREEMENTS"})


@pytest.fixture
def cast(cast: Cast) -> Cast:
    papers(cast)
    return cast


def of_insurer(insurer: Organisation) -> Actor:
    return Actor(name="示例经理", scope=Scope(reader="anze_all", insurer_id=insurer.pk), permissions=BOTH)


def of_agency(agency: Organisation) -> Actor:
    signs = frozenset({"SIGN_AGREEMENTS"})
    return Actor(name="示例机构负责人", scope=Scope(reader="anze_all", agency_id=agency.pk), permissions=signs)


def terms(first: int = 0, last: int = 364, **words: Any) -> Terms:
    given = {"prices": {"HAZARD": Decimal(1200), "TRAIN": Decimal(800)}, **words}
    return Terms(TODAY + timedelta(days=first), TODAY + timedelta(days=last), **given)


def proposed(cast: Cast, what: Terms | None = None, **words: Any) -> Agreement:
    words = {"insurer": cast.huaihai, "agency": cast.agency, **words}
    return propose_agreement(words["agency"], by=of_insurer(words["insurer"]), at=NOW, terms=what or terms())


def accepted(cast: Cast, what: Terms | None = None, **words: Any) -> Agreement:
    made = proposed(cast, what, **words)
    return accept_agreement(made, by=of_agency(words.get("agency", cast.agency)), at=NOW)


def price(cast: Cast, kind: str = "HAZARD", days: int = 0, **words: Any) -> Decimal | None:
    asked = {"sector": "SMELT", "region_code": "370102", **words}
    found = agreed_prices(
        cast.huaihai.pk, [cast.agency.pk, cast.other_agency.pk], kind, on=TODAY + timedelta(days=days), **asked
    )
    return found[cast.agency.pk].price if cast.agency.pk in found else None


def refusal(act: Any, *positional: Any, **words: Any) -> str:
    with pytest.raises(Refused) as found:
        act(*positional, **words)
    return found.value.code


def test_nothing_holds_before_the_agency_accepts(cast: Cast):
    made = proposed(cast)
    assert price(cast) is None
    assert refusal(accept_agreement, made, by=of_agency(cast.other_agency), at=NOW) == "not_a_side"
    assert refusal(accept_agreement, made, by=of_insurer(cast.huaihai), at=NOW) == "not_a_side"
    accept_agreement(made, by=of_agency(cast.agency), at=NOW)
    assert (price(cast), price(cast, "TRAIN"), price(cast, "DRILL")) == (1200, 800, None)
    assert refusal(decline_agreement, made, by=of_agency(cast.agency), at=NOW, reason="晚了") == "wrong_state"


def test_it_holds_from_its_first_to_its_last_day_in_its_sectors_and_cities(cast: Cast):
    accepted(cast, terms(10, 20, sectors=("SMELT",), regions=("370100",)))
    assert [price(cast, days=n) for n in (9, 10, 20, 21)] == [None, 1200, 1200, None]
    assert price(cast, days=10, sector="MINE") is None
    assert price(cast, days=10, region_code="370202") is None
    assert price(cast, days=10, region_code="3701Z1") == 1200  # a functional zone of the city


def test_two_prices_for_one_visit_are_refused(cast: Cast):
    accepted(cast, terms(0, 30, sectors=("SMELT",)))
    assert refusal(proposed, cast, terms(30, 60)) == "agreement_overlaps"
    proposed(cast, terms(31, 60))  # the day after
    accepted(cast, terms(0, 30, sectors=("MINE",)))  # other sectors
    accepted(cast, terms(0, 30, prices={"DRILL": Decimal(1)}))  # another service
    accepted(cast, terms(0, 30), agency=cast.other_agency)  # another agency
    accepted(cast, terms(0, 30), insurer=cast.bohai)  # another insurer


_days = st.integers(0, 40)
_some = st.sets(st.sampled_from(["SMELT", "MINE", "CONSTR"]))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(_days, _days, _days, _days, _some, _some, _some, _some)
def test_terms_that_do_not_meet_never_price_the_same_visit(a, b, c, d, one, two, kinds, others):
    def made(first: int, length: int, sectors: set[str], prices: set[str]) -> Terms:
        start = date(2026, 1, 1) + timedelta(days=first)
        return Terms(start, start + timedelta(days=length), dict.fromkeys(prices, Decimal(1)), tuple(sectors))

    left, right = made(a, b, one, kinds), made(c, d, two, others)
    twice = [
        (kind, sector, n)
        for kind in ("SMELT", "MINE", "CONSTR")
        for sector in ("SMELT", "MINE", "CONSTR", "FISHERY")
        for n in range(90)
        if all(
            Framework(None, "", None, each).price_of(kind, sector, "370102", date(2026, 1, 1) + timedelta(days=n))
            for each in (left, right)
        )
    ]
    assert left.meets(right) == right.meets(left) == bool(twice)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (terms(5, 4), "ends_before_start"),
        (terms(-10, -1), "agreement_over"),
        (terms(0, 1200), "agreement_too_long"),
        (terms(prices={}), "price_missing"),
    ],
)
def test_terms_that_cannot_be(cast: Cast, what: Terms, code: str):
    assert refusal(proposed, cast, what) == code


def test_a_suspended_agency_is_bound_by_nobody(cast: Cast):
    made = proposed(cast)
    Standing.objects.create(
        kind="SUSPENDED", organisation=cast.agency, from_on=TODAY, to_on=TODAY + timedelta(days=8), reason="示例原因",
        decided_by=cast.province,
    )  # fmt: skip
    assert refusal(accept_agreement, made, by=of_agency(cast.agency), at=NOW) == "not_in_good_standing"
    assert refusal(proposed, cast, terms(prices={"DRILL": Decimal(1)})) == "not_in_good_standing"


def test_either_side_ends_it_early_with_a_reason_and_never_backwards(cast: Cast):
    made = accepted(cast, terms(0, 100))
    by = of_agency(cast.agency)
    for days in (-1, 100, 101):
        until = TODAY + timedelta(days=days)
        assert refusal(end_agreement, made, by=by, at=NOW, until_on=until, reason="人手不足") == "end_out_of_period"
    assert refusal(end_agreement, made, by=by, at=NOW, until_on=TODAY, reason=" ") == "reason_missing"
    other = of_insurer(cast.bohai)
    assert refusal(end_agreement, made, by=other, at=NOW, until_on=TODAY, reason="人手不足") == "not_a_side"
    end_agreement(made, by=by, at=NOW, until_on=TODAY + timedelta(days=3), reason="人手不足")
    made.refresh_from_db()
    assert (made.state, made.reason) == ("ENDED", "人手不足")
    assert [price(cast, days=n) for n in (3, 4)] == [1200, None]
    accepted(cast, terms(4, 100))  # and another may follow


def test_a_proposal_is_declined_or_withdrawn_with_a_reason(cast: Cast):
    declined = decline_agreement(proposed(cast), by=of_agency(cast.agency), at=NOW, reason="价格过低")
    assert (declined.state, declined.reason) == ("DECLINED", "价格过低")
    again = proposed(cast)
    assert refusal(withdraw_agreement, again, by=of_insurer(cast.bohai), at=NOW, reason="改条件") == "not_a_side"
    assert withdraw_agreement(again, by=of_insurer(cast.huaihai), at=NOW, reason="改条件").state == "WITHDRAWN"
    assert price(cast) is None


def test_what_was_accepted_stands_by_the_day():
    day = date(2026, 6, 1)

    def on(n: int) -> str:
        return agreement_state("ACCEPTED", day, day + timedelta(days=10), day + timedelta(days=n))

    assert [on(n) for n in (-1, 0, 10, 11)] == ["TO_BEGIN", "ACCEPTED", "ACCEPTED", "RUN_OUT"]
    assert agreement_state("DECLINED", day, day, day + timedelta(days=99)) == "DECLINED"


@pytest.fixture
def insured_by_huaihai(cast: Cast) -> Cast:
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(cast.huaihai, "plans", plan("A1", "P1"))
    return cast


def test_an_order_without_a_price_takes_the_agreed_one(insured_by_huaihai: Cast):
    cast = insured_by_huaihai
    accepted(cast, terms(0, 10))
    policy = Policy.objects.get(policy_no="P1")
    words = {"service_type": "HAZARD", "form": "COMMISSIONED_TSP"}

    def draft(days: int, **more: Any) -> Any:
        return draft_order(policy, by=INSURER, at=NOW, planned_on=TODAY + timedelta(days=days), **words, **more)

    assert draft(10, agency=cast.agency).price == 1200
    assert draft(11, agency=cast.agency).price == 0  # nothing is agreed any more
    assert draft(10, agency=cast.agency, price=Decimal(900)).price == 900  # a price given stands
    later = draft(10)
    assert later.price == 0
    assert change_order(later, by=INSURER, at=NOW, agency=cast.agency).price == 1200
    later.refresh_from_db()
    assert later.price == 1200
    item = PlanItem.objects.first()
    day = max(TODAY, item.window_start_on)
    (bulk,) = draft_orders([(item, day)], by=INSURER, at=NOW, agency=cast.agency, price=None)
    assert bulk.price == (price(cast, bulk.service_type, days=(day - TODAY).days) or 0)


def test_both_sides_see_it_and_no_competitor(cast: Cast):
    made = accepted(cast)

    def seen(scope: Scope) -> bool:
        with inside(scope):
            return Agreement.objects.filter(pk=made.pk).exists() and made.prices.count() == 2

    insurer = {"region_from": "370000", "region_to": "37ZZZZ"}
    assert seen(Scope("anze_insurer", insurer_id=cast.huaihai.pk, **insurer))
    assert seen(Scope("anze_insurer", "370100", "3701ZZ", insurer_id=cast.huaihai.pk))  # a branch works by it
    assert seen(Scope("anze_agency", agency_id=cast.agency.pk))
    assert not seen(Scope("anze_insurer", insurer_id=cast.bohai.pk, **insurer))
    assert not seen(Scope("anze_agency", agency_id=cast.other_agency.pk))
    assert not seen(Scope("anze_region", **insurer))


@pytest.mark.parametrize("full", [True, False])
def test_the_alert_before_it_runs_out_is_gone_when_another_follows(cast: Cast, full: bool):
    made = accepted(cast, terms(0, 60))

    def told(days: int) -> list[str]:
        run(at=NOW + timedelta(days=days), full=full)
        return list(
            Alert.objects.filter(code="AGREEMENT_EXPIRING").exclude(state="CLOSED").values_list("label", flat=True)
        )

    assert told(14) == []
    assert told(15) == [made.agreement_no]
    alert = Alert.objects.get(code="AGREEMENT_EXPIRING")
    assert (alert.insurer_id, alert.agency_id, alert.due_on) == (cast.huaihai.pk, cast.agency.pk, made.until_on)
    accepted(cast, terms(61, 400))
    assert told(16) == []


def test_an_unanswered_proposal_is_told_to_the_agency(cast: Cast):
    made = proposed(cast)
    run(at=made.answer_due_at, full=True)
    (alert,) = Alert.objects.filter(code="ANSWER_AGREEMENT")
    assert (alert.label, alert.parties) == (made.agreement_no, ["AGENCY"])


def test_from_the_search_for_agencies_to_the_price_on_the_order(insured_by_huaihai: Cast, browser_of):
    """As people do it: the manager finds an agency and proposes, the agency accepts, an order takes the price."""
    cast = insured_by_huaihai
    manager, agency = browser_of(Role.INSURER_MANAGER), browser_of(Role.AGENCY)
    found = manager.get(reverse("service-partners"), {"kind": "agency", "sector": "SMELT"}).content.decode()
    form = f"{reverse('agreement-new')}?agency={cast.agency.pk}"
    assert form in found
    assert str(cast.agency) in manager.get(form).content.decode()
    given = {
        "agency": str(cast.agency.pk), "start_on": TODAY.isoformat(), "end_on": (TODAY + timedelta(days=90)).isoformat(),
        "sectors": ["SMELT"], "price_HAZARD": "1350.00", "words": "按次结算，报告三日内送达",
    }  # fmt: skip
    answer = manager.post(form, given)
    assert answer.status_code == 302, answer.content.decode()
    page = answer["Location"]
    assert manager.post(form, given).status_code == 422  # the same again would be two prices for one visit
    made = Agreement.objects.get()
    text = agency.get(page).content.decode()
    assert "1,350.00" in text
    assert made.agreement_no in agency.get(reverse("agreements"), {"stands": "open"}).content.decode()
    assert agency.post(reverse("agreement-accept", args=[made.pk])).status_code == 302
    assert (
        made.agreement_no
        in manager.get(reverse("service-partners"), {"kind": "agency", "sector": "SMELT"}).content.decode()
    )
    policy = Policy.objects.get(policy_no="P1")
    day = TODAY + timedelta(days=8)
    order = draft_order(
        policy, by=INSURER, at=NOW, planned_on=day, due_on=day, service_type="HAZARD", form="COMMISSIONED_TSP"
    )
    choosing = reverse("order-choose", args=[order.pk])
    assert "1,350.00" in manager.get(choosing).content.decode()
    assert manager.post(choosing, {"chosen": str(cast.agency.pk)}).status_code == 302
    order.refresh_from_db()
    assert order.price == 1350
    shown = manager.get(reverse("order", args=[order.pk])).content.decode()
    assert made.agreement_no in shown
    # whoever places orders reads it, and does not sign
    clerk = browser_of(Role.INSURER_CLERK)
    assert clerk.get(page).status_code == 200
    assert clerk.get(reverse("agreement-new")).status_code == 403
    assert browser_of(Role.COMMITTEE).get(page).status_code == 403
    assert browser_of(Role.ENTERPRISE).get(page).status_code == 403


def test_a_deadline_at_the_end_of_a_day_belongs_to_that_day(cast: Cast, browser_of):
    made = proposed(cast)
    last = beijing_day(made.answer_due_at) - timedelta(days=1)
    due = Dates("answer_due_at")

    def found(low: date | None, high: date | None) -> bool:
        return due.narrow(Agreement.objects.all(), (low, high), None).exists()

    day = timedelta(days=1)
    assert found(last, last)
    assert found(None, last)
    assert not found(last + day, None)
    assert not found(last + day, last + day)
    assert not found(None, last - day)
    page = browser_of(Role.AGENCY).get(reverse("agreement", args=[made.pk])).content.decode()
    assert f"{last} 24:00" in page


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(0, 100, 30), (0, 31, 30), (0, 30, 29), (0, 5, 4), (40, 90, 40)]
)
def test_the_day_offered_for_an_early_end_is_one_that_is_taken(cast: Cast, browser_of, first, last, expected):
    now = timezone.now()  # a page asks the clock
    today = beijing_day(now)
    what = Terms(today + timedelta(days=first), today + timedelta(days=last), {"HAZARD": Decimal(1200)})
    made = propose_agreement(cast.agency, by=of_insurer(cast.huaihai), at=now, terms=what)
    accept_agreement(made, by=of_agency(cast.agency), at=now)
    agency, page = browser_of(Role.AGENCY), reverse("agreement-end", args=[made.pk])
    day = (today + timedelta(days=expected)).isoformat()
    assert f'value="{day}"' in agency.get(page).content.decode()
    assert agency.post(page, {"until_on": day, "reason": "人手不足"}).status_code == 302


def test_an_agency_that_came_a_moment_ago_can_be_chosen(insured_by_huaihai: Cast, browser_of):
    manager = browser_of(Role.INSURER_MANAGER)
    manager.get(reverse("agreement-new"))  # the names are known to the process from now on
    new = Organisation.objects.create(code="TSP99", kind="AGENCY", name="新示例安全技术服务公司", region_id="370000")
    assert str(new) in manager.get(reverse("agreement-new")).content.decode()

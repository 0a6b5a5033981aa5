"""A claim's life on the platform: who may take which step, what it publishes, the clocks and the sums."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.claims.actions import Loss, decide_twin, send_notice, withdraw_notice
from anze.claims.actions.notices import claim_number
from anze.claims.models import Accident, Claim, ClaimCover, ClaimStep, ClaimTwin, Payment
from anze.claims.rules import (
    ADVANCE,
    ASSESS,
    CLAIM_ORDER,
    PAY,
    REFUSE,
    STEPS,
    ClaimParty,
    ClaimState,
    Clock,
    Cover,
    Doubt,
    Money,
    assess_from,
    clock_state,
    cover_doubts,
    steps_open,
    why_not,
    why_not_amount,
)
from anze.exchange.actions.claims import CLAIM_ACTIONS, Given, money_of, register_notice
from anze.exchange.models import Batch
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import widened
from anze.parties.rules import Role
from anze.underwriting.models import Policy
from tests.cast import NOW, XINGHUO, Cast, policy_row
from tests.claims.conftest import claim_row

DAY = timedelta(days=1)


def take(name: str, claim: Claim, by: Any, at: datetime = NOW, **words: Any) -> ClaimStep:
    """Take a step inside the reader's own rows."""
    if STEPS[name].kind not in ("REGISTERED", "CLOSED") and "words" not in words:
        words["words"] = "示例说明"
    with widened(by.scope):
        return CLAIM_ACTIONS[name](claim, by=by, at=at, given=Given(**words))


def test_a_claim_goes_its_way_and_every_step_is_published_and_told(claim, people):
    made = claim()
    insurer, enterprise = people["insurer"], people["enterprise"]
    take("register", made, insurer)
    take("survey", made, insurer, NOW + DAY, to_whom="示例查勘员")
    take("ask", made, insurer, NOW + DAY, words="病历、工资表")
    take("hand-in", made, enterprise, NOW + 2 * DAY)
    take("advance", made, insurer, NOW + 2 * DAY, amount=Decimal(50000))
    take("documents", made, insurer, NOW + 3 * DAY)
    take("assess", made, insurer, NOW + 4 * DAY, amount=Decimal(160000))
    take("object", made, enterprise, NOW + 4 * DAY)
    take("assess", made, insurer, NOW + 5 * DAY, amount=Decimal(170000))
    take("accept", made, enterprise, NOW + 5 * DAY)
    take("pay", made, insurer, NOW + 6 * DAY, amount=Decimal(100000))
    made.refresh_from_db()
    assert (made.state, made.paid_at, made.outstanding) == ("AGREED", None, Decimal(20000))
    take("pay", made, insurer, NOW + 7 * DAY, amount=Decimal(20000))
    take("close", made, insurer, NOW + 8 * DAY)
    made.refresh_from_db()
    assert (made.state, made.assessed, made.agreed, made.outstanding) == ("CLOSED", 170000, 170000, 0)
    assert [str(each) for each in made.payments.order_by("seq").values_list("amount", flat=True)] == [
        "50000.00", "100000.00", "20000.00",
    ]  # fmt: skip
    assert list(made.steps.order_by("at", "id").values_list("kind", "to_state", "party")) == [
        ("REGISTERED", "REGISTERED", "INSURER"),
        ("SURVEYED", "SURVEYED", "INSURER"),
        ("ASKED", "SURVEYED", "INSURER"),
        ("HANDED_IN", "SURVEYED", "ENTERPRISE"),
        ("ADVANCED", "SURVEYED", "INSURER"),
        ("DOCS_COMPLETE", "DOCS_COMPLETE", "INSURER"),
        ("ASSESSED", "ASSESSED", "INSURER"),
        ("DISPUTED", "ASSESSED", "ENTERPRISE"),
        ("ASSESSED", "ASSESSED", "INSURER"),
        ("AGREED", "AGREED", "ENTERPRISE"),
        ("PAID", "AGREED", "INSURER"),
        ("PAID", "PAID", "INSURER"),
        ("CLOSED", "CLOSED", "INSURER"),
    ]
    # ten of them changed the claim, each as a delivery of its own through the feed
    assert made.version == 12
    assert Batch.objects.filter(feed="claims", channel="WEB", updated=1).count() == 11


def test_a_claim_that_was_voided_takes_nothing_of_the_aggregate_limit(claim, cast):
    paid = {"state": "PAID", "registered_at": "2026-11-20T16:00:00+08:00", "assessed": "170000.00", "agreed": "170000.00",
            "docs_complete_at": "2026-11-21T16:00:00+08:00", "assessed_at": "2026-11-21T17:00:00+08:00",
            "agreed_at": "2026-11-21T18:00:00+08:00", "paid_at": "2026-11-22T10:00:00+08:00", "outstanding": "0.00",
            "payments": [{"kind": "SETTLEMENT", "amount": "170000.00", "paid_on": "2026-11-22"}]}  # fmt: skip
    other = claim(claim_no="L0", **paid)
    made = claim()
    Policy.objects.update(aggregate_limit=200000, limit_per_accident=200000)
    ClaimCover.objects.all().delete()
    assert money_of(made).limit == 30000
    cast.accepted(cast.huaihai, "claims", claim_row(claim_no="L0", **paid, is_void=True, void_reason="重复报案"))
    other.refresh_from_db()
    assert other.is_void
    assert money_of(made).limit == 200000


def test_missing_documents_are_asked_for_once(claim, people):
    made = claim(state="REGISTERED", registered_at="2026-11-20T16:00:00+08:00")
    take("ask", made, people["insurer"], words="病历")
    made.refresh_from_db()
    assert (made.docs_missing, made.assess_due_at) == ("病历", None)  # the thirty days stand still
    with pytest.raises(Refused, match="asked_once"):
        take("ask", made, people["insurer"], NOW + DAY)
    take("survey", made, people["insurer"], NOW + DAY)
    take("documents", made, people["insurer"], NOW + 10 * DAY)
    made.refresh_from_db()
    # notified on the 20th, asked on the 23rd, complete on 3 December: ten days are deducted
    assert beijing_day(made.assess_due_at - DAY / 2) == date(2026, 12, 30)


def test_a_rejection_has_its_ground_and_its_letter_in_three_days(claim, people):
    made = claim(state="REGISTERED", registered_at="2026-11-20T16:00:00+08:00")
    with pytest.raises(Refused, match="code_missing"):
        take("reject", made, people["insurer"])
    take("reject", made, people["insurer"], code="OUT_OF_TERM", words="事故不在保险期间内")
    made.refresh_from_db()
    assert (made.state, made.reject_code, made.outstanding) == ("REJECTED", "OUT_OF_TERM", 0)
    assert beijing_day(made.refusal_due_at - DAY / 2) == date(2026, 11, 26)
    take("letter", made, people["insurer"], NOW + DAY, number="拒〔2026〕1号", to_whom="示例负责人")
    with pytest.raises(Refused, match="done_already"):
        take("letter", made, people["insurer"], NOW + DAY, number="拒〔2026〕2号")


def test_only_whose_turn_it_is_takes_a_step(claim, people):
    made = claim(state="REGISTERED", registered_at="2026-11-20T16:00:00+08:00")
    with pytest.raises(Refused, match="not_permitted"):
        take("survey", made, people["enterprise"])
    with pytest.raises(Refused, match="not_permitted"):
        take("survey", made, people["city"])
    with pytest.raises(Refused, match="not_permitted"):
        take("hand-in", made, people["insurer"])


def test_somebody_who_decides_on_an_older_version_is_told(claim, people):
    made = claim(state="REGISTERED", registered_at="2026-11-20T16:00:00+08:00")
    seen = made.version
    take("survey", made, people["insurer"])
    with pytest.raises(Refused, match="moved_meanwhile"):
        take("documents", made, people["insurer"], version=seen)


def test_what_was_done_here_is_not_undone_by_the_insurers_system(claim, people, cast: Cast):
    made = claim()
    take("register", made, people["insurer"])
    for words in ({}, {"state": "REGISTERED"}):
        batch = cast.send(cast.huaihai, "claims", claim_row(**words))
        assert {each.code for each in batch.findings.all()} <= {"behind_platform", "state_without_moment"}
        assert batch.rejected == 1
    made.refresh_from_db()
    assert made.state == "REGISTERED"
    registered = made.registered_at.isoformat()
    cast.accepted(
        cast.huaihai,
        "claims",
        claim_row(state="SURVEYED", registered_at=registered, surveyed_at=(made.registered_at).isoformat()),
        at=NOW + DAY,
    )
    assert list(made.steps.order_by("at").values_list("kind", "party")) == [
        ("REGISTERED", "INSURER"), ("CORRECTED", "SYSTEM"),
    ]  # fmt: skip


def test_a_step_a_check_refuses_leaves_nothing_behind(claim, people):
    made = claim(state="REGISTERED", registered_at="2026-11-20T16:00:00+08:00")
    batches = Batch.objects.update(received_at=datetime(2026, 11, 20, 6, 0, tzinfo=UTC))  # nothing came after the step
    with pytest.raises(Refused) as refused, transaction.atomic():
        take("survey", made, people["insurer"], datetime(2026, 11, 20, 6, 59, tzinfo=UTC))  # before the notice
    assert refused.value.code == "step_out_of_order"
    made.refresh_from_db()
    assert (made.state, made.steps.count(), Batch.objects.count()) == ("REGISTERED", 0, batches)


def test_steps_cannot_be_changed(claim, people):
    made = claim()
    step = take("register", made, people["insurer"])
    with pytest.raises(DatabaseError), transaction.atomic():
        ClaimStep.objects.filter(pk=step.pk).update(words="另一说法")


# the notice of a loss -----------------------------------------------------------------------------------------


def a_loss(**words: Any) -> Loss:
    return Loss(
        **{
            "occurred_at": NOW - timedelta(hours=2), "place": "示例熔炼车间", "kind": "BURN", "description": "铁水飞溅",
            "contact": "示例安全员", "claimed": Decimal(90000), "serious_injuries": 1, **words,
        }
    )  # fmt: skip


def test_a_notice_becomes_accident_and_claim_through_the_feeds(claim, people, cast: Cast):
    claim()
    policy = Policy.objects.get()
    with widened(people["enterprise"].scope):
        notice = send_notice(policy, by=people["enterprise"], at=NOW, loss=a_loss(learned_at=NOW - timedelta(hours=1)))
    with widened(people["insurer"].scope):
        made = register_notice(notice, by=people["insurer"], at=NOW + DAY, claim_no=claim_number(notice))
    notice.refresh_from_db()
    assert (notice.state, notice.claim) == ("REGISTERED", made)
    assert (made.state, made.notified_at, made.registered_at, made.channel) == ("REGISTERED", NOW, NOW + DAY, "WEB")
    accident = Accident.objects.get(pk=made.accident_id)
    assert (accident.accident_class, accident.authority_due_at) == ("GENERAL", NOW)
    assert list(made.steps.order_by("at").values_list("kind", flat=True)) == ["NOTICED", "REGISTERED"]
    with pytest.raises(Refused, match="wrong_state"), widened(people["insurer"].scope):
        register_notice(notice, by=people["insurer"], at=NOW + DAY, claim_no="L9")


def test_a_notice_withdrawn_cannot_be_registered(claim, people):
    claim()
    with widened(people["enterprise"].scope):
        notice = send_notice(Policy.objects.get(), by=people["enterprise"], at=NOW, loss=a_loss())
        withdraw_notice(notice, by=people["enterprise"], at=NOW, reason="误报")
    with pytest.raises(Refused, match="wrong_state"), widened(people["insurer"].scope):
        register_notice(notice, by=people["insurer"], at=NOW, claim_no="L9")


def test_a_loss_to_come_is_refused(claim, people):
    claim()
    with pytest.raises(Refused, match="loss_in_future"):
        send_notice(Policy.objects.get(), by=people["enterprise"], at=NOW, loss=a_loss(occurred_at=NOW + DAY))


# the policy on the day of loss --------------------------------------------------------------------------------


def test_the_policy_is_kept_as_it_stood_on_the_day_of_loss(cast: Cast):
    """What the policy becomes later does not change what it was; one recorded after the loss is shown as first known."""
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    sent = {"notified_at": NOW.isoformat()}
    cast.accepted(cast.huaihai, "claims", claim_row(loss_on="2026-11-22", **sent))
    kept = ClaimCover.objects.get()
    assert (kept.content["insured_workers"], kept.is_later) == (100, True)
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO, insured_workers=60))
    cast.accepted(cast.huaihai, "claims", claim_row(loss_on="2026-11-23", **sent))
    kept.refresh_from_db()
    assert (kept.as_of_on, kept.content["insured_workers"], kept.is_later) == (date(2026, 11, 23), 100, False)
    assert Policy.objects.get().insured_workers == 60


COVER = Cover(
    date(2026, 3, 1), date(2027, 2, 28), date(2026, 2, 24), 80, 100, Decimal(500000), Decimal(1000000), Decimal(2000000)
)


def test_doubts_about_cover_have_their_reasons():
    def doubts(loss_on: date, claimed: int, *victims: tuple[str, str, int]) -> list[str]:
        lines = [(kind, degree, Decimal(amount)) for kind, degree, amount in victims]
        return [each.value for each, _values in cover_doubts(COVER, loss_on, Decimal(claimed), lines)]

    fine = date(2026, 7, 1)
    assert doubts(fine, 10, ("THIRD_PARTY", "MINOR", 10)) == []
    assert doubts(date(2026, 2, 20), 10) == ["NOT_IN_FORCE", "ISSUED_LATER"]
    assert doubts(date(2027, 3, 1), 10) == ["NOT_IN_FORCE"]
    assert doubts(fine, 600000, ("WORKER", "DEATH", 600000)) == ["OVER_PERSON", "PART_OF_WORKERS"]
    assert doubts(fine, 1000001) == ["OVER_ACCIDENT"]
    assert set(Doubt.values) >= {"MORE_THAN_INSURED"}


# claims that look alike ---------------------------------------------------------------------------------------


def twice(cast: Cast, **words: Any) -> None:
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(cast.bohai, "policies", policy_row("P2", XINGHUO))
    cast.accepted(cast.huaihai, "claims", claim_row())
    cast.accepted(cast.bohai, "claims", claim_row(claim_no="L2", policy_no="P2", **words))


def test_the_same_loss_at_two_insurers_is_found_and_explained(cast: Cast):
    twice(cast)
    twin = ClaimTwin.objects.get()
    assert twin.reasons == ["SAME_DAY", "SAME_VICTIMS", "SAME_AMOUNT"]
    assert {twin.insurer_id, twin.other_insurer_id} == {cast.huaihai.pk, cast.bohai.pk}
    cast.accepted(cast.bohai, "claims", claim_row(claim_no="L2", policy_no="P2", claimed="170000.00"))
    assert ClaimTwin.objects.count() == 1


@pytest.mark.parametrize(
    "words",
    [
        {"loss_on": "2026-11-18"},
        {"claimed": "4000.00", "victims": [{"kind": "THIRD_PARTY", "degree": "PROPERTY", "amount": "4000.00"}]},
    ],
)
def test_losses_of_other_days_or_other_people_are_no_twins(cast: Cast, words):
    twice(cast, **words)
    assert not ClaimTwin.objects.exists()


def test_two_claims_of_one_policy_are_no_twins(claim, cast: Cast):
    claim()
    claim(claim_no="L2")
    assert not ClaimTwin.objects.exists()


def test_a_person_decides_with_a_reason(cast: Cast, people):
    twice(cast)
    twin = ClaimTwin.objects.get()
    with pytest.raises(Refused, match="reason_missing"):
        decide_twin(twin, by=people["city"], at=NOW, is_same=True, words=" ")
    with widened(people["city"].scope):
        decide_twin(twin, by=people["city"], at=NOW, is_same=True, words="同一受伤工人")
    twin.refresh_from_db()
    assert (twin.state, twin.words) == ("SAME", "同一受伤工人")
    for insurer in ("insurer", "other_insurer"):
        with widened(people[insurer].scope):
            assert ClaimTwin.objects.count() == 1  # both know that there is one
            assert Claim.objects.count() == 1  # and only their own claim
        with pytest.raises(Refused, match="not_permitted"):
            decide_twin(twin, by=people[insurer], at=NOW, is_same=False, words="不是")


# rules --------------------------------------------------------------------------------------------------------

moments = st.integers(0, 266 * 24 * 60).map(
    lambda minutes: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_moments=st.lists(moments, min_size=5, max_size=5).map(sorted), asked=st.booleans(), complete=st.booleans())
def test_the_feed_counts_the_clocks_as_the_duties_do(claim, given_moments, asked, complete):
    """Both ways of computing a deadline, the feed's SQL and the duty, agree on any moments."""
    notified, asked_at, complete_at, agreed_at, _end = given_moments
    words: dict[str, Any] = {"notified_at": notified.isoformat(), "loss_on": str(beijing_day(notified))}
    if asked:
        words["docs_asked_at"] = asked_at.isoformat()
    if complete:
        words |= {"docs_complete_at": complete_at.isoformat(), "agreed_at": agreed_at.isoformat(), "state": "AGREED"}
    made = claim(**words)
    calendar = load_calendar()
    start = assess_from(
        beijing_day(notified), beijing_day(asked_at) if asked else None, beijing_day(complete_at) if complete else None
    )
    assert made.assess_due_at == (ASSESS.due_at(start, calendar=calendar) if start else None)
    assert made.advance_due_at == (ADVANCE.due_at(beijing_day(complete_at), calendar=calendar) if complete else None)
    assert made.pay_due_at == (PAY.due_at(beijing_day(agreed_at), calendar=calendar) if complete else None)
    assert REFUSE.unit == "DAYS"


amounts = st.decimals(min_value=0, max_value=1_000_000, places=2)


@given(
    claimed=amounts, limit=amounts,
    tries=st.lists(st.tuples(st.sampled_from(["assess", "agree", "advance", "pay"]), amounts), max_size=30),
)  # fmt: skip
def test_never_more_is_paid_than_agreed_assessed_claimed_or_insured(claimed, limit, tries):
    """Whatever is tried in whatever order, the sums stay within one another."""
    money = Money(claimed=claimed, limit=limit)
    for name, amount in tries:
        if why_not_amount(STEPS[name], amount, money) is not None:
            continue
        if name == "assess" and money.agreed is None:
            money = Money(claimed, limit, assessed=amount, paid=money.paid)
        elif name == "agree" and money.assessed is not None and money.agreed is None:
            money = Money(claimed, limit, money.assessed, amount, money.paid)
        elif (name == "advance" and money.agreed is None) or (name == "pay" and money.agreed is not None):
            money = Money(claimed, limit, money.assessed, money.agreed, money.paid + amount)
        assert money.paid <= min(each for each in (claimed, limit, money.assessed, money.agreed) if each is not None)
        assert money.agreed is None or money.agreed <= money.assessed


class Facts:
    def __init__(self, state: str) -> None:
        self.state, self.is_void, self.docs_asked_at, self.refusal_sent_at = state, False, None, None


@given(party=st.sampled_from(ClaimParty), data=st.data())
def test_no_step_leads_backwards_and_an_end_is_an_end(party, data):
    claim = Facts("NOTIFIED")
    for _turn in range(20):
        ways = [step for step in steps_open(claim, party) if why_not(step, claim, party) is None]
        if not ways:
            break
        step = data.draw(st.sampled_from(ways))
        if step.target is not None:
            assert CLAIM_ORDER[step.target] >= CLAIM_ORDER[ClaimState(claim.state)]
            claim.state = step.target.value
        if step.moment == "docs_asked_at":
            claim.docs_asked_at = NOW
        if step.moment == "refusal_sent_at":
            claim.refusal_sent_at = NOW


@given(due=moments, done=st.none() | moments, now=moments, ended=st.booleans())
def test_a_clock_is_kept_or_missed_when_done_and_late_only_when_open(due, done, now, ended):
    state = clock_state(due, done, ended, now, 3)
    if done is not None:
        assert state is (Clock.KEPT if done <= due else Clock.MISSED)
    elif ended:
        assert state is Clock.OVER
    else:
        assert (state is Clock.LATE) == (now >= due)


def test_a_part_payment_cannot_go_beyond_the_agreement(claim, people):
    made = claim(
        state="AGREED", registered_at="2026-11-20T16:00:00+08:00", docs_complete_at="2026-11-21T09:00:00+08:00",
        assessed_at="2026-11-21T10:00:00+08:00", agreed_at="2026-11-21T11:00:00+08:00", assessed="100000.00",
        agreed="90000.00",
    )  # fmt: skip
    with pytest.raises(Refused, match="amount_too_large"):
        take("pay", made, people["insurer"], amount=Decimal("90000.01"))
    take("pay", made, people["insurer"], amount=Decimal(60000))
    with pytest.raises(Refused, match="amount_too_large"):
        take("pay", made, people["insurer"], amount=Decimal("30000.01"))
    assert Payment.objects.filter(claim=made).count() == 1


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("zh-hans", ("保险期间", "投保人数", "每人责任限额（元）", "累计责任限额（元）", "扣除追偿后净赔款（元）")),
        ("en", ("Days of cover", "Insured workers", "Limit per person (yuan)", "Aggregate limit (yuan)",
                "Paid, less recovered (yuan)")),
    ],
)  # fmt: skip
def test_the_claim_and_its_cover_are_named_as_everywhere_with_their_unit(cast, claim, browser_of, language, names):
    browser = browser_of(Role.INSURER_CLERK)
    browser.cookies["language"] = language
    page = browser.get(reverse("claim", args=[claim().pk])).content.decode()
    for name in names:
        assert name in page, name

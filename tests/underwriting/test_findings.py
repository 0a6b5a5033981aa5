"""What is found wrong with cover: by the rule of the coverage figures, once a cause, gone with its cause."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.kernel.actor import Actor
from anze.kernel.duty import BEIJING
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, Scope
from anze.parties.rules import Permission, Role
from anze.underwriting.actions import (
    answer_finding,
    close_finding,
    look_for_findings,
    remind_findings,
)
from anze.underwriting.models import Finding, FindingNote, Obligation, RegisterDispute, Substitute
from tests.cast import NOW, XINGHUO, YUANFAN
from tests.monitoring.counting import count, figure
from tests.monitoring.deliveries import VOID, endorsement, obligation, policy
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]

CITY = Actor(name="示例科员", scope=EVERYTHING, permissions=frozenset({Permission.KEEP_REGISTER}))
ANSWER = frozenset({Permission.ANSWER_COVER})


def at(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), BEIJING) + timedelta(hours=10)


def holder(cast) -> Actor:
    return Actor(
        name="示例负责人", permissions=ANSWER,
        scope=Scope(reader="anze_enterprise", enterprise_id=cast.xinghuo.pk),
    )  # fmt: skip


def found(on: str = "2026-11-23") -> list[tuple[str, str]]:
    """Kind and enterprise of everything open after a look on a day."""
    look_for_findings(at=at(on))
    rows = Finding.objects.exclude(state="CLOSED").order_by("kind", "enterprise_id")
    return [(each.kind, each.enterprise.uscc) for each in rows]


def test_not_insured_since_the_day_it_came_on_the_register(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy())
    assert found() == [("UNINSURED", YUANFAN)]
    only = Finding.objects.get()
    assert (only.since_on, only.measured, only.insurer_id) == (date(2026, 1, 5), 100, None)
    assert only.region_code == "370202"


def test_after_expiry_the_last_insurer_is_asked_too(cast):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy())
    assert found("2027-02-28") == []
    assert found("2027-03-01") == [("UNINSURED", XINGHUO)]
    only = Finding.objects.get()
    assert only.since_on == date(2027, 3, 1)
    assert only.insurer_id == cast.huaihai.pk


def test_it_closes_itself_when_the_cause_is_gone_and_opens_anew_for_another(cast):
    cast.accepted(cast.province, "obligations", obligation())
    assert found("2026-02-01") == [("UNINSURED", XINGHUO)]
    cast.accepted(cast.huaihai, "policies", policy())
    assert found("2026-03-01") == []
    first = Finding.objects.get()
    assert (first.state, first.closing) == ("CLOSED", "GONE")
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "CANCEL", "2026-06-01"))
    assert found("2026-06-01") == [("UNINSURED", XINGHUO)]
    assert Finding.objects.count() == 2


def test_partial_headcount_and_low_limit_name_both_numbers(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", registered_workers=40))
    cast.accepted(cast.huaihai, "policies", policy(insured_workers=80))
    cast.accepted(cast.bohai, "policies", policy("P2", YUANFAN, insured_workers=40, limit_per_person="399999.99"))
    assert found("2026-05-01") == [("PARTIAL_HEADCOUNT", XINGHUO), ("UNDER_LIMIT", YUANFAN)]
    partial, under = Finding.objects.order_by("kind")
    assert (partial.measured, partial.required, partial.insurer_id) == (80, 100, cast.huaihai.pk)
    assert (str(under.measured), under.required) == ("399999.990000", 400000)
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "HEADCOUNT", "2026-06-01", "100"))
    assert found("2026-05-31")[0] == ("PARTIAL_HEADCOUNT", XINGHUO)
    assert found("2026-06-01") == [("UNDER_LIMIT", YUANFAN)]


def test_a_price_far_below_the_benchmark(cast):
    """Smelting, as large as the example: 0.025 % × size of a year's limit; 70 % of it is the line."""
    cast.xinghuo.refresh_from_db()
    scale = {"LARGE": 28, "MEDIUM": 45, "SMALL": 72, "MICRO": 105}[cast.xinghuo.size]
    # 100 workers, 500,000 each, 365 days
    benchmark = 100 * 500_000 * 250 * scale // 100 / 1_000_000
    enough, cheap = f"{benchmark * 0.7:.2f}", f"{benchmark * 0.7 - 0.01:.2f}"
    cast.accepted(cast.huaihai, "policies", policy(premium_written=enough))
    assert found() == []
    cast.accepted(cast.huaihai, "policies", policy(premium_written=cheap))
    assert found() == [("LOW_PRICE", XINGHUO)]
    # a share of a co-insured premium says nothing
    shares = [{"insurer_code": code, "share": "0.5", "is_lead": code == "INS01"} for code in ("INS01", "INS02")]
    cast.accepted(cast.huaihai, "policies", policy(premium_written=cheap, nature="COINSURANCE", coinsurers=shares))
    assert found() == []


def test_a_gap_between_expiry_and_renewal_is_on_the_list_for_a_time(cast):
    cast.accepted(cast.province, "obligations", obligation(listed_on="2025-01-01"))
    before = policy("P0", start_on="2025-02-01", end_on="2026-01-31", applied_on="2025-01-20", issued_on="2025-01-20")
    cast.accepted(cast.huaihai, "policies", before)
    assert found("2026-02-10") == [("UNINSURED", XINGHUO)]
    cast.accepted(cast.bohai, "policies", policy())
    assert found("2026-03-01") == [("GAP", XINGHUO)]
    gap = Finding.objects.exclude(state="CLOSED").get()
    assert (gap.measured, gap.since_on, gap.insurer_id) == (28, date(2026, 2, 1), cast.bohai.pk)
    assert found("2026-08-27") == [("GAP", XINGHUO)]
    assert found("2026-08-28") == []  # 180 days later
    cast.accepted(cast.huaihai, "policies", {**before, "end_on": "2026-02-28", "start_on": "2025-03-01"})
    assert found("2026-03-02") == []


def test_first_cover_after_listing_is_no_gap(cast):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy())
    assert found("2026-03-02") == []


def test_insurance_of_another_kind_under_a_policy_number_of_ours(cast):
    cast.accepted(cast.huaihai, "policies", policy(product_name="雇主责任险"))
    assert found() == [("SUBSTITUTE", XINGHUO)]
    cast.accepted(cast.huaihai, "policies", policy(product_name="安全生产责任保险（2025版）"))
    assert found() == []


def test_suspended_units_are_not_held_to_it(cast):
    cast.accepted(cast.province, "obligations", obligation())
    Obligation.objects.update(suspended_from_on="2026-02-01", suspended_to_on="2026-02-28")
    assert found("2026-01-31") == [("UNINSURED", XINGHUO)]
    assert found("2026-02-01") == found("2026-02-28") == []
    assert found("2026-03-01") == [("UNINSURED", XINGHUO)]


def test_looking_at_one_enterprise_leaves_the_others_alone(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    look_for_findings(at=NOW, enterprises=[cast.xinghuo.pk])
    assert [each.enterprise_id for each in Finding.objects.all()] == [cast.xinghuo.pk]
    assert len(found()) == 2
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(cast.bohai, "policies", policy("P2", YUANFAN))
    look_for_findings(at=NOW, enterprises=[cast.xinghuo.pk])
    assert [each.enterprise_id for each in Finding.objects.exclude(state="CLOSED")] == [cast.yuanfan.pk]


def test_looking_twice_changes_nothing(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    first = look_for_findings(at=NOW)
    again = look_for_findings(at=NOW)
    assert (first.opened, first.changed, first.closed) == (2, 0, 0)
    assert (again.opened, again.changed, again.closed) == (0, 0, 0)


# handling -------------------------------------------------------------------------------------------------------


@pytest.fixture
def uninsured(cast) -> Finding:
    cast.accepted(cast.province, "obligations", obligation())
    look_for_findings(at=NOW)
    return Finding.objects.get()


def test_a_reminder_starts_the_clock_of_the_answer(cast, uninsured):
    assert remind_findings(Finding.objects.all(), by=CITY, at=NOW, words="请尽快投保") == 1
    uninsured.refresh_from_db()
    assert (uninsured.state, uninsured.reminders) == ("REMINDED", 1)
    # Monday 23 November and five working days: the end of Monday 30
    assert uninsured.reply_due_at == datetime(2026, 12, 1, tzinfo=BEIJING)
    assert FindingNote.objects.get().words == "请尽快投保"
    with pytest.raises(Refused, match="nothing_open"):
        remind_findings(Finding.objects.none(), by=CITY, at=NOW)


def test_asking_again_does_not_put_off_a_deadline_that_runs(cast, uninsured):
    due = datetime(2026, 12, 1, tzinfo=BEIJING)
    for moment, expected in ((NOW, due), (NOW + timedelta(days=3), due), (due, datetime(2026, 12, 9, tzinfo=BEIJING))):
        remind_findings(Finding.objects.all(), by=CITY, at=moment)
        uninsured.refresh_from_db()
        assert uninsured.reply_due_at == expected
    assert uninsured.reminders == 3


def test_all_of_a_list_leaves_out_who_has_answered_or_has_time_and_says_so(cast, browser_of):
    """An answer that waits to be looked at would else be overwritten by the next reminder of everybody."""
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy(insured_workers=80, limit_per_person="399999.99"))
    look_for_findings(at=NOW)
    remind_findings(Finding.objects.filter(kind="UNDER_LIMIT"), by=CITY, at=NOW)
    answered = Finding.objects.get(kind="UNDER_LIMIT")
    answer_finding(answered, by=holder(cast), at=NOW, answer="WILL_DO", words="下周补足", on=date(2026, 12, 1))
    city, address = browser_of(Role.CITY_REGULATOR), reverse("cover-findings-remind")
    page = city.get(address).content.decode()
    assert "将向 1 条问题" in page
    assert "另有 1 条不催办" in page
    assert " 24:00" in page  # the day by which the answer is due
    assert city.post(address, {"words": ""}).status_code == 302
    assert dict(Finding.objects.values_list("kind", "state")) == {
        "PARTIAL_HEADCOUNT": "REMINDED", "UNDER_LIMIT": "REPLIED",
    }  # fmt: skip
    again = city.get(address).content.decode()
    assert "没有需要催办的问题" in again
    assert "另有 2 条不催办" in again
    assert "发送提醒" not in again


def test_an_answer_needs_its_day_and_is_told_by_whom(cast, uninsured):
    with pytest.raises(Refused, match="day_missing"):
        answer_finding(uninsured, by=holder(cast), at=NOW, answer="WILL_DO", words="下周投保")
    answer_finding(uninsured, by=holder(cast), at=NOW, answer="WILL_DO", words="下周投保", on=date(2026, 12, 1))
    uninsured.refresh_from_db()
    assert (uninsured.state, uninsured.promised_on) == ("REPLIED", date(2026, 12, 1))
    assert FindingNote.objects.get().side == "ENTERPRISE"


def test_who_says_it_is_suspended_disputes_the_register(cast, uninsured):
    answer_finding(uninsured, by=holder(cast), at=NOW, answer="SUSPENDED", words="停产", on=date(2026, 10, 1))
    dispute = RegisterDispute.objects.get()
    assert (dispute.ground, dispute.from_on, dispute.state) == ("SUSPENDED", date(2026, 10, 1), "OPEN")
    assert dispute.obligation.state == "DISPUTED"


def test_other_insurance_is_noted_and_looked_at(cast, uninsured):
    other = {"kind": "EMPLOYER", "insurer_name": "示例财险", "policy_no": "GZ1", "start_on": date(2026, 1, 1),
             "end_on": date(2026, 12, 31)}  # fmt: skip
    answer_finding(uninsured, by=holder(cast), at=NOW, answer="OTHER_POLICY", words="已投雇主险", other=other)
    assert Substitute.objects.get().kind == "EMPLOYER"
    assert found() == [("SUBSTITUTE", XINGHUO), ("UNINSURED", XINGHUO)]
    cast.accepted(cast.huaihai, "policies", policy())
    assert found() == []


def test_what_a_person_closed_stays_closed_for_the_same_cause_only(cast, uninsured):
    with pytest.raises(Refused, match="not_for_people"):
        close_finding(uninsured, by=CITY, at=NOW, closing="GONE", words="x")
    close_finding(uninsured, by=CITY, at=NOW, closing="PURSUED", words="移交执法")
    assert found() == []
    cast.accepted(cast.huaihai, "policies", policy())
    assert found("2026-03-01") == []
    assert found("2027-03-01") == [("UNINSURED", XINGHUO)]


def test_only_the_authority_reminds_and_closes(cast, uninsured):
    for act in (
        lambda: remind_findings(Finding.objects.all(), by=holder(cast), at=NOW),
        lambda: close_finding(uninsured, by=holder(cast), at=NOW, closing="MISTAKEN", words="x"),
        lambda: answer_finding(uninsured, by=CITY, at=NOW, answer="DONE", words="x"),
    ):
        with pytest.raises(Refused, match="not_permitted"):
            act()


# one rule with the figures ------------------------------------------------------------------------------------------

DAYS = st.dates(date(2025, 6, 1), date(2027, 6, 1)).map(date.isoformat)


def _span(start: str, days: int) -> dict[str, str]:
    first = date.fromisoformat(start)
    return {
        "start_on": start, "end_on": (first + timedelta(days=days)).isoformat(), "applied_on": "2025-05-01",
        "issued_on": "2025-05-02",
    }  # fmt: skip


POLICIES = st.lists(
    st.tuples(
        st.sampled_from((XINGHUO, YUANFAN)), DAYS, st.integers(20, 365), st.sampled_from((30, 40, 100, 120)),
        st.sampled_from(("300000.00", "400000.00", "500000.00")), st.booleans(),
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policies=POLICIES, on=DAYS, suspended=st.none() | DAYS)
def test_findings_and_figures_always_agree(cast, policies, on, suspended):
    from django.db import transaction

    class Done(Exception):
        pass

    try:
        with transaction.atomic():
            cast.accepted(
                cast.province, "obligations", obligation(listed_on="2025-06-01"),
                obligation(YUANFAN, "FISHERY", listed_on="2025-06-01", registered_workers=40),
            )  # fmt: skip
            for n, (uscc, start, days, workers, limit, is_void) in enumerate(policies):
                row = policy(f"P{n}", uscc, insured_workers=workers, limit_per_person=limit, **_span(start, days))
                cast.accepted(cast.huaihai, "policies", {**row, **(VOID if is_void else {})})
            if suspended:
                Obligation.objects.filter(sector="SMELT").update(suspended_from_on=suspended)
            look_for_findings(at=at(on))
            kinds = list(Finding.objects.exclude(state="CLOSED").values_list("kind", flat=True))
            count(on)
            span = f"2025-01 {on[:7]}"
            insured, obliged = figure("coverage_rate", months=span)
            partial, _of = figure("partial_headcount_share", months=span)
            under, _of = figure("under_limit_share", months=span)
            assert kinds.count("UNINSURED") == obliged - insured
            assert kinds.count("PARTIAL_HEADCOUNT") == partial
            assert kinds.count("UNDER_LIMIT") == under
            raise Done
    except Done:
        pass


def test_a_city_reminds_all_its_list_shows_at_once_and_each_answers(cast, browser_of):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy(insured_workers=80, limit_per_person="399999.99"))
    assert found() == [("PARTIAL_HEADCOUNT", XINGHUO), ("UNDER_LIMIT", XINGHUO), ("UNINSURED", YUANFAN)]
    city, page = browser_of(Role.CITY_REGULATOR), reverse("cover-findings-remind")
    # only what its filters show, and of its own city at most
    assert city.post(f"{page}?kind=UNDER_LIMIT", {"words": "请五日内补足"}).status_code == 302
    assert [each.kind for each in Finding.objects.filter(reminders=1)] == ["UNDER_LIMIT"]
    assert city.post(page, {"words": "请五日内补足"}).status_code == 302
    assert dict(Finding.objects.values_list("kind", "reminders")) == {
        "PARTIAL_HEADCOUNT": 1, "UNDER_LIMIT": 1, "UNINSURED": 0,  # the deadline of the first reminder still runs
    }  # fmt: skip
    enterprise = browser_of(Role.ENTERPRISE)
    one = Finding.objects.get(kind="UNDER_LIMIT")
    words = {"answer": "WILL_DO", "words": "已联系保险机构", "on": "2026-12-01"}
    assert enterprise.post(reverse("cover-finding-answer", args=[one.pk]), words).status_code == 302
    assert "已联系保险机构" in city.get(reverse("cover-finding", args=[one.pk])).content.decode()
    assert browser_of(Role.ENTERPRISE, other=True).get(reverse("cover-finding", args=[one.pk])).status_code == 404


def test_a_finding_nobody_has_seen_to_is_no_quote(cast, browser_of):
    """Two words that are one in English are two in Chinese."""
    cast.accepted(cast.province, "obligations", obligation())
    found()
    finding = Finding.objects.get()
    page = browser_of(Role.PROVINCE_REGULATOR).get(reverse("cover-finding", args=[finding.pk])).content.decode()
    assert "待处理" in page
    assert "询价中" not in page

"""What the enterprise says of a service: by link and signed in, once, in private, and not to be taken away."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.actor import Actor
from anze.kernel.guessing import MOST
from anze.kernel.models import Change, Event
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, Scope, widened
from anze.parties.rules import Permission, Role
from anze.prevention.actions.confirmations import (
    Call,
    Said,
    answer_dispute,
    answer_service,
    close_dispute,
    holder_of,
    link_of,
    make_link,
    record_call,
)
from anze.prevention.models import Confirmation, ConfirmationLink, Dispute, Rating, Service
from anze.prevention.rules.confirmations import Answer, DisputeState, quarter_of, shown_mean
from anze.prevention.screens.confirmations import rating_means
from tests.cast import NOW
from tests.prevention.reports.conftest import service_row
from tests.web.conftest import Browser

YES = Said(Answer.YES, "示例负责人")
NOBODY = Said(Answer.NOBODY, "示例负责人", "当天没有人来过")


def insurer(cast, code="huaihai"):
    return Actor(
        name="示例理赔员",
        scope=Scope(reader="anze_insurer", region_from="370000", region_to="37ZZZZ", insurer_id=getattr(cast, code).pk),
        permissions=frozenset({Permission.ISSUE_REPORTS}),
        address="10.0.0.7",
    )


def enterprise(cast):
    return Actor(
        name="示例负责人",
        scope=Scope(reader="anze_enterprise", enterprise_id=cast.xinghuo.pk),
        permissions=frozenset({Permission.CONFIRM_SERVICES}),
    )


def regulator():
    return Actor(name="示例监管员", scope=EVERYTHING, permissions=frozenset({Permission.SETTLE_DISPUTES}))


# the link ---------------------------------------------------------------------------------------------------


def test_a_link_opens_without_signing_in_serves_one_answer_and_confirms(cast, service):
    _link, token = make_link(service, by=insurer(cast), at=NOW)
    phone = Browser()
    there = reverse("confirmation", args=[token])
    page = phone.get(there).content.decode()
    assert "示例专家甲" in page
    assert "星火示例铸造有限公司" in page
    answered = phone.post(there, {"answer": "YES", "name": "示例车间主任", "stars": "4", "comment": "讲得清楚"})
    assert answered.status_code == 302
    service.refresh_from_db()
    assert (service.confirmation, service.confirmed_by) == ("ONLINE", "示例车间主任")
    assert "示例车间主任" in phone.get(there).content.decode()
    again = phone.post(there, {"answer": "NOBODY", "name": "别人"}).content.decode()
    assert Confirmation.objects.get().answer == "YES", again
    assert Rating.objects.get().stars == 4


def test_the_secret_of_a_link_is_kept_as_a_hash_only(cast, service):
    link, token = make_link(service, by=insurer(cast), at=NOW)
    kept = json.dumps([*ConfirmationLink.objects.values_list("token_hash"), *Event.objects.values_list("details")])
    assert token not in kept
    assert link_of(token, NOW) == link


def test_a_link_ends_and_another_link_does_not_open_it(cast, service):
    link, token = make_link(service, by=insurer(cast), at=NOW)
    assert link_of(token, link.expires_at - timedelta(seconds=1)) is not None
    assert link_of(token, link.expires_at) is None
    assert link_of(token[:-1] + ("A" if token[-1] != "A" else "B"), NOW) is None
    with pytest.raises(Refused, match="link_used"):
        answer_service(
            service, by=holder_of(link, "x", ""), at=link.expires_at + timedelta(days=1), said=YES, link=link
        )


def test_a_link_of_one_service_does_not_answer_for_another_enterprise(cast, service, foreign):
    link, _token = make_link(service, by=insurer(cast), at=NOW)
    with pytest.raises(Refused, match="not_your_service"):
        answer_service(foreign, by=holder_of(link, "x", ""), at=NOW, said=YES, link=link)


def test_who_guesses_links_is_kept_waiting(cast, service):
    guesser = Browser()
    for n in range(MOST):
        assert guesser.get(reverse("confirmation", args=[f"guess-{n}"])).status_code == 404
    assert guesser.get(reverse("confirmation", args=["guess-again"])).status_code == 429


def test_a_link_used_where_it_was_made_is_marked_for_a_call(cast, service):
    link, _token = make_link(service, by=insurer(cast), at=NOW)
    assert answer_service(service, by=holder_of(link, "x", "10.0.0.7"), at=NOW, said=YES, link=link).is_same_network
    link, _token = make_link(foreign_of(cast), by=insurer(cast, "bohai"), at=NOW)
    assert not answer_service(
        link.service, by=holder_of(link, "x", "10.9.9.9"), at=NOW, said=YES, link=link
    ).is_same_network


def foreign_of(cast):
    row = service_row("S-9", policy_no="P-2", agency_code="AGY02")
    cast.accepted(cast.bohai, "services", row | {"persons": [{"kind": "INSURER_STAFF", "name": "示例员工丁"}]})
    return Service.objects.get(service_no="S-9")


# what it brings about -----------------------------------------------------------------------------------------


def test_a_correction_silent_about_it_does_not_take_the_enterprises_word_away(cast, service):
    answer_service(service, by=enterprise(cast), at=NOW, said=YES)
    cast.accepted(cast.huaihai, "services", service_row(attendees=9))
    service.refresh_from_db()
    assert (service.attendees, service.confirmation, service.confirmed_by) == (9, "ONLINE", "示例负责人")


@pytest.mark.parametrize(
    "change",
    [
        {"service_type": "DRILL"},
        {"started_at": "2026-05-13T09:00:00+08:00", "ended_at": "2026-05-13T16:30:00+08:00"},
    ],
)
def test_the_word_does_not_stand_for_another_day_or_another_kind_of_service(cast, service, change):
    answer_service(service, by=enterprise(cast), at=NOW, said=YES)
    cast.accepted(cast.huaihai, "services", service_row(**change))
    service.refresh_from_db()
    assert service.confirmation == "NONE"
    answer_service(service, by=enterprise(cast), at=NOW, said=YES)
    service.refresh_from_db()
    assert service.confirmation == "ONLINE"


def test_a_call_recorded_here_stays_when_a_correction_is_silent_about_it(cast, service):
    record_call(service, by=insurer(cast), at=NOW, call=Call(date(2026, 5, 20), True, "示例负责人", 4, "满意"))
    cast.accepted(cast.huaihai, "services", service_row(attendees=9))
    service.refresh_from_db()
    assert (service.followed_up_on, service.satisfaction, service.opinion) == (date(2026, 5, 20), 4, "满意")


def test_nobody_came_opens_a_dispute_that_the_insurer_answers_and_the_regulator_closes(cast, service):
    answer_service(service, by=enterprise(cast), at=NOW, said=NOBODY)
    dispute = Dispute.objects.get()
    assert dispute.answer_due_at.date() == date(2026, 12, 7)  # ten working days after 23 November, 24:00 in Beijing
    with pytest.raises(Refused, match="dispute_open"):
        answer_service(service, by=enterprise(cast), at=NOW, said=YES)
    answer_dispute(dispute, by=insurer(cast), at=NOW, answer="专家当日因暴雨改期，记录有误")
    with pytest.raises(Refused, match="reason_missing"):
        close_dispute(dispute, by=regulator(), at=NOW, finding="NOT_HAPPENED", reason=" ")
    close_dispute(dispute, by=regulator(), at=NOW, finding="NOT_HAPPENED", reason="门卫登记无来访")
    service.refresh_from_db()
    assert dispute.state == DisputeState.CLOSED
    assert service.is_returned
    assert service.confirmation == "NONE"


def test_neither_the_insurer_closes_nor_another_insurer_answers(cast, service, browser_of):
    answer_service(service, by=enterprise(cast), at=NOW, said=NOBODY)
    dispute = Dispute.objects.get()
    words = {"finding": "HAPPENED", "reason": "x"}
    assert browser_of(Role.INSURER_MANAGER).post(reverse("dispute-close", args=[dispute.pk]), words).status_code == 403
    other = browser_of(Role.INSURER_MANAGER, other=True)
    assert other.post(reverse("dispute-answer", args=[dispute.pk]), {"answer": "x"}).status_code == 404
    agency = browser_of(Role.AGENCY)
    assert agency.post(reverse("dispute-answer", args=[dispute.pk]), {"answer": "x"}).status_code == 403
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.OPEN


# ratings are private ------------------------------------------------------------------------------------------


def rate(cast, service, stars, day=NOW, comment="走马观花"):
    Confirmation.objects.filter(service=service).delete()
    answer_service(service, by=enterprise(cast), at=day, said=Said(Answer.YES, "示例负责人", "", stars, comment))


def several(cast, count):
    cast.accepted(cast.huaihai, "services", *[service_row(f"R-{n}") for n in range(count)])
    return list(Service.objects.filter(service_no__startswith="R-").order_by("service_no"))


@pytest.mark.parametrize("role", [Role.INSURER_MANAGER, Role.INSURER_BRANCH_CLERK, Role.AGENCY, Role.EXPERT])
def test_the_rated_find_neither_stars_nor_comment_on_any_page(cast, service, browser_of, role):
    rate(cast, service, 1, comment="走马观花77")
    browser = browser_of(role)
    pages = [
        reverse("service", args=[service.pk]),
        *(f"{reverse('service', args=[service.pk])}?tab={tab}" for tab in ("confirmations", "history", "calls")),
        reverse("confirmations"),
        reverse("ratings"),
    ]
    for page in pages:
        assert "走马观花77" not in browser.get(page).content.decode(), page
    assert browser.get(reverse("ratings")).status_code == 403


def test_the_database_hides_single_ratings_from_the_rated_and_leaves_no_history(cast, service):
    rate(cast, service, 2)
    assert not Change.objects.filter(table_name="prevention_rating").exists()
    assert "走马观花" not in json.dumps(list(Event.objects.values("details", "label")), ensure_ascii=False)
    for scope in (
        insurer(cast).scope,
        Scope(reader="anze_agency", agency_id=cast.agency.pk),
        Scope(reader="anze_expert", expert_id=cast.expert.pk),
    ):
        with widened(scope):
            assert not Rating.objects.exists() if scope.reader != "anze_expert" else True


def test_regulators_and_the_committee_read_single_ratings(cast, service, browser_of):
    rate(cast, service, 2, comment="走马观花77")
    for role in (Role.CITY_REGULATOR, Role.COMMITTEE):
        assert "走马观花77" in browser_of(role).get(reverse("ratings")).content.decode()


def test_means_are_shown_from_five_on_and_only_of_quarters_that_are_over(cast, insured):
    services = several(cast, 6)
    for each in services[:4]:
        rate(cast, each, 4)
    later = NOW + timedelta(days=60)
    assert rating_means("insurer_id", cast.huaihai.pk, later) == [{"quarter": "2026Q4", "mean": None, "count": None}]
    rate(cast, services[4], 3)
    assert rating_means("insurer_id", cast.huaihai.pk, NOW) == []
    assert rating_means("insurer_id", cast.huaihai.pk, later)[0]["mean"] == Decimal(4)


def test_no_difference_of_two_answers_reveals_one_rating(cast, insured):
    """What an insurer can ask before and after one more rating, whoever asks: the answers are the same."""
    services = several(cast, 7)
    for each in services[:6]:
        rate(cast, each, 5)
    later = NOW + timedelta(days=60)  # the first quarter of 2027: the one of the ratings is over
    before = rating_means("insurer_id", cast.huaihai.pk, later)
    rate(cast, services[6], 1, day=later)
    assert rating_means("insurer_id", cast.huaihai.pk, later) == before
    with widened(insurer(cast).scope):
        whole = rating_means("insurer_id", cast.huaihai.pk, later)
    with widened(Scope(reader="anze_insurer", region_from="370200", region_to="3702ZZ", insurer_id=cast.huaihai.pk)):
        branch = rating_means("insurer_id", cast.huaihai.pk, later)
    assert whole == branch == before


@given(st.lists(st.integers(1, 5), min_size=0, max_size=40), st.integers(5, 10))
def test_a_shown_mean_never_tells_what_a_single_one_said(stars, at_least):
    mean = shown_mean(len(stars), sum(stars), at_least)
    if len(stars) < at_least:
        assert mean is None
        return
    assert Decimal("1.5") <= mean <= Decimal("4.5")
    assert abs(mean - Decimal(sum(stars)) / len(stars)) <= Decimal("0.5")
    others = range(len(stars) - 1, 5 * (len(stars) - 1) + 1)
    possible = [one for one in range(1, 6) if any(shown_mean(len(stars), one + o, at_least) == mean for o in others)]
    assert len(possible) >= 3


def test_quarters():
    assert [quarter_of(date(2026, month, 1)) for month in (1, 3, 4, 9, 10, 12)] == [
        "2026Q1", "2026Q1", "2026Q2", "2026Q3", "2026Q4", "2026Q4",
    ]  # fmt: skip

"""A complaint's life: who answers, the clocks of AQ 9010, more time, the authority, and who learns who complained."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.actor import Actor
from anze.kernel.duty import end_of_day
from anze.kernel.models import Event
from anze.kernel.refusal import Refused
from anze.kernel.scope import widened
from anze.parties.rules import Role
from anze.prevention.actions import complaints
from anze.prevention.actions.complaints import (
    COMPLAINT_ACTIONS,
    MOST_OF_ONE_A_DAY,
    Said,
    Told,
    holder_of,
    link_to_complain,
    make_complaint,
    take_over_overdue,
)
from anze.prevention.models import Complaint, ComplaintContact, ComplaintStep, Service
from anze.prevention.rules.complaints import (
    MOVES,
    OPEN,
    Acting,
    ComplaintState,
    ComplaintSubject,
    Side,
    moves_open,
    side_of,
)
from tests.cast import NOW, XINGHUO, Cast, policy_row
from tests.hazards.conftest import actor
from tests.web.conftest import Browser
from tests.web.world import OWN_MARK, one_side

DAY = timedelta(days=1)


@pytest.fixture
def people(cast: Cast) -> dict[str, Actor]:
    one_side(cast, cast.huaihai, XINGHUO, OWN_MARK, "AGY01", "EXP001")
    return {
        "enterprise": actor(Role.ENTERPRISE, cast.xinghuo),
        "insurer": actor(Role.INSURER_CLERK, cast.huaihai),
        "agency": actor(Role.AGENCY, cast.agency),
        "city": actor(Role.CITY_REGULATOR, cast.jinan),
        "other_insurer": actor(Role.INSURER_CLERK, cast.bohai),
        "other_city": actor(Role.CITY_REGULATOR, cast.qingdao),
    }


def made(cast: Cast, address: str = "", at: datetime = NOW, **words: Any) -> Complaint:
    service = Service.objects.get()
    told = {"subject": "QUALITY", "text": "专家到场十分钟就走", "kind": "WORKER", "name": "示例工人", "phone": "13800000000",
            "service": service.pk}  # fmt: skip
    holder = holder_of(cast.xinghuo.pk, address=address)
    with widened(holder.scope):
        return make_complaint(cast.xinghuo, by=holder, at=at, told=Told(**{**told, **words})).complaint


def take(name: str, complaint: Complaint, by: Actor, at: datetime = NOW, **words: Any) -> ComplaintStep:
    with widened(by.scope):
        return COMPLAINT_ACTIONS[name](complaint, by=by, at=at, said=Said(**{"words": "示例说明", **words}))


def test_a_complaint_is_answered_by_the_insurer_in_ten_working_days(cast, people):
    complaint = made(cast)
    assert (complaint.side, complaint.insurer, complaint.concerns) == ("INSURER", cast.huaihai, cast.huaihai)
    # Monday 23 November; ten working days later is Monday 7 December
    assert complaint.answer_due_at == end_of_day(date(2026, 12, 7))
    take("accept", complaint, people["insurer"])
    take("answer", complaint, people["insurer"], NOW + DAY, words="已安排重新服务")
    complaint.refresh_from_db()
    assert (complaint.state, complaint.answer, complaint.answered_at) == ("ANSWERED", "已安排重新服务", NOW + DAY)
    take("rate", complaint, holder_of(cast.xinghuo.pk), NOW + 2 * DAY, stars=4)
    complaint.refresh_from_db()
    assert (complaint.state, complaint.satisfaction) == ("CLOSED", 4)
    assert list(complaint.steps.order_by("at", "id").values_list("kind", "acting")) == [
        ("MADE", "COMPLAINANT"), ("ACCEPTED", "INSURER"), ("ANSWERED", "INSURER"), ("RATED", "COMPLAINANT"),
    ]  # fmt: skip


def test_what_must_be_verified_has_thirty_working_days_and_once_thirty_days_more(cast, people):
    complaint = made(cast)
    take("accept", complaint, people["insurer"])
    take("verify", complaint, people["insurer"])
    complaint.refresh_from_db()
    # the thirtieth working day after 23 November, New Year's holiday left out
    assert complaint.settle_due_at == end_of_day(date(2027, 1, 5))
    with pytest.raises(Refused, match="extension_out_of_range"):
        take("ask-time", complaint, people["insurer"], day=date(2027, 2, 5))
    with pytest.raises(Refused, match="reason_missing"):
        take("ask-time", complaint, people["insurer"], day=date(2027, 2, 4), words=" ")
    take("ask-time", complaint, people["insurer"], day=date(2027, 2, 4))
    with pytest.raises(Refused, match="not_permitted"):
        take("grant-time", complaint, people["insurer"])
    take("grant-time", complaint, people["city"])
    complaint.refresh_from_db()
    assert complaint.settle_due_at == end_of_day(date(2027, 2, 4))
    with pytest.raises(Refused, match="extended_once"):
        take("ask-time", complaint, people["insurer"], day=date(2027, 3, 1))


def test_who_is_not_satisfied_takes_it_to_the_authority_with_a_clock_of_its_own(cast, people):
    complaint = made(cast)
    take("accept", complaint, people["insurer"])
    take("answer", complaint, people["insurer"])
    take("escalate", complaint, holder_of(cast.xinghuo.pk), NOW + 30 * DAY, words="没有解决")
    complaint.refresh_from_db()
    assert (complaint.side, complaint.state, complaint.escalations) == ("AUTHORITY", "RECEIVED", 1)
    assert complaint.answer_due_at > NOW + 40 * DAY
    with pytest.raises(Refused, match="not_your_step"):
        take("accept", complaint, people["insurer"])
    take("accept", complaint, people["city"])
    take("answer", complaint, people["city"], words="已约谈保险机构")


def test_an_authority_gives_it_to_the_agency_that_did_the_service(cast, people):
    complaint = made(cast)
    with widened(people["agency"].scope):
        assert not Complaint.objects.exists()
    take("assign", complaint, people["city"], side="AGENCY")
    complaint.refresh_from_db()
    assert (complaint.side, complaint.agency) == ("AGENCY", cast.agency)
    take("accept", complaint, people["agency"])
    with widened(people["agency"].scope):
        assert Complaint.objects.count() == 1


def test_nobody_judges_a_complaint_about_money_against_himself(cast, people):
    complaint = made(cast, subject="FEES")
    assert (complaint.side, complaint.insurer, complaint.concerns) == ("AUTHORITY", None, cast.huaihai)
    with widened(people["insurer"].scope):
        assert not Complaint.objects.exists()


def test_a_worker_is_protected(cast, people):
    """His enterprise sees nothing, the insurer neither name nor phone, the authority both."""
    complaint = made(cast)
    with widened(people["enterprise"].scope):
        assert not Complaint.objects.exists()
        assert not ComplaintStep.objects.exists()
    with widened(people["insurer"].scope):
        assert Complaint.objects.get().named_as == ""
        assert "示例工人" not in " ".join(ComplaintStep.objects.values_list("by_name", flat=True))
        assert not Event.objects.filter(kind="complaint.made").exists()
    with widened(people["city"].scope):
        assert ComplaintContact.objects.get().phone == "13800000000"
    for other in ("other_insurer", "other_city"):
        with widened(people[other].scope):
            assert not Complaint.objects.exists()
    assert complaint.pk


def test_without_an_account_by_link_from_the_first_word_to_the_rating(cast, people, settings):
    browser = Browser()
    address = reverse("complain", args=[link_to_complain(cast.xinghuo, at=NOW)])
    page = browser.get(address)
    assert page.status_code == 200
    answer = browser.post(address, {"subject": "QUALITY", "text": "培训没有开展", "kind": "WORKER",
                                    "day": str(Service.objects.get().performed_on)})  # fmt: skip
    assert answer.status_code == 302
    complaint = Complaint.objects.get()
    assert (complaint.service, complaint.concerns) == (Service.objects.get(), cast.huaihai)
    take("accept", complaint, people["insurer"])
    take("answer", complaint, people["insurer"], words="下周补做")
    assert "下周补做" in browser.get(answer["Location"]).content.decode()
    done = browser.post(answer["Location"], {"move": "rate", "stars": "5"})
    assert done.status_code == 302
    complaint.refresh_from_db()
    assert (complaint.state, complaint.satisfaction) == ("CLOSED", 5)


def test_whoever_holds_a_link_learns_of_no_insurer_and_no_service(cast, people):
    """A link may be passed on: an insurer that holds it must not read what its competitors do there."""
    cast.accepted(cast.bohai, "policies", policy_row("P-BOHAI", XINGHUO))
    page = Browser().get(reverse("complain", args=[link_to_complain(cast.xinghuo, at=NOW)])).content.decode()
    assert cast.xinghuo.name in page
    for each in (cast.huaihai, cast.bohai):
        assert str(each) not in page
        assert str(each.pk) not in page
    assert str(Service.objects.get().pk) not in page


@pytest.mark.parametrize("role", Role)
def test_whom_complaints_are_about_hand_out_no_link(cast, people, browser_of, role):
    page = browser_of(role).get(reverse("enterprise-complaint-link", args=[cast.xinghuo.pk]))
    hands_out = {Role.ENTERPRISE, Role.PROVINCE_REGULATOR, Role.CITY_REGULATOR, Role.COUNTY_REGULATOR, Role.COMMITTEE}
    assert page.status_code == (200 if role in hands_out else 403)


def test_a_day_tells_whom_a_complaint_is_about(cast, people):
    """The only service of the day; without one the only cover in force; among several insurers nobody guesses."""
    service = Service.objects.get()
    no_service = service.performed_on + DAY
    alone = made(cast, service=None, day=no_service)
    assert (alone.service, alone.concerns, alone.side) == (None, cast.huaihai, "INSURER")
    cast.accepted(cast.bohai, "policies", policy_row("P-BOHAI", XINGHUO))
    two = made(cast, service=None, day=no_service)
    assert (two.concerns, two.side) == (None, "AUTHORITY")
    served = made(cast, service=None, day=service.performed_on)
    assert (served.service, served.concerns, served.side) == (service, cast.huaihai, "INSURER")
    nothing = made(cast, service=None)
    assert (nothing.concerns, nothing.side) == (None, "AUTHORITY")
    with pytest.raises(Refused, match="day_in_future"):
        made(cast, service=None, day=NOW.date() + 2 * DAY)


def test_a_link_that_is_none_opens_nothing(db):
    assert Browser().get(reverse("complain", args=["no-such-link"])).status_code in (404, 422)


def test_whoever_floods_with_the_link_closes_the_way_for_himself_alone(cast, people):
    for _number in range(MOST_OF_ONE_A_DAY):
        made(cast, address="198.51.100.7")
    with pytest.raises(Refused, match="too_many_of_one") as refused:
        made(cast, address="198.51.100.7")
    assert (refused.value.status, bool(refused.value.remedy)) == (429, True)
    made(cast, address="198.51.100.8")
    made(cast, address="198.51.100.7", at=NOW + DAY)


@pytest.mark.parametrize("day", [date(2027, 12, 31), date(2028, 6, 1), date(2031, 3, 3)])
def test_a_complaint_gets_its_deadline_also_in_years_without_a_holiday_notice(cast, people, day):
    at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    complaint = made(cast, at=at)
    # ten days of Monday to Friday are two weeks
    assert complaint.answer_due_at == end_of_day(day + 14 * DAY)


def test_a_flood_from_many_networks_ends_somewhere(cast, people, monkeypatch):
    monkeypatch.setattr(complaints, "MOST_A_DAY", 3)
    for number in range(3):
        made(cast, address=f"198.51.100.{number}")
    with pytest.raises(Refused, match=r"too_many\b"):
        made(cast, address="198.51.100.9")


class Facts:
    def __init__(self) -> None:
        self.state, self.side, self.extension, self.escalations = "RECEIVED", "INSURER", "", 0


@given(actings=st.lists(st.sampled_from(Acting), max_size=25), data=st.data())
def test_whatever_is_done_a_complaint_ends_or_somebody_has_the_next_turn(actings, data):
    complaint = Facts()
    for acting in actings:
        ways = list(moves_open(complaint, acting))
        if not ways:
            continue
        move = data.draw(st.sampled_from(ways))
        assert complaint.state in move.sources
        if move.target is not None:
            complaint.state = move.target.value
        if move.name in ("escalate", "take-over"):
            complaint.side = "AUTHORITY"
        if move.name == "ask-time":
            complaint.extension = "ASKED"
    anybody = [move for acting in Acting for move in moves_open(complaint, acting)]
    assert bool(anybody) == (ComplaintState(complaint.state) in (*OPEN, ComplaintState.ANSWERED))


@given(subject=st.sampled_from(ComplaintSubject), known=st.booleans())
def test_a_side_is_named_at_once(subject, known):
    assert side_of(subject, known) in Side
    assert known or side_of(subject, known) is Side.AUTHORITY
    assert MOVES


def test_what_is_not_answered_in_time_goes_to_the_authority_by_itself(cast, people):
    complaint = made(cast)
    due = complaint.answer_due_at
    assert take_over_overdue(at=due - timedelta(seconds=1)) == 0
    assert take_over_overdue(at=due) == 1
    complaint.refresh_from_db()
    assert (complaint.side, complaint.state, complaint.escalations) == ("AUTHORITY", "RECEIVED", 1)
    assert complaint.answer_due_at > due
    last = complaint.steps.order_by("at").last()
    assert (last.kind, last.acting, last.by_name) == ("ESCALATED", "AUTHORITY", "Anze")
    # with the authority it stays; its clock is watched by the alert
    assert take_over_overdue(at=complaint.answer_due_at + DAY) == 0


def test_what_is_being_verified_has_its_own_deadline(cast, people):
    complaint = made(cast)
    take("accept", complaint, people["insurer"])
    take("verify", complaint, people["insurer"])
    complaint.refresh_from_db()
    assert take_over_overdue(at=complaint.answer_due_at + DAY) == 0
    assert take_over_overdue(at=complaint.settle_due_at) == 1

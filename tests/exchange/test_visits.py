"""A visit from the phone to the service record: over HTTP, through the feeds' own checks, exactly once."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import time_machine
from django.urls import reverse

from anze.evidence.models import Media, Original
from anze.exchange.actions import deliver_visit
from anze.exchange.models import Batch
from anze.hazards.models import Hazard
from anze.hazards.screens.photos import before_and_after
from anze.kernel.models import Event, Parameter
from anze.kernel.parameters import begin_value
from anze.parties.models import Qualification
from anze.parties.rules import Role
from anze.prevention.actions import open_visit, pick_version, return_visit, submit_visit, visit_of_order
from anze.prevention.models import Order, Service, Visit
from anze.prevention.rules import OrderState, Outcome, VisitState
from anze.prevention.rules.visits import Opening
from tests.cast import NOW, XINGHUO
from tests.prevention.conftest import Phone, by, make_order, order, phone, photo, photos_arrive, record_whole_visit
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "by", "order", "phone", "put_down"]


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


def filed(phone: Phone, by: Any, **words: Any) -> Visit:
    record_whole_visit(phone, **words)
    phone.send()
    return deliver_visit(submit_visit(Visit.objects.get(pk=phone.visit_id), by=by, at=NOW), by=by, at=NOW)


def test_a_visit_becomes_a_service_and_its_hazard(phone, by, cast):
    Qualification.objects.create(
        kind="SAFETY_ENGINEER", expert=cast.expert, number="SL01", valid_from="2024-01-01", valid_to="2028-01-01"
    )
    visit = filed(phone, by)
    assert visit.state == VisitState.DELIVERED
    service = visit.service
    assert (service.service_no, service.channel, service.confirmation) == (visit.visit_no, "PHONE", "SIGNATURE")
    assert (service.confirmed_by, service.photo_count, service.has_service_mark) == ("示例负责人", 2, True)
    assert (service.hazards_found, service.attendees, service.agency_id) == (1, 1, cast.agency.pk)
    person = service.persons.get()
    assert (person.expert_id, person.certificate_no) == (cast.expert.pk, "SL01")
    hazard = Hazard.objects.get(service=service)
    assert (hazard.state, hazard.notified_on.isoformat(), hazard.channel) == ("NOTIFIED", "2026-11-23", "PHONE")
    assert hazard.hazard_no.startswith(visit.visit_no)
    assert Order.objects.get(pk=visit.order_id).state == OrderState.DONE


def test_the_app_is_an_interface_whose_day_is_the_day_of_the_visit(phone, by):
    service = filed(phone, by).service
    assert service.report_due_at.isoformat() == "2026-11-23T16:00:00+00:00"


def test_nothing_found_and_nobody_signed(phone, by):
    visit = filed(phone, by, finding=False, enterprise_signs=False)
    assert (visit.service.nil_findings, visit.service.confirmation) == (True, "NONE")
    assert not Hazard.objects.exists()


def test_a_finding_taken_from_the_library_brings_its_number_and_edition_along(phone, by):
    phone.record(
        "FINDING",
        {
            "description": "局部通风机未连续运转",
            "hazard_class": "MAJOR",
            "deadline_on": "2026-12-01",
            "library_code": "MI-01",
        },
    )
    filed(phone, by)
    hazard = Hazard.objects.get(entry_code="MI-01")
    assert (hazard.criterion_code, hazard.criterion_edition) == ("", "COAL-2026")


def test_delivered_twice_it_is_one_service(phone, by):
    visit = filed(phone, by)
    deliver_visit(visit, by=by, at=NOW + timedelta(minutes=5))
    deliver_visit(submit_visit(visit, by=by, at=NOW), by=by, at=NOW)
    assert Service.objects.count() == 1
    assert Batch.objects.filter(channel="PHONE").count() == 2


def test_what_a_check_refuses_leaves_nothing_and_is_told(phone, by):
    phone.record(
        "FINDING",
        {"description": "缺盖板", "hazard_class": "GENERAL", "deadline_on": "2026-11-01", "photos": [photo()]},
    )
    visit = filed(phone, by)
    assert visit.state == VisitState.SUBMITTED
    assert [(each["feed"], each["code"]) for each in visit.problems] == [("hazards", "deadline_before_found")]
    assert not Service.objects.exists()
    assert not Batch.objects.filter(channel="PHONE").exists()


def test_returned_and_submitted_again_is_a_correction_that_keeps_what_came_since(phone, by, cast):
    visit = filed(phone, by)
    Hazard.objects.update(state="RECTIFYING")
    clerk = by.__class__(
        name="x",
        scope=by.scope.__class__(reader="anze_insurer", insurer_id=cast.huaihai.pk),
        permissions=by.permissions,
    )
    return_visit(visit, by=clerk, at=NOW, reason="说明不全")
    phone.record("NOTE", {"text": "补充说明"})
    phone.send()
    visit = deliver_visit(
        submit_visit(Visit.objects.get(pk=phone.visit_id), by=by, at=NOW + timedelta(minutes=9)), by=by, at=NOW
    )
    assert visit.state == VisitState.DELIVERED
    assert (visit.service.version, visit.service.topics) == (2, "补充说明")
    assert Hazard.objects.get().state == "RECTIFYING"


def test_a_finding_taken_back_after_filing_is_void(phone, by, cast):
    visit = filed(phone, by)
    [entry] = visit.entries.filter(kind="FINDING")
    phone.record("FINDING", entry.payload, entry.pk, removed=True)
    phone.record("NIL", {})
    assert {each.state for each in phone.send().values()} == {Outcome.LATE}
    for version in visit.changes.filter(outcome=Outcome.LATE):
        pick_version(version, by=by, at=NOW, take=True)
    later = NOW + timedelta(minutes=9)
    visit = deliver_visit(submit_visit(Visit.objects.get(pk=visit.pk), by=by, at=later), by=by, at=NOW)
    assert visit.state == VisitState.DELIVERED, visit.problems
    assert Hazard.objects.get().is_void
    assert visit.service.nil_findings


def test_a_recheck_closes_the_earlier_hazard(phone, by, cast):
    cast.accepted(
        cast.huaihai, "hazards",
        {
            "hazard_no": "H-OLD", "insured_uscc": XINGHUO, "source": "SELF_CHECK", "hazard_class": "GENERAL",
            "found_on": "2026-10-12", "description": "通道堵塞", "deadline_on": "2026-11-12",
            "notified_principal": False, "state": "RECTIFYING",
        },
    )  # fmt: skip
    old = Hazard.objects.get()
    phone.record("RECHECK", {"hazard": str(old.pk), "result": "RECTIFIED"})
    filed(phone, by)
    old.refresh_from_db()
    assert (old.state, old.verifier, old.closed_on.isoformat()) == ("CLOSED", "AGENCY", "2026-11-23")


ARROW = {"kind": "arrow", "points": [[0.25, 0.25], [0.5, 0.5]], "text": ""}


def test_photos_of_a_visit_stand_with_its_hazard_before_and_after_with_what_is_drawn_over_them(
    phone, by, cast, browser_of
):
    """Drawn before the photo was sent or after it: the arrow lies over it either way, and can be taken back."""
    finding = phone.record(
        "FINDING",
        {"description": "配电箱门缺失", "hazard_class": "GENERAL", "deadline_on": "2026-12-07",
         "photos": [photo("cc" * 32, strokes=[ARROW]), photo("dd" * 32)]},
    )  # fmt: skip
    phone.send()  # and now the photos are there
    first, second = (each["file"] for each in finding.payload["photos"])
    assert not Media.objects.get(client_id=second).annotation
    finding.payload["photos"][1]["strokes"] = [ARROW]
    phone.record("FINDING", finding.payload, finding.entry)
    phone.send()
    assert Media.objects.get(client_id=second).annotation == {"shapes": [ARROW]}
    finding.payload["photos"][1]["strokes"] = []
    phone.record("FINDING", finding.payload, finding.entry)
    filed(phone, by, finding=False, nil=False)
    assert Media.objects.get(client_id=second).annotation == {}

    hazard = Hazard.objects.get(service__isnull=False)
    before, after = before_and_after(hazard)
    assert [(str(each.media.client_id), each.shapes) for each in before] == [(first, [ARROW]), (second, [])]
    assert after == []
    Original.objects.update(width=640, height=480)
    page = browser_of(Role.INSURER_CLERK).get(reverse("hazard", args=[hazard.pk])).content.decode()
    assert page.count("evidence-line") == 1
    assert reverse("media-small", args=[before[0].media.pk]) in page

    # another visit looks at it again, with a photo
    later = Phone(visit_of_order(make_order(cast, "PD002").pk), by)
    open_visit(Opening(id=later.visit_id, order=Order.objects.get(order_no="PD002").pk), by=by, at=NOW)
    later.record("RECHECK", {"hazard": str(hazard.pk), "result": "RECTIFIED", "photos": [photo("ee" * 32)]})
    later.send()
    Media.objects.filter(subject=later.visit_id).update(role="RECTIFIED")
    before, after = before_and_after(hazard)
    assert (len(before), len(after)) == (2, 1)


@pytest.mark.parametrize(("result", "state"), [("RECTIFIED", "CLOSED"), ("NOT_RECTIFIED", "RECTIFYING")])
def test_what_the_enterprise_reported_as_done_is_rechecked_step_by_step(phone, by, cast, result, state):
    cast.accepted(
        cast.huaihai,
        "hazards",
        {
            "hazard_no": "H-DONE", "insured_uscc": XINGHUO, "source": "SELF_CHECK", "hazard_class": "GENERAL",
            "found_on": "2026-10-12", "description": "通道堵塞", "deadline_on": "2026-11-12",
            "rectified_on": "2026-11-10", "notified_principal": False, "state": "SUBMITTED",
        },
    )  # fmt: skip
    old = Hazard.objects.get()
    phone.record("RECHECK", {"hazard": str(old.pk), "result": result, "note": "已到现场查看"})
    filed(phone, by)
    old.refresh_from_db()
    assert old.state == state
    assert old.steps.get().words == "已到现场查看"


# over HTTP ----------------------------------------------------------------------------------------------------


def parcel(*changes: Any, visits: tuple[Any, ...] = (), **words: Any) -> str:
    made = {"sent_at": NOW.isoformat(), "device": "测试手机", "visits": visits, "changes": changes, **words}
    return msgspec.json.encode(made).decode()


def post(browser: Any, address: str, body: str) -> Any:
    return browser.post(address, body, content_type="application/json", headers={"accept": "application/json"})


def test_the_bundle_holds_the_visit_its_checklist_and_its_enterprise(order, cast, browser_of):
    browser = browser_of(Role.EXPERT)
    answer = browser.get(reverse("visits-bundle"))
    [visit] = answer.json()["visits"]
    assert visit["id"] == str(visit_of_order(order.pk))
    assert answer.json()["enterprises"][visit["enterprise"]]["uscc"] == XINGHUO
    pack = answer.json()["packs"][answer.json()["checklists"][visit["id"]]]
    assert pack["items"]
    assert pack["hazards"]
    unchanged = browser.get(reverse("visits-bundle"), headers={"if-none-match": answer["ETag"]})
    assert unchanged.status_code == 304


def test_the_bundle_takes_the_days_to_rectify_of_the_enterprise_s_region_along(order, browser_of):
    browser = browser_of(Role.EXPERT)
    sheet = lambda: browser.get(reverse("visits-bundle")).json()["enterprises"][str(order.enterprise_id)]  # noqa: E731
    assert sheet()["rectify_days"] == {"GENERAL": 15, "MAJOR": 30}
    major = Parameter.objects.get(key="hazard_rectify_days.MAJOR")
    city = order.region_code[:4] + "00"
    begin_value(major, value="20", effective_from=date(2026, 1, 1), source="", status="DESIGN", region_code=city)
    assert sheet()["rectify_days"] == {"GENERAL": 15, "MAJOR": 20}


def test_the_bundle_asks_the_database_as_often_for_many_orders_as_for_one(
    order, cast, browser_of, django_assert_max_num_queries
):
    browser = browser_of(Role.EXPERT)
    browser.get(reverse("visits-bundle"))
    for number in range(8):
        make_order(cast, f"PD1{number}")
    with django_assert_max_num_queries(45):
        answer = browser.get(reverse("visits-bundle"))
    assert len(answer.json()["visits"]) == 9


def test_a_whole_visit_over_http(order, by, cast, browser_of):
    browser = browser_of(Role.EXPERT)
    key = visit_of_order(order.pk)
    phone = Phone(key, by)
    record_whole_visit(phone)
    opening = {"id": key, "order": order.pk}
    answer = post(browser, reverse("visits-sync"), parcel(*phone.queue, visits=(opening,)))
    assert answer.status_code == 200
    assert {each["state"] for each in answer.json()["answers"].values()} == {"APPLIED"}
    assert len(answer.json()["entries"]) == len(phone.queue)
    again = post(
        browser, reverse("visits-sync"),
        parcel(*phone.queue, visits=(opening,), knows={str(key): answer.json()["visits"][str(key)]["revision"]}),
    )  # fmt: skip
    assert again.json()["answers"] == answer.json()["answers"]
    assert again.json()["entries"] == []
    waits = post(browser, reverse("visit-submit", args=[key]), "")
    assert [each["code"] for each in waits.json()["missing"] if each["is_hard"]] == ["photos_on_the_way"]
    photos_arrive(Visit.objects.get(pk=key), NOW)
    first = post(browser, reverse("visit-submit", args=[key]), "")
    second = post(browser, reverse("visit-submit", args=[key]), "")
    assert first.json()["state"] == second.json()["state"] == "DELIVERED"
    assert Service.objects.count() == 1
    assert Event.objects.filter(kind="visit.delivered").count() == 2


def test_an_incomplete_visit_is_told_everything_that_is_missing(phone, browser_of):
    phone.record("START", {"position": {"refused": "denied"}})
    phone.send()
    answer = post(browser_of(Role.EXPERT), reverse("visit-submit", args=[phone.visit_id]), "")
    assert answer.status_code == 422
    missing = {each["code"]: each["remedy"] for each in answer.json()["missing"] if each["is_hard"]}
    assert set(missing) == {"no_end", "no_person", "nothing_stated", "not_signed", "no_photo"}
    assert all(missing.values())


def test_a_stranger_is_refused_and_his_work_stays_with_him(order, by, cast, browser_of):
    key = visit_of_order(order.pk)
    phone = Phone(key, by)
    change = phone.record("NOTE", {"text": "x"})
    stranger = browser_of(Role.EXPERT, True)
    answer = post(stranger, reverse("visits-sync"), parcel(change, visits=({"id": key, "order": order.pk},)))
    assert answer.status_code == 200
    assert answer.json()["answers"][str(change.id)]["state"] == "REFUSED"
    assert answer.json()["answers"][str(change.id)]["problem"]["code"] == "order_not_yours"
    assert not Visit.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"sent_at":"gestern"}', json.dumps({"sent_at": "2026-13-45T00:00:00Z"})]
)
def test_what_is_no_parcel_is_refused_in_words(order, browser_of, body):
    answer = post(browser_of(Role.EXPERT), reverse("visits-sync"), body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_visits_page_shows_versions_and_takes_one(phone, by, cast, browser_of):
    entry = phone.record("NOTE", {"text": "一"}).entry
    phone.send()
    other = Phone(phone.visit_id, by, "second", knows=dict(phone.knows))
    phone.record("NOTE", {"text": "甲的版本"}, entry)
    other.record("NOTE", {"text": "乙的版本"}, entry)
    phone.send()
    other.send()
    browser = browser_of(Role.AGENCY)
    text = browser.get(reverse("visit", args=[phone.visit_id])).content.decode()
    assert "甲的版本" in text
    assert "乙的版本" in text
    version = Visit.objects.get(pk=phone.visit_id).changes.get(outcome=Outcome.CONFLICT)
    browser.post(reverse("visit-versions", args=[phone.visit_id]), {"version": str(version.pk), "take": "1"})
    assert Visit.objects.get(pk=phone.visit_id).entries.get().payload == {"text": "乙的版本"}


def test_nobody_reads_a_visit_out_of_his_scope(phone, browser_of):
    assert browser_of(Role.INSURER_CLERK).get(reverse("visit", args=[phone.visit_id])).status_code == 200
    assert browser_of(Role.INSURER_MANAGER, True).get(reverse("visit", args=[phone.visit_id])).status_code == 404
    # an enterprise reads what was submitted
    assert browser_of(Role.ENTERPRISE).get(reverse("visit", args=[phone.visit_id])).status_code == 404
    assert browser_of(Role.EXPERT, True).get(reverse("visit", args=[uuid4()])).status_code == 404

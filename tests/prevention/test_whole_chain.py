"""The whole chain as one story: a city sets a topic, and in the end a hazard is gone and the figures say so.

Topic → task → share → plan → order → expert → visit on a phone with its photos → service and hazard → report →
the enterprise's word → rectified with proof → rechecked and closed → completion and rectification of the insurer.
"""

from __future__ import annotations

import hashlib
import io
import json
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import time_machine
from django.urls import reverse
from PIL import Image

from anze.evidence.models import Media
from anze.hazards.models import Hazard
from anze.kernel.duty import BEIJING, beijing_day
from anze.parties.models import Account
from anze.parties.rules import Role
from anze.prevention.actions import visit_of_order
from anze.prevention.models import Report, Service, Visit
from anze.prevention.rules.visits import id_of_entry
from tests.cast import NOW, Cast
from tests.monitoring.counting import count, figure, reasons
from tests.prevention.conftest import HERE, SIGNED
from tests.prevention.test_journey import walk_to_the_expert
from tests.web.conftest import Browser


def picture(seed: int) -> bytes:
    """A photo of its own for each seed."""
    rough = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(rough).resize((640, 480), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


class Phone:
    """The expert's phone as the server sees it: pictures in pieces, then one parcel of changes."""

    def __init__(self, browser: Browser, order: UUID) -> None:
        self.browser, self.order = browser, order
        self.visit = visit_of_order(order)
        self.changes: list[dict[str, Any]] = []
        self.pictures: list[tuple[dict[str, Any], bytes, str]] = []

    def record(self, kind: str, payload: dict[str, Any], made_at: datetime) -> None:
        entry = id_of_entry(self.visit, kind, payload) or uuid4()
        self.changes.append(
            {"id": str(uuid4()), "visit": str(self.visit), "entry": str(entry), "kind": kind,
             "made_at": made_at.isoformat(), "payload": payload}
        )  # fmt: skip

    def photo(self, seed: int, taken_at: datetime, role: str = "SITE") -> dict[str, Any]:
        content = picture(seed)
        told = {"file": str(uuid4()), "sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
                "taken_at": taken_at.isoformat(), "position": HERE}  # fmt: skip
        self.pictures.append((told, content, role))
        return told

    def send(self) -> dict[str, Any]:
        """The parcel first: it makes the visit the pictures belong to."""
        parcel = {"sent_at": datetime.now(BEIJING).isoformat(), "device": "示例手机",
                  "visits": [{"id": str(self.visit), "order": str(self.order)}], "changes": self.changes}  # fmt: skip
        answer = self.browser.post(reverse("visits-sync"), json.dumps(parcel), content_type="application/json")
        assert answer.status_code == 200, answer.content.decode()
        for told, content, role in self.pictures:
            self._upload(told, content, role)
        return answer.json()

    def _upload(self, told: dict[str, Any], content: bytes, role: str) -> None:
        declared = {"client_id": told["file"], "sha256": told["sha256"], "size": told["size"], "kind": "PHOTO",
                    "role": role, "subject_kind": "visit", "subject": str(self.visit), "captured_at": told["taken_at"],
                    "lon": HERE["lon"], "lat": HERE["lat"], "accuracy_m": 12}  # fmt: skip
        there = self.browser.post(reverse("uploads"), json.dumps(declared), content_type="application/json")
        assert there.status_code == 201, there.content.decode()
        address = there.json()["upload"]
        half = len(content) // 2
        for offset, piece in ((0, content[:half]), (half, content[half:])):
            said = self.browser.patch(address, piece, content_type="application/offset+octet-stream",
                                      headers={"Upload-Offset": str(offset)})  # fmt: skip
            assert said.status_code < 300, said.content.decode()


@pytest.fixture
def monday():
    with time_machine.travel(NOW, tick=True) as clock:
        yield clock


def test_from_the_topic_to_the_hazard_that_is_gone(insured: Cast, browser_of, monday):
    today = beijing_day(NOW)
    order = walk_to_the_expert(insured, browser_of, today)

    # the day of the visit, on the expert's phone
    arrival = datetime.combine(order.planned_on, datetime.min.time(), BEIJING) + timedelta(hours=9)
    monday.move_to(arrival + timedelta(hours=3))
    expert = _signed_in(Role.EXPERT)
    bundle = expert.get(reverse("visits-bundle")).json()
    assert str(order.pk) in json.dumps(bundle)
    phone = Phone(expert, order.pk)
    minute = timedelta(minutes=1)
    phone.record("START", {"position": HERE}, arrival)
    phone.record("PERSON", {"role": "EXPERT", "name": insured.expert.name, "expert_number": "EXP001"}, arrival + minute)
    phone.record("PERSON", {"role": "ENTERPRISE", "name": "示例车间主任", "post": "车间主任"}, arrival + 2 * minute)
    phone.record("MARK", {"photos": [phone.photo(1, arrival + 3 * minute, "SERVICE_MARK")]}, arrival + 3 * minute)
    phone.record(
        "FINDING",
        {"description": "结晶器冷却水未设置进水压力报警", "hazard_class": "MAJOR", "criterion_code": "AL-3",
         "location": "熔铸车间", "advice": "加装报警并联锁", "notified_principal": True,
         "deadline_on": str(order.planned_on + timedelta(days=14)),
         "photos": [phone.photo(2, arrival + 20 * minute, "HAZARD")]},
        arrival + 20 * minute,
    )  # fmt: skip
    phone.record("SIGNATURE", {"of": "EXPERT", "name": insured.expert.name, "strokes": SIGNED}, arrival + 90 * minute)
    phone.record("END", {"position": HERE}, arrival + 100 * minute)
    said = phone.send()
    assert {each["state"] for each in said["answers"].values()} == {"APPLIED"}
    assert Media.objects.filter(subject=phone.visit).count() == 2
    submitted = expert.post(reverse("visit-submit", args=[phone.visit]), headers={"Accept": "application/json"})
    assert submitted.status_code == 200, submitted.content.decode()
    assert submitted.json()["problems"] == []

    # on file, through the same checks as everybody's data
    visit = Visit.objects.get(pk=phone.visit)
    service = Service.objects.get(pk=visit.service_id)
    hazard = Hazard.objects.get(service=service)
    assert (visit.state, service.channel, service.photo_count) == ("DELIVERED", "PHONE", 2)
    assert (hazard.hazard_class, hazard.criterion_code, hazard.insurer_id) == ("MAJOR", "AL-3", insured.huaihai.pk)
    order.refresh_from_db()
    assert order.state == "DONE"
    assert "铝加工深井铸造" in expert.get(reverse("service", args=[service.pk])).content.decode(), "up to the topic"

    # the report, put together from what the phone recorded
    issued = _signed_in(Role.INSURER_CLERK).post(reverse("service-report", args=[service.pk]), {"language": "zh-hans"})
    assert issued.status_code == 302, issued.content.decode()
    report = Report.objects.get(service=service)
    assert "结晶器冷却水未设置进水压力报警" in json.dumps(report.content, ensure_ascii=False)

    # the enterprise says that it happened, then rectifies; the agency looks again
    answer = _signed_in(Role.ENTERPRISE).post(
        reverse("service-confirm", args=[service.pk]), {"answer": "YES", "name": "示例负责人", "stars": "5"}
    )
    assert answer.status_code == 302, answer.content.decode()
    service.refresh_from_db()
    assert service.confirmation == "ONLINE"
    _step(Role.ENTERPRISE, hazard, "start", words="停产加装", to_whom="示例负责人")
    monday.move_to(arrival + timedelta(days=5))
    _step(Role.ENTERPRISE, hazard, "submit", words="已加装并联锁", cost="12000")
    monday.move_to(arrival + timedelta(days=7))
    _step(Role.AGENCY, hazard, "close", words="现场复查，符合要求")
    hazard.refresh_from_db()
    steps = list(hazard.steps.order_by("at").values_list("kind", "from_state", "to_state", "party"))
    assert (hazard.state, hazard.verifier) == ("CLOSED", "AGENCY"), steps

    # what the province reads of it
    year = {"months": "2026-01 2027-12", "insurer": insured.huaihai.pk}
    count("2027-03-01")
    assert figure("hazard_rectification_rate", **year) == (1, 1)
    assert figure("major_hazard_rectification_rate", **year) == (1, 1)
    done, planned = figure("service_completion_rate", **year)
    assert done == 1 <= planned, reasons("service_completion_rate", **year)


def _signed_in(role: Role) -> Browser:
    """Whoever walked as far as to the expert in this role, signed in anew: days have passed."""
    browser = Browser()
    browser.force_login(Account.objects.get(username=role.value.lower()))
    return browser


def _step(role: Role, hazard: Hazard, name: str, **words: str) -> None:
    answer = _signed_in(role).post(reverse(f"hazard-{name}", args=[hazard.pk]), words)
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"] == reverse("hazard", args=[hazard.pk])


def test_the_clock_of_the_story_is_a_monday():
    assert beijing_day(NOW) == date(2026, 11, 23)

"""A workshop head closes his part of a hazard on a phone, without an account; and forms with photos."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from anze.evidence.models import Media
from anze.hazards.models import Hazard
from anze.kernel.links import make_link
from anze.parties.rules import Role
from tests.web.conftest import Browser, browser_of, put_down  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def kept_apart(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "evidence": {**settings.STORAGES["evidence"], "OPTIONS": {"location": str(tmp_path)}},
    }


def photo(colour: str = "red") -> SimpleUploadedFile:
    made = BytesIO()
    Image.new("RGB", (64, 48), colour).save(made, "JPEG")
    return SimpleUploadedFile("after.jpg", made.getvalue(), "image/jpeg")


def link_to(hazard: Hazard, days: int = 30) -> str:
    return reverse("workshop", args=[make_link("hazard", hazard.pk, until=timezone.now() + timedelta(days=days))])


def test_a_link_shows_one_hazard_and_takes_its_proof(found):
    hazard = found(state="NOTIFIED", notified_on="2026-11-17")
    phone = Browser()
    page = phone.get(link_to(hazard)).content.decode()
    assert hazard.description in page
    assert "2026-12-16" in page
    answer = phone.post(
        link_to(hazard), {"name": "示例车间主任", "words": "已加装", "photos": [photo(), photo("blue")]}
    )
    assert answer.status_code == 302, re.findall(
        r'(?s)invalid-feedback">.*?<|alert-danger.*?</div>', answer.content.decode()
    )
    hazard.refresh_from_db()
    step = hazard.steps.get()
    assert (hazard.state, step.by_name, step.party, len(step.media)) == ("SUBMITTED", "示例车间主任", "ENTERPRISE", 2)
    assert set(Media.objects.values_list("role", "enterprise_id")) == {("RECTIFIED", hazard.enterprise_id)}
    # what is submitted is not submitted twice
    again = phone.post(link_to(hazard), {"name": "示例车间主任", "words": "再次"})
    assert again.status_code == 200
    assert hazard.steps.count() == 1


def test_a_major_hazard_is_submitted_with_its_plan(found):
    hazard = found(hazard_class="MAJOR")
    phone = Browser()
    without = phone.post(link_to(hazard), {"name": "示例车间主任", "words": "已加装"})
    assert without.status_code == 422
    assert not hazard.steps.exists()
    phone.post(link_to(hazard), {"name": "示例车间主任", "words": "已加装", "measures": "停炉后加装联锁"})
    assert list(hazard.steps.order_by("id").values_list("kind", flat=True)) == ["STARTED", "SUBMITTED"]


def test_links_that_are_over_or_changed_open_nothing(found):
    hazard = found()
    phone = Browser()
    assert phone.get(link_to(hazard, days=-1)).status_code == 422
    assert phone.get(link_to(hazard)[:-3] + "AA/").status_code == 422


def test_a_file_that_is_no_picture_is_refused_and_leaves_nothing(found):
    hazard = found()
    answer = Browser().post(
        link_to(hazard),
        {
            "name": "示例车间主任",
            "words": "已加装",
            "photos": [SimpleUploadedFile("a.jpg", b"no picture", "image/jpeg")],
        },
    )
    assert answer.status_code == 422
    assert not Media.objects.exists()
    assert not hazard.steps.exists()


@pytest.mark.parametrize("role", [Role.INSURER_CLERK, Role.ENTERPRISE, Role.EXPERT, Role.CITY_REGULATOR])
def test_whoever_sees_a_hazard_may_hand_its_link_on(found, browser_of, role):  # noqa: F811 - the fixture
    hazard = found()
    answer = browser_of(role).post(reverse("hazard-link", args=[hazard.pk]))
    page = answer.content.decode()
    assert "/w/" in page
    assert "data:image/svg" in page


def test_each_role_takes_its_steps_on_the_pages(found, browser_of):  # noqa: F811 - the fixture
    hazard = found(hazard_class="MAJOR")
    insurer, enterprise, city = (browser_of(r) for r in (Role.INSURER_CLERK, Role.ENTERPRISE, Role.CITY_REGULATOR))

    def post(browser, step, **words):
        answer = browser.post(reverse(f"hazard-{step}", args=[hazard.pk]), words)
        assert answer.status_code == 302, answer.content.decode()[-3000:]

    def offered(browser):
        page = browser.get(reverse("hazard", args=[hazard.pk])).content.decode()
        return {name for name in ("notify", "start", "submit", "close", "stop", "supervise", "grant-extension")
                if reverse(f"hazard-{name}", args=[hazard.pk]) in page}  # fmt: skip

    assert offered(insurer) == {"notify"}
    assert offered(enterprise) == {"start"}
    assert offered(city) == {"notify", "stop", "supervise"}
    post(insurer, "notify", to_whom="示例厂长", means="LETTER")
    post(insurer, "report", to_whom="济南示例应急管理局")
    post(city, "supervise", number="督1", until="2026-12-31")
    post(enterprise, "start", to_whom="示例负责人", words="停炉整改")
    post(enterprise, "ask-extension", until="2026-12-30", words="备件采购")
    assert "grant-extension" not in offered(insurer)
    post(city, "grant-extension", words="同意")
    post(enterprise, "submit", words="已整改", cost="3000", photos=[photo()])
    assert "close" not in offered(insurer)
    post(city, "close", words="现场核查合格")
    post(city, "lift", words="已验收")
    hazard.refresh_from_db()
    assert (hazard.state, hazard.verifier, str(hazard.extended_to_on)) == ("CLOSED", "REGULATOR", "2026-12-30")
    page = insurer.get(reverse("hazard", args=[hazard.pk])).content.decode()
    for said in ("示例厂长", "督1", "停炉整改", "备件采购", "现场核查合格", "3,000.00"):
        assert said in page

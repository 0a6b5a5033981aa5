"""An enterprise reports what it found by itself; its insurer follows it up through the feed."""

from __future__ import annotations

from django.urls import reverse

from anze.hazards.models import Hazard, OwnFinding
from anze.kernel.scope import widened
from anze.parties.rules import Role
from tests.hazards.test_links import kept_apart, photo  # noqa: F401 - a fixture
from tests.web.conftest import browser_of, put_down  # noqa: F401 - fixtures


def test_a_finding_is_reported_rectified_and_followed_up(cast, found, people, browser_of):  # noqa: F811 - the fixture
    enterprise, insurer = browser_of(Role.ENTERPRISE), browser_of(Role.INSURER_CLERK)
    empty = enterprise.post(reverse("own-finding-new"), {"description": "", "entry": ""})
    assert empty.status_code == 422
    told = {"description": "配电箱门缺失", "location": "一车间", "entry": "", "photos": [photo()]}
    assert enterprise.post(reverse("own-finding-new"), told).status_code == 302
    finding = OwnFinding.objects.get()
    assert finding.insurer_id == cast.huaihai.pk
    for who, sees in (("enterprise", 1), ("insurer", 1), ("city", 1), ("other_insurer", 0)):
        with widened(people[who].scope):
            assert OwnFinding.objects.count() == sees, who
    assert enterprise.post(reverse("own-finding-done", args=[finding.pk]), {"words": "已补装"}).status_code == 302
    take = reverse("own-finding-take", args=[finding.pk])
    assert enterprise.get(take).status_code == 403
    late = insurer.post(take, {"hazard_class": "GENERAL", "deadline_on": "2020-01-01"})
    assert late.status_code == 422
    answer = insurer.post(take, {"hazard_class": "GENERAL", "deadline_on": "2099-12-31", "advice": "补装箱门"})
    assert answer.status_code == 302, answer.content.decode()
    finding.refresh_from_db()
    hazard = Hazard.objects.get(source="SELF_CHECK")
    assert (finding.state, finding.hazard_id, hazard.description) == ("TAKEN", hazard.pk, "配电箱门缺失")
    assert hazard.channel == "WEB"


def test_the_checklist_of_the_sector_gives_the_words(found, browser_of):  # noqa: F811 - the fixture
    enterprise = browser_of(Role.ENTERPRISE)
    page = enterprise.get(reverse("own-finding-new")).content.decode()
    code = page.split('<option value="')[2].split('"')[0]
    assert enterprise.post(reverse("own-finding-new"), {"entry": code, "description": ""}).status_code == 302
    finding = OwnFinding.objects.get()
    assert finding.entry_code == code
    assert finding.description

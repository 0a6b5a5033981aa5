"""From an accident to prevention: a topic says what to look for, everybody reads it, and nobody learns where it happened."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from anze.claims.models import Accident
from anze.parties.rules import Role
from anze.prevention.models import Topic
from tests.cast import XINGHUO, Cast, policy_row
from tests.exchange.examples import example


@pytest.fixture
def accident(cast: Cast) -> Accident:
    from anze.exchange.feeds import FEEDS

    row = example(FEEDS["accidents"], accident_no="SG-LESSON-1", insured_uscc=XINGHUO, description="示例伤者某某")
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))
    cast.accepted(cast.huaihai, "accidents", row)
    return Accident.objects.get(accident_no="SG-LESSON-1")


def draft(browser: Any, accident: Accident, **words: Any) -> Any:
    given = {
        "title": "同类事故隐患专项排查", "code": "TM-LESSON-1", "goals": "对同行业企业开展排查，消除导致同类事故的隐患。",
        "starts_on": "2026-11-24", "ends_on": "2027-03-31", "regions": [accident.region_code],
        "sectors": [accident.sector], **words,
    }  # fmt: skip
    return browser.post(f"{reverse('topic-new')}?accident={accident.pk}", given)


def test_the_authority_sets_a_topic_after_an_accident_and_both_lead_to_each_other(cast: Cast, accident, browser_of):
    regulator = browser_of(Role.COUNTY_REGULATOR)
    sheet = reverse("accident", args=[accident.pk])
    assert f"{reverse('topic-new')}?accident={accident.pk}" in regulator.get(sheet).content.decode()
    proposed = regulator.get(reverse("topic-new"), {"accident": str(accident.pk)}).content.decode()
    assert str(accident.get_kind_display()) in proposed
    assert cast.xinghuo.name not in proposed
    answer = draft(regulator, accident)
    assert answer.status_code == 302, answer.content.decode()
    topic = Topic.objects.get()
    assert (topic.accident_id, topic.sectors, topic.regions) == (accident.pk, [accident.sector], [accident.region_code])
    page = reverse("topic", args=[topic.pk])
    assert regulator.post(reverse("topic-issue", args=[topic.pk])).status_code == 302
    assert sheet in regulator.get(page).content.decode()
    assert topic.title in regulator.get(sheet, {"tab": "topics"}).content.decode()
    # the insurer that reported it finds the topic there as well
    assert topic.title in browser_of(Role.INSURER_CLERK).get(sheet, {"tab": "topics"}).content.decode()


def test_who_does_not_see_the_accident_reads_the_topic_without_it(cast: Cast, accident, browser_of):
    regulator = browser_of(Role.COUNTY_REGULATOR)
    draft(regulator, accident)
    topic = Topic.objects.get()
    regulator.post(reverse("topic-issue", args=[topic.pk]))
    committee = browser_of(Role.COMMITTEE)
    for browser in (committee, browser_of(Role.INSURER_MANAGER, other=True), browser_of(Role.AGENCY)):
        page = browser.get(reverse("topic", args=[topic.pk]))
        assert page.status_code == 200
        text = page.content.decode()
        assert topic.title in text
        for telling in (accident.accident_no, cast.xinghuo.name, XINGHUO, "示例伤者"):
            assert telling not in text
    # the committee lists the task of it, as of every topic
    page = committee.get(reverse("topic", args=[topic.pk]))
    assert f"{reverse('task-new')}?topic={topic.pk}" in page.content.decode()


@pytest.mark.parametrize("where", ["title", "goals"])
def test_a_topic_that_tells_where_it_happened_is_refused(cast: Cast, accident, browser_of, where):
    regulator = browser_of(Role.COUNTY_REGULATOR)
    for telling in (cast.xinghuo.name, accident.accident_no):
        answer = draft(regulator, accident, **{where: f"吸取{telling}教训"})
        assert answer.status_code == 422
    assert not Topic.objects.exists()


def test_only_who_sees_the_accident_starts_from_it(cast: Cast, accident, browser_of):
    elsewhere = browser_of(Role.CITY_REGULATOR, other=True)
    page = elsewhere.get(reverse("topic-new"), {"accident": str(accident.pk)}).content.decode()
    assert accident.accident_no not in page
    assert accident.get_kind_display() not in page
    assert browser_of(Role.COMMITTEE).get(reverse("topic-new"), {"accident": str(accident.pk)}).status_code == 403

"""Casualties as they change: inside thirty days (seven for road traffic and fire) the class follows, later it stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from anze.claims.models import Accident, CasualtyCount
from anze.claims.rules import Reporting, counts_until, recount_parameter, reporting
from anze.kernel.models import parameter
from anze.parties.rules import Role
from anze.prevention.screens.orders import policy_after
from tests.cast import NOW, XINGHUO, Cast, policy_row

DAY = timedelta(days=1)
HAPPENED = datetime(2026, 10, 1, 2, 0, tzinfo=UTC)


def report(cast: Cast, after: int, **words: Any) -> Accident:
    """An accident as told so many days after it happened."""
    row = {
        "accident_no": "A1", "insured_uscc": XINGHUO, "occurred_at": HAPPENED.isoformat(), "place": "示例车间",
        "kind": "BURN", "deaths": 2, "serious_injuries": 3, "minor_injuries": 0, "direct_loss": "100000.00",
        "hits_third_party": False, **words,
    }  # fmt: skip
    cast.accepted(cast.huaihai, "accidents", row, at=HAPPENED + after * DAY)
    return Accident.objects.get()


@pytest.fixture(autouse=True)
def covered(cast: Cast) -> None:
    cast.accepted(cast.huaihai, "policies", policy_row("P1", XINGHUO))


@pytest.mark.parametrize(
    ("kind", "after", "expected"),
    [("BURN", 30, "LARGER"), ("BURN", 31, "GENERAL"), ("FIRE", 7, "LARGER"), ("FIRE", 8, "GENERAL"),
     ("ROAD_TRAFFIC", 7, "LARGER"), ("ROAD_TRAFFIC", 8, "GENERAL")],
)  # fmt: skip
def test_a_third_death_changes_the_class_only_in_time(cast, kind, after, expected):
    assert report(cast, 0, kind=kind).accident_class == "GENERAL"
    accident = report(cast, after, kind=kind, deaths=3)
    assert (accident.deaths, accident.accident_class) == (3, expected)
    counts = CasualtyCount.objects.order_by("recorded_at").values_list("deaths", "accident_class", "is_in_time")
    assert list(counts) == [(2, "GENERAL", True), (3, expected, expected == "LARGER")]
    days = int(parameter(recount_parameter(kind), HAPPENED.date()))
    assert accident.counts_until_on == counts_until(date(2026, 10, 1), days)


def test_what_happened_in_time_and_is_told_later_counts(cast):
    report(cast, 0)
    assert report(cast, 40, deaths=3, counted_on="2026-10-20").accident_class == "LARGER"


def test_a_correction_of_other_things_keeps_no_new_count(cast):
    report(cast, 0)
    report(cast, 40, place="示例二车间")
    assert CasualtyCount.objects.count() == 1


def test_the_hour_runs_from_when_the_head_of_the_unit_learned_of_it(cast):
    assert report(cast, 0).authority_due_at == HAPPENED + timedelta(hours=1)
    learned = HAPPENED + timedelta(minutes=30)
    assert report(cast, 1, learned_at=learned.isoformat()).authority_due_at == learned + timedelta(hours=1)


moments = st.integers(0, 10_000).map(lambda minutes: HAPPENED + timedelta(minutes=minutes))


@given(due=moments, told=st.none() | moments, now=moments)
def test_a_report_is_in_time_late_missing_or_still_to_come(due, told, now):
    found = reporting(due, told, now)
    if told is not None:
        assert found is (Reporting.IN_TIME if told <= due else Reporting.LATE)
    else:
        assert found is (Reporting.RUNNING if now < due else Reporting.MISSING)


def test_after_an_accident_the_insurer_orders_a_service_in_one_click(cast, browser_of):
    accident = report(cast, 0)
    policy = policy_after(accident, NOW.date())
    assert policy is not None
    browser = browser_of(Role.INSURER_CLERK)
    page = browser.get(reverse("accident", args=[accident.pk])).content.decode()
    address = f"{reverse('order-new')}?accident={accident.pk}"
    assert address in page
    given_form = browser.get(address).content.decode()
    assert accident.accident_no in given_form

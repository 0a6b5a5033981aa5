"""Overdue hazards come up to county, city and province by working days of the calendar."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from anze.hazards.models import Hazard, escalated, level_reached, overdue_since
from anze.kernel.duty import load_calendar


@pytest.mark.parametrize(
    ("today", "workdays", "since"),
    [
        (date(2026, 11, 24), 0, date(2026, 11, 23)),
        # Friday the 20th was the last working day before Monday the 23rd: one working day after Thursday's deadline
        # has gone by on Saturday, on Sunday and on Monday
        (date(2026, 11, 21), 1, date(2026, 11, 19)),
        (date(2026, 11, 23), 1, date(2026, 11, 19)),
        (date(2026, 11, 24), 1, date(2026, 11, 22)),
        # the National Day holiday 1 to 7 October 2026 holds no working day
        (date(2026, 10, 8), 1, date(2026, 9, 29)),
    ],
)
def test_working_days_after_the_deadline(everything, today, workdays, since):
    assert overdue_since(today, workdays) == since


def test_a_hazard_is_taken_up_when_the_last_working_day_is_over(everything):
    """The same said by the calendar itself: on the day after the n-th working day after the deadline, not before."""
    calendar = load_calendar()
    for offset in range(0, 200, 3):
        due = date(2026, 1, 5) + timedelta(days=offset)
        for workdays in (1, 5, 10):
            last = calendar.add_workdays(due, workdays)
            before, after = overdue_since(last, workdays), overdue_since(last + timedelta(days=1), workdays)
            assert before is not None
            assert after is not None
            assert before < due <= after


def test_levels_of_a_general_and_a_major_hazard(found):
    general = found(deadline_on="2026-11-16", found_on="2026-11-16")
    major = found(hazard_no="H2", hazard_class="MAJOR", deadline_on="2026-11-16", found_on="2026-11-16")
    for today, levels in (
        (date(2026, 11, 16), {}),
        (date(2026, 11, 17), {"COUNTY": {major.pk}}),
        (date(2026, 11, 24), {"COUNTY": {general.pk, major.pk}, "CITY": {major.pk}}),
        (date(2026, 12, 1), {"COUNTY": {general.pk, major.pk}, "CITY": {major.pk}, "PROVINCE": {major.pk}}),
    ):
        for level in ("COUNTY", "CITY", "PROVINCE"):
            taken = set(Hazard.objects.filter(escalated(level, today)).values_list("pk", flat=True))
            assert taken == levels.get(level, set()), (today, level)
    assert level_reached("MAJOR", date(2026, 11, 16), date(2026, 11, 24)) == "CITY"
    assert level_reached("GENERAL", date(2026, 11, 16), date(2026, 11, 17)) is None


def test_an_extension_counts_and_what_is_closed_does_not(found):
    found(deadline_on="2026-11-16", found_on="2026-11-16", extended_to_on="2026-12-20", extension_reason="备件")
    closed = {
        "rectified_on": "2026-11-18",
        "verified_on": "2026-11-18",
        "verifier": "INSURER",
        "closed_on": "2026-11-18",
    }
    found(
        hazard_no="H2", hazard_class="MAJOR", deadline_on="2026-11-16", found_on="2026-11-16", state="CLOSED", **closed
    )
    assert not Hazard.objects.filter(escalated("COUNTY", date(2026, 12, 1))).exists()

"""Working days: the published examples, the calendar file itself, and laws that hold for any calendar."""

import csv
from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.workdays import CalendarEnds, WorkdayCalendar

FILE = Path(__file__).parents[2] / "anze" / "kernel" / "data" / "calendar.csv"


@cache
def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def published() -> WorkdayCalendar:
    return WorkdayCalendar((date.fromisoformat(row["date"]), row["is_workday"] == "1") for row in rows())


@pytest.mark.parametrize(
    ("event", "fifth"),
    [
        ("2026-09-30", "2026-10-13"),  # Saturday 10 October is worked
        ("2026-02-13", "2026-02-27"),  # Saturday 14 February is worked
        ("2026-04-30", "2026-05-11"),
        ("2026-09-24", "2026-10-09"),
        ("2025-09-30", "2025-10-14"),
        ("2025-01-24", "2025-02-07"),  # Sunday 26 January is worked
        ("2026-11-20", "2026-11-27"),
    ],
)
def test_the_fifth_working_day_of_the_published_examples(event: str, fifth: str) -> None:
    day = published().add_workdays(date.fromisoformat(event), 5)
    assert day.isoformat() == fifth


def test_every_day_of_five_years_is_there_with_its_source() -> None:
    assert [row["date"] for row in rows()] == [
        (date(2023, 1, 1) + timedelta(days=n)).isoformat() for n in range(len(rows()))
    ]
    assert rows()[-1]["date"] == "2027-12-31"
    assert all(row["source"] for row in rows())
    assert {row["status"] for row in rows() if row["date"] < "2027"} == {"CONFIRMED"}
    assert {row["status"] for row in rows() if row["date"] >= "2027"} == {"PROVISIONAL"}


def test_workdays_per_year() -> None:
    count = Counter(row["date"][:4] for row in rows() if row["is_workday"] == "1")
    assert count == {"2023": 249, "2024": 251, "2025": 248, "2026": 248, "2027": 254}


def test_swapped_days_and_days_off_of_the_notices() -> None:
    worked_weekends = {
        row["date"] for row in rows() if row["is_workday"] == "1" and date.fromisoformat(row["date"]).weekday() >= 5
    }
    assert {day for day in worked_weekends if day.startswith("2025")} == {
        "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11",
    }  # fmt: skip
    assert {day for day in worked_weekends if day.startswith("2026")} == {
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    }  # fmt: skip
    assert not {day for day in worked_weekends if day.startswith("2027")}
    spans = [("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05"),
             ("06-19", "06-21"), ("09-25", "09-27"), ("10-01", "10-07")]  # fmt: skip
    off_2026 = {row["date"][5:] for row in rows() if row["date"].startswith("2026") and row["name"]
                and row["is_workday"] == "0"}  # fmt: skip
    assert off_2026 == {
        row["date"][5:] for row in rows()
        if row["date"].startswith("2026") and any(a <= row["date"][5:] <= b for a, b in spans)
    }  # fmt: skip


def test_the_year_without_a_notice_has_only_the_statutory_days() -> None:
    off = {row["date"][5:] for row in rows() if row["date"].startswith("2027") and row["name"]}
    assert off == {"01-01", "02-05", "02-06", "02-07", "02-08", "04-05", "05-01", "05-02", "06-09", "09-15",
                   "10-01", "10-02", "10-03"}  # fmt: skip


def test_outside_the_calendar_is_an_error_that_names_its_ends() -> None:
    calendar = published()
    with pytest.raises(CalendarEnds) as caught:
        calendar.is_workday(date(2028, 1, 1))
    assert (caught.value.first, caught.value.last) == (date(2023, 1, 1), date(2027, 12, 31))
    assert "2027-12-31" in caught.value.message  # refused like anything a person may get wrong, never a failure of ours
    with pytest.raises(CalendarEnds):
        calendar.add_workdays(date(2027, 12, 30), 5)
    with pytest.raises(CalendarEnds):
        calendar.add_workdays(date(2023, 1, 3), -1)
    with pytest.raises(CalendarEnds):
        calendar.add_workdays(date(2022, 12, 31), 0)
    with pytest.raises(CalendarEnds):
        calendar.nth_workday(date(2027, 12, 31), 2)


def test_counting_from_a_day_off_and_from_a_workday() -> None:
    calendar = published()
    saturday = date(2026, 11, 21)
    assert calendar.add_workdays(saturday, 0) == saturday
    assert calendar.add_workdays(saturday, 1) == date(2026, 11, 23)
    assert calendar.add_workdays(saturday, -1) == date(2026, 11, 20)
    assert calendar.next_workday(saturday) == date(2026, 11, 23)
    assert calendar.next_workday(date(2026, 10, 10)) == date(2026, 10, 10)
    assert calendar.nth_workday(date(2026, 11, 23), 1) == date(2026, 11, 23)
    assert calendar.nth_workday(saturday, 2) == date(2026, 11, 24)
    with pytest.raises(ValueError, match="counts from 1"):
        calendar.nth_workday(saturday, 0)


def test_a_calendar_with_a_gap_or_a_day_twice_or_no_day_is_refused() -> None:
    monday, wednesday = date(2026, 11, 23), date(2026, 11, 25)
    with pytest.raises(ValueError, match="followed by 2026-11-25"):
        WorkdayCalendar([(wednesday, True), (monday, True)])
    with pytest.raises(ValueError, match="given twice"):
        WorkdayCalendar([(monday, True), (monday, False)])
    with pytest.raises(ValueError, match="at least one day"):
        WorkdayCalendar([])


FIRST = date(2026, 1, 1)
patterns = st.lists(st.booleans(), min_size=1, max_size=80)


def calendar_of(pattern: list[bool]) -> WorkdayCalendar:
    return WorkdayCalendar((FIRST + timedelta(days=n), worked) for n, worked in enumerate(pattern))


@given(patterns, st.data())
def test_adding_workdays_agrees_with_walking_day_by_day(pattern: list[bool], data: st.DataObject) -> None:
    calendar = calendar_of(pattern)
    start = data.draw(st.integers(0, len(pattern) - 1))
    n = data.draw(st.integers(-20, 20).filter(bool))
    step = 1 if n > 0 else -1
    place, left = start, abs(n)
    while left and 0 <= place + step < len(pattern):
        place += step
        left -= pattern[place]
    day = FIRST + timedelta(days=start)
    if left:
        with pytest.raises(CalendarEnds):
            calendar.add_workdays(day, n)
    else:
        assert calendar.add_workdays(day, n) == FIRST + timedelta(days=place)


@given(patterns, st.data())
def test_a_day_is_a_workday_exactly_if_it_was_given_as_one(pattern: list[bool], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(pattern) - 1))
    assert calendar_of(pattern).is_workday(FIRST + timedelta(days=place)) is pattern[place]

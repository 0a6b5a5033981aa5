"""The year of the province: which days are worked, and how busy each of them is."""

from __future__ import annotations

import csv
from bisect import bisect_left, bisect_right
from datetime import date, datetime, timedelta, timezone
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from random import Random

from anze.kernel.workdays import WorkdayCalendar

CALENDAR = Path(__file__).resolve().parents[2] / "kernel/data/calendar.csv"
BEIJING = timezone(timedelta(hours=8))
DAY = timedelta(days=1)


@cache
def shipped_calendar() -> WorkdayCalendar:
    """The working-day calendar the platform ships, read from its file."""
    with CALENDAR.open(encoding="utf-8", newline="") as file:
        rows = [(date.fromisoformat(row["date"]), row["is_workday"] == "1") for row in csv.DictReader(file)]
    return WorkdayCalendar(rows)


class Year:
    """The 365 days ending the day before `as_of`: the days the data are about."""

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of
        self.first = as_of - 365 * DAY
        self.last = as_of - DAY
        self.calendar = shipped_calendar()
        if self.first - 400 * DAY < self.calendar.first or as_of + 60 * DAY > self.calendar.last:
            earliest = self.calendar.first + 765 * DAY
            raise ValueError(f"the reference day must be from {earliest} to {self.calendar.last - 60 * DAY}")

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last

    @cached_property
    def _busy(self) -> list[float]:
        """Running sum of how much service work is done a day: little around Spring Festival and at weekends,
        much in the safety month of June and before the year ends."""
        found = []
        for n in range(365):
            day = self.first + n * DAY
            weight = 1.0 if self.calendar.is_workday(day) else 0.04
            weight *= {1: 0.85, 2: 0.55, 6: 1.35, 11: 1.15, 12: 1.3}.get(day.month, 1.0)
            found.append(weight)
        return list(accumulate(found))

    def service_day(self, random: Random, start: date, end: date, *, late: bool = False) -> date:
        """A day from start to end, both inside the year, on which a service is likely; `late`: put off."""
        low, high = (start - self.first).days, (end - self.first).days
        before = self._busy[low - 1] if low else 0.0
        part = random.random()
        if late:
            part = max(part, random.random())
        wanted = before + part * (self._busy[high] - before)
        return self.first + min(high, max(low, bisect_right(self._busy, wanted))) * DAY

    @cached_property
    def _beginnings(self) -> tuple[list[date], list[float]]:
        """Days on which policies begin, with the running sum of their weights: renewals peak in the first
        quarter, and many begin on the first of a month."""
        months = {1: 13, 2: 9, 3: 16, 4: 10, 5: 8, 6: 8, 7: 7, 8: 6, 9: 6.5, 10: 5.5, 11: 5.5, 12: 5.5}
        days = [self.first + n * DAY for n in range(365)]
        return days, list(accumulate(months[d.month] * (4 if d.day == 1 else 1) for d in days))

    def beginning(self, random: Random) -> date:
        """The day a policy of the year begins."""
        days, sums = self._beginnings
        return days[bisect_left(sums, random.random() * sums[-1])]

    def next_workday(self, day: date) -> date:
        return self.calendar.next_workday(day)


def moment(day: date, hour: float) -> datetime:
    """A Beijing moment, to the minute."""
    minutes = int(hour * 60)
    return datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=BEIJING)

"""Working days of the State Council calendar (工作日, 调休), as pure functions over a table in memory.

The calendar is a table because only the yearly holiday notice says which weekends are worked. Counting
follows Civil Code arts. 201-203: the day of the event is not counted. A question about a day the table
does not hold is refused with `CalendarEnds`: years whose notice is still to come stand in the table too, marked
provisional (`anze.parties.actions.reference`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from django.utils.translation import gettext_lazy as _

from anze.kernel.refusal import Refused


class CalendarEnds(Refused):
    """The answer lies outside the days the calendar holds; `first` and `last` are those it does hold."""

    def __init__(self, first: date, last: date) -> None:
        super().__init__(
            "date_out_of_calendar",
            _("The working-day calendar holds %(first)s to %(last)s only."),
            remedy=_("Give a day within it."),
            values={"first": first, "last": last},
        )
        self.first = first
        self.last = last


class WorkdayCalendar:
    """Unbroken run of days, each a workday or not. Immutable once built; safe to share between threads."""

    __slots__ = ("_workdays", "first", "last")

    first: date
    last: date

    def __init__(self, rows: Iterable[tuple[date, bool]]) -> None:
        """Takes (date, is_workday) in any order. ValueError: no rows, a gap, or a day given twice."""
        days = sorted(rows)
        if not days:
            raise ValueError("a working-day calendar needs at least one day")
        for (earlier, _was), (later, _is) in pairwise(days):
            if later - earlier != timedelta(days=1):
                what = "is given twice" if later == earlier else f"is followed by {later}"
                raise ValueError(f"working-day calendar: {earlier} {what}")
        self.first = days[0][0]
        self.last = days[-1][0]
        self._workdays = [day for day, is_workday in days if is_workday]

    def _hold(self, day: date) -> None:
        if not self.first <= day <= self.last:
            raise CalendarEnds(self.first, self.last)

    def is_workday(self, day: date) -> bool:
        self._hold(day)
        place = bisect_left(self._workdays, day)
        return place < len(self._workdays) and self._workdays[place] == day

    def add_workdays(self, day: date, n: int) -> date:
        """The n-th workday after `day` (before it, if n is negative); `day` itself, worked or not, if n is 0.

        "Within 5 working days of the event" ends with the day `add_workdays(event_day, 5)`.
        """
        self._hold(day)
        if n == 0:
            return day
        place = bisect_right(self._workdays, day) + n - 1 if n > 0 else bisect_left(self._workdays, day) + n
        return self._at(place)

    def nth_workday(self, start: date, n: int) -> date:
        """The n-th workday counted from `start`, `start` itself included if it is one; n is at least 1."""
        if n < 1:
            raise ValueError("n counts from 1")
        self._hold(start)
        return self._at(bisect_left(self._workdays, start) + n - 1)

    def next_workday(self, day: date) -> date:
        """`day` if it is a workday, else the first workday after it (Civil Code art. 203)."""
        return self.nth_workday(day, 1)

    def _at(self, place: int) -> date:
        if not 0 <= place < len(self._workdays):
            raise CalendarEnds(self.first, self.last)
        return self._workdays[place]

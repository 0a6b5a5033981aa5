"""When a record reaches the platform: in time or late, as the insurer's habits and its channel have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any, NamedTuple

import msgspec

from anze.exchange.synthetic.calendar import DAY, Year, moment
from anze.exchange.synthetic.entities import Insurer
from anze.kernel.rules import Channel

MANUAL_WORKDAYS = 5  # parameter manual_entry_workdays; by interface the day itself (interface_entry_days = 0)
_encode = msgspec.json.Encoder().encode


class Fed(NamedTuple):
    """One row as it is sent: its JSON, when it first arrived, and the last day it speaks of."""

    received_at: datetime
    settled_on: date
    body: bytes


@dataclass
class Reporter:
    """Sends one insurer's records, feed by feed, and remembers how many were late."""

    insurer: Insurer
    year: Year
    rows: dict[str, list[Fed]] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._manual = Channel(self.insurer.channel).is_manual
        # for every day the last day on which a record of it is in time
        self._due: dict[date, date] = {}
        self._days: dict[date, str] = {}

    def due(self, day: date) -> date:
        found = self._due.get(day)
        if found is None:
            found = self.year.calendar.add_workdays(day, MANUAL_WORKDAYS) if self._manual else day
            self._due[day] = found
        return found

    def send(
        self,
        feed: str,
        row: dict[str, Any],
        event: date,
        random: Random,
        *,
        settled: date | None = None,
        very_late: bool = False,
    ) -> None:
        """A record of an event. It arrives in the evening at the earliest, by the last day of the year."""
        due = self.due(event)
        chance = random.random()
        if very_late:
            day = due + int(30 + 55 * random.random()) * DAY
        elif chance < self.insurer.timeliness:
            day = event + int(random.random() ** 1.5 * ((due - event).days + 1)) * DAY
        else:
            day = due + (1 + int(random.expovariate(0.25))) * DAY
        if day > self.year.last:
            day = max(event, self.year.last)
        received = moment(day, 17.5 + 6 * random.random())
        if day > due:
            self.late[feed] = self.late.get(feed, 0) + 1
        last = day if settled is None or settled < day else settled
        self.rows.setdefault(feed, []).append(Fed(received, last, _encode(row)))

    def iso(self, day: date) -> str:
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = day.isoformat()
        return found

    def at(self, day: date, hour: float) -> str:
        """A Beijing moment as the interface takes it."""
        minutes = int(hour * 60)
        return f"{self.iso(day)}T{minutes // 60:02d}:{minutes % 60:02d}:00+08:00"


def yuan(cents: int) -> str:
    """Cents as an amount in yuan."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"

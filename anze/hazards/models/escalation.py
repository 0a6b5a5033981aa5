"""Overdue hazards go up: county, city, province, by working days after the deadline.

Nothing is stored and no job runs: the stored deadline and the day of asking say which level a hazard has reached.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Max, Q

from anze.hazards.rules import OPEN, HazardClass, Level, escalation_key
from anze.kernel.models import CalendarDay, parameter


def overdue_since(today: date, workdays: int) -> date | None:
    """The latest deadline after which more than so many working days have gone by before today.

    With none, everything that was due yesterday. None: the calendar does not reach back so far.
    """
    yesterday = today - timedelta(days=1)
    if workdays == 0:
        return yesterday
    count = CalendarDay.objects.filter(day=yesterday).values_list("ordinal", flat=True).first()
    if count is None:
        return None
    found: date | None = CalendarDay.objects.filter(ordinal__lte=count - workdays).aggregate(last=Max("day"))["last"]
    return found


def due_by(day: date) -> Q:
    """The last day, an extension included, is not after `day`."""
    return Q(deadline_on__lte=day) & (Q(extended_to_on__isnull=True) | Q(extended_to_on__lte=day))


def escalated(level: str, today: date) -> Q:
    """Open hazards a level has to take up: beyond its working days, for general and major ones."""
    found = Q(pk__in=[])
    for hazard_class in HazardClass.values:
        workdays = int(parameter(escalation_key(hazard_class, level), today))
        since = overdue_since(today, workdays)
        if since is not None:
            found |= Q(hazard_class=hazard_class) & due_by(since)
    return Q(state__in=OPEN) & found


def level_reached(hazard_class: str, last_day: date, today: date) -> Level | None:
    """The highest level that has to take up a hazard whose last day was `last_day`."""
    reached = None
    for level in Level:
        since = overdue_since(today, int(parameter(escalation_key(hazard_class, level), today)))
        if since is not None and last_day <= since:
            reached = level
    return reached

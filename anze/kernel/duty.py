"""A duty: somebody must do something within a time. Its deadline is computed once, on write, and stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import CalendarDay, parameter
from anze.kernel.workdays import WorkdayCalendar

BEIJING = ZoneInfo("Asia/Shanghai")
Unit = Literal["WORKDAYS", "DAYS"]
OURS = _("platform default")  # the source of a time that no published rule gives


def end_of_day(day: date) -> datetime:
    """24:00 Beijing time of a day."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=BEIJING)


def deadline_text(moment: datetime) -> str:
    """How a deadline reads in Beijing time. The end of a day is 24:00 of that day: 00:00 of the next would be taken for
    a day more."""
    local = moment.astimezone(BEIJING)
    if local.time() == time.min:
        return f"{local.date() - timedelta(days=1)} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"


def is_deadline(name: str) -> bool:
    """Whether a moment of this name is one until which something must be done or holds."""
    return name.endswith(("due_at", "until_at", "expires_at"))


class Party(TextChoices):
    """Whose turn it is. An authority's alert begins at the county; others come to it when they are not mended."""

    INSURER = "INSURER", _("insurer")
    AGENCY = "AGENCY", _("service agency")
    EXPERT = "EXPERT", _("expert")
    ENTERPRISE = "ENTERPRISE", _("enterprise")
    AUTHORITY = "AUTHORITY", _("authority")
    COMMITTEE = "COMMITTEE", _("service committee")
    FINANCIAL = "FINANCIAL", _("financial regulator")
    PLATFORM = "PLATFORM", _("platform operator")


@dataclass(frozen=True)
class Duty:
    """`parameter` names the number of units allowed, `after` the event that starts the clock, `whose` those who must;
    `source` is the rule it comes from."""

    code: str
    title: str | Promise
    parameter: str
    unit: Unit
    source: str | Promise
    whose: tuple[Party, ...]
    after: str | Promise

    def due_at(self, event_on: date, *, calendar: WorkdayCalendar, region_code: str = "") -> datetime:
        """End of the last day allowed, Beijing time. The day of the event itself is not counted
        (民法典 Art. 201)."""
        allowed = int(parameter(self.parameter, event_on, region_code))
        if self.unit == "WORKDAYS":
            last = calendar.add_workdays(event_on, allowed)
        else:
            last = event_on + timedelta(days=allowed)
        return end_of_day(last)


def load_duties() -> list[Duty]:
    """Every duty in the rules of the rooms, by its code."""
    found: dict[str, Duty] = {}
    for config in apps.get_app_configs():
        if config.name.startswith("anze."):
            try:
                rules = import_module(f"{config.name}.rules")
            except ModuleNotFoundError:
                continue
            parts = [
                import_module(f"{rules.__name__}.{part.name}") for part in iter_modules(getattr(rules, "__path__", ()))
            ]
            for module in (rules, *parts):
                found |= {value.code: value for value in vars(module).values() if isinstance(value, Duty)}
    return sorted(found.values(), key=lambda duty: duty.code.lower())


def load_calendar() -> WorkdayCalendar:
    """The working days as they stand in the table. Load it once for many rows."""
    return WorkdayCalendar(CalendarDay.objects.order_by("day").values_list("day", "is_workday"))


def beijing_day(moment: datetime) -> date:
    """The day it is in China at a moment; legal days begin and end there."""
    return moment.astimezone(BEIJING).date()

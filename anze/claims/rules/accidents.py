"""Accidents: their kinds, their class by order 493, and until when changed casualties change it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AccidentClass(TextChoices):
    """国务院令第493号 Art. 3; any one of deaths, serious injuries, direct loss suffices."""

    INCIDENT = "INCIDENT", _("incident below the classes")
    GENERAL = "GENERAL", _("general accident")
    LARGER = "LARGER", _("larger accident")
    MAJOR = "MAJOR", _("major accident")
    EXTRA_MAJOR = "EXTRA_MAJOR", _("extra-major accident")


# what is measured, and the classes that thresholds lead to, the highest first
ACCIDENT_MEASURES = ("deaths", "serious_injuries", "direct_loss")
ACCIDENT_CLASSES = (AccidentClass.EXTRA_MAJOR, AccidentClass.MAJOR, AccidentClass.LARGER)


def accident_threshold(found: AccidentClass, measure: str) -> str:
    """The parameter that holds the number from which on (以上 includes) an accident is of a class."""
    return f"accident_class.{found.value}.{measure}"


def accident_class(
    deaths: int, serious_injuries: int, direct_loss: Decimal, *, thresholds: Mapping[str, Decimal]
) -> AccidentClass:
    """The class by order 493: the highest that any of the three measures reaches. Loss in yuan.

    `thresholds` are the parameters `accident_class.*` in force on the day of the accident, by key."""
    measured = (Decimal(deaths), Decimal(serious_injuries), direct_loss)
    reached = dict(zip(ACCIDENT_MEASURES, measured, strict=True))
    for found in ACCIDENT_CLASSES:
        if any(reached[measure] >= thresholds[accident_threshold(found, measure)] for measure in reached):
            return found
    if deaths or serious_injuries:
        return AccidentClass.GENERAL
    return AccidentClass.INCIDENT


class AccidentType(TextChoices):
    STRUCK = "STRUCK", _("struck by object")
    VEHICLE = "VEHICLE", _("vehicle injury")
    MACHINE = "MACHINE", _("machinery injury")
    FALL = "FALL", _("fall from height")
    ELECTRIC = "ELECTRIC", _("electric shock")
    BURN = "BURN", _("burn or scald")
    FIRE = "FIRE", _("fire")
    EXPLOSION = "EXPLOSION", _("explosion")
    POISONING = "POISONING", _("poisoning or suffocation")
    COLLAPSE = "COLLAPSE", _("collapse")
    DROWNING = "DROWNING", _("drowning")
    ROAD_TRAFFIC = "ROAD_TRAFFIC", _("road traffic accident")
    OTHER = "OTHER", _("other")


# 国务院令第493号 Art. 13: casualties of these two are counted for seven days, of all others for thirty
COUNTED_SHORTER = (AccidentType.ROAD_TRAFFIC, AccidentType.FIRE)


def recount_parameter(kind: str) -> str:
    """The parameter that holds for how many days changed casualties change the class of an accident.

    Written a second time on purpose, like `counts_until`: the feed of accidents works both out in SQL, and the tests
    hold its answer against these.
    """
    return "casualty_recount_days_road_fire" if kind in COUNTED_SHORTER else "casualty_recount_days"


def counts_until(occurred_on: date, days: int) -> date:
    """The last day on which a death or an injury still counts for the class (国务院令第493号 Art. 13)."""
    return occurred_on + timedelta(days=days)


class Reporting(TextChoices):
    """How the enterprise kept the clock of 国务院令第493号 Art. 9."""

    IN_TIME = "IN_TIME", _("reported in time")
    LATE = "LATE", _("reported late")
    MISSING = "MISSING", _("not reported")
    RUNNING = "RUNNING", _("still to be reported")


def reporting(due_at: datetime, reported_at: datetime | None, now: datetime) -> Reporting:
    if reported_at is not None:
        return Reporting.IN_TIME if reported_at <= due_at else Reporting.LATE
    return Reporting.RUNNING if now < due_at else Reporting.MISSING

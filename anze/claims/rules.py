"""Code lists and pure rules of accidents and claims."""

from __future__ import annotations

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


# class, deaths, serious injuries, direct loss in yuan: from this on (以上 includes)
ACCIDENT_STEPS: tuple[tuple[AccidentClass, int, int, Decimal], ...] = (
    (AccidentClass.EXTRA_MAJOR, 30, 100, Decimal(100_000_000)),
    (AccidentClass.MAJOR, 10, 50, Decimal(50_000_000)),
    (AccidentClass.LARGER, 3, 10, Decimal(10_000_000)),
)


def accident_class(deaths: int, serious_injuries: int, direct_loss: Decimal) -> AccidentClass:
    """The class by order 493: the highest that any of the three measures reaches."""
    for found, from_deaths, from_injuries, from_loss in ACCIDENT_STEPS:
        if deaths >= from_deaths or serious_injuries >= from_injuries or direct_loss >= from_loss:
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
    OTHER = "OTHER", _("other")


class ClaimState(TextChoices):
    NOTIFIED = "NOTIFIED", _("loss notified")
    REGISTERED = "REGISTERED", _("registered")
    SURVEYED = "SURVEYED", _("surveyed")
    DOCS_COMPLETE = "DOCS_COMPLETE", _("documents complete")
    ASSESSED = "ASSESSED", _("assessed")
    AGREED = "AGREED", _("amount agreed")
    PAID = "PAID", _("paid")
    CLOSED = "CLOSED", _("closed")
    REJECTED = "REJECTED", _("rejected")
    CANCELLED = "CANCELLED", _("cancelled")
    CLOSED_ZERO = "CLOSED_ZERO", _("closed without payment")


class VictimKind(TextChoices):
    WORKER = "WORKER", _("worker")
    THIRD_PARTY = "THIRD_PARTY", _("third party")


class InjuryDegree(TextChoices):
    DEATH = "DEATH", _("death")
    SERIOUS = "SERIOUS", _("serious injury")
    MINOR = "MINOR", _("minor injury")
    PROPERTY = "PROPERTY", _("property damage")


class PaymentKind(TextChoices):
    ADVANCE = "ADVANCE", _("advance payment")
    SETTLEMENT = "SETTLEMENT", _("settlement")
    COSTS = "COSTS", _("rescue, appraisal or litigation costs")
    RECOVERY = "RECOVERY", _("recovery")

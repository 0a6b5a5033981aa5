"""Code lists and pure rules of accidents and claims."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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
    OTHER = "OTHER", _("other")


class ClaimState(TextChoices):
    NOTIFIED = "NOTIFIED", _("loss notified")
    REGISTERED = "REGISTERED", _("registered")
    SURVEYED = "SURVEYED", _("surveyed")
    DOCS_COMPLETE = "DOCS_COMPLETE", _("documents complete")
    ASSESSED = "ASSESSED", _("assessed")
    AGREED = "AGREED", _("amount agreed")
    PAID = "PAID", pgettext_lazy("claim", "paid")
    CLOSED = "CLOSED", pgettext_lazy("claim", "closed")
    REJECTED = "REJECTED", pgettext_lazy("claim", "rejected")
    CANCELLED = "CANCELLED", pgettext_lazy("claim", "cancelled")
    CLOSED_ZERO = "CLOSED_ZERO", _("closed without payment")


# step of a claim → the steps that come before it; the survey may precede the registration
CLAIM_STEPS: dict[str, tuple[str, ...]] = {
    "notified_at": (),
    "registered_at": ("notified_at",),
    "surveyed_at": ("notified_at",),
    "docs_complete_at": ("notified_at",),
    "assessed_at": ("notified_at", "registered_at", "surveyed_at"),
    "agreed_at": ("notified_at", "registered_at", "surveyed_at", "assessed_at"),
    "paid_at": ("notified_at", "registered_at", "surveyed_at", "assessed_at", "agreed_at"),
    "closed_at": ("notified_at", "registered_at", "surveyed_at", "assessed_at", "agreed_at", "paid_at"),
}

CLAIM_ENDS = (ClaimState.CLOSED, ClaimState.REJECTED, ClaimState.CANCELLED, ClaimState.CLOSED_ZERO)

# state → the moment it must have
CLAIM_MOMENTS: dict[ClaimState, str] = {
    ClaimState.REGISTERED: "registered_at",
    ClaimState.SURVEYED: "surveyed_at",
    ClaimState.DOCS_COMPLETE: "docs_complete_at",
    ClaimState.ASSESSED: "assessed_at",
    ClaimState.AGREED: "agreed_at",
    ClaimState.PAID: "paid_at",
    **dict.fromkeys(CLAIM_ENDS, "closed_at"),
}


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

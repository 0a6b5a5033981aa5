"""Code lists of underwriting."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ObligationReason(TextChoices):
    """Why an enterprise must insure. A classification by the regulator, never derived from the industry code."""

    LAW_SECTOR = "LAW_SECTOR", _("one of the eight sectors (安全生产法 Art. 51)")
    NOTICE_352 = "NOTICE_352", _("full coverage by the end of 2026 (应急厅函〔2026〕352号)")
    LOCAL_RULE = "LOCAL_RULE", _("local rule")


class ObligationState(TextChoices):
    CONFIRMED = "CONFIRMED", _("confirmed")
    DISPUTED = "DISPUTED", _("disputed")
    UNCERTAIN = "UNCERTAIN", _("to be verified")


class UnderwritingNature(TextChoices):
    SOLE = "SOLE", _("sole insurer")
    COINSURANCE = "COINSURANCE", _("co-insurance")


class EndorsementKind(TextChoices):
    HEADCOUNT = "HEADCOUNT", _("headcount")
    LIMIT = "LIMIT", _("limit")
    PERIOD = "PERIOD", _("period")
    PREMIUM = "PREMIUM", _("premium")
    CANCEL = "CANCEL", _("cancellation")
    OTHER = "OTHER", _("other")


class PolicyState(TextChoices):
    """Derived from dates, never trusted from input."""

    NOT_YET = "NOT_YET", _("not yet in force")
    IN_FORCE = "IN_FORCE", _("in force")
    EXPIRING = "EXPIRING", _("expires within 30 days")
    EXPIRED = "EXPIRED", _("expired")
    CANCELLED = "CANCELLED", _("cancelled")


EXPIRES_SOON = timedelta(days=30)


def policy_state(start_on: date, cover_end_on: date, cancelled_on: date | None, today: date) -> PolicyState:
    """Where a policy stands on a day. `cover_end_on` is the last day of cover, `cancelled_on` the first without."""
    if cancelled_on is not None and cancelled_on <= today:
        return PolicyState.CANCELLED
    if today < start_on:
        return PolicyState.NOT_YET
    if today > cover_end_on:
        return PolicyState.EXPIRED
    return PolicyState.EXPIRING if cover_end_on - today <= EXPIRES_SOON else PolicyState.IN_FORCE

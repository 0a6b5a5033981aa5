"""Code lists of policies, and where a policy stands in its life."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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
    """Derived from dates, endorsements and the successor; never trusted from input."""

    NOT_YET = "NOT_YET", _("bound, not yet in force")
    IN_FORCE = "IN_FORCE", _("in force")
    ENDORSED = "ENDORSED", pgettext_lazy("policy", "in force, endorsed")
    EXPIRING = "EXPIRING", _("expires soon")
    RENEWING = "RENEWING", pgettext_lazy("policy", "in force, renewal ready")
    EXPIRED = "EXPIRED", _("expired")
    RENEWED = "RENEWED", pgettext_lazy("policy", "renewed")
    CANCELLED = "CANCELLED", pgettext_lazy("policy", "cancelled")


POLICY_TONES = {
    "NOT_YET": "info", "IN_FORCE": "success", "ENDORSED": "success", "EXPIRING": "warning", "RENEWING": "success",
    "EXPIRED": "", "RENEWED": "", "CANCELLED": "danger",
}  # fmt: skip
# a following policy renews if it begins at most so long before the end of cover; one that begins later than
# a year after it is new business
RENEWS_EARLY = timedelta(days=31)
NEW_BUSINESS_AFTER = timedelta(days=365)


def policy_state(
    start_on: date,
    cover_end_on: date,
    cancelled_on: date | None,
    today: date,
    *,
    soon: int,
    endorsed_on: date | None = None,
    renewed_on: date | None = None,
) -> PolicyState:
    """Where a policy stands on a day, which expires soon in the last `soon` days. `cover_end_on` is the last day of cover, `cancelled_on` the first without;
    `renewed_on` is the first day of the policy that follows it."""
    if cancelled_on is not None and cancelled_on <= today:
        return PolicyState.CANCELLED
    if today < start_on:
        return PolicyState.NOT_YET
    if today > cover_end_on:
        return PolicyState.RENEWED if renewed_on is not None else PolicyState.EXPIRED
    if cancelled_on is None and cover_end_on - today <= timedelta(days=soon):
        return PolicyState.RENEWING if renewed_on is not None else PolicyState.EXPIRING
    if endorsed_on is not None and endorsed_on <= today:
        return PolicyState.ENDORSED
    return PolicyState.IN_FORCE


def gap_days(cover_end_on: date, following_on: date) -> int:
    """Days without cover between the last day of one policy and the first of the next."""
    return max(0, (following_on - cover_end_on).days - 1)

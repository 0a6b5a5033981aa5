"""Claim payout: money paid and reserved against premium, in three readings, and how quickly it is paid."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.monitoring.definitions.money import MONEY
from anze.monitoring.rules import Direction, Family, Indicator, Unit, Words

_SOURCE = "行业通行口径；山东省未公布"


def _ratio(code: str, title: Words, about: Words, numerator: str, denominator: str) -> Indicator:
    unit, direction = Unit.RATIO, Direction.NONE
    return Indicator(
        code, title, about, Family.PAYOUT, MONEY, numerator, denominator, unit, direction, _SOURCE, money=True
    )


PAYOUT_INDICATORS = (
    _ratio(
        "claim_payout_incurred",
        _("Claim payout ratio (incurred)"),
        _("Paid and outstanding for losses of the period, of the premium received in it."),
        "incurred",
        "premium",
    ),
    _ratio(
        "claim_payout_paid",
        _("Claim payout ratio (paid)"),
        _("Paid in the period, of the premium received in it."),
        "claims_paid",
        "premium",
    ),
    _ratio(
        "claim_payout_matured",
        _("Claim payout ratio (matured)"),
        _(
            "Paid and outstanding under the policies that began in the period, of their premium earned so "
            "far (the month under way included)."
        ),
        "matured_incurred",
        "earned_premium",
    ),
    Indicator(
        "claim_settlement_rate",
        _("Claims settled with payment"),
        _("Claims concluded with an advance or settlement paid, of those notified in the period within cover."),
        Family.PAYOUT,
        MONEY,
        "settled",
        "notified",
        Unit.RATIO,
        Direction.NONE,
        _SOURCE,
    ),
    Indicator(
        "avg_days_to_pay",
        _("Average days to the first payment"),
        _(
            "Days from the loss notice to the first advance or settlement, over the claims notified in the "
            "period within cover and paid."
        ),
        Family.PAYOUT,
        MONEY,
        "days_to_pay",
        "paid_claims",
        Unit.DAYS,
        Direction.DOWN,
        _SOURCE,
    ),
)

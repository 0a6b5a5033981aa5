"""Settling with agencies, and sharing a cost so that the cents add up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission


class StatementState(TextChoices):
    DRAWN = "DRAWN", _("to be confirmed")
    DISPUTED = "DISPUTED", pgettext_lazy("statement", "objected to")
    CONFIRMED = "CONFIRMED", _("confirmed by both, to be paid")
    SETTLED = "SETTLED", pgettext_lazy("statement", "paid")


STATEMENT_TONES: dict[str, str] = {
    StatementState.DRAWN: "info",
    StatementState.DISPUTED: "warning",
    StatementState.CONFIRMED: "warning",
    StatementState.SETTLED: "success",
}


class PriceSource(TextChoices):
    """Where the price of a line came from: the first of these that there is, until the insurer corrects it."""

    AGREEMENT = "AGREEMENT", pgettext_lazy("price", "by framework agreement")
    ORDER = "ORDER", pgettext_lazy("price", "by the order")
    PLAN = "PLAN", pgettext_lazy("price", "as planned")
    CHARGED = "CHARGED", pgettext_lazy("price", "as charged")
    NONE = "NONE", pgettext_lazy("price", "no price known")
    CORRECTED = "CORRECTED", pgettext_lazy("price", "corrected by the insurer")


_S = StatementState
STATEMENT_LIFECYCLE = Lifecycle(
    _S.DRAWN,
    (
        Transition("object", (_S.DRAWN,), _S.DISPUTED, _("Object"), Permission.SETTLE_EXPENSES),
        Transition("correct", (_S.DRAWN, _S.DISPUTED), _S.DRAWN, _("Correct a price"), Permission.KEEP_EXPENSES),
        Transition("agree", (_S.DRAWN,), _S.CONFIRMED, _("Confirm"), Permission.SETTLE_EXPENSES),
        Transition("settle", (_S.CONFIRMED,), _S.SETTLED, _("Settle"), Permission.KEEP_EXPENSES),
        Transition("reopen", (_S.SETTLED,), _S.CONFIRMED, _("Take the settlement back"), Permission.KEEP_EXPENSES),
    ),
)

# no published rule says when an agency is to be paid; thirty days are the platform's own
SETTLEMENT = Duty(
    "SETTLEMENT",
    _("pay an agency after both confirmed the statement"),
    "settlement_days",
    "DAYS",
    OURS,
    (Party.INSURER,),
    pgettext_lazy("clock starts", "both have confirmed the statement"),
)

CENT = Decimal("0.01")


def shares(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`total` divided by `weights`, in cents that add up to it exactly: each gets what it is owed rounded down, and
    the cents left go to those who lost most by that (largest remainder; of equals the first)."""
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("nothing to divide by")
    cents = int(total / CENT)
    owed = [cents * weight / whole for weight in weights]
    made = [int(each) for each in owed]
    order = sorted(range(len(weights)), key=lambda n: (made[n] - owed[n], n))
    for n in order[: cents - sum(made)]:
        made[n] += 1
    return [each * CENT for each in made]

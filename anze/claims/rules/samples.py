"""Claims drawn for review: at random, or out of those whose amount stands apart; and how a reviewer marks them."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.rules import Criterion


class SampleKind(TextChoices):
    RANDOM = "RANDOM", _("at random, out of all claims of the period")
    VARIANCE = "VARIANCE", _("out of the claims whose amount stands apart")


class ReviewState(TextChoices):
    WAITING = "WAITING", _("to be marked")
    RETURNED = "RETURNED", pgettext_lazy("claim review", "returned")
    ANSWERED = "ANSWERED", _("answered, to be marked again")
    PASSED = "PASSED", _("passed")


REVIEW = Lifecycle(
    ReviewState.WAITING,
    (
        Transition("pass", (ReviewState.WAITING, ReviewState.ANSWERED), ReviewState.PASSED, _("Pass")),
        Transition("return", (ReviewState.WAITING, ReviewState.ANSWERED), ReviewState.RETURNED, _("Return")),
        Transition("answer", (ReviewState.RETURNED,), ReviewState.ANSWERED, _("Answer the return")),
    ),
)


REVIEW_SHEET: tuple[Criterion, ...] = (
    Criterion(
        "liability", _("Whether the policy covered it was judged rightly, and the reasons stand in the file"), 30
    ),
    Criterion("amount", _("The amount follows from the documents and the contract"), 30),
    Criterion("clocks", _("Registration, assessment, payment and letters kept the days of the law"), 20),
    Criterion("documents", _("Documents are complete, and what was missing was asked for once"), 10),
    Criterion("conduct", _("Enterprise and injured were told what they needed to know"), 10),
)


def fences(low: float, high: float, width: float) -> tuple[float, float]:
    """Between which amounts a claim is usual: so many times the middle half beyond its ends (Tukey)."""
    reach = (high - low) * width
    return low - reach, high + reach

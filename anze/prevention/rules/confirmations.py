"""The enterprise's word about a service, disputes, and how private ratings may be shown."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition


class Answer(TextChoices):
    YES = "YES", _("yes, this happened")
    NOBODY = "NOBODY", _("nobody came")
    WRONG = "WRONG", _("something is wrong")


class Way(TextChoices):
    LINK = "LINK", _("by link or code")
    ACCOUNT = "ACCOUNT", _("signed in")


class DisputeKind(TextChoices):
    NOBODY = "NOBODY", _("nobody came")
    WRONG = "WRONG", _("something is wrong")


class DisputeState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("dispute", "open")
    ANSWERED = "ANSWERED", pgettext_lazy("dispute", "answered")
    CLOSED = "CLOSED", pgettext_lazy("dispute", "closed")


class DisputeFinding(TextChoices):
    HAPPENED = "HAPPENED", _("the service took place")
    NOT_HAPPENED = "NOT_HAPPENED", _("the service did not take place")
    CORRECTED = "CORRECTED", _("the record was corrected")
    WITHDRAWN = "WITHDRAWN", _("the enterprise withdrew it")


DISPUTE = Lifecycle(
    DisputeState.OPEN,
    (
        Transition("answer", (DisputeState.OPEN,), DisputeState.ANSWERED, _("Answer")),
        Transition("close", (DisputeState.OPEN, DisputeState.ANSWERED), DisputeState.CLOSED, _("Close")),
    ),
)

# a service that did not take place counts nowhere
DISCREDITING = (DisputeFinding.NOT_HAPPENED,)

ANSWER_DISPUTE = Duty(
    "answer_dispute",
    _("Answer an enterprise that disputes a service"),
    "complaint_answer_workdays",
    "WORKDAYS",
    "AQ 9010-2019《安全生产责任保险事故预防技术服务规范》",
    (Party.INSURER, Party.AGENCY),
    pgettext_lazy("clock starts", "the dispute is raised"),
)


def quarter_of(day: date) -> str:
    return f"{day.year}Q{(day.month + 2) // 3}"


def shown_mean(count: int, total: int, at_least: int) -> Decimal | None:
    """The mean of ratings as the rated may read it: of at least so many, to half a star, between 1.5 and 4.5.

    A mean of exactly one or five stars would tell what every single one said; hence the ends are cut off.
    """
    if count < max(at_least, 2):
        return None
    half_stars = (Decimal(2 * total) / count).quantize(Decimal(1), ROUND_HALF_UP)
    return min(max(half_stars / 2, Decimal("1.5")), Decimal("4.5"))

"""Quality checks by sampling: the states of a service drawn, and what it is marked by."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.rules import Criterion


class CheckState(TextChoices):
    WAITING = "WAITING", _("to be marked")
    RESUBMITTED = "RESUBMITTED", _("corrected, to be marked again")
    RETURNED = "RETURNED", pgettext_lazy("quality check", "returned")
    PASSED = "PASSED", _("passed")


CHECK = Lifecycle(
    CheckState.WAITING,
    (
        Transition("pass", (CheckState.WAITING, CheckState.RESUBMITTED), CheckState.PASSED, _("Pass")),
        Transition("return", (CheckState.WAITING, CheckState.RESUBMITTED), CheckState.RETURNED, _("Return")),
        Transition("resubmit", (CheckState.RETURNED,), CheckState.RESUBMITTED, _("Submit again")),
    ),
)


# AQ 9010: what a service and its record must be, put into lines that can be marked
SHEET: tuple[Criterion, ...] = (
    Criterion("real", _("The service took place: time, place, persons and pictures fit together"), 30),
    Criterion("persons", _("The persons were qualified for the item on that day"), 15),
    Criterion("content", _("What was done fits the plan and the risks of the enterprise"), 20),
    Criterion("findings", _("Findings are concrete, with basis, advice and deadline"), 20),
    Criterion("word", _("The enterprise was told in writing and confirmed"), 15),
)

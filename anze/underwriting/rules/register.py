"""The obligation register: code lists, disputes and what a decision makes of an entry."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission


class ObligationReason(TextChoices):
    """Why an enterprise must insure. A classification by the regulator, never derived from the industry code."""

    LAW_SECTOR = "LAW_SECTOR", _("one of the eight sectors (安全生产法 Art. 51)")
    NOTICE_352 = "NOTICE_352", _("full coverage by the end of 2026 (应急厅函〔2026〕352号)")
    LOCAL_RULE = "LOCAL_RULE", _("local rule")


class ObligationState(TextChoices):
    CONFIRMED = "CONFIRMED", _("confirmed")
    DISPUTED = "DISPUTED", _("disputed")
    UNCERTAIN = "UNCERTAIN", _("to be verified")


REGISTER_TONES = {"CONFIRMED": "success", "DISPUTED": "danger", "UNCERTAIN": "warning"}


class Ground(TextChoices):
    """Why somebody says that an entry is wrong."""

    NOT_OBLIGED = "NOT_OBLIGED", _("does not have to insure")
    CLOSED = "CLOSED", _("is closed")
    SUSPENDED = "SUSPENDED", _("has suspended its operation")
    DUPLICATE = "DUPLICATE", _("is on the register twice")
    WORKERS = "WORKERS", _("the number of workers is wrong")


# grounds that need the day since when
DATED = (Ground.CLOSED, Ground.SUSPENDED)


class Side(TextChoices):
    """Who speaks."""

    AUTHORITY = "AUTHORITY", _("authority")
    INSURER = "INSURER", _("insurer")
    ENTERPRISE = "ENTERPRISE", _("enterprise")
    PLATFORM = "PLATFORM", _("platform")


class DisputeState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("dispute", "to be decided")
    GRANTED = "GRANTED", pgettext_lazy("dispute", "granted")
    REFUSED = "REFUSED", pgettext_lazy("dispute", "entry stands")


DISPUTE_TONES = {"OPEN": "warning", "GRANTED": "success", "REFUSED": ""}
DISPUTE = Lifecycle(
    "OPEN",
    (
        Transition("grant", ("OPEN",), "GRANTED", _("Grant"), Permission.KEEP_REGISTER),
        Transition("refuse", ("OPEN",), "REFUSED", _("The entry stands"), Permission.KEEP_REGISTER),
    ),
)
DECIDE_DISPUTE = Duty(
    "DECIDE_DISPUTE", _("Decide a dispute about the register"), "register_dispute_workdays", "WORKDAYS",
    OURS,
    (Party.AUTHORITY,),
    pgettext_lazy("clock starts", "the dispute is raised"),
)  # fmt: skip

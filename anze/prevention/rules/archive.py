"""Papers the archive holds (AQ 9010 §7.4), and the states of a file made of it."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PaperKind(TextChoices):
    """AQ 9010 §7.4: contracts with experts and agencies and what they did, and the annual evaluation report."""

    CONTRACT = "CONTRACT", _("contract with an agency")
    AGENCY_EVALUATION = "AGENCY_EVALUATION", _("yearly evaluation of an agency")
    ANNUAL_REPORT = "ANNUAL_REPORT", _("annual evaluation report of a policy")


class PackState(TextChoices):
    WAITING = "WAITING", pgettext_lazy("archive", "waiting")
    PACKING = "PACKING", pgettext_lazy("archive", "being packed")
    READY = "READY", pgettext_lazy("archive", "ready")
    FAILED = "FAILED", pgettext_lazy("archive", "failed")
    GONE = "GONE", pgettext_lazy("archive", "no longer kept")


UNDER_WAY = (PackState.WAITING, PackState.PACKING)

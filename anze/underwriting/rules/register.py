"""Code lists of the obligation register."""

from __future__ import annotations

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

"""Code lists of the expense records."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ExpenseCategory(TextChoices):
    INSPECTION = "INSPECTION", _("hazard inspection")
    TRAINING = "TRAINING", _("training")
    DRILL = "DRILL", _("emergency drill")
    RISK_ASSESSMENT = "RISK_ASSESSMENT", _("risk assessment")
    STANDARDISATION = "STANDARDISATION", _("standardisation")
    TECHNOLOGY = "TECHNOLOGY", _("safety technology")
    PUBLICITY = "PUBLICITY", _("publicity material")
    EXPERT_FEE = "EXPERT_FEE", _("expert fee")
    TSP_FEE = "TSP_FEE", _("agency fee")
    OTHER = "OTHER", _("other prevention expense")


class Allocation(TextChoices):
    """How a cost reaches the policies it serves."""

    DIRECT = "DIRECT", _("one policy")
    BY_PREMIUM = "BY_PREMIUM", _("shared by premium")

"""The same hazard at the same enterprise again: how it is recognised, and what a person says to it."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Sameness(TextChoices):
    """Why two hazards are taken for one, from the surest to the one that needs the closest look."""

    ENTRY = "ENTRY", _("the same entry of the hazard library")
    CRITERION = "CRITERION", _("the same criterion")
    WORDS = "WORDS", _("nearly the same words")


class RecurrenceState(TextChoices):
    PROPOSED = "PROPOSED", _("proposed")
    LINKED = "LINKED", _("the same hazard again")
    REJECTED = "REJECTED", _("another hazard")

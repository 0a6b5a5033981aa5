"""Code lists of the data exchange."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class BatchState(TextChoices):
    RECEIVED = "RECEIVED", _("received")
    DONE = "DONE", _("processed")
    FAILED = "FAILED", _("failed")


class Outcome(TextChoices):
    """What became of one row; a batch keeps one letter a row."""

    CREATED = "A", _("created")
    UPDATED = "U", _("updated")
    UNCHANGED = "S", _("unchanged")
    REJECTED = "R", _("rejected")


class KeyAlgorithm(TextChoices):
    ED25519 = "ed25519", _("Ed25519")
    HMAC_SHA256 = "hmac-sha256", _("HMAC-SHA-256")

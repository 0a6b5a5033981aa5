"""Code lists of hazards."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from anze.kernel.rules import HazardClass as HazardClass  # the library below speaks of it too


class HazardSource(TextChoices):
    SERVICE = "SERVICE", _("found by a service")
    SELF_CHECK = "SELF_CHECK", _("found by the enterprise itself")
    REGULATOR = "REGULATOR", _("found by an authority")


class HazardState(TextChoices):
    FOUND = "FOUND", _("found")
    NOTIFIED = "NOTIFIED", _("notified in writing")
    RECTIFYING = "RECTIFYING", _("being rectified")
    SUBMITTED = "SUBMITTED", _("rectification submitted")
    CLOSED = "CLOSED", _("verified and closed")
    SHUT_DOWN = "SHUT_DOWN", _("enterprise shut down")


class VerifierKind(TextChoices):
    """Closed means verified by one of these, not merely “the enterprise says done”."""

    INSURER = "INSURER", _("insurer")
    AGENCY = "AGENCY", _("service agency")
    REGULATOR = "REGULATOR", _("regulator")

"""Code lists of prevention services."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from anze.kernel.rules import ServiceType as ServiceType  # the library below speaks of it too

# `SEVEN` folds the nine classes into the seven
SEVEN: dict[ServiceType, ServiceType] = {
    ServiceType.OCCHEALTH: ServiceType.RISK,
    ServiceType.CONSULT: ServiceType.OTHER,
}


class ServiceForm(TextChoices):
    OWN_STAFF = "OWN_STAFF", _("insurer's own safety staff")
    HIRED_EXPERT = "HIRED_EXPERT", _("hired external professionals")
    COMMISSIONED_TSP = "COMMISSIONED_TSP", _("commissioned service agency")
    OTHER_AGREED = "OTHER_AGREED", _("other agreed form")


class StandardEdition(TextChoices):
    AQ9010_2019 = "AQ9010_2019", _("AQ 9010-2019")
    AQ9010_2026 = "AQ9010_2026", _("AQ 9010.x—2026")


class ConfirmationMethod(TextChoices):
    SIGNATURE = "SIGNATURE", _("signature on site")
    SEAL = "SEAL", _("company seal")
    ONLINE = "ONLINE", _("online confirmation")
    NONE = "NONE", _("not confirmed")


class PersonKind(TextChoices):
    EXPERT = "EXPERT", _("expert")
    INSURER_STAFF = "INSURER_STAFF", _("insurer's staff")
    AGENCY_STAFF = "AGENCY_STAFF", _("agency's staff")

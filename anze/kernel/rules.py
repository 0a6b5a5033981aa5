"""Code lists every room shares. Stored values are upper-case words."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ParameterStatus(TextChoices):
    CONFIRMED = "CONFIRMED", _("confirmed")
    UNVERIFIED = "UNVERIFIED", _("unverified")
    DESIGN = "DESIGN", _("platform default")


class CalendarStatus(TextChoices):
    CONFIRMED = "CONFIRMED", pgettext_lazy("calendar", "published")
    PROVISIONAL = "PROVISIONAL", _("provisional: holiday arrangement not yet published")


class Channel(TextChoices):
    """The four ways in. All end in the same checks and the same writes."""

    API = "API", _("interface")
    APP = "APP", _("app connector")
    EXCEL = "EXCEL", _("Excel upload")
    WEB = "WEB", _("web form")

    @property
    def is_manual(self) -> bool:
        return self in (Channel.EXCEL, Channel.WEB)


class Sector(TextChoices):
    """Who must insure: the eight sectors of 安全生产法 Art. 51 and 应急〔2025〕27号. OTHER is voluntary."""

    MINE = "MINE", _("Mines")
    HAZCHEM = "HAZCHEM", _("Hazardous chemicals")
    FIREWORK = "FIREWORK", _("Fireworks")
    TRANSPORT = "TRANSPORT", _("Transport")
    CONSTR = "CONSTR", _("Construction")
    CIVEXP = "CIVEXP", _("Civil explosives")
    SMELT = "SMELT", _("Metal smelting")
    FISHERY = "FISHERY", _("Fishery production")
    OTHER = "OTHER", _("Other (voluntary)")


MANDATORY_SECTORS = tuple(sector for sector in Sector if sector is not Sector.OTHER)

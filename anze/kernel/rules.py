"""Code lists every room shares. Stored values are upper-case words."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ParameterStatus(TextChoices):
    CONFIRMED = "CONFIRMED", _("confirmed")
    UNVERIFIED = "UNVERIFIED", _("unverified")
    DESIGN = "DESIGN", _("platform default")


class ParameterUnit(TextChoices):
    CODE = "code", pgettext_lazy("unit", "code")
    DAYS = "days", pgettext_lazy("unit", "days")
    ENTERPRISES = "enterprises", pgettext_lazy("unit", "enterprises")
    FILES = "files", pgettext_lazy("unit", "files")
    HOURS = "hours", pgettext_lazy("unit", "hours")
    KM = "km", pgettext_lazy("unit", "km")
    KM_PER_HOUR = "km per hour", pgettext_lazy("unit", "km per hour")
    MEGABYTES = "megabytes", pgettext_lazy("unit", "megabytes")
    MEGAPIXELS = "megapixels", pgettext_lazy("unit", "megapixels")
    METRES = "metres", pgettext_lazy("unit", "metres")
    MINUTES = "minutes", pgettext_lazy("unit", "minutes")
    NUMBER = "number", pgettext_lazy("unit", "number")
    PERCENT = "percent", pgettext_lazy("unit", "percent")
    PERSONS = "persons", pgettext_lazy("unit", "persons")
    POINTS = "points", pgettext_lazy("unit", "points")
    RATINGS = "ratings", pgettext_lazy("unit", "ratings")
    RATIO = "ratio", pgettext_lazy("unit", "ratio")
    RECORDS = "records", pgettext_lazy("unit", "records")
    SECONDS = "seconds", pgettext_lazy("unit", "seconds")
    TIMES = "times", pgettext_lazy("unit", "times")
    WORKDAYS = "workdays", pgettext_lazy("unit", "workdays")
    YEARS = "years", pgettext_lazy("unit", "years")
    YUAN = "yuan", pgettext_lazy("unit", "yuan")


class CalendarStatus(TextChoices):
    CONFIRMED = "CONFIRMED", pgettext_lazy("calendar", "published")
    PROVISIONAL = "PROVISIONAL", _("provisional: holiday arrangement not yet published")


class Channel(TextChoices):
    """The ways in. All end in the same checks and the same writes."""

    API = "API", _("interface")
    APP = "APP", _("app connector")
    EXCEL = "EXCEL", _("Excel upload")
    WEB = "WEB", _("web form")
    PHONE = "PHONE", _("on-site app")

    @property
    def is_manual(self) -> bool:
        return self in (Channel.EXCEL, Channel.WEB)


class SampleState(TextChoices):
    FIXED = "FIXED", _("population fixed, seed awaited")
    DRAWN = "DRAWN", pgettext_lazy("sample", "drawn")


@dataclass(frozen=True)
class Criterion:
    """One line of the reviewer's sheet; the points of all lines make 100."""

    code: str
    title: str | Promise
    points: int


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


class HazardClass(TextChoices):
    """The two legal classes of hazards (事故隐患); a company's own “larger” class is reported as GENERAL."""

    GENERAL = "GENERAL", _("general hazard")
    MAJOR = "MAJOR", _("major hazard")


class ServiceType(TextChoices):
    """The seven items of prevention service of 2017 and the two of the nine-class list."""

    TRAIN = "TRAIN", _("safety publicity, education and training")
    RISK = "RISK", _("risk identification and assessment")
    HAZARD = "HAZARD", _("hazard inspection")
    STD = "STD", _("safety standardisation")
    DRILL = "DRILL", _("emergency plan and drill")
    TECH = "TECH", _("safety technology promotion")
    OCCHEALTH = "OCCHEALTH", _("occupational-hazard protection assessment")
    CONSULT = "CONSULT", _("safety consulting and evaluation")
    OTHER = "OTHER", _("other prevention work")

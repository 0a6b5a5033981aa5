from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.underwriting"
    label = "underwriting"
    verbose_name = _("Underwriting")

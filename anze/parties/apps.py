from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.parties"
    label = "parties"
    verbose_name = _("Institutions and experts")

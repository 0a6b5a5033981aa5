from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.hazards"
    label = "hazards"
    verbose_name = _("Hazards")

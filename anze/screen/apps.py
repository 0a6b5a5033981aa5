from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.screen"
    label = "screen"
    verbose_name = _("Screens")

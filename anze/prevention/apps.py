from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.prevention"
    label = "prevention"
    verbose_name = _("Prevention services")

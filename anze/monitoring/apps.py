from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.monitoring"
    label = "monitoring"
    verbose_name = _("Statistics and alerts")

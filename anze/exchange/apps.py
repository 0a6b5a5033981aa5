from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.exchange"
    label = "exchange"
    verbose_name = _("Data exchange")

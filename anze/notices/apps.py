from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.notices"
    label = "notices"
    verbose_name = _("Notices")

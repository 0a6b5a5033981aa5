from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.web"
    label = "web"
    verbose_name = _("Web")

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.claims"
    label = "claims"
    verbose_name = _("Claims")

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.library"
    label = "library"
    verbose_name = _("Standards and learning")

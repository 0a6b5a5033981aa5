from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.evidence"
    label = "evidence"
    verbose_name = _("Photos and files")

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class Room(AppConfig):
    name = "anze.assessment"
    label = "assessment"
    verbose_name = pgettext_lazy("room", "Assessment")

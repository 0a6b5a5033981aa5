from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class Room(AppConfig):
    name = "anze.hazards"
    label = "hazards"
    verbose_name = pgettext_lazy("room", "Hazards")

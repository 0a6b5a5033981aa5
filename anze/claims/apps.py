from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class Room(AppConfig):
    name = "anze.claims"
    label = "claims"
    verbose_name = pgettext_lazy("room", "Claims")

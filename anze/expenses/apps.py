from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.expenses"
    label = "expenses"
    verbose_name = _("Expenses")

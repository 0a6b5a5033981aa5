from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class Room(AppConfig):
    name = "anze.kernel"
    label = "kernel"
    verbose_name = _("Platform")

    def ready(self) -> None:
        # Roles, row-level security and history triggers are derived from the models after every
        # migration, so the database can never lag behind the declarations.
        from anze.kernel.database import install_database_rules

        post_migrate.connect(install_database_rules, sender=self)

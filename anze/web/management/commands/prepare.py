"""`anze prepare`: bring the database's shape and the shipped reference data up to this program."""

from __future__ import annotations

import os
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection

from anze.assessment.actions import load_schemes
from anze.kernel.database import web_login
from anze.kernel.readiness import NotReady, require_fit
from anze.kernel.scope import EVERYTHING, inside
from anze.library.actions import load_library
from anze.parties.actions import load_reference_data
from config.settings import web_password


class Command(BaseCommand):
    help = (
        "Migrate the database and load regions, the working-day calendar, the parameters, the library and the schemes."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_fit(os.environ["DATABASE_URL"])
        except NotReady as problem:
            raise CommandError(str(problem)) from None
        call_command("migrate", verbosity=max(0, options["verbosity"] - 1), interactive=False, skip_checks=True)
        # Row-level security holds for the owner too: data are written with the program's own login.
        owner = connection.settings_dict
        owner["USER"], owner["PASSWORD"] = web_login(), web_password(str(owner["PASSWORD"]))
        connection.close()
        with inside(EVERYTHING):
            load_reference_data()
            load_library()
            load_schemes()
        connection.close()

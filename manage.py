#!/usr/bin/env python
"""Run a management command. Without DATABASE_URL the embedded PostgreSQL is started and used."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

# Commands that change the shape of the database connect as its owner; everything else as the login
# that owns nothing and sees no row before a scope is entered.
AS_OWNER = {"migrate", "makemigrations", "prepare", "sqlmigrate", "showmigrations", "squashmigrations"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if not os.environ.get("DATABASE_URL"):
        from tools.postgres import PostgresProblem, ensure_cluster

        try:
            os.environ["DATABASE_URL"] = str(ensure_cluster(ROOT / "var" / "postgres"))
            os.environ["ANZE_EMBEDDED_DATABASE"] = "1"
        except PostgresProblem as problem:
            sys.exit(str(problem))
    if len(sys.argv) > 1 and sys.argv[1] in AS_OWNER:
        os.environ["ANZE_DATABASE_LOGIN"] = "owner"

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()

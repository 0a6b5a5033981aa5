"""`anze document`: write the reference pages of `docs/` from what the program declares."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from anze.web.documents import ROOT, pages


class Command(BaseCommand):
    help = "Write docs/*.md from the program's declarations, in Chinese and English."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is not as it would be")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = []
        for path, text in pages().items():
            file = ROOT / path
            if file.exists() and file.read_text(encoding="utf-8") == text:
                continue
            stale.append(path)
            if not options["check"]:
                file.write_text(text, encoding="utf-8")
        if options["check"] and stale:
            raise CommandError(f"Not as the program says: {', '.join(stale)}. Run `anze document`.")
        self.stdout.write(f"Written: {', '.join(stale)}" if stale else "Every page is as the program says.")

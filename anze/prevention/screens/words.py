"""What the phone app says, in both languages, from the catalogues like every other text."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override


class Words:
    def __init__(self, texts: dict[str, str | Promise]) -> None:
        self._texts = texts

    def said(self, language: str) -> dict[str, str]:
        with override(language):
            return {key: str(text) for key, text in self._texts.items()}


WORDS = Words(
    {
        "title": _("On-site work"),
    }
)

"""Reports of services: their states, and how numbers and codes on paper are made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# without letters and digits that are taken for one another when read from paper
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHECK_LENGTH = 8


class ReportState(TextChoices):
    VALID = "VALID", pgettext_lazy("report", "valid")
    SUPERSEDED = "SUPERSEDED", _("replaced by a later issue")
    WITHDRAWN = "WITHDRAWN", _("withdrawn")


class ReportLanguage(TextChoices):
    ZH = "zh-hans", _("Chinese")
    EN = "en", _("English")


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of what a report says, written in one way only: what its signature stands for."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

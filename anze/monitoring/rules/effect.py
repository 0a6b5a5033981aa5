"""What a comparison of served and other enterprises looks at, and what it allows to say."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Outcome(TextChoices):
    """What services are to prevent."""

    ACCIDENT = "ACCIDENT", _("at least one accident")
    CLAIM = "CLAIM", _("at least one claim")


class Verdict(TextChoices):
    """What the comparison allows to say, and no more."""

    FEWER = "FEWER", _("fewer where services took place")
    MORE = "MORE", _("more where services took place")
    CANNOT_TELL = "CANNOT_TELL", _("cannot tell yet: “no difference” lies within the interval")
    TOO_FEW = "TOO_FEW", _("cannot tell yet: too little has happened")

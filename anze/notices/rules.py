"""Ways a notice goes out, when it must wait, and when it is tried again."""

from __future__ import annotations

import base64
from datetime import datetime, time, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.alert import AlertLevel
from anze.kernel.duty import BEIJING
from anze.kernel.outside import place_of
from anze.kernel.refusal import Refused


class Way(TextChoices):
    """How a notice reaches somebody."""

    IN_APP = "IN_APP", _("on the platform")
    EMAIL = "EMAIL", _("e-mail")
    SMS = "SMS", _("text message")
    WEBHOOK = "WEBHOOK", _("webhook")


class NoticeState(TextChoices):
    WAITING = "WAITING", pgettext_lazy("notice", "waiting")
    SENT = "SENT", pgettext_lazy("notice", "sent")
    FAILED = "FAILED", pgettext_lazy("notice", "given up")


class HookKind(TextChoices):
    STANDARD = "STANDARD", _("signed webhook (Standard Webhooks)")
    WECOM = "WECOM", _("WeCom group robot")
    DINGTALK = "DINGTALK", _("DingTalk group robot")


LEVELS = (AlertLevel.URGENT, AlertLevel.IMPORTANT, AlertLevel.GENERAL)

# how long after each failed attempt the next one comes; then it is given up, and stays to be seen
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 1440))
LEASE = timedelta(minutes=2)  # a worker that has not said anything by then was killed


def reaches(level: str, least: str) -> bool:
    """Whether a notice of a level is for somebody who wants to hear of `least` and above; '' wants nothing."""
    return bool(least) and LEVELS.index(AlertLevel(level)) <= LEVELS.index(AlertLevel(least))


def after_quiet(at: datetime, quiet_from: time | None, quiet_to: time | None) -> datetime:
    """The moment itself, or the end of the quiet hours it falls into. Hours may go over midnight."""
    if quiet_from is None or quiet_to is None or quiet_from == quiet_to:
        return at
    here = at.astimezone(BEIJING)
    clock = here.time()
    over_midnight = quiet_from > quiet_to
    within = clock >= quiet_from or clock < quiet_to if over_midnight else quiet_from <= clock < quiet_to
    if not within:
        return at
    end = datetime.combine(here.date(), quiet_to, tzinfo=BEIJING)
    return end if end > here else end + timedelta(days=1)


def key_of(secret: str) -> bytes:
    """The key a secret of Standard Webhooks stands for. Raises `ValueError`."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if not 24 <= len(key) <= 64:  # as the specification has it
        raise ValueError("too short or too long")
    return key


def check_hook(kind: str, url: str, secret: str) -> None:
    """What an address and its secret must look like; where it leads is looked at each time something is sent."""
    try:
        place_of(url)
        if "#" in url:  # what DingTalk's signature is put behind would not be sent
            raise ValueError("a fragment")
    except ValueError:
        raise Refused(
            "hook_url",
            _("This is no address a notice can be sent to."),
            remedy=_("Write it as https://host/path, without a user name; a port is a number up to 65535."),
            field="url",
        ) from None
    if kind == HookKind.STANDARD and secret:
        try:
            key_of(secret)
        except ValueError:
            raise Refused(
                "hook_secret",
                _("The secret of a signed webhook is 24 to 64 bytes, written in base64."),
                remedy=_("Leave it empty: a new one is made and shown once."),
                field="secret",
            ) from None

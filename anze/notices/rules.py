"""Ways a notice goes out, when it must wait, and when it is tried again."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from urllib.parse import urlsplit

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.alert import AlertLevel
from anze.kernel.duty import BEIJING
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


def check_hook(url: str) -> None:
    """What an address must look like; where it leads is looked at each time something is sent."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.fragment:
        raise Refused(
            "hook_url",
            _("This is no address a notice can be sent to."),
            remedy=_("Write it as https://host/path, without a user name."),
            field="url",
        )

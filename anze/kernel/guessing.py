"""Pages open to everybody that know a secret's holder from a guesser: after some wrong tries they wait.

Only wrong tries are counted, by network address and in the database, so that every process knows them; whoever
has the right code is never kept waiting by it. What anybody may leave here without an account is counted in the same
way, over a day, so that one sender neither fills the disk nor closes the way for others.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from anze.kernel.models import WrongTry
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened

MOST = 20
WINDOW = timedelta(minutes=15)
DAY = timedelta(days=1)


def _sender(address: str) -> str:
    """Addresses are personal data; only what tells them apart is kept."""
    return hashlib.sha256(f"{settings.SECRET_KEY} {address}".encode()).hexdigest()


def _since(at: datetime, window: timedelta) -> datetime:
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)


def tries_of(what: str, address: str, at: datetime, window: timedelta = WINDOW) -> int:
    """How many were counted from an address in the window that runs."""
    with transaction.atomic(), widened(EVERYTHING):
        tries = WrongTry.objects.filter(what=what, sender=_sender(address), since=_since(at, window)).first()
    return tries.count if tries is not None else 0


def check_tries(what: str, address: str, at: datetime) -> None:
    """Refuse somebody who guessed wrong too often."""
    if tries_of(what, address, at) >= MOST:
        raise Refused(
            "too_many_tries",
            _("Too many wrong tries from your network."),
            remedy=_("Try again in a quarter of an hour, with the code as it is printed."),
            status=429,
        )


def count_wrong_try(what: str, address: str, at: datetime, *, window: timedelta = WINDOW, number: int = 1) -> None:
    """Note what came from a network, and forget what no window holds any more."""
    table = WrongTry._meta.db_table
    with transaction.atomic(), widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE since < %s", [at - 2 * DAY])
        cursor.execute(
            f"INSERT INTO {table} (what, sender, since, count) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (what, sender, since) DO UPDATE SET count = kernel_wrongtry.count + excluded.count",
            [what, _sender(address), _since(at, window), number],
        )

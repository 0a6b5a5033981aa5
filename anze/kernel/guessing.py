"""Pages open to everybody that know a secret's holder from a guesser: after some wrong tries they wait.

Only wrong tries are counted, by network address and in the database, so that every process knows them; whoever
has the right code is never kept waiting by it.
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


def _sender(address: str) -> str:
    """Addresses are personal data; only what tells them apart is kept."""
    return hashlib.sha256(f"{settings.SECRET_KEY} {address}".encode()).hexdigest()


def _since(at: datetime) -> datetime:
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)


def check_tries(what: str, address: str, at: datetime) -> None:
    """Refuse somebody who guessed wrong too often."""
    with transaction.atomic(), widened(EVERYTHING):
        tries = WrongTry.objects.filter(what=what, sender=_sender(address), since=_since(at)).first()
    if tries is not None and tries.count >= MOST:
        raise Refused(
            "too_many_tries",
            _("Too many wrong tries from your network."),
            remedy=_("Try again in a quarter of an hour, with the code as it is printed."),
            status=429,
        )


def count_wrong_try(what: str, address: str, at: datetime) -> None:
    """Note a wrong guess from a network, and forget those of an hour ago."""
    table = WrongTry._meta.db_table
    with transaction.atomic(), widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE since < %s", [at - 4 * WINDOW])
        cursor.execute(
            f"INSERT INTO {table} (what, sender, since, count) VALUES (%s, %s, %s, 1) "
            "ON CONFLICT (what, sender, since) DO UPDATE SET count = kernel_wrongtry.count + 1",
            [what, _sender(address), _since(at)],
        )

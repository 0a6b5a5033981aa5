"""Run as a program of its own: `fill PORT COUNT` puts messages into the outbox, `send` sends what waits."""

from __future__ import annotations

import sys
from functools import partial

import django

django.setup()

from django.utils import timezone  # noqa: E402 - settings first
from uuid_utils.compat import uuid7  # noqa: E402

from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.kernel.sealing import seal  # noqa: E402
from anze.notices.actions import Told, new_secret, tell_hooks, tell_people  # noqa: E402
from anze.notices.models import Hook, Preference  # noqa: E402
from anze.notices.sending import send_next  # noqa: E402
from anze.parties.models import Account, Organisation  # noqa: E402


def _words(number: int) -> tuple[str, str]:
    return f"第{number}条", "示例内容"


def fill(port: str, count: str) -> None:
    at = timezone.now()
    with inside(EVERYTHING):
        organisation = Organisation.objects.get(code="INS01")
        key = uuid7()
        hook = Hook.objects.create(
            id=key, organisation=organisation, kind="STANDARD", url=f"http://127.0.0.1:{port}/in", least="GENERAL",
            sealed=seal(new_secret().encode(), str(key)), made_at=at, made_by="示例",
        )  # fmt: skip
        account = Account.objects.create(username="told", name="示例", email="told@example.org")
        wish = Preference.objects.create(account=account, least="GENERAL", by_email=True)
        for number in range(int(count)):
            told = Told(f"test:{number}", "URGENT", partial(_words, number), "/alerts/")
            tell_hooks([(hook, told)], at=at)
            tell_people([(account, wish, told)], at=at)


def send() -> None:
    while send_next():
        pass


if __name__ == "__main__":
    {"fill": fill, "send": send}[sys.argv[1]](*sys.argv[2:])

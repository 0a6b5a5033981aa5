"""Putting notices into the outbox, wishes about them, and organisations' webhooks."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from uuid_utils.compat import uuid7

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.kernel.sealing import seal
from anze.kernel.wording import in_each_language
from anze.notices.models import Hook, Notice, Preference
from anze.notices.rules import HookKind, NoticeState, Way, after_quiet, check_hook, reaches
from anze.parties.models import Account, Organisation
from anze.parties.rules import Permission

SEND = "notices.send_waiting"


@dataclass(frozen=True)
class Told:
    """Something to be told to one recipient; `key` is the same whenever it is the same thing.

    `words` gives title and text in the language of the moment: a notice keeps them in each, for whoever reads it."""

    key: str
    level: str
    words: Callable[[], tuple[str, str]]
    path: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def said(self) -> dict[str, list[str]]:
        return in_each_language(self._words)

    def _words(self) -> list[str]:
        title, text = self.words()
        # a title is one line, in the heading of a mail above all; it may hold a name somebody gave
        return [" ".join(title.split())[:200], text[:2000]]


def ways_of(account: Account, wish: Preference | None) -> list[Way]:
    """The ways somebody has chosen and can be reached by."""
    ways = [Way.IN_APP]
    if wish and wish.by_email and account.email and settings.EMAIL_IS_SET:
        ways.append(Way.EMAIL)
    if wish and wish.by_sms and account.phone and settings.SMS_PROVIDER:
        ways.append(Way.SMS)
    return ways


def tell_people(told: Iterable[tuple[Account, Preference | None, Told]], *, at: datetime) -> int:
    """Into the outbox, in the transaction of the cause: both are there, or neither. What was told is not told again."""
    made = []
    for account, wish, each in told:
        later = after_quiet(at, wish.quiet_from, wish.quiet_to) if wish else at
        for way in ways_of(account, wish):
            is_here = way is Way.IN_APP
            made.append(
                Notice(
                    id=uuid7(), key=f"{each.key}:{account.pk}:{way}"[:200], way=way, account=account, level=each.level,
                    said=each.said, path=each.path, data=dict(each.data), made_at=at,
                    not_before=at if is_here else later,
                    state=NoticeState.SENT if is_here else NoticeState.WAITING, sent_at=at if is_here else None,
                )
            )  # fmt: skip
    return _put(made)


def tell_hooks(told: Iterable[tuple[Hook, Told]], *, at: datetime) -> int:
    made = [
        Notice(
            id=uuid7(), key=f"{each.key}:{hook.pk}"[:200], way=Way.WEBHOOK, hook=hook, level=each.level,
            said=each.said, path=each.path, data=dict(each.data), made_at=at, not_before=at,
        )
        for hook, each in told
        if hook.is_active and reaches(each.level, hook.least)
    ]  # fmt: skip
    return _put(made)


def _put(made: list[Notice]) -> int:
    Notice.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    if any(each.state == NoticeState.WAITING for each in made):
        transaction.on_commit(lambda: app.configure_task(SEND).defer())
    return len(made)


@action(Permission.HANDLE_ALERTS, "notices.wished")
def keep_wishes(
    account: Account,
    *,
    by: Actor,
    at: datetime,
    least: str,
    by_email: bool,
    by_sms: bool,
    quiet_from: time | None,
    quiet_to: time | None,
    digest_at: time | None,
) -> Account:
    if account.pk != by.account_id:
        raise Refused("not_yours", _("Everybody says this for himself."), remedy=_("Sign in yourself."), status=403)
    if (quiet_from is None) != (quiet_to is None):
        raise Refused(
            "quiet_half",
            _("Quiet hours have a beginning and an end."),
            remedy=_("Fill in both, or neither."),
            field="quiet_to",
        )
    with widened(EVERYTHING):
        Preference.objects.update_or_create(
            account=account,
            defaults={
                "least": least, "by_email": by_email, "by_sms": by_sms, "quiet_from": quiet_from, "quiet_to": quiet_to,
                "digest_at": digest_at,
            },
        )  # fmt: skip
    return account


def new_secret() -> str:
    """As Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


@action(Permission.MANAGE_HOOKS, "hook.added")
def add_hook(
    organisation: Organisation,
    *,
    by: Actor,
    at: datetime,
    kind: str,
    address: bytes,
    least: str,
    language: str = "zh-hans",
    secret: bytes = b"",
) -> tuple[Hook, str]:
    """A new address to be told; answers with its secret, which is shown once. A robot's is made by its maker, and
    stands in its address: that is passed as every secret, and the audit event names the host only."""
    if organisation.pk != by.organisation_id:
        raise Refused("not_yours", _("Only for your own organisation."), remedy=_("Choose your own."), status=403)
    url = address.decode()
    check_hook(kind, url, secret.decode())
    plain = secret.decode() if secret else (new_secret() if kind == HookKind.STANDARD else "")
    with widened(EVERYTHING):
        if Hook.objects.filter(organisation=organisation, url=url).exists():
            raise Refused(
                "hook_twice",
                _("This address is told already."),
                remedy=_("Remove it first to change it."),
                field="url",
            )
        made_id = uuid7()
        hook = Hook.objects.create(
            id=made_id, organisation=organisation, kind=kind, url=url, least=least, language=language,
            sealed=seal(plain.encode(), str(made_id)), made_at=at, made_by=by.name,
        )  # fmt: skip
    return hook, plain


@action(Permission.MANAGE_HOOKS, "hook.removed")
def remove_hook(organisation: Organisation, *, by: Actor, at: datetime, hook: UUID) -> Organisation:
    """No more goes there, and what waits does not either."""
    if organisation.pk != by.organisation_id:
        raise Refused("not_yours", _("Only for your own organisation."), remedy=_("Choose your own."), status=403)
    with widened(EVERYTHING):
        Hook.objects.filter(pk=hook, organisation=organisation).delete()
    return organisation


def mark_read(account_id: UUID, at: datetime) -> None:
    """Whoever opens the list has read it."""
    with widened(EVERYTHING):
        Notice.objects.filter(account_id=account_id, way=Way.IN_APP, read_at__isnull=True).update(read_at=at)

"""Sending what waits in the outbox: claimed one by one, tried again later where it fails.

A message is claimed and that is committed before it is sent, and marked as sent after. A worker killed in between
leaves it claimed; when the lease is over another one sends it again, under the same message id. So nothing is lost;
and a recipient that was reached just before the kill can tell by the id (`webhook-id`, `Message-ID`) that he has it.
More no sender can promise. Workers beside each other never claim the same message. It goes out in the language its
recipient reads by then.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import logging
import smtplib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote_plus

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import override

from anze.kernel.outside import NotAllowed, PinnedConnection, checked_address, place_of
from anze.kernel.scope import EVERYTHING, inside
from anze.kernel.sealing import unseal
from anze.notices.models import Hook, Notice
from anze.notices.rules import LEASE, WAITS, HookKind, NoticeState, Way, key_of

log = logging.getLogger("anze.notices")

TIMEOUT = 10  # seconds


class NotSent(Exception):
    """The other side did not take it, or must not be asked."""


def send_next(now: Callable[[], datetime] = timezone.now) -> bool:
    """Send the next message that may go; False if there is none."""
    with inside(EVERYTHING):
        notice = (
            Notice.objects.filter(state=NoticeState.WAITING, not_before__lte=now())
            .order_by("not_before")
            .select_for_update(skip_locked=True, of=("self",))
            .first()
        )
        if notice is None:
            return False
        notice.attempts += 1
        notice.not_before = now() + LEASE
        notice.save(update_fields=["attempts", "not_before"])
        recipient: Any = Hook.objects.get(pk=notice.hook_id) if notice.hook_id else notice.account
    failure = ""
    try:
        with override(recipient.language):
            _SEND[Way(notice.way)](notice, recipient)
    except Exception as problem:
        # whatever it is, it is this one message's failure, and those behind it go out
        failure = f"{type(problem).__name__}: {problem}".replace("\x00", " ")[:300]
        is_usual = isinstance(problem, NotSent | OSError | smtplib.SMTPException | http.client.HTTPException)
        log.warning(
            "notice %s was not sent (attempt %d): %s", notice.pk, notice.attempts, failure, exc_info=not is_usual
        )
    with inside(EVERYTHING):
        if not failure:
            sets: dict[str, Any] = {"state": NoticeState.SENT, "sent_at": now(), "failure": ""}
        elif notice.attempts > len(WAITS):
            sets = {"state": NoticeState.FAILED, "failure": failure}
        else:
            sets = {"not_before": now() + WAITS[notice.attempts - 1], "failure": failure}
        Notice.objects.filter(pk=notice.pk, state=NoticeState.WAITING).update(**sets)
    return True


# e-mail -------------------------------------------------------------------------------------------------------


def link(path: str) -> str:
    return f"{settings.SITE.rstrip('/')}{path}" if settings.SITE and path else ""


def _email(notice: Notice, account: Any) -> None:
    body = "\n\n".join(each for each in (notice.text, link(notice.path)) if each)
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(">")
    message = EmailMessage(notice.title, body, to=[account.email], headers={"Message-ID": f"<{notice.pk}@{domain}>"})
    message.send()


# text messages ------------------------------------------------------------------------------------------------


class Provider(Protocol):
    """What a provider of text messages must do: take one message, or raise NotSent. `key` tells repeats apart."""

    def send(self, phone: str, text: str, key: str) -> None: ...


class FileProvider:
    """Writes text messages into a file instead of sending them: for trials, and until a provider is contracted."""

    def send(self, phone: str, text: str, key: str) -> None:
        path = Path(settings.STATE) / "sms.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"id": key, "phone": phone, "text": text}, ensure_ascii=False) + "\n")


def _sms(notice: Notice, account: Any) -> None:
    provider: Provider = import_string(settings.SMS_PROVIDER)()
    provider.send(account.phone, f"{notice.title} {notice.text}"[:200], str(notice.pk))


# webhooks -----------------------------------------------------------------------------------------------------


def post(url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """One POST, no redirects: the address behind one would not be the one that was checked."""
    place = place_of(url)
    try:
        address = checked_address(place.host, place.port)
    except NotAllowed as problem:
        raise NotSent(str(problem)) from None
    connection = PinnedConnection(place.host, place.port, address, secure=place.is_secure, timeout=TIMEOUT)
    try:
        usual = {"Content-Type": "application/json", "User-Agent": "Anze"}
        connection.request("POST", place.path, body, {**usual, **headers})
        answer = connection.getresponse()
        said = answer.read(4096)
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise NotSent(f"answered {answer.status}")
    return said


def signature(secret: str, message_id: str, moment: int, body: bytes) -> str:
    """The signature of Standard Webhooks, version 1."""
    signed = hmac.new(key_of(secret), f"{message_id}.{moment}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _markdown(notice: Notice) -> str:
    where = link(notice.path)
    return f"### {notice.title}\n{notice.text}" + (f"\n[{where}]({where})" if where else "")


def request_of(notice: Notice, hook: Hook, secret: str, moment: datetime) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and headers of a message in the manner of its receiver."""
    if hook.kind == HookKind.WECOM:
        content: dict[str, Any] = {"msgtype": "markdown", "markdown": {"content": _markdown(notice)}}
        return hook.url, json.dumps(content, ensure_ascii=False).encode(), {}
    if hook.kind == HookKind.DINGTALK:
        content = {"msgtype": "markdown", "markdown": {"title": notice.title, "text": _markdown(notice)}}
        url = hook.url
        if secret:
            stamp = int(moment.timestamp() * 1000)
            signed = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
            url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={quote_plus(base64.b64encode(signed))}"
        return url, json.dumps(content, ensure_ascii=False).encode(), {}
    content = {
        "type": notice.data.get("type", "notice"),
        "timestamp": notice.made_at.isoformat(),
        "data": {
            **notice.data,
            "title": notice.title,
            "text": notice.text,
            "level": notice.level,
            "url": link(notice.path),
        },
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    seconds = int(moment.timestamp())
    headers = {
        "webhook-id": str(notice.pk),
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(secret, str(notice.pk), seconds, body),
    }
    return hook.url, body, headers


def _webhook(notice: Notice, hook: Hook) -> None:
    if not hook.is_active:
        raise NotSent("switched off")
    secret = unseal(hook.sealed, str(hook.pk)).decode()
    said = post(*request_of(notice, hook, secret, timezone.now()))
    if hook.kind in (HookKind.WECOM, HookKind.DINGTALK):
        # both robots answer 200 with the refusal inside
        try:
            code = json.loads(said or b"{}").get("errcode", 0)
        except (ValueError, AttributeError):
            code = -1
        if code:
            raise NotSent(f"the robot answered errcode {code}")


def _nothing(notice: Notice, recipient: Any) -> None:
    """What stands on the platform is there as soon as it is made."""


_SEND: dict[Way, Callable[[Notice, Any], None]] = {
    Way.IN_APP: _nothing, Way.EMAIL: _email, Way.SMS: _sms, Way.WEBHOOK: _webhook,
}  # fmt: skip

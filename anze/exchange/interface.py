"""The signed interface: machines send batches and fetch receipts. Every request stands for itself.

The order of checks is the order of cost: the announced size, then the signature over the head, then the
words of the head, then the body with its digest, then what is in it. Nothing is written before all of it
holds, apart from the nonce; an answer is given only after what it says is committed.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext_lazy as _

from anze.exchange import sandbox
from anze.exchange.actions import deliver, try_batch
from anze.exchange.actions.batches import LOST
from anze.exchange.actions.keys import PARTNER_KINDS
from anze.exchange.decoding import split_rows
from anze.exchange.feed import Feed, Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, PartnerKey, SandboxDelivery
from anze.exchange.openapi import describe
from anze.exchange.problems import (
    MAX_DRY_ROWS,
    MAX_EXPANDED,
    MAX_IDEMPOTENCY_KEY,
    MAX_ROWS,
    MAX_SENT,
    PROBLEMS,
    InterfaceRefused,
)
from anze.exchange.receipts import FINDINGS_A_PAGE, counts_of, explained_problems, page_of_findings, receipt_of
from anze.exchange.rules import BatchState, KeyAlgorithm, Outcome
from anze.exchange.signatures import SignedRequest, VerificationKey, check_digest, read_key_id, verify_head
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, Scope, inside, region_range
from anze.kernel.sealing import Unsealable, unseal
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.screen.registry import page

log = logging.getLogger("anze.exchange")

BASE = "api/v1/"
NDJSON = "application/x-ndjson"
JSON = "application/json"
PIECE = 64 * 1024
MAX_TAKEN_UNREAD = 4 * MAX_SENT
WAIT_FOR_UNREAD = 5  # seconds without a byte
MAX_MEMBERS = 2000  # parts of a gzip file; some programs write one for every 64 kB
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Caller:
    """The partner whose key signed the request, and the actor its system is."""

    partner: Organisation
    actor: Actor
    key: PartnerKey


Endpoint = Callable[..., HttpResponse]


def endpoint(where: str, *, name: str, methods: tuple[str, ...] = ("GET",)) -> Callable[[Endpoint], Endpoint]:
    """Register a view of the interface. Whatever goes wrong is answered as problem details."""

    def wrap(view: Endpoint) -> Endpoint:
        @wraps(view)
        def answered(request: HttpRequest, **words: Any) -> HttpResponse:
            with override(get_language_from_request(request)):
                try:
                    if request.method not in methods:
                        raise InterfaceRefused("method_not_allowed")
                    return view(request, **words)
                except Refused as refused:
                    response = problem_response(request, refused)
                    if refused.code == "method_not_allowed":
                        response["Allow"] = ", ".join(methods)
                    if refused.code == "too_large":
                        response.afterwards = lambda: let_it_be_sent(request)
                    return response
                except LOST:
                    log.exception("the database did not answer")
                    response = problem_response(request, InterfaceRefused("unavailable"))
                    response["Retry-After"] = "5"
                    return response
                except Exception:
                    log.exception("%s %s broke", request.method, request.path)
                    return problem_response(request, InterfaceRefused("server_failure"))

        return page(BASE + where, name=name, methods=methods, is_interface=True)(answered)

    return wrap


class Answer(HttpResponse):
    """An answer that may have something to do once it has been sent."""

    afterwards: Callable[[], None] | None = None

    def close(self) -> None:
        if self.afterwards:
            self.afterwards()
        super().close()


def answer(content: Any, *, status: int = 200) -> Answer:
    return Answer(json.dumps(content, ensure_ascii=False), status=status, content_type="application/json")


def problem_response(request: HttpRequest, refused: Refused) -> Answer:
    """Problem details (RFC 9457)."""
    title = PROBLEMS[refused.code].title if refused.code in PROBLEMS else refused.message
    content = {
        "type": f"urn:anze:problem:{refused.code}",
        "title": str(title),
        "status": refused.status,
        "detail": refused.message,
        "instance": request.get_full_path(),
        "code": refused.code,
        "remedy": refused.remedy,
    }
    if base := getattr(refused, "signature_base", ""):
        content["signature_base"] = base
    response = answer(content, status=refused.status)
    response["Content-Type"] = "application/problem+json"
    if refused.status == 401:
        response["WWW-Authenticate"] = 'Signature realm="anze"'
    return response


# who is calling -----------------------------------------------------------------------------------------


def signed_request(request: HttpRequest) -> SignedRequest:
    """The request as its sender signed it; the address as it stood in the request line."""
    raw = str(request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or "")
    address = f"{request.scheme}://{request.get_host()}{raw}" if raw.startswith("/") else request.build_absolute_uri()
    return SignedRequest(str(request.method), address, dict(request.headers.items()))


def identify(request: HttpRequest, at: datetime) -> Caller:
    """Verify the signature over the head of the request and use up its nonce, in a transaction of its own."""
    signed = signed_request(request)
    address = getattr(getattr(request, "actor", None), "address", "")
    key_id = read_key_id(signed)
    try:
        with inside(EVERYTHING):
            key = PartnerKey.objects.select_related("partner").filter(key_id=key_id).first()
            if key is None:
                raise InterfaceRefused("unknown_key", _("There is no key “%(key)s”."), key=key_id)
            if key.revoked_at is not None:
                raise InterfaceRefused("revoked_key")
            if key.expires_at is not None and key.expires_at <= at:
                raise InterfaceRefused("expired_key")
            if not key.partner.is_active or key.partner.kind not in PARTNER_KINDS:
                raise InterfaceRefused("inactive_partner")
            verified = verify_head(signed, verification_key(key), now=at, has_body=announced_length(request) > 0)
            _use_up(verified.key_id, verified.nonce, at)
            _note_use(key, at)
    except Refused as refused:
        log.warning("%s refused: key %s from %s", refused.code, key_id, address)
        raise
    return Caller(key.partner, actor_of(key, address), key)


def verification_key(key: PartnerKey) -> VerificationKey:
    if key.algorithm == KeyAlgorithm.ED25519:
        return VerificationKey.read(key.algorithm, key.material)
    try:
        return VerificationKey(key.algorithm, unseal(key.material, key.key_id))
    except Unsealable:
        raise InterfaceRefused("unusable_key") from None


def actor_of(key: PartnerKey, address: str) -> Actor:
    """A partner's system acts for its organisation, in the organisation's own area."""
    partner = key.partner
    low, high = region_range(partner.region_id)
    is_insurer = partner.kind == OrganisationKind.INSURER
    return Actor(
        name=key.key_id,
        scope=Scope(
            reader="anze_insurer" if is_insurer else "anze_region",
            region_from=low,
            region_to=high,
            insurer_id=partner.pk if is_insurer else None,
        ),
        permissions=frozenset({Permission.ENTER_DATA}),
        role="INTERFACE",
        organisation_id=partner.pk,
        organisation_name=str(partner),
        address=address,
    )


def _use_up(key_id: str, nonce: str, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exchange_nonce (key_id, nonce, seen_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [key_id, nonce, at],
        )
        if not cursor.rowcount:
            raise InterfaceRefused("replayed")


def _note_use(key: PartnerKey, at: datetime) -> None:
    """To the hour, which is all a person wants to know; else every request would leave a row of history."""
    if key.last_used_at is None or (at - key.last_used_at).total_seconds() > 3600:
        PartnerKey.objects.filter(pk=key.pk).update(last_used_at=at)


# what is sent -------------------------------------------------------------------------------------------


def announced_length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "")
    if not text and "chunked" in str(request.META.get("HTTP_TRANSFER_ENCODING", "")).lower():
        raise InterfaceRefused("length_required")
    return int(text) if text.isascii() and text.isdigit() else 0


def refuse_unread(request: HttpRequest) -> None:
    length = announced_length(request)
    if length > MAX_SENT:
        raise InterfaceRefused(
            "too_large",
            _("%(size)d bytes are announced; at most %(limit)d are taken."),
            size=length,
            limit=MAX_SENT,
        )


def let_it_be_sent(request: HttpRequest) -> None:
    """Take in some of what was refused unread, and throw it away, after the answer has gone out.

    Many senders read no answer before all is sent; if the connection were closed on them meanwhile, they would
    see it break and never learn why.
    """
    connected = request.META.get("gunicorn.socket")
    left = min(announced_length(request), MAX_TAKEN_UNREAD)
    try:
        if connected is not None:
            connected.settimeout(WAIT_FOR_UNREAD)
        while left > 0 and (piece := request.read(min(left, PIECE))):
            left -= len(piece)
    except OSError:
        pass  # who neither sends nor goes away is waited for no longer
    finally:
        if connected is not None:
            connected.settimeout(None)


def content_type_of(request: HttpRequest) -> str:
    """NDJSON or JSON, in UTF-8; refuses everything else, and every compression but gzip."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise InterfaceRefused("unsupported_encoding", _("Given: %(given)s."), given=encoding[:40])
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    kind = request.content_type or ""
    if kind not in (NDJSON, JSON) or charset not in ("utf-8", "utf8"):
        given = request.headers.get("Content-Type", "")[:80]
        raise InterfaceRefused("unsupported_type", _("Given: %(given)s."), given=given or "–")
    return kind


def idempotency_key_of(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        raise InterfaceRefused("idempotency_key_missing")
    if len(key) > MAX_IDEMPOTENCY_KEY or not re.fullmatch(r"[\x20-\x7e]+", key):
        raise InterfaceRefused("idempotency_key_malformed")
    return key


def read_body(request: HttpRequest) -> bytes:
    """The content as transferred, compared with its digest."""
    length = announced_length(request)
    try:
        body = request.read(length)
    except UnreadablePostError:
        raise InterfaceRefused("incomplete") from None
    if len(body) < length:
        raise InterfaceRefused("incomplete")
    check_digest(dict(request.headers.items()), (body,))
    return body


def expand(body: bytes) -> bytes:
    """Unpack gzip, never more than is allowed, whatever the content claims to become."""
    content = bytearray()
    left = memoryview(body)
    members = 0
    while left.nbytes:
        members += 1
        if members > MAX_MEMBERS:
            raise InterfaceRefused("broken_gzip")
        unpacking = zlib.decompressobj(zlib.MAX_WBITS + 16)
        while not unpacking.eof:
            piece = left[:PIECE]
            if not piece.nbytes:
                raise InterfaceRefused("broken_gzip")
            try:
                content += unpacking.decompress(piece, MAX_EXPANDED + 1 - len(content))
            except zlib.error:
                raise InterfaceRefused("broken_gzip") from None
            if len(content) > MAX_EXPANDED:
                raise InterfaceRefused(
                    "too_large", _("The content unpacks to more than %(limit)d bytes."), limit=MAX_EXPANDED
                )
            left = left[piece.nbytes - len(unpacking.unused_data) - len(unpacking.unconsumed_tail) :]
    return bytes(content)


def count_rows(content: bytes, kind: str) -> int:
    """How many rows there are; refuses what cannot be cut into rows at all."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content[:4]:
        raise InterfaceRefused("wrong_encoding", _("The content looks like UTF-16."))
    rows = sum(1 for _each in split_rows(content, kind))
    if not rows:
        raise InterfaceRefused("empty")
    if rows > MAX_ROWS:
        raise InterfaceRefused(
            "too_large", _("There are %(rows)d rows; at most %(limit)d are taken."), rows=rows, limit=MAX_ROWS
        )
    return rows


def feed_for(caller: Caller, name: str) -> Feed:
    feed = FEEDS.get(name)
    if feed is None:
        raise InterfaceRefused("unknown_feed", _("There is no dataset “%(name)s”."), name=name[:60])
    if feed.of_insurer != (caller.partner.kind == OrganisationKind.INSURER):
        raise InterfaceRefused("not_your_feed")
    return feed


# endpoints ----------------------------------------------------------------------------------------------


@endpoint("feeds/<str:feed_name>/batches", name="api-batches", methods=("POST",))
def send_batch(request: HttpRequest, feed_name: str) -> HttpResponse:
    """Take a batch: 200 with the receipt when it is published, 202 when it waits for the worker."""
    at = timezone.now()
    try:
        return _take_batch(request, feed_name, at)
    except Refused as refused:
        note_refusal(request, feed_name, refused.code, at)
        raise


def note_refusal(request: HttpRequest, feed_name: str, code: str, at: datetime) -> None:
    """What a sandbox key is refused is remembered for the verdict on it; nothing is noted for any other."""
    with suppress(Refused):
        key_id = read_key_id(signed_request(request))
        with inside(EVERYTHING):
            sandbox.refused(key_id, feed_name, code, idempotency_key=request.headers.get("Idempotency-Key", ""), at=at)


def _take_batch(request: HttpRequest, feed_name: str, at: datetime) -> HttpResponse:
    refuse_unread(request)
    caller = identify(request, at)
    feed = feed_for(caller, feed_name)
    kind = content_type_of(request)
    is_dry = _flag(request, "dry_run")
    key = "dry run" if is_dry else idempotency_key_of(request)
    packed = read_body(request)
    if request.headers.get("Content-Encoding", "").strip().lower() == "gzip":
        content = expand(packed)
    else:
        content, packed = packed, b""
    if content.startswith(BYTE_ORDER_MARK):
        content, packed = content[len(BYTE_ORDER_MARK) :], b""
    rows = count_rows(content, kind)
    if is_dry:
        return answer(dry_receipt(caller, feed, content, kind, rows, at))
    if caller.key.is_sandbox:
        return _take_in_sandbox(caller, feed, content, kind, key, rows, at)
    with inside(EVERYTHING):
        batch, is_new = deliver(
            caller.partner,
            by=caller.actor,
            at=at,
            rows=rows,
            feed=feed,
            channel=Channel.API,
            body=content,
            packed=packed,
            content_type=kind,
            idempotency_key=key,
        )
        receipt = linked(receipt_of(batch), batch)
    waits = batch.state == BatchState.RECEIVED
    response = answer(receipt, status=202 if waits else 200)
    response["Location"] = reverse("api-batch", args=[batch.pk])
    if not is_new:
        response["Idempotent-Replayed"] = "true"
    return response


def _take_in_sandbox(
    caller: Caller, feed: Feed, content: bytes, kind: str, key: str, rows: int, at: datetime
) -> HttpResponse:
    """The same answer as outside of the sandbox, and nothing published."""
    if rows > MAX_DRY_ROWS:
        raise InterfaceRefused("too_large_for_dry_run")
    with inside(EVERYTHING):
        delivery, is_new = sandbox.take(caller.key, feed, content, kind, key, at=at)
    response = answer(delivery.receipt)
    response["Location"] = reverse("api-batch", args=[delivery.receipt["id"]])
    if not is_new:
        response["Idempotent-Replayed"] = "true"
    return response


def _flag(request: HttpRequest, name: str) -> bool:
    value = request.GET.get(name, "0")
    if value not in ("0", "1"):
        raise InterfaceRefused("bad_query", _("%(name)s is 0 or 1."), name=name)
    return value == "1"


def dry_receipt(caller: Caller, feed: Feed, content: bytes, kind: str, rows: int, at: datetime) -> dict[str, Any]:
    """The receipt that a batch would get; nothing of it is kept."""
    if rows > MAX_DRY_ROWS:
        raise InterfaceRefused("too_large_for_dry_run")
    batch = Batch(
        feed=feed.name,
        sender=caller.partner,
        insurer_id=caller.actor.scope.insurer_id,
        region_code=caller.actor.scope.region_from,
        channel=Channel.API,
        state=BatchState.DONE,
        content_type=kind,
        payload=gzip.compress(content, compresslevel=1),
        received_at=at,
        rows=rows,
    )
    with inside(EVERYTHING):
        result = try_batch(batch)
    for name, outcome in (
        ("created", Outcome.CREATED),
        ("updated", Outcome.UPDATED),
        ("unchanged", Outcome.UNCHANGED),
        ("rejected", Outcome.REJECTED),
    ):
        setattr(batch, name, result.count(outcome))
    batch.outcomes = result.outcomes
    return {
        **counts_of(batch),
        "id": None,
        "dry_run": True,
        "findings_total": len(result.problems),
        "findings": explained_problems(feed.name, result.problems[:FINDINGS_A_PAGE]),
    }


def linked(receipt: dict[str, Any], batch: Batch) -> dict[str, Any]:
    more = receipt["findings_total"] > len(receipt["findings"])
    following = reverse("api-findings", args=[batch.pk]) + "?page=2" if more else None
    return {**receipt, "links": {"self": reverse("api-batch", args=[batch.pk]), "more_findings": following}}


def batch_of(caller: Caller, batch_id: UUID) -> Batch:
    """A batch the caller sent himself; anybody else's does not exist for him."""
    batch = Batch.objects.filter(pk=batch_id, sender=caller.partner).defer("payload").first()
    if batch is None:
        raise InterfaceRefused("unknown_batch")
    return batch


@endpoint("batches/<str:batch_id>", name="api-batch")
def fetch_receipt(request: HttpRequest, batch_id: str) -> HttpResponse:
    caller = _caller_without_content(request)
    with inside(EVERYTHING):
        if caller.key.is_sandbox:
            kept = SandboxDelivery.objects.filter(key=caller.key, pk=_uuid(batch_id)).first()
            if kept is None:
                raise InterfaceRefused("unknown_batch")
            return answer(kept.receipt)
        batch = batch_of(caller, _uuid(batch_id))
        return answer(linked(receipt_of(batch), batch))


@endpoint("batches/<str:batch_id>/findings", name="api-findings")
def fetch_findings(request: HttpRequest, batch_id: str) -> HttpResponse:
    """The findings of a batch, a thousand a page."""
    caller = _caller_without_content(request)
    number = request.GET.get("page", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", number):
        raise InterfaceRefused("bad_query", _("page counts from 1."))
    with inside(EVERYTHING):
        batch = batch_of(caller, _uuid(batch_id))
        total = batch.findings.count()
        following = None
        if int(number) * FINDINGS_A_PAGE < total:
            following = reverse("api-findings", args=[batch.pk]) + f"?page={int(number) + 1}"
        return answer({"findings_total": total, "findings": page_of_findings(batch, int(number)), "next": following})


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InterfaceRefused("unknown_batch") from None


def _caller_without_content(request: HttpRequest) -> Caller:
    refuse_unread(request)
    return identify(request, timezone.now())


@endpoint("feeds", name="api-feeds")
def list_feeds(request: HttpRequest) -> HttpResponse:
    """The datasets this key may send, with their fields."""
    caller = _caller_without_content(request)
    is_insurer = caller.partner.kind == OrganisationKind.INSURER
    return answer({"feeds": [in_short(feed) for feed in FEEDS.values() if feed.of_insurer == is_insurer]})


def in_short(feed: Feed) -> dict[str, Any]:
    def fields(of: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": each.name,
                "kind": each.kind.value,
                "title": str(each.title),
                "note": str(each.note),
                "required": each.required,
                **({"codes": {code: str(label) for code, label in each.codes.choices}} if each.codes else {}),
                **({"fields": fields(each.of)} if each.kind in (Kind.ROWS, Kind.LIST) else {}),
            }
            for each in of
        ]

    return {
        "name": feed.name,
        "title": str(feed.title),
        "about": str(feed.about),
        "key": list(feed.key_fields),
        "batches": reverse("api-batches", args=[feed.name]),
        "fields": fields(feed.fields),
    }


@page(f"{BASE}openapi.json", name="api-description", is_open=True)
def openapi(request: HttpRequest) -> HttpResponse:
    """The description of the interface (OpenAPI 3.1), made from the feeds; no signature needed."""
    with override(get_language_from_request(request)):
        content = describe(request.build_absolute_uri("/").rstrip("/"))
    response = answer(content)
    response["Cache-Control"] = "public, max-age=3600"
    response["Vary"] = "Accept-Language, Cookie"
    return response

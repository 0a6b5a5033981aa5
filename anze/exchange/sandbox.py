"""The sandbox: the interface as it is, with nothing behind it.

A request signed with a sandbox key goes through the same signature, decoding and checks as every other. What it would
publish is written over a small invented world and taken back at once: earlier deliveries of the sandbox are played
again before it, so that a service finds its policy. Nothing ever stands in the tables that are counted, and to reset
a sandbox is to forget its deliveries.
"""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from uuid_utils.compat import uuid7

from anze.exchange.actions.batches import due_dates
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, PartnerKey, SandboxDelivery
from anze.exchange.payloads import open_payload
from anze.exchange.problems import InterfaceRefused
from anze.exchange.publishing import Delivery, Published, publish
from anze.exchange.receipts import FINDINGS_A_PAGE, explained_problems
from anze.exchange.rules import BatchState, Outcome
from anze.kernel.identifiers import make_uscc
from anze.kernel.rules import Channel
from anze.kernel.scope import PROVINCE, region_range
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind

MOST_KEPT = 300  # deliveries of one sandbox; then it must be reset
# the invented enterprises of every sandbox
ENTERPRISES = (make_uscc("379999", 999_001), make_uscc("379999", 999_002))
AGENCY = "SBXAGY"


def take(
    key: PartnerKey, feed: Feed, content: bytes, kind: str, idempotency_key: str, *, at: datetime
) -> tuple[SandboxDelivery, bool]:
    """Take a delivery as the interface would; returns it and whether it is new. Everything must be in view."""
    digest = hashlib.sha256(content).hexdigest()
    taken = SandboxDelivery.objects.filter(key=key, code="")
    known = taken.filter(feed=feed.name, idempotency_key=idempotency_key).order_by("received_at", "pk").first()
    if known is not None and known.content_sha256 != digest:
        raise InterfaceRefused("idempotency_key_reused")
    made = SandboxDelivery(
        key=key, insurer_id=key.insurer_id, region_code=key.region_code, feed=feed.name,
        idempotency_key=idempotency_key, content_sha256=digest, content=gzip.compress(content, compresslevel=1),
        content_type=kind, received_at=at, is_repeat=known is not None,
    )  # fmt: skip
    if known is not None:
        made.receipt = known.receipt
    else:
        if taken.count() >= MOST_KEPT:
            raise InterfaceRefused("sandbox_full")
        made.receipt = _receipt(made, _tried(key, made))
    made.save(force_insert=True)
    return made, known is None


def refused(key_id: str, feed: str, code: str, *, idempotency_key: str = "", at: datetime) -> None:
    """Note a request of a sandbox key that was refused, so that its sender can be told which rule it broke."""
    key = PartnerKey.objects.filter(key_id=key_id, is_sandbox=True).first()
    if key is None or SandboxDelivery.objects.filter(key=key).count() >= 2 * MOST_KEPT:
        return
    SandboxDelivery.objects.create(
        key=key, insurer_id=key.insurer_id, region_code=key.region_code, feed=feed[:40],
        idempotency_key=idempotency_key[:100], content_sha256="", content=b"", content_type="", received_at=at, code=code,
    )  # fmt: skip


def _tried(key: PartnerKey, delivery: SandboxDelivery) -> Published:
    """What would become of a delivery after those before it."""
    savepoint = transaction.savepoint()
    try:
        insurer = _invented_world(key, delivery.received_at)
        before = SandboxDelivery.objects.filter(key=key, code="", is_repeat=False).order_by("received_at", "pk")
        for each in before:
            _published(FEEDS[each.feed], bytes(each.content), each.content_type, insurer, each.received_at)
        return _published(
            FEEDS[delivery.feed], bytes(delivery.content), delivery.content_type, insurer, delivery.received_at
        )
    finally:
        transaction.savepoint_rollback(savepoint)


def _invented_world(key: PartnerKey, at: datetime) -> Organisation:
    """An insurer, an agency and two enterprises that exist for the length of one request."""
    kind, region = OrganisationKind, PROVINCE
    authority = Organisation.objects.create(kind=kind.EMA, code="SBXEMA", name="沙箱应急管理部门", region_id=region)
    Organisation.objects.create(kind=kind.AGENCY, code=AGENCY, name="沙箱技服机构", region_id=region)
    feed = FEEDS["enterprises"]
    example = feed.example_rows()[0]
    rows = [
        example | {"uscc": uscc, "name": f"沙箱示例企业{n}", "region_code": "370102", "sector": "SMELT"}
        for n, uscc in enumerate(ENTERPRISES, 1)
    ]
    body = b"\n".join(msgspec.json.encode(row) for row in rows)
    _published(feed, gzip.compress(body, compresslevel=1), "application/x-ndjson", authority, at)
    return Organisation.objects.create(
        kind=kind.INSURER, code=f"SBX{key.pk.hex[-12:]}", name="沙箱保险机构", region_id=region
    )


def _published(feed: Feed, packed: bytes, kind: str, sender: Organisation, at: datetime) -> Published:
    batch = Batch(
        feed=feed.name, sender=sender, region_code=PROVINCE, channel=Channel.API,
        state=BatchState.RECEIVED, content_type=kind, payload=packed, received_at=at,
    )  # fmt: skip
    payload = open_payload(batch)
    delivery = Delivery(uuid7(), sender.pk, Channel.API, at, *region_range(PROVINCE))
    result = publish(feed, payload.rows, delivery, due_dates(Channel.API))
    result.problems = [payload.place(problem) for problem in result.problems]
    return result


def _receipt(delivery: SandboxDelivery, result: Published) -> dict[str, Any]:
    moment = delivery.received_at.isoformat()
    return {
        "id": str(delivery.pk),
        "feed": delivery.feed,
        "state": BatchState.DONE.value,
        "sandbox": True,
        "received_at": moment,
        "finished_at": moment,
        "rows": len(result.outcomes),
        "created": result.count(Outcome.CREATED),
        "updated": result.count(Outcome.UPDATED),
        "unchanged": result.count(Outcome.UNCHANGED),
        "rejected": result.count(Outcome.REJECTED),
        "outcomes": result.outcomes,
        "failure": "",
        "findings_total": len(result.problems),
        "findings": explained_problems(delivery.feed, result.problems[:FINDINGS_A_PAGE]),
    }

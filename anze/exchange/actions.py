"""Receiving and processing batches; issuing, rotating and revoking keys."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.exchange.decoding import DecodedRow, RowDecoder, split_rows
from anze.exchange.feed import Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch, Finding
from anze.exchange.publishing import Delivery, DueDates, Published, publish
from anze.exchange.rules import BatchState, Outcome
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import load_calendar
from anze.kernel.models import Parameter
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.kernel.scope import region_range
from anze.parties.models import Organisation
from anze.parties.rules import Permission

AT_ONCE = 500  # rows up to which a batch is answered with its receipt


@action(Permission.ENTER_DATA, "batch.received")
def receive_batch(
    sender: Organisation,
    *,
    by: Actor,
    at: datetime,
    feed: Feed,
    channel: Channel,
    body: bytes,
    content_type: str,
    idempotency_key: str,
    file_name: str = "",
) -> tuple[Batch, bool]:
    """Keep what was sent, exactly once. Returns the batch and whether it is new.

    The same key with the same content is the same delivery; with other content it is refused.
    """
    digest = hashlib.sha256(body).hexdigest()
    known = Batch.objects.filter(sender=sender, feed=feed.name, idempotency_key=idempotency_key).first()
    if known is None:
        batch = Batch(
            feed=feed.name,
            sender=sender,
            insurer_id=sender.pk if feed.of_insurer else None,
            region_code=by.scope.region_from or sender.region_id,
            channel=channel,
            state=BatchState.RECEIVED,
            idempotency_key=idempotency_key,
            content_sha256=digest,
            content_type=content_type,
            payload=gzip.compress(body, compresslevel=1),
            size=len(body),
            file_name=file_name,
            received_at=at,
            by=by.account_id,
            by_name=by.name,
        )
        try:
            with transaction.atomic():
                batch.save(force_insert=True)
        except IntegrityError:
            known = Batch.objects.get(sender=sender, feed=feed.name, idempotency_key=idempotency_key)
        else:
            return batch, True
    if known.content_sha256 != digest:
        raise Refused(
            "idempotency_key_reused",
            _("This idempotency key was used for other content."),
            remedy=_("Use a new key for new content; repeat a key only to repeat the very same delivery."),
            status=409,
        )
    return known, False


def process_batch(batch: Batch, rows: Iterable[DecodedRow] | None = None) -> Published:
    """Check and publish a received batch in the present transaction, and write its receipt."""
    feed = FEEDS[batch.feed]
    if rows is None:
        rows = decode_payload(feed, gzip.decompress(bytes(batch.payload)), batch.content_type)
    low, high = region_range(batch.region_code)
    delivery = Delivery(
        batch_id=batch.pk,
        sender_id=batch.sender_id,
        channel=Channel(batch.channel),
        received_at=batch.received_at,
        region_from=low,
        region_to=high,
    )
    result = publish(feed, rows, delivery, due_dates(Channel(batch.channel)))
    keep_receipt(batch, result, at=batch.received_at)
    return result


def keep_receipt(batch: Batch, result: Published, *, at: datetime) -> None:
    batch.state = BatchState.DONE
    batch.finished_at = at
    batch.rows = len(result.outcomes)
    batch.created = result.count(Outcome.CREATED)
    batch.updated = result.count(Outcome.UPDATED)
    batch.unchanged = result.count(Outcome.UNCHANGED)
    batch.rejected = result.count(Outcome.REJECTED)
    batch.outcomes = result.outcomes
    batch.save()
    Finding.objects.bulk_create(
        (
            Finding(
                batch=batch,
                insurer_id=batch.insurer_id,
                region_code=batch.region_code,
                row=problem.row,
                field=problem.field,
                code=problem.code,
                values=problem.values,
            )
            for problem in result.problems
        ),
        batch_size=2000,
    )


def decode_payload(feed: Feed, body: bytes, content_type: str) -> Iterator[DecodedRow]:
    decoder = RowDecoder(feed)
    for number, raw in enumerate(split_rows(body, content_type), 1):
        yield decoder.decode(number, raw)


def due_dates(channel: Channel) -> DueDates:
    key = "manual_entry_workdays" if channel.is_manual else "interface_entry_days"
    allowed: dict[date, int] = {
        row.effective_from: int(row.value) for row in Parameter.objects.filter(key=key, region_code="")
    }
    return DueDates(load_calendar(), allowed, channel.is_manual)


def receipt_of(batch: Batch) -> dict[str, Any]:
    """The receipt as the sender reads it, one letter a row and the findings in his language."""
    from anze.exchange.screens import explain

    return {
        "id": str(batch.pk),
        "feed": batch.feed,
        "state": batch.state,
        "received_at": batch.received_at.isoformat(),
        "rows": batch.rows,
        "created": batch.created,
        "updated": batch.updated,
        "unchanged": batch.unchanged,
        "rejected": batch.rejected,
        "outcomes": batch.outcomes,
        "findings": [explain(finding) for finding in batch.findings.order_by("row", "id")],
    }

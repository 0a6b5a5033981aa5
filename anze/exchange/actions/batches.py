"""Receiving batches, publishing them, and what happens when that fails."""

from __future__ import annotations

import gzip
import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from anze.exchange.actions.rejections import forget_corrected, keep_rejections, rejected_numbers
from anze.exchange.decoding import DecodedRow, FoundProblem
from anze.exchange.feed import INTERFACE_TIME, MANUAL_TIME, Feed
from anze.exchange.feeds import FEEDS
from anze.exchange.models import Batch
from anze.exchange.payloads import Payload, open_payload
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

log = logging.getLogger("anze.exchange")

AT_ONCE = 500  # rows up to which a batch is answered with its receipt
MOST_ATTEMPTS = 3
WAITING_TASK = "exchange.process_waiting_batches"
# The database's trouble, not the batch's. COPY lets the driver's own errors through.
LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
# A batch of nothing but errors must not fill memory and table: beyond so many, one finding a row is kept.
MANY_FINDINGS = 100_000


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
    packed: bytes = b"",
    rows: int = 0,
) -> tuple[Batch, bool]:
    """Keep what was sent, exactly once. Returns the batch and whether it is new.

    The same key with the same content is the same delivery; with other content it is refused. `packed` is
    `body` compressed by the sender, which saves compressing it again.
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
            payload=packed or gzip.compress(body, compresslevel=1),
            size=len(body),
            file_name=file_name,
            received_at=at,
            by=by.account_id,
            by_name=by.name[:120],
            rows=rows,
        )
        try:
            with transaction.atomic():
                batch.save(force_insert=True)
        except IntegrityError:
            # somebody was faster; his transaction has ended, or the insert would still be waiting for it
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


def deliver(sender: Organisation, *, by: Actor, at: datetime, rows: int, **words: Any) -> tuple[Batch, bool]:
    """Receive a batch; small ones are published at once, the others wait for the worker.

    A small one also waits when an earlier batch of the same sender and dataset does, or the older data would
    be written over the newer. Must run in a transaction whose scope is everything.
    """
    batch, is_new = receive_batch(sender, by=by, at=at, rows=rows, **words)
    if (
        is_new
        and rows <= AT_ONCE
        and not waiting().filter(sender=sender, feed=batch.feed).exclude(pk=batch.pk).exists()
    ):
        publish_now(batch, at)
    if batch.state == BatchState.RECEIVED:
        wake_worker()
    return batch, is_new


def publish_now(batch: Batch, at: datetime) -> None:
    """Publish while the sender waits; what breaks unexpectedly is left to the worker, which says in the end why."""
    try:
        with transaction.atomic():
            process_batch(batch, at=at)
    except (*LOST, Refused):
        raise
    except Exception:
        log.exception("batch %s broke while it was published at once", batch.pk)
        batch.refresh_from_db()
        batch.attempts = 1
        batch.save(update_fields=["attempts"])


def wake_worker() -> None:
    """Start the worker's job with the present transaction: it begins when the batch is really there."""
    from procrastinate.contrib.django import app

    app.configure_task(WAITING_TASK).defer()


def waiting() -> QuerySet[Batch]:
    return Batch.objects.filter(state=BatchState.RECEIVED)


def earlier_than(batch: Batch | None = None) -> QuerySet[Batch]:
    """The waiting batches of the same sender and dataset received before this one, or before an outer query's."""
    word = (lambda name: getattr(batch, name)) if batch else OuterRef
    before = Q(received_at__lt=word("received_at")) | Q(received_at=word("received_at"), pk__lt=word("pk"))
    return waiting().filter(before, sender=word("sender"), feed=word("feed")).order_by("received_at", "pk")


def first_waiting(passed: Collection[UUID] = ()) -> Batch | None:
    """The next batch to publish, locked; each sender's batches of one dataset come in the order received.

    If there is none, the one that comes after a batch another worker has at hand: it can be read and staged
    meanwhile, and is published after that one.
    """
    free = (
        waiting()
        .exclude(pk__in=passed)
        .defer("payload", "outcomes")
        .order_by("received_at", "pk")
        .select_for_update(skip_locked=True, of=("self",))
    )
    return free.filter(~Exists(earlier_than())).first() or (
        free.filter(Exists(earlier_than()), ~Exists(earlier_than()[1:2])).first()
    )


class OutOfTurn(Exception):
    """An earlier batch of the same sender and dataset was not published; it comes first."""


def await_turn(batch: Batch) -> None:
    """Wait until no other worker is at the batch before this one; raises `OutOfTurn` if it still waits then."""
    if earlier_than(batch).select_for_update(of=("self",)).values_list("pk", flat=True).first():
        raise OutOfTurn


def first_unchecked(passed: Collection[UUID] = ()) -> Batch | None:
    """The next uploaded file to check, locked."""
    return (
        Batch.objects.filter(state=BatchState.CHECKING)
        .exclude(pk__in=passed)
        .defer("payload", "outcomes")
        .order_by("received_at", "pk")
        .select_for_update(skip_locked=True, of=("self",))
        .first()
    )


@action(Permission.ENTER_DATA, "batch.retried")
def retry_batch(batch: Batch, *, by: Actor, at: datetime) -> Batch:
    """Let the worker try a failed batch again, once its cause is removed. Of its rows, those that a batch received
    later has written meanwhile are rejected: older data never goes over newer."""
    changed = Batch.objects.filter(pk=batch.pk, state=BatchState.FAILED).update(
        state=BatchState.RECEIVED, attempts=0, failure="", finished_at=None
    )
    if not changed:
        raise Refused(
            "not_failed",
            _("Only a failed batch can be tried again."),
            remedy=_("Reload the page: somebody may have done it meanwhile."),
            status=409,
        )
    batch.refresh_from_db()
    wake_worker()
    return batch


# publishing ----------------------------------------------------------------------------------------------


def process_batch(
    batch: Batch,
    rows: Iterable[DecodedRow] | None = None,
    *,
    at: datetime | None = None,
    known_since: Sequence[datetime] = (),
    await_turn: Callable[[], None] | None = None,
) -> Published:
    """Check and publish a received batch in the present transaction, and write its receipt.

    `at` is when it is done; the moment of receipt if it is not given. `known_since` gives for each row, the
    first is row 1, when a predecessor of the platform received it. `await_turn` as in `Delivery`.
    """
    feed = FEEDS[batch.feed]
    payload = open_payload(batch) if rows is None else None
    given = payload.rows if payload is not None else rows or ()
    result = _publish(batch, fewer_findings(given), known_since, await_turn)
    if payload is not None:
        result.problems = [payload.place(problem) for problem in result.problems]
    keep_receipt(batch, result, at=at or batch.received_at)
    refused = rejected_numbers(result)
    forget_corrected(batch, feed, result, refused)
    if payload is not None and refused:
        keep_rejections(batch, feed, payload.contents(refused), due_dates(Channel(batch.channel)))
    return result


def try_batch(batch: Batch) -> Published:
    """What would become of a batch: everything is checked and written, and then taken back."""
    return try_rows(batch, open_payload(batch))


def try_rows(batch: Batch, payload: Payload) -> Published:
    savepoint = transaction.savepoint()
    try:
        result = _publish(batch, fewer_findings(payload.rows))
    finally:
        transaction.savepoint_rollback(savepoint)
    result.problems = [payload.place(problem) for problem in result.problems]
    return result


def _publish(
    batch: Batch,
    rows: Iterable[DecodedRow],
    known_since: Sequence[datetime] = (),
    await_turn: Callable[[], None] | None = None,
) -> Published:
    channel = Channel(batch.channel)
    low, high = region_range(batch.region_code)
    delivery = Delivery(
        batch_id=batch.pk,
        sender_id=batch.sender_id,
        channel=channel,
        received_at=batch.received_at,
        region_from=low,
        region_to=high,
        known_since=known_since,
        is_overtaken=not known_since and _is_overtaken(batch),
        await_turn=await_turn,
    )
    return publish(FEEDS[batch.feed], rows, delivery, due_dates(channel))


def _is_overtaken(batch: Batch) -> bool:
    """Whether something the sender sent later is on file already: this one failed, or was left unconfirmed, meanwhile."""
    later = Batch.objects.filter(sender=batch.sender_id, feed=batch.feed, received_at__gt=batch.received_at)
    return later.filter(state=BatchState.DONE).exists()


def fewer_findings(rows: Iterable[DecodedRow]) -> Iterator[DecodedRow]:
    """Rows as they are until there are very many findings, then with one each."""
    found = 0
    for row in rows:
        if row.problems:
            if found > MANY_FINDINGS:
                del row.problems[1:]
            found += len(row.problems)
        yield row


def keep_receipt(batch: Batch, result: Published, *, at: datetime, state: BatchState = BatchState.DONE) -> None:
    batch.state = state
    batch.finished_at = at
    batch.rows = len(result.outcomes)
    batch.created = result.count(Outcome.CREATED)
    batch.updated = result.count(Outcome.UPDATED)
    batch.unchanged = result.count(Outcome.UNCHANGED)
    batch.rejected = result.count(Outcome.REJECTED)
    batch.outcomes = result.outcomes
    batch.failure = ""
    batch.save(
        update_fields=[
            "state", "finished_at", "rows", "created", "updated", "unchanged", "rejected", "outcomes", "failure",
        ]
    )  # fmt: skip
    keep_findings(batch, result.problems)


def keep_findings(batch: Batch, problems: list[FoundProblem]) -> None:
    """Write what was found. Not by COPY, which PostgreSQL refuses where rows have a reader each."""
    left = iter(problems)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM exchange_finding WHERE batch_id = %s", [batch.pk])
        while chunk := list(islice(left, 5000)):
            cursor.execute(
                "INSERT INTO exchange_finding (id, batch_id, insurer_id, region_code, row, field, code, values) "
                "SELECT f.id, %s, %s, %s, f.row, f.field, f.code, f.words FROM "
                "unnest(%s::uuid[], %s::int[], %s::text[], %s::text[], %s::jsonb[]) "
                "AS f(id, row, field, code, words)",
                [
                    batch.pk,
                    batch.insurer_id,
                    batch.region_code,
                    [uuid7() for _each in chunk],
                    [problem.row for problem in chunk],
                    [_storable(problem.field)[:60] for problem in chunk],
                    [problem.code for problem in chunk],
                    [Jsonb({key: _storable(str(word)) for key, word in problem.values.items()}) for problem in chunk],
                ],
            )


def _storable(text: str) -> str:
    """PostgreSQL keeps every character but NUL."""
    return text.replace("\x00", "�")


def due_dates(channel: Channel) -> DueDates:
    key = MANUAL_TIME if channel.is_manual else INTERFACE_TIME
    allowed: dict[date, int] = {
        row.effective_from: int(row.value) for row in Parameter.objects.filter(key=key, region_code="")
    }
    return DueDates(load_calendar(), allowed, channel.is_manual)

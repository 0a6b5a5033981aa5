"""The worker's part: batches too large to be published while their sender waits."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from anze.evidence.actions import clear_uploads
from anze.exchange.actions.batches import (
    LOST,
    MOST_ATTEMPTS,
    WAITING_TASK,
    OutOfTurn,
    await_turn,
    first_unchecked,
    first_waiting,
    process_batch,
)
from anze.exchange.actions.pulling import due_connectors, pull
from anze.exchange.actions.uploads import check_upload
from anze.exchange.models import Batch, Nonce
from anze.exchange.rules import BatchState
from anze.exchange.signatures import MAX_SKEW
from anze.expenses.actions import draw_up_statements, match_expenses, settle_paid
from anze.hazards.actions import propose_recurrences
from anze.kernel.duty import beijing_day
from anze.kernel.scope import EVERYTHING, inside
from anze.prevention.actions import look_for_likeness, packing
from anze.prevention.actions.complaints import take_over_overdue
from anze.underwriting.actions import look_for_findings

log = logging.getLogger("anze.exchange")

HAND = 0x68616E64  # a batch in a worker's hand
LOOK_BACK = 30  # days in which a hazard found may still arrive


# Deferred with every batch that waits; each minute as a net, should a worker have been killed.
@app.periodic(cron="* * * * *", periodic_id="net", queueing_lock="exchange net")
@app.task(name=WAITING_TASK)
def process_waiting_batches(timestamp: int | None = None) -> None:
    """Publish waiting batches and check uploaded files until there are none."""
    while process_next():
        pass


def process_next() -> bool:
    """Publish the next waiting batch, or check an uploaded file, in one transaction; False if there is none.

    The attempt is noted and committed first: a batch that brings the worker down is then not tried for ever.
    A worker killed in the middle leaves the batch waiting as it was, with nothing of it published.
    """
    with inside(EVERYTHING):
        batch = _in_hand()
        if batch is None:
            return False
        if is_tried_out := batch.attempts >= MOST_ATTEMPTS:
            _give_up(batch)
        else:
            batch.attempts += 1
            batch.started_at = timezone.now()
            batch.save(update_fields=["attempts", "started_at"])
    try:
        if not is_tried_out:
            _try(batch)
    finally:
        with suppress(*LOST), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [HAND, str(batch.pk)])
    return True


def _in_hand() -> Batch | None:
    """The next batch, which no other worker tries until this one lets go of it: the row's own lock ends with the
    noting of the attempt, and another would note a second one before the first has begun. A worker that dies lets
    go with its session."""
    passed: list[UUID] = []
    while batch := first_waiting(passed) or first_unchecked(passed):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [HAND, str(batch.pk)])
            if cursor.fetchone()[0]:
                return batch
        passed.append(batch.pk)
    return None


def _try(batch: Batch) -> None:
    try:
        with inside(EVERYTHING, by=batch.by):
            # whoever has it for a moment only wants to know whether it is done
            locked = Batch.objects.filter(pk=batch.pk, state=batch.state).select_for_update().first()
            if locked is not None and locked.state == BatchState.RECEIVED:
                process_batch(locked, at=timezone.now(), await_turn=partial(await_turn, locked))
            elif locked is not None:
                check_upload(locked, at=timezone.now())
    except OutOfTurn:
        _uncount(batch)
    except LOST:
        _uncount(batch)
        raise
    except Exception as problem:
        log.exception("batch %s could not be published (attempt %d)", batch.pk, batch.attempts)
        with inside(EVERYTHING):
            batch.failure = f"{type(problem).__name__}: {problem}".replace("\x00", " ")[:300]
            batch.save(update_fields=["failure"])
            if batch.attempts >= MOST_ATTEMPTS:
                _give_up(batch)


def _uncount(batch: Batch) -> None:
    """The database failed, not the batch. If it cannot even be told so, the attempt stays counted: a batch
    that brings the database down is not tried for ever either."""
    with suppress(*LOST), inside(EVERYTHING):
        Batch.objects.filter(pk=batch.pk, attempts=batch.attempts).update(attempts=batch.attempts - 1)


def _give_up(batch: Batch) -> None:
    batch.state = BatchState.FAILED
    batch.finished_at = timezone.now()
    batch.failure = batch.failure or "The worker ended before the batch was done."
    batch.save(update_fields=["state", "finished_at", "failure"])


@app.periodic(cron="*/10 * * * *", periodic_id="nonces", queueing_lock="exchange nonces")
@app.task(name="exchange.forget_nonces")
def forget_nonces(timestamp: int | None = None) -> None:
    """A signature is too old to be repeated after twice the allowed skew; its nonce may then be forgotten."""
    with inside(EVERYTHING):
        Nonce.objects.filter(seen_at__lt=timezone.now() - 3 * MAX_SKEW).delete()


@app.periodic(cron="43 3 * * *", periodic_id="unfinished uploads")
@app.task(name="exchange.forget_unfinished_uploads", queueing_lock="exchange unfinished uploads")
def forget_unfinished_uploads(timestamp: int) -> None:
    """Photos nobody went on sending: their pieces go, and the device begins anew should it come back."""
    with inside(EVERYTHING):
        clear_uploads(at=timezone.now())


@app.periodic(cron="23 2 * * *", periodic_id="recurrences")
@app.task(name="exchange.look_for_recurrences", queueing_lock="hazards recurrences")
def look_for_recurrences(timestamp: int) -> None:
    """Whether hazards of the last weeks were found before; across insurers, hence with everything in view."""
    at = datetime.fromtimestamp(timestamp, UTC)
    today = beijing_day(at)
    with inside(EVERYTHING):
        propose_recurrences(today - timedelta(days=LOOK_BACK), today, at=at)


@app.periodic(cron="37 2 * * *", periodic_id="expenses")
@app.task(name="exchange.match_expenses", queueing_lock="expenses match")
def match_all_expenses(timestamp: int) -> None:
    """Services, invoices and payments of the whole province against each other; across insurers, hence all in view."""
    with inside(EVERYTHING):
        match_expenses(at=datetime.fromtimestamp(timestamp, UTC))


@app.periodic(cron="*/10 * * * *", periodic_id="cover")
@app.task(name="exchange.look_at_cover", queueing_lock="underwriting cover")
def look_at_cover(timestamp: int) -> None:
    """What is wrong with cover follows the data within minutes, and the calendar: days pass by themselves. What is
    done on the platform is looked at in the same moment."""
    with inside(EVERYTHING):
        look_for_findings(at=datetime.fromtimestamp(timestamp, UTC))


@app.periodic(cron="*/10 * * * *", periodic_id="likeness")
@app.task(name="exchange.look_for_likeness", queueing_lock="prevention likeness")
def look_at_reports(timestamp: int) -> None:
    """Whether new reports repeat others; across insurers, hence with everything in view."""
    with inside(EVERYTHING):
        look_for_likeness(at=datetime.fromtimestamp(timestamp, UTC))


@app.periodic(cron="11 * * * *", periodic_id="complaints")
@app.task(name="exchange.take_over_complaints", queueing_lock="prevention complaints")
def take_over_complaints(timestamp: int) -> None:
    """Complaints nobody has answered in time go to the authority."""
    with inside(EVERYTHING):
        take_over_overdue(at=datetime.fromtimestamp(timestamp, UTC))


# Deferred with every archive asked for; each minute as a net, should a worker have been killed.
@app.periodic(cron="* * * * *", periodic_id="archives", queueing_lock="prevention archives")
@app.task(name=packing.TASK)
def pack_archives(timestamp: int | None = None) -> None:
    """Pack the archives somebody waits for until there are none."""
    while packing.pack_next(at=timezone.now()):
        pass


@app.periodic(cron="53 3 * * *", periodic_id="old archives")
@app.task(name="prevention.forget_packs", queueing_lock="prevention old archives")
def forget_packs(timestamp: int) -> None:
    """Archive files whose time is over; they can be packed again from the records."""
    with inside(EVERYTHING):
        packing.forget_packs(at=timezone.now())


@app.periodic(cron="57 1 * * *", periodic_id="statements")
@app.task(name="exchange.draw_up_statements", queueing_lock="expenses statements")
def draw_up_all_statements(timestamp: int) -> None:
    """The statements of the month that is over, once; and those that have been paid meanwhile close."""
    at = datetime.fromtimestamp(timestamp, UTC)
    before = beijing_day(at).replace(day=1) - timedelta(days=1)
    with inside(EVERYTHING):
        draw_up_statements(before, at=at)
        settle_paid(at=at)


@app.periodic(cron="* * * * *", periodic_id="connectors")
@app.task(name="exchange.pull_due_apps", queueing_lock="exchange connectors")
def pull_due_apps(timestamp: int) -> None:
    """Start a job for each app whose time has come; one app never waits for another."""
    with inside(EVERYTHING):
        due = due_connectors(datetime.fromtimestamp(timestamp, UTC))
    for key in due:
        with suppress(AlreadyEnqueued):
            pull_app.configure(queueing_lock=f"connector {key}", lock=f"connector {key}").defer(connector=str(key))


@app.task(name="exchange.pull_app")
def pull_app(connector: str) -> None:
    """Pull one app; killed in the middle it is resumed from the last page that was kept."""
    pull(UUID(connector))

"""Files that people upload: kept, checked without being published, confirmed or cancelled by their sender."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from anze.exchange.actions.batches import (
    AT_ONCE,
    keep_receipt,
    publish_now,
    try_rows,
    waiting,
    wake_worker,
)
from anze.exchange.feed import Feed
from anze.exchange.models import Batch
from anze.exchange.payloads import File, open_payload
from anze.exchange.refusals import UnreadableFile
from anze.exchange.rules import BatchState
from anze.exchange.uploads import file_type, kept_remarks
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.parties.models import Organisation
from anze.parties.rules import Permission

SMALL_FILE = 60_000  # bytes up to which a file is read while its sender waits
CHECK_ANEW = (BatchState.CHECKED, BatchState.CANCELLED, BatchState.FAILED)


def upload_file(
    sender: Organisation, *, by: Actor, at: datetime, feed: Feed, data: bytes, file_name: str
) -> tuple[Batch, bool]:
    """Keep a file and check it; nothing is published yet. Returns its batch and whether it was new.

    The file's hash is its idempotency key: the very same file that was published before changes nothing.
    Large files are checked by the worker. Must run in a transaction whose scope is everything.
    """
    batch, is_new = _keep_file(sender, by=by, at=at, feed=feed, data=data, file_name=file_name)
    if batch.state == BatchState.CHECKING:
        if len(data) <= SMALL_FILE:
            payload = open_payload(batch)
            if isinstance(payload, File) and payload.upload.problems:
                first = payload.upload.problems[0]
                raise UnreadableFile(first.code, row=first.row, **first.values)
            check_upload(batch, at=at)
        else:
            wake_worker()
    return batch, is_new


@action(Permission.ENTER_DATA, "batch.uploaded")
def _keep_file(
    sender: Organisation, *, by: Actor, at: datetime, feed: Feed, data: bytes, file_name: str
) -> tuple[Batch, bool]:
    digest = hashlib.sha256(data).hexdigest()
    known = {"sender": sender, "feed": feed.name, "idempotency_key": f"file {digest}"}
    batch = Batch(
        **known,
        insurer_id=sender.pk if feed.of_insurer else None,
        region_code=by.scope.region_from or sender.region_id,
        channel=Channel.EXCEL,
        state=BatchState.CHECKING,
        content_sha256=digest,
        content_type=file_type(data),
        payload=gzip.compress(data, compresslevel=1),
        size=len(data),
        file_name=file_name[-200:],
        received_at=at,
        by=by.account_id,
        by_name=by.name[:120],
    )
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
        return batch, True
    except IntegrityError:
        batch = Batch.objects.select_for_update().get(**known)
    if batch.state in CHECK_ANEW:
        # the data around it may have changed since
        batch.state = BatchState.CHECKING
        batch.attempts = 0
        batch.file_name = file_name[-200:]
        batch.save(update_fields=["state", "attempts", "file_name"])
    return batch, False


def check_upload(batch: Batch, *, at: datetime) -> None:
    """Find out what would become of each row, and keep that as a receipt not yet in force."""
    payload = open_payload(batch)
    if not isinstance(payload, File):
        raise TypeError("only files are checked before they are published")
    batch.remarks = kept_remarks(payload.upload)
    if payload.upload.problems:
        batch.state = BatchState.FAILED
        batch.finished_at = at
        batch.save(update_fields=["state", "finished_at", "remarks"])
        return
    result = try_rows(batch, payload)
    batch.save(update_fields=["remarks"])
    keep_receipt(batch, result, at=at, state=BatchState.CHECKED)


@action(Permission.ENTER_DATA, "batch.confirmed")
def confirm_upload(batch: Batch, *, by: Actor, at: datetime) -> Batch:
    """Publish the good rows of a checked file; they count as received now.

    Must run in a transaction whose scope is everything.
    """
    _move(batch, BatchState.CHECKED, BatchState.RECEIVED, received_at=at, finished_at=None, attempts=0)
    others = waiting().filter(sender=batch.sender_id, feed=batch.feed).exclude(pk=batch.pk)
    if batch.rows <= AT_ONCE and not others.exists():
        publish_now(batch, at)
    if batch.state == BatchState.RECEIVED:
        wake_worker()
    return batch


@action(Permission.ENTER_DATA, "batch.cancelled")
def cancel_upload(batch: Batch, *, by: Actor, at: datetime) -> Batch:
    """Put a checked file aside; nothing of it is published."""
    _move(batch, BatchState.CHECKED, BatchState.CANCELLED, finished_at=at)
    return batch


def _move(batch: Batch, source: BatchState, target: BatchState, **sets: Any) -> None:
    changed = Batch.objects.filter(pk=batch.pk, state=source).update(state=target, **sets)
    if not changed:
        raise Refused(
            "wrong_state",
            _("The file is no longer waiting for your confirmation."),
            remedy=_("Reload the page: somebody may have confirmed or cancelled it meanwhile."),
            status=409,
        )
    batch.refresh_from_db()

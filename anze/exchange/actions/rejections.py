"""Records that were rejected and are not on file: their deadlines run on until they are corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec

from anze.exchange.feed import Feed, Kind
from anze.exchange.models import Batch, RejectedRow
from anze.exchange.publishing import Published
from anze.exchange.rules import Outcome
from anze.kernel.duty import beijing_day

MOST = 10_000  # of one batch; more than that is no list a person works through


def number_field(feed: Feed) -> str:
    """The field that alone names a record among its sender's, '' if there is none."""
    if len(feed.key_fields) == 1 and feed.get(feed.key_fields[0]).stored_as == feed.key[0]:
        return feed.key_fields[0]
    return ""


def forget_corrected(batch: Batch, feed: Feed, result: Published, refused: set[int]) -> None:
    """Forget the rejections that a published batch made good."""
    if not number_field(feed):
        return
    mine = RejectedRow.objects.filter(sender=batch.sender_id, feed=feed.name)
    row_of = result.row_of
    made_good = [
        key for key in mine.values_list("key", flat=True) if (row := row_of.get(key)) is not None and row not in refused
    ]
    if made_good:
        mine.filter(key__in=made_good).delete()


def keep_rejections(
    batch: Batch,
    feed: Feed,
    contents: Iterable[tuple[int, Mapping[str, Any]]],
    due: Callable[[date], datetime | None],
) -> None:
    """Note the rejected records that are not on file. `contents` are those rejected, by row."""
    name = number_field(feed)
    if not name:
        return
    found: dict[str, RejectedRow] = {}
    for row, content in islice(contents, MOST):
        key, day = content.get(name), _day_of(feed, content.get(feed.event))
        due_at = due(day) if day else None
        if isinstance(key, str) and 0 < len(key) <= 200 and "\x00" not in key and day and due_at:
            found[key] = RejectedRow(
                batch=batch,
                sender_id=batch.sender_id,
                insurer_id=batch.insurer_id,
                region_code=batch.region_code,
                feed=feed.name,
                row=row,
                key=key,
                event_on=day,
                received_at=batch.received_at,
                report_due_at=due_at,
            )
    if not found:
        return
    column = feed.get(name).stored_as
    on_file = feed.model._default_manager.filter(**{f"{column}__in": list(found)})
    if feed.of_insurer:
        on_file = on_file.filter(insurer_id=batch.sender_id)
    for key in on_file.values_list(column, flat=True):
        found.pop(key)
    RejectedRow.objects.filter(sender=batch.sender_id, feed=feed.name, key__in=list(found)).delete()
    RejectedRow.objects.bulk_create(found.values(), batch_size=2000)


def _day_of(feed: Feed, value: Any) -> date | None:
    try:
        if feed.get(feed.event).kind is Kind.MOMENT:
            moment = msgspec.convert(value, datetime)
            return beijing_day(moment) if moment.tzinfo else None
        return msgspec.convert(value, date)
    except (msgspec.ValidationError, OverflowError):
        return None


def rejected_numbers(result: Published) -> set[int]:
    return {
        row for row, outcome in zip(result.numbers, result.outcomes, strict=True) if outcome == Outcome.REJECTED.value
    }

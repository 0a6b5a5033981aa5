"""Delivering the province: institutions, then every batch through the feeds' own checks and publishing."""

from __future__ import annotations

import gc
import multiprocessing
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection, wait
from typing import Any
from uuid import UUID

from django.db import connection, connections

from anze.exchange.actions import process_batch, receive_batch
from anze.exchange.feeds import FEEDS
from anze.exchange.synthetic.entities import Insurer, Province
from anze.exchange.synthetic.feeding import Parcel, parcels_of, register_parcels
from anze.exchange.synthetic.institutions import load_institutions
from anze.kernel.actor import Actor
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission

Advance = Callable[[str, int], None]  # dataset, rows
REGISTER = ("enterprises", "obligations")


class LoadProblem(Exception):
    """The load cannot go on; the text says why."""


def load(province: Province, *, advance: Advance, processes: int = 2) -> Counter[tuple[str, str]]:
    """Deliver everything; returns how many rows were late, by insurer's code and dataset.

    With `processes` 0 all is done here, in the transaction that is open. Raises `LoadProblem` if any row is
    rejected, which would be a fault of the province or of a feed.
    """
    with inside(EVERYTHING):
        senders = load_institutions(province)
    for feed in REGISTER:
        for city, parcel in register_parcels(province, feed):
            _deliver(parcel, senders[f"EMA{city}"], Channel.EXCEL)
            advance(feed, len(parcel.moments))
    if processes == 0:
        late: Counter[tuple[str, str]] = Counter()
        for insurer in province.insurers:
            late.update(_load_insurer(province, insurer, senders[insurer.code], advance))
        return late
    return _load_in_parallel(province, {i.index: senders[i.code].pk for i in province.insurers}, advance, processes)


def _load_insurer(
    province: Province, insurer: Insurer, sender: Organisation, advance: Advance
) -> Counter[tuple[str, str]]:
    parcels, reporter = parcels_of(province, insurer)
    for number, parcel in enumerate(parcels):
        _deliver(parcel, sender, Channel(insurer.channel), number)
        advance(parcel.feed, len(parcel.moments))
    return Counter({(insurer.code, feed): count for feed, count in reporter.late.items()})


def _deliver(parcel: Parcel, sender: Organisation, channel: Channel, number: int = 0) -> None:
    """One batch, in a transaction of its own, as the interface would take it."""
    by = Actor(
        name=sender.short_name or sender.name,
        scope=EVERYTHING,
        permissions=frozenset({Permission.ENTER_DATA}),
    )
    with inside(EVERYTHING):
        batch, _is_new = receive_batch(
            sender,
            by=by,
            at=parcel.received_at,
            feed=FEEDS[parcel.feed],
            channel=channel,
            body=parcel.body,
            content_type="application/x-ndjson",
            idempotency_key=f"{parcel.feed}-{number:04d}",
        )
        result = process_batch(batch, known_since=parcel.moments)
        if result.problems:
            first = result.problems[0]
            row = parcel.body.split(b"\n")[first.row - 1].decode()
            raise LoadProblem(
                f"{len(result.problems)} findings in {parcel.feed} of {sender.code}, in row {first.row}: "
                f"{first.field} {first.code} {first.values} in {row[:600]}"
            )


# side by side ------------------------------------------------------------------------------------------


def _load_in_parallel(
    province: Province, senders: dict[int, UUID], advance: Advance, processes: int
) -> Counter[tuple[str, str]]:
    """Insurers do not touch one another's rows, so several are loaded at once, the largest first."""
    connections.close_all()  # a connection must not be shared with a child
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    for insurer in sorted(province.insurers, key=lambda each: -len(each.policies)):
        queue.put(insurer.index)
    for _process in range(processes):
        queue.put(None)
    gc.collect()
    gc.freeze()  # the children read the province; they must not copy it by collecting garbage in it
    children = []
    readers: list[Connection] = []
    try:
        for _process in range(processes):
            reader, writer = context.Pipe(duplex=False)
            child = context.Process(target=_child, args=(province, senders, queue, writer), daemon=True)
            child.start()
            writer.close()
            children.append(child)
            readers.append(reader)
        late: Counter[tuple[str, str]] = Counter()
        while readers:
            ready = wait(readers, timeout=1)
            for reader in [each for each in readers if each in ready]:
                try:
                    kind, content = reader.recv()
                except EOFError:
                    readers.remove(reader)
                    continue
                if kind == "rows":
                    advance(*content)
                elif kind == "late":
                    late.update(content)
                else:
                    raise LoadProblem(content)
            advance("", 0)
        for child in children:
            child.join()
            if child.exitcode:
                raise LoadProblem(f"a loading process ended with status {child.exitcode}")
        return late
    finally:
        for child in children:
            if child.is_alive():
                child.terminate()
                child.join(5)
        gc.unfreeze()


def _child(province: Province, senders: dict[int, UUID], queue: Any, out: Connection) -> None:
    try:
        gc.disable()
        quicken()
        while (index := queue.get()) is not None:
            insurer = province.insurers[index]
            with inside(EVERYTHING):
                sender = Organisation.objects.get(pk=senders[index])
            late = _load_insurer(province, insurer, sender, lambda feed, rows: out.send(("rows", (feed, rows))))
            out.send(("late", late))
    except LoadProblem as problem:
        out.send(("problem", str(problem)))
    except KeyboardInterrupt:
        sys.exit(130)
    except BaseException:
        out.send(("problem", traceback.format_exc()))
    finally:
        connections.close_all()
        out.close()


def quicken() -> None:
    """For this connection only: a crash may lose the last moment, but then the load is repeated."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")


def is_empty() -> bool:
    """Whether nobody is on file yet."""
    with inside(EVERYTHING):
        return not Organisation.objects.filter(kind=OrganisationKind.INSURER).exists()


__all__ = ["Advance", "LoadProblem", "datetime", "is_empty", "load", "quicken"]

"""Delivering the province: institutions, then every batch through the feeds' own checks and publishing.

While one process still draws what was done in the year, another delivers the authorities' register; then
the insurers' deliveries are divided among several, since insurers do not touch one another's rows.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from django.db import connection, connections

from anze.exchange.actions import process_batch, receive_batch
from anze.exchange.feeds import FEEDS
from anze.exchange.synthetic.drawing import Draft, complete
from anze.exchange.synthetic.entities import Insurer, Province
from anze.exchange.synthetic.feeding import Parcel, parcels_of, register_parcels
from anze.exchange.synthetic.institutions import load_experts, load_institutions
from anze.kernel.actor import Actor
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, inside
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission

Advance = Callable[[str, int], None]  # dataset, rows; "" and 0 now and then while nothing is reported
Late = Counter[tuple[str, str]]  # insurer's code, dataset
REGISTER = ("enterprises", "obligations")


class LoadProblem(Exception):
    """The load cannot go on; the text says why."""


def load(draft: Draft, *, advance: Advance, processes: int = 2) -> tuple[Province, Late]:
    """Complete the draft and deliver everything; returns the province, and how many rows were late.

    With `processes` 0 all is done here, one thing after another. Raises `LoadProblem` if any row is rejected,
    which would be a fault of the province or of a feed.
    """
    crew = Crew(advance)
    if processes == 0:
        _load_register(draft, advance)
        province = complete(draft)
    else:
        crew.start(lambda report: _load_register(draft, report))
        try:
            province = complete(draft)
        except BaseException:
            crew.dismiss()
            raise
        crew.finish()
    with inside(EVERYTHING):
        load_experts(province)
    if processes == 0:
        for insurer in province.insurers:
            crew.late.update(_load_insurer(province, insurer, advance))
    else:
        queue = multiprocessing.get_context("fork").SimpleQueue()
        for insurer in sorted(province.insurers, key=lambda each: -len(each.policies)):
            queue.put(insurer.index)
        for _process in range(processes):
            queue.put(None)
        for _process in range(processes):
            crew.start(lambda report: _load_insurers(province, queue, report))
        crew.finish()
    return province, crew.late


def _load_register(draft: Draft, advance: Advance) -> Late:
    with inside(EVERYTHING):
        load_institutions(draft)
        senders = {each.code: each for each in Organisation.objects.filter(kind=OrganisationKind.EMA)}
    for feed in REGISTER:
        for city, parcel in register_parcels(draft, feed):
            _deliver(parcel, senders[f"EMA{city}"], Channel.EXCEL)
            advance(feed, len(parcel.moments))
    return Counter()


def _load_insurers(province: Province, queue: Any, advance: Advance) -> Late:
    """Insurers from the queue, the largest first, until there are none."""
    late: Late = Counter()
    while (index := queue.get()) is not None:
        late.update(_load_insurer(province, province.insurers[index], advance))
    return late


def _load_insurer(province: Province, insurer: Insurer, advance: Advance) -> Late:
    with inside(EVERYTHING):
        sender = Organisation.objects.get(code=insurer.code)
    parcels, reporter = parcels_of(province, insurer)
    for number, parcel in enumerate(parcels):
        _deliver(parcel, sender, Channel(insurer.channel), number)
        advance(parcel.feed, len(parcel.moments))
    return Counter({(insurer.code, feed): count for feed, count in reporter.late.items()})


def _deliver(parcel: Parcel, sender: Organisation, channel: Channel, number: int = 0) -> None:
    """One batch, in a transaction of its own, as the interface would take it."""
    may = frozenset({Permission.ENTER_DATA})
    by = Actor(name=sender.short_name or sender.name, scope=EVERYTHING, permissions=may)
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


def quicken() -> None:
    """For this connection only: a crash may lose the last moment, but then the load is repeated."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")


class Crew:
    """Forked processes that report rows to this one, and end with it."""

    def __init__(self, advance: Advance) -> None:
        self.late: Late = Counter()
        self._advance = advance
        self._context = multiprocessing.get_context("fork")
        self._members: list[tuple[BaseProcess, Connection]] = []

    def start(self, work: Callable[[Advance], Late]) -> None:
        connections.close_all()  # a connection must not be shared with a child
        gc.collect()
        gc.freeze()  # the children read the province; they must not copy it by collecting garbage in it
        reader, writer = self._context.Pipe(duplex=False)
        member = self._context.Process(target=_work, args=(work, writer), daemon=True)
        member.start()
        writer.close()
        gc.unfreeze()
        self._members.append((member, reader))

    def finish(self) -> None:
        """Pass on what the members report until all are done; raises `LoadProblem` if one is not."""
        try:
            readers = [reader for _member, reader in self._members]
            while readers:
                ready = wait(readers, timeout=1)
                for reader in [each for each in readers if each in ready]:
                    try:
                        kind, content = reader.recv()
                    except EOFError:
                        readers.remove(reader)
                        continue
                    if kind == "rows":
                        self._advance(*content)
                    elif kind == "late":
                        self.late.update(content)
                    else:
                        raise LoadProblem(content)
                self._advance("", 0)
            for member, _reader in self._members:
                member.join()
                if member.exitcode:
                    raise LoadProblem(f"a loading process ended with status {member.exitcode}")
        finally:
            self.dismiss()

    def dismiss(self) -> None:
        """End whoever is still at work."""
        for member, reader in self._members:
            if member.is_alive():
                member.terminate()
                member.join(5)
            reader.close()
        self._members.clear()


def _work(work: Callable[[Advance], Late], out: Connection) -> None:
    try:
        gc.disable()
        quicken()
        out.send(("late", work(lambda feed, rows: out.send(("rows", (feed, rows))))))
    except LoadProblem as problem:
        out.send(("problem", str(problem)))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
    except BaseException:
        out.send(("problem", traceback.format_exc()))
    finally:
        connections.close_all()
        out.close()

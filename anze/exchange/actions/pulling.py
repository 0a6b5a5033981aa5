"""Pulling insurers' apps: page by page, each page's rows and the new cursor in one transaction."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from anze.evidence.actions import arrived, receive_media
from anze.evidence.rules import MediaKind, Subject, register_subject
from anze.exchange.actions.batches import LOST, process_batch, receive_batch
from anze.exchange.connectors.fetching import Fetcher, FetchProblem, target_of
from anze.exchange.connectors.mapping import Stream, at, mapped, mappings
from anze.exchange.models import Connector, ConnectorRun
from anze.exchange.rules import ConnectorState, Outcome, PullFailure, RunState
from anze.kernel.actions import action
from anze.kernel.actor import Actor, platform
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, inside
from anze.kernel.sealing import seal, unseal
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.prevention.models import Service
from anze.screen.columns import readers_of

log = logging.getLogger("anze.exchange")

MOST_PAGES = 200  # in one run; what is left comes with the next
MOST_PHOTOS = 20  # of one record
LONGEST_BACK_OFF = 24 * 60  # minutes


@action(Permission.MANAGE_KEYS, "connector.made")
def make_connector(
    insurer: Organisation,
    *,
    by: Actor,
    at: datetime,
    name: str,
    mapping: str,
    base_url: str,
    token: bytes,
    every_minutes: int,
) -> Connector:
    """Name an app that is to be pulled. The address is checked now and again before every request."""
    if insurer.kind != OrganisationKind.INSURER or by.scope.insurer_id not in (None, insurer.pk):
        raise Refused("not_an_insurer", _("Apps are pulled for insurers."), remedy=_("Choose an insurer."), status=409)
    if mapping not in mappings():
        raise Refused(
            "unknown_mapping", _("There is no such kind of app."), remedy=_("Choose one of the list."), field="mapping"
        )
    if not re.fullmatch(rb"[!-~]+( +[!-~]+)*", token):
        raise Refused(
            "token_characters", _("An access token is made of letters, digits and signs of ASCII, in one line."),
            remedy=_("Copy it again from the app's maker."), field="token",
        )  # fmt: skip
    if not 5 <= every_minutes <= 7 * 24 * 60:
        raise Refused(
            "interval_out_of_range", _("An app is pulled every 5 minutes to every 7 days."),
            remedy=_("Correct the interval."), field="every_minutes",
        )  # fmt: skip
    if Connector.objects.filter(insurer=insurer, name=name).exists():
        raise Refused("name_taken", _("There is a connector of this name."), remedy=_("Choose another."), field="name")
    try:
        target_of(base_url)
    except FetchProblem as problem:
        raise Refused(
            "address_unknown", _("The host name %(host)s leads nowhere."), remedy=_("Correct the address."),
            field="base_url", values={"host": str(problem)},
        ) from None  # fmt: skip
    made = Connector(
        insurer=insurer, region_code=insurer.region_id, name=name, mapping=mapping, base_url=base_url,
        every_minutes=every_minutes, made_at=at, made_by=by.name[:120], next_run_at=at,
    )  # fmt: skip
    made.token = seal(token, f"connector {made.pk}")
    made.save(force_insert=True)
    return made


@action(Permission.MANAGE_KEYS, "connector.paused")
def pause_connector(connector: Connector, *, by: Actor, at: datetime) -> Connector:
    """No run begins; one under way ends with its page."""
    connector.state = ConnectorState.PAUSED
    connector.save(update_fields=["state"])
    return connector


@action(Permission.MANAGE_KEYS, "connector.resumed")
def resume_connector(connector: Connector, *, by: Actor, at: datetime) -> Connector:
    """Pull again, from where it stopped, at once."""
    connector.state, connector.failures, connector.next_run_at = ConnectorState.ACTIVE, 0, at
    connector.save(update_fields=["state", "failures", "next_run_at"])
    return connector


# one run --------------------------------------------------------------------------------------------------


def fetcher_of(connector: Connector) -> Fetcher:
    token = unseal(connector.token, f"connector {connector.pk}").decode()
    return Fetcher(connector.base_url, token, mappings()[connector.mapping].per_minute)


def due_connectors(at: datetime) -> list[UUID]:
    found = Connector.objects.filter(next_run_at__lte=at).exclude(state=ConnectorState.PAUSED)
    return list(found.order_by("next_run_at", "pk").values_list("pk", flat=True))


def pull(
    key: UUID, *, fetcher: Callable[[Connector], Fetcher] = fetcher_of, now: Callable[[], datetime] = timezone.now
) -> ConnectorRun | None:
    """Pull an app once; call it outside of any transaction, for each page is kept in one of its own.

    A run that died is resumed by the next: the cursor stands behind the last page that was kept as a whole.
    """
    with inside(EVERYTHING):
        connector = Connector.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=key).first()
        if connector is None or connector.state == ConnectorState.PAUSED:
            return None
        ConnectorRun.objects.filter(connector=connector, state=RunState.RUNNING).update(
            state=RunState.FAILED, finished_at=now(), cause=PullFailure.BROKEN_OFF
        )
        run = ConnectorRun.objects.create(
            connector=connector, insurer_id=connector.insurer_id, region_code=connector.region_code, started_at=now()
        )
        connector.next_run_at = now() + timedelta(minutes=connector.every_minutes)
        connector.save(update_fields=["next_run_at"])
    try:
        for stream in mappings()[connector.mapping].streams:
            _pull_stream(connector, run, stream, fetcher(connector), now)
    except FetchProblem as problem:
        _end(connector, run, now(), problem.cause, str(problem))
    except Refused as problem:
        _end(connector, run, now(), PullFailure.NOT_ALLOWED, problem.code)
    except Exception as problem:
        log.exception("connector %s broke", connector.pk)
        _end(connector, run, now(), PullFailure.PLATFORM, f"{type(problem).__name__}: {problem}")
        raise
    else:
        _end(connector, run, now())
    return run


def _end(connector: Connector, run: ConnectorRun, moment: datetime, cause: str = "", failure: str = "") -> None:
    with inside(EVERYTHING):
        run.state = RunState.FAILED if cause else RunState.DONE
        run.finished_at, run.cause, run.failure = moment, cause, failure.replace("\x00", " ")[:300]
        run.save()
        fresh = Connector.objects.select_for_update(of=("self",)).get(pk=connector.pk)
        fresh.last_run_at = moment
        fresh.failures = fresh.failures + 1 if cause else 0
        if fresh.state != ConnectorState.PAUSED:
            fresh.state = ConnectorState.FAILING if cause else ConnectorState.ACTIVE
        if cause:
            wait = min(LONGEST_BACK_OFF, max(1, connector.every_minutes) * 2 ** min(fresh.failures - 1, 8))
            fresh.next_run_at = moment + timedelta(minutes=wait)
        fresh.save(update_fields=["last_run_at", "failures", "state", "next_run_at"])


@dataclass(frozen=True)
class Page:
    """A page as it was fetched: its records, the photos of each, and where the next begins."""

    records: list[Any]
    photos: list[list[tuple[str, str, bytes]]]  # of each record: address, file name, content
    missing: int
    next: str
    is_last: bool


def _pull_stream(
    connector: Connector, run: ConnectorRun, stream: Stream, fetcher: Fetcher, now: Callable[[], datetime]
) -> None:
    cursor = str(connector.cursors.get(stream.name, stream.first))
    for _number in range(MOST_PAGES):
        page = _fetch(stream, fetcher, cursor)
        if not page.records and page.next == cursor:
            return
        if not _keep(connector, run, stream, page, cursor, now()):
            return  # paused, or another run was faster
        if page.is_last or page.next == cursor:
            return
        cursor = page.next


def _fetch(stream: Stream, fetcher: Fetcher, cursor: str) -> Page:
    query = {stream.ask: cursor} if cursor else {}
    if stream.size[0]:
        query[stream.size[0]] = str(stream.size[1])
    answer = fetcher.json(stream.path, query)
    records = at(answer, stream.rows)
    if not isinstance(records, list):
        raise FetchProblem(PullFailure.UNREADABLE, f"{stream.path}: {stream.rows}")
    following = at(answer, stream.next)
    photos, missing = [], 0
    for record in records:
        found = []
        listed = at(record, stream.photos["each"]) if stream.photos else None
        for each in listed[:MOST_PHOTOS] if isinstance(listed, list) else []:
            url = str(at(each, stream.photos["url"]))
            try:
                found.append((url, str(at(each, stream.photos["name"]) or ""), fetcher.file(url)))
            except (FetchProblem, Refused):
                missing += 1  # the record is worth more than its photo
            except Exception:
                log.exception("a photo of a page of %s could not be fetched", stream.name)
                missing += 1
        photos.append(found)
    is_last = not at(answer, stream.more) if stream.more else not records
    return Page(records, photos, missing, cursor if following in (None, "") else str(following), is_last)


def _keep(connector: Connector, run: ConnectorRun, stream: Stream, page: Page, cursor: str, moment: datetime) -> bool:
    """Publish a page, keep its photos and move the cursor: all in one transaction, or nothing of it."""
    with inside(EVERYTHING), transaction.atomic():
        fresh = Connector.objects.select_for_update(of=("self",)).get(pk=connector.pk)
        if fresh.state == ConnectorState.PAUSED or str(fresh.cursors.get(stream.name, stream.first)) != cursor:
            return False
        rows = [mapped(stream, record) for record in page.records]
        if rows:
            outcomes = _publish(fresh, stream, rows, cursor, moment)
            run.rows += len(rows)
            run.rejected += outcomes.count(Outcome.REJECTED.value)
            for row, outcome, photos in zip(rows, outcomes, page.photos, strict=True):
                if outcome != Outcome.REJECTED.value:
                    run.photos += _keep_photos(fresh, row, photos, run, moment)
        run.pages += 1
        run.photos_missing += page.missing
        run.save()
        fresh.cursors = {**fresh.cursors, stream.name: page.next}
        fresh.save(update_fields=["cursors"])
    connector.cursors = fresh.cursors
    return True


def _publish(
    connector: Connector, stream: Stream, rows: Sequence[dict[str, Any]], cursor: str, moment: datetime
) -> str:
    """The rows through the feed's own checks; returns a letter a row."""
    body = b"\n".join(msgspec.json.encode(row) for row in rows)
    digest = hashlib.sha256(body).hexdigest()[:24]
    batch, is_new = receive_batch(
        Organisation.objects.get(pk=connector.insurer_id),
        by=platform(frozenset({Permission.ENTER_DATA})),
        at=moment,
        feed=stream.feed,
        channel=Channel.APP,
        body=body,
        content_type="application/x-ndjson",
        # the cursor may be long; with the content's hash it is the same delivery only if it is the same page
        idempotency_key=f"{connector.pk.hex[-12:]} {stream.name} {cursor[-24:]} {digest}"[:100],
        file_name=connector.name,
    )
    if is_new:
        process_batch(batch, at=moment)
    return batch.outcomes or Outcome.UNCHANGED.value * len(rows)


def _keep_photos(
    connector: Connector, row: dict[str, Any], photos: list[tuple[str, str, bytes]], run: ConnectorRun, moment: datetime
) -> int:
    """Photos of a service as evidence; the same photo of the same app is kept once, however often it comes."""
    by = platform(frozenset({Permission.ADD_EVIDENCE}))
    service = Service.objects.filter(insurer_id=connector.insurer_id, service_no=row.get("service_no")).first()
    subject = _subject(service.pk, by, moment) if service is not None else None
    if subject is None:
        return 0
    kept = 0
    for url, name, content in photos:
        client = uuid5(connector.pk, f"{row['service_no']} {url}")
        try:
            with transaction.atomic():
                receive_media(
                    subject, by=by, at=moment, content=arrived(content), kind=MediaKind.PHOTO, client_id=client,
                    file_name=name[-200:],
                )  # fmt: skip
        except Refused:
            run.photos_missing += 1  # no picture, too large, or not clean
        except LOST:
            raise  # the database's trouble, not the photo's
        except Exception:
            log.exception("a photo of service %s could not be kept", row["service_no"])
            run.photos_missing += 1
        else:
            kept += 1
    return kept


def _subject(key: UUID, by: Actor, _at: datetime) -> Subject | None:
    """A service may have photos of its own where no visit was recorded on the platform."""
    if by.scope.reader not in readers_of(Service):
        return None
    service = Service.objects.filter(pk=key).first()
    if service is None:
        return None
    return Subject(
        kind="service",
        id=service.pk,
        title=service.service_no,
        url=reverse("service", args=[service.pk]),
        region_code=service.region_code,
        sector=service.sector,
        insurer_id=service.insurer_id,
        agency_id=service.agency_id,
        enterprise_id=service.enterprise_id,
        may_add=by.may(Permission.ADD_EVIDENCE) and not service.is_void,
        window=(service.started_at, service.ended_at),
    )


register_subject("service", _("Service"), _subject)

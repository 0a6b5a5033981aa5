"""The province as deliveries: rows of each feed in the order they became known, cut into batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

import msgspec

from anze.exchange.synthetic.calendar import DAY, Year, moment
from anze.exchange.synthetic.claims_rows import send_claims
from anze.exchange.synthetic.drawing import Draft
from anze.exchange.synthetic.entities import Enterprise, Insurer, Province
from anze.exchange.synthetic.places import cities
from anze.exchange.synthetic.prevention_rows import send_services
from anze.exchange.synthetic.reporting import Fed, Reporter
from anze.exchange.synthetic.streams import stream
from anze.exchange.synthetic.underwriting_rows import enterprise_row, obligation_rows, send_insurance

# in the order in which they build on one another
OF_INSURERS = (
    "policies", "endorsements", "receipts", "plans", "services", "hazards", "invoices", "expenses", "accidents", "claims"
)  # fmt: skip
BIG, MIDDLING = (
    8000,
    2500,
)  # rows of a dataset from which an insurer's deliveries are told apart by month, by quarter


@dataclass(frozen=True)
class Parcel:
    """A batch to be sent: NDJSON, and for each row when it first arrived."""

    feed: str
    body: bytes
    moments: tuple[datetime, ...]
    received_at: datetime


def parcels_of(province: Province, insurer: Insurer) -> tuple[Iterator[Parcel], Reporter]:
    """All deliveries of an insurer, and the reporter that knows how many rows were late."""
    reporter = Reporter(insurer, Year(province.as_of))
    send_insurance(reporter, province.seed)
    send_services(reporter, province.seed)
    send_claims(reporter, province.seed)
    return _parcels(reporter, province.as_of), reporter


def _parcels(reporter: Reporter, as_of: date) -> Iterator[Parcel]:
    for feed in OF_INSURERS:
        rows = reporter.rows.pop(feed, [])
        yield from _cut(feed, rows, as_of)


def register_parcels(known: Draft | Province, feed: str) -> Iterator[tuple[str, Parcel]]:
    """The deliveries of the cities' authorities: city code and batch."""
    last = known.as_of - DAY
    by_city: dict[str, list[Enterprise]] = {city: [] for city in sorted(cities())}
    for enterprise in known.enterprises:
        by_city[enterprise.county.city].append(enterprise)
    encode = msgspec.json.Encoder().encode
    for city, enterprises in by_city.items():
        rows = []
        for enterprise in enterprises:
            if feed == "enterprises":
                known_rows = [(enterprise.registered_on, enterprise_row(enterprise))]
            else:
                known_rows = list(obligation_rows(enterprise))
            random = stream(known.seed, "register", feed, enterprise.index)
            for event, row in known_rows:
                settled = min(last, max(event, enterprise.delisted_on or event) + random.randint(0, 4) * DAY)
                arrived = min(last, event + random.randint(0, 4) * DAY)
                rows.append(Fed(moment(arrived, 9 + 8 * random.random()), settled, encode(row)))
        for parcel in _cut(feed, rows, known.as_of, big=10**9, middling=10**9):
            yield city, parcel


def _cut(feed: str, rows: list[Fed], as_of: date, big: int = BIG, middling: int = MIDDLING) -> Iterator[Parcel]:
    """Rows in the order they settled, cut where a period ends; of those with many the last days singly."""
    rows.sort(key=lambda row: (row.settled_on, row.received_at, row.body))
    recent = as_of - 4 * DAY

    def period(row: Fed) -> tuple[int, int]:
        day = row.settled_on
        if len(rows) < middling:
            return 0, 0
        if day >= recent and len(rows) >= big:
            return 9999, day.toordinal()
        return day.year, day.month if len(rows) >= big else (day.month - 1) // 3

    for _period, members in groupby(rows, key=period):
        listed = list(members)
        settled = moment(listed[-1].settled_on, 23.9)
        yield Parcel(
            feed=feed,
            body=b"\n".join(row.body for row in listed),
            moments=tuple(row.received_at for row in listed),
            received_at=max(settled, *(row.received_at for row in listed)) if len(listed) > 1 else settled,
        )


def fingerprint(province: Province) -> str:
    """A hash over every row of every dataset: equal for equal provinces."""
    digest = hashlib.sha256()
    for feed in ("enterprises", "obligations"):
        for _city, parcel in register_parcels(province, feed):
            digest.update(parcel.body)
    for insurer in province.insurers:
        for parcel in parcels_of(province, insurer)[0]:
            digest.update(parcel.feed.encode())
            digest.update(parcel.body)
            digest.update(repr(parcel.moments).encode())
    return digest.hexdigest()

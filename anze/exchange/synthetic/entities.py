"""The things of the province while it is being drawn. Amounts in cents, days as dates.

They hold one another, so that none is written out: it would be the whole province."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from anze.exchange.synthetic.places import County
from anze.prevention.rules.agreements import AgreementState


@dataclass(slots=True, eq=False, repr=False)
class Insurer:
    """`diligence` and `timeliness` from 0 to 1; `spending` is the share of premium it means to spend."""

    index: int
    code: str
    name: str
    name_en: str
    short_name: str
    uscc: str
    share: float
    channel: str
    diligence: float
    timeliness: float
    spending: float
    policies: list[Policy] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Agency:
    index: int
    code: str
    name: str
    uscc: str
    city: str
    is_active: bool
    cities: tuple[str, ...] = ()
    licence_to: date = date.max


@dataclass(slots=True, eq=False, repr=False)
class Member:
    """Somebody who does services: an expert of the register, or an insurer's own staff (no number)."""

    kind: str
    name: str
    city: str
    certificate_no: str
    certificate_to: date  # without a meaning when there is no certificate
    number: str = ""
    agency: Agency | None = None
    sector: str = ""
    visits: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Enterprise:
    index: int
    uscc: str
    name: str
    county: County
    sector: str
    industry: str
    size: str
    tier: str
    workers: int
    lon: float
    lat: float
    address: str
    contact: str
    registered_on: date
    listed_on: date | None = None
    delisted_on: date | None = None
    delisting_reason: str = ""
    closed_on: date | None = None
    state: str = "CONFIRMED"
    also_in: str = ""  # another sector whose list names it too, and since when
    also_on: date = date.min
    is_aluminium: bool = False
    is_individual: bool = False
    is_shown: bool = False  # the one people sign in as
    policies: list[Policy] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Item:
    """One line of a service plan."""

    seq: int
    type: str
    form: str
    times: int
    start: date
    end: date


@dataclass(slots=True, eq=False, repr=False)
class Visit:
    """One service. `key` is its own random number, by which it is preferred over others."""

    policy: Policy
    item: Item | None
    type: str
    form: str
    day: date
    key: float
    latest: date  # the last day to which a full diary may push it
    hour: float = 9.0
    minutes: int = 120
    team: list[Member] = field(default_factory=list)
    has_report: bool = False
    is_campaign: bool = False
    is_second_expert: bool = False
    hazards: int = -1  # -1: as many as are found
    majors: int = -1
    weight: float = 0.0
    cents: int = 0
    agreed_cents: int = 0  # by the price list under which it was ordered
    invoice_of: Visit | None = None
    copy_of: Visit | None = None
    very_late: bool = False
    number: str = ""
    expense_number: str = ""


@dataclass(slots=True, eq=False, repr=False)
class PriceList:
    """What an insurer and an agency agreed on for a time: a price a visit of each kind."""

    insurer: Insurer
    agency: Agency
    state: AgreementState
    start: date
    end: date
    until: date  # the last day it binds
    cents: dict[str, int]  # of every kind; those named in the agreement are `kinds`
    kinds: tuple[str, ...]
    sectors: tuple[str, ...]
    regions: tuple[str, ...]


@dataclass(slots=True, eq=False, repr=False)
class Change:
    """An endorsement."""

    kind: str
    issued: date
    effective: date
    before: str
    after: str
    delta: int
    reason: str = ""


@dataclass(slots=True, eq=False, repr=False)
class Receipt:
    instalment: int
    cents: int
    day: date


@dataclass(slots=True, eq=False, repr=False)
class Policy:
    enterprise: Enterprise
    insurer: Insurer
    serial: int  # within the enterprise
    start: date
    end: date
    issued: date
    applied: date
    workers: int
    limit: int  # yuan per person
    rate_base: int  # millionths
    factors: tuple[tuple[str, int], ...]  # thousandths
    rate_final: int
    premium: int
    ratio: int | None  # agreed expense ratio, ten-thousandths
    frequency: int
    previous: Policy | None = None
    project: str = ""
    permit: str = ""
    coinsurers: tuple[tuple[str, int, bool], ...] = ()
    is_low_price: bool = False
    is_over_cap: bool = False
    is_unserved: bool = False
    cancelled_on: date | None = None
    planned_on: date | None = None
    confirmed_on: date | None = None
    agency: Agency | None = None
    price_list: PriceList | None = None
    items: list[Item] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    shared_cents: int = 0
    shared_weight: float = 0.0
    shared_day: date | None = None
    number: str = ""
    plan_number: str = ""
    shared_number: str = ""

    @property
    def cover_end(self) -> date:
        """The last day of cover, as the endorsements leave it."""
        end = self.end
        for change in self.changes:
            if change.kind == "PERIOD":
                end = date.fromisoformat(change.after)
        if self.cancelled_on and self.cancelled_on <= end:
            return date.fromordinal(self.cancelled_on.toordinal() - 1)
        return end

    @property
    def received(self) -> int:
        return sum(receipt.cents for receipt in self.receipts)


@dataclass(slots=True, eq=False, repr=False)
class Loss:
    """A claim, with or without an accident behind it."""

    policy: Policy
    day: date
    has_accident: bool
    key: float
    number: str = ""
    accident_number: str = ""
    twin: Loss | None = None  # the same loss claimed at the insurer before


@dataclass(slots=True, eq=False, repr=False)
class Province:
    """All of it, decided."""

    seed: int
    scale: float
    as_of: date
    insurers: list[Insurer]
    agencies: list[Agency]
    experts: list[Member]
    enterprises: list[Enterprise]
    policies: list[Policy]
    visits: list[Visit]
    double_bookings: list[tuple[Visit, Visit]]
    price_lists: list[PriceList]

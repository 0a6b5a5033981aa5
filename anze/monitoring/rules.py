"""What a fact and an indicator are; units, directions, and why a row is left out."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import models
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.monitoring.models import Cell


class Unit(TextChoices):
    RATIO = "RATIO", _("percent")
    DAYS = "DAYS", _("days")
    POINTS = "POINTS", _("points of 5")
    COUNT = "COUNT", _("per unit")


class Direction(TextChoices):
    UP = "UP", _("higher is better")
    DOWN = "DOWN", _("lower is better")
    NONE = "NONE", _("neither: for alerts, not for scoring")


class Family(TextChoices):
    """The five indicators the platform computes by itself, and the punctuality of the data behind them."""

    COVERAGE = "COVERAGE", _("Coverage")
    PAYOUT = "PAYOUT", _("Claim payout")
    COMPLETION = "COMPLETION", _("Service completion")
    RECTIFICATION = "RECTIFICATION", _("Hazard rectification")
    EXPENSE = "EXPENSE", _("Expense payment")
    TIMELINESS = "TIMELINESS", _("Data timeliness")


@dataclass(frozen=True)
class Source:
    """A table a fact reads, under the name its SQL uses, and the column that says which group a row is in."""

    name: str
    model: type[models.Model]
    group: str


@dataclass(frozen=True)
class Fact:
    """The contributions of every group of rows that must be judged together.

    `select` (with the helping CTEs in `ctes`) gives one row per contribution:
    source, row_id, label, enterprise_id, month, counts_on, region_code, sector, insurer_id, reason,
    then the measures in order. `counts_on` is the day from which it counts; nothing else may depend on the
    present day. `reason` says why a row does not count, or not fully. A `is_stock` fact gives changes: its
    figure at a month's end is the sum up to there.
    """

    name: str
    cell: type[Cell]
    sources: tuple[Source, ...]
    select: str
    ctes: str = ""
    is_stock: bool = False
    further: tuple[str, ...] = ()  # key columns of the cell besides the common four

    @property
    def measures(self) -> tuple[str, ...]:
        common = {"id", "month", "region_code", "sector", "insurer_id", *self.further}
        return tuple(f.column for f in self.cell._meta.local_concrete_fields if f.column not in common)

    @property
    def table(self) -> str:
        return self.cell._meta.db_table

    @property
    def groups_from(self) -> Source:
        return self.sources[0]


@dataclass(frozen=True)
class Indicator:
    """A number on a page: two measures of one fact, and what they mean."""

    code: str
    title: str | Promise
    about: str | Promise
    family: Family
    fact: Fact
    numerator: str
    denominator: str
    unit: Unit
    direction: Direction
    source: str
    version: int = 1
    fixed: dict[str, str] = field(default_factory=dict)  # further key columns held fixed
    money: bool = False  # numerator and denominator are yuan


# reason code → words; a fact's SQL gives the code
REASONS: dict[str, Promise] = {
    "VOID": _("the record was voided"),
    "CLOSED_UNIT": _("the enterprise is closed"),
    "DELISTED": _("no longer on the register"),
    "ALSO_LISTED": _("counted under its other sector"),
    "UNINSURED": _("no policy in force"),
    "PARTIAL_HEADCOUNT": _("not all workers are covered"),
    "UNDER_LIMIT": _("limit per person below the minimum"),
    "VOLUNTARY": _("insured voluntarily; not on the register"),
    "OPEN_CLAIM": _("not yet settled"),
    "REJECTED_CLAIM": _("rejected, cancelled or closed without payment"),
    "POLICY_CANCELLED": _("the policy was cancelled"),
    "PLAN_MISSING": _("no service plan 30 days after the start; counted by the frequency matrix"),
    "NOT_DONE": _("no accepted service in the window"),
    "PARTLY_DONE": _("fewer services than planned"),
    "RETURNED": _("returned by the quality check"),
    "NO_QUALIFIED_PERSON": _("nobody with a valid certificate took part"),
    "NO_REPORT": _("no report file"),
    "NO_FINDINGS_STATED": _("neither hazards nor a nil statement"),
    "NOT_CONFIRMED": _("not confirmed by the enterprise"),
    "NO_PHOTO": _("no photo with time and place"),
    "OUT_OF_WINDOW": _("outside every planned window of its type"),
    "OPEN_HAZARD": _("not yet verified as rectified"),
    "LATE_CLOSING": _("closed after the deadline"),
    "SHUT_DOWN": _("the enterprise is shut down"),
    "NOT_FROM_SERVICE": _("not found by a service"),
    "NOT_PAID": _("not yet paid"),
    "NO_VOUCHER": _("no voucher"),
    "NOT_TIED": _("tied to no service and not shared by premium"),
    "LATE": _("reported after the deadline"),
}

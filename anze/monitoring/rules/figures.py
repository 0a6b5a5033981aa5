"""What a fact and an indicator are; units, directions, and why a row is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import models
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.monitoring.models.cells import Cell

Words = str | Promise


class Unit(TextChoices):
    RATIO = "RATIO", _("percent")
    DAYS = "DAYS", _("days")
    POINTS = "POINTS", _("points of 5")


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
    """A table a fact reads, under the name its SQL uses, and the column that says which group a row is in.

    `lasts`: the first and the last day of what a row says, where it says nothing of days outside (the day after it
    is the first without). `within`: the column by which a row belongs to a row of the source that lasts, and says
    nothing beyond that. Rows of other sources may speak of any day.
    """

    name: str
    model: type[models.Model]
    group: str
    lasts: tuple[str, str] | None = None
    within: str = ""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def grouped_by(self) -> str:
        """The table whose rows are the groups: its own, or that of the record its rows belong to."""
        references = {each.column: each.related_model for each in self.model._meta.local_concrete_fields}
        return str((references[self.group] or self.model)._meta.db_table)


@dataclass(frozen=True)
class Part:
    """The contributions of one kind of row to a fact. All texts are SQL over `rows`.

    `rows` stands after FROM and has enterprise_id, region_code, sector and insurer_id of the record that
    `source` and `row_id` name: a page finds the record by them.
    `on` is the day from which a row counts; nothing else may depend on the present day. It belongs to the
    month of that day, or of the day `month_of`, or to `month`, given by its first day.
    An `accrues` part grows: its measures are what has come together until the day `{until}`, and so far as a
    month goes, until that month's end, `{month_end}` being the first day of the next.
    `gives` holds the measures this kind of row speaks about, whole numbers all of them: amounts are in cents
    (fen). A constant '0' says: never counts, but is to be shown among what was left out. `left_out` is the reason code of a row that does not count, else NULL;
    `why` the reason code for a numerator that deserves a word, though the row counts; where indicators share a
    numerator, for one of them by "numerator/denominator". `codes` are the codes
    that columns among these texts can hold.
    """

    source: str
    rows: str
    label: str
    on: str
    gives: Mapping[str, str]
    month_of: str = ""
    month: str = ""
    accrues: bool = False
    row_id: str = "id"
    insurer: str = "insurer_id"
    left_out: str = "NULL"
    why: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    further: Mapping[str, str] = field(default_factory=dict)

    def why_of(self, indicator: Indicator) -> str:
        shared = self.why.get(indicator.numerator, "NULL")
        return self.why.get(f"{indicator.numerator}/{indicator.denominator}", shared)

    def ever_gives(self, *measures: str) -> bool:
        return any(self.gives.get(measure, "0") != "0" for measure in measures)


@dataclass(frozen=True)
class Fact:
    """The contributions of every group of rows that must be judged together, as parts over common CTEs.

    Of the measures in `stocks` the parts give changes: the figure at a month's end is the sum up to there.
    """

    name: str
    cell: type[Cell]
    sources: tuple[Source, ...]
    parts: tuple[Part, ...]
    ctes: str = ""
    stocks: frozenset[str] = frozenset()
    further: tuple[str, ...] = ()  # key columns of the cell besides the common four

    @property
    def measures(self) -> tuple[str, ...]:
        common = {"id", "month", "region_code", "sector", "insurer_id", *self.further}
        return tuple(f.name for f in self.cell._meta.local_concrete_fields if f.name not in common)

    @property
    def yuan(self) -> frozenset[str]:
        """The measures that are amounts: cells keep yuan."""
        fields = self.cell._meta.local_concrete_fields
        return frozenset(field.name for field in fields if isinstance(field, models.DecimalField))

    @property
    def is_of_insurers(self) -> bool:
        """Whether anything of it is counted for an insurer; who must be insured is nobody's in particular."""
        return any(part.insurer != "NULL::uuid" for part in self.parts)

    @property
    def table(self) -> str:
        return self.cell._meta.db_table

    def source(self, name: str) -> Source:
        return next(source for source in self.sources if source.name == name)


@dataclass(frozen=True)
class Indicator:
    """A number on a page: two measures of one fact, and what they mean."""

    code: str
    title: Words
    about: Words
    family: Family
    fact: Fact
    numerator: str
    denominator: str
    unit: Unit
    direction: Direction
    source: str
    version: int = 1
    fixed: Mapping[str, str] = field(default_factory=dict)  # further key columns held fixed
    money: bool = False  # numerator and denominator are yuan

    @property
    def parts(self) -> tuple[Part, ...]:
        """The kinds of rows that speak about it."""
        return tuple(
            part
            for part in self.fact.parts
            if {self.numerator, self.denominator} & part.gives.keys()
            and all(part.further.get(column) in (None, f"'{value}'") for column, value in self.fixed.items())
        )

    @property
    def is_stock(self) -> bool:
        return self.numerator in self.fact.stocks

    @property
    def is_share(self) -> bool:
        """Whether, row by row, the numerator is a part of the denominator, so that a row can fall short."""
        return self.unit == Unit.RATIO and not self.money

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reason codes its rows can carry."""
        named = {code for part in self.parts for code in part.codes}
        texts = " ".join(f"{part.left_out} {part.why_of(self)}" for part in self.parts)
        return tuple(code for code in REASONS if code in named or f"'{code}'" in texts)


# reason code → words; a part's SQL gives the code
REASONS: dict[str, Promise] = {
    "VOID": _("the record was voided"),
    "POLICY_VOID": _("its policy was voided"),
    "CLOSED_UNIT": _("the enterprise is closed"),
    "DELISTED": _("no longer on the register"),
    "SUSPENDED": _("the enterprise has suspended its operation"),
    "ALSO_LISTED": _("counted under its other sector"),
    "UNINSURED": _("no policy in force"),
    "PARTIAL_HEADCOUNT": _("not all workers are covered"),
    "UNDER_LIMIT": _("limit per person below the minimum"),
    "UNCERTAIN": _("the register entry is still to be verified"),
    "DISPUTED": _("the register entry is disputed"),
    "VOLUNTARY": _("insured, but not on the register"),
    "OPEN_CLAIM": _("not yet settled"),
    "REJECTED_CLAIM": _("rejected, cancelled or closed without payment"),
    "NO_PAYMENT": _("concluded, but no payment is on file"),
    "OUT_OF_COVER": _("the loss lies outside the period of cover"),
    "POLICY_CANCELLED": _("the policy ended before the service was due"),
    "COINSURED": _("co-insured: the lead insurer plans and serves"),
    "PLAN_MISSING": _("no service plan; counted by the frequency matrix"),
    "PLAN_LATE": _("the service plan came after the days allowed"),
    "NOT_DONE": _("no accepted service in the window"),
    "PARTLY_DONE": _("fewer services than planned"),
    "RETURNED": _("returned by the quality check"),
    "NO_QUALIFIED_PERSON": _("nobody with a valid certificate took part"),
    "NO_REPORT": _("no report file"),
    "NO_FINDINGS_STATED": _("neither hazards nor a nil statement"),
    "NOT_CONFIRMED": _("not confirmed by the enterprise"),
    "NO_PHOTO": _("no photo with time and place"),
    "OUT_OF_WINDOW": _("outside every planned window of its type"),
    "SURPLUS": _("more than was planned; offsets nothing elsewhere"),
    "NOT_RATED": _("not rated by the enterprise"),
    "OPEN_HAZARD": _("not yet verified as rectified"),
    "LATE_CLOSING": _("closed after the deadline"),
    "SHUT_DOWN": _("the enterprise is shut down"),
    "NOT_FROM_SERVICE": _("not found by a service"),
    "NOT_PAID": _("not yet paid"),
    "NO_VOUCHER": _("no voucher"),
    "NOT_TIED": _("tied to no service and not shared by premium"),
    "NOT_APPROVED": _("a shared cost without approval"),
    "REVERSAL": _("takes back an expense that was not counted"),
    "LATE": _("reported after the deadline"),
}

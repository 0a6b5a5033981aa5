"""Cells: what was counted, by month, region, sector and insurer. Always counts and sums, never only a ratio.

Stored grains, so that pages read and never add up much: county × sector × insurer (the base), county, city,
province, city × insurer, city × sector, province × insurer, province × sector. In a roll-up the sector is ''
and the insurer NULL.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


def count() -> Any:
    return models.BigIntegerField(default=0)


def yuan() -> Any:
    return models.DecimalField(max_digits=20, decimal_places=2, default=0)


class Cell(models.Model):
    """One cell of a fact's cube. Additive: a region is the sum of its parts."""

    id = models.BigAutoField(primary_key=True)
    month = models.DateField()
    region_code = models.CharField(max_length=6)
    sector = models.CharField(max_length=12)
    insurer_id = models.UUIDField(null=True)

    is_scoped: ClassVar[bool] = True

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.region_code} {self.sector} {self.insurer_id or ''}"


def _once(name: str, *further: str) -> list[models.BaseConstraint]:
    # the order serves the commonest reading: one grain of one region over months
    fields = ["region_code", "sector", "insurer_id", *further, "month"]
    return [models.UniqueConstraint(fields=fields, name=name, nulls_distinct=False)]


class CoverageCell(Cell):
    """Changes of stock: the sum of all months up to one is the state at that month's end."""

    obliged = count()
    obliged_uncertain = count()
    obliged_confirmed = count()
    insured = count()
    insured_confirmed = count()
    insured_all = count()
    voluntary = count()
    compliant = count()
    partial_headcount = count()
    under_limit = count()
    registered_workers = count()
    covered_workers = count()

    class Meta:
        constraints = _once("coverage_cell_once")


class CoveredDaysCell(Cell):
    obliged_days = count()
    covered_days = count()

    class Meta:
        constraints = _once("covered_days_cell_once")


class PayoutCell(Cell):
    premium = yuan()
    paid = yuan()
    incurred = yuan()
    notified = count()
    settled = count()
    days_to_pay = count()
    paid_claims = count()

    class Meta:
        constraints = _once("payout_cell_once")


class MaturedCell(Cell):
    """By the month in which the policy began."""

    matured_incurred = yuan()
    earned_premium = yuan()

    class Meta:
        constraints = _once("matured_cell_once")


class CompletionCell(Cell):
    planned = count()
    done = count()
    served_due = count()
    served = count()
    fully_due = count()
    fully_served = count()
    plan_missing = count()
    policies_begun = count()
    satisfaction_sum = count()
    ratings = count()

    class Meta:
        constraints = _once("completion_cell_once")


class HazardDueCell(Cell):
    due = count()
    due_closed = count()
    on_time = count()
    major_due = count()
    major_closed = count()
    major_on_time = count()

    class Meta:
        constraints = _once("hazard_due_cell_once")


class HazardFoundCell(Cell):
    found = count()
    found_closed = count()
    major_found = count()

    class Meta:
        constraints = _once("hazard_found_cell_once")


class ExpenseCell(Cell):
    committed = yuan()
    paid = yuan()
    ended_committed = yuan()
    ended_paid = yuan()
    premium = yuan()

    class Meta:
        constraints = _once("expense_cell_once")


class TimelinessCell(Cell):
    feed = models.CharField(max_length=40)
    reported = count()
    on_time = count()

    class Meta:
        constraints = _once("timeliness_cell_once", "feed")


class State(models.Model):
    """One row: up to which day the cells count, and their version, by which pages are cached.

    `basis` is the fingerprint of the definitions and parameters they were counted by.
    """

    id = models.SmallAutoField(primary_key=True)
    as_of = models.DateField(_("as of"))
    version = models.BigIntegerField(default=0)
    basis = models.CharField(max_length=32, default="", db_default="")
    refreshed_at = models.DateTimeField(_("refreshed at"))

    is_public: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"{self.as_of} v{self.version}"

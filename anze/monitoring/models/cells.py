"""Cells: what was counted, by month, region, sector and insurer. Always counts and sums, never only a ratio.

Stored grains, so that pages read and never add up much: county × sector × insurer (the base), county, city,
province, city × insurer, city × sector, province × insurer, province × sector. In a roll-up the sector is ''
and the insurer NULL.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


def count(words: Any) -> Any:
    return models.BigIntegerField(words, default=0)


def yuan(words: Any) -> Any:
    return models.DecimalField(words, max_digits=20, decimal_places=2, default=0)


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
    """Changes of stock, whose sum up to a month is the state at its end; and days, a flow like any other."""

    obliged = count(_("enterprises on the register"))
    obliged_uncertain = count(_("enterprises whose register entry is disputed or still to be verified"))
    obliged_confirmed = count(_("enterprises whose register entry is confirmed"))
    insured = count(_("enterprises on the register with a policy in force"))
    insured_confirmed = count(_("enterprises whose register entry is confirmed, with a policy in force"))
    insured_uncertain = count(_("enterprises whose register entry is uncertain, with a policy in force"))
    obliged_lowest = count(_("enterprises on the register without those uncertain and insured"))
    obliged_highest = count(_("enterprises on the register without those uncertain and uninsured"))
    insured_all = count(_("enterprises with a policy in force, on the register or not"))
    voluntary = count(_("enterprises with a policy in force that are not on the register"))
    compliant = count(_("enterprises on the register insured for all workers and with the minimum limit"))
    partial_headcount = count(_("enterprises on the register insured for fewer than their workers"))
    under_limit = count(_("enterprises on the register insured below the minimum limit"))
    registered_workers = count(_("registered workers of the enterprises on the register"))
    covered_workers = count(_("insured workers, at most the registered ones of each enterprise"))
    obliged_days = count(_("days of enterprises on the register"))
    covered_days = count(_("days with a policy in force"))

    class Meta:
        constraints = _once("coverage_cell_once")


class MoneyCell(Cell):
    """What goes through policies. Earned premium and what stands against it by the month the policy began."""

    premium = yuan(_("premium received, refunds deducted"))
    claims_paid = yuan(_("claim payments, recoveries deducted"))
    incurred = yuan(_("claim payments and reserves for losses of the period, recoveries deducted"))
    notified = count(_("claims notified, the loss within cover"))
    settled = count(_("claims concluded with an advance or settlement paid"))
    days_to_pay = count(_("days from the notice to the first advance or settlement, added up"))
    paid_claims = count(_("claims with an advance or settlement paid"))
    matured_incurred = yuan(_("claim payments and reserves under the policies that began in the period"))
    earned_premium = yuan(_("premium received for the months of cover begun so far"))
    committed = yuan(_("prevention expense promised for the months of cover begun so far"))
    expense_paid = yuan(_("prevention expense paid, with voucher, reversals deducted"))
    ended_committed = yuan(_("prevention expense promised for policies that ended"))
    ended_paid = yuan(_("prevention expense paid for policies that ended"))

    class Meta:
        constraints = _once("money_cell_once")


class CompletionCell(Cell):
    planned = count(_("services planned, windows that have ended"))
    done = count(_("services done, at most as many as planned"))
    served_due = count(_("policies whose first window has ended"))
    served = count(_("policies with at least one service done"))
    fully_due = count(_("policies whose last window has ended"))
    fully_served = count(_("policies with every planned service done"))
    plan_missing = count(_("policies without a plan in time"))
    policies_begun = count(_("policies past the days allowed for their plan"))
    satisfaction_sum = count(_("ratings, added up"))
    ratings = count(_("services rated"))

    class Meta:
        constraints = _once("completion_cell_once")


class HazardCell(Cell):
    """By the month in which the hazard was found."""

    found = count(_("hazards found by services"))
    found_closed = count(_("hazards verified as rectified"))
    major_found = count(_("major hazards found by services"))
    due = count(_("hazards found by services, due"))
    due_closed = count(_("hazards verified as rectified"))
    on_time = count(_("hazards verified by their deadline"))
    major_due = count(_("major hazards found by services, due"))
    major_closed = count(_("major hazards verified as rectified"))
    major_on_time = count(_("major hazards verified by their deadline"))

    class Meta:
        constraints = _once("hazard_cell_once")


class TimelinessCell(Cell):
    feed = models.CharField(max_length=40)
    reported = count(_("records reported"))
    on_time = count(_("records reported in time"))

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

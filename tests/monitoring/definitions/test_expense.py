"""Prevention expense, worked out by hand, on policy P1: 36,500 yuan received, 18 % of it promised: 6,570,
18 a day."""

from __future__ import annotations

from decimal import Decimal

from tests.monitoring.counting import count, day, figure, reasons, shows
from tests.monitoring.deliveries import VOID, endorsement, expense, policy, receipt, service


def promised(cast):
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(cast.huaihai, "receipts", receipt())
    cast.accepted(cast.huaihai, "services", service("S1", "2026-05-10"))


@shows("expense_payment_rate", "expense_ratio", "NOT_PAID", "NOT_TIED", "NOT_APPROVED", "NO_VOUCHER", "VOID")
def test_paid_for_a_service_with_its_voucher(cast):
    promised(cast)
    shared = {"service_no": "", "allocation": "BY_PREMIUM", "category": "PUBLICITY"}
    cast.accepted(
        cast.huaihai,
        "expenses",
        expense("X1", "1000.00"),
        expense("X2", "50.00", **shared, approver="示例经理"),
        expense("X3", "1.00", paid_on=None),
        expense("X4", "2.00", service_no=""),
        expense("X5", "4.00", **shared),
        expense("X6", "8.00", voucher_file=""),
        expense("X7", "16.00", **VOID),
    )
    count()
    # to the end of November 275 days at 18
    assert figure("expense_payment_rate") == (1050, 4950)
    assert figure("expense_ratio") == (1050, 36500)
    left_out = {"X3": "NOT_PAID", "X4": "NOT_TIED", "X5": "NOT_APPROVED", "X6": "NO_VOUCHER", "X7": "VOID"}
    assert reasons("expense_payment_rate") == left_out
    # by the day of payment; X3 would lie in the month in which it was incurred
    assert figure("expense_payment_rate", months="2026-04 2026-04") == (0, 540)
    # a voided service leaves its expense without a ground
    cast.accepted(cast.huaihai, "services", service("S1", "2026-05-10", **VOID))
    count()
    assert figure("expense_ratio")[0] == 50
    assert reasons("expense_ratio")["X1"] == "NOT_TIED"


@shows("REVERSAL")
def test_a_reversal_shares_the_fate_of_what_it_takes_back(cast):
    promised(cast)
    # a reversal has no service and no voucher of its own
    taken_back = {"service_no": "", "voucher_file": "", "incurred_on": "2026-06-10"}
    cast.accepted(
        cast.huaihai,
        "expenses",
        expense("X1", "1000.00"),
        expense("X2", "300.00", voucher_file=""),
        expense("Y1", "-400.00", "2026-06-11", reversal_of="X1", **taken_back),
        expense("Y2", "-300.00", "2026-06-11", reversal_of="X2", **taken_back),
    )
    count()
    assert figure("expense_ratio")[0] == 600
    assert reasons("expense_ratio") == {"X2": "NO_VOUCHER", "Y2": "REVERSAL"}
    # in its own month, as in the books
    assert figure("expense_ratio", months="2026-06 2026-06") == (-400, 0)


@shows("expense_payment_year_end")
def test_ended_policies_against_their_whole_promise(cast):
    promised(cast)
    cast.accepted(cast.huaihai, "expenses", expense("X1", "1000.00"), expense("X2", "65.70", "2027-03-02"),
                  at=day("2027-03-03"))  # fmt: skip
    year = {"months": "2027-01 2027-12"}
    count("2027-02-28")  # its last day: not over yet
    assert figure("expense_payment_year_end", **year) == (0, 0)
    count("2027-03-01")
    # over; in the month of its last day, with all that was paid under it, whenever
    assert figure("expense_payment_year_end", **year) == (Decimal("1065.7"), 6570)
    assert figure("expense_payment_year_end", months="2027-02 2027-02")[1] == 6570


def test_a_policy_of_a_calendar_year_ends_in_its_year(cast):
    cast.accepted(cast.huaihai, "policies", policy(start_on="2026-03-01", end_on="2026-12-31"))
    cast.accepted(cast.huaihai, "receipts", receipt())
    count("2027-01-02")
    assert figure("expense_payment_year_end", months="2026-01 2026-12") == (0, 6570)


def test_promised_by_default_and_after_cancellation(cast):
    cast.accepted(cast.huaihai, "policies", policy(agreed_expense_ratio=None))
    cast.accepted(cast.huaihai, "receipts", receipt(), receipt("R2", "-24300.00", "2026-07-02"))
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "CANCEL", "2026-07-01"))
    count()
    # the contract says nothing: 15 % of the 12,200 yuan that stayed, all of it due by the end of June
    assert figure("expense_payment_rate") == (0, 1830)
    assert figure("expense_payment_rate", months="2026-07 2026-12") == (0, 0)
    assert figure("expense_payment_year_end") == (0, 1830)


def test_spent_without_any_premium_received(cast):
    cast.accepted(cast.huaihai, "policies", policy(end_on="2026-06-30"))
    cast.accepted(cast.huaihai, "services", service("S1", "2026-05-10"))
    cast.accepted(cast.huaihai, "expenses", expense("X1", "10.00"))
    count()
    assert figure("expense_payment_rate") == (10, 0)
    assert figure("expense_payment_year_end") == (10, 0)
    cast.accepted(cast.huaihai, "policies", policy(end_on="2026-06-30", **VOID))
    count()
    assert figure("expense_payment_rate") == figure("expense_payment_year_end") == (0, 0)
    assert reasons("expense_payment_rate") == {"X1": "POLICY_VOID", "P1": "VOID"}

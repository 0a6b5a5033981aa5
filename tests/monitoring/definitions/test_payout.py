"""Claim payout, worked out by hand, on policy P1: 1 March 2026 to 28 February 2027, 365 days."""

from __future__ import annotations

from decimal import Decimal

from tests.monitoring.counting import count, day, figure, reasons, shows
from tests.monitoring.deliveries import VOID, claim, concluded, endorsement, payment, policy, receipt

PAID = [payment("ADVANCE", "3000.00", "2026-05-08"), payment("SETTLEMENT", "7000.00", "2026-07-20")]


def premium(cast, *more):
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(cast.huaihai, "receipts", receipt(), *more)


@shows("claim_payout_incurred", "claim_payout_paid", "OPEN_CLAIM", "POLICY_VOID", "VOID")
def test_paid_and_reserved_against_premium(cast):
    premium(
        cast,
        receipt("R2", "-1500.00", "2026-06-30"),  # a refund
        receipt("R3", "9999.00", "2026-06-30", **VOID),
    )
    cast.accepted(
        cast.huaihai,
        "claims",
        # May: 10,000 paid, 400 of it recovered, 1,200 for rescue, 5,000 still reserved
        claim("C1", "2026-05-05", outstanding="5000.00",
              payments=[*PAID, payment("COSTS", "1200.00", "2026-06-01"),
                        payment("RECOVERY", "400.00", "2026-09-01")]),
        claim("C2", "2026-08-01", outstanding="2500.00"),
        claim("C3", "2026-08-02"),
        claim("C4", "2026-08-03", outstanding="70.00",
              payments=[payment("SETTLEMENT", "30.00", "2026-08-04")], **VOID),
    )  # fmt: skip
    count()
    # premium 36,500 less 1,500; incurred 10,000 and 1,200 less 400 and 5,000, and 2,500
    assert figure("claim_payout_incurred") == (18300, 35000)
    assert reasons("claim_payout_incurred") == {"C3": "OPEN_CLAIM", "C4": "VOID", "R3": "VOID"}
    assert figure("claim_payout_paid") == (10800, 35000)
    # by the month of loss, of payment, of receipt
    assert figure("claim_payout_incurred", months="2026-05 2026-05") == (15800, 0)
    assert figure("claim_payout_paid", months="2026-05 2026-06") == (4200, -1500)
    assert figure("claim_payout_paid", months="2026-09 2026-09") == (-400, 0)
    # under a voided policy neither premium nor claims count
    cast.accepted(cast.huaihai, "policies", policy(**VOID))
    count()
    assert figure("claim_payout_incurred") == figure("claim_payout_matured") == (0, 0)
    assert reasons("claim_payout_paid") == {
        "R1": "POLICY_VOID", "R2": "POLICY_VOID", "R3": "VOID", "C1": "POLICY_VOID", "C4": "VOID",
    }  # fmt: skip
    assert reasons("claim_payout_matured")["P1"] == "VOID"


@shows("claim_payout_matured")
def test_matured_against_the_premium_earned_month_by_month(cast):
    premium(cast)
    cast.accepted(cast.huaihai, "claims", claim("C1", "2027-01-15", outstanding="4000.00"), at=day("2027-03-05"))
    # 36,500 yuan over 365 days are 100 a day; March has 31 days
    count("2026-03-01")
    assert figure("claim_payout_matured", months="2026-03 2026-03") == (0, 3100)
    # by the beginning of November: 1 March to 30 November, 275 days; nothing has happened yet
    count("2026-11-01")
    assert figure("claim_payout_matured") == (0, 27500)
    count("2027-01-14")
    assert figure("claim_payout_matured") == (0, 33700)  # 337 days to the end of January
    count("2027-02-28")
    # the month is that in which the policy began
    assert figure("claim_payout_matured", months="2026-03 2026-03") == (4000, 36500)
    assert figure("claim_payout_matured", months="2026-04 2027-12") == (0, 0)


def test_a_cancelled_policy_earns_what_was_not_returned_over_the_days_it_covered(cast):
    premium(cast, receipt("R2", "-24300.00", "2026-07-02"))
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "CANCEL", "2026-07-01"))
    count()
    # 12,200 over the 122 days from 1 March to 30 June
    assert figure("claim_payout_matured") == (0, 12200)
    count("2026-05-31")
    assert figure("claim_payout_matured") == (0, 9200)  # 92 days
    # cancelled from its first day it covers nothing and earns nothing
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "CANCEL", "2026-03-01"))
    count()
    assert figure("claim_payout_matured") == (0, 0)


def test_the_months_of_cover_add_up_to_the_cent(cast):
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(cast.huaihai, "receipts", receipt(amount="1000.01"))
    count("2027-02-28")
    assert figure("claim_payout_matured") == (0, Decimal("1000.01"))
    count("2026-03-31")
    assert figure("claim_payout_matured") == (0, Decimal("84.93"))  # 1000.01 × 31 / 365 = 84.9324…


@shows("claim_settlement_rate", "avg_days_to_pay", "OPEN_CLAIM", "REJECTED_CLAIM", "NO_PAYMENT", "OUT_OF_COVER")
def test_settled_with_payment_and_how_soon(cast):
    premium(cast)
    cast.accepted(
        cast.huaihai,
        "claims",
        # notified 5 May, first paid 8 May: 3 days
        claim("C1", "2026-05-05", payments=PAID, **concluded("CLOSED", "2026-07-21")),
        # paid out on the day of the notice, not yet closed: settled, 0 days
        claim("C2", "2026-06-01", payments=[payment("SETTLEMENT", "100.00", "2026-06-01")],
              **concluded("PAID", "2026-06-02")),
        # an advance after 10 days: not settled, but the clock has stopped
        claim("C3", "2026-06-10", outstanding="9.00", payments=[payment("ADVANCE", "1.00", "2026-06-20")]),
        claim("C4", "2026-06-11", **concluded("REJECTED", "2026-06-12")),
        claim("C5", "2026-06-12", **concluded("CLOSED_ZERO", "2026-06-13")),
        # costs compensate nobody
        claim("C6", "2026-06-13", payments=[payment("COSTS", "5.00", "2026-06-14")],
              **concluded("CLOSED", "2026-06-15")),
        # the day before cover begins, the first and the last day of cover
        claim("C7", "2026-02-28", payments=[payment("SETTLEMENT", "1.00", "2026-03-02")],
              **concluded("CLOSED", "2026-03-03")),
        claim("C8", "2026-03-01", payments=[payment("SETTLEMENT", "1.00", "2026-03-05")],
              **concluded("CLOSED", "2026-03-06")),
        claim("C9", "2026-07-01", **VOID),
    )  # fmt: skip
    count()
    assert figure("claim_settlement_rate") == (3, 7)
    assert figure("avg_days_to_pay") == (3 + 0 + 10 + 4, 4)
    expected = {
        "C4": "REJECTED_CLAIM",
        "C5": "REJECTED_CLAIM",
        "C6": "NO_PAYMENT",
        "C7": "OUT_OF_COVER",
        "C9": "VOID",
    }
    assert reasons("claim_settlement_rate") == {**expected, "C3": "OPEN_CLAIM"}
    assert reasons("avg_days_to_pay") == expected
    assert figure("claim_settlement_rate", months="2026-03 2026-03") == (1, 1)

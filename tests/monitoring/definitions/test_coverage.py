"""Coverage, worked out by hand. Xinghuo (Jinan, 100 workers) and Yuanfan (Qingdao, 40 workers)."""

from __future__ import annotations

import pytest

from anze.kernel.models import Parameter
from anze.underwriting.models import Obligation
from tests.cast import YUANFAN, enterprise_row
from tests.monitoring.counting import count, figure, reasons, shows
from tests.monitoring.deliveries import VOID, endorsement, obligation, policy

X, Y = "星火示例铸造有限公司", "远帆示例渔业有限公司"


@shows("coverage_rate", "UNINSURED")
def test_the_insured_of_all_on_the_register(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy())
    count()
    assert figure("coverage_rate") == (1, 2)
    assert figure("coverage_rate", region="370100") == figure("coverage_rate", sector="SMELT") == (1, 1)
    assert figure("coverage_rate", region="370202") == (0, 1)
    assert reasons("coverage_rate") == {Y: "UNINSURED"}
    # the register by the end of February: listed in January, the policy begins in March
    assert figure("coverage_rate", months="2026-01 2026-02") == (0, 2)
    # the denominator belongs to no insurer
    assert figure("coverage_rate", insurer=cast.huaihai.pk) == (0, 0)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2026-01-04", (0, 0)),  # not yet listed
        ("2026-01-05", (0, 1)),
        ("2026-02-28", (0, 1)),
        ("2026-03-01", (1, 1)),  # first day of cover
        ("2027-02-28", (1, 1)),  # last day of cover
        ("2027-03-01", (0, 1)),
        ("2027-05-31", (0, 1)),
        ("2027-06-01", (0, 0)),  # first day off the register
    ],
)
def test_first_and_last_days(cast, on, expected):
    cast.accepted(cast.province, "obligations", obligation(delisted_on="2027-06-01", delisting_reason="迁出"))
    cast.accepted(cast.huaihai, "policies", policy())
    count(on)
    assert figure("coverage_rate", months="2026-01 2027-12") == expected


@shows("coverage_rate_compliant", "headcount_coverage", "partial_headcount_share", "under_limit_share",
       "PARTIAL_HEADCOUNT", "UNDER_LIMIT")  # fmt: skip
def test_all_workers_and_enough_for_each(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", registered_workers=40))
    cast.accepted(
        cast.huaihai, "policies", policy(),
        policy("P2", YUANFAN, insured_workers=50, limit_per_person="399999.99"),
    )  # fmt: skip
    cast.accepted(
        cast.huaihai,
        "endorsements",
        endorsement("E1", "HEADCOUNT", "2026-06-01", "70"),
        endorsement("E2", "HEADCOUNT", "2026-07-01", "100"),
        endorsement("E3", "HEADCOUNT", "2026-08-01", "10", **VOID),
    )
    count()
    # Xinghuo: all 100 again since July, 500,000 each; Yuanfan: 50 of 40, but a cent below 400,000
    assert figure("coverage_rate_compliant") == (1, 2)
    assert reasons("coverage_rate_compliant") == {Y: "UNDER_LIMIT"}
    assert figure("under_limit_share") == (1, 2)
    assert figure("partial_headcount_share") == (0, 2)
    assert figure("headcount_coverage") == (140, 140)  # never more than the registered ones
    # by the end of June only 70 of Xinghuo's 100 workers
    june = {"months": "2026-01 2026-06"}
    assert figure("coverage_rate_compliant", **june) == (0, 2)
    assert figure("headcount_coverage", **june) == (110, 140)
    assert figure("partial_headcount_share", **june) == (1, 2)
    assert reasons("partial_headcount_share", **june) == {X: "PARTIAL_HEADCOUNT"}
    assert reasons("coverage_rate_compliant", **june) == {X: "PARTIAL_HEADCOUNT", Y: "UNDER_LIMIT"}


def test_of_two_changes_on_one_day_the_later_issued_one_holds(cast):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(
        cast.huaihai,
        "endorsements",
        endorsement("E1", "HEADCOUNT", "2026-06-01", "30", issued_on="2026-06-03"),
        endorsement("E2", "HEADCOUNT", "2026-06-01", "60", issued_on="2026-06-02"),
    )
    count()
    assert figure("headcount_coverage") == (30, 100)


def test_a_change_from_before_the_first_day_holds_from_the_first_day(cast):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "HEADCOUNT", "2026-03-10", "80"))
    cast.accepted(cast.huaihai, "policies", policy(start_on="2026-04-01"))  # corrected: it began later
    count()
    assert figure("headcount_coverage") == (80, 100)
    assert figure("coverage_rate", months="2026-01 2026-03") == (0, 1)


@pytest.mark.parametrize(
    ("start", "limit", "enough"),
    [
        ("2025-03-28", "300000.00", True),  # 安监总办〔2017〕140号
        ("2025-03-28", "299999.99", False),
        ("2025-03-29", "399999.99", False),  # 应急〔2025〕27号
        ("2025-03-29", "400000.00", True),
    ],
)
def test_the_minimum_limit_is_that_of_the_first_day(cast, start, limit, enough):
    cast.accepted(cast.province, "obligations", obligation(listed_on="2025-01-10"))
    cast.accepted(
        cast.huaihai, "policies",
        policy(applied_on="2025-03-20", issued_on="2025-03-25", start_on=start, end_on="2026-03-27",
               limit_per_person=limit),
    )  # fmt: skip
    count("2025-12-31")
    assert figure("under_limit_share", months="2025-01 2025-12") == (0 if enough else 1, 1)


def test_the_highest_minimum_of_a_place_and_the_wider_area_holds(cast):
    def minimum(value: str, region: str, since: str) -> None:
        words = {"unit": "yuan", "status": "DESIGN", "title_en": "m", "title_zh": "m"}
        Parameter.objects.create(
            key="min_limit_per_person", value=value, region_code=region, effective_from=since, **words
        )

    minimum("600000", "370100", "2025-06-01")  # Jinan asks for more
    minimum("450000", "370200", "2020-01-01")  # Qingdao asked for more, then for less than all China now
    minimum("350000", "370200", "2025-01-01")  # overlaps the row before: the later one holds
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", registered_workers=40))
    cast.accepted(
        cast.huaihai,
        "policies",
        policy(),
        policy("P2", YUANFAN, insured_workers=40, limit_per_person="400000.00"),
    )
    count()
    assert figure("coverage_rate") == (2, 2)  # parameters that overlap multiply nothing
    assert reasons("under_limit_share") == {X: "UNDER_LIMIT"}


def test_policies_add_up_and_coinsured_ones_count_once(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", registered_workers=40))
    pool = {
        "nature": "COINSURANCE",
        "coinsurers": [
            {"insurer_code": "INS01", "share": "0.6", "is_lead": True},
            {"insurer_code": "INS02", "share": "0.4", "is_lead": False},
        ],
    }
    # Xinghuo: 60 and 40 workers by two policies; the 40 have too low a limit
    cast.accepted(
        cast.huaihai, "policies", policy("P1", insured_workers=60),
        policy("P2", insured_workers=40, limit_per_person="100000.00"),
        policy("P3", YUANFAN, insured_workers=30, **pool),
    )  # fmt: skip
    # the same contract of Yuanfan, reported by the other insurer
    cast.accepted(cast.bohai, "policies", policy("B3", YUANFAN, insured_workers=30, **pool))
    count()
    assert figure("headcount_coverage") == (130, 140)
    assert reasons("coverage_rate_compliant") == {X: "UNDER_LIMIT", Y: "PARTIAL_HEADCOUNT"}
    # once all 100 have enough, a further small policy does no harm
    cast.accepted(cast.huaihai, "policies", policy("P1", insured_workers=100))
    count()
    assert figure("coverage_rate_compliant", sector="SMELT") == (1, 1)


@shows("VOID", "CLOSED_UNIT", "DELISTED", "ALSO_LISTED")
def test_off_the_register(cast):
    cast.accepted(
        cast.province,
        "obligations",
        obligation(delisted_on="2026-09-01", delisting_reason="转产"),
        obligation(sector="HAZCHEM", listed_on="2026-02-01", registered_workers=70),
        obligation(sector="TRANSPORT", **VOID),
        obligation(YUANFAN, "FISHERY"),
    )
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(
        cast.province, "enterprises",
        enterprise_row(YUANFAN, Y, "370202", "FISHERY", registered_workers=40, closed_on="2026-10-15"),
    )  # fmt: skip
    count("2026-08-31")
    # one enterprise counts once, under the sector listed first
    assert figure("coverage_rate") == (1, 2)
    assert figure("coverage_rate", sector="SMELT") == (1, 1)
    assert figure("coverage_rate", sector="HAZCHEM") == (0, 0)
    assert reasons("coverage_rate", sector="HAZCHEM") == {X: "ALSO_LISTED"}
    assert reasons("coverage_rate", sector="TRANSPORT") == {X: "VOID"}
    count()
    # delisted as a smelter, it must still insure as a chemical plant; Yuanfan has closed
    assert figure("coverage_rate") == (1, 1)
    assert figure("coverage_rate", sector="HAZCHEM") == (1, 1)
    assert figure("headcount_coverage") == (70, 70)
    assert reasons("coverage_rate", sector="SMELT") == {X: "DELISTED"}
    assert reasons("coverage_rate", sector="FISHERY") == {Y: "CLOSED_UNIT"}


@shows("voluntary_share", "VOLUNTARY")
def test_insured_but_not_on_the_register(cast):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy(), policy("P2", YUANFAN))
    count()
    assert figure("coverage_rate") == (1, 1)
    assert figure("voluntary_share") == (1, 2)
    assert reasons("coverage_rate") == reasons("voluntary_share") == {Y: "VOLUNTARY"}
    # a closed enterprise is nobody's customer any more
    cast.accepted(cast.province, "enterprises", enterprise_row(YUANFAN, Y, "370202", "FISHERY", closed_on="2026-10-15"))
    count()
    assert figure("voluntary_share") == (0, 1)


@shows("coverage_rate_confirmed", "coverage_rate_uncertain", "uncertain_share", "DISPUTED")
def test_the_confirmed_and_the_uncertain_part(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", state="DISPUTED"))
    cast.accepted(cast.huaihai, "policies", policy())
    count()
    assert figure("coverage_rate") == (1, 2)
    assert figure("coverage_rate_confirmed") == (1, 1)
    assert figure("coverage_rate_uncertain") == (0, 1)
    assert figure("uncertain_share") == (1, 2)
    assert reasons("uncertain_share") == reasons("coverage_rate_confirmed") == {Y: "DISPUTED"}
    assert reasons("coverage_rate_uncertain") == {Y: "UNINSURED"}


@shows("coverage_rate_lowest", "coverage_rate_highest", "UNCERTAIN")
def test_between_which_bounds_coverage_lies_until_the_uncertain_is_decided(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY", state="UNCERTAIN"))
    cast.accepted(cast.huaihai, "policies", policy())
    count()
    # the uninsured stands, or falls away
    assert figure("coverage_rate_lowest") == (1, 2)
    assert figure("coverage_rate_highest") == (1, 1)
    assert reasons("coverage_rate_lowest") == {Y: "UNINSURED"}
    assert reasons("coverage_rate_highest") == {Y: "UNCERTAIN"}
    # now the insured one is the uncertain one: it falls away, or stands
    cast.accepted(cast.province, "obligations", obligation(state="UNCERTAIN"), obligation(YUANFAN, "FISHERY"))
    count()
    assert figure("coverage_rate_lowest") == (0, 1)
    assert figure("coverage_rate_highest") == (1, 2)
    assert reasons("coverage_rate_lowest") == {X: "UNCERTAIN", Y: "UNINSURED"}
    # once decided, there is one figure
    Obligation.objects.update(state="CONFIRMED")
    count()
    assert figure("coverage_rate_lowest") == figure("coverage_rate") == figure("coverage_rate_highest") == (1, 2)


@pytest.mark.parametrize(
    ("cancelled_on", "on", "expected"),
    [
        ("2026-03-01", "2026-03-01", (0, 1)),  # from its beginning: it never covered
        ("2026-08-01", "2026-07-31", (1, 1)),
        ("2026-08-01", "2026-08-01", (0, 1)),  # the first day without cover
    ],
)
def test_a_cancelled_policy_covers_to_the_day_before(cast, cancelled_on, on, expected):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "CANCEL", cancelled_on))
    count(on)
    assert figure("coverage_rate") == expected


def test_a_voided_policy_or_enterprise_covers_nothing(cast):
    cast.accepted(cast.province, "obligations", obligation(), obligation(YUANFAN, "FISHERY"))
    cast.accepted(cast.huaihai, "policies", policy(**VOID), policy("P2", YUANFAN))
    cast.accepted(cast.province, "enterprises", enterprise_row(YUANFAN, Y, "370202", "FISHERY", **VOID))
    count()
    assert figure("coverage_rate") == (0, 1)
    assert figure("voluntary_share") == (0, 0)
    assert reasons("coverage_rate") == {X: "UNINSURED", Y: "VOID"}


@shows("covered_days_ratio")
def test_gaps_between_policies_are_counted_in_days(cast):
    cast.accepted(cast.province, "obligations", obligation())
    cast.accepted(
        cast.huaihai, "policies", policy(),
        policy("P0", applied_on="2025-02-01", issued_on="2025-02-20", start_on="2025-02-21",
               end_on="2026-02-20"),
    )  # fmt: skip
    count()
    # 5 January to 31 October: 27+28+31+30+31+30+31+31+30+31 = 300 days; November is not over.
    # Uncovered from 21 to 28 February: 8 days.
    assert figure("covered_days_ratio") == (292, 300)
    assert figure("covered_days_ratio", months="2026-02 2026-02") == (20, 28)
    assert reasons("covered_days_ratio", months="2026-02 2026-02") == {X: "UNINSURED"}
    count("2026-10-30")
    assert figure("covered_days_ratio") == (261, 269)  # October's 31 days count when it is over
    count("2026-10-31")
    assert figure("covered_days_ratio") == (292, 300)


def test_the_register_says_when_it_began(cast):
    """Nothing of a register entry counts before its day, whatever day the row came in."""
    cast.accepted(cast.province, "obligations", obligation(listed_on="2026-06-10"))
    cast.accepted(cast.huaihai, "policies", policy(end_on="2026-06-30"))
    count("2026-06-09")
    assert figure("voluntary_share") == (1, 1)  # so far it insures of its own accord
    assert figure("coverage_rate") == (0, 0)
    count("2026-06-10")
    assert (figure("coverage_rate"), figure("voluntary_share")) == ((1, 1), (0, 1))
    count("2026-07-01")
    assert (figure("coverage_rate"), figure("voluntary_share")) == ((0, 1), (0, 0))


@shows("coverage_rate", "SUSPENDED")
def test_a_suspended_unit_does_not_count_while_it_rests(cast):
    cast.accepted(cast.province, "obligations", obligation())
    Obligation.objects.update(suspended_from_on="2026-02-01", suspended_to_on="2026-02-28")
    count("2026-02-15")
    assert figure("coverage_rate", months="2026-01 2026-02") == (0, 0)
    assert reasons("coverage_rate", months="2026-01 2026-02") == {X: "SUSPENDED"}
    count("2026-03-31")
    assert figure("coverage_rate", months="2026-01 2026-03") == (0, 1)
    # a delivery of the list does not wake it
    cast.accepted(cast.province, "obligations", obligation(source="另一名录"))
    count("2026-02-15")
    assert figure("coverage_rate", months="2026-01 2026-02") == (0, 0)
    assert list(Obligation.objects.get().sources.order_by("source").values_list("source", flat=True)) == [
        "另一名录", "名录",
    ]  # fmt: skip

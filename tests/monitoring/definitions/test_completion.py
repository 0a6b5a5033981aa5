"""Service completion, worked out by hand, on policy P1: 1 March 2026 to 28 February 2027."""

from __future__ import annotations

import pytest

from anze.kernel.models import Parameter
from anze.prevention.models import Service
from tests.cast import XINGHUO, enterprise_row
from tests.monitoring.counting import count, day, figure, reasons, shows
from tests.monitoring.deliveries import VOID, endorsement, item, person, plan, policy, service

SPRING = item("HAZARD", 2, "2026-04-01", "2026-06-30")
AUTUMN = item("TRAIN", 1, "2026-09-01", "2026-10-31")
LATER = item("DRILL", 3, "2026-11-01", "2027-01-31")


def planned(cast, *items, **words):
    cast.accepted(cast.huaihai, "policies", policy(**words))
    cast.accepted(cast.huaihai, "plans", plan(*items))


@shows("service_completion_rate", "served_enterprise_rate", "fully_served_rate", "NOT_DONE", "PARTLY_DONE",
       "OUT_OF_WINDOW", "SURPLUS")  # fmt: skip
def test_done_of_planned_in_windows_that_have_ended(cast):
    planned(cast, SPRING, AUTUMN, LATER)
    count()
    assert figure("service_completion_rate") == (0, 3)  # the drills are not due before the end of January
    assert reasons("service_completion_rate") == {"L1/1": "NOT_DONE", "L1/2": "NOT_DONE"}
    assert figure("served_enterprise_rate") == (0, 1)
    assert figure("fully_served_rate") == (0, 0)
    cast.accepted(
        cast.huaihai,
        "services",
        service("S1", "2026-03-31"),  # the day before the window
        service("S2", "2026-04-01"),  # its first day
        service("S3", "2026-11-02", "TRAIN"),  # the 2nd day after the window
        service("S4", "2026-11-03", "TRAIN"),  # one training too many
    )
    count()
    assert figure("service_completion_rate") == (2, 3)
    assert reasons("service_completion_rate") == {
        "S1": "OUT_OF_WINDOW", "S4": "SURPLUS", "L1/1": "PARTLY_DONE",
    }  # fmt: skip
    # by the month in which the window ends
    assert figure("service_completion_rate", months="2026-06 2026-06") == (1, 2)
    assert figure("service_completion_rate", months="2026-10 2026-10") == (1, 1)
    # one policy: served since its first window ended, fully served or not when the last has
    assert figure("served_enterprise_rate") == (1, 1)
    count("2027-01-31")
    every = {"months": "2026-01 2027-12"}
    assert figure("service_completion_rate", **every) == (2, 6)
    assert figure("fully_served_rate", **every) == (0, 1)
    assert reasons("fully_served_rate", **every) == {"P1": "PARTLY_DONE"}


def test_everything_done(cast):
    planned(cast, SPRING, AUTUMN)
    cast.accepted(
        cast.huaihai, "services", service("S1", "2026-04-02"), service("S2", "2026-05-02"),
        service("S3", "2026-09-02", "TRAIN"),
    )  # fmt: skip
    count()
    assert figure("service_completion_rate") == (3, 3)
    assert figure("fully_served_rate") == figure("served_enterprise_rate") == (1, 1)
    assert reasons("service_completion_rate") == {}


@pytest.mark.parametrize(("on", "done"), [("2026-07-07", 1), ("2026-07-08", 0)])
def test_days_of_grace(cast, on, done):
    planned(cast, item("HAZARD", 1, "2026-04-01", "2026-06-30"))
    cast.accepted(cast.huaihai, "services", service("S1", on))
    count()
    assert figure("service_completion_rate") == (done, 1)


def test_a_parameter_in_force_twice_by_mistake_multiplies_nothing(cast):
    Parameter.objects.create(key="service_grace_days", value="20", unit="days", effective_from="2026-01-01",
                             status="DESIGN", title_en="g", title_zh="g")  # fmt: skip
    planned(cast, item("HAZARD", 1, "2026-04-01", "2026-06-30"))
    cast.accepted(cast.huaihai, "services", service("S1", "2026-07-20"))
    count()
    assert figure("service_completion_rate") == (1, 1)  # of two the later set


@shows("RETURNED", "NO_QUALIFIED_PERSON", "NO_REPORT", "NO_FINDINGS_STATED", "NOT_CONFIRMED", "NO_PHOTO", "VOID")
def test_everything_a_service_needs(cast):
    window = ("2026-04-01", "2026-06-30")
    planned(
        cast,
        *(item(kind, 1, *window) for kind in ("HAZARD", "TRAIN", "RISK", "STD", "DRILL", "TECH", "CONSULT")),
    )
    day_ = "2026-05-10"
    cast.accepted(
        cast.huaihai,
        "services",
        service("S1", day_, "HAZARD"),
        # valid to the day before
        service(
            "S2",
            day_,
            "TRAIN",
            persons=[person(certificate_valid_to="2026-05-09"), person(certificate_no="")],
        ),
        service("S3", day_, "RISK", report_file=""),
        service("S4", day_, "STD", nil_findings=False),
        service("S5", day_, "DRILL", confirmation="NONE", confirmed_on=None),
        service("S6", day_, "TECH", photo_count=0),
        service("S7", day_, "CONSULT", **VOID),
        # valid to the very day
        service("S8", day_, "CONSULT", persons=[person(certificate_valid_to=day_)]),
    )
    Service.objects.filter(service_no="S1").update(is_returned=True)
    count()
    assert figure("service_completion_rate") == (1, 7)
    faults = {
        "S1": "RETURNED", "S2": "NO_QUALIFIED_PERSON", "S3": "NO_REPORT", "S4": "NO_FINDINGS_STATED",
        "S5": "NOT_CONFIRMED", "S6": "NO_PHOTO",
    }  # fmt: skip
    # the item says why, too
    items = {f"L1/{number}": fault for number, fault in enumerate(faults.values(), 1)}
    assert reasons("service_completion_rate") == {**faults, **items, "S7": "VOID"}


def test_each_service_serves_one_item_and_none_stands_idle_while_another_waits(cast):
    quarters = [("2026-03-01", "2026-05-31"), ("2026-06-01", "2026-08-31"), ("2026-09-01", "2026-11-15")]
    planned(
        cast,
        *(item("HAZARD", 1, *quarter) for quarter in quarters),
        item("HAZARD", 1, "2026-03-01", "2026-10-31"),
    )
    cast.accepted(
        cast.huaihai,
        "services",
        service("S1", "2026-03-05"),  # the first quarter
        service("S2", "2026-06-02"),  # in its days of grace too, but it is served: the second quarter
        service("S3", "2026-06-03"),  # the second is served as well: the one that runs all year
        service("S4", "2026-06-04"),  # nothing is left open on this day
    )
    count("2026-11-30")
    assert figure("service_completion_rate") == (3, 4)
    assert reasons("service_completion_rate") == {"L1/3": "NOT_DONE", "S4": "SURPLUS"}


def test_a_service_that_names_its_item_serves_that_one(cast):
    planned(cast, item("HAZARD", 1, "2026-03-01", "2026-06-30"), item("HAZARD", 1, "2026-03-01", "2026-09-30"))
    named = {"plan_no": "L1", "plan_item_seq": 2}
    cast.accepted(
        cast.huaihai, "services", service("S1", "2026-03-05", **named), service("S2", "2026-03-06", **named),
        service("S3", "2026-03-07", "TRAIN", plan_no="L1", plan_item_seq=1),
    )  # fmt: skip
    count()
    # S2 is over-service of the second item and does not offset the first; S3 is of another type than its item
    assert figure("service_completion_rate") == (1, 2)
    assert reasons("service_completion_rate") == {"L1/1": "NOT_DONE", "S2": "SURPLUS", "S3": "OUT_OF_WINDOW"}
    # the plan is replaced by another: what was done under the old one serves the new
    cast.accepted(cast.huaihai, "plans", plan(SPRING, **VOID))
    cast.accepted(cast.huaihai, "plans", plan(item("HAZARD", 2, "2026-03-01", "2026-06-30"), number="L2"))
    count()
    assert figure("service_completion_rate") == (2, 2)
    assert reasons("service_completion_rate") == {"S3": "OUT_OF_WINDOW", "L1/1": "VOID"}


@shows("POLICY_CANCELLED", "POLICY_VOID", "VOID")
def test_a_cancelled_policy_owes_its_share(cast):
    # 8 days of 16 in April; June wholly outside; May wholly inside
    planned(
        cast, item("HAZARD", 3, "2026-06-01", "2026-06-16"), item("TRAIN", 1, "2026-07-01", "2026-07-31"),
        item("DRILL", 1, "2026-05-01", "2026-05-31"), item("RISK", 1, "2026-06-01", "2026-06-30"),
    )  # fmt: skip
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "CANCEL", "2026-06-09"))
    count("2026-06-07")
    assert figure("service_completion_rate") == (0, 1)
    # 3 × 8/16 = 1.5, rounded down to 1, due on the last day of cover; 1 × 8/30 comes to nothing
    count("2026-06-08")
    assert figure("service_completion_rate") == (0, 2)
    count()
    assert figure("service_completion_rate") == (0, 2)
    assert reasons("service_completion_rate") == {
        "L1/1": "NOT_DONE", "L1/2": "POLICY_CANCELLED", "L1/3": "NOT_DONE", "L1/4": "POLICY_CANCELLED",
    }  # fmt: skip
    # cancelled from its beginning it owes nothing
    cast.accepted(cast.huaihai, "endorsements", endorsement("E1", "CANCEL", "2026-03-01"))
    count()
    assert figure("service_completion_rate") == figure("served_enterprise_rate") == (0, 0)
    cast.accepted(cast.huaihai, "policies", policy(**VOID))
    count()
    assert figure("service_completion_rate") == (0, 0)
    assert reasons("service_completion_rate") == {f"L1/{n}": "POLICY_VOID" for n in range(1, 5)} | {"P1": "VOID"}


@shows("plan_missing_share", "PLAN_MISSING", "PLAN_LATE")
def test_no_plan_within_thirty_days(cast):
    # 30 days after 1 March is 31 March; judged on the day after
    cast.accepted(cast.huaihai, "policies", policy("P1"), policy("P2"), policy("P3"), policy("P4", end_on="2026-03-30"))
    items = item("HAZARD", 1, "2027-01-01", "2027-02-28")
    cast.accepted(
        cast.huaihai,
        "plans",
        plan(items, number="L1", policy_no="P1", agreed_on="2026-03-31"),
        plan(items, number="L2", policy_no="P2", agreed_on="2026-04-01"),
    )
    count("2026-03-31")
    assert figure("plan_missing_share") == (0, 0)
    count("2026-04-01")
    assert figure("plan_missing_share") == (2, 3)  # P4 ended before
    assert reasons("plan_missing_share") == {"P2": "PLAN_LATE", "P3": "PLAN_MISSING"}


def test_a_missing_plan_cannot_raise_the_rate(cast):
    # high risk and large: 4 visits a year, spread evenly: 92, 183, 274 and 365 days after the beginning
    cast.accepted(
        cast.province, "enterprises",
        enterprise_row(XINGHUO, "星火示例铸造有限公司", "370102", "SMELT", size="LARGE", risk_tier="HIGH"),
    )  # fmt: skip
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(
        cast.huaihai, "services", service("S1", "2026-05-01", "TRAIN"), service("S2", "2026-05-02"),
        service("S3", "2026-05-03", photo_count=0),
    )  # fmt: skip
    count("2026-05-31")  # the 92nd day
    assert figure("service_completion_rate") == (1, 1)
    count("2026-11-28")
    assert figure("service_completion_rate") == (2, 2)  # two visits in spring serve the first two
    count("2026-11-29")  # the 274th day
    assert figure("service_completion_rate") == (2, 3)
    assert reasons("service_completion_rate") == {"P1": "PLAN_MISSING", "S3": "NO_PHOTO"}
    assert figure("served_enterprise_rate") == (1, 1)
    # a plan takes the place of the matrix
    cast.accepted(cast.huaihai, "plans", plan(item("TRAIN", 1, "2026-04-01", "2026-06-30")))
    count("2026-11-29")
    assert figure("service_completion_rate") == (1, 1)


def test_short_and_cancelled_policies_without_a_plan(cast):
    cast.accepted(
        cast.province, "enterprises",
        enterprise_row(XINGHUO, "星火示例铸造有限公司", "370102", "SMELT", size="LARGE", risk_tier="HIGH"),
    )  # fmt: skip
    # 61 days: 4 × 61/365 = 0.67 → 1 at least; 122 days: 1.3 → 1; 200 days: 2.2 → 2
    cast.accepted(
        cast.huaihai, "policies", policy("P1", end_on="2026-04-30"), policy("P2", end_on="2026-06-30"),
        policy("P3", end_on="2026-09-16"),
        policy("P4"),
    )  # fmt: skip
    cast.accepted(cast.huaihai, "endorsements", endorsement("E4", "CANCEL", "2026-08-31", policy_no="P4"))
    count()
    # of P4's four visits only that of the 92nd day fell due before 31 August, the 184th; the 2nd on the 183rd
    assert figure("service_completion_rate") == (0, 1 + 1 + 2 + 2)
    cast.accepted(cast.huaihai, "endorsements", endorsement("E4", "CANCEL", "2026-08-29", policy_no="P4"))
    count()
    assert figure("service_completion_rate") == (0, 1 + 1 + 2 + 1)


@shows("COINSURED")
def test_of_coinsurers_the_lead_serves(cast):
    def pool(lead: str) -> dict:
        return {
            "nature": "COINSURANCE",
            "coinsurers": [{"insurer_code": code, "share": "0.5", "is_lead": code == lead} for code in (lead, "XX9")],
        }

    # Huaihai follows Bohai under P1; leads P2; follows somebody who is not on the platform under P3
    stranger = {**pool("INS01"), "coinsurers": [
        {"insurer_code": "XX9", "share": "0.5", "is_lead": True},
        {"insurer_code": "INS01", "share": "0.5", "is_lead": False},
    ]}  # fmt: skip
    cast.accepted(
        cast.huaihai,
        "policies",
        policy("P1", **pool("INS02")),
        policy("P2", **pool("INS01")),
        policy("P3", **stranger),
    )
    for number in (1, 2, 3):
        cast.accepted(
            cast.huaihai, "plans",
            plan(item("HAZARD", 1, "2026-04-01", "2026-06-30"), number=f"L{number}", policy_no=f"P{number}"),
        )  # fmt: skip
    cast.accepted(cast.huaihai, "services", service("S1", "2026-05-01"))
    count()
    assert figure("service_completion_rate") == (0, 2)
    assert figure("plan_missing_share") == (0, 2)
    assert reasons("service_completion_rate") == {
        "L1/1": "COINSURED", "P1": "COINSURED", "S1": "COINSURED", "L2/1": "NOT_DONE", "L3/1": "NOT_DONE",
    }  # fmt: skip


@shows("satisfaction_avg", "NOT_RATED", "VOID")
def test_satisfaction(cast):
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(
        cast.huaihai, "services", service("S1", "2026-05-01", satisfaction=5),
        service("S2", "2026-05-02", satisfaction=2, photo_count=0), service("S3", "2026-05-03"),
        service("S4", "2026-05-04", satisfaction=1, **VOID),
    )  # fmt: skip
    count()
    assert figure("satisfaction_avg") == (7, 2)
    assert reasons("satisfaction_avg") == {"S3": "NOT_RATED", "S4": "VOID"}


def test_the_day_of_a_service_is_the_day_in_beijing(cast):
    planned(cast, item("HAZARD", 1, "2026-05-02", "2026-06-30"))
    night = {
        "started_at": "2026-05-01T16:30:00+00:00",
        "ended_at": "2026-05-01T17:00:00+00:00",
        "confirmed_on": "2026-05-02",
    }
    cast.accepted(cast.huaihai, "services", service("S1", "2026-05-01", **night))
    count()
    assert figure("service_completion_rate") == (1, 1)
    assert day("2026-05-02").date().isoformat() == str(Service.objects.get().performed_on)

"""Punctuality, worked out by hand."""

from __future__ import annotations

import pytest

from anze.exchange.feeds import FEEDS
from anze.kernel.rules import Channel
from tests.monitoring.counting import count, day, figure, reasons, shows
from tests.monitoring.deliveries import (
    VOID,
    accident,
    claim,
    endorsement,
    expense,
    hazard,
    item,
    plan,
    policy,
    receipt,
    service,
)

FEED_NAMES = [feed.name for feed in FEEDS.values() if feed.of_insurer and feed.model.is_counted]


@shows("data_timeliness", "LATE", "VOID")
def test_by_hand_within_five_working_days(cast):
    manual = {"channel": Channel.EXCEL}
    # issued on Tuesday 24 February 2026, the first day after the Spring Festival; the 5th working day
    # after it
    # is Monday 2 March, since Saturday 28 February is worked
    cast.accepted(cast.huaihai, "policies", policy("P1"), at=day("2026-03-02"), **manual)
    cast.accepted(cast.huaihai, "policies", policy("P2"), at=day("2026-03-03"), **manual)
    # by interface the day itself is allowed
    cast.accepted(cast.huaihai, "policies", policy("P3"), at=day("2026-02-24"))
    cast.accepted(cast.huaihai, "policies", policy("P4"), at=day("2026-02-25"))
    cast.accepted(cast.huaihai, "policies", policy("P5", **VOID), at=day("2026-02-24"))
    count()
    assert figure("data_timeliness.policies") == (2, 4)
    assert reasons("data_timeliness.policies") == {"P2": "LATE", "P4": "LATE", "P5": "VOID"}
    # the first arrival decides: a later correction makes nothing late, nor good again
    cast.accepted(cast.huaihai, "policies", policy("P1", insured_workers=90), policy("P2", insured_workers=90))
    count()
    assert figure("data_timeliness.policies") == (2, 4)
    assert figure("data_timeliness") == (2, 4)
    assert figure("data_timeliness", months="2026-03 2026-03") == (0, 0)  # by the month of the event


@pytest.mark.parametrize("name", FEED_NAMES)
@shows(*(f"data_timeliness.{name}" for name in FEED_NAMES))
def test_every_dataset_has_its_own(cast, name):
    rows = {
        "policies": policy("P2", issued_on="2026-03-20", start_on="2026-03-21"),
        "endorsements": endorsement("E1", "HEADCOUNT", "2026-05-06", "90"),
        "receipts": receipt(received_on="2026-05-06"),
        "plans": plan(item("HAZARD", 1, "2026-04-01", "2026-06-30"), agreed_on="2026-05-06"),
        "services": service("S2", "2026-05-06"),
        "hazards": hazard("H1", "2026-05-06"),
        "expenses": expense("X1", paid_on=None, incurred_on="2026-05-06"),
        "accidents": accident("A1", "2026-05-06"),
        "claims": claim("C1", "2026-05-06"),
    }
    in_time = day("2026-05-06")
    cast.accepted(cast.huaihai, "policies", policy(), at=day("2026-02-24"))
    cast.accepted(cast.huaihai, "services", service("S1", "2026-03-02"), at=day("2026-03-02"))
    cast.accepted(cast.huaihai, name, rows[name], at=in_time if name != "policies" else day("2026-03-20"))
    count()
    months = "2026-03 2026-03" if name == "policies" else "2026-05 2026-05"
    assert figure(f"data_timeliness.{name}", months=months) == (1, 1)
    for other in set(FEED_NAMES) - {name}:
        assert figure(f"data_timeliness.{other}", months="2026-05 2026-05") == (0, 0)

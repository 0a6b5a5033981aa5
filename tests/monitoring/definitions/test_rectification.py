"""Hazard rectification, worked out by hand."""

from __future__ import annotations

import pytest

from tests.monitoring.counting import count, figure, reasons, shows
from tests.monitoring.deliveries import VOID, closed, hazard, policy, service


@pytest.fixture
def visited(cast):
    cast.accepted(cast.huaihai, "policies", policy())
    cast.accepted(cast.huaihai, "services", service("S1", "2026-03-02"))
    return cast


@shows("hazard_rectification_rate", "hazard_rectification_all", "hazard_on_time_rate", "OPEN_HAZARD",
       "LATE_CLOSING", "SHUT_DOWN", "NOT_FROM_SERVICE", "VOID")  # fmt: skip
def test_closed_of_those_due_and_of_all_found(visited):
    visited.accepted(
        visited.huaihai,
        "hazards",
        hazard("H1", "2026-05-01", **closed("2026-05-16")),  # on the last day
        hazard("H2", "2026-05-01", **closed("2026-05-17")),  # a day late
        hazard("H3", "2026-05-01"),
        # extended once: in time by the later deadline
        hazard(
            "H4",
            "2026-05-01",
            extended_to_on="2026-06-30",
            extension_reason="设备到货",
            **closed("2026-06-30"),
        ),
        hazard("H5", "2026-11-20", **closed("2026-11-21")),  # not due yet, though closed
        hazard("H6", "2026-11-20"),
        hazard("H7", "2026-05-01", state="SHUT_DOWN"),
        hazard("H8", "2026-05-01", source="SELF_CHECK", service_no="", **closed("2026-05-02")),
        hazard("H9", "2026-05-01", **VOID),
        hazard("HA", "2026-05-01", state="SUBMITTED"),  # the enterprise says done: not verified
    )
    count()
    assert figure("hazard_rectification_rate") == (3, 5)
    assert figure("hazard_on_time_rate") == (2, 5)
    assert figure("hazard_rectification_all") == (4, 7)
    out = {"H7": "SHUT_DOWN", "H8": "NOT_FROM_SERVICE", "H9": "VOID"}
    still_open = {"H3": "OPEN_HAZARD", "HA": "OPEN_HAZARD"}
    assert reasons("hazard_rectification_rate") == out | still_open
    assert reasons("hazard_on_time_rate") == out | still_open | {"H2": "LATE_CLOSING"}
    assert reasons("hazard_rectification_all") == out | still_open | {"H6": "OPEN_HAZARD"}


def test_the_period_is_that_of_finding_and_the_deadline_decides_when_it_counts(visited):
    visited.accepted(visited.huaihai, "hazards", hazard("H1", "2026-10-25", days=20))
    count("2026-11-13")
    assert figure("hazard_rectification_rate") == (0, 0)
    count("2026-11-14")  # the last day for it
    assert figure("hazard_rectification_rate") == (0, 1)
    assert figure("hazard_rectification_rate", months="2026-10 2026-10") == (0, 1)
    assert figure("hazard_rectification_rate", months="2026-11 2026-11") == (0, 0)


@shows("major_hazard_rectification_rate", "major_hazard_on_time_rate", "major_hazard_share")
def test_major_hazards_by_themselves(visited):
    major = {"hazard_class": "MAJOR", "notified_on": "2026-05-01"}
    visited.accepted(
        visited.huaihai,
        "hazards",
        hazard("H1", "2026-05-01", **major, **closed("2026-05-10")),
        hazard("H2", "2026-05-01", **major, **closed("2026-06-10")),
        hazard("H3", "2026-05-01", **major),
        hazard("H4", "2026-05-01"),
    )
    count()
    assert figure("major_hazard_rectification_rate") == (2, 3)
    assert figure("major_hazard_on_time_rate") == (1, 3)
    assert figure("major_hazard_share") == (3, 4)
    assert reasons("major_hazard_rectification_rate") == {"H3": "OPEN_HAZARD"}
    assert reasons("major_hazard_on_time_rate") == {"H2": "LATE_CLOSING", "H3": "OPEN_HAZARD"}

"""What the alert rules find in the synthetic province, against what was planted in it."""

from __future__ import annotations

from datetime import timedelta

from anze.exchange.synthetic.anomalies import truth
from anze.exchange.synthetic.entities import Province
from anze.kernel.alert import load_alerts
from tests.province.conftest import AS_OF, Demo
from tests.province.test_expense_findings import Keys, measured

RULES = load_alerts()
LONG = "20000"  # days for which nothing is forgotten, so that the whole year can be compared
# numbers as they are shipped, but for how long something is announced
NUMBERS = {"grace": "7", "kept": LONG, "days": "30", "cap": "0.21", "far": "60", "speed": "120"}


def causes(demo: Demo, code: str, columns: str, joined: str = "") -> Keys:
    rule = RULES[code]
    text = rule.causes_on({name: NUMBERS[name] for name in rule.thresholds}, AS_OF)
    return set(demo.select(f"SELECT {columns} FROM ({text}) c {joined}"))


def test_every_policy_nobody_served_is_found_and_nothing_else(demo: Demo, drawn: Province) -> None:
    over = AS_OF - timedelta(days=7)  # the days of grace after a window
    planted: Keys = {
        (policy.insurer.code, policy.number)
        for policy in drawn.policies
        if not policy.visits and policy.items and min(item.end for item in policy.items) < over
    }
    assert planted
    found = causes(demo, "UNSERVED", "o.code, c.label", "JOIN parties_organisation o ON o.id = c.insurer_id")
    measured("unserved policies", found, planted)


def test_every_service_reported_very_late_is_found_and_nothing_else(demo: Demo, drawn: Province) -> None:
    planted: Keys = {(entry["insurer"], entry["service_no"]) for entry in truth(drawn)["very_late_services"]}
    assert planted
    found = causes(demo, "ENTRY_VERY_LATE", "o.code, c.label", "JOIN parties_organisation o ON o.id = c.insurer_id")
    measured("very late entries", found, planted)


def test_every_policy_over_the_cap_is_told_of_and_nothing_else(demo: Demo, drawn: Province) -> None:
    planted: Keys = {(entry["insurer"], entry["policy_no"]) for entry in truth(drawn)["over_cap_policies"]}
    assert planted
    found = causes(demo, "EXPENSE_OVER_CAP", "o.code, c.label", "JOIN parties_organisation o ON o.id = c.insurer_id")
    measured("over cap", found, planted)


def test_every_impossible_itinerary_is_found_and_nothing_else(demo: Demo, drawn: Province) -> None:
    planted: Keys = {
        frozenset((entry["first"]["service_no"], entry["second"]["service_no"]))  # type: ignore[index]
        for entry in truth(drawn)["impossible_itineraries"]
    }
    assert planted
    found = {frozenset(pair) for pair in causes(demo, "IMPOSSIBLE_TRAVEL", "c.facts->>'first', c.facts->>'second'")}  # type: ignore[call-overload]
    measured("impossible itineraries", found, planted)


def test_the_demonstration_shows_alerts_in_every_state(demo: Demo) -> None:
    states = dict(demo.select("SELECT state, count(*) FROM monitoring_alert GROUP BY state"))
    assert states.keys() == {"OPEN", "HANDLING", "CLOSED"}
    assert demo.select("SELECT count(*) FROM monitoring_alert WHERE closing = 'GONE'")[0][0]

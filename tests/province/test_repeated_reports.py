"""What the comparison of reports finds in the synthetic province, against what was planted in it."""

from __future__ import annotations

from anze.exchange.synthetic.anomalies import truth
from anze.exchange.synthetic.entities import Province
from tests.province.conftest import Demo
from tests.province.test_expense_findings import Keys, measured


def test_every_copied_report_is_found_and_nothing_else(demo: Demo, drawn: Province) -> None:
    planted: Keys = {
        frozenset((entry[side]["insurer"], entry[side]["service_no"]) for side in ("original", "copy"))  # type: ignore[index]
        for entry in truth(drawn)["copied_reports"]
    }
    assert planted
    rows = demo.select(
        "SELECT i.code, a.service_no, j.code, b.service_no FROM prevention_likeness m "
        "JOIN prevention_service a ON a.id = m.first_id JOIN parties_organisation i ON i.id = a.insurer_id "
        "JOIN prevention_service b ON b.id = m.second_id JOIN parties_organisation j ON j.id = b.insurer_id"
    )
    found: Keys = {frozenset({(one, first), (other, second)}) for one, first, other, second in rows}
    measured("copied reports", found, planted)


def test_a_copied_report_is_told_of_to_those_who_may_judge_it(demo: Demo) -> None:
    assert demo.select("SELECT count(*) FROM monitoring_alert WHERE code = 'REPORT_REPEATED'")[0][0]

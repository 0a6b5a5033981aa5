"""What the nightly match finds in the synthetic province, against what was planted in it."""

from __future__ import annotations

from datetime import timedelta

from anze.exchange.synthetic.anomalies import truth
from anze.exchange.synthetic.entities import Province
from tests.province.conftest import Demo, Sent

Keys = set[object]


def measured(name: str, found: Keys, planted: Keys) -> None:
    """Print recall and precision; anything less than all of it, and nothing else, is a failure."""
    hit = len(found & planted)
    recall = hit / len(planted) if planted else 1.0
    precision = hit / len(found) if found else 1.0
    print(f"{name}: {len(planted)} planted, {len(found)} found, recall {recall:.3f}, precision {precision:.3f}")
    assert planted - found == set()
    assert found - planted == set()


def test_every_planted_duplicate_invoice_is_found_and_nothing_else(demo: Demo, drawn: Province) -> None:
    planted: Keys = {
        frozenset({entry["original_expense_no"], entry["expense_no"]}) for entry in truth(drawn)["duplicate_invoices"]
    }
    rows = demo.select(
        "SELECT e.expense_no, o.expense_no FROM expenses_expensefinding f JOIN expenses_expense e ON e.id = f.expense_id "
        "JOIN expenses_expense o ON o.id = f.other_id WHERE f.kind = 'INVOICE_TWICE'"
    )
    assert planted
    measured("duplicate invoices", {frozenset(pair) for pair in rows}, planted)


def test_every_policy_over_the_cap_is_found_and_nothing_else(demo: Demo, drawn: Province) -> None:
    planted: Keys = {(entry["insurer"], entry["policy_no"]) for entry in truth(drawn)["over_cap_policies"]}
    rows = demo.select(
        "SELECT o.code, p.policy_no FROM expenses_expensefinding f JOIN underwriting_policy p ON p.id = f.policy_id "
        "JOIN parties_organisation o ON o.id = f.insurer_id WHERE f.kind = 'OVER_CAP'"
    )
    assert planted
    measured("over cap", set(rows), planted)


def test_payments_without_voucher_are_those_of_the_rows_sent(demo: Demo, sent: Sent) -> None:
    [(matched_on,)] = demo.select(
        "SELECT max((found_at AT TIME ZONE 'Asia/Shanghai')::date) FROM expenses_expensefinding"
    )
    papers = (matched_on - timedelta(days=30)).isoformat()
    planted: Keys = {
        (each.sender, each.row["expense_no"])
        for each in sent["expenses"]
        if each.row.get("paid_on", "9") <= papers and not each.row.get("voucher_file")
    }
    rows = demo.select(
        "SELECT o.code, e.expense_no FROM expenses_expensefinding f JOIN expenses_expense e ON e.id = f.expense_id "
        "JOIN parties_organisation o ON o.id = f.insurer_id WHERE f.kind = 'NO_VOUCHER'"
    )
    assert planted
    measured("without voucher", set(rows), planted)


def test_what_costs_more_than_agreed_is_found_and_nothing_else(demo: Demo, drawn: Province) -> None:
    planted: Keys = {(entry["insurer"], entry["service_no"], entry["cents"]) for entry in truth(drawn)["above_agreed"]}
    rows = demo.select(
        "SELECT o.code, s.service_no, (f.facts->>'paid')::numeric * 100 FROM expenses_expensefinding f "
        "JOIN prevention_service s ON s.id = f.service_id JOIN parties_organisation o ON o.id = f.insurer_id "
        "WHERE f.kind = 'ABOVE_AGREED' AND f.state = 'OPEN'"
    )
    assert len(planted) == 4
    measured("above the agreed price", set(rows), planted)


def test_what_is_ordered_billed_and_paid_under_a_price_list_is_its_price(demo: Demo, drawn: Province) -> None:
    """A list is of the kind of service, a round sum, and was there before the orders; nothing follows what was paid."""
    prices = demo.select("SELECT DISTINCT service_type, price FROM prevention_agreementprice")
    assert {kind for kind, _price in prices} >= {"HAZARD", "RISK", "TRAIN"}
    for kind, price in prices:
        assert 500 <= price <= 1500, (kind, price)
        assert price % 10 == 0, (kind, price)
    lines = demo.select(
        "SELECT s.service_no, l.price, o.price, x.amount FROM expenses_statementline l "
        "JOIN prevention_service s ON s.id = l.service_id LEFT JOIN prevention_order o ON o.service_id = s.id "
        "LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM expenses_expense e "
        "WHERE e.service_id = s.id AND NOT e.is_void) x ON true WHERE l.source = 'AGREEMENT'"
    )
    assert lines
    dearer = {entry["service_no"] for entry in truth(drawn)["above_agreed"]}
    for number, billed, ordered, paid in lines:
        assert ordered in (None, billed), number
        assert paid is None or (paid > billed if number in dearer else paid == billed), number
    more = demo.select(
        "SELECT count(*) FROM expenses_statementline l JOIN prevention_order o ON o.service_id = l.service_id "
        "WHERE l.price > o.price AND l.source <> 'CORRECTED'"
    )
    assert more == [(0,)]


def test_clean_rows_raise_no_other_finding(demo: Demo) -> None:
    """Nothing of these kinds is planted among the delivered rows."""
    kinds = dict(demo.select("SELECT kind, count(*) FROM expenses_expensefinding GROUP BY kind"))
    for kind in ("VISIT_TWICE", "FORBIDDEN_USE", "NO_SERVICE", "SERVICE_TAKEN_BACK", "BEFORE_PREMIUM", "UNDER_FLOOR"):
        print(f"{kind}: {kinds.get(kind, 0)} found")
        assert kind not in kinds, kinds

"""What a service costs against the framework agreement that holds on its day: billed, paid, or both."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.expenses.actions import draw_up_statements
from anze.expenses.models import Expense, ExpenseFinding, Statement, StatementLine
from anze.expenses.screens.findings import told
from anze.kernel.alert import ALERTS
from anze.kernel.models import Parameter
from anze.monitoring.alerting import run
from anze.monitoring.models import Alert
from anze.parties.rules import Role
from anze.prevention.models import Agreement, AgreementPrice, Service
from tests.cast import NOW

DAY = date(2026, 10, 12)
HOURS = {"started_at": "2026-10-12T09:00:00+08:00", "ended_at": "2026-10-12T11:00:00+08:00"}


def agreed(cast: Any, price: str = "1200.00", **words: Any) -> Agreement:
    """An agreement that holds on the day of the service, and some days before and after."""
    words = {
        "insurer": cast.huaihai, "agency": cast.agency, "region_code": "370000", "state": "ACCEPTED",
        "start_on": DAY - timedelta(days=30), "end_on": DAY + timedelta(days=30), **words,
    }  # fmt: skip
    kinds = words.pop("kinds", None) or [Service.objects.get(service_no="S1").service_type]
    words.setdefault("until_on", words["end_on"])
    number = f"KJ{Agreement.objects.count() + 1}"
    answered = None if words["state"] == "PROPOSED" else NOW
    made = Agreement.objects.create(
        agreement_no=number, proposed_at=NOW, answer_due_at=NOW, answered_at=answered, **words,
    )  # fmt: skip
    for kind in kinds:
        AgreementPrice.objects.create(
            agreement=made, service_type=kind, price=price, insurer=made.insurer, agency=made.agency,
            region_code="370000",
        )  # fmt: skip
    return made


@pytest.fixture
def visited(cast, ledger):
    """One service of the agency, and nothing charged for it yet."""
    ledger.service(cast.huaihai, "PA", "S1", planned_cost="0.00", **HOURS)

    def pay(number: str, amount: str, **words: Any) -> None:
        words = {"agency_code": "AGY01", "tax": "0.00", "incurred_on": "2026-10-12", "paid_on": "2026-10-20", **words}
        ledger.expense(cast.huaihai, "PA", number, "S1", amount=amount, **words)

    return pay


def above(ledger: Any) -> list[tuple[Decimal, Any, Any]]:
    """In doubt, paid and billed, of what stands open."""
    ledger.match()
    rows = ExpenseFinding.objects.filter(kind="ABOVE_AGREED").exclude(state="GONE")
    return [(row.amount, row.facts.get("paid"), row.facts.get("billed")) for row in rows]


def test_paid_above_the_agreed_price_by_one_cent(cast, ledger, visited):
    agreed(cast)
    visited("X1", "1200.00")
    assert above(ledger) == []  # the agreed price itself is in order
    visited("X2", "0.01", category="DRILL")
    assert above(ledger) == [(Decimal("0.01"), 1200.01, None)]
    finding = ExpenseFinding.objects.get(kind="ABOVE_AGREED")
    assert finding.expense.expense_no == "X2"
    assert finding.service.service_no == "S1"
    said = told(finding.kind, finding.facts)
    assert "1,200.01" in said
    assert "1,200.00" in said
    assert "KJ1" in said


def test_what_was_taken_back_is_not_paid(cast, ledger, visited):
    agreed(cast)
    visited("X1", "1500.00")
    assert above(ledger) == [(Decimal(300), 1500, None)]
    visited("X2", "-300.00", reversal_of="X1", invoice_no="INVX1")
    assert above(ledger) == []
    assert ExpenseFinding.objects.get(kind="ABOVE_AGREED").state == "GONE"


def test_billed_above_it_is_found_before_anything_is_paid_and_gone_when_corrected(cast, ledger, visited, browser_of):
    Service.objects.update(planned_cost="1300.00")
    agreed(cast)
    draw_up_statements(DAY.replace(day=1), at=NOW)
    statement, line = Statement.objects.get(), StatementLine.objects.get()
    assert above(ledger) == [(Decimal(100), None, 1300)]
    insurer = browser_of(Role.INSURER_MANAGER)
    page = insurer.get(reverse("expense-finding", args=[ExpenseFinding.objects.get().pk])).content.decode()
    assert reverse("statement", args=[statement.pk]) in page
    assert reverse("agreement", args=[Agreement.objects.get().pk]) in page
    # both sides see on the statement what they agreed on
    for reader in (insurer, browser_of(Role.AGENCY)):
        shown = reader.get(reverse("statement", args=[statement.pk])).content.decode()
        assert "1,200.00" in shown
        assert reverse("agreement", args=[Agreement.objects.get().pk]) in shown
    correct = reverse("statement-correct", args=[statement.pk])
    assert insurer.post(correct, {"line": str(line.pk), "price": "1200.00"}).status_code == 302
    assert above(ledger) == []


def test_billed_and_paid_are_one_finding(cast, ledger, visited):
    Service.objects.update(planned_cost="1300.00")
    agreed(cast)
    draw_up_statements(DAY.replace(day=1), at=NOW)
    visited("X1", "1250.00")
    assert above(ledger) == [(Decimal(100), 1250, 1300)]


def test_what_somebody_else_was_paid_for_the_same_service_is_no_price_of_the_agency(cast, ledger, visited):
    agreed(cast)
    visited("X1", "1200.00")
    visited("X2", "500.00", agency_code=None, category="EXPERT_FEE", payee_name="示例专家")
    assert above(ledger) == []


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ({}, True),
        ({"start_on": DAY}, True),
        ({"start_on": DAY + timedelta(days=1)}, False),
        ({"end_on": DAY}, True),
        ({"end_on": DAY - timedelta(days=1)}, False),  # ended the day before
        ({"state": "ENDED", "until_on": DAY, "reason": "示例"}, True),
        ({"state": "ENDED", "until_on": DAY - timedelta(days=1), "reason": "示例"}, False),
        ({"state": "PROPOSED"}, False),
        ({"state": "DECLINED", "reason": "示例"}, False),
        ({"sectors": ["SMELT"]}, True),
        ({"sectors": ["MINE"]}, False),
        ({"regions": ["370100"]}, True),
        ({"regions": ["370200"]}, False),
        ({"kinds": ["DRILL"]}, False),
    ],
)
def test_only_what_holds_on_the_day_of_the_service_for_such_a_service(cast, ledger, visited, words, is_found):
    agreed(cast, **words)
    visited("X1", "1500.00")
    assert bool(above(ledger)) == is_found


def test_nobody_elses_agreement_holds(cast, ledger, visited):
    agreed(cast, agency=cast.other_agency)
    agreed(cast, insurer=cast.bohai)
    visited("X1", "1500.00")
    assert above(ledger) == []


_cents = st.integers(1, 300_000).map(lambda n: Decimal(n) / 100)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(price=_cents, parts=st.lists(_cents, max_size=3), billed=st.none() | _cents, days=st.integers(-2, 2))
def test_it_is_the_dearer_of_billed_and_paid_less_the_price_and_nothing_up_to_it(
    cast, ledger, visited, price, parts, billed, days
):
    Expense.objects.all().delete()
    for model in (ExpenseFinding, StatementLine, Statement, AgreementPrice, Agreement):
        model.objects.all().delete()
    agreed(cast, str(price), start_on=DAY - timedelta(days=90), end_on=DAY + timedelta(days=days))
    visit = Service.objects.get(service_no="S1")
    for n, amount in enumerate(parts):
        Expense.objects.create(
            expense_no=f"Y{n}", policy=visit.policy, service=visit, agency=cast.agency, category="TSP_FEE",
            allocation="DIRECT", payee_name=cast.agency.name, amount=amount, tax=0, invoice_no=f"I{n}",
            incurred_on=DAY, paid_on=DAY, voucher_file="x.pdf", insurer=cast.huaihai, enterprise=visit.enterprise,
            region_code=visit.region_code, sector=visit.sector, channel="API", batch_id=visit.batch_id, event_on=DAY,
            received_at=NOW, report_due_at=NOW, content_hash="",
        )  # fmt: skip
    if billed is not None:
        statement = Statement.objects.create(
            insurer=cast.huaihai, agency=cast.agency, month=DAY.replace(day=1), services=1, agreed=billed,
            state="DRAWN", drawn_at=NOW, region_code="370000",
        )  # fmt: skip
        StatementLine.objects.create(
            statement=statement, service=visit, price=billed, insurer_id=cast.huaihai.pk,
            agency_id=cast.agency.pk, region_code="370000",
        )  # fmt: skip
    costs = max(sum(parts, Decimal()), billed or Decimal())
    expected = [costs - price] if costs > price and days >= 0 else []
    assert [amount for amount, _paid, _billed in above(ledger)] == expected


@override("en")
def test_the_insurer_and_the_authority_are_told(cast, ledger, visited):
    agreed(cast)
    visited("X1", "1500.00")
    ledger.match()
    run(at=NOW, full=True, only={"EXPENSE_DOUBT"})
    (alert,) = Alert.objects.filter(code="EXPENSE_DOUBT")
    assert (alert.label, alert.facts["kind"], alert.facts["amount"]) == ("S1", "ABOVE_AGREED", 300)
    assert "300 yuan (S1)" in ALERTS["EXPENSE_DOUBT"].said(alert.facts)


def test_papers_are_due_by_the_number_of_the_payments_region_in_the_match_and_in_the_alert(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S9")
    day = (NOW.date() - timedelta(days=40)).isoformat()
    ledger.expense(cast.huaihai, "PA", "X9", "S9", voucher_file=None, incurred_on=day, paid_on=day)

    def both() -> tuple[set[tuple[str, str]], int]:
        run(at=NOW, full=True, only={"EXPENSE_NO_VOUCHER"})
        return found(), Alert.objects.filter(code="EXPENSE_NO_VOUCHER").exclude(state="CLOSED").count()

    assert both() == ({("NO_VOUCHER", "X9")}, 1)
    here = Expense.objects.get().region_code
    for region, days in ((f"{here[:4]}00", "50"), ("370200", "1")):
        Parameter.objects.create(
            key="expense_papers_days", value=days, region_code=region, effective_from="2020-01-01", status="DESIGN",
            title_en="Papers", title_zh="资料",
        )  # fmt: skip
    assert both() == (set(), 0)  # the city gives more time

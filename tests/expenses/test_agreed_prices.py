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
from anze.prevention.actions.agreements import agreed_prices
from anze.prevention.models import Agreement, AgreementPrice, Order, Service
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
    agreed(cast)
    draw_up_statements(DAY.replace(day=1), at=NOW)
    statement, line = Statement.objects.get(), StatementLine.objects.get()
    assert above(ledger) == []
    insurer = browser_of(Role.INSURER_MANAGER)
    correct = reverse("statement-correct", args=[statement.pk])
    assert insurer.post(correct, {"line": str(line.pk), "price": "1300.00"}).status_code == 302
    assert above(ledger) == [(Decimal(100), None, 1300)]
    page = insurer.get(reverse("expense-finding", args=[ExpenseFinding.objects.get().pk])).content.decode()
    assert reverse("statement", args=[statement.pk]) in page
    assert reverse("agreement", args=[Agreement.objects.get().pk]) in page
    # both sides see on the statement what they agreed on
    for reader in (insurer, browser_of(Role.AGENCY)):
        shown = reader.get(reverse("statement", args=[statement.pk])).content.decode()
        assert "1,200.00" in shown
        assert reverse("agreement", args=[Agreement.objects.get().pk]) in shown
    assert insurer.post(correct, {"line": str(line.pk), "price": "1200.00"}).status_code == 302
    assert above(ledger) == []


def test_billed_and_paid_are_one_finding(cast, ledger, visited):
    agreed(cast)
    draw_up_statements(DAY.replace(day=1), at=NOW)
    StatementLine.objects.update(price="1300.00", source="CORRECTED")
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
            statement=statement, service=visit, price=billed, source="CORRECTED", insurer_id=cast.huaihai.pk,
            agency_id=cast.agency.pk, region_code="370000",
        )  # fmt: skip
    costs = max(sum(parts, Decimal()), billed or Decimal())
    expected = [costs - price] if costs > price and days >= 0 else []
    assert [amount for amount, _paid, _billed in above(ledger)] == expected


def ordered(cast: Any, price: str) -> None:
    """The order the service was done for, with a price of its own."""
    visit = Service.objects.get(service_no="S1")
    Order.objects.create(
        order_no="D1", service=visit, policy=visit.policy, enterprise=visit.enterprise, insurer=cast.huaihai,
        agency=cast.agency, service_type=visit.service_type, form=visit.form, planned_on=DAY, due_on=DAY, price=price,
        state="DONE", sent_at=NOW, answered_at=NOW, done_at=NOW, region_code=visit.region_code, sector=visit.sector,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("agreement", "order", "planned", "charged", "price", "source"),
    [
        ({}, "1300.00", "1400.00", "1500.00", "1200.00", "AGREEMENT"),
        ({}, "1000.00", "0.00", None, "1200.00", "AGREEMENT"),
        ({}, "0.00", "0.00", None, "1200.00", "AGREEMENT"),
        ({"kinds": ["DRILL"]}, "1300.00", "1400.00", "1500.00", "1300.00", "ORDER"),
        ({"sectors": ["MINE"]}, "1300.00", "1400.00", None, "1300.00", "ORDER"),
        ({"end_on": DAY - timedelta(days=1)}, "0.00", "1400.00", "1500.00", "1400.00", "PLAN"),
        ({"state": "PROPOSED"}, None, "0.00", "1500.00", "1500.00", "CHARGED"),
        (None, None, "0.00", None, "0.00", "NONE"),
    ],
)
def test_a_statement_proposes_what_was_agreed_on_else_the_order_the_plan_the_charge(
    cast, ledger, visited, agreement, order, planned, charged, price, source
):
    Service.objects.update(planned_cost=planned)
    if agreement is not None:
        agreed(cast, **agreement)
    if order is not None:
        ordered(cast, order)
    if charged is not None:
        visited("X1", charged)
    draw_up_statements(DAY.replace(day=1), at=NOW)
    line = StatementLine.objects.get()
    assert (line.price, line.source) == (Decimal(price), source)
    assert line.ordered == (Decimal(order) if order and order != "0.00" else None)
    assert Statement.objects.get().agreed == Decimal(price)


def test_the_page_says_where_the_price_came_from_and_shows_the_orders_own(cast, ledger, visited, browser_of):
    agreement = agreed(cast)
    ordered(cast, "1300.00")
    draw_up_statements(DAY.replace(day=1), at=NOW)
    statement, line = Statement.objects.get(), StatementLine.objects.get()
    assert above(ledger) == []  # what the order says is not what is billed
    insurer = browser_of(Role.INSURER_MANAGER)
    for browser in (browser_of(Role.AGENCY), insurer):
        text = browser.get(reverse("statement", args=[statement.pk])).content.decode()
        for said in ("按框架协议", agreement.agreement_no, "1,200.00", "服务委托：", "1,300.00"):
            assert said in text, said
    words = {"line": str(line.pk), "price": "1300.00"}
    assert insurer.post(reverse("statement-correct", args=[statement.pk]), words).status_code == 302
    line.refresh_from_db()
    assert (line.source, line.ordered) == ("CORRECTED", Decimal("1300.00"))


_sectors = st.lists(st.sampled_from(["SMELT", "MINE", "HAZCHEM"]), max_size=2, unique=True)
_regions = st.lists(st.sampled_from(["370100", "370200", "370700"]), max_size=2, unique=True)


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    start=st.integers(-3, 1), length=st.integers(0, 4), cut=st.integers(0, 2), sectors=_sectors, regions=_regions,
    kind=st.booleans(), state=st.sampled_from(["ACCEPTED", "ENDED", "PROPOSED", "DECLINED", "WITHDRAWN"]),
)  # fmt: skip
def test_the_statement_and_the_order_find_the_same_price(
    cast, ledger, visited, start, length, cut, sectors, regions, kind, state
):
    """One rule, asked for a single order and for a month of services."""
    for model in (StatementLine, Statement, AgreementPrice, Agreement):
        model.objects.all().delete()
    visit = Service.objects.get()
    first = DAY + timedelta(days=start)
    last = first + timedelta(days=length)
    until = max(first, last - timedelta(days=cut)) if state == "ENDED" else last
    if state == "ENDED" and until == last:
        state = "ACCEPTED"
    agreed(
        cast, start_on=first, end_on=last, until_on=until, sectors=sectors, regions=regions, state=state,
        kinds=[visit.service_type if kind else "DRILL"], reason="" if state in ("ACCEPTED", "PROPOSED") else "示例",
    )  # fmt: skip
    known = agreed_prices(
        visit.insurer_id, [visit.agency_id], visit.service_type, sector=visit.sector, region_code=visit.region_code,
        on=visit.performed_on,
    )  # fmt: skip
    draw_up_statements(DAY.replace(day=1), at=NOW)
    line = StatementLine.objects.get()
    assert (line.source == "AGREEMENT") == (visit.agency_id in known)


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

"""Services, invoices and payments against each other: each doubt found by its planted case, and gone with its cause."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from anze.expenses.models import Expense, ExpenseFinding
from anze.expenses.screens import findings as pages
from anze.kernel.models import Parameter
from anze.monitoring.alerting import run
from anze.monitoring.models import Alert
from anze.parties.rules import Role
from anze.prevention.models import Agreement, AgreementPrice, Service
from tests.cast import NOW, XINGHUO, policy_row
from tests.expenses.conftest import INVOICE


def test_what_agrees_is_not_found(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1")
    ledger.expense(
        cast.huaihai, "PA", "X2", None, allocation="BY_PREMIUM", category="PUBLICITY", amount="86.50", tax="9.95"
    )
    assert found() == set()


def test_an_invoice_of_two_insurers_is_found_and_each_sees_nothing_of_the_other(cast, ledger, found, browser_of):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.service(cast.bohai, "PB", "S2", started_at="2026-06-12T09:00:00+08:00", ended_at="2026-06-12T11:00:00+08:00")
    ledger.expense(cast.huaihai, "PA", "XOWN1", "S1", invoice_no=INVOICE)
    ledger.expense(
        cast.bohai, "PB", "XTHEIRS", "S2", invoice_no=INVOICE, incurred_on="2026-06-12", paid_on="2026-06-20"
    )
    assert found() == {("INVOICE_TWICE", "XTHEIRS")}
    finding = ExpenseFinding.objects.get()
    assert finding.is_across
    page = reverse("expense-finding", args=[finding.pk])
    bohai = browser_of(Role.INSURER_MANAGER, other=True).get(page).content.decode()
    assert INVOICE in bohai
    assert "XOWN1" not in bohai
    assert cast.huaihai.name not in bohai
    regulator = browser_of(Role.PROVINCE_REGULATOR).get(page).content.decode()
    assert "XOWN1" in regulator
    assert "XTHEIRS" in regulator
    assert browser_of(Role.INSURER_MANAGER).get(page).status_code == 404
    assert browser_of(Role.ENTERPRISE).get(page).status_code == 403


def test_parts_of_one_invoice_are_no_second_charge_but_the_same_part_again_is(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.service(
        cast.huaihai, "PA", "S2", started_at="2026-06-12T09:00:00+08:00", ended_at="2026-06-12T11:00:00+08:00"
    )
    ledger.expense(cast.huaihai, "PA", "X1", "S1", invoice_no=INVOICE, amount="1000.00", tax="50.00")
    ledger.expense(cast.huaihai, "PA", "X2", "S2", invoice_no=INVOICE, amount="700.00", tax="30.00")
    assert found() == set()
    ledger.expense(
        cast.huaihai, "PA", "X3", "S2", invoice_no=INVOICE, amount="1000.00", tax="50.00", category="TRAINING"
    )
    assert found() == {("INVOICE_TWICE", "X3")}


def test_a_reversal_makes_the_second_charge_go_away_and_the_finding_close_itself(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1")
    ledger.expense(cast.huaihai, "PA", "X2", "S1", invoice_no="OTHER")
    assert found() == {("VISIT_TWICE", "X2")}
    ledger.expense(
        cast.huaihai, "PA", "X3", "S1", amount="-1200.00", tax="-67.92", reversal_of="X2", invoice_no="OTHER"
    )
    assert found() == set()
    finding = ExpenseFinding.objects.get()
    assert finding.state == "GONE"
    assert finding.gone_at is not None


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({}, {("VISIT_TWICE", "X2")}),  # the same hours, the same agency
        ({"agency_code": "AGY02"}, set()),  # another agency's people
        ({"started_at": "2026-05-12T14:00:00+08:00", "ended_at": "2026-05-12T16:00:00+08:00"}, set()),
    ],
)
def test_one_presence_charged_by_two_insurers(cast, ledger, found, theirs, expected):
    hours = {"started_at": "2026-05-12T09:00:00+08:00", "ended_at": "2026-05-12T11:00:00+08:00"}
    ledger.service(cast.huaihai, "PA", "S1", **hours)
    ledger.service(cast.bohai, "PB", "S2", **(hours | theirs))
    ledger.expense(cast.huaihai, "PA", "X1", "S1")
    ledger.expense(cast.bohai, "PB", "X2", "S2")
    assert found() == expected


def test_over_the_cap_by_one_cent(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1", amount="10500.00", tax="500.00")
    assert found() == set()
    ledger.expense(cast.huaihai, "PA", "X2", "S1", amount="0.01", tax="0.00", category="DRILL")
    assert found() == {("OVER_CAP", "PA")}
    finding = ExpenseFinding.objects.get()
    assert str(finding.amount) == "0.01"
    assert finding.facts["cap"] == 0.21


def test_the_floor_is_looked_at_only_where_one_is_set_and_after_the_policy(cast, ledger, found):
    old = {"applied_on": "2025-02-20", "issued_on": "2025-02-24", "start_on": "2025-03-01", "end_on": "2026-02-28"}
    ledger.policy(cast.huaihai, "PC", limit_per_person="500000.00", **old)
    assert found() == set()
    Parameter.objects.create(
        key="expense_floor_ratio", value="0.15", region_code="370100", effective_from="2020-01-01", status="DESIGN",
        title_en="Floor", title_zh="下限",
    )  # fmt: skip
    assert found() == {("UNDER_FLOOR", "PC")}  # PA still runs


def test_paid_before_any_premium_came_in(cast, ledger, found):
    cast.accepted(cast.huaihai, "policies", policy_row("PD", XINGHUO))
    ledger.service(cast.huaihai, "PD", "S9")
    ledger.expense(cast.huaihai, "PD", "X9", "S9")
    assert found() == {("BEFORE_PREMIUM", "PD")}
    ledger.send(cast.huaihai, "receipts", receipt_no="RD", policy_no="PD", amount="50000.00", received_on="2026-03-02")
    assert found() == set()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ({"payee_name": "星火示例铸造有限公司"}, "FORBIDDEN_USE"),
        ({"payee_name": "示例餐饮服务公司"}, "FORBIDDEN_USE"),
        ({"service": None}, "NO_SERVICE"),
        ({"invoice_no": None}, "NO_INVOICE"),
        ({"voucher_file": None}, "NO_VOUCHER"),
    ],
)
def test_papers_and_use(cast, ledger, found, words, kind):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", **({"service": "S1"} | words))
    assert found() == {(kind, "X1")}


def test_a_service_taken_back_leaves_its_payment_in_doubt(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1")
    ledger.service(cast.huaihai, "PA", "S1", is_void=True, void_reason="误报")
    assert found() == {("SERVICE_TAKEN_BACK", "X1")}


def test_a_price_is_judged_among_many_and_not_among_few(cast, ledger, found):
    ledger.policy(cast.huaihai, "PE", premium="9000000.00")
    for n in range(31):
        hour = {
            "started_at": f"2026-05-{n % 28 + 1:02d}T{9 + n // 28 * 4:02d}:00:00+08:00",
            "ended_at": f"2026-05-{n % 28 + 1:02d}T{10 + n // 28 * 4:02d}:00:00+08:00",
        }
        ledger.service(cast.huaihai, "PE", f"S{n}", **hour)
    for n in range(28):
        ledger.expense(cast.huaihai, "PE", f"X{n}", f"S{n}", amount=f"{1000 + 10 * n}.00", tax="0.00")
    ledger.expense(cast.huaihai, "PE", "DEAR", "S29", amount="9000.00", tax="0.00")
    assert found() == set()
    ledger.expense(cast.huaihai, "PE", "X30", "S30", amount="1300.00", tax="0.00")
    assert found() == {("PRICE_OUTLIER", "DEAR")}
    assert "agreed" not in ExpenseFinding.objects.get().facts
    # what was agreed with the agency is told beside it
    between = {"insurer": cast.huaihai, "agency": cast.agency, "region_code": "370000"}
    first, last = date(2026, 5, 1), date(2026, 5, 31)
    agreed = Agreement.objects.create(
        agreement_no="KJ1", start_on=first, end_on=last, until_on=last, state="ACCEPTED", proposed_at=NOW,
        answer_due_at=NOW, answered_at=NOW, **between,
    )  # fmt: skip
    kind = Service.objects.get(service_no="S29").service_type
    AgreementPrice.objects.create(agreement=agreed, service_type=kind, price="8800.00", **between)
    assert found() == {("PRICE_OUTLIER", "DEAR")}  # whom it was paid to is not that agency
    assert ExpenseFinding.objects.get().facts["agreed"] == 8800
    assert "8,800" in pages.told("PRICE_OUTLIER", ExpenseFinding.objects.get(kind="PRICE_OUTLIER").facts)


def test_a_finding_is_answered_decided_and_opens_again_only_for_more_money(cast, ledger, found, browser_of):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1", amount="10600.00", tax="0.00")
    assert found() == {("OVER_CAP", "PA")}
    finding = ExpenseFinding.objects.get()
    insurer, regulator = browser_of(Role.INSURER_MANAGER), browser_of(Role.PROVINCE_REGULATOR)
    answer = reverse("expense-finding-answer", args=[finding.pk])
    decide = reverse("expense-finding-decide", args=[finding.pk])
    assert insurer.post(decide, {"decision": "justify", "reason": "好"}).status_code == 403
    assert insurer.post(answer, {"words": "补收保费在途"}).status_code == 302
    assert regulator.post(decide, {"decision": "justify", "reason": ""}).status_code == 422
    assert regulator.post(decide, {"decision": "justify", "reason": "已核实"}).status_code == 302
    finding.refresh_from_db()
    assert (finding.state, finding.answer, finding.reason) == ("JUSTIFIED", "补收保费在途", "已核实")
    ledger.match()
    finding.refresh_from_db()
    assert finding.state == "JUSTIFIED"
    ledger.expense(cast.huaihai, "PA", "X2", "S1", amount="50.00", tax="0.00", category="DRILL")
    ledger.match()
    finding.refresh_from_db()
    assert finding.state == "OPEN"


def test_once_more_changes_nothing(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1", voucher_file=None)
    first = ledger.match()
    again = ledger.match()
    assert first.new["NO_VOUCHER"] == 1
    assert sum(again.new.values()) == sum(again.gone.values()) == 0
    assert again.standing == first.standing


def told(code: str) -> set[tuple[str, str]]:
    """The alerts that stand, by their state."""
    run(at=NOW, full=True, only={code})
    return set(Alert.objects.filter(code=code).exclude(state="CLOSED").values_list("code", "label"))


def test_the_alert_and_the_finding_are_one_cause(cast, ledger, found, browser_of):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1", amount="10500.00", tax="0.00")
    assert (found(), told("EXPENSE_OVER_CAP")) == (set(), set())
    ledger.expense(cast.huaihai, "PA", "X2", "S1", amount="0.01", tax="0.00", category="DRILL")
    assert (found(), told("EXPENSE_OVER_CAP")) == ({("OVER_CAP", "PA")}, {("EXPENSE_OVER_CAP", "PA")})
    # what is decided of the one is decided of the other, until more money is in doubt
    decide = reverse("expense-finding-decide", args=[ExpenseFinding.objects.get().pk])
    browser_of(Role.PROVINCE_REGULATOR).post(decide, {"decision": "justify", "reason": "已核实"})
    ExpenseFinding.objects.update(decided_at=NOW)
    assert told("EXPENSE_OVER_CAP") == set()
    ledger.expense(cast.huaihai, "PA", "X3", "S1", amount="1.00", tax="0.00", category="TRAINING")
    assert found() == {("OVER_CAP", "PA")}
    assert told("EXPENSE_OVER_CAP") == {("EXPENSE_OVER_CAP", "PA")}


def test_a_payment_that_was_taken_back_needs_no_voucher(cast, ledger, found, browser_of):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1", voucher_file=None, paid_on="2026-09-01", incurred_on="2026-09-01")
    assert found() == {("NO_VOUCHER", "X1")}
    assert told("EXPENSE_NO_VOUCHER") == {("EXPENSE_NO_VOUCHER", "X1")}
    page = reverse("expense-reverse", args=[Expense.objects.get().pk])
    assert browser_of(Role.INSURER_MANAGER).post(page, {"reason": "误报"}).status_code == 302
    assert (found(), told("EXPENSE_NO_VOUCHER")) == (set(), set())

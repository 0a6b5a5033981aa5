"""Invoices, shared costs, reversals and the settlement with agencies, through the feeds' own checks."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from anze.exchange.models import Batch
from anze.expenses.actions import draw_up_statements, settle_paid
from anze.expenses.models import Expense, Invoice, Statement, StatementLine
from anze.expenses.rules import shares
from anze.kernel.duty import beijing_day, end_of_day
from anze.monitoring.alerting import run
from anze.monitoring.models import Alert
from anze.parties.rules import Role
from anze.underwriting.models import Policy
from tests.cast import NOW

CENTS = st.integers(0, 10**10).map(lambda n: Decimal(n) / 100)


@given(total=CENTS, weights=st.lists(CENTS, min_size=1, max_size=40).filter(any))
def test_shares_add_up_to_the_cent_and_nobody_is_off_by_more_than_one(total, weights):
    made = shares(total, weights)
    assert sum(made) == total
    whole = sum(weights)
    for part, weight in zip(made, weights, strict=True):
        assert abs(part - total * weight / whole) < Decimal("0.01")
        assert part >= 0


@given(total=CENTS, weights=st.lists(CENTS, min_size=2, max_size=20).filter(any))
def test_who_paid_more_premium_gets_no_smaller_share(total, weights):
    made = shares(total, weights)
    pairs = sorted(zip(weights, made, strict=True))
    assert all(one[1] <= other[1] + Decimal("0.01") for one, other in pairwise(pairs))


@pytest.fixture
def served(cast, ledger):
    """Two services of the agency in October: one ordered for 1,200 yuan, one charged already and not paid."""
    hours = {"started_at": "2026-10-12T09:00:00+08:00", "ended_at": "2026-10-12T11:00:00+08:00"}
    ledger.service(cast.huaihai, "PA", "S1", planned_cost="1200.00", **hours)
    hours = {"started_at": "2026-10-13T09:00:00+08:00", "ended_at": "2026-10-13T11:00:00+08:00"}
    ledger.service(cast.huaihai, "PA", "S2", planned_cost="0.00", **hours)
    ledger.expense(
        cast.huaihai, "PA", "X2", "S2", agency_code="AGY01", amount="800.00", tax="0.00", incurred_on="2026-10-13",
        paid_on=None, invoice_no=None, voucher_file=None,
    )  # fmt: skip
    draw_up_statements(date(2026, 10, 1), at=NOW)
    return Statement.objects.get()


def test_a_statement_holds_each_service_once(cast, ledger, served):
    assert (served.services, served.agreed, served.state) == (2, Decimal("2000.00"), "DRAWN")
    assert draw_up_statements(date(2026, 10, 1), at=NOW) == 0
    # one that comes in late stands on the next statement
    hours = {"started_at": "2026-10-20T09:00:00+08:00", "ended_at": "2026-10-20T11:00:00+08:00"}
    ledger.service(cast.huaihai, "PA", "S3", planned_cost="500.00", **hours)
    assert draw_up_statements(date(2026, 11, 1), at=NOW) == 1
    assert StatementLine.objects.count() == 3


def test_both_sides_confirm_and_the_payment_settles_it(cast, served, browser_of):
    insurer, agency = browser_of(Role.INSURER_MANAGER), browser_of(Role.AGENCY)
    confirm, pay = (reverse(name, args=[served.pk]) for name in ("statement-confirm", "statement-pay"))
    assert browser_of(Role.AGENCY, other=True).get(reverse("statement", args=[served.pk])).status_code == 404
    assert insurer.post(pay, {"invoice_no": "I1", "paid_on": "2026-11-20"}).status_code == 422
    assert agency.post(confirm).status_code == 302
    assert insurer.post(confirm).status_code == 302
    served.refresh_from_db()
    assert served.state == "CONFIRMED"
    assert served.due_at == end_of_day(beijing_day(served.insurer_confirmed_at) + timedelta(days=30))
    page = insurer.post(pay, {"invoice_no": "I1", "paid_on": "2026-11-20", "voucher_file": "回单.pdf"})
    assert page.status_code == 302, re.findall(
        "invalid-feedback.*|data-focus>.*?<div>.*?<", page.content.decode(), re.DOTALL
    )[:3]
    served.refresh_from_db()
    assert served.state == "SETTLED"
    paid = Expense.objects.filter(service__service_no__in=("S1", "S2")).order_by("amount")
    assert [(each.amount, each.invoice_no, str(each.paid_on), each.channel) for each in paid] == [
        (Decimal("800.00"), "I1", "2026-11-20", "WEB"),
        (Decimal("1200.00"), "I1", "2026-11-20", "WEB"),
    ]
    assert Invoice.objects.get(invoice_no="I1").amount == Decimal("2000.00")
    assert "I1" in agency.get(reverse("statement", args=[served.pk])).content.decode()
    # the invoice is charged exactly, so nothing is in doubt
    assert Batch.objects.filter(feed="invoices", rejected=0).count() == 1


def test_a_payment_taken_back_opens_the_statement_again_and_it_is_paid_anew(cast, served, found, browser_of):
    insurer, agency = browser_of(Role.INSURER_MANAGER), browser_of(Role.AGENCY)
    for browser in (insurer, agency):
        browser.post(reverse("statement-confirm", args=[served.pk]))
    pay = reverse("statement-pay", args=[served.pk])
    words = {"invoice_no": "I1", "paid_on": "2026-11-20", "voucher_file": "回单.pdf"}
    assert insurer.post(pay, words).status_code == 302
    served.refresh_from_db()
    assert served.state == "SETTLED"
    due_at = served.due_at
    wrong = Expense.objects.get(service__service_no="S1")
    assert insurer.post(reverse("expense-reverse", args=[wrong.pk]), {"reason": "付错账户"}).status_code == 302
    served.refresh_from_db()
    assert (served.state, served.settled_at, served.due_at) == ("CONFIRMED", None, due_at)
    assert insurer.post(pay, words).status_code == 302
    served.refresh_from_db()
    assert served.state == "SETTLED"
    amounts = Expense.objects.filter(service__service_no="S1").order_by("pk").values_list("amount", flat=True)
    assert list(amounts) == [Decimal("1200.00"), Decimal("-1200.00"), Decimal("1200.00")]
    assert Invoice.objects.get(invoice_no="I1").amount == Decimal("2000.00")


def test_what_was_taken_back_another_way_opens_the_statement_too(cast, ledger, served, browser_of):
    for role in (Role.INSURER_MANAGER, Role.AGENCY):
        browser_of(role).post(reverse("statement-confirm", args=[served.pk]))
    for number, service, amount in (("X1", "S1", "1200.00"), ("X2", "S2", "800.00")):
        ledger.expense(cast.huaihai, "PA", number, service, agency_code="AGY01", amount=amount, tax="0.00",
                       incurred_on="2026-10-13", paid_on="2026-11-20")  # fmt: skip
    settle_paid(at=NOW)
    served.refresh_from_db()
    assert served.state == "SETTLED"
    ledger.expense(cast.huaihai, "PA", "X1", "S1", agency_code="AGY01", amount="1200.00", tax="0.00",
                   incurred_on="2026-10-13", paid_on="2026-11-20", is_void=True, void_reason="误报")  # fmt: skip
    settle_paid(at=NOW)
    served.refresh_from_db()
    assert served.state == "CONFIRMED"


def test_an_objection_undoes_the_confirmation_and_a_correction_starts_anew(cast, served, browser_of):
    insurer, agency = browser_of(Role.INSURER_MANAGER), browser_of(Role.AGENCY)
    assert insurer.post(reverse("statement-confirm", args=[served.pk])).status_code == 302
    assert agency.post(reverse("statement-object", args=[served.pk]), {"words": "S2应为900元"}).status_code == 302
    served.refresh_from_db()
    assert (served.state, served.insurer_confirmed_at, served.objection) == ("DISPUTED", None, "S2应为900元")
    assert agency.post(reverse("statement-confirm", args=[served.pk])).status_code == 409
    line = StatementLine.objects.get(service__service_no="S2")
    words = {"line": str(line.pk), "price": "900.00"}
    assert agency.post(reverse("statement-correct", args=[served.pk]), words).status_code == 403
    assert insurer.post(reverse("statement-correct", args=[served.pk]), words).status_code == 302
    served.refresh_from_db()
    assert (served.state, served.agreed) == ("DRAWN", Decimal("2100.00"))


def test_a_cost_is_shared_by_premium_through_the_feed(cast, ledger, found, browser_of):
    ledger.policy(cast.huaihai, "PC", premium="25000.00")
    insurer = browser_of(Role.INSURER_MANAGER)
    words = {
        "invoice_no": "26377000000000000009", "seller_name": "示例印务公司", "subject": "宣传册", "category": "PUBLICITY",
        "amount": "100.00", "tax": "5.66", "incurred_on": "2026-11-20", "paid_on": "2026-11-20", "region_code": "",
        "sector": "", "voucher_file": "a.pdf",
    }  # fmt: skip
    shown = insurer.post(reverse("expense-share"), words)
    assert "66.67" in shown.content.decode()
    assert not Expense.objects.exists()
    assert insurer.post(reverse("expense-share"), {**words, "record": "1"}).status_code == 302
    parts = {each.policy.policy_no: each.amount for each in Expense.objects.select_related("policy")}
    assert parts == {"PA": Decimal("66.67"), "PC": Decimal("33.33")}
    assert sum(Expense.objects.values_list("tax", flat=True)) == Decimal("5.66")
    assert found() == set()


def test_more_than_an_invoice_is_charged(cast, ledger, found):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.send(cast.huaihai, "invoices", invoice_no="I7", amount="2000.00", tax="0.00")
    for n in range(2):
        ledger.expense(
            cast.huaihai,
            "PA",
            f"X{n}",
            "S1",
            invoice_no="I7",
            amount="1000.00",
            tax="0.00",
            category=("DRILL", "TRAINING")[n],
        )
    assert found() == set()
    ledger.expense(cast.huaihai, "PA", "X9", "S1", invoice_no="I7", amount="0.01", tax="0.00")
    assert found() == {("INVOICE_TWICE", "X9")}


def test_a_reversal_is_a_row_of_its_own_and_only_once(cast, ledger, browser_of):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1")
    original = Expense.objects.get()
    insurer = browser_of(Role.INSURER_MANAGER)
    page = reverse("expense-reverse", args=[original.pk])
    assert insurer.post(page, {"reason": "误报"}).status_code == 302
    made = Expense.objects.exclude(pk=original.pk).get()
    assert (made.amount, made.tax, made.reversal_of) == (-original.amount, -original.tax, "X1")
    original.refresh_from_db()
    assert original.version == 1
    assert insurer.post(page, {"reason": "再次"}).status_code == 422
    assert browser_of(Role.INSURER_MANAGER, other=True).post(page, {"reason": "误报"}).status_code == 404


def test_a_voucher_is_kept_as_evidence_and_named_in_the_expense(cast, ledger, found, browser_of):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1", voucher_file=None)
    assert found() == {("NO_VOUCHER", "X1")}
    expense = Expense.objects.get()
    scan = SimpleUploadedFile("回单.pdf", b"%PDF-1.4 slip", "application/pdf")
    page = browser_of(Role.INSURER_MANAGER).post(reverse("expense-voucher", args=[expense.pk]), {"file": scan})
    assert page.status_code == 302, page.content.decode()[-2000:]
    expense.refresh_from_db()
    assert expense.voucher_file == "回单.pdf"
    assert found() == set()


def test_the_enterprise_sees_what_its_premium_paid_for(cast, ledger, browser_of):
    ledger.service(cast.huaihai, "PA", "S1")
    ledger.expense(cast.huaihai, "PA", "X1", "S1")
    page = reverse("premium-use", args=[Policy.objects.get(policy_no="PA").pk])
    enterprise = browser_of(Role.ENTERPRISE)
    text = enterprise.get(page).content.decode()
    for said in ("50,000.00", "9,000.00", "1,200.00", "7,800.00"):  # received, 18 % of it, spent, left
        assert said in text
    assert enterprise.get(reverse("my-premium")).status_code == 200
    assert browser_of(Role.ENTERPRISE, other=True).get(page).status_code == 404


def test_an_agency_that_waits_too_long_is_told_of_by_the_statements_own_deadline(cast, served, browser_of):
    for role in (Role.AGENCY, Role.INSURER_MANAGER):
        assert browser_of(role).post(reverse("statement-confirm", args=[served.pk])).status_code == 302
    served.refresh_from_db()

    def waiting(at):
        run(at=at, full=True, only={"SETTLEMENT_LATE"})
        return list(Alert.objects.exclude(state="CLOSED").values_list("level", "row_id"))

    assert waiting(served.due_at - timedelta(days=20)) == []
    assert waiting(served.due_at - timedelta(days=1)) == [("GENERAL", served.pk)]
    assert waiting(served.due_at + timedelta(days=1)) == [("URGENT", served.pk)]
    Statement.objects.update(state="SETTLED", settled_at=served.due_at)
    assert waiting(served.due_at + timedelta(days=2)) == []

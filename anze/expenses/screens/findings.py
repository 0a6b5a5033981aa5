"""What the match found: a list to work through, and each finding in words with its numbers and both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from anze.expenses.actions import answer_finding, decide_finding
from anze.expenses.models import Expense, ExpenseFinding, Statement
from anze.expenses.rules import (
    BASIS,
    FINDING_LIFECYCLE,
    PENDING,
    STATE_TONES,
    TONES,
    ExpenseCategory,
    FindingKind,
    ForbiddenUse,
)
from anze.kernel.actor import Actor
from anze.kernel.rules import Sector, ServiceType
from anze.kernel.wording import listed
from anze.parties.rules import Permission
from anze.parties.screens import ENTERPRISE, INSURER, insurer_filter
from anze.prevention.models import Agreement
from anze.screen.columns import Column, labels, readers_of
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates, Flag, InRegion, Numbers, Search
from anze.screen.lists import ListScreen, check_reader, list_screen, waiting
from anze.screen.pages import money, percent
from anze.screen.registry import page

Facts = Mapping[str, Any]


def _yuan(facts: Facts, name: str) -> str:
    return "¥" + money(Decimal(str(facts.get(name) or 0)))


def _ratio(part: Any, whole: Any) -> str:
    return percent(Decimal(str(part)) / Decimal(str(whole))) if whole else "–"


def _invoice_twice(facts: Facts) -> str:
    words = {"invoice": facts["invoice"], "amount": _yuan(facts, "amount"), "other": facts.get("other", "")}
    if facts.get("whole"):
        words |= {"whole": _yuan(facts, "whole"), "charged": _yuan(facts, "charged")}
        return _now("Invoice %(invoice)s is made out for %(whole)s; with this expense %(charged)s are charged to it.") % words  # fmt: skip
    if words["other"]:
        return (
            _now("Invoice %(invoice)s was charged before, with expense %(other)s; now again with %(amount)s.") % words
        )
    return _now("Invoice %(invoice)s was charged before by another insurer; here again with %(amount)s.") % words


def _visit_twice(facts: Facts) -> str:
    words = {"service": facts["service"], "day": facts["day"], "amount": _yuan(facts, "amount"), "other": facts.get("other", "")}  # fmt: skip
    if facts["how"] == "SERVICE":
        return _now("Service %(service)s of %(day)s was paid before, with expense %(other)s; now %(amount)s again to the same payee.") % words  # fmt: skip
    if words["other"]:
        return _now("On %(day)s the same people were at the enterprise once, and two services are charged: %(service)s with %(amount)s, and expense %(other)s.") % words  # fmt: skip
    return _now("On %(day)s the same people were at the enterprise once, and two insurers charge it: here service %(service)s with %(amount)s.") % words  # fmt: skip


def _price_outlier(facts: Facts) -> str:
    said = _now("%(amount)s for %(category)s in the sector %(sector)s. Half of %(compared)s comparable payments are below %(median)s; usual prices go up to %(usual)s.") % {
        "amount": _yuan(facts, "amount"),
        "category": labels(ExpenseCategory.choices).get(facts["category"], facts["category"]),
        "sector": labels(Sector.choices).get(facts["sector"], facts["sector"]),
        "compared": facts["compared"],
        "median": _yuan(facts, "median"),
        "usual": _yuan(facts, "usual"),
    }  # fmt: skip
    if "agreed" in facts:
        said += " " + _now("The framework agreement of the two says %(agreed)s a visit.") % {
            "agreed": _yuan(facts, "agreed")
        }
    return said


def _above_agreed(facts: Facts) -> str:
    numbers = [_now("agreed %(yuan)s") % {"yuan": _yuan(facts, "agreed")}]
    if "billed" in facts:
        numbers.append(_now("billed %(yuan)s") % {"yuan": _yuan(facts, "billed")})
    if "paid" in facts:
        numbers.append(_now("paid %(yuan)s") % {"yuan": _yuan(facts, "paid")})
    return _now("%(numbers)s: %(type)s on %(day)s, service %(service)s, agreement %(agreement)s.") % {
        "numbers": capfirst(listed(numbers)),
        "type": labels(ServiceType.choices).get(facts["type"], facts["type"]),
        "day": facts["day"],
        "service": facts["service"],
        "agreement": facts["agreement"],
    }


def _forbidden_use(facts: Facts) -> str:
    why = labels(ForbiddenUse.choices).get(facts["why"], facts["why"])
    return _now("%(amount)s to %(payee)s: %(why)s.") % {
        "amount": _yuan(facts, "amount"),
        "payee": facts["payee"],
        "why": why,
    }


def _no_service(facts: Facts) -> str:
    words = {"amount": _yuan(facts, "amount"), "payee": facts["payee"]}
    return _now("%(amount)s to %(payee)s, and no service is named that it was spent for.") % words


def _taken_back(facts: Facts) -> str:
    words = {"amount": _yuan(facts, "amount"), "service": facts["service"]}
    if facts["void"]:
        return _now("%(amount)s for service %(service)s, which has been taken back.") % words
    return _now("%(amount)s for service %(service)s, which the quality check returned.") % words


def _no_invoice(facts: Facts) -> str:
    words = {"amount": _yuan(facts, "amount"), "paid": facts["paid"]}
    return _now("%(amount)s paid on %(paid)s, and no invoice is named.") % words


def _no_voucher(facts: Facts) -> str:
    words = {"amount": _yuan(facts, "amount"), "paid": facts["paid"]}
    return _now("%(amount)s paid on %(paid)s, and no voucher is on file.") % words


def _before_premium(facts: Facts) -> str:
    words = {"amount": _yuan(facts, "amount"), "paid": facts["paid"], "received": facts["received"], "payments": facts["payments"]}  # fmt: skip
    if facts["received"]:
        return (
            ngettext(
                "%(amount)s in %(payments)s payment on %(paid)s; the first premium came in on %(received)s.",
                "%(amount)s in %(payments)s payments, the first on %(paid)s; the first premium came in on %(received)s.",
                facts["payments"],
            )
            % words
        )
    return (
        ngettext(
            "%(amount)s in %(payments)s payment on %(paid)s; no premium has come in yet.",
            "%(amount)s in %(payments)s payments, the first on %(paid)s; no premium has come in yet.",
            facts["payments"],
        )
        % words
    )


def _over_cap(facts: Facts) -> str:
    return _now("%(spent)s spent of %(received)s premium received: %(ratio)s. Allowed are %(cap)s, that is %(allowed)s.") % {
        "spent": _yuan(facts, "spent"),
        "received": _yuan(facts, "received"),
        "ratio": _ratio(facts["spent"], facts["received"]),
        "cap": percent(Decimal(str(facts["cap"]))),
        "allowed": _yuan(facts, "allowed"),
    }  # fmt: skip


def _under_floor(facts: Facts) -> str:
    return _now("%(spent)s spent of %(received)s premium received: %(ratio)s. At least %(floor)s are due, that is %(wanted)s.") % {
        "spent": _yuan(facts, "spent"),
        "received": _yuan(facts, "received"),
        "ratio": _ratio(facts["spent"], facts["received"]),
        "floor": percent(Decimal(str(facts["floor"]))),
        "wanted": _yuan(facts, "wanted"),
    }  # fmt: skip


TOLD: dict[str, Callable[[Facts], str]] = {
    FindingKind.INVOICE_TWICE: _invoice_twice,
    FindingKind.VISIT_TWICE: _visit_twice,
    FindingKind.PRICE_OUTLIER: _price_outlier,
    FindingKind.ABOVE_AGREED: _above_agreed,
    FindingKind.FORBIDDEN_USE: _forbidden_use,
    FindingKind.NO_SERVICE: _no_service,
    FindingKind.SERVICE_TAKEN_BACK: _taken_back,
    FindingKind.NO_INVOICE: _no_invoice,
    FindingKind.NO_VOUCHER: _no_voucher,
    FindingKind.BEFORE_PREMIUM: _before_premium,
    FindingKind.OVER_CAP: _over_cap,
    FindingKind.UNDER_FLOOR: _under_floor,
}
# what makes a finding go away, told beside it
REMEDIES: dict[str, Any] = {
    FindingKind.INVOICE_TWICE: _(
        "Reverse the second charge, correct the invoice number, or send the invoice with its whole amount."
    ),
    FindingKind.VISIT_TWICE: _("Reverse the second charge, or correct which service it was for."),
    FindingKind.PRICE_OUTLIER: _("Correct the amount, or explain what made it dear."),
    FindingKind.ABOVE_AGREED: _("Correct the price on the statement, reverse what was paid too much, or explain it."),
    FindingKind.FORBIDDEN_USE: _("Reverse the expense, or explain what was done for it."),
    FindingKind.NO_SERVICE: _("Name the service, or share the cost by premium if it served many policies."),
    FindingKind.SERVICE_TAKEN_BACK: _("Reverse the expense, or put the service in order."),
    FindingKind.NO_INVOICE: _("Send the expense again with its invoice number."),
    FindingKind.NO_VOUCHER: _("Send the expense again with its voucher."),
    FindingKind.BEFORE_PREMIUM: _("Send the missing premium receipts, or correct the day of payment."),
    FindingKind.OVER_CAP: _("Send missing premium receipts, or reverse what is over the cap."),
    FindingKind.UNDER_FLOOR: _("Send the expenses that are missing."),
}


def told(kind: str, facts: Facts) -> str:
    """A finding in words with its numbers."""
    return TOLD[kind](facts)


KIND = Column("kind", tones=TONES)
STATE = Column("state", tones=STATE_TONES)
WORDS = Column(
    "words", title=_("What was found"), needs=("kind", "facts"), compute=lambda asking, kind, facts: told(kind, facts)
)
EXPENSE = Column("expense__expense_no", opens="expense")
POLICY = Column("policy__policy_no", opens="policy")
SERVICE = Column("service__service_no", opens="service", optional=True)

FINDINGS = list_screen(
    ListScreen(
        name="expense-findings",
        path="expenses/findings/",
        title=_("Findings about expenses"),
        about=_("Services, invoices and payments are matched every night over the whole province. A finding is a hint with its numbers; it closes itself when its cause is gone, and a person decides the others."),
        empty=_("Services, invoices and payments agree."),
        model=ExpenseFinding,
        permission=Permission.SEE_EXPENSES,
        detail="expense-finding",
        sort="-found_at",
        order=20,
        icon="alert-circle",
        columns=(
            KIND,
            ENTERPRISE,
            INSURER,
            Column("amount"),
            WORDS,
            STATE,
            EXPENSE,
            POLICY,
            Column("found_at"),
            SERVICE,
            Column("is_across", optional=True),
            Column("answer", optional=True),
            Column("reason", optional=True),
            Column("decided_by_name", optional=True),
            Column("region_code", optional=True),
            Column("sector", optional=True),
        ),
        filters=(
            Search(relation="enterprise", related=("name", "uscc"), title=_("Enterprise or credit code")),
            InRegion(),
            insurer_filter(),
            Choice("kind", main=True),
            Choice("state", main=True),
            Flag("is_across"),
            Choice("sector"),
            Dates("found", _("Found"), path="found_at"),
            Numbers("amount"),
        ),
        tab_of={"policy": "policy", "expense": "expense"},
    )
)  # fmt: skip

waiting(
    FINDINGS,
    "expense-findings-open",
    _("Findings about expenses to decide"),
    why=_("Prevention money must be spent on prevention, once, with papers, and within the cap."),
    tone="warning",
    order=68,
    permission=Permission.JUDGE_EXPENSES,
    state=list(PENDING),
)
waiting(
    FINDINGS,
    "expense-findings-to-explain",
    _("Findings about your expenses to explain"),
    why=_("A correction closes them by itself; an explanation goes to the authority."),
    tone="warning",
    order=68,
    permission=Permission.KEEP_EXPENSES,
    state="OPEN",
)


_PAPERS: tuple[tuple[str, Any, str, Any, Permission], ...] = (
    ("agreement_id", _("Framework agreement"), "agreement", Agreement, Permission.SEE_AGREEMENTS),
    ("statement_id", _("Settlement with an agency"), "statement", Statement, Permission.SEE_SETTLEMENTS),
)


def _papers(actor: Actor, facts: Facts) -> list[tuple[str, str, str]]:
    """The agreement and the statement a finding rests on, for those whose they are or who are set over both houses."""
    found: list[tuple[str, str, str]] = []
    for name, title, page_name, model, permission in _PAPERS:
        if name in facts and actor.may(permission) and actor.scope.reader in readers_of(model):
            row = model._default_manager.filter(pk=facts[name]).first()
            if row is not None:
                found.append((str(title), str(row), reverse(page_name, args=[row.pk])))
    return found


def _sides(request: HttpRequest, finding: ExpenseFinding) -> dict[str, Any]:
    """The payment and the one it collides with; another insurer's only for those who are set over both."""
    keys = [key for key in (finding.expense_id, finding.other_id) if key]
    found = Expense.objects.select_related("insurer", "enterprise", "service", "agency").in_bulk(keys)
    sides = [
        (title, found.get(key))
        for title, key in ((_now("This payment"), finding.expense_id), (_now("The earlier one"), finding.other_id))
        if key
    ]
    actor = request.actor  # type: ignore[attr-defined]
    may_answer = actor.may(Permission.KEEP_EXPENSES) and finding.state in PENDING
    return {
        "told": told(finding.kind, finding.facts),
        "remedy": REMEDIES[finding.kind],
        "basis": BASIS[finding.kind],
        "sides": sides,
        "papers": _papers(actor, finding.facts),
        "decisions": [
            each for each in FINDING_LIFECYCLE.open_from(finding.state) if each.permission == Permission.JUDGE_EXPENSES
        ]
        if actor.may(Permission.JUDGE_EXPENSES)
        else [],
        "may_answer": may_answer,
    }


detail_screen(
    DetailScreen(
        name="expense-finding",
        path="expenses/findings/<uuid:pk>/",
        title=_("Finding about expenses"),
        model=ExpenseFinding,
        permission=Permission.SEE_EXPENSES,
        named=("kind",),
        state=STATE,
        of_list="expense-findings",
        template="expenses/finding.html",
        extra=_sides,
        sections=(
            Section(
                _("About"),
                (ENTERPRISE, Column("insurer", opens="insurer"), POLICY, SERVICE, EXPENSE, "amount", "found_at"),
            ),
            Section(
                _("Explanation and decision"),
                ("answer", "answered_by_name", "answered_at", "reason", "decided_by_name", "decided_at", "gone_at"),
            ),
        ),
    )
)  # fmt: skip


def _finding(request: HttpRequest, pk: Any) -> ExpenseFinding:
    check_reader(request, ExpenseFinding)
    found = ExpenseFinding.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page(
    "expenses/findings/<uuid:pk>/answer/",
    name="expense-finding-answer",
    permission=Permission.KEEP_EXPENSES,
    methods=("POST",),
)
def answer(request: HttpRequest, pk: Any) -> HttpResponse:
    """The insurer explains."""
    finding = _finding(request, pk)
    answer_finding(finding, by=request.actor, at=request.at, words=request.POST.get("words", ""))  # type: ignore[attr-defined]
    messages.success(request, _now("Your explanation is on record."))
    return redirect("expense-finding", finding.pk)


@page(
    "expenses/findings/<uuid:pk>/decide/",
    name="expense-finding-decide",
    permission=Permission.JUDGE_EXPENSES,
    methods=("POST",),
)
def decide(request: HttpRequest, pk: Any) -> HttpResponse:
    """An authority decides."""
    finding = _finding(request, pk)
    decide_finding(
        finding,
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        decision=request.POST.get("decision", ""),
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _now("The decision is on record."))
    return redirect("expense-finding", finding.pk)

"""Statements of agencies: both sides see the same services, prices, invoices and payments, and confirm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.expenses.actions import confirm_statement, correct_price, money_of, object_to_statement
from anze.expenses.models import Statement, StatementLine
from anze.expenses.rules import STATEMENT_TONES, StatementState
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission
from anze.parties.screens import AGENCY, INSURER, agency_filter, insurer_filter
from anze.prevention.actions.agreements import frameworks
from anze.prevention.models import Agreement, Service
from anze.prevention.rules.agreements import Agreed
from anze.screen.columns import Column, readers_of
from anze.screen.details import DetailScreen, Section, detail_screen
from anze.screen.filters import Choice, Dates
from anze.screen.lists import ListScreen, check_reader, list_screen, waiting
from anze.screen.registry import page

STATE = Column("state", tones=STATEMENT_TONES)

STATEMENTS = list_screen(
    ListScreen(
        name="statements",
        path="expenses/statements/",
        title=_("Settlements with agencies"),
        about=_("For each agency and month the services done, the price agreed, and whether it is invoiced and paid. Both sides confirm; then the time to pay runs."),
        empty=_("No agency has done a service yet that is to be settled."),
        model=Statement,
        permission=Permission.SEE_SETTLEMENTS,
        detail="statement",
        sort="-month",
        order=30,
        icon="receipt",
        columns=(
            Column("month"),
            INSURER,
            AGENCY,
            Column("services"),
            Column("agreed"),
            STATE,
            Column("due_at"),
            Column("settled_at", optional=True),
            Column("insurer_confirmed_at", optional=True),
            Column("agency_confirmed_at", optional=True),
            Column("objection", optional=True),
        ),
        filters=(
            insurer_filter(),
            agency_filter(),
            Choice("state", main=True),
            Dates("month"),
            Dates("due", _("Payment due"), path="due_at"),
        ),
    )
)  # fmt: skip

waiting(
    STATEMENTS,
    "statements-to-confirm",
    _("Settlements to confirm"),
    why=_("Payment begins when both sides agree on services and prices."),
    tone="info",
    order=72,
    permission=Permission.SETTLE_EXPENSES,
    state=["DRAWN", "DISPUTED"],
)
waiting(
    STATEMENTS,
    "statements-to-pay",
    _("Confirmed settlements to pay"),
    why=_("Agencies that are not paid cannot serve."),
    tone="warning",
    order=73,
    permission=Permission.KEEP_EXPENSES,
    state="CONFIRMED",
)


@dataclass(frozen=True)
class Line:
    """A service of a statement with what was charged and paid for it, and what was agreed."""

    row: StatementLine
    charged: Decimal
    paid: Decimal
    paid_on: date | None
    invoices: list[str]
    agreed: Agreed | None  # what the two houses agreed on for such a visit on its day

    @property
    def differs(self) -> str:
        """How the statement and the agreement differ: nothing, or the tone to say it in."""
        if self.agreed is None or self.agreed.price == self.row.price:
            return ""
        return "danger" if self.agreed.price < self.row.price else "secondary"

    @property
    def is_ordered_otherwise(self) -> bool:
        return self.row.ordered is not None and self.row.ordered != self.row.price

    @property
    def tone(self) -> str:
        return "success" if self.paid >= self.row.price else "warning" if self.charged else ""


def _agreed(actor: Actor, statement: Statement) -> Callable[[Service], Agreed | None]:
    """What the framework agreements of the two say of a service, for those who may read them."""
    held = []
    if actor.may(Permission.SEE_AGREEMENTS) and actor.scope.reader in readers_of(Agreement):
        held = frameworks(statement.insurer_id, agencies=[statement.agency_id])

    def of(service: Service) -> Agreed | None:
        asked = service.service_type, service.sector, service.region_code, service.performed_on
        return next((found for each in held if (found := each.price_of(*asked))), None)

    return of


def _lines(request: HttpRequest, statement: Statement) -> Mapping[str, Any]:
    actor = request.actor  # type: ignore[attr-defined]
    paid = money_of(statement)
    rows = StatementLine.objects.filter(statement=statement).select_related("service__enterprise")
    agreed = _agreed(actor, statement)
    lines = [
        Line(row, *paid[row.service_id], agreed(row.service)) for row in rows.order_by("service__performed_on", "pk")
    ]
    is_insurer = actor.scope.insurer_id == statement.insurer_id
    is_agency = actor.scope.agency_id == statement.agency_id
    is_drawn = statement.state == StatementState.DRAWN
    own = statement.agency_confirmed_at if is_agency else statement.insurer_confirmed_at
    may = actor.may(Permission.SETTLE_EXPENSES) and (is_insurer or is_agency)
    return {
        "lines": lines,
        "charged": sum((each.charged for each in lines), Decimal()),
        "paid": sum((each.paid for each in lines), Decimal()),
        "may_confirm": may and is_drawn and own is None,
        "may_object": may and is_drawn,
        "may_correct": actor.may(Permission.KEEP_EXPENSES)
        and is_insurer
        and statement.state in (StatementState.DRAWN, StatementState.DISPUTED),
        "may_pay": actor.may(Permission.KEEP_EXPENSES) and is_insurer and statement.state == StatementState.CONFIRMED,
    }


detail_screen(
    DetailScreen(
        name="statement",
        path="expenses/statements/<uuid:pk>/",
        title=_("Settlement with an agency"),
        model=Statement,
        permission=Permission.SEE_SETTLEMENTS,
        named=("month", "agency"),
        state=STATE,
        of_list="statements",
        template="expenses/statement.html",
        extra=_lines,
        sections=(
            Section(
                _("Both sides"),
                (
                    Column("insurer", opens="insurer"), "insurer_confirmed_by", "insurer_confirmed_at",
                    Column("agency", opens="agency"), "agency_confirmed_by", "agency_confirmed_at",
                    "objection", "objected_by_name", "due_at", "settled_at",
                ),
            ),
        ),
    )
)  # fmt: skip


def statement_of(request: HttpRequest, pk: UUID) -> Statement:
    check_reader(request, Statement)
    found = Statement.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page(
    "expenses/statements/<uuid:pk>/confirm/",
    name="statement-confirm",
    permission=Permission.SETTLE_EXPENSES,
    methods=("POST",),
)
def confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One side confirms."""
    found = confirm_statement(statement_of(request, pk), by=request.actor, at=request.at)  # type: ignore[attr-defined]
    if found.state == StatementState.DRAWN:
        messages.success(request, _now("Confirmed. The other side confirms next."))
    else:
        messages.success(request, _now("Both sides have confirmed."))
    return redirect("statement", pk)


@page(
    "expenses/statements/<uuid:pk>/object/",
    name="statement-object",
    permission=Permission.SETTLE_EXPENSES,
    methods=("POST",),
)
def object_to(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One side objects."""
    object_to_statement(
        statement_of(request, pk), by=request.actor, at=request.at, words=request.POST.get("words", "")  # type: ignore[attr-defined]
    )  # fmt: skip
    messages.success(request, _now("Your objection is on record."))
    return redirect("statement", pk)


@page(
    "expenses/statements/<uuid:pk>/correct/",
    name="statement-correct",
    permission=Permission.KEEP_EXPENSES,
    methods=("POST",),
)
def correct(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The insurer corrects a price."""
    statement = statement_of(request, pk)
    try:
        line, price = UUID(request.POST.get("line", "")), Decimal(request.POST.get("price", ""))
    except (ValueError, InvalidOperation):
        raise Refused(
            "unreadable_price", _("The price cannot be read."), remedy=_("Write it in yuan, like 1200.00."), field="price"
        ) from None  # fmt: skip
    correct_price(statement, by=request.actor, at=request.at, line=line, price=price)  # type: ignore[attr-defined]
    messages.success(request, _now("The price is corrected; both sides confirm anew."))
    return redirect("statement", pk)

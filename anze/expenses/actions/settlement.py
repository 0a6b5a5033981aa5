"""Statements of agencies: drawn up, confirmed by both sides, objected to, corrected, settled when all is paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from anze.expenses.models import Statement, StatementLine
from anze.expenses.rules import SETTLEMENT, STATEMENT_LIFECYCLE, PriceSource, StatementState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission
from anze.prevention.models.agreements import agreement_holds

# A service done by an agency stands on one statement: that of its month, or the first one drawn up after it came in.
# Its price is what the two houses agreed on for such a visit on its day, else the order's, else the one the service was
# planned with, else what was charged for it; the order's stays beside it.
_DRAW_UP = f"""
WITH due AS (
    SELECT s.id, s.insurer_id, s.agency_id, o.price AS ordered,
           coalesce(a.price, o.price, nullif(s.planned_cost, 0), e.charged, 0) AS price,
           CASE WHEN a.price IS NOT NULL THEN '{PriceSource.AGREEMENT}' WHEN o.price IS NOT NULL THEN '{PriceSource.ORDER}'
                WHEN s.planned_cost <> 0 THEN '{PriceSource.PLAN}' WHEN e.charged IS NOT NULL THEN '{PriceSource.CHARGED}'
                ELSE '{PriceSource.NONE}' END AS source
    FROM prevention_service s
    LEFT JOIN LATERAL (
        SELECT x.price FROM prevention_agreement g JOIN prevention_agreementprice x ON x.agreement_id = g.id
        WHERE {agreement_holds("s")} ORDER BY g.start_on LIMIT 1
    ) a ON true
    LEFT JOIN LATERAL (SELECT nullif(max(price), 0) AS price FROM prevention_order x WHERE x.service_id = s.id) o ON true
    LEFT JOIN LATERAL (SELECT sum(amount) AS charged FROM expenses_expense x
                       WHERE x.service_id = s.id AND NOT x.is_void) e ON true
    WHERE s.agency_id IS NOT NULL AND NOT s.is_void AND s.performed_on BETWEEN %(since)s AND %(last)s
      AND NOT EXISTS (SELECT 1 FROM expenses_statementline l WHERE l.service_id = s.id)
      AND NOT EXISTS (SELECT 1 FROM expenses_statement t WHERE t.insurer_id = s.insurer_id
                      AND t.agency_id = s.agency_id AND t.month = %(month)s)
), drawn AS (
    INSERT INTO expenses_statement (insurer_id, agency_id, month, services, agreed, state, drawn_at, region_code,
        insurer_confirmed_by, agency_confirmed_by, objection, objected_by_name)
    SELECT d.insurer_id, d.agency_id, %(month)s, count(*), sum(d.price), 'DRAWN', %(at)s, i.region_id, '', '', '', ''
    FROM due d JOIN parties_organisation i ON i.id = d.insurer_id GROUP BY 1, 2, i.region_id
    RETURNING id, insurer_id, agency_id, region_code
)
INSERT INTO expenses_statementline (statement_id, service_id, price, source, ordered, insurer_id, agency_id, region_code)
SELECT t.id, d.id, d.price, d.source, d.ordered, d.insurer_id, d.agency_id, t.region_code
FROM due d JOIN drawn t ON t.insurer_id = d.insurer_id AND t.agency_id = d.agency_id
"""
# a statement is paid when every service on it is: what was paid for it, less what was taken back, reaches its price
_UNPAID = """EXISTS (
    SELECT 1 FROM expenses_statementline l
    LEFT JOIN LATERAL (SELECT sum(amount) AS paid FROM expenses_expense x
                       WHERE x.service_id = l.service_id AND NOT x.is_void AND x.paid_on IS NOT NULL) e ON true
    WHERE l.statement_id = t.id AND coalesce(e.paid, 0) < l.price)
"""
_SETTLE = f"""
UPDATE expenses_statement t SET state = 'SETTLED', settled_at = %(at)s WHERE t.state = 'CONFIRMED' AND NOT {_UNPAID}
"""
# the duty to pay is the one that began when both confirmed
_REOPEN = (
    f"UPDATE expenses_statement t SET state = 'CONFIRMED', settled_at = NULL WHERE t.state = 'SETTLED' AND {_UNPAID}"
)
LOOK_BACK = timedelta(days=366)


def draw_up_statements(month: date, *, at: datetime) -> int:
    """Draw up the statements of a month that are missing; returns on how many services. Everything must be in view."""
    first = month.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_DRAW_UP, {"month": first, "since": first - LOOK_BACK, "last": last, "at": at})
        return int(cursor.rowcount)


def settle_paid(*, at: datetime) -> int:
    """Close the statements that are paid, and open again those whose payment was taken back. Everything must be in
    view: what was paid may have come in any way, and been taken back in any way."""
    with connection.cursor() as cursor:
        cursor.execute(_REOPEN)
        cursor.execute(_SETTLE, {"at": at})
        return int(cursor.rowcount)


def money_of(statement: Statement) -> Mapping[UUID, tuple[Decimal, Decimal, date | None, list[str]]]:
    """For each service of a statement what was charged and paid for it, the last day of payment, and the invoices.

    The agency sees what was paid to it for its own services, hence with everything in view."""
    with widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.service_id, coalesce(sum(x.amount), 0), coalesce(sum(x.amount) FILTER (WHERE x.paid_on IS NOT NULL), 0), "
            "max(x.paid_on), array_remove(array_agg(DISTINCT nullif(x.invoice_no, '')), NULL) "
            "FROM expenses_statementline l LEFT JOIN expenses_expense x ON x.service_id = l.service_id AND NOT x.is_void "
            "WHERE l.statement_id = %s GROUP BY 1",
            [statement.pk],
        )
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in cursor.fetchall()}


@action(Permission.SETTLE_EXPENSES, "statement.confirmed")
def confirm_statement(statement: Statement, *, by: Actor, at: datetime) -> Statement:
    """One side confirms; with the second the duty to pay begins."""
    statement = Statement.objects.select_for_update().get(pk=statement.pk)
    if statement.state != StatementState.DRAWN:
        STATEMENT_LIFECYCLE.move(statement, "agree")  # refuses with the present state
    if by.scope.agency_id == statement.agency_id:
        statement.agency_confirmed_at, statement.agency_confirmed_by = at, by.name
    elif by.scope.insurer_id == statement.insurer_id:
        statement.insurer_confirmed_at, statement.insurer_confirmed_by = at, by.name
    else:
        raise Refused(
            "not_a_side",
            _("Only the insurer and the agency of the statement confirm it."),
            remedy=_("Leave it to them."),
            status=403,
        )
    sides = (
        "insurer_confirmed_at", "insurer_confirmed_by", "agency_confirmed_at", "agency_confirmed_by",
    )  # fmt: skip
    statement.save(update_fields=sides)
    if statement.insurer_confirmed_at and statement.agency_confirmed_at:
        due_at = SETTLEMENT.due_at(beijing_day(at), calendar=load_calendar(), region_code=statement.region_code)
        STATEMENT_LIFECYCLE.move(statement, "agree", due_at=due_at)
        with widened(EVERYTHING):
            settle_paid(at=at)
        statement.refresh_from_db()
    return statement


@action(Permission.SETTLE_EXPENSES, "statement.objected")
def object_to_statement(statement: Statement, *, by: Actor, at: datetime, words: str) -> Statement:
    """One side says what is wrong; nobody's confirmation stands any more."""
    words = " ".join(words.split())[:300]
    if not words:
        raise Refused(
            "reason_missing",
            _("An objection needs words."),
            remedy=_("Say which service and which price is wrong."),
            field="words",
        )
    STATEMENT_LIFECYCLE.move(statement, "object", objection=words, objected_by_name=by.name, **_UNCONFIRMED)
    return statement


_UNCONFIRMED = {
    "insurer_confirmed_at": None,
    "insurer_confirmed_by": "",
    "agency_confirmed_at": None,
    "agency_confirmed_by": "",
}


@action(Permission.KEEP_EXPENSES, "statement.corrected")
def correct_price(statement: Statement, *, by: Actor, at: datetime, line: UUID, price: Decimal) -> Statement:
    """The insurer corrects the price of a service; both confirm anew."""
    if not 0 <= price < 10_000_000:
        raise Refused(
            "price_out_of_range",
            _("The price must be between 0 and 10 million yuan."),
            remedy=_("Correct it."),
            field="price",
        )
    changed = StatementLine.objects.filter(pk=line, statement=statement).update(
        price=price, source=PriceSource.CORRECTED
    )
    if not changed:
        raise Refused("not_found", _("There is no such line."), remedy=_("Reload the page."), status=404)
    agreed = sum(StatementLine.objects.filter(statement=statement).values_list("price", flat=True), Decimal())
    STATEMENT_LIFECYCLE.move(statement, "correct", agreed=agreed, **_UNCONFIRMED)
    return statement

"""Expenses recorded on the platform: sent through the feeds in the insurer's name, as everybody's data are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import msgspec
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from anze.evidence.actions import arrived, receive_media, subject_of
from anze.evidence.rules import MediaKind, MediaRole
from anze.exchange.actions.batches import process_batch, receive_batch
from anze.exchange.decoding import FoundProblem
from anze.exchange.entry import content_of
from anze.exchange.feeds import FEEDS
from anze.exchange.receipts import explained_problems
from anze.expenses.actions import money_of, settle_paid
from anze.expenses.models import Expense, Invoice, Statement, StatementLine
from anze.expenses.rules import Allocation, ExpenseCategory, StatementState, shares
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, region_range, widened
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.underwriting.models import Policy, PremiumReceipt

MOST_SHARES = 5000


def _send(
    sender: Organisation, feed: str, rows: Sequence[dict[str, Any]], key: str, *, by: Actor, at: datetime
) -> None:
    """Publish rows in the insurer's name, all or nothing: the first refusal is told with its field and remedy."""
    name = replace(by, permissions=by.permissions | {Permission.ENTER_DATA})
    batch, is_new = receive_batch(
        sender,
        by=name,
        at=at,
        feed=FEEDS[feed],
        channel=Channel.WEB,
        body=b"\n".join(msgspec.json.encode(row) for row in rows),
        content_type="application/x-ndjson",
        idempotency_key=key,
    )
    if is_new:
        process_batch(batch, at=at)
    first = batch.findings.order_by("row", "id").first()
    if first is not None:
        told = explained_problems(feed, [FoundProblem(first.row, first.field, first.code, first.values)])[0]
        raise Refused(first.code, told["message"], remedy=told["remedy"], field=first.field)


def _content(expense: Expense) -> dict[str, Any]:
    """An expense on file in the feed's terms."""
    kept = content_of(FEEDS["expenses"], expense)
    return {name: value for name, value in kept.items() if value is not False and value not in (None, "", [])}


@action(Permission.KEEP_EXPENSES, "expense.reversed")
def reverse_expense(expense: Expense, *, by: Actor, at: datetime, reason: str) -> Expense:
    """Take an expense back by a row of its own with the opposite amount; the original stays as it was."""
    reason = " ".join(reason.split())[:60]
    if not reason:
        raise Refused(
            "reason_missing", _("A reversal needs its reason."), remedy=_("Write it in a few words."), field="reason"
        )
    with widened(EVERYTHING):
        taken_back = Expense.objects.filter(
            insurer_id=expense.insurer_id, reversal_of=expense.expense_no, is_void=False
        ).exists()
        if taken_back or expense.reversal_of or expense.amount <= 0 or expense.is_void:
            raise Refused(
                "not_reversible",
                _("This expense is a reversal itself, was taken back already, or counts nowhere."),
                remedy=_("Look at the ledger of its policy."),
                status=409,
            )
        number = f"{expense.expense_no[:44]}-CX"
        row = _content(expense) | {
            "expense_no": number,
            "amount": str(-expense.amount),
            "tax": str(-expense.tax),
            "reversal_of": expense.expense_no,
            "approver": by.name[:60],
        }
        sender = Organisation.objects.get(pk=expense.insurer_id)
        _send(sender, "expenses", [row], f"reversal {expense.pk}", by=by, at=at)
        settle_paid(at=at)
        return Expense.objects.get(insurer_id=expense.insurer_id, expense_no=number)


@action(Permission.KEEP_EXPENSES, "expense.voucher_added")
def add_voucher(expense: Expense, *, by: Actor, at: datetime, content: bytes, file_name: str) -> Expense:
    """Keep a voucher as evidence, and name it in the expense."""
    subject = subject_of("expense", expense.pk, by, at)
    receive_media(
        subject, by=by, at=at, content=arrived(content), kind=MediaKind.DOCUMENT, role=MediaRole.DOCUMENT,
        file_name=file_name,
    )  # fmt: skip
    if not expense.voucher_file:
        with widened(EVERYTHING):
            sender = Organisation.objects.get(pk=expense.insurer_id)
            row = _content(expense) | {"voucher_file": file_name[-200:] or f"{expense.expense_no}.pdf"}
            _send(sender, "expenses", [row], f"voucher {expense.pk} {at.isoformat()}", by=by, at=at)
    return expense


# sharing a cost -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SharedCost:
    """A cost that served many policies, as its invoice says, and which policies those are."""

    invoice_no: str
    seller_name: str
    subject: str
    category: str
    amount: Decimal
    tax: Decimal
    incurred_on: date
    paid_on: date | None = None
    region_code: str = ""
    sector: str = ""
    voucher_file: str = ""


def policies_sharing(insurer: Organisation, cost: SharedCost) -> list[tuple[Policy, Decimal]]:
    """The insurer's policies that were in force on the day, in the region and sector, with what they paid in."""
    found = Policy.objects.filter(
        insurer=insurer, is_void=False, start_on__lte=cost.incurred_on, cover_end_on__gte=cost.incurred_on
    )
    if cost.region_code:
        found = found.filter(region_code__range=region_range(cost.region_code))
    if cost.sector:
        found = found.filter(sector=cost.sector)
    received = dict(
        PremiumReceipt.objects.filter(is_void=False, policy__in=found, received_on__lte=cost.incurred_on)
        .order_by()
        .values_list("policy")
        .annotate(total=Sum("amount"))
        .filter(total__gt=0)
    )
    return [(each, received[each.pk]) for each in found.order_by("policy_no") if each.pk in received]


def shares_of(insurer: Organisation, cost: SharedCost) -> list[tuple[Policy, Decimal, Decimal, Decimal]]:
    """Policy, premium received, share of the amount, share of the tax. The shares add up to the cent."""
    found = policies_sharing(insurer, cost)
    if not found or len(found) > MOST_SHARES or cost.amount * 100 < len(found):
        raise Refused(
            "nothing_to_share_by",
            ngettext_lazy(
                "%(count)s policy with premium received matches; from 1 to %(most)s can share a cost, at least a cent each.",
                "%(count)s policies with premium received match; from 1 to %(most)s can share a cost, at least a cent each.",
                "count",
            ),
            remedy=_("Choose the region, the sector or the day so that those are left that the cost served."),
            field="region_code",
            values={"count": len(found), "most": MOST_SHARES},
        )
    weights = [premium for _policy, premium in found]
    made = zip(found, shares(cost.amount, weights), shares(cost.tax, weights), strict=True)
    # whoever gets nothing of a small cost is left out; the sum stays the same
    return [(policy, premium, part, min(tax, part)) for (policy, premium), part, tax in made if part > 0]


@action(Permission.KEEP_EXPENSES, "expense.shared")
def share_cost(insurer: Organisation, *, by: Actor, at: datetime, cost: SharedCost) -> int:
    """Record an invoice and its shares, one expense a policy; returns how many."""
    parts = shares_of(insurer, cost)
    with widened(EVERYTHING):
        invoice = {
            "invoice_no": cost.invoice_no,
            "seller_name": cost.seller_name,
            "subject": cost.subject,
            "amount": str(cost.amount),
            "tax": str(cost.tax),
            "issued_on": cost.incurred_on.isoformat(),
        }
        rows = []
        for n, (policy, _premium, part, tax) in enumerate(parts, 1):
            row = {
                "expense_no": f"FT{cost.invoice_no[-20:]}-{n:04d}",
                "policy_no": policy.policy_no,
                "category": cost.category,
                "allocation": Allocation.BY_PREMIUM.value,
                "payee_name": cost.seller_name,
                "amount": str(part),
                "tax": str(tax),
                "invoice_no": cost.invoice_no,
                "incurred_on": cost.incurred_on.isoformat(),
                "voucher_file": cost.voucher_file,
                "approver": by.name[:60],
            }
            if cost.paid_on:
                row["paid_on"] = cost.paid_on.isoformat()
            rows.append(row)
        _send(insurer, "invoices", [invoice], f"shared {cost.invoice_no}", by=by, at=at)
        _send(insurer, "expenses", rows, f"shared {cost.invoice_no}", by=by, at=at)
    return len(rows)


# paying an agency -----------------------------------------------------------------------------------------


def _unused(number: str, used: set[str]) -> str:
    """The number, or the first of its kind that is free: …-2, …-3. It is used from now on."""
    free = next(each for n in count(1) if (each := number if n == 1 else f"{number}-{n}") not in used)
    used.add(free)
    return free


@action(Permission.KEEP_EXPENSES, "statement.paid")
def pay_statement(
    statement: Statement, *, by: Actor, at: datetime, invoice_no: str, paid_on: date, voucher_file: str = ""
) -> Statement:
    """Record the agency's invoice and its payment: each service of the statement that is not paid yet becomes an
    expense, or the expense on file for it is completed."""
    invoice_no = invoice_no.strip()
    statement = Statement.objects.select_for_update().get(pk=statement.pk)
    if statement.state != StatementState.CONFIRMED:
        raise Refused(
            "not_confirmed",
            _("A statement is paid after both sides confirmed it."),
            remedy=_("Wait for the other side, or talk to it."),
            status=409,
        )
    if not invoice_no:
        raise Refused(
            "invoice_missing", _("The payment needs the agency's invoice."), remedy=_("Give its number."),
            field="invoice_no",
        )  # fmt: skip
    paid = money_of(statement)
    with widened(EVERYTHING):
        insurer = Organisation.objects.get(pk=statement.insurer_id)
        agency = Organisation.objects.get(pk=statement.agency_id)
        lines = StatementLine.objects.filter(statement=statement).select_related("service__policy").order_by("pk")
        due = [each for each in lines if paid[each.service_id][1] < each.price]
        charged = Expense.objects.filter(service__in=[each.service_id for each in due], is_void=False)
        taken_back = charged.exclude(reversal_of="").values_list("reversal_of", flat=True)
        on_file = {
            each.service_id: each
            for each in charged.filter(paid_on=None, reversal_of="").exclude(expense_no__in=list(taken_back))
        }
        begins = f"JS{statement.month:%Y%m}"
        used = set(
            Expense.objects.filter(insurer=insurer, expense_no__startswith=begins).values_list("expense_no", flat=True)
        )
        rows, total = [], Decimal()
        for line in due:
            known = on_file.get(line.service_id)
            if known is not None:
                row = _content(known)
                row.setdefault("invoice_no", invoice_no)
                total += known.amount
            else:
                left = line.price - paid[line.service_id][1]
                total += left
                row = {
                    # what was taken back keeps its number, and what is paid anew has one of its own
                    "expense_no": _unused(f"{begins}{line.service.service_no[-30:]}", used),
                    "policy_no": line.service.policy.policy_no,
                    "service_no": line.service.service_no,
                    "agency_code": agency.code,
                    "category": ExpenseCategory.TSP_FEE.value,
                    "allocation": Allocation.DIRECT.value,
                    "payee_name": agency.name,
                    "payee_uscc": agency.uscc or "",
                    "amount": str(left),
                    "tax": "0.00",
                    "invoice_no": invoice_no,
                    "incurred_on": line.service.performed_on.isoformat(),
                }
            row |= {"paid_on": paid_on.isoformat(), "approver": by.name[:60]}
            row["voucher_file"] = row.get("voucher_file") or voucher_file
            rows.append(row)
        invoice = {
            "invoice_no": invoice_no,
            "seller_name": agency.name,
            "seller_uscc": agency.uscc or "",
            "agency_code": agency.code,
            "subject": f"{statement.month:%Y-%m}",
            "amount": str(total),
            "tax": "0.00",
            "issued_on": paid_on.isoformat(),
        }
        key = f"statement {statement.pk} {at.isoformat()}"
        if rows:
            # an invoice on file says what the agency wrote; what is paid anew on it changes nothing of that
            if not Invoice.objects.filter(insurer=insurer, invoice_no=invoice_no, is_void=False).exists():
                _send(insurer, "invoices", [invoice], key, by=by, at=at)
            _send(insurer, "expenses", rows, key, by=by, at=at)
        settle_paid(at=at)
    statement.refresh_from_db()
    return statement

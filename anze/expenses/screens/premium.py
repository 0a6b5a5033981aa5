"""What became of the premium: a policy's agreed share and what it was spent on; an insurer's budget of a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.evidence.models import Media
from anze.expenses.models import Expense
from anze.expenses.rules import ExpenseCategory
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter, parameter_row
from anze.kernel.parameters import number_in_force
from anze.parties.rules import Permission
from anze.parties.screens import ORGANISATION_NAMES
from anze.prevention.models import AnnualPlan, Service, Visit
from anze.prevention.rules.plans import AnnualState
from anze.screen.columns import labels, readers_of
from anze.screen.details import Tile, tile
from anze.screen.lists import check_reader
from anze.screen.pages import money, percent
from anze.screen.registry import page
from anze.underwriting.models import Policy, PremiumReceipt

ZERO = Decimal()


@dataclass(frozen=True)
class Account:
    """A policy's premium and the share of it that is for prevention. Ratios are those in force on its first day."""

    policy: Policy
    received: Decimal
    ratio: Decimal
    is_agreed: bool
    cap: Decimal | None
    floor: Decimal | None
    spent: Decimal
    paid: Decimal

    @property
    def share(self) -> Decimal:
        return (self.received * self.ratio).quantize(Decimal("0.01"))

    @property
    def left(self) -> Decimal:
        return self.share - self.spent

    @property
    def used(self) -> Decimal | None:
        return self.spent / self.received if self.received > 0 else None

    @property
    def is_over(self) -> bool:
        return self.cap is not None and self.used is not None and self.used > self.cap


def account_of(policy: Policy) -> Account:
    """Must run in a scope that sees the policy's receipts and expenses."""
    received = PremiumReceipt.objects.filter(policy=policy, is_void=False).aggregate(n=Sum("amount"))["n"] or ZERO
    live = Expense.objects.filter(policy=policy, is_void=False)
    spent = live.aggregate(n=Sum("amount"))["n"] or ZERO
    paid = live.filter(paid_on__isnull=False).aggregate(n=Sum("amount"))["n"] or ZERO
    agreed = policy.agreed_expense_ratio
    on, where = policy.start_on, policy.region_code
    cap, floor = parameter_row("expense_cap_ratio", on, where), parameter_row("expense_floor_ratio", on, where)
    return Account(
        policy,
        received,
        agreed if agreed is not None else parameter("default_agreed_expense_ratio", on, where),
        agreed is not None,
        Decimal(cap.value) if cap else None,
        Decimal(floor.value) if floor else None,
        spent,
        paid,
    )


@dataclass(frozen=True)
class Spent:
    """One thing the money was spent on, with the service behind it and its photos."""

    expense: Expense
    category: str
    service: Service | None
    photos: list[Media]


MOST = 60
PHOTOS = 3


def _spent_on(request: HttpRequest, policy: Policy) -> list[Spent]:
    rows = list(
        Expense.objects.filter(policy=policy, is_void=False)
        .select_related("service")
        .order_by("-incurred_on", "-pk")[:MOST]
    )
    photos: dict[UUID, list[Media]] = {}
    scope = request.actor.scope  # type: ignore[attr-defined]
    services = [row.service_id for row in rows if row.service_id]
    if services and scope.reader in readers_of(Media) and scope.reader in readers_of(Visit):
        visit_of = dict(Visit.objects.filter(service__in=services).values_list("pk", "service_id"))
        subjects = [*visit_of, *services]
        found = Media.objects.filter(subject__in=subjects, kind="PHOTO", voided_at=None).order_by("received_at")
        for each in found.select_related("original")[: MOST * PHOTOS]:
            kept = photos.setdefault(visit_of.get(each.subject, each.subject), [])
            if len(kept) < PHOTOS:
                kept.append(each)
    names = labels(ExpenseCategory.choices)
    return [
        Spent(row, names[row.category], row.service, photos.get(row.service_id, []) if row.service_id else [])
        for row in rows
    ]


@page("expenses/policies/<uuid:pk>/", name="premium-use", title=_("What the premium paid for"), permission=Permission.SEE_EXPENSES)  # fmt: skip
def premium_use(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One policy: premium received, the share agreed for prevention, and what it was spent on."""
    check_reader(request, Policy)
    policy = Policy.objects.filter(pk=pk).select_related("enterprise", "insurer").first()
    if policy is None:
        raise Http404
    others = Policy.objects.filter(enterprise_id=policy.enterprise_id, is_void=False).order_by("-start_on", "-pk")[:6]
    return _shown(request, policy, list(others))


@page(
    "expenses/my-premium/",
    name="my-premium",
    title=_("What your premium paid for"),
    permission=Permission.SEE_EXPENSES,
    in_menu=True,
    order=5,
    icon="pig-money",
    not_in_menu_of=frozenset({"anze_all", "anze_region", "anze_sector", "anze_insurer", "anze_agency", "anze_expert"}),
)
def my_premium(request: HttpRequest) -> HttpResponse:
    """The enterprise's newest policy; the earlier ones are a click away."""
    enterprise = request.actor.scope.enterprise_id  # type: ignore[attr-defined]
    if enterprise is None:
        return redirect("expense-budget")
    found = list(Policy.objects.filter(is_void=False).select_related("insurer").order_by("-start_on", "-pk")[:6])
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    present = next((each for each in found if each.start_on <= today), found[0] if found else None)
    return _shown(request, present, found)


def _shown(request: HttpRequest, policy: Policy | None, others: list[Policy]) -> HttpResponse:
    words: dict[str, Any] = {"policy": policy, "others": others, "account": None, "spent": []}
    if policy is not None:
        words |= {"account": account_of(policy), "spent": _spent_on(request, policy)}
    return render(request, "expenses/premium_use.html", words)


def _tile(request: HttpRequest, policy: Any) -> tuple[str, str, str]:
    found = account_of(policy)
    return (
        f"¥{money(found.spent, 0)} / ¥{money(found.share, 0)}",
        "danger" if found.is_over else "",
        reverse("premium-use", args=[policy.pk]),
    )


tile(Tile("policy", "premium-use", _("Spent of the prevention share"), Permission.SEE_EXPENSES, _tile, order=60))


def _service_tile(request: HttpRequest, service: Any) -> tuple[str, str, str]:
    total = Expense.objects.filter(service=service, is_void=False).aggregate(n=Sum("amount"))["n"]
    return f"¥{money(total or ZERO, 0)}", "", f"{reverse('service', args=[service.pk])}?tab=expenses"


tile(Tile("service", "cost", _("Charged for it"), Permission.SEE_EXPENSES, _service_tile, order=60))


# a year's budget ------------------------------------------------------------------------------------------

# by insurer: what came in during the year, what of it was agreed for prevention, what was spent and paid, and what of
# the payments has its papers
_BUDGET = """
WITH taken AS (
    SELECT r.insurer_id, sum(r.amount) AS received,
           sum(r.amount * coalesce(p.agreed_expense_ratio, {usual}, 0)) AS agreed
    FROM underwriting_premiumreceipt r JOIN underwriting_policy p ON p.id = r.policy_id
    WHERE NOT r.is_void AND r.received_on BETWEEN %(first)s AND %(last)s GROUP BY 1
), used AS (
    SELECT insurer_id, sum(amount) AS spent, sum(amount) FILTER (WHERE paid_on IS NOT NULL) AS paid,
           sum(amount) FILTER (WHERE paid_on IS NOT NULL AND voucher_file <> '') AS vouchered
    FROM expenses_expense WHERE NOT is_void AND incurred_on BETWEEN %(first)s AND %(last)s GROUP BY 1
)
SELECT insurer_id, coalesce(received, 0), round(coalesce(agreed, 0), 2), coalesce(spent, 0), coalesce(paid, 0),
       coalesce(vouchered, 0)
FROM taken FULL JOIN used USING (insurer_id) ORDER BY 2 DESC
""".format(usual=number_in_force("default_agreed_expense_ratio", "p.start_on", "p.region_code"))


@dataclass(frozen=True)
class Budget:
    """An insurer's prevention money of a year."""

    insurer_id: UUID
    name: str
    budget: Decimal | None
    received: Decimal
    agreed: Decimal
    spent: Decimal
    paid: Decimal
    vouchered: Decimal
    cap: Decimal

    @property
    def used(self) -> str:
        return percent(self.spent / self.received if self.received > 0 else None, 1)

    @property
    def pay_rate(self) -> str:
        return percent(self.vouchered / self.agreed if self.agreed > 0 else None, 1)

    @property
    def tone(self) -> str:
        return "danger" if self.received > 0 and self.spent > self.cap * self.received else ""


Five = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]
NOTHING: Five = (ZERO, ZERO, ZERO, ZERO, ZERO)


def _budgets(request: HttpRequest, year: int) -> dict[UUID, Decimal]:
    """What the accepted annual plans name, for those who read such plans at all."""
    if request.actor.scope.reader not in readers_of(AnnualPlan):  # type: ignore[attr-defined]
        return {}
    plans = AnnualPlan.objects.filter(year=year, state=AnnualState.ACCEPTED)
    return dict(plans.values_list("insurer_id", "budget"))


@page(
    "expenses/budget/",
    name="expense-budget",
    title=_("Budget and use"),
    permission=Permission.SEE_EXPENSES,
    in_menu=True,
    order=8,
    icon="chart-bar",
    not_in_menu_of=frozenset({"anze_agency", "anze_expert", "anze_enterprise"}),
)
def budget(request: HttpRequest) -> HttpResponse:
    """A year's prevention money: agreed, spent, paid, with papers; by insurer and by category."""
    check_reader(request, PremiumReceipt)
    today = beijing_day(request.at)  # type: ignore[attr-defined]
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and 2018 <= int(asked) <= today.year else today.year
    first, last = date(year, 1, 1), date(year, 12, 31)
    cap = parameter("expense_cap_ratio", last, default=1)  # no cap was published before 2024
    words: dict[str, Any] = {"first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(_BUDGET, words)
        found: dict[UUID, Five] = {row[0]: row[1:] for row in cursor.fetchall()}
    budgets = _budgets(request, year)
    rows = [
        Budget(insurer, ORGANISATION_NAMES.name(insurer), budgets.get(insurer), *found.get(insurer, NOTHING), cap)
        for insurer in dict.fromkeys([*found, *budgets])
    ]
    names = labels(ExpenseCategory.choices)
    by_category = [
        (names[category], amount, count)
        for category, amount, count in Expense.objects.filter(is_void=False, incurred_on__range=(first, last))
        .order_by()
        .values_list("category")
        .annotate(amount=Sum("amount"), count=Count("pk"))
        .order_by("-amount")
    ]
    received, agreed, spent, paid, vouchered = (
        sum((getattr(row, name) for row in rows), ZERO) for name in ("received", "agreed", "spent", "paid", "vouchered")
    )
    total = Budget(UUID(int=0), "", None, received, agreed, spent, paid, vouchered, cap)
    shown = {"rows": rows, "total": total, "by_category": by_category, "year": year, "cap": cap,
             "years": list(range(today.year, today.year - 4, -1))}  # fmt: skip
    return render(request, "expenses/budget.html", shown)

"""Framework agreements between insurers and the agencies they send most, at every stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection

from anze.kernel.duty import load_calendar
from anze.prevention.models import Agreement, AgreementPrice
from anze.prevention.rules.agreements import ANSWER_AGREEMENT, AgreementState, Framework, Terms

# the agencies an insurer sends most, with what a visit of each kind costs there in the middle
_PAIRS = """
SELECT s.insurer_id, s.agency_id, i.region_id, i.code, a.code FROM (
    SELECT insurer_id, agency_id, row_number() OVER (PARTITION BY insurer_id ORDER BY count(*) DESC, min(service_no)) AS place
    FROM prevention_service WHERE agency_id IS NOT NULL AND NOT is_void GROUP BY 1, 2) s
JOIN parties_organisation i ON i.id = s.insurer_id JOIN parties_organisation a ON a.id = s.agency_id AND a.is_active
WHERE s.place <= 2 AND NOT EXISTS (SELECT FROM parties_standing x WHERE x.organisation_id = a.id)
ORDER BY i.code, a.code
"""
# what was paid for the services of those pairs; what was planned or ordered is not billed where a price is agreed
_COSTS = """
SELECT s.insurer_id, s.agency_id, s.service_type, s.sector, s.region_code, s.performed_on, e.paid
FROM prevention_service s
JOIN (SELECT service_id, sum(amount) AS paid FROM expenses_expense WHERE NOT is_void GROUP BY 1) e
     ON e.service_id = s.id
WHERE NOT s.is_void AND s.performed_on >= %s AND s.agency_id = ANY(%s)
"""
_PRICES = {"HAZARD": 1500, "RISK": 2200, "TRAIN": 900, "DRILL": 1300, "STD": 2600}


@dataclass(frozen=True)
class Cost:
    """A service and what was paid for it."""

    service_type: str
    sector: str
    region_code: str
    performed_on: date
    costs: Decimal


def _under(row: Agreement, prices: dict[str, Decimal], costs: list[Cost]) -> dict[str, list[Decimal]]:
    """What the services cost for which the agreement has a price, by their kind."""
    terms = Terms(row.start_on, row.until_on, prices, tuple(row.sectors), tuple(row.regions))
    framework = Framework(row.pk, row.agreement_no, row.agency_id, terms)
    found: dict[str, list[Decimal]] = {kind: [] for kind in prices}
    for each in costs:
        if framework.price_of(each.service_type, each.sector, each.region_code, each.performed_on):
            found[each.service_type].append(each.costs)
    return found


def covering(row: Agreement, usual: dict[str, Decimal], costs: list[Cost]) -> dict[str, Decimal]:
    """The usual prices, or the next fifty above what the dearest visit costs."""
    found = _under(row, usual, costs)
    return {kind: max([price, *(-(-each // 50) * 50 for each in found[kind])]) for kind, price in usual.items()}


def below_the_dearest(row: Agreement, agreed: Decimal, costs: list[Cost]) -> Decimal:
    """What the second dearest inspection costs, which is the price itself and in order."""
    found = sorted(set(_under(row, {"HAZARD": agreed}, costs)["HAZARD"]))
    return found[-2] if len(found) > 1 else agreed


def load_agreements(as_of: date, at: datetime) -> None:
    """The scope must be everything.

    What was agreed covers what visits cost; but under every eighth agreement the dearest inspections cost more.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS)
        pairs = cursor.fetchall()
        cursor.execute(_COSTS, [as_of - timedelta(days=400), [agency for _insurer, agency, *_ in pairs]])
        costs: dict[tuple[UUID, UUID], list[Cost]] = {}
        for insurer, agency, *cost in cursor.fetchall():
            costs.setdefault((insurer, agency), []).append(Cost(*cost))
    calendar = load_calendar()
    made, prices = [], []
    for n, (insurer, agency, region, code, other) in enumerate(pairs):
        # most hold for a year, begun some time ago; every eighth runs out soon, waits for an answer, came to nothing
        stage = n % 8
        start = as_of - timedelta(days=345 if stage == 1 else 20 + n * 7 % 200)
        state, reason = AgreementState.ACCEPTED, ""
        answered: datetime | None = at - (as_of - start) - timedelta(days=6)
        end = until = start + timedelta(days=364)
        if stage == 2:
            state, start, answered = AgreementState.PROPOSED, as_of + timedelta(days=10), None
            end = until = start + timedelta(days=364)
        elif stage == 3:
            state, reason = AgreementState.DECLINED, "价格低于成本，且距离较远的县区未计交通费用。"
        elif stage == 4:
            state, reason, until = (
                AgreementState.ENDED,
                "机构专业人员变动，双方协商提前终止。",
                as_of - timedelta(days=5),
            )
        asked = (answered or at) - timedelta(days=4)
        row = Agreement(
            agreement_no=f"KJ{start:%Y%m%d}{code[-2:]}{other[-2:]}", insurer_id=insurer, agency_id=agency,
            sectors=["HAZCHEM", "FIREWORK", "MINE"] if n % 3 == 0 else [], regions=["370100", "370700"] if n % 5 == 0 else [],
            start_on=start, end_on=end, until_on=until, state=state, reason=reason, proposed_at=asked,
            proposed_by="示例经理", answered_at=answered, answered_by="示例项目经理" if answered else "",
            answer_due_at=ANSWER_AGREEMENT.due_at(asked.date(), calendar=calendar), region_code=region,
            words="按次结算，报告三日内送达；同一园区一日两家以上的，第二家起按九折。" if n % 2 == 0 else "",
            ended_at=at - timedelta(days=20) if stage == 4 else None, ended_by="示例经理" if stage == 4 else "",
        )  # fmt: skip
        made.append(row)
        usual = {kind: Decimal(price + 50 * (n % 7)) for kind, price in list(_PRICES.items())[: 3 + n % 3]}
        agreed = covering(row, usual, costs.get((insurer, agency), []))
        if stage == 6:
            agreed["HAZARD"] = below_the_dearest(row, agreed["HAZARD"], costs.get((insurer, agency), []))
        prices += [
            AgreementPrice(
                agreement=row, service_type=kind, price=price, insurer_id=insurer, agency_id=agency, region_code=region
            )
            for kind, price in agreed.items()
        ]  # fmt: skip
    Agreement.objects.bulk_create(made)
    AgreementPrice.objects.bulk_create(prices)

"""Framework agreements between insurers and the agencies they send most, at every stage."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection

from anze.exchange.synthetic.entities import PriceList
from anze.kernel.duty import load_calendar
from anze.parties.models import Organisation, Standing
from anze.prevention.models import Agreement, AgreementPrice
from anze.prevention.models.agreements import agreement_holds
from anze.prevention.rules.agreements import ANSWER_AGREEMENT, AgreementState

# an order that is still to be done is sent at the price agreed
_COMING = f"""
UPDATE prevention_order o SET price = f.price FROM (
    SELECT s.id, x.price FROM (SELECT *, planned_on AS performed_on FROM prevention_order WHERE planned_on >= %s) s
    JOIN prevention_agreement g ON g.insurer_id = s.insurer_id JOIN prevention_agreementprice x ON x.agreement_id = g.id
    WHERE {agreement_holds("s")}) f
WHERE f.id = o.id
"""
_REASONS = {
    AgreementState.DECLINED: "价格低于成本，且距离较远的县区未计交通费用。",
    AgreementState.ENDED: "机构专业人员变动，双方协商提前终止。",
}


def load_agreements(price_lists: list[PriceList], as_of: date, at: datetime) -> None:
    """The scope must be everything."""
    houses = {each.code: each for each in Organisation.objects.all()}
    barred = set(Standing.objects.values_list("organisation_id", flat=True))
    calendar = load_calendar()
    made, prices = [], []
    for n, listed in enumerate(price_lists):
        insurer, agency = houses[listed.insurer.code], houses[listed.agency.code]
        if agency.pk in barred:
            continue
        is_open, has_ended = listed.state == AgreementState.PROPOSED, listed.state == AgreementState.ENDED
        answered = None if is_open else at - (as_of - listed.start) - timedelta(days=6)
        asked = (answered or at) - timedelta(days=4)
        scope = {"insurer": insurer, "agency": agency, "region_code": insurer.region_id}
        row = Agreement(
            agreement_no=f"KJ{listed.start:%Y%m%d}{insurer.code[-2:]}{agency.code[-2:]}", **scope,
            sectors=list(listed.sectors), regions=list(listed.regions), start_on=listed.start, end_on=listed.end,
            until_on=listed.until, state=listed.state, reason=_REASONS.get(listed.state, ""), proposed_at=asked, proposed_by="示例经理",
            answered_at=answered, answered_by="示例项目经理" if answered else "",
            answer_due_at=ANSWER_AGREEMENT.due_at(asked.date(), calendar=calendar),
            words="按次结算，报告三日内送达；同一园区一日两家以上的，第二家起按九折。" if n % 2 == 0 else "",
            ended_at=at - timedelta(days=20) if has_ended else None, ended_by="示例经理" if has_ended else "",
        )  # fmt: skip
        made.append(row)
        prices += [
            AgreementPrice(agreement=row, service_type=kind, price=Decimal(listed.cents[kind]) / 100, **scope)
            for kind in listed.kinds
        ]
    Agreement.objects.bulk_create(made)
    AgreementPrice.objects.bulk_create(prices)
    with connection.cursor() as cursor:
        cursor.execute(_COMING, [as_of])

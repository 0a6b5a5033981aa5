"""Profiles and products, asking for quotes, offering and withdrawing. Accepting an offer stands in the exchange,
where the policy it becomes is published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from uuid_utils.compat import uuid7

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.models import parameter, parameters
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise, Organisation, Standing
from anze.parties.rules import OrganisationKind, Permission
from anze.underwriting.models import InsurerProfile, Invitation, Offer, Product, QuoteRequest
from anze.underwriting.rules.choosing import (
    ANSWER_QUOTE,
    FINDERS,
    NEGOTIATED,
    OFFER,
    QUOTE,
    FactorKind,
    Level,
    OfferState,
    QuoteState,
    Trial,
    percent_of,
    try_premium,
)

MOST_INVITED = 10


def number_of(letters: str, on: date) -> str:
    """Numbers come from no sequence: the day and eight characters that two of a day hardly share."""
    return f"{letters}{on:%Y%m%d}{uuid7().hex[-8:].upper()}"


@action(Permission.MAKE_OFFERS, "profile.saved")
def save_profile(insurer: Organisation, /, *, by: Actor, at: datetime, **values: Any) -> InsurerProfile:
    with widened(EVERYTHING):  # public tables are written by the platform alone
        profile, _is_new = InsurerProfile.objects.update_or_create(
            insurer=insurer, defaults={**values, "updated_on": beijing_day(at)}
        )
    return profile


@action(Permission.MAKE_OFFERS, "product.saved")
def save_product(insurer: Organisation, /, *, by: Actor, at: datetime, name: str, **values: Any) -> Product:
    """A product under its name; the same name again changes it."""
    with widened(EVERYTHING):
        product, _is_new = Product.objects.update_or_create(insurer=insurer, name=name, defaults=values)
    return product


# the premium ----------------------------------------------------------------------------------------------------


def levels_of(enterprise: Enterprise, grade: str, at: datetime) -> list[Level]:
    """Where an enterprise stands in every factor, from what all insurers have on file about it."""
    with widened(EVERYTHING):
        found = [FINDERS[kind](enterprise, at) for kind in FactorKind.values if kind in FINDERS]
    return [*found, Level(FactorKind.STANDARD, grade or "NONE", "")]


def trial_of(
    sector: str, size: str, levels: Sequence[Level], *, workers: int, limit: Decimal, start_on: date, end_on: date
) -> Trial:
    """A premium by the numbers in force on the first day of cover."""
    values = parameters("premium_factor.", start_on)
    return try_premium(
        base=parameter(f"benchmark_rate.{sector}", start_on),
        scale=parameter(f"benchmark_scale.{size}", start_on),
        factors=percent_of(levels, values),
        least=parameter("premium_factor_least", start_on),
        most=parameter("premium_factor_most", start_on),
        workers=workers,
        limit=limit,
        start_on=start_on,
        end_on=end_on,
    )


def levels_kept(request: QuoteRequest) -> list[Level]:
    return [Level(**each) for each in request.levels]


def insurers_to_ask(on: date) -> Any:
    """Insurers that may take new business on a day."""
    held = Standing.objects.filter(Standing.holding(on), organisation=OuterRef("pk"))
    return Organisation.objects.filter(~Exists(held), kind=OrganisationKind.INSURER, is_active=True)


def check_standing(insurers: Sequence[UUID], on: date) -> None:
    """Its policy would not be taken: said before anybody makes an offer or waits for one."""
    held = Standing.objects.filter(Standing.holding(on), organisation__in=insurers).select_related("organisation")
    if found := held.first():
        raise Refused(
            "insurer_not_in_good_standing",
            _("%(name)s takes no new business at present: %(kind)s."),
            remedy=_("See Suspensions and blacklist for how long, by whom and why."),
            field="insurers",
            status=409,
            values={"name": str(found.organisation), "kind": str(found.get_kind_display())},
        )


# asking ---------------------------------------------------------------------------------------------------------


@action(Permission.CHOOSE_INSURER, "quote.asked")
def ask_quotes(
    enterprise: Enterprise,
    *,
    by: Actor,
    at: datetime,
    insurers: Sequence[Organisation],
    workers: int,
    limit_per_person: Decimal,
    limit_per_accident: Decimal,
    aggregate_limit: Decimal,
    start_on: date,
    end_on: date,
    grade: str = "NONE",
    wishes: str = "",
) -> QuoteRequest:
    """Ask insurers of one's choice. Each sees the request and nothing of the others; asking opens the enterprise's
    sheet to them."""
    today = beijing_day(at)
    if not insurers or len(insurers) > MOST_INVITED:
        raise Refused(
            "insurers_missing",
            _("Ask at least one insurer and at most %(most)s."),
            remedy=_("Tick those you would like an offer from."),
            field="insurers",
            values={"most": MOST_INVITED},
        )
    check_standing([each.pk for each in insurers], today)
    if start_on < today:
        raise Refused(
            "start_in_past",
            _("Cover cannot begin in the past."),
            remedy=_("Choose today or a later day."),
            field="start_on",
        )
    longest = int(parameter("policy_max_days", start_on))
    if end_on <= start_on or (end_on - start_on).days + 1 > longest:
        raise Refused(
            "period_wrong",
            _("Cover ends after it begins, and lasts at most %(days)s days."),
            remedy=_("Correct the last day."),
            field="end_on",
            values={"days": longest},
        )
    least = parameter("min_limit_per_person", start_on, enterprise.region_code)
    if limit_per_person < least:
        raise Refused(
            "limit_below_minimum",
            _("The limit per person is at least %(least)s yuan (应急〔2025〕27号)."),
            remedy=_("Choose a higher limit."),
            field="limit_per_person",
            values={"least": f"{least:,.0f}"},
        )
    if not limit_per_person <= limit_per_accident <= aggregate_limit:
        raise Refused(
            "limits_out_of_order",
            _("The limits are out of order: person ≤ accident ≤ aggregate."),
            remedy=_("Check the three limits; all are in yuan."),
            field="limit_per_accident",
        )
    levels = levels_of(enterprise, grade, at)
    trial = trial_of(
        enterprise.sector, enterprise.size, levels, workers=workers, limit=limit_per_person, start_on=start_on,
        end_on=end_on,
    )  # fmt: skip
    of = {"enterprise_id": enterprise.pk, "region_code": enterprise.region_code, "sector": enterprise.sector}
    request = QuoteRequest.objects.create(
        request_no=number_of("XJ", today),
        workers=workers,
        registered_workers=enterprise.registered_workers,
        limit_per_person=limit_per_person,
        limit_per_accident=limit_per_accident,
        aggregate_limit=aggregate_limit,
        start_on=start_on,
        end_on=end_on,
        wishes=wishes,
        levels=[{"kind": str(each.kind), "level": each.level, "reason": each.reason} for each in levels],
        trial_premium=trial.premium,
        asked_at=at,
        asked_by=by.name[:120],
        answer_due_at=ANSWER_QUOTE.due_at(today, calendar=load_calendar()),
        state=QuoteState.OPEN,
        **of,
    )
    Invitation.objects.bulk_create(Invitation(request=request, insurer=each, **of) for each in insurers)
    with widened(EVERYTHING), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO parties_engagement (party_id, enterprise_id, since_on) "
            "SELECT party, %s, %s FROM unnest(%s::uuid[]) AS party ORDER BY party ON CONFLICT DO NOTHING",
            [enterprise.pk, today, [each.pk for each in insurers]],
        )
    return request


@action(Permission.CHOOSE_INSURER, "quote.withdrawn")
def withdraw_request(request: QuoteRequest, *, by: Actor, at: datetime) -> QuoteRequest:
    QUOTE.move(request, "withdraw", closed_at=at)
    Offer.objects.filter(request=request, state=OfferState.SENT).update(state=OfferState.NOT_TAKEN, answered_at=at)
    return request


# offering -------------------------------------------------------------------------------------------------------


def _invited(request: QuoteRequest, insurer_id: UUID | None) -> Invitation:
    found = Invitation.objects.filter(request=request, insurer_id=insurer_id).first()
    if found is None:
        raise Refused(
            "not_invited",
            _("You were not asked for an offer here."),
            remedy=_("Answer the requests sent to you."),
            status=403,
        )
    return found


def _check_open(request: QuoteRequest) -> None:
    if request.state != QuoteState.OPEN:
        raise Refused(
            "request_closed",
            _("The enterprise has decided already."),
            remedy=_("Look at its other requests."),
            status=409,
        )


@action(Permission.MAKE_OFFERS, "quote.declined")
def decline_request(request: QuoteRequest, *, by: Actor, at: datetime, reason: str) -> Invitation:
    invitation = _invited(request, by.scope.insurer_id)
    _check_open(request)
    offered = Offer.objects.filter(request=request, insurer_id=invitation.insurer_id, state=OfferState.SENT)
    offered.update(state=OfferState.WITHDRAWN, answered_at=at)
    Invitation.objects.filter(pk=invitation.pk).update(declined_at=at, reason=reason)
    invitation.refresh_from_db()
    return invitation


@action(Permission.MAKE_OFFERS, "offer.made")
def make_offer(
    request: QuoteRequest,
    *,
    by: Actor,
    at: datetime,
    product_name: str,
    wording_no: str,
    premium: Decimal,
    agreed_expense_ratio: Decimal,
    service_types: Sequence[str],
    visits: int,
    valid_to_on: date,
    words: str = "",
) -> Offer:
    """An offer on exactly what was asked for, so that offers can be compared. Another one takes the place of the
    one before, as long as the enterprise has not decided."""
    today = beijing_day(at)
    insurer_id = _invited(request, by.scope.insurer_id).insurer_id
    _check_open(request)
    if valid_to_on < today:
        raise Refused(
            "valid_in_past", _("The offer would have lapsed."), remedy=_("Choose a later day."), field="valid_to_on"
        )
    cap = parameter("expense_cap_ratio", request.start_on, request.region_code)
    if agreed_expense_ratio > cap:
        raise Refused(
            "expense_ratio_over_cap",
            _("The agreed prevention expense ratio is above the cap."),
            remedy=_("At most %(limit)s %% of the premium received (应急厅函〔2024〕322号)."),
            field="agreed_expense_ratio",
            values={"limit": f"{(cap * 100).normalize():f}"},
        )
    check_standing([insurer_id], today)
    trial = trial_of_request(request)
    # what was agreed beside the usual factors is a factor of its own, so that the rates lead to the premium
    per_unit = request.workers * request.limit_per_person * trial.part_of_year
    rate_final = (premium / per_unit).quantize(Decimal("0.000001"))
    with override("zh-hans"):  # they go into the policy, whatever language the one who offers reads in
        factors = [{"name": str(FactorKind(each.kind).label), "value": f"{each.value:.3f}"} for each in trial.factors]
        if trial.rate_final and rate_final != trial.rate_final:
            factors.append({"name": str(NEGOTIATED), "value": f"{rate_final / trial.rate_final:.3f}"})
    Invitation.objects.filter(request=request, insurer_id=insurer_id).update(declined_at=None, reason="")
    Offer.objects.filter(request=request, insurer_id=insurer_id, state=OfferState.SENT).update(
        state=OfferState.WITHDRAWN, answered_at=at
    )
    return Offer.objects.create(
        offer_no=number_of("BJ", today),
        request=request,
        insurer_id=insurer_id,
        product_name=product_name,
        wording_no=wording_no,
        limit_per_person=request.limit_per_person,
        limit_per_accident=request.limit_per_accident,
        aggregate_limit=request.aggregate_limit,
        rate_base=trial.rate_base,
        rate_factors=factors,
        rate_final=rate_final,
        premium=premium,
        agreed_expense_ratio=agreed_expense_ratio,
        service_types=list(service_types),
        visits=visits,
        words=words,
        valid_to_on=valid_to_on,
        state=OfferState.SENT,
        sent_at=at,
        enterprise_id=request.enterprise_id,
        region_code=request.region_code,
        sector=request.sector,
    )


def trial_of_request(request: QuoteRequest) -> Trial:
    with widened(EVERYTHING):
        size = Enterprise.objects.values_list("size", flat=True).get(pk=request.enterprise_id)
    return trial_of(
        request.sector, size, levels_kept(request), workers=request.workers, limit=request.limit_per_person,
        start_on=request.start_on, end_on=request.end_on,
    )  # fmt: skip


@action(Permission.MAKE_OFFERS, "offer.withdrawn")
def withdraw_offer(offer: Offer, *, by: Actor, at: datetime) -> Offer:
    OFFER.move(offer, "withdraw", answered_at=at)
    return offer

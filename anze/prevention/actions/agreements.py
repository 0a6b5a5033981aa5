"""Framework agreements from the insurer's proposal to their end, and what a visit costs under one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.parties.models import Organisation
from anze.parties.rules import Permission
from anze.prevention.actions.dispatch import doubts_about_agency, refuse_blocked
from anze.prevention.models import Agreement, AgreementPrice
from anze.prevention.rules.agreements import (
    AGREEMENT,
    ANSWER_AGREEMENT,
    BINDING,
    Agreed,
    AgreementState,
    Framework,
    Terms,
    check_terms,
)


def terms_of(agreement: Agreement, prices: Mapping[str, Decimal] | None = None) -> Terms:
    if prices is None:
        prices = dict(agreement.prices.values_list("service_type", "price"))
    return Terms(
        agreement.start_on, agreement.until_on, prices, tuple(agreement.sectors), tuple(agreement.regions),
        agreement.words,
    )  # fmt: skip


def frameworks(insurer_id: UUID, *, agencies: Iterable[UUID], states: Iterable[str] = BINDING) -> list[Framework]:
    """What stands between an insurer and some agencies; two queries however many there are."""
    rows = list(Agreement.objects.filter(insurer=insurer_id, agency__in=list(agencies), state__in=list(states)))
    prices: dict[UUID, dict[str, Decimal]] = {each.pk: {} for each in rows}
    for key, kind, price in AgreementPrice.objects.filter(agreement__in=prices).values_list(
        "agreement_id", "service_type", "price"
    ):
        prices[key][kind] = price
    return [Framework(each.pk, each.agreement_no, each.agency_id, terms_of(each, prices[each.pk])) for each in rows]


def agreed_prices(
    insurer_id: UUID, agencies: Iterable[UUID], service_type: str, *, sector: str, region_code: str, on: date
) -> dict[UUID, Agreed]:
    """Agency → what it takes for such a visit on that day, of those with an agreement in force."""
    found = {}
    for each in frameworks(insurer_id, agencies=agencies):
        agreed = each.price_of(service_type, sector, region_code, on)
        if agreed is not None:
            found[each.agency_id] = agreed
    return found


def _others(agreement: Agreement | None, insurer_id: UUID, agency_id: UUID) -> list[tuple[str, Terms]]:
    standing = frameworks(insurer_id, agencies=[agency_id], states=(*BINDING, AgreementState.PROPOSED))
    return [(each.number, each.terms) for each in standing if agreement is None or each.key != agreement.pk]


@action(Permission.PROPOSE_AGREEMENTS, "agreement.proposed")
def propose_agreement(agency: Organisation, *, by: Actor, at: datetime, terms: Terms) -> Agreement:
    """The insurer proposes; nothing binds before the agency accepts."""
    own = by.scope.insurer_id
    insurer = Organisation.objects.filter(pk=own).first() if own else None
    if insurer is None:
        raise Refused("not_a_side", _("Only an insurer proposes a framework agreement."), remedy=_("Leave it to them."),
                      status=403)  # fmt: skip
    today = beijing_day(at)
    check_terms(terms, today, _others(None, insurer.pk, agency.pk))
    refuse_blocked(doubts_about_agency(agency.pk, insurer.pk, max(today, terms.start_on)))
    made = Agreement.objects.create(
        agreement_no=f"KJ{today:%Y%m%d}{uuid7().hex[-6:].upper()}",
        insurer=insurer,
        agency=agency,
        sectors=sorted(terms.sectors),
        regions=sorted(terms.regions),
        start_on=terms.start_on,
        end_on=terms.end_on,
        until_on=terms.end_on,
        words=terms.words,
        state=AgreementState.PROPOSED,
        proposed_at=at,
        proposed_by=by.name[:120],
        answer_due_at=ANSWER_AGREEMENT.due_at(today, calendar=load_calendar()),
        region_code=insurer.region_id,
    )
    AgreementPrice.objects.bulk_create(
        AgreementPrice(
            agreement=made,
            service_type=kind,
            price=price,
            insurer=insurer,
            agency=agency,
            region_code=insurer.region_id,
        )
        for kind, price in terms.prices.items()
    )
    return made


@action(Permission.SIGN_AGREEMENTS, "agreement.accepted")
def accept_agreement(agreement: Agreement, *, by: Actor, at: datetime) -> Agreement:
    """From now on the prices hold, within the period. What has come between since the proposal is looked at again."""
    _be_agency(agreement, by)
    today = beijing_day(at)
    check_terms(terms_of(agreement), today, _others(agreement, agreement.insurer_id, agreement.agency_id))
    refuse_blocked(doubts_about_agency(agreement.agency_id, agreement.insurer_id, max(today, agreement.start_on)))
    AGREEMENT.move(agreement, "accept", answered_at=at, answered_by=by.name[:120])
    return agreement


@action(Permission.SIGN_AGREEMENTS, "agreement.declined")
def decline_agreement(agreement: Agreement, *, by: Actor, at: datetime, reason: str) -> Agreement:
    _be_agency(agreement, by)
    AGREEMENT.move(agreement, "decline", answered_at=at, answered_by=by.name[:120], reason=_said(reason))
    return agreement


@action(Permission.PROPOSE_AGREEMENTS, "agreement.withdrawn")
def withdraw_agreement(agreement: Agreement, *, by: Actor, at: datetime, reason: str) -> Agreement:
    if by.scope.insurer_id != agreement.insurer_id:
        raise _not_yours()
    AGREEMENT.move(agreement, "withdraw", answered_at=at, answered_by=by.name[:120], reason=_said(reason))
    return agreement


@action(Permission.SIGN_AGREEMENTS, "agreement.ended")
def end_agreement(agreement: Agreement, *, by: Actor, at: datetime, until_on: date, reason: str) -> Agreement:
    """Either side ends it before its time. Orders sent under it keep their price; from the next day on none is agreed."""
    if agreement.insurer_id != by.scope.insurer_id and agreement.agency_id != by.scope.agency_id:
        raise _not_yours()
    # a price people have worked by is not taken back
    first = max(beijing_day(at), agreement.start_on)
    if not first <= until_on < agreement.end_on:
        raise Refused(
            "end_out_of_period",
            _("The last day must lie between %(first)s and the day before %(end)s."),
            remedy=_("Choose a day in between."),
            field="until_on",
            values={"first": first, "end": agreement.end_on},
        )
    AGREEMENT.move(
        agreement, "end", until_on=until_on, ended_at=at, ended_by=(by.organisation_name or by.name)[:120],
        reason=_said(reason),
    )  # fmt: skip
    return agreement


def _said(reason: str) -> str:
    words = " ".join(reason.split())[:200]
    if not words:
        raise Refused("reason_missing", _("This needs a reason."), remedy=_("Say why; the other side reads it."),
                      field="reason")  # fmt: skip
    return words


def _be_agency(agreement: Agreement, by: Actor) -> None:
    if by.scope.agency_id != agreement.agency_id:
        raise _not_yours()


def _not_yours() -> Refused:
    return Refused("not_a_side", _("This is for the other side of the agreement to do."), remedy=_("Leave it to them."),
                   status=403)  # fmt: skip


def standing_agreements(insurer_id: UUID, agencies: Iterable[UUID], today: date) -> dict[UUID, Framework]:
    """Agency → the agreement that binds both longest, of those not over yet."""
    found: dict[UUID, Framework] = {}
    for each in sorted(frameworks(insurer_id, agencies=agencies), key=lambda each: each.terms.end_on):
        if each.terms.end_on >= today:
            found[each.agency_id] = each
    return found


__all__ = [
    "accept_agreement", "agreed_prices", "decline_agreement", "end_agreement", "frameworks", "propose_agreement",
    "standing_agreements", "terms_of", "withdraw_agreement",
]  # fmt: skip

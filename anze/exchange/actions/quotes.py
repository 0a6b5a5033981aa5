"""An accepted offer becomes the policy: in the insurer's name, and through the feed's own checks and publishing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from anze.exchange.actions.batches import process_batch, receive_batch
from anze.exchange.decoding import FoundProblem
from anze.exchange.feeds import FEEDS
from anze.exchange.receipts import explained_problems
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.underwriting.actions import check_standing, look_for_findings
from anze.underwriting.models import Offer, Policy, QuoteRequest
from anze.underwriting.rules.choosing import OFFER, QUOTE, OfferState, offer_state


@action(Permission.CHOOSE_INSURER, "offer.accepted")
def accept_offer(offer: Offer, *, by: Actor, at: datetime) -> Offer:
    """All of it in one transaction: the offer is taken, the others are not, and the policy is on file."""
    today = beijing_day(at)
    if offer_state(offer.state, offer.valid_to_on, today) == OfferState.LAPSED:
        raise Refused(
            "offer_lapsed",
            _("The offer held until %(day)s."),
            remedy=_("Ask the insurer to make it anew."),
            status=409,
            values={"day": offer.valid_to_on},
        )
    check_standing([offer.insurer_id], today)
    request = QuoteRequest.objects.select_for_update().get(pk=offer.request_id)
    if request.start_on < today:
        raise Refused(
            "start_in_past",
            _("The first day of cover asked for is over."),
            remedy=_("Ask anew for a later day."),
            status=409,
        )
    QUOTE.move(request, "take", closed_at=at)
    OFFER.move(offer, "accept", answered_at=at)
    Offer.objects.filter(request=request, state=OfferState.SENT).update(state=OfferState.NOT_TAKEN, answered_at=at)
    with widened(EVERYTHING):
        row = policy_row(offer, request, at)
        sender = Organisation.objects.get(pk=offer.insurer_id)
        in_its_name = replace(by, scope=EVERYTHING, permissions=by.permissions | {Permission.ENTER_DATA})
        batch, is_new = receive_batch(
            sender,
            by=in_its_name,
            at=at,
            feed=FEEDS["policies"],
            channel=Channel.WEB,
            body=msgspec.json.encode(row),
            content_type="application/x-ndjson",
            idempotency_key=f"offer {offer.pk}",
        )
        if is_new:
            process_batch(batch, at=at)
        if problems := list(batch.findings.order_by("row", "id")):
            first = problems[0]
            told = explained_problems("policies", [FoundProblem(1, first.field, first.code, first.values)])
            raise Refused(
                "policy_refused",
                _("The policy could not be put on file: %(why)s"),
                remedy=_("Ask the insurer to correct the offer."),
                status=409,
                values={"why": told[0].get("message", first.code) if told else first.code},
            )
        policy = Policy.objects.get(insurer_id=offer.insurer_id, policy_no=row["policy_no"])
        Offer.objects.filter(pk=offer.pk).update(policy=policy)
    offer.policy_id = policy.pk
    look_for_findings(at=at, enterprises=[offer.enterprise_id])
    return offer


def policy_row(offer: Offer, request: QuoteRequest, at: datetime) -> dict[str, Any]:
    """The offer in the terms of the policies' feed."""
    enterprise = Enterprise.objects.get(pk=offer.enterprise_id)
    today = beijing_day(at).isoformat()
    before = (
        Policy.objects.filter(enterprise=enterprise, is_void=False, start_on__lt=request.start_on)
        .order_by("-cover_end_on", "-start_on")
        .first()
    )
    row: dict[str, Any] = {
        "policy_no": f"BD{offer.offer_no[2:]}",
        "product_name": offer.product_name,
        "wording_no": offer.wording_no,
        "nature": "SOLE",
        "holder_name": enterprise.name,
        "holder_uscc": enterprise.uscc,
        "insured_uscc": enterprise.uscc,
        "applied_on": min(beijing_day(request.asked_at).isoformat(), today),
        "issued_on": today,
        "start_on": request.start_on.isoformat(),
        "end_on": request.end_on.isoformat(),
        "insured_workers": request.workers,
        "registered_workers": max(request.workers, enterprise.registered_workers),
        "limit_per_person": f"{offer.limit_per_person:.2f}",
        "limit_per_accident": f"{offer.limit_per_accident:.2f}",
        "aggregate_limit": f"{offer.aggregate_limit:.2f}",
        "premium_written": f"{offer.premium:.2f}",
        "rate_base": f"{offer.rate_base:.6f}",
        "rate_factors": offer.rate_factors,
        "rate_final": f"{offer.rate_final:.6f}",
        "agreed_expense_ratio": f"{offer.agreed_expense_ratio:.4f}",
        "agreed_service_types": list(offer.service_types),
        "agreed_frequency": offer.visits,
        "is_renewal": before is not None,
        "entered_at": at.isoformat(),
    }
    if before is not None and before.insurer_id == offer.insurer_id:
        row["previous_policy_no"] = before.policy_no
    return row

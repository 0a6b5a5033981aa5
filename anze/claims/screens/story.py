"""The story of one claim, its four clocks, whether the policy covered it, and what can be done next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max, Min, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _now

from anze.claims.models import Claim, ClaimCover, ClaimStep, ClaimTwin, LossNotice, Payment, Victim
from anze.claims.rules import (
    ADVANCE,
    ASSESS,
    CLAIM_ENDS,
    PAY,
    REFUSE,
    TURN,
    ClaimParty,
    ClaimState,
    ClaimStepKind,
    Clock,
    Cover,
    Doubt,
    PaymentKind,
    RejectCode,
    TwinReason,
    TwinState,
    clock_state,
    cover_doubts,
    steps_open,
)
from anze.claims.screens.notices import photos_shown
from anze.kernel.duty import beijing_day, deadline_text, end_of_day
from anze.kernel.models import parameter
from anze.kernel.wording import listed
from anze.screen.columns import Column, labels, plan, readers_of, text_of
from anze.screen.pages import moment, money
from anze.underwriting.models import Endorsement, Policy
from anze.underwriting.rules import EndorsementKind

_TONES = {
    "REJECTED": "danger", "ASKED": "warning", "DISPUTED": "warning", "PAID": "success", "CLOSED": "success",
    "ADVANCED": "success",
}  # fmt: skip
CLOCK_TONES = {"LATE": "danger", "SOON": "warning", "RUNNING": "info", "KEPT": "success", "MISSED": "warning"}
# moment of the claim → the step it tells of, where no step was taken here
_MOMENTS = (
    ("notified_at", ClaimStepKind.NOTICED),
    ("registered_at", ClaimStepKind.REGISTERED),
    ("surveyed_at", ClaimStepKind.SURVEYED),
    ("docs_asked_at", ClaimStepKind.ASKED),
    ("docs_complete_at", ClaimStepKind.DOCS_COMPLETE),
    ("assessed_at", ClaimStepKind.ASSESSED),
    ("agreed_at", ClaimStepKind.AGREED),
    ("paid_at", ClaimStepKind.PAID),
    ("refusal_sent_at", ClaimStepKind.LETTER),
)
_ENDS = {
    ClaimState.CLOSED: ClaimStepKind.CLOSED,
    ClaimState.REJECTED: ClaimStepKind.REJECTED,
    ClaimState.CANCELLED: ClaimStepKind.CANCELLED,
    ClaimState.CLOSED_ZERO: ClaimStepKind.CLOSED_ZERO,
}


@dataclass(frozen=True)
class Told:
    """One line of the story."""

    at: datetime
    when: str
    title: str
    who: str
    words: str
    facts: tuple[tuple[str, str], ...] = ()
    tone: str = ""


def story_of(claim: Claim) -> list[Told]:
    """Newest first. What the insurer's system reported has a moment and no name; a step taken here has both."""
    steps = list(ClaimStep.objects.filter(claim=claim).order_by("at", "id"))
    words = labels(ClaimStepKind.choices)
    kinds = {step.kind for step in steps}
    told = [_told(step) for step in steps]
    moments: list[tuple[datetime | None, ClaimStepKind]] = [(getattr(claim, name), kind) for name, kind in _MOMENTS]
    if claim.state in _ENDS:
        moments.append((claim.closed_at, _ENDS[ClaimState(claim.state)]))
    reported = _now("reported by the insurer")
    for at, kind in moments:
        if at is not None and kind not in kinds:
            said = claim.reject_reason if kind == ClaimStepKind.REJECTED else ""
            said = claim.docs_missing if kind == ClaimStepKind.ASKED else said
            told.append(Told(at, moment(at), words[kind], reported, said, (), _TONES.get(kind, "")))
    for payment in Payment.objects.filter(claim=claim, kind=PaymentKind.ADVANCE).order_by("paid_on", "seq"):
        if ClaimStepKind.ADVANCED not in kinds:
            facts = ((_now("amount (yuan)"), money(payment.amount)),)
            at = end_of_day(payment.paid_on)
            told.append(Told(at, str(payment.paid_on), words[ClaimStepKind.ADVANCED], reported, "", facts, "success"))
    # a stable sort of what stands in the order of the law, turned round: of one moment, the later step is above
    return sorted(told, key=lambda each: each.at)[::-1]


def _told(step: ClaimStep) -> Told:
    who = " · ".join(
        part for part in (step.by_name, step.organisation_name, labels(ClaimParty.choices)[step.party]) if part
    )
    facts = []
    if step.amount is not None:
        facts.append((_now("amount (yuan)"), money(step.amount)))
    if step.number:
        facts.append((_now("number"), step.number))
    if step.to_whom:
        facts.append((_now("to whom"), step.to_whom))
    if step.party == ClaimParty.SYSTEM and step.from_state != step.to_state:
        states = labels(ClaimState.choices)
        facts.append((_now("state"), f"{states[step.from_state]} → {states[step.to_state]}"))
    return Told(
        step.at, moment(step.at), labels(ClaimStepKind.choices)[step.kind], who, step.words, tuple(facts),
        _TONES.get(step.kind, ""),
    )  # fmt: skip


@dataclass(frozen=True)
class ClockLine:
    """One of the four clocks as the page shows it."""

    title: str
    source: str
    due: str
    state: str
    tone: str


def clocks_of(claim: Claim, now: datetime) -> list[ClockLine]:
    advances = Payment.objects.filter(claim=claim).aggregate(
        first=Min("paid_on", filter=Q(kind__in=(PaymentKind.ADVANCE, PaymentKind.SETTLEMENT)))
    )
    first = advances["first"]
    ended = claim.state in CLAIM_ENDS
    given = [moment for moment in (claim.agreed_at, end_of_day(first) if first else None) if moment is not None]
    lines = (
        (ASSESS, claim.assess_due_at, claim.assessed_at),
        (ADVANCE, claim.advance_due_at, min(given) if given else None),
        (PAY, claim.pay_due_at, claim.paid_at),
        (REFUSE, claim.refusal_due_at, claim.refusal_sent_at),
    )
    words = labels(Clock.choices)
    soon = int(parameter("alert.claim_notice_days", beijing_day(now), claim.region_code))
    made = []
    for duty, due_at, done_at in lines:
        state = clock_state(due_at, done_at, ended and duty is not REFUSE, now, soon)
        if duty is ASSESS and due_at is None and not ended:
            state = Clock.PAUSED
        if state is not None:
            made.append(
                ClockLine(
                    str(duty.title), str(duty.source), deadline_text(due_at) if due_at else "", words[state],
                    CLOCK_TONES.get(state, ""),
                )
            )  # fmt: skip
    return made


@dataclass(frozen=True)
class CoverShown:
    """The policy on the day of loss, and what speaks against cover."""

    facts: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]
    note: str


_COVER = ("insured_workers", "registered_workers", "limit_per_person", "limit_per_accident", "aggregate_limit")


def cover_of(claim: Claim) -> CoverShown | None:
    """From the row kept with the claim, and the endorsements effective by then; they are dated by themselves."""
    kept = ClaimCover.objects.filter(claim=claim).first()
    if kept is None:
        return None
    cover = _cover(kept)
    victims = list(Victim.objects.filter(claim=claim).values_list("kind", "degree", "amount"))
    doubts = cover_doubts(cover, claim.loss_on, claim.claimed, victims)
    words = labels(Doubt.choices)
    facts = [(_now("Days of cover"), f"{cover.start_on} – {cover.end_on}")]
    for each in (plan(Policy, Column(name)) for name in _COVER):
        facts.append((each.heading, text_of(each)(getattr(cover, each.name))))
    note = (
        _now("The policy came in only after the loss; shown as first recorded.")
        if kept.is_later
        else _now("As the record stood at the end of %(day)s.") % {"day": kept.as_of_on}
    )
    return CoverShown(tuple(facts), tuple(words[doubt] % values for doubt, values in doubts), note)


def _cover(kept: ClaimCover) -> Cover:
    then = kept.content
    end_on = _day(then["cover_end_on"])
    workers, limit = int(then["insured_workers"]), Decimal(str(then["limit_per_person"]))
    known = Endorsement.objects.filter(policy_id=kept.policy_id, is_void=False, effective_on__lte=kept.as_of_on)
    for kind, after, effective_on in known.order_by("effective_on", "issued_on").values_list(
        "kind", "after_value", "effective_on"
    ):
        if kind == EndorsementKind.HEADCOUNT:
            workers = int(after)
        elif kind == EndorsementKind.LIMIT:
            limit = Decimal(after)
        elif kind == EndorsementKind.PERIOD:
            end_on = _day(after)
        elif kind == EndorsementKind.CANCEL:
            end_on = min(end_on, date.fromordinal(effective_on.toordinal() - 1))
    return Cover(
        start_on=_day(then["start_on"]),
        end_on=end_on,
        issued_on=_day(then["issued_on"]),
        insured_workers=workers,
        registered_workers=then["registered_workers"],
        limit_per_person=limit,
        limit_per_accident=Decimal(str(then["limit_per_accident"])),
        aggregate_limit=Decimal(str(then["aggregate_limit"])),
    )


def _day(text: str) -> date:
    found = parse_date(text)
    assert found is not None
    return found


def twins_of(request: HttpRequest, claim: Claim) -> list[dict[str, Any]]:
    """Claims that look alike: that there is one for everybody who sees this claim, the pair for who reviews them."""
    actor = request.actor  # type: ignore[attr-defined]
    if actor.scope.reader not in readers_of(ClaimTwin) or actor.scope.reader == "anze_enterprise":
        return []
    words, states = labels(TwinReason.choices), labels(TwinState.choices)
    may_open = actor.may("REVIEW_CLAIMS")
    found = ClaimTwin.objects.filter(Q(claim=claim) | Q(other=claim)).exclude(state=TwinState.DIFFERENT)
    return [
        {
            "reasons": listed(words[each] for each in twin.reasons),
            "state": states[twin.state],
            "words": twin.words,
            "url": reverse("claim-twin", args=[twin.pk]) if may_open else "",
            "other_insurer": twin.insurer_id != twin.other_insurer_id,
        }
        for twin in found[:10]
    ]


@dataclass(frozen=True)
class Offered:
    """A button: what can be done now and where its form is."""

    title: str
    url: str
    tone: str
    icon: str


def page_words(request: HttpRequest, claim: Claim) -> Mapping[str, Any]:
    """What the page of a claim shows beside its facts."""
    if request.GET.get("tab"):
        return {}
    actor, at = request.actor, request.at  # type: ignore[attr-defined]
    party = ClaimParty.ENTERPRISE if actor.scope.reader == "anze_enterprise" else ClaimParty.INSURER
    paid = Payment.objects.filter(claim=claim, kind__in=(PaymentKind.ADVANCE, PaymentKind.SETTLEMENT)).aggregate(
        total=Sum("amount"), last=Max("paid_on")
    )
    offered = [
        Offered(str(step.title), reverse(f"claim-{step.name}", args=[claim.pk]), step.tone, step.icon)
        for step in steps_open(claim, party, paid=paid["total"] or Decimal(0))
        if actor.may(step.permission)
    ]
    first = offered[0] if offered and offered[0].tone == "primary" else None
    notice = LossNotice.objects.filter(claim=claim).first()
    return {
        **photos_shown(request, [notice.pk] if notice else []),
        "story": story_of(claim),
        "clocks": clocks_of(claim, at),
        "cover": cover_of(claim),
        "twins": twins_of(request, claim),
        "turn": TURN[claim.state] if claim.state != "REJECTED" or not claim.refusal_sent_at else _letter_sent(claim),
        "first": first,
        "others": offered[1:] if first else offered,
        "notice": notice,
        "today": beijing_day(at),
    }


def _letter_sent(claim: Claim) -> str:
    ground = labels(RejectCode.choices).get(claim.reject_code, claim.reject_reason)
    return _now("The claim was rejected (%(ground)s) and the letter sent.") % {"ground": ground}

"""Claims handled on the platform: each step is published through the feed of claims, as an insurer's system would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from anze.claims.models import Claim, ClaimCover, ClaimStep, LossNotice, Payment
from anze.claims.rules import (
    NOTICE,
    STEPS,
    ClaimParty,
    ClaimState,
    ClaimStepKind,
    Money,
    PaymentKind,
    Step,
    why_not,
    why_not_amount,
)
from anze.exchange.actions.batches import process_batch, receive_batch
from anze.exchange.decoding import FoundProblem
from anze.exchange.entry import content_of
from anze.exchange.feeds import FEEDS
from anze.exchange.publishing import hold
from anze.exchange.receipts import explained_problems
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import BEIJING, beijing_day
from anze.kernel.refusal import Refused, reasoned
from anze.kernel.rules import Channel
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.models import Enterprise, Organisation
from anze.parties.rules import Permission
from anze.underwriting.models import Policy

NDJSON = "application/x-ndjson"
FINAL = (PaymentKind.ADVANCE, PaymentKind.SETTLEMENT)


@dataclass(frozen=True)
class Given:
    """What somebody writes with a step."""

    words: str = ""
    amount: Decimal | None = None
    number: str = ""
    to_whom: str = ""
    code: str = ""
    day: date | None = None
    version: int | None = None  # of the claim the form was made from

    def __str__(self) -> str:
        return " ".join(str(each) for each in (self.amount, self.number, self.code) if each)


def party_of(by: Actor) -> ClaimParty:
    return ClaimParty.ENTERPRISE if by.scope.reader == "anze_enterprise" else ClaimParty.INSURER


def paid_of(claim: Claim) -> Decimal:
    """Advances and settlements up to now; costs and recoveries are beside the amount of the claim."""
    found = Payment.objects.filter(claim_id=claim.pk, kind__in=FINAL).aggregate(total=Sum("amount"))["total"]
    return found or Decimal(0)


def money_of(claim: Claim) -> Money:
    """The sums of a claim, and the most its policy leaves for it; with everything in view."""
    cover = ClaimCover.objects.filter(claim_id=claim.pk).values_list("content", flat=True).first()
    content = cover or Policy.objects.filter(pk=claim.policy_id).values("limit_per_accident", "aggregate_limit").get()
    others = (
        Payment.objects.filter(policy_id=claim.policy_id, claim__is_void=False, kind__in=FINAL)
        .exclude(claim_id=claim.pk)
        .aggregate(total=Sum("amount"))["total"]
    )
    left = Decimal(str(content["aggregate_limit"])) - (others or Decimal(0))
    return Money(
        claimed=claim.claimed,
        limit=max(min(Decimal(str(content["limit_per_accident"])), left), Decimal(0)),
        assessed=claim.assessed,
        agreed=claim.agreed,
        paid=paid_of(claim),
    )


def _in_name_of(insurer: Organisation, feed: str, row: dict[str, Any], *, by: Actor, at: datetime) -> None:
    """Publish one row in the insurer's name, in the present transaction; what a check refuses is told as such."""
    batch, _is_new = receive_batch(
        insurer,
        by=replace(by, scope=EVERYTHING, permissions=by.permissions | {Permission.ENTER_DATA}),
        at=at,
        feed=FEEDS[feed],
        channel=Channel.WEB,
        body=msgspec.json.encode(row),
        content_type=NDJSON,
        idempotency_key=f"step {uuid7()}",
    )
    process_batch(batch, at=at)
    found = batch.findings.order_by("row", "id").first()
    if found is not None:
        told = explained_problems(feed, [FoundProblem(1, found.field, found.code, found.values)])[0]
        raise Refused(found.code, told["message"], remedy=told["remedy"], field=found.field, status=409)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as its sender would write it: moments in Beijing time, nothing where nothing is known."""
    kept = {}
    for name, value in row.items():
        if isinstance(value, list):
            value = [_told(line) for line in value]
        if isinstance(value, datetime):
            value = value.astimezone(BEIJING).isoformat()
        elif isinstance(value, Decimal):
            value = f"{value:.2f}"
        if value not in (None, "", []):
            kept[name] = value
    return kept


def _take(claim: Claim, step: Step, given: Given, by: Actor, at: datetime) -> ClaimStep:
    """One step: the claim is held, the rules are asked, the row is published, the step is told."""
    with widened(EVERYTHING):
        # the publishing of this insurer's claims waits for the same lock: in this order nobody waits in a circle
        hold(FEEDS["claims"], claim.insurer_id)
        now = Claim.objects.select_for_update().get(pk=claim.pk)
        if given.version is not None and given.version != now.version:
            raise Refused(
                "moved_meanwhile",
                _("Somebody changed this claim meanwhile."),
                remedy=_("Look at it again, then decide."),
                status=409,
            )
        refused = why_not(step, now, party_of(by), paid=paid_of(now))
        if refused is not None:
            raise refused
        before = now.state
        changes = _CHANGES[step.name](now, given, at) if step.name in _CHANGES else {}
        if step.moment:
            changes[step.moment] = at
        if step.target is not None:
            changes.setdefault("state", step.target.value)
        if changes.get("state") == before and step.name == "pay":
            changes.pop("paid_at", None)
        if changes:
            content = content_of(FEEDS["claims"], now)
            insurer = Organisation.objects.get(pk=now.insurer_id)
            _mark(step.name)
            _in_name_of(insurer, "claims", _told(content | changes), by=by, at=at)
            _mark("")
            now.refresh_from_db()
        return _keep(now, step.kind, before, given, by, at)


def _mark(step: str) -> None:
    """Let the feed know that a step of the platform is being published, which tells itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('anze.claim_step', %s, true)", [step])


def _keep(
    claim: Claim, kind: ClaimStepKind, before: str, given: Given, by: Actor, at: datetime, party: str = ""
) -> ClaimStep:
    return ClaimStep.objects.create(
        claim=claim,
        kind=kind,
        at=at,
        from_state=before,
        to_state=claim.state,
        party=party or party_of(by),
        by=by.account_id,
        by_name=by.name[:120],
        organisation_name=by.organisation_name[:160],
        words=given.words[:1000],
        to_whom=given.to_whom,
        number=given.number,
        amount=given.amount,
        region_code=claim.region_code,
        sector=claim.sector,
        insurer_id=claim.insurer_id,
        enterprise_id=claim.enterprise_id,
    )


# what a step changes in the claim beside its state and its moment --------------------------------------------------


def _amount(claim: Claim, name: str, given: Given) -> tuple[Decimal, Money]:
    money = money_of(claim)
    amount = given.amount or Decimal(0)
    if refused := why_not_amount(STEPS[name], amount, money):
        raise refused
    return amount, money


def _asked(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    return {"docs_missing": reasoned(given.words)[:500]}


def _assessed(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    amount, money = _amount(claim, "assess", given)
    return {"assessed": amount, "outstanding": amount - money.paid}


def _agreed(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    amount, money = _amount(claim, "agree", given)
    return {"agreed": amount, "outstanding": amount - money.paid}


def _accepted(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    return _agreed(claim, replace(given, amount=claim.assessed), at)


def _payment(kind: PaymentKind) -> Any:
    def pay(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
        name = "advance" if kind is PaymentKind.ADVANCE else "pay"
        amount, money = _amount(claim, name, given)
        today = beijing_day(at)
        day = given.day or today
        if not claim.loss_on <= day <= today:
            raise Refused(
                "paid_out_of_time",
                _("A payment lies between the day of loss and today."),
                remedy=_("Correct the day."),
                field="day",
            )
        lines = list(Payment.objects.filter(claim_id=claim.pk).order_by("seq").values("kind", "amount", "paid_on"))
        changes: dict[str, Any] = {"payments": [*lines, {"kind": kind.value, "amount": amount, "paid_on": day}]}
        rest = (money.agreed or money.assessed or money.claimed) - money.paid - amount
        changes["outstanding"] = max(rest, Decimal(0))
        if kind is PaymentKind.SETTLEMENT and rest > 0:
            changes["state"] = ClaimState.AGREED.value  # paid in parts: the rest is still owed
        return changes

    return pay


def _rejected(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    if not given.code:
        raise Refused(
            "code_missing", _("A rejection has its ground."), remedy=_("Choose the ground from the list."), field="code"
        )
    return {"reject_code": given.code, "reject_reason": reasoned(given.words)[:200], "outstanding": Decimal(0)}


def _ended(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    reasoned(given.words)
    return {"outstanding": Decimal(0)}


def _closed(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    return {"outstanding": Decimal(0)}


def _objected(claim: Claim, given: Given, at: datetime) -> dict[str, Any]:
    reasoned(given.words)
    return {}


_CHANGES: dict[str, Any] = {
    "ask": _asked,
    "assess": _assessed,
    "agree": _agreed,
    "accept": _accepted,
    "object": _objected,
    "advance": _payment(PaymentKind.ADVANCE),
    "pay": _payment(PaymentKind.SETTLEMENT),
    "reject": _rejected,
    "cancel": _ended,
    "close-zero": _ended,
    "close": _closed,
}


def _action_of(step: Step) -> Any:
    @action(step.permission, f"claim.{step.name}")
    def take(claim: Claim, *, by: Actor, at: datetime, given: Given) -> ClaimStep:
        return _take(claim, step, given, by, at)

    return take


# step → the action that takes it; permission and event are the step's own
CLAIM_ACTIONS: dict[str, Any] = {step.name: _action_of(step) for step in STEPS.values()}


# a loss notice becomes an accident and a claim ---------------------------------------------------------------------


@action(Permission.HANDLE_CLAIMS, "claim.registered")
def register_notice(notice: LossNotice, *, by: Actor, at: datetime, claim_no: str, has_accident: bool = True) -> Claim:
    """Register the claim of a notice: accident and claim are published through their feeds, or neither of them."""
    with widened(EVERYTHING):
        # both locks before any row, in the order of the feeds
        for name in ("accidents", "claims"):
            hold(FEEDS[name], notice.insurer_id)
        held = LossNotice.objects.select_for_update().get(pk=notice.pk)
        if held.state not in NOTICE.find("register").sources:
            raise Refused(
                "wrong_state",
                _("This cannot be done in the present state."),
                remedy=_("Reload the page: somebody may have moved it meanwhile."),
                status=409,
            )
        claim_no = claim_no.strip()
        if Claim.objects.filter(insurer_id=held.insurer_id, claim_no=claim_no).exists():
            raise Refused(
                "number_taken",
                _("There is a claim with this number."),
                remedy=_("Give another number."),
                field="claim_no",
                status=409,
            )
        insurer = Organisation.objects.get(pk=held.insurer_id)
        uscc = Enterprise.objects.values_list("uscc", flat=True).get(pk=held.enterprise_id)
        accident_no = f"SG{claim_no.removeprefix('LP')}" if has_accident else ""
        if has_accident:
            _in_name_of(insurer, "accidents", _told(_accident_row(held, accident_no, uscc)), by=by, at=at)
        _mark("register")
        _in_name_of(insurer, "claims", _told(_claim_row(held, claim_no, accident_no, at)), by=by, at=at)
        _mark("")
        claim = Claim.objects.get(insurer_id=held.insurer_id, claim_no=claim_no)
        NOTICE.move(held, "register", claim=claim, answered_at=at)
        ClaimStep.objects.create(
            claim=claim, kind=ClaimStepKind.NOTICED, at=held.sent_at, from_state=ClaimState.NOTIFIED,
            to_state=ClaimState.NOTIFIED, party=ClaimParty.ENTERPRISE, by_name=held.sent_by, words=held.description,
            number=held.notice_no, region_code=claim.region_code, sector=claim.sector, insurer_id=claim.insurer_id,
            enterprise_id=claim.enterprise_id,
        )  # fmt: skip
        _keep(claim, ClaimStepKind.REGISTERED, ClaimState.NOTIFIED, Given(number=claim_no), by, at)
    return claim


def _accident_row(notice: LossNotice, accident_no: str, uscc: str) -> dict[str, Any]:
    names = ("place", "kind", "deaths", "serious_injuries", "minor_injuries", "hits_third_party", "description",
             "occurred_at", "learned_at", "reported_at")  # fmt: skip
    row = {name: getattr(notice, name) for name in names}
    return {**row, "accident_no": accident_no, "insured_uscc": uscc, "direct_loss": notice.claimed}


def _claim_row(notice: LossNotice, claim_no: str, accident_no: str, at: datetime) -> dict[str, Any]:
    return {
        "claim_no": claim_no,
        "policy_no": Policy.objects.values_list("policy_no", flat=True).get(pk=notice.policy_id),
        "accident_no": accident_no,
        "state": ClaimState.REGISTERED.value,
        "loss_on": beijing_day(notice.occurred_at).isoformat(),
        "notified_at": notice.sent_at,
        "registered_at": at,
        "claimed": notice.claimed,
        "outstanding": notice.claimed,
    }


def limit_words(claim: Claim) -> Money:
    """The sums of a claim for the page of a step, whoever looks at it."""
    with widened(EVERYTHING):
        return money_of(claim)

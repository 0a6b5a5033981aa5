"""Claims: their states, the steps from the loss notice to the closing, the four clocks of the insurance law."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission


class ClaimState(TextChoices):
    NOTIFIED = "NOTIFIED", _("loss notified")
    REGISTERED = "REGISTERED", _("registered")
    SURVEYED = "SURVEYED", _("surveyed")
    DOCS_COMPLETE = "DOCS_COMPLETE", _("documents complete")
    ASSESSED = "ASSESSED", _("assessed")
    AGREED = "AGREED", _("amount agreed")
    PAID = "PAID", pgettext_lazy("claim", "paid")
    CLOSED = "CLOSED", pgettext_lazy("claim", "closed")
    REJECTED = "REJECTED", pgettext_lazy("claim", "rejected")
    CANCELLED = "CANCELLED", pgettext_lazy("claim", "cancelled")
    CLOSED_ZERO = "CLOSED_ZERO", _("closed without payment")


# step of a claim → the steps that come before it; the survey may precede the registration
CLAIM_STEPS: dict[str, tuple[str, ...]] = {
    "notified_at": (),
    "registered_at": ("notified_at",),
    "surveyed_at": ("notified_at",),
    "docs_complete_at": ("notified_at",),
    "assessed_at": ("notified_at", "registered_at", "surveyed_at"),
    "agreed_at": ("notified_at", "registered_at", "surveyed_at", "assessed_at"),
    "paid_at": ("notified_at", "registered_at", "surveyed_at", "assessed_at", "agreed_at"),
    "closed_at": ("notified_at", "registered_at", "surveyed_at", "assessed_at", "agreed_at", "paid_at"),
}

CLAIM_ENDS = (ClaimState.CLOSED, ClaimState.REJECTED, ClaimState.CANCELLED, ClaimState.CLOSED_ZERO)

# state → the moment it must have
CLAIM_MOMENTS: dict[ClaimState, str] = {
    ClaimState.REGISTERED: "registered_at",
    ClaimState.SURVEYED: "surveyed_at",
    ClaimState.DOCS_COMPLETE: "docs_complete_at",
    ClaimState.ASSESSED: "assessed_at",
    ClaimState.AGREED: "agreed_at",
    ClaimState.PAID: "paid_at",
    **dict.fromkeys(CLAIM_ENDS, "closed_at"),
}


class VictimKind(TextChoices):
    WORKER = "WORKER", _("worker")
    THIRD_PARTY = "THIRD_PARTY", _("third party")


class InjuryDegree(TextChoices):
    DEATH = "DEATH", _("death")
    SERIOUS = "SERIOUS", _("serious injury")
    MINOR = "MINOR", _("minor injury")
    PROPERTY = "PROPERTY", _("property damage")


class PaymentKind(TextChoices):
    ADVANCE = "ADVANCE", _("advance payment")
    SETTLEMENT = "SETTLEMENT", _("settlement")
    COSTS = "COSTS", _("rescue, appraisal or litigation costs")
    RECOVERY = "RECOVERY", _("recovery")


class RejectCode(TextChoices):
    """Why a claim is rejected; the letter says more."""

    NOT_COVERED = "NOT_COVERED", _("not within the liability insured")
    EXCLUDED = "EXCLUDED", _("excluded by the contract")
    OUT_OF_TERM = "OUT_OF_TERM", _("outside the days of cover")
    NOT_INSURED = "NOT_INSURED", _("the person is not among the insured")
    NOT_DISCLOSED = "NOT_DISCLOSED", _("material facts were not disclosed")
    NO_LOSS = "NO_LOSS", _("no loss, or paid by another insurance")
    OTHER = "OTHER", _("another reason")


class ClaimParty(TextChoices):
    """In what capacity somebody takes a step."""

    ENTERPRISE = "ENTERPRISE", _("enterprise")
    INSURER = "INSURER", _("insurer")
    SYSTEM = "SYSTEM", _("the insurer's system")


class ClaimStepKind(TextChoices):
    NOTICED = "NOTICED", _("loss notified")
    REGISTERED = "REGISTERED", _("registered")
    SURVEYED = "SURVEYED", _("surveyed")
    ASKED = "ASKED", _("missing documents asked for")
    HANDED_IN = "HANDED_IN", _("documents handed in")
    DOCS_COMPLETE = "DOCS_COMPLETE", _("documents complete")
    ASSESSED = "ASSESSED", _("assessed")
    DISPUTED = "DISPUTED", _("the enterprise does not agree with the amount")
    AGREED = "AGREED", _("amount agreed")
    ADVANCED = "ADVANCED", _("advance paid")
    PAID = "PAID", pgettext_lazy("claim", "paid")
    CLOSED = "CLOSED", pgettext_lazy("claim", "closed")
    REJECTED = "REJECTED", pgettext_lazy("claim", "rejected")
    LETTER = "LETTER", _("refusal letter sent")
    CANCELLED = "CANCELLED", pgettext_lazy("claim", "cancelled")
    CLOSED_ZERO = "CLOSED_ZERO", _("closed without payment")
    CORRECTED = "CORRECTED", _("correction from the insurer's system")


S, P, K = ClaimState, ClaimParty, ClaimStepKind
# How far a claim has come; a correction of the insurer's system never leads back behind a step taken here.
CLAIM_ORDER = {
    S.NOTIFIED: 0, S.REGISTERED: 1, S.SURVEYED: 2, S.DOCS_COMPLETE: 3, S.ASSESSED: 4, S.AGREED: 5, S.PAID: 6,
    **dict.fromkeys(CLAIM_ENDS, 7),
}  # fmt: skip
_OPEN = (S.NOTIFIED, S.REGISTERED, S.SURVEYED, S.DOCS_COMPLETE, S.ASSESSED)


@dataclass(frozen=True)
class Step:
    """One thing that can be done with a claim. `name` stands in the address of its page; without a target the
    state stays. `moment` is the column of the claim that holds when it was done."""

    name: str
    kind: ClaimStepKind
    title: str | Promise
    permission: Permission
    party: ClaimParty
    sources: tuple[ClaimState, ...]
    target: ClaimState | None = None
    moment: str = ""
    tone: str = ""
    icon: str = "pencil"


_HANDLE, _REPORT = Permission.HANDLE_CLAIMS, Permission.REPORT_LOSSES
STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("register", K.REGISTERED, _("Register the claim"), _HANDLE, P.INSURER,
                  (S.NOTIFIED,), S.REGISTERED, "registered_at", tone="primary", icon="plus"),
        Step("survey", K.SURVEYED, _("Record the survey"), _HANDLE, P.INSURER,
                  (S.REGISTERED,), S.SURVEYED, "surveyed_at", tone="primary", icon="map-pin"),
        Step("documents", K.DOCS_COMPLETE, _("Documents are complete"), _HANDLE, P.INSURER,
                  (S.SURVEYED,), S.DOCS_COMPLETE, "docs_complete_at", tone="primary", icon="checklist"),
        Step("assess", K.ASSESSED, _("Assess the amount"), _HANDLE, P.INSURER,
                  (S.DOCS_COMPLETE, S.ASSESSED), S.ASSESSED, "assessed_at", tone="primary", icon="calculator"),
        Step("accept", K.AGREED, _("Agree with the amount"), _REPORT, P.ENTERPRISE,
                  (S.ASSESSED,), S.AGREED, "agreed_at", tone="primary", icon="check"),
        Step("object", K.DISPUTED, _("Do not agree"), _REPORT, P.ENTERPRISE, (S.ASSESSED,), icon="x"),
        Step("agree", K.AGREED, _("Record the agreement"), _HANDLE, P.INSURER,
                  (S.ASSESSED,), S.AGREED, "agreed_at", tone="primary", icon="signature"),
        Step("pay", K.PAID, _("Record a payment"), _HANDLE, P.INSURER,
                  (S.AGREED,), S.PAID, "paid_at", tone="primary", icon="cash"),
        Step("close", K.CLOSED, _("Close the claim"), _HANDLE, P.INSURER,
                  (S.PAID,), S.CLOSED, "closed_at", tone="primary", icon="circle-check"),
        Step("letter", K.LETTER, _("Refusal letter sent"), _HANDLE, P.INSURER,
                  (S.REJECTED,), None, "refusal_sent_at", tone="primary", icon="mail"),
        Step("ask", K.ASKED, _("Ask for missing documents"), _HANDLE, P.INSURER,
                  (S.NOTIFIED, S.REGISTERED, S.SURVEYED), None, "docs_asked_at", icon="file-text"),
        Step("hand-in", K.HANDED_IN, _("Hand in documents"), _REPORT, P.ENTERPRISE,
                  (S.NOTIFIED, S.REGISTERED, S.SURVEYED), icon="upload"),
        Step("advance", K.ADVANCED, _("Advance payment"), _HANDLE, P.INSURER,
                  (S.REGISTERED, S.SURVEYED, S.DOCS_COMPLETE, S.ASSESSED), icon="coin"),
        Step("reject", K.REJECTED, _("Reject the claim"), _HANDLE, P.INSURER,
                  (S.REGISTERED, S.SURVEYED, S.DOCS_COMPLETE, S.ASSESSED), S.REJECTED, "closed_at",
                  tone="danger", icon="x"),
        Step("cancel", K.CANCELLED, _("The enterprise withdraws the claim"), _HANDLE, P.INSURER,
                  _OPEN, S.CANCELLED, "closed_at", icon="x"),
        Step("close-zero", K.CLOSED_ZERO, _("Close without payment"), _HANDLE, P.INSURER,
                  (S.REGISTERED, S.SURVEYED, S.DOCS_COMPLETE, S.ASSESSED), S.CLOSED_ZERO, "closed_at", icon="circle-minus"),
    )
}  # fmt: skip
# the ways of a claim; the write itself goes through the feed, with the row held (anze.exchange.actions.claims)
LIFECYCLE = Lifecycle(
    S.NOTIFIED,
    tuple(
        Transition(each.name, each.sources, each.target, each.title, each.permission)
        for each in STEPS.values()
        if each.target is not None
    ),
)
ENDS_UNPAID = ("reject", "cancel", "close-zero")


class ClaimFacts(Protocol):
    """What the rules must know of a claim."""

    state: str
    is_void: bool
    docs_asked_at: datetime | None
    refusal_sent_at: datetime | None


def _no(code: str, sentence: str | Promise, remedy: str | Promise, status: int = 409, field: str = "state") -> Refused:
    return Refused(code, sentence, remedy=remedy, status=status, field=field)


def why_not(step: Step, claim: ClaimFacts, party: ClaimParty, *, paid: Decimal = Decimal(0)) -> Refused | None:
    """Why somebody cannot take a step now, or nothing. `paid`: what was paid under the claim up to now."""
    if party is not step.party:
        return _no(
            "not_your_step",
            _("This step is not yours to take."),
            _("The page of the claim says whose turn it is."),
            status=403,
        )
    if claim.is_void:
        return _no("claim_void", _("The record is void."), _("The insurer can take the voiding back."))
    # 保险法 Art. 22 para. 2: what is missing is asked for in one notice, promptly (及时一次性通知)
    if step.kind is K.ASKED and claim.docs_asked_at is not None:
        return _no(
            "asked_once",
            _(
                "The missing documents were asked for already. The law allows one notice that names all of them (保险法 Art. 22)."
            ),
            _("Assess with what was handed in; what you need beyond it you find out yourself."),
        )
    if claim.state not in step.sources:
        return _no(
            "wrong_state",
            _("This cannot be done in the present state."),
            _("Reload the page: somebody may have moved it meanwhile."),
        )
    if step.kind is K.LETTER and claim.refusal_sent_at is not None:
        return _no("done_already", _("The letter was sent already."), _("See the story of the claim."))
    if step.name in ENDS_UNPAID and paid > 0:
        return _no(
            "paid_already",
            _("Money was paid under this claim already."),
            _("Settle it to its end, or report the recovery first."),
        )
    return None


def steps_open(claim: ClaimFacts, party: ClaimParty, *, paid: Decimal = Decimal(0)) -> Iterator[Step]:
    """What somebody can do with a claim now, the likeliest first: the buttons of its page."""
    for step in STEPS.values():
        if why_not(step, claim, party, paid=paid) is None:
            yield step


# whose turn it is, as the page says it
TURN: dict[str, str | Promise] = {
    S.NOTIFIED: _("The insurer registers the claim."),
    S.REGISTERED: _("The insurer surveys the loss."),
    S.SURVEYED: _("The documents are brought together; what is missing is asked for once."),
    S.DOCS_COMPLETE: _("The insurer assesses the amount."),
    S.ASSESSED: _("Enterprise and insurer agree on the amount."),
    S.AGREED: _("The insurer pays."),
    S.PAID: _("Everything is paid; the insurer closes the claim."),
    S.CLOSED: _("The claim is closed."),
    S.REJECTED: _("The insurer sends the refusal letter with its reasons."),
    S.CANCELLED: _("The enterprise withdrew the claim."),
    S.CLOSED_ZERO: _("The claim is closed without payment."),
}


# money --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Money:
    """The sums of a claim in yuan. `paid` are advances and settlements; costs and recoveries are beside it.

    `limit` is the most that may be paid: the limit of the accident, or what is left of the aggregate limit.
    """

    claimed: Decimal
    limit: Decimal
    assessed: Decimal | None = None
    agreed: Decimal | None = None
    paid: Decimal = Decimal(0)

    @property
    def ceiling(self) -> Decimal:
        """What advances and payments together may reach at present."""
        sums = [self.claimed, self.limit, self.assessed, self.agreed]
        return min(each for each in sums if each is not None)

    @property
    def left(self) -> Decimal:
        return max(self.ceiling - self.paid, Decimal(0))


def why_not_amount(step: Step, amount: Decimal, money: Money) -> Refused | None:
    """Why a sum cannot be assessed, agreed or paid: advances and payments stay within what was agreed, that within
    what was assessed, and that within the limit."""
    if amount <= 0:
        return _no("amount_zero", _("The amount is not above 0."), _("Give the amount in yuan."), 422, "amount")
    top, said = {
        K.ASSESSED: (min(money.claimed, money.limit), _("It is above what is claimed or above the limit of the policy (at most %(most)s).")),
        K.AGREED: (min(money.limit, money.assessed or Decimal(0)), _("It is above the assessed amount (at most %(most)s).")),
    }.get(step.kind, (money.left, _("With what was paid before it goes beyond the amount of the claim (at most %(most)s).")))  # fmt: skip
    if amount > top:
        return Refused(
            "amount_too_large", said, remedy=_("Correct the amount."), field="amount", status=422,
            values={"most": f"{top:,.2f}"},
        )  # fmt: skip
    if step.kind in (K.ASSESSED, K.AGREED) and amount < money.paid:
        return Refused(
            "amount_below_paid",
            _("More was paid in advance already: %(paid)s."),
            remedy=_("Correct the amount, or report the recovery first."),
            field="amount",
            status=422,
            values={"paid": f"{money.paid:,.2f}"},
        )
    return None


# the clocks of the insurance law ------------------------------------------------------------------------------

ASSESS = Duty(
    "claim_assess",
    _("Assess a claim"),
    "claim_assessment_days",
    "DAYS",
    _("保险法 Art. 23"),
    (Party.INSURER,),
    pgettext_lazy("clock starts", "request and documents are complete"),
)
PAY = Duty(
    "claim_pay",
    _("Pay after the amount is agreed"),
    "claim_payment_days",
    "DAYS",
    _("保险法 Art. 23"),
    (Party.INSURER,),
    pgettext_lazy("clock starts", "the amount is agreed"),
)
REFUSE = Duty(
    "claim_refuse",
    _("Send the refusal letter"),
    "claim_refusal_days",
    "DAYS",
    _("保险法 Art. 24"),
    (Party.INSURER,),
    pgettext_lazy("clock starts", "the claim is rejected"),
)
ADVANCE = Duty(
    "claim_advance",
    _("Pay the determinable part in advance"),
    "claim_advance_days",
    "DAYS",
    _("保险法 Art. 25"),
    (Party.INSURER,),
    pgettext_lazy("clock starts", "request and documents are complete"),
)


class Clock(TextChoices):
    PAUSED = "PAUSED", _("stands still: documents asked for")
    RUNNING = "RUNNING", pgettext_lazy("clock", "running")
    SOON = "SOON", _("due soon")
    LATE = "LATE", _("overdue")
    KEPT = "KEPT", _("kept")
    MISSED = "MISSED", _("done late")
    OVER = "OVER", _("not needed any more")


def assess_from(notified_on: date, asked_on: date | None, complete_on: date | None) -> date | None:
    """The day the thirty days are counted from, or None while they stand still.

    From the first request with its documents (保险法司法解释(二) Art. 15); the time between the notice of what is
    missing and its arrival is deducted. Whoever asks for nothing cannot wait for anything.

    Written a second time on purpose: the feed of claims works it out in SQL, and the tests hold its answer against
    this.
    """
    if asked_on is None:
        return complete_on or notified_on
    if complete_on is None:
        return None
    return notified_on + timedelta(days=max((complete_on - asked_on).days, 0))


def clock_state(
    due_at: datetime | None, done_at: datetime | None, ended: bool, now: datetime, soon: int
) -> Clock | None:
    """How a clock stands; None when it has not begun. `soon`: days before the end at which it is announced."""
    if due_at is None:
        return None
    if done_at is not None:
        return Clock.KEPT if done_at <= due_at else Clock.MISSED
    if ended:
        return Clock.OVER
    if now >= due_at:
        return Clock.LATE
    return Clock.SOON if due_at - now <= timedelta(days=soon) else Clock.RUNNING


# whether the policy covered the loss: hints, never a decision ---------------------------------------------------


class Doubt(TextChoices):
    NOT_IN_FORCE = "NOT_IN_FORCE", _("On the day of loss the policy was not in force (%(first)s – %(last)s).")
    ISSUED_LATER = "ISSUED_LATER", _("The policy was issued on %(day)s, after the day of loss.")
    OVER_PERSON = "OVER_PERSON", _("A person's amount of ¥%(amount)s is above the limit per person of ¥%(limit)s.")
    OVER_ACCIDENT = "OVER_ACCIDENT", _("The claim of ¥%(amount)s is above the limit per accident of ¥%(limit)s.")
    PART_OF_WORKERS = (
        "PART_OF_WORKERS",
        _("Insured are %(insured)s of %(registered)s registered workers: look whether the person is among them."),
    )
    MORE_THAN_INSURED = "MORE_THAN_INSURED", _("Workers hurt: %(victims)s; insured: %(insured)s.")


@dataclass(frozen=True)
class Cover:
    """The policy as it stood on the day of loss."""

    start_on: date
    end_on: date
    issued_on: date
    insured_workers: int
    registered_workers: int | None
    limit_per_person: Decimal
    limit_per_accident: Decimal
    aggregate_limit: Decimal


def cover_doubts(
    cover: Cover, loss_on: date, claimed: Decimal, victims: list[tuple[str, str, Decimal]]
) -> list[tuple[Doubt, dict[str, object]]]:
    """What speaks against cover, each with its reason. `victims`: kind, degree, amount."""
    found: list[tuple[Doubt, dict[str, object]]] = []
    if not cover.start_on <= loss_on <= cover.end_on:
        found.append((Doubt.NOT_IN_FORCE, {"first": cover.start_on, "last": cover.end_on}))
    if cover.issued_on > loss_on:
        found.append((Doubt.ISSUED_LATER, {"day": cover.issued_on}))
    persons = [amount for _kind, degree, amount in victims if degree != InjuryDegree.PROPERTY]
    if persons and max(persons) > cover.limit_per_person:
        found.append((Doubt.OVER_PERSON, {"amount": f"{max(persons):,.2f}", "limit": f"{cover.limit_per_person:,.2f}"}))
    if claimed > cover.limit_per_accident:
        found.append((Doubt.OVER_ACCIDENT, {"amount": f"{claimed:,.2f}", "limit": f"{cover.limit_per_accident:,.2f}"}))
    workers = sum(kind == VictimKind.WORKER and degree != InjuryDegree.PROPERTY for kind, degree, _a in victims)
    if cover.registered_workers and workers and cover.insured_workers < cover.registered_workers:
        found.append(
            (Doubt.PART_OF_WORKERS, {"insured": cover.insured_workers, "registered": cover.registered_workers})
        )
    if workers > cover.insured_workers:
        found.append((Doubt.MORE_THAN_INSURED, {"victims": workers, "insured": cover.insured_workers}))
    return found


# loss notices, and claims that may be one ----------------------------------------------------------------------


class NoticeState(TextChoices):
    SENT = "SENT", pgettext_lazy("loss notice", "sent")
    REGISTERED = "REGISTERED", pgettext_lazy("loss notice", "registered")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("loss notice", "withdrawn")


NOTICE = Lifecycle(
    NoticeState.SENT,
    (
        Transition("register", (NoticeState.SENT,), NoticeState.REGISTERED, _("Register the claim"), _HANDLE),
        Transition("withdraw", (NoticeState.SENT,), NoticeState.WITHDRAWN, _("Withdraw"), _REPORT),
    ),
)


class TwinState(TextChoices):
    PROPOSED = "PROPOSED", _("to be decided")
    SAME = "SAME", _("the same loss")
    DIFFERENT = "DIFFERENT", _("different losses")


TWIN = Lifecycle(
    TwinState.PROPOSED,
    (
        Transition("same", (TwinState.PROPOSED, TwinState.DIFFERENT), TwinState.SAME, _("The same loss")),
        Transition("different", (TwinState.PROPOSED, TwinState.SAME), TwinState.DIFFERENT, _("Different losses")),
    ),
)


class TwinReason(TextChoices):
    """Why two claims may be about one loss."""

    SAME_DAY = "SAME_DAY", _("same day of loss")
    NEAR_DAY = "NEAR_DAY", _("days of loss next to each other")
    SAME_KIND = "SAME_KIND", _("accidents of the same type")
    SAME_VICTIMS = "SAME_VICTIMS", _("victims of the same degrees")
    SAME_AMOUNT = "SAME_AMOUNT", _("same amount claimed")

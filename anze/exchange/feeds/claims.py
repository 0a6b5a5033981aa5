"""Accidents at insured enterprises, and the claims under their policies."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident, Claim, Payment, Victim
from anze.claims.rules import (
    ACCIDENT_CLASSES,
    ACCIDENT_MEASURES,
    CLAIM_ENDS,
    CLAIM_MOMENTS,
    CLAIM_STEPS,
    AccidentClass,
    AccidentType,
    ClaimState,
    InjuryDegree,
    PaymentKind,
    VictimKind,
    accident_threshold,
)
from anze.exchange.feed import SENDER, Check, Feed, Field, Kind, Lines, Reference, Sender
from anze.exchange.feeds.hazards import INSURED_USCC, OWN_ENTERPRISE
from anze.exchange.feeds.policies import OWN_POLICY, POLICY_NO_OF_RECORD, money


def _accident_class_sql() -> str:
    """The same judgement as `anze.claims.rules.accident_class`, over the parameters in force on the day of
    the accident; a test holds the two together."""
    steps = [
        f"('{accident_threshold(step, measure)}', {rank}, '{step.value}', r.{measure})"
        for rank, step in enumerate(ACCIDENT_CLASSES)
        for measure in ACCIDENT_MEASURES
    ]
    return (
        f"coalesce((SELECT m.class FROM (VALUES {', '.join(steps)}) AS m(key, rank, class, reached) "
        "JOIN kernel_parameter p ON p.key = m.key AND p.region_code = '' AND p.value <> '' "
        "AND p.effective_from <= r.event_on AND (p.effective_to IS NULL OR p.effective_to >= r.event_on) "
        "WHERE m.reached >= p.value::numeric ORDER BY m.rank LIMIT 1), "
        f"CASE WHEN r.deaths > 0 OR r.serious_injuries > 0 THEN '{AccidentClass.GENERAL.value}' "
        f"ELSE '{AccidentClass.INCIDENT.value}' END)"
    )


ACCIDENTS = Feed(
    name="accidents",
    title=_("Accidents"),
    about=_("Accidents at insured enterprises; the class follows from deaths, serious injuries and direct loss."),
    sender=Sender.INSURER,
    model=Accident,
    key=("accident_no",),
    event="occurred_at",
    module="claims",
    own_fields=(
        Field(
            "accident_no",
            Kind.TEXT,
            _("accident no."),
            ("SG2026370100000011", "SG2026370200000012"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        INSURED_USCC,
        Field(
            "occurred_at",
            Kind.MOMENT,
            _("occurred at"),
            ("2026-07-08T10:20:00+08:00", "2026-08-19T05:40:00+08:00"),
            _("With time zone; the reporting clock starts on the Beijing day."),
        ),
        Field("place", Kind.TEXT, _("place"), ("熔铸车间", "码头2号泊位")),
        Field("kind", Kind.CODE, _("type"), ("BURN", "FALL"), codes=AccidentType),
        Field("deaths", Kind.INTEGER, _("deaths"), (0, 1), maximum=10_000),
        Field(
            "serious_injuries",
            Kind.INTEGER,
            _("serious injuries"),
            (1, 0),
            _("Acute industrial poisoning included."),
            maximum=10_000,
        ),
        Field("minor_injuries", Kind.INTEGER, _("minor injuries"), (1, 0), maximum=10_000),
        money("direct_loss", _("direct loss"), ("260000.00", "1100000.00"), digits=16),
        Field("hits_third_party", Kind.BOOL, _("third party affected"), (False, False)),
        Field(
            "reported_at",
            Kind.MOMENT,
            _("reported to the authority at"),
            ("2026-07-08T11:05:00+08:00", None),
            required=False,
        ),
        Field("description", Kind.TEXT, _("description"), ("", ""), required=False, max_length=500),
    ),
    references=(OWN_ENTERPRISE,),
    checks=(
        Check(
            "reported_before_accident",
            "reported_at",
            "r.reported_at < r.occurred_at",
            _("The accident was reported before it happened."),
            _("Correct one of the two moments; mind the time zone."),
        ),
    ),
    sets={"accident_class": _accident_class_sql()},
)


def _steps_in_order() -> tuple[Check, ...]:
    """One check a step, so that the finding names the field. The survey may come before the registration."""
    return tuple(
        Check(
            "step_out_of_order",
            step,
            f"r.{step} < greatest({', '.join(f'r.{each}' for each in earlier)})",
            _("The step lies before an earlier step of the claim."),
            _("Correct the moments; mind the time zone."),
        )
        for step, earlier in CLAIM_STEPS.items()
        if earlier
    )


def _moment(name: str, title: object, example: tuple[str | None, str | None], required: bool = False) -> Field:
    return Field(name, Kind.MOMENT, title, example, required=required)  # type: ignore[arg-type]


_MOMENT_MISSING = " OR ".join(
    f"r.state = '{state.value}' AND r.{step} IS NULL" for state, step in CLAIM_MOMENTS.items()
)
_ALL_STEPS = ", ".join(f"r.{step}" for step in CLAIM_STEPS)
_ENDED = ", ".join(f"'{state.value}'" for state in CLAIM_ENDS)

_VICTIMS = (
    Field("kind", Kind.CODE, _("kind"), ("WORKER", "WORKER"), codes=VictimKind),
    Field("degree", Kind.CODE, _("degree"), ("SERIOUS", "DEATH"), codes=InjuryDegree),
    money("amount", _("amount"), ("180000.00", "400000.00")),
)
_PAYMENTS = (
    Field("kind", Kind.CODE, _("kind"), ("ADVANCE", "SETTLEMENT"), codes=PaymentKind),
    money(
        "amount",
        _("amount"),
        ("50000.00", "130000.00"),
        note=_("Yuan, positive; the kind tells a recovery from a payment."),
    ),
    Field("paid_on", Kind.DATE, _("paid on"), ("2026-07-15", "2026-09-10")),
)

CLAIMS = Feed(
    name="claims",
    title=_("Claims"),
    about=_("Claims with their steps, victims without names, and payments; each step is sent as a correction."),
    sender=Sender.INSURER,
    model=Claim,
    key=("claim_no",),
    event="notified_at",
    module="claims",
    own_fields=(
        Field(
            "claim_no",
            Kind.TEXT,
            _("claim no."),
            ("LP2026370100000021", "LP2026370200000022"),
            _("Letters and digits, unique within the insurer."),
            max_length=50,
        ),
        POLICY_NO_OF_RECORD,
        Field(
            "accident_no",
            Kind.TEXT,
            _("accident no."),
            ("SG2026370100000011", "SG2026370200000012"),
            _("The accident it follows from, sent before."),
            required=False,
            column="",
            max_length=50,
        ),
        Field("state", Kind.CODE, _("state"), ("CLOSED", "REGISTERED"), codes=ClaimState),
        Field("loss_on", Kind.DATE, _("day of loss"), ("2026-07-08", "2026-08-19")),
        Field(
            "notified_at",
            Kind.MOMENT,
            _("loss notified at"),
            ("2026-07-08T11:30:00+08:00", "2026-08-19T09:00:00+08:00"),
            _("With time zone; the reporting clock starts on the Beijing day."),
        ),
        _moment("registered_at", _("registered at"), ("2026-07-08T15:00:00+08:00", "2026-08-20T10:00:00+08:00")),
        _moment("surveyed_at", _("surveyed at"), ("2026-07-09T10:00:00+08:00", None)),
        _moment("docs_complete_at", _("documents complete at"), ("2026-08-25T16:00:00+08:00", None)),
        _moment("assessed_at", _("assessed at"), ("2026-09-01T16:00:00+08:00", None)),
        _moment("agreed_at", _("amount agreed at"), ("2026-09-04T10:00:00+08:00", None)),
        _moment("paid_at", _("paid at"), ("2026-09-10T14:00:00+08:00", None)),
        _moment("closed_at", _("closed at"), ("2026-09-11T09:00:00+08:00", None)),
        money("claimed", _("amount claimed"), ("180000.00", "400000.00")),
        money("outstanding", _("outstanding reserve"), ("0.00", "400000.00")),
        Field("reject_reason", Kind.TEXT, _("reason for rejection"), ("", ""), required=False),
        Field(
            "victims",
            Kind.ROWS,
            _("victims"),
            (
                [{"kind": "WORKER", "degree": "SERIOUS", "amount": "180000.00"}],
                [{"kind": "WORKER", "degree": "DEATH", "amount": "400000.00"}],
            ),
            _("Without names or identity numbers; those stay with the insurer."),
            required=False,
            of=_VICTIMS,
        ),
        Field(
            "payments",
            Kind.ROWS,
            _("claim payments"),
            (
                [
                    {"kind": "ADVANCE", "amount": "50000.00", "paid_on": "2026-07-15"},
                    {"kind": "SETTLEMENT", "amount": "130000.00", "paid_on": "2026-09-10"},
                ],
                None,
            ),
            required=False,
            of=_PAYMENTS,
        ),
    ),
    references=(
        OWN_POLICY,
        Reference(
            "accident_no",
            Accident,
            {"insurer_id": SENDER, "accident_no": "accident_no"},
            {"accident_id": "id"},
            "unknown_accident",
            helps={"accident_enterprise_id": "enterprise_id"},
        ),
    ),
    checks=(
        Check(
            "accident_at_another_enterprise",
            "accident_no",
            "r.accident_enterprise_id <> r.enterprise_id",
            _("The accident happened at another enterprise than the policy covers."),
            _("Correct the number of the accident or of the policy."),
        ),
        Check(
            "notified_before_loss",
            "notified_at",
            "r.event_on < r.loss_on",
            _("The loss was notified before it happened."),
            _("Correct the day of loss or the moment of the notice."),
        ),
        *_steps_in_order(),
        Check(
            "step_in_future",
            "state",
            f"(greatest({_ALL_STEPS}) AT TIME ZONE 'Asia/Shanghai')::date > {{today}}",
            _("A step lies in the future."),
            _("Report each step when it has happened."),
        ),
        Check(
            "state_without_moment",
            "state",
            _MOMENT_MISSING,
            _("The moment of the step that the state names is missing."),
            _("Give the moment, or correct the state; every end of a claim has the moment of closing."),
        ),
        Check(
            "closed_but_open",
            "closed_at",
            f"r.closed_at IS NOT NULL AND r.state NOT IN ({_ENDED})",
            _("The claim has a closing moment, but its state is open."),
            _("Correct the state, or leave the moment empty."),
        ),
        Check(
            "rejected_without_reason",
            "reject_reason",
            "r.state = 'REJECTED' AND r.reject_reason = ''",
            _("The claim is rejected without a reason."),
            _("State the reason given in the refusal letter (保险法 Art. 24)."),
        ),
        Check(
            "reserve_on_closed_claim",
            "outstanding",
            f"r.outstanding > 0 AND r.state IN ({_ENDED})",
            _("A closed claim still has an outstanding reserve."),
            _("Set the reserve to 0, or leave the claim open."),
        ),
    ),
    lines=(
        Lines(
            "victims",
            Victim,
            "claim_id",
            ("enterprise_id", "insurer_id", "region_code", "sector"),
        ),
        Lines(
            "payments",
            Payment,
            "claim_id",
            ("policy_id", "enterprise_id", "insurer_id", "region_code", "sector"),
            checks=(
                Check(
                    "payment_zero",
                    "amount",
                    "l.amount = 0",
                    _("The amount of a payment is 0."),
                    _("Give the amount in yuan, or leave the line out."),
                ),
                Check(
                    "paid_before_loss",
                    "paid_on",
                    "l.paid_on < r.loss_on",
                    _("The payment lies before the day of loss."),
                    _("Correct one of the two days."),
                ),
                Check(
                    "payment_in_future",
                    "paid_on",
                    "l.paid_on > {today}",
                    _("The payment lies in the future."),
                    _("Report it when it has been made."),
                ),
            ),
        ),
    ),
)

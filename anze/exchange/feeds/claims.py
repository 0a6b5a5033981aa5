"""Accidents at insured enterprises, and the claims under their policies."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.claims.models import Accident, Claim, Payment, Victim
from anze.claims.rules import (
    ACCIDENT_CLASSES,
    ACCIDENT_MEASURES,
    CLAIM_ENDS,
    CLAIM_MOMENTS,
    CLAIM_ORDER,
    CLAIM_STEPS,
    COUNTED_SHORTER,
    AccidentClass,
    AccidentType,
    ClaimState,
    InjuryDegree,
    PaymentKind,
    RejectCode,
    VictimKind,
    accident_threshold,
)
from anze.exchange.feed import SENDER, Check, Feed, Field, Kind, Lines, Reference, Sender
from anze.exchange.feeds.hazards import INSURED_USCC, OWN_ENTERPRISE, number_on
from anze.exchange.feeds.policies import OWN_POLICY, POLICY_NO_OF_RECORD, money, moved_with_story


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


_DAY = "({}  AT TIME ZONE 'Asia/Shanghai')::date".replace("  ", " ")
_SHORTER = ", ".join(f"'{kind.value}'" for kind in COUNTED_SHORTER)
_COUNTS_UNTIL = (
    f"r.event_on + CASE WHEN r.kind IN ({_SHORTER}) THEN {number_on('casualty_recount_days_road_fire', 'r.event_on')} "
    f"ELSE {number_on('casualty_recount_days', 'r.event_on')} END"
)
# the day casualties are told of: as the sender says, else the day the record arrives
_COUNTED_ON = "coalesce(r.counted_on, " + _DAY.format("{received}") + ")"
# the class follows changed casualties while they count, and stays afterwards; a first report is taken as it is
_CLASS = (
    f"CASE WHEN r.outcome = 'U' AND {_COUNTED_ON} > {_COUNTS_UNTIL} AND r.known_event_on = r.event_on "
    f"THEN r.known_accident_class ELSE {_accident_class_sql()} END"
)
_COUNTED_ANEW = (
    "r.outcome = 'A' OR (r.outcome = 'U' AND (r.known_deaths, r.known_serious_injuries, r.known_direct_loss) "
    "IS DISTINCT FROM (r.deaths::int, r.serious_injuries::int, r.direct_loss))"
)
# each change of casualties is a row of its own, with the class that followed
_KEEP_COUNT = f"""
INSERT INTO claims_casualtycount (accident_id, counted_on, recorded_at, deaths, serious_injuries, direct_loss,
    accident_class, is_in_time, region_code, sector, insurer_id, enterprise_id)
SELECT r.id, {_COUNTED_ON}, {{received}}, r.deaths, r.serious_injuries, r.direct_loss, a.accident_class,
    r.outcome = 'A' OR {_COUNTED_ON} <= {_COUNTS_UNTIL}, r.region_code, r.sector, {{sender}}, r.enterprise_id
FROM resolved r JOIN claims_accident a ON a.id = r.id
WHERE {_COUNTED_ANEW}
"""

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
        Field(
            "learned_at",
            Kind.MOMENT,
            _("the head of the unit learned of it at"),
            ("2026-07-08T10:25:00+08:00", None),
            _("The hour for the report to the authority runs from here; without it, from the accident."),
            required=False,
        ),
        Field(
            "counted_on",
            Kind.DATE,
            _("casualties as of"),
            (None, None),
            _(
                "The day on which casualties last changed; without it, the day the record arrives. Within 30 days of the accident (7 for road traffic and fire) the class follows them."
            ),
            required=False,
        ),
    ),
    references=(OWN_ENTERPRISE,),
    remembers=("accident_class", "deaths", "serious_injuries", "direct_loss"),
    after=(_KEEP_COUNT,),
    checks=(
        Check(
            "learned_before_accident",
            "learned_at",
            "r.learned_at < r.occurred_at",
            _("The accident was known before it happened."),
            _("Correct one of the two moments; mind the time zone."),
        ),
        Check(
            "counted_before_accident",
            "counted_on",
            "r.counted_on < r.event_on",
            _("Casualties were counted before the accident."),
            _("Correct one of the two days."),
        ),
        Check(
            "reported_before_accident",
            "reported_at",
            "r.reported_at < r.occurred_at",
            _("The accident was reported before it happened."),
            _("Correct one of the two moments; mind the time zone."),
        ),
    ),
    sets={
        "accident_class": _CLASS,
        "counts_until_on": _COUNTS_UNTIL,
        "authority_due_at": "coalesce(r.learned_at, r.occurred_at) + make_interval(hours => "
        f"{number_on('accident_report_hours', 'r.event_on')})",
    },
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


def _days_after(day: str, parameter: str) -> str:
    """SQL: the end of the last day allowed, Beijing time, as `anze.kernel.duty.Duty` counts; a test holds both together."""
    return f"(({day}) + {number_on(parameter, 'r.event_on')} + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'"


_ASKED, _COMPLETE = _DAY.format("r.docs_asked_at"), _DAY.format("r.docs_complete_at")
# `anze.claims.rules.assess_from`
_ASSESS_FROM = (
    f"CASE WHEN r.docs_asked_at IS NULL THEN coalesce({_COMPLETE}, r.event_on) "
    f"WHEN r.docs_complete_at IS NOT NULL THEN r.event_on + greatest({_COMPLETE} - {_ASKED}, 0) END"
)
_CLOCKS = {
    "assess_due_at": _days_after(_ASSESS_FROM, "claim_assessment_days"),
    "advance_due_at": _days_after(_COMPLETE, "claim_advance_days"),
    "pay_due_at": _days_after(_DAY.format("r.agreed_at"), "claim_payment_days"),
    "refusal_due_at": "CASE WHEN r.state = 'REJECTED' THEN "
    + _days_after(_DAY.format("r.closed_at"), "claim_refusal_days")
    + " END",
}


def _claim_order(column: str) -> str:
    return f"CASE {column} " + " ".join(f"WHEN '{state}' THEN {n}" for state, n in CLAIM_ORDER.items()) + " END"


# Steps taken on the platform are written through this same feed; they are there from the first one on.
_STEPPED = "r.outcome = 'U' AND EXISTS (SELECT 1 FROM claims_claimstep s WHERE s.claim_id = r.id)"
_KEPT = ("registered_at", "surveyed_at", "docs_asked_at", "docs_complete_at", "assessed_at", "agreed_at", "paid_at",
         "closed_at", "assessed", "agreed", "refusal_sent_at")  # fmt: skip
_LOST = " OR ".join(f"r.known_{each} IS NOT NULL AND r.{each} IS NULL" for each in _KEPT)
_PAID = (
    "(SELECT coalesce(sum(l.amount), 0) FROM staged_payments l WHERE l.row_no = r.row_no "
    f"AND l.kind IN ('{PaymentKind.ADVANCE.value}', '{PaymentKind.SETTLEMENT.value}'))"
)
# The policy as its row stood at the end of the day of loss: before the first change after it, else as it is now.
_KEEP_COVER = """
INSERT INTO claims_claimcover AS t (claim_id, policy_id, as_of_on, content, is_later, region_code, sector, insurer_id,
    enterprise_id)
SELECT r.id, p.id, r.loss_on, coalesce(c.before, to_jsonb(p)),
    p.received_at >= (r.loss_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai',
    r.region_code, r.sector, {sender}, r.enterprise_id
FROM resolved r JOIN underwriting_policy p ON p.id = r.policy_id
LEFT JOIN LATERAL (
    SELECT h.before FROM kernel_change h
    WHERE h.row_id = p.id AND h.at >= (r.loss_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' ORDER BY h.id LIMIT 1
) c ON true
WHERE r.outcome = 'A' OR r.outcome = 'U' AND (r.known_policy_id, r.known_loss_on) IS DISTINCT FROM (r.policy_id, r.loss_on)
ON CONFLICT (claim_id) DO UPDATE SET policy_id = excluded.policy_id, as_of_on = excluded.as_of_on,
    content = excluded.content, is_later = excluded.is_later, enterprise_id = excluded.enterprise_id,
    region_code = excluded.region_code, sector = excluded.sector
"""
# Claims at one enterprise with days of loss next to each other, at another insurer or under another policy, that
# share more than that: type of accident, victims, or the amount. A hint; a person decides.
_PROPOSE_TWINS = """
INSERT INTO claims_claimtwin (claim_id, other_id, reasons, state, found_at, loss_on, enterprise_id, region_code, sector,
    insurer_id, other_insurer_id)
SELECT least(x.id, x.other_id), greatest(x.id, x.other_id), x.reasons, 'PROPOSED', {received}, x.loss_on,
    x.enterprise_id, x.region_code, x.sector,
    CASE WHEN x.id < x.other_id THEN x.insurer_id ELSE x.other_insurer_id END,
    CASE WHEN x.id < x.other_id THEN x.other_insurer_id ELSE x.insurer_id END
FROM (
    SELECT r.id, o.id AS other_id, r.loss_on, r.enterprise_id, r.region_code, r.sector, {sender} AS insurer_id,
        o.insurer_id AS other_insurer_id,
        array_remove(ARRAY[
            CASE WHEN o.loss_on = r.loss_on THEN 'SAME_DAY' ELSE 'NEAR_DAY' END,
            CASE WHEN a.kind = b.kind THEN 'SAME_KIND' END,
            CASE WHEN (SELECT array_agg(v.degree || v.kind ORDER BY v.degree, v.kind) FROM claims_victim v WHERE v.claim_id = r.id)
                    = (SELECT array_agg(v.degree || v.kind ORDER BY v.degree, v.kind) FROM claims_victim v WHERE v.claim_id = o.id)
                 THEN 'SAME_VICTIMS' END,
            CASE WHEN r.claimed > 0 AND o.claimed = r.claimed THEN 'SAME_AMOUNT' END
        ], NULL) AS reasons
    FROM resolved r
    JOIN claims_claim o ON o.enterprise_id = r.enterprise_id AND o.loss_on BETWEEN r.loss_on - 1 AND r.loss_on + 1
        AND o.id <> r.id AND NOT o.is_void AND (o.insurer_id <> {sender} OR o.policy_id <> r.policy_id)
    LEFT JOIN claims_accident a ON a.id = r.accident_id
    LEFT JOIN claims_accident b ON b.id = o.accident_id
    WHERE r.outcome IN ('A', 'U') AND NOT coalesce(r.is_void, false)
) x
WHERE cardinality(x.reasons) > 1
ON CONFLICT (claim_id, other_id) DO NOTHING
"""
# once there is a story on the platform, what the insurer's own system changes is told in it; a step taken here says
# so before it delivers, and tells itself
_TELL = """
INSERT INTO claims_claimstep (claim_id, kind, at, from_state, to_state, party, by_name, organisation_name, words, to_whom,
    number, region_code, sector, insurer_id, enterprise_id)
SELECT r.id, 'CORRECTED', {received}, r.known_state, r.state, 'SYSTEM', o.name, '',
    CASE WHEN r.is_void THEN r.void_reason ELSE '' END, '', '', r.region_code, r.sector, {sender}, r.enterprise_id
FROM resolved r JOIN parties_organisation o ON o.id = {sender}
WHERE r.outcome = 'U' AND coalesce(current_setting('anze.claim_step', true), '') = ''
AND EXISTS (SELECT 1 FROM claims_claimstep s WHERE s.claim_id = r.id)
"""

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
        Field("reject_code", Kind.CODE, _("ground of the rejection"), ("", ""), required=False, codes=RejectCode),
        _moment("refusal_sent_at", _("refusal letter sent at"), (None, None)),
        _moment("docs_asked_at", _("missing documents asked for at"), ("2026-07-10T09:00:00+08:00", None)),
        Field("docs_missing", Kind.TEXT, _("what was missing"), ("", ""), required=False, max_length=500),
        Field(
            "assessed",
            Kind.DECIMAL,
            _("amount assessed"),
            ("180000.00", None),
            required=False,
            minimum=0,
        ),
        Field(
            "agreed",
            Kind.DECIMAL,
            _("amount agreed on"),
            ("180000.00", None),
            required=False,
            minimum=0,
        ),
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
        Check(
            "asked_before_notice",
            "docs_asked_at",
            "r.docs_asked_at < r.notified_at OR r.docs_asked_at > r.docs_complete_at",
            _("Missing documents were asked for before the notice, or after the documents were complete."),
            _("Correct the moments; what is missing is asked for once, after the notice."),
        ),
        Check(
            "letter_without_rejection",
            "refusal_sent_at",
            "r.refusal_sent_at IS NOT NULL AND (r.state <> 'REJECTED' OR r.refusal_sent_at < r.closed_at)",
            _("A refusal letter belongs to a rejected claim and follows the decision."),
            _("Correct the state or the moment of the letter."),
        ),
        Check(
            "agreed_over_assessed",
            "agreed",
            "r.agreed > r.assessed",
            _("More was agreed than was assessed."),
            _("Correct the amounts, or report the new assessment."),
        ),
        Check(
            "paid_over_agreed",
            "payments",
            f"{_PAID} > least(r.agreed, r.assessed)",
            _("Advances and settlements are more than what was agreed or assessed."),
            _("Correct the payments; costs of rescue, appraisal and litigation have their own kind."),
        ),
        Check(
            "behind_platform",
            "state",
            f"{_STEPPED} AND ({_claim_order('r.state')} < {_claim_order('r.known_state')} "
            f"OR {_claim_order('r.known_state')} = 7 AND r.state <> r.known_state OR {_LOST})",
            _("A step taken on the platform would be undone."),
            _("Take over the state and the moments of the claim's page, and send only what goes beyond them."),
        ),
        moved_with_story("claims_claim", "policy_no"),
    ),
    sets=_CLOCKS,
    remembers=("state", "loss_on", *_KEPT),
    after=(_KEEP_COVER, _PROPOSE_TWINS, _TELL),
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

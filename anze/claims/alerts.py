"""Alerts of claims: the clocks of the insurance law (保险法 Arts. 23-25). Their ends are kept with the claim."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.claims.rules import CLAIM_ENDS
from anze.claims.rules.claims import ADVANCE, ASSESS, PAY, REFUSE
from anze.kernel.alert import AlertLevel, AlertRule, Words, declare
from anze.kernel.duty import Duty, Party

_ENDS = ", ".join(f"'{state.value}'" for state in CLAIM_ENDS)


def _day(column: str) -> str:
    return f"({column} AT TIME ZONE 'Asia/Shanghai')::date"


def _clock(
    duty: Duty, code: str, title: Words, due_at: str, done: str, why: Words, card: str, *, over: bool = True
) -> AlertRule:
    """Announced some days before the end of the clock, urgent after; a claim that is closed has none (`over`)."""
    due = f"({due_at} AT TIME ZONE 'Asia/Shanghai' - interval '1 second')::date"
    closed = f"CASE WHEN c.state IN ({_ENDS}) THEN {_day('c.closed_at')} END" if over else "NULL"
    return declare(
        AlertRule(
            code=code,
            title=title,
            level=AlertLevel.IMPORTANT,
            parties=(Party.INSURER, Party.FINANCIAL),
            why=why,
            remedy=_("Open the claim"),
            page="claim",
            rows=f"claims_claim c WHERE NOT c.is_void AND {due_at} IS NOT NULL",
            subject="c.id",
            episode=due,
            begins=f"{due} - ({{notice}})::int",
            ends=f"least({done}, {closed})",
            due=due,
            rises=f"{due} + 1",
            open_if=f"c.state NOT IN ({_ENDS})" if over else "c.refusal_sent_at IS NULL",
            label="c.claim_no",
            of="c",
            facts={"number": "c.claim_no", "due": due},
            thresholds={"notice": "alert.claim_notice_days"},
            sources={"claims_claim": "id", "claims_payment": "claim_id"},
            duty=duty,
            basis=duty.source,
            shown_as=(card, "claims-late"),
        )
    )


ASSESSMENT_DUE = _clock(
    ASSESS,
    "CLAIM_ASSESSMENT",
    _("Claim to be assessed"),
    "c.assess_due_at",
    _day("c.assessed_at"),
    _("Claim %(number)s: request and documents are complete, to be assessed by %(due)s."),
    "claims-assess-late",
)
PAYMENT_DUE = _clock(
    PAY,
    "CLAIM_PAYMENT",
    _("Claim to be paid"),
    "c.pay_due_at",
    _day("c.paid_at"),
    _("Claim %(number)s: the amount is agreed, to be paid by %(due)s."),
    "claims-pay-late",
)
ADVANCE_DUE = _clock(
    ADVANCE,
    "CLAIM_ADVANCE",
    _("Part of a claim to be paid in advance"),
    "c.advance_due_at",
    f"{_day('c.agreed_at')}, {_day('c.paid_at')}, "
    "(SELECT min(y.paid_on) FROM claims_payment y WHERE y.claim_id = c.id)",
    _("Claim %(number)s: the amount is still open; what can be determined is to be paid by %(due)s."),
    "claims-advance-late",
)
REFUSAL_DUE = _clock(
    REFUSE,
    "CLAIM_REFUSAL",
    _("Refusal letter to be sent"),
    "c.refusal_due_at",
    _day("c.refusal_sent_at"),
    _("Claim %(number)s was rejected; the letter with the reasons is to be sent by %(due)s."),
    "claims-letter-late",
    over=False,
)

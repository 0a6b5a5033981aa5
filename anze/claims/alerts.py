"""Alerts of claims: the clocks of the insurance law (保险法 Arts. 23-25)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.claims.rules import CLAIM_ENDS
from anze.kernel.alert import AlertLevel, AlertRule, Party, declare

_ENDS = ", ".join(f"'{state.value}'" for state in CLAIM_ENDS)


def _day(column: str) -> str:
    return f"({column} AT TIME ZONE 'Asia/Shanghai')::date"


def _clock(code: str, title: Promise, parameter: str, begins: str, done: str, basis: str, why: Promise) -> AlertRule:
    """From the moment `begins` so many days until `done`; a claim that is closed has no clock."""
    due = f"{_day(begins)} + ({{days}})::int"
    return declare(
        AlertRule(
            code=code,
            title=title,
            level=AlertLevel.IMPORTANT,
            parties=(Party.INSURER, Party.FINANCIAL),
            why=why,
            remedy=_("Open the claim"),
            page="claim",
            rows=f"claims_claim c WHERE NOT c.is_void AND {begins} IS NOT NULL",
            subject="c.id",
            episode=_day(begins),
            begins=f"{due} - ({{notice}})::int",
            ends=f"least({done}, CASE WHEN c.state IN ({_ENDS}) THEN {_day('c.closed_at')} END)",
            due=due,
            rises=f"{due} + 1",
            open_if=f"c.state NOT IN ({_ENDS})",
            label="c.claim_no",
            of="c",
            facts={"number": "c.claim_no", "since": _day(begins), "due": due, "claimed": "c.claimed"},
            thresholds={"days": parameter, "notice": "alert.claim_notice_days"},
            sources={"claims_claim": "id"},
            basis=basis,
        )
    )


ASSESSMENT = _clock(
    "CLAIM_ASSESSMENT",
    _("Claim to be assessed"),
    "claim_assessment_days",
    "c.docs_complete_at",
    f"{_day('c.assessed_at')}",
    "保险法 Art. 23",
    _("Claim %(number)s: documents complete since %(since)s, to be assessed by %(due)s."),
)
PAYMENT = _clock(
    "CLAIM_PAYMENT",
    _("Claim to be paid"),
    "claim_payment_days",
    "c.agreed_at",
    f"{_day('c.paid_at')}",
    "保险法 Art. 23",
    _("Claim %(number)s: amount agreed on %(since)s, to be paid by %(due)s."),
)
ADVANCE = _clock(
    "CLAIM_ADVANCE",
    _("Part of a claim to be paid in advance"),
    "claim_advance_days",
    "c.docs_complete_at",
    f"{_day('c.agreed_at')}, {_day('c.paid_at')}, (SELECT min(y.paid_on) FROM claims_payment y WHERE y.claim_id = c.id)",
    "保险法 Art. 25",
    _(
        "Claim %(number)s: documents complete since %(since)s and the amount still open; the part that can be "
        "determined is to be paid by %(due)s."
    ),
)

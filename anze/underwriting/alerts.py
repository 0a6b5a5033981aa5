"""Alerts of underwriting: cover that ends, and enterprises that must be insured and are not."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, Words, declare, duty_alert
from anze.kernel.duty import Party
from anze.underwriting.rules.choosing import ANSWER_QUOTE
from anze.underwriting.rules.findings import REPLY_FINDING
from anze.underwriting.rules.register import DECIDE_DISPUTE

# the first policy that goes on after this one
_NEXT = (
    "LEFT JOIN LATERAL (SELECT min(n.start_on) AS start_on, min(n.issued_on) AS issued_on FROM underwriting_policy n "
    "WHERE n.enterprise_id = p.enterprise_id AND NOT n.is_void AND n.id <> p.id AND n.cover_end_on > p.cover_end_on) "
    "n ON true"
)
_BY_ENTERPRISE = {"underwriting_policy": "enterprise_id"}

EXPIRING = declare(
    AlertRule(
        code="POLICY_EXPIRING",
        title=_("Policy about to expire"),
        level=AlertLevel.GENERAL,
        parties=(Party.INSURER, Party.ENTERPRISE),
        why=_("Policy %(number)s ends on %(ends)s, and no policy follows it yet."),
        remedy=_("Open the policy and renew it"),
        page="policy",
        rows=f"underwriting_policy p {_NEXT} WHERE NOT p.is_void AND p.cancelled_on IS NULL",
        subject="p.enterprise_id",
        episode="p.id",
        row="p.id",
        begins="p.cover_end_on - ({days})::int",
        ends="least(n.issued_on, p.cover_end_on + 1)",
        due="p.cover_end_on",
        rises="p.cover_end_on - ({second})::int",
        risen=AlertLevel.IMPORTANT,
        open_if="p.cover_end_on >= {today}",
        label="p.policy_no",
        of="p",
        facts={"number": "p.policy_no", "ends": "p.cover_end_on"},
        thresholds={"days": "alert.policy_expiring_days", "second": "alert.policy_expiring_days_second"},
        sources=_BY_ENTERPRISE,
    )
)

EXPIRED = declare(
    AlertRule(
        code="POLICY_EXPIRED",
        title=_("Policy expired without renewal"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.INSURER, Party.ENTERPRISE, Party.AUTHORITY),
        why=_("Policy %(number)s ended on %(ends)s. Since then the enterprise has had no cover."),
        remedy=_("Open the policy and renew it"),
        page="policy",
        # an enterprise that went on elsewhere is covered; one that is closed needs no cover
        rows=f"underwriting_policy p JOIN parties_enterprise e ON e.id = p.enterprise_id {_NEXT} "
        "WHERE NOT p.is_void AND p.cancelled_on IS NULL AND NOT e.is_void",
        subject="p.enterprise_id",
        episode="p.id",
        row="p.id",
        begins="p.cover_end_on + 1",
        # then the register's own alert takes over, or an enterprise that need not insure has gone
        ends="least(n.start_on, e.closed_on, p.cover_end_on + 1 + ({days})::int)",
        due="p.cover_end_on",
        open_if="p.cover_end_on BETWEEN {today} - 400 AND {today}",
        label="p.policy_no",
        of="p",
        facts={"number": "p.policy_no", "ends": "p.cover_end_on"},
        thresholds={"days": "alert.policy_expired_days"},
        sources={**_BY_ENTERPRISE, "parties_enterprise": "id"},
    )
)


def _finding(kind: str, title: Words, level: AlertLevel, why: Words, **words: Any) -> AlertRule:
    """What the room finds about cover by itself, told on; closed findings stay on file, so that the past can be asked."""
    given: dict[str, Any] = {
        "parties": (Party.AUTHORITY, Party.INSURER),
        "begins": "(f.opened_at AT TIME ZONE 'Asia/Shanghai')::date",
        "basis": "应急〔2025〕27号",
        "shown_as": (f"cover-{kind.lower().replace('_', '-')}", "cover-of-ours"),
        **words,
    }
    return declare(
        AlertRule(
            code=kind,
            title=title,
            level=level,
            why=why,
            remedy=_("Open the finding: remind, answer or close it"),
            page="cover-finding",
            rows="underwriting_finding f JOIN parties_enterprise e ON e.id = f.enterprise_id "
            f"LEFT JOIN underwriting_policy p ON p.id = f.policy_id WHERE f.kind = '{kind}'",
            subject="f.id",
            ends="(f.closed_at AT TIME ZONE 'Asia/Shanghai')::date",
            open_if="f.state <> 'CLOSED'",
            label="e.name",
            of="f",
            facts={
                "name": "e.name",
                "number": "coalesce(p.policy_no, '–')",
                "measured": "trim_scale(f.measured)",
                "required": "trim_scale(f.required)",
                "since": "f.since_on",
            },
            **given,
        )
    )


UNINSURED = _finding(
    "UNINSURED",
    _("On the register and not insured"),
    AlertLevel.IMPORTANT,
    _("On the register (workers: %(measured)s), and no policy since %(since)s."),
    parties=(Party.AUTHORITY,),
    # while the insurer's own alert of the expired policy stands, this one waits
    begins="f.since_on + CASE WHEN EXISTS (SELECT FROM underwriting_policy l WHERE l.enterprise_id = f.enterprise_id "
    "AND NOT l.is_void AND l.cover_end_on = f.since_on - 1) THEN ({wait})::int ELSE 0 END",
    scope={"insurer_id": "NULL"},
    thresholds={"wait": "alert.policy_expired_days"},
    basis=_("安全生产法 Art. 51; 应急〔2025〕27号"),
    shown_as=("cover-uninsured",),
)


PARTIAL_HEADCOUNT = _finding(
    "PARTIAL_HEADCOUNT",
    _("Workers left without cover"),
    AlertLevel.IMPORTANT,
    _("Workers insured: %(measured)s of %(required)s, since %(since)s (policy %(number)s)."),
)
UNDER_LIMIT = _finding(
    "UNDER_LIMIT",
    _("Limit per person below the minimum"),
    AlertLevel.IMPORTANT,
    _("%(measured)s yuan a person, the minimum is %(required)s yuan, since %(since)s (policy %(number)s)."),
)
LOW_PRICE = _finding(
    "LOW_PRICE",
    _("Price far below the benchmark"),
    AlertLevel.GENERAL,
    _("Policy %(number)s: %(measured)s against %(required)s, since %(since)s. It is a hint."),
)
GAP = _finding(
    "GAP",
    _("Gap between expiry and renewal"),
    AlertLevel.GENERAL,
    _("Days without cover before policy %(number)s: %(measured)s, since %(since)s."),
)

REPLY_DUE = duty_alert(
    REPLY_FINDING,
    table="underwriting_finding",
    due_at="reply_due_at",
    waits="x.state = 'REMINDED'",
    since="(x.reminded_at AT TIME ZONE 'Asia/Shanghai')::date",
    parties=(Party.INSURER, Party.ENTERPRISE),
    remedy=_("Open the finding and answer it"),
    page="cover-finding",
    label="(SELECT e.name FROM parties_enterprise e WHERE e.id = x.enterprise_id)",
    shown_as=("cover-to-answer",),
)
DISPUTE_DUE = duty_alert(
    DECIDE_DISPUTE,
    table="underwriting_registerdispute",
    due_at="due_at",
    waits="true",
    done="(x.decided_at AT TIME ZONE 'Asia/Shanghai')::date",
    since="(x.raised_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'OPEN'",
    parties=(Party.AUTHORITY,),
    remedy=_("Open the dispute and decide it"),
    page="register-dispute",
    label="(SELECT e.name FROM parties_enterprise e WHERE e.id = x.enterprise_id)",
    scope={"insurer_id": "NULL"},
    shown_as=("disputes-open",),
)
QUOTE_DUE = duty_alert(
    ANSWER_QUOTE,
    table="underwriting_invitation",
    due_at="due_at",
    waits="true",  # said with the rows
    done="(x.closed_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.closed_at IS NULL",
    since="(x.asked_at AT TIME ZONE 'Asia/Shanghai')::date",
    rows="(SELECT i.*, q.answer_due_at AS due_at, q.asked_at, q.closed_at, q.request_no "
    "FROM underwriting_invitation i JOIN underwriting_quoterequest q ON q.id = i.request_id) x "
    "WHERE x.declined_at IS NULL AND NOT EXISTS (SELECT FROM underwriting_offer o "
    "WHERE o.request_id = x.request_id AND o.insurer_id = x.insurer_id)",
    row="x.request_id",
    parties=(Party.INSURER,),
    remedy=_("Open the request and make an offer, or decline"),
    page="quote-request",
    label="x.request_no",
    # the enterprise is not told who has not answered yet
    scope={"enterprise_id": "NULL"},
    shown_as=("quotes-to-answer",),
)

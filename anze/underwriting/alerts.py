"""Alerts of underwriting: cover that ends, and enterprises that must be insured and are not."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, Party, Words, declare, duty_alert
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

# All policies of an enterprise in a line, the register entry before them: where the next begins later than all
# before have ended there is a gap, and the last gap is open.
_GAPS = (
    "(SELECT enterprise_id, max(last_on) OVER line AS covered_to, bool_or(is_policy) OVER line AS was_insured, "
    "lead(start_on) OVER (PARTITION BY enterprise_id ORDER BY start_on, last_on) AS next_on FROM ("
    "SELECT enterprise_id, start_on, cover_end_on AS last_on, true AS is_policy FROM underwriting_policy "
    "WHERE NOT is_void AND cover_end_on >= start_on UNION ALL "
    "SELECT enterprise_id, '-infinity'::date, min(listed_on) - 1, false FROM underwriting_obligation "
    "WHERE NOT is_void GROUP BY enterprise_id) l "
    "WINDOW line AS (PARTITION BY enterprise_id ORDER BY start_on, last_on ROWS UNBOUNDED PRECEDING)) g"
)

UNINSURED = declare(
    AlertRule(
        code="UNINSURED",
        title=_("On the register and not insured"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.AUTHORITY,),
        why=_("On the register with %(workers)s workers, and no policy since %(since)s."),
        remedy=_("Open the register entry: remind, or dispute it"),
        page="obligation",
        rows=f"{_GAPS} JOIN underwriting_obligation o ON o.enterprise_id = g.enterprise_id "
        "AND o.id = (SELECT f.id FROM underwriting_obligation f WHERE f.enterprise_id = g.enterprise_id "
        "AND NOT f.is_void AND f.delisted_on IS NULL ORDER BY f.listed_on, f.id LIMIT 1) "
        "JOIN parties_enterprise e ON e.id = g.enterprise_id WHERE NOT e.is_void "
        "AND (g.next_on IS NULL OR g.next_on > g.covered_to + 1) AND g.covered_to < 'infinity'",
        subject="g.enterprise_id",
        episode="g.covered_to",
        row="o.id",
        # while the insurer's own alert of the expired policy stands, this one waits
        begins="greatest(o.listed_on, g.covered_to + 1 + CASE WHEN g.was_insured THEN ({wait})::int ELSE 0 END)",
        ends="least(g.next_on, e.closed_on)",
        label="e.name",
        of="o",
        scope={"insurer_id": "NULL"},
        facts={"name": "e.name", "workers": "o.registered_workers", "since": "g.covered_to + 1"},
        thresholds={"wait": "alert.policy_expired_days"},
        sources={**_BY_ENTERPRISE, "underwriting_obligation": "enterprise_id", "parties_enterprise": "id"},
        basis="安全生产法 Art. 51；应急〔2025〕27号",
        shown_as=("cover-uninsured",),
    )
)


def _finding(kind: str, title: Words, level: AlertLevel, why: Words) -> AlertRule:
    """What the room finds about cover by itself, told on."""
    return declare(
        AlertRule(
            code=kind,
            title=title,
            level=level,
            parties=(Party.AUTHORITY, Party.INSURER),
            why=why,
            remedy=_("Open the finding: remind, answer or close it"),
            page="cover-finding",
            rows="underwriting_finding f JOIN parties_enterprise e ON e.id = f.enterprise_id "
            f"LEFT JOIN underwriting_policy p ON p.id = f.policy_id WHERE f.kind = '{kind}'",
            subject="f.id",
            begins="(f.opened_at AT TIME ZONE 'Asia/Shanghai')::date",
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
            basis="应急〔2025〕27号",
            shown_as=(f"cover-{kind.lower().replace('_', '-')}", "cover-of-ours"),
        )
    )


PARTIAL_HEADCOUNT = _finding(
    "PARTIAL_HEADCOUNT",
    _("Workers left without cover"),
    AlertLevel.IMPORTANT,
    _("%(measured)s workers insured of %(required)s, since %(since)s (policy %(number)s)."),
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
    _("%(measured)s days without cover before policy %(number)s, since %(since)s."),
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

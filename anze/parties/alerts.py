"""Alerts of institutions and experts: papers that expire."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, declare, duty_alert
from anze.kernel.duty import Party
from anze.parties.rules import QualificationKind
from anze.parties.rules.entering import DECIDE_APPEAL, REVIEW_APPLICATION


def _expiring(
    code: str, title: Promise, join: str, holder: str, parties: tuple[Party, ...], page: str, scope: dict[str, str]
) -> AlertRule:
    """A paper of a holder who works, and who has no other of its kind that is valid for longer."""
    return declare(
        AlertRule(
            code=code,
            title=title,
            level=AlertLevel.GENERAL,
            parties=parties,
            why=_("%(name)s: %(paper)s %(number)s is valid until %(until)s. Afterwards no service counts by it."),
            remedy=_("Open the papers on file"),
            page=page,
            rows=f"parties_qualification q JOIN {join} WHERE h.is_active AND NOT EXISTS "
            "(SELECT FROM parties_qualification n WHERE n.kind = q.kind AND n.valid_to > q.valid_to "
            "AND (n.organisation_id = q.organisation_id OR n.expert_id = q.expert_id))",
            subject="q.id",
            row=holder,
            episode="q.valid_to",
            begins="q.valid_to - ({days})::int",
            ends="q.valid_to + ({kept})::int",
            due="q.valid_to",
            rises="q.valid_to + 1",
            risen=AlertLevel.IMPORTANT,
            open_if="q.valid_to BETWEEN {today} - 400 AND {today} + 400",
            label="h.name",
            scope={"region_code": "h.region_id", "sector": "h.sector", **scope},
            facts={"name": "h.name", "paper": "q.kind", "number": "q.number", "until": "q.valid_to"},
            kinds={"paper": QualificationKind},
            thresholds={"days": "alert.qualification_expiring_days", "kept": "alert.hint_kept_days"},
        )
    )


EXPERT = _expiring(
    "QUALIFICATION_EXPIRING",
    _("Expert's certificate about to expire"),
    "parties_expert h ON h.id = q.expert_id",
    "h.id",
    (Party.EXPERT, Party.AGENCY),
    "expert",
    {"agency_id": "h.agency_id", "expert_id": "h.id"},
)
AGENCY = _expiring(
    "AGENCY_LICENCE_EXPIRING",
    _("Agency's licence about to expire"),
    "parties_organisation h ON h.id = q.organisation_id AND h.kind = 'AGENCY'",
    "h.id",
    (Party.AGENCY,),
    "agency",
    {"agency_id": "h.id"},
)
INSURER = _expiring(
    "INSURER_LICENCE_EXPIRING",
    _("Insurer's licence about to expire"),
    "parties_organisation h ON h.id = q.organisation_id AND h.kind = 'INSURER'",
    "h.id",
    (Party.INSURER, Party.FINANCIAL),
    "insurer",
    {"insurer_id": "h.id"},
)

# An enterprise is let in by its city, everybody else by the province; appeals are the province's.
_PROVINCE = "left(nullif(x.region_code, ''), 2) || '0000'"
APPLICATION_DUE = duty_alert(
    REVIEW_APPLICATION,
    table="parties_application",
    due_at="due_at",
    waits="x.state NOT IN ('DRAFT', 'WITHDRAWN')",
    done="(x.decided_at AT TIME ZONE 'Asia/Shanghai')::date",
    # while it is with the applicant again, nobody waits for the authority
    open_if="x.state = 'SUBMITTED'",
    since="(x.submitted_at AT TIME ZONE 'Asia/Shanghai')::date",
    parties=(Party.AUTHORITY, Party.COMMITTEE),
    remedy=_("Open the application and decide it"),
    page="application",
    label="x.name",
    of="",
    scope={"region_code": f"CASE WHEN x.kind = 'ENTERPRISE' THEN left(x.region_code, 4) || '00' ELSE {_PROVINCE} END"},
    shown_as=("applications-to-review", "applications-late"),
)
APPEAL_DUE = duty_alert(
    DECIDE_APPEAL,
    table="parties_appeal",
    due_at="due_at",
    waits="x.state <> 'WITHDRAWN'",
    done="(x.closed_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'OPEN'",
    since="(x.raised_at AT TIME ZONE 'Asia/Shanghai')::date",
    parties=(Party.AUTHORITY, Party.COMMITTEE),
    remedy=_("Open the appeal and decide it"),
    page="entry-appeal",
    label="x.number",
    of="",
    scope={"region_code": _PROVINCE},
    shown_as=("entry-appeals-open",),
)

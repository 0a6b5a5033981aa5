"""Alerts of institutions and experts: papers that expire."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, Party, declare
from anze.parties.rules import QualificationKind


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

"""Alerts of evidence: a picture that was there before."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.kernel.alert import AlertLevel, AlertRule, declare
from anze.kernel.duty import Party

PHOTO_REUSED = declare(
    AlertRule(
        code="PHOTO_REUSED",
        title=_("Picture used before"),
        level=AlertLevel.IMPORTANT,
        parties=(Party.AUTHORITY, Party.COMMITTEE),
        why=_("The same picture stands at two records, found on %(found)s. There may be a good reason: look at both."),
        remedy=_("See both pictures side by side and judge them"),
        page="match",
        rows="evidence_match m WHERE true",
        subject="m.id",
        begins="(m.found_at AT TIME ZONE 'Asia/Shanghai')::date",
        ends="(m.decided_at AT TIME ZONE 'Asia/Shanghai')::date",
        open_if="m.state = 'OPEN'",
        label="to_char(m.found_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')",
        scope={
            "region_code": "m.region_code",
            "sector": "m.sector",
            "insurer_id": "m.insurer_id",
            "agency_id": "m.agency_id",
            "expert_id": "m.expert_id",
        },
        shown_as=("open-matches",),
        facts={"found": "(m.found_at AT TIME ZONE 'Asia/Shanghai')::date"},
    )
)

"""Alerts of the steps of an assessment: what is handed in, reviewed, appealed against and decided, and by when."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.assessment.rules.campaigns import ANSWER, APPEAL, DECIDE, REPORT, REVIEW
from anze.kernel.alert import duty_alert
from anze.kernel.duty import Party

_OWN: dict[str, str] = {name: f"x.{name}" for name in ("region_code", "insurer_id", "agency_id", "expert_id")}
_ASSESSED = (
    "(SELECT c.title || ' · ' || coalesce(o.name, e.name) FROM assessment_outcome u "
    "JOIN assessment_campaign c ON c.id = u.campaign_id LEFT JOIN parties_organisation o ON o.id = u.organisation_id "
    "LEFT JOIN parties_expert e ON e.id = u.expert_id WHERE u.id = x.outcome_id)"
)

REPORT_DUE = duty_alert(
    REPORT,
    table="assessment_selfreport",
    due_at="due_at",
    waits="true",
    done="(x.submitted_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'DRAFT'",
    parties=(Party.INSURER, Party.AGENCY),
    remedy=_("Open the self-report and hand it in"),
    page="self-report",
    label=_ASSESSED,
    of="",
    scope=_OWN,
    shown_as=("assessment-reports-open",),
)

# one for each assessment, not for each of the hundreds of rows drawn
_CAMPAIGN: dict[str, Any] = {
    "table": "assessment_campaign",
    "page": "assessment",
    "label": "x.title",
    "of": "",
}
REVIEW_DUE = duty_alert(
    REVIEW,
    due_at="review_due_at",
    waits="true",
    done="(x.provisional_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'REVIEW'",
    since="(x.review_at AT TIME ZONE 'Asia/Shanghai')::date",
    parties=(Party.AUTHORITY, Party.COMMITTEE),
    remedy=_("Open the assessment and review the rows drawn"),
    shown_as=("assessment-items-waiting",),
    **_CAMPAIGN,
)
# announced to each of the assessed while it can still be done; whoever is content lets it pass
APPEAL_OPEN = duty_alert(
    APPEAL,
    table="assessment_outcome",
    due_at="appeal_until_at",
    waits="true",
    rows="(SELECT u.id, u.region_code, u.insurer_id, u.agency_id, u.expert_id, "
    "c.title || ' · ' || coalesce(o.name, e.name) AS label, c.appeal_until_at, c.provisional_at, c.state "
    "FROM assessment_outcome u JOIN assessment_campaign c ON c.id = u.campaign_id "
    "LEFT JOIN parties_organisation o ON o.id = u.organisation_id "
    "LEFT JOIN parties_expert e ON e.id = u.expert_id WHERE c.appeal_until_at IS NOT NULL "
    "AND u.level = 'PROVINCE') x WHERE true",
    since="(x.provisional_at AT TIME ZONE 'Asia/Shanghai')::date",
    done="(x.appeal_until_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'PROVISIONAL'",
    parties=(Party.INSURER, Party.AGENCY, Party.EXPERT),
    remedy=_("Open the provisional result and look at it"),
    page="assessment-result",
    label="x.label",
    of="",
    scope=_OWN,
)
DECISION_DUE = duty_alert(
    DECIDE,
    table="assessment_appeal",
    due_at="due_at",
    waits="true",
    done="(x.decided_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.state = 'OPEN'",
    since="(x.submitted_at AT TIME ZONE 'Asia/Shanghai')::date",
    parties=(Party.AUTHORITY, Party.COMMITTEE),
    remedy=_("Open the appeal and decide it"),
    page="appeal",
    label=_ASSESSED,
    of="",
    scope={"region_code": "x.region_code"},
    shown_as=("assessment-appeals-open",),
)

ANSWER_DUE = duty_alert(
    ANSWER,
    table="assessment_feedback",
    due_at="due_at",
    waits="x.due_at IS NOT NULL",
    since="(x.given_at AT TIME ZONE 'Asia/Shanghai')::date",
    done="(x.answered_at AT TIME ZONE 'Asia/Shanghai')::date",
    open_if="x.answered_at IS NULL",
    parties=(Party.INSURER, Party.AGENCY, Party.EXPERT),
    remedy=_("Open the result and answer the feedback"),
    page="assessment-result",
    row="x.outcome_id",
    label=_ASSESSED,
    of="",
    scope=_OWN,
)

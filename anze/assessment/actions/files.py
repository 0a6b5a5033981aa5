"""Files with self-reports and appeals: they lie in the room of evidence; the evidence pack names their hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from anze.assessment.definitions import PARTY
from anze.assessment.models import Appeal, Campaign, SelfReport
from anze.assessment.rules import SubjectKind
from anze.assessment.rules.campaigns import AppealState, CampaignState, ReportState
from anze.evidence.models import Media
from anze.evidence.rules import Subject, register_subject
from anze.kernel.actor import Actor
from anze.parties.rules import Permission

REPORT_FILES, APPEAL_FILES = "self-report", "score-appeal"


def _is_own(row: Any, by: Actor) -> bool:
    own = getattr(by.scope, PARTY[SubjectKind(row.campaign.subject)])
    return own == row.party and by.may(Permission.ANSWER_ASSESSMENT)


def _subject(row: Any, kind: str, page: str, *, is_open: bool, why_not: Any, by: Actor) -> Subject:
    return Subject(
        kind=kind, id=row.pk, title=f"{row.campaign.title} {row}", url=reverse(page, args=[row.pk]),
        region_code=row.region_code, insurer_id=row.insurer_id, agency_id=row.agency_id,
        expert_id=row.expert_id, may_add=is_open and _is_own(row, by), why_not=why_not,
    )  # fmt: skip


def _may_read(by: Actor) -> bool:
    return by.may(Permission.SEE_ASSESSMENT)


def _report(key: UUID, by: Actor, at: datetime) -> Subject | None:
    rows = SelfReport.objects.select_related("campaign", "outcome__organisation")
    row = rows.filter(pk=key).first() if _may_read(by) else None
    if row is None:
        return None
    is_open = (
        row.state != ReportState.REVIEWED
        and row.campaign.state in (CampaignState.COMPUTED, CampaignState.REVIEW)
        and at <= row.due_at
    )
    why_not = _("Files come with a self-report while it may be handed in, from whom it is about.")
    return _subject(row, REPORT_FILES, "self-report", is_open=is_open, why_not=why_not, by=by)


def _appeal(key: UUID, by: Actor, at: datetime) -> Subject | None:
    row = Appeal.objects.select_related("campaign").filter(pk=key).first() if _may_read(by) else None
    if row is None:
        return None
    why_not = _("Files come with an appeal while it is open, from whom appealed.")
    is_open = row.state == AppealState.OPEN
    return _subject(row, APPEAL_FILES, "appeal", is_open=is_open, why_not=why_not, by=by)


register_subject(REPORT_FILES, _("Self-report"), _report)
register_subject(APPEAL_FILES, _("Appeal against a result"), _appeal)


def files_told(campaign: Campaign, own: dict[str, Any]) -> list[dict[str, Any]]:
    """Every file a party handed in with its self-report and its appeals, by its hash; those voided later too, so
    that what was signed stays what it was."""
    of = dict.fromkeys(SelfReport.objects.filter(**own).values_list("pk", flat=True), "self-report")
    of |= dict(Appeal.objects.filter(**own).values_list("pk", "number"))
    rows = Media.objects.filter(subject_kind__in=(REPORT_FILES, APPEAL_FILES), subject__in=list(of))
    return [
        {
            "of": of[row.subject],
            "name": row.file_name,
            "sha256": row.original.sha256,
            "size": row.original.size,
            "received_at": row.received_at.isoformat(),
        }
        for row in rows.select_related("original").order_by("received_at", "id")
    ]

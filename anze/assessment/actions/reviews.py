"""Self-reports and the review of rows drawn: who may judge what, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from anze.assessment.models import Campaign, Correction, FrozenRow, ReviewItem, SelfReport
from anze.assessment.rules import Checklist, SchemeText
from anze.assessment.rules.campaigns import ITEM, REPORTING, CampaignState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import deadline_text
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.parties.rules import Permission
from anze.prevention.actions.quality import why_not_judged


class Verdict(TextChoices):
    """What somebody finds about a row."""

    AS_IT_IS = "AS_IT_IS", _("it is right as it stands")
    COUNTS = "COUNTS", _("it counts in full")
    SHORT = "SHORT", _("it counts, but nothing is achieved")
    OUT = "OUT", _("it does not count at all")


def judged(row: FrozenRow, verdict: str) -> tuple[Decimal, Decimal]:
    """Numerator and denominator of a row after a verdict."""
    whole = row.denominator or Decimal(1)
    return {
        Verdict.AS_IT_IS: (row.numerator, row.denominator),
        Verdict.COUNTS: (whole, whole),
        Verdict.SHORT: (Decimal(0), whole),
        Verdict.OUT: (Decimal(0), Decimal(0)),
    }[Verdict(verdict)]


def correct_row(
    row: FrozenRow, verdict: str, reasons: str, *, by: Actor, at: datetime, appeal: Any = None
) -> Correction | None:
    """Put a correction on a frozen row; nothing if the verdict leaves it as it stands."""
    last = Correction.objects.filter(campaign_id=row.campaign_id, row=row).order_by("-id").first()
    before = (last.numerator, last.denominator) if last else (row.numerator, row.denominator)
    after = judged(row, verdict)
    if after == before:
        return None
    return Correction.objects.create(
        campaign_id=row.campaign_id,
        row=row,
        input=row.input,
        **row.readers,
        numerator_before=before[0],
        denominator_before=before[1],
        numerator=after[0],
        denominator=after[1],
        reasons=reasons[:1000],
        appeal_id=appeal.pk if appeal else None,
        by=by.account_id,
        by_name=by.name[:120],
        at=at,
    )


def require_independent(row: Any, by: Actor) -> None:
    if why := why_not_judged(row, by):
        raise Refused("not_independent", why, remedy=_("Leave it to another reviewer."), status=403)


def _require_state(campaign: Campaign, *states: CampaignState) -> None:
    if campaign.state not in states:
        raise Refused(
            "wrong_state",
            _("This cannot be done in the present state (%(state)s)."),
            remedy=_("Reload the page: somebody may have moved it meanwhile."),
            field="state",
            status=409,
            values={"state": campaign.get_state_display()},
        )


def reasons_needed(reasons: str) -> str:
    reasons = reasons.strip()
    if not reasons:
        raise Refused(
            "reason_missing",
            _("A row is not changed without reasons."),
            remedy=_("Say what was found, and where it can be seen."),
            field="reasons",
        )
    return reasons


@action(Permission.REVIEW_ASSESSMENT, "assessment.row_reviewed")
def review_row(item: ReviewItem, *, by: Actor, at: datetime, verdict: str, reasons: str = "") -> ReviewItem:
    """Say whether a row drawn is right. Nobody judges his own."""
    require_independent(item, by)
    changes = verdict != Verdict.AS_IT_IS
    if changes:
        reasons = reasons_needed(reasons)
    with widened(EVERYTHING):
        _require_state(item.campaign, CampaignState.REVIEW)
        row = FrozenRow.objects.get(pk=item.row_id)
        numerator, denominator = judged(row, verdict)
        ITEM.move(
            item,
            "correct" if changes else "confirm",
            numerator=numerator,
            denominator=denominator,
            reasons=reasons.strip()[:1000],
            reviewer=by.account_id,
            reviewer_name=by.name[:120],
            reviewed_at=at,
        )
        if changes:
            correct_row(row, verdict, reasons, by=by, at=at)
    return item


@dataclass(frozen=True)
class Told:
    """What an insurer says of itself: items met, and for each what shows it."""

    met: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return ", ".join(self.met)


def items_of(scheme: SchemeText) -> tuple[Any, ...]:
    """The items of every checklist of a scheme."""
    return tuple(
        item for element in scheme.elements if isinstance(element.curve, Checklist) for item in element.curve.items
    )


@action(Permission.ANSWER_ASSESSMENT, "assessment.report_submitted")
def submit_report(report: SelfReport, *, by: Actor, at: datetime, told: Told) -> SelfReport:
    """Hand the self-report in, until its deadline. Every item claimed needs what shows it."""
    if report.party not in (by.scope.insurer_id, by.scope.agency_id):
        raise Refused("not_own", _("This is the report of another."), remedy=_("Open your own."), status=403)
    if at > report.due_at:
        raise Refused(
            "report_late",
            _("The self-report was due at %(moment)s."),
            remedy=_("What was not handed in counts as not achieved; you may appeal against the provisional result."),
            status=409,
            values={"moment": deadline_text(report.due_at)},
        )
    with widened(EVERYTHING):
        _require_state(report.campaign, CampaignState.COMPUTED, CampaignState.REVIEW)
        known = {item.code: item for item in items_of(report.campaign.scheme.text)}
        for code in told.met:
            if code in known and not told.texts.get(code, "").strip():
                raise Refused(
                    "evidence_missing",
                    _("“%(item)s” needs what shows it."),
                    remedy=_("Name the document, its number and date, or the persons and trainings."),
                    field=f"text_{code}",
                    values={"item": str(known[code].title)},
                )
        REPORTING.move(
            report,
            "submit",
            met=[code for code in known if code in told.met],
            texts={code: told.texts.get(code, "").strip()[:500] for code in known},
            submitted_at=at,
            submitted_by=by.name[:120],
        )
    return report


@action(Permission.REVIEW_ASSESSMENT, "assessment.report_reviewed")
def review_report(
    report: SelfReport, *, by: Actor, at: datetime, confirmed: tuple[str, ...], remarks: Mapping[str, str]
) -> SelfReport:
    """Say which of the items claimed are met. What is refused needs a remark."""
    require_independent(report_scope(report), by)
    with widened(EVERYTHING):
        _require_state(report.campaign, CampaignState.COMPUTED, CampaignState.REVIEW)
        for code in report.met:
            if code not in confirmed and not remarks.get(code, "").strip():
                raise Refused(
                    "reason_missing",
                    _("An item claimed is not refused without a remark."),
                    remedy=_("Say what is missing."),
                    field=f"remark_{code}",
                )
        REPORTING.move(
            report,
            "review",
            confirmed=[code for code in report.met if code in confirmed],
            remarks={code: text.strip()[:500] for code, text in remarks.items() if text.strip()},
            reviewed_at=at,
            reviewer=by.account_id,
            reviewer_name=by.name[:120],
        )
    return report


@dataclass(frozen=True)
class _Scope:
    insurer_id: Any
    agency_id: Any
    expert_id: Any
    enterprise_id: Any = None


def report_scope(row: Any) -> _Scope:
    """Whose a report or appeal is, for the check of independence."""
    return _Scope(row.insurer_id, row.agency_id, row.expert_id)

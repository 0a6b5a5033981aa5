"""Appeals: on an element or on rows, decided by somebody who did not review, moving nothing beyond their scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.results import hold, rescore
from anze.assessment.actions.reviews import correct_row, items_of, report_scope, require_independent
from anze.assessment.definitions import PARTY
from anze.assessment.models import Appeal, FrozenRow, Outcome, ReviewItem, SelfReport
from anze.assessment.rules import SubjectKind
from anze.assessment.rules.campaigns import APPEALING, DECIDE, AppealState, CampaignState, ReportState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, PROVINCE, widened
from anze.kernel.wording import listed
from anze.parties.rules import Permission

MOST_ROWS = 200


@dataclass(frozen=True)
class Objection:
    """What somebody objects to: an element or a confirmed case's item, and of its rows those he names; none: all."""

    element: str
    text: str
    records: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.element} {' '.join(self.records)}"


def codes_of(outcome: Outcome) -> tuple[str, ...]:
    """What may be appealed against: every element, and those bonuses, deductions and vetoes that rest on rows."""
    scheme = outcome.campaign.scheme.text
    extras = [each.code for each in (*scheme.bonus.items, *scheme.deduction.items)]
    extras += [veto.code for veto in scheme.vetoes]
    party = {PARTY[SubjectKind(outcome.campaign.subject)]: outcome.party}
    rows = FrozenRow.objects.filter(
        campaign=outcome.campaign, input__in=[scheme.rows_of(code) for code in extras], **party
    )
    there = set(rows.values_list("input", flat=True).distinct())
    return (*(each.code for each in scheme.elements), *(code for code in extras if scheme.rows_of(code) in there))


def rows_named(outcome: Outcome, code: str, records: Iterable[str]) -> list[int]:
    """The frozen rows of an input by the numbers somebody wrote down; all of them must be among his rows."""
    named = tuple(dict.fromkeys(each.strip() for each in records if each.strip()))
    party = {PARTY[SubjectKind(outcome.campaign.subject)]: outcome.party}
    rows = FrozenRow.objects.filter(campaign=outcome.campaign, input=code, label__in=named[: MOST_ROWS + 1], **party)
    found = list(rows.values_list("pk", "label"))
    known = {label for _pk, label in found}
    unknown = [label for label in named if label not in known]
    if unknown or len(named) > MOST_ROWS:
        raise Refused(
            "records_unknown",
            _("These records are not among the rows of the element: %(records)s."),
            remedy=_("Copy their numbers from the page of the rows, one a line, 200 at most."),
            field="records",
            values={"records": listed(unknown[:5] or named[:5])},
        )
    return [pk for pk, _label in found]


@action(Permission.ANSWER_ASSESSMENT, "assessment.appealed")
def appeal(outcome: Outcome, *, by: Actor, at: datetime, objection: Objection) -> Appeal:
    """Object to a provisional result within the time for appeals."""
    campaign = outcome.campaign
    column = PARTY[SubjectKind(campaign.subject)]
    own = getattr(by.scope, column)
    if own is None or own != outcome.party:
        raise Refused("not_own", _("This is the result of another."), remedy=_("Open your own."), status=403)
    if campaign.state != CampaignState.PROVISIONAL or not campaign.appeal_until_at or at > campaign.appeal_until_at:
        raise Refused(
            "appeals_closed",
            _("Appeals are not open."),
            remedy=_("They are open from the provisional result on, for the working days announced with it."),
            status=409,
        )
    if outcome.region_code != PROVINCE:
        raise Refused(
            "appeal_on_city",
            _("An appeal is made on the result in the whole province."),
            remedy=_("Open that result; the city's follows by itself."),
        )
    code, scheme = objection.element, campaign.scheme.text
    if code not in codes_of(outcome):
        raise Refused(
            "no_element", _("There is no such element."), remedy=_("Choose one of the list."), field="element"
        )
    if not objection.text.strip():
        raise Refused(
            "reason_missing",
            _("An appeal needs its reasons."),
            remedy=_("Say what is wrong, and what shows it."),
            field="text",
        )
    with widened(EVERYTHING):
        found = rows_named(outcome, scheme.rows_of(code), objection.records)
        if Appeal.objects.filter(outcome=outcome, element=code, state=AppealState.OPEN).exists():
            raise Refused(
                "appeal_open",
                _("There is an open appeal on this element already."),
                remedy=_("Wait for its decision."),
                field="element",
                status=409,
            )
        count = Appeal.objects.filter(campaign=campaign).count() + 1
        return Appeal.objects.create(
            outcome=outcome,
            campaign=campaign,
            insurer_id=outcome.insurer_id,
            agency_id=outcome.agency_id,
            expert_id=outcome.expert_id,
            region_code=outcome.region_code,
            number=f"SS-{campaign.code}-{count:03d}",
            element=code,
            rows=found,
            text=objection.text.strip()[:2000],
            submitted_at=at,
            submitted_by=by.name[:120],
            due_at=DECIDE.due_at(beijing_day(at), calendar=load_calendar()),
        )


@dataclass(frozen=True)
class Decision:
    """What is decided: the rows' verdicts, or the items of a checklist that are met; and why."""

    state: str
    reasons: str
    verdicts: Mapping[int, str] = field(default_factory=dict)
    confirmed: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.state}: {self.reasons}"


def why_not_second(made: Appeal, by: Actor) -> str:
    """Why somebody may not decide: he reviewed what is appealed against. Empty if he may."""
    scheme = made.campaign.scheme.text
    party = {PARTY[SubjectKind(made.campaign.subject)]: made.party}
    if by.account_id is None:
        return ""
    with widened(EVERYTHING):
        marked = ReviewItem.objects.filter(
            campaign=made.campaign, input=scheme.rows_of(made.element), reviewer=by.account_id, **party
        ).exists()
        read = (
            scheme.is_checklist(made.element)
            and SelfReport.objects.filter(outcome=made.outcome_id, reviewer=by.account_id).exists()
        )
    return str(_("You reviewed what is appealed against; another has to decide.")) if marked or read else ""


@action(Permission.DECIDE_APPEALS, "assessment.appeal_decided")
def decide(made: Appeal, *, by: Actor, at: datetime, decision: Decision) -> Appeal:
    """Decide, re-score what the appeal names, and write down before and after. Nothing else may move."""
    require_independent(report_scope(made), by)
    if why := why_not_second(made, by):
        raise Refused("not_second", why, remedy=_("Leave it to another reviewer."), status=403)
    if not decision.reasons.strip():
        raise Refused(
            "reason_missing",
            _("An appeal is not decided without reasons."),
            remedy=_("Say what was looked at, and what follows."),
            field="reasons",
        )
    with widened(EVERYTHING):
        hold(made.campaign)
        campaign, outcome = made.campaign, Outcome.objects.get(pk=made.outcome_id)
        scheme = campaign.scheme.text
        before = _stand(outcome, made.element)
        points = dict(Outcome.objects.filter(campaign=campaign).values_list("pk", "points"))
        APPEALING.move(
            made,
            decision.state.lower(),
            reasons=decision.reasons.strip()[:2000],
            decided_at=at,
            decider=by.account_id,
            decided_by=by.name[:120],
        )
        changed = 0
        if decision.state != AppealState.DISMISSED:
            if scheme.is_checklist(made.element):
                changed = _confirm_items(made, decision, by=by, at=at)
            else:
                changed = _correct_rows(made, scheme.rows_of(made.element), decision, by=by, at=at)
            if not changed:
                raise Refused(
                    "nothing_changed",
                    _("An appeal that is granted changes something."),
                    remedy=_("Say for each row what counts, or dismiss the appeal."),
                    field="state",
                )
            rescore(campaign, outcome.party)
            _hold_to_scope(made, points)
        outcome.refresh_from_db()
        made.before, made.after = before, _stand(outcome, made.element)
        made.save(update_fields=["before", "after"])
    return made


def _stand(outcome: Outcome, element: str) -> dict[str, Any]:
    """Where a result stands; a bonus, deduction or veto has no points of its own."""
    return {
        **({"points": outcome.points[element][0]} if element in outcome.points else {}),
        "score": str(outcome.score),
        "rank": outcome.rank,
        "grade": outcome.grade,
    }


def _correct_rows(made: Appeal, code: str, decision: Decision, *, by: Actor, at: datetime) -> int:
    """Rows the appeal named; where it named none, rows of the element."""
    allowed = set(made.rows) if made.rows else None
    changed = 0
    rows = _own_rows(made, code).filter(pk__in=list(decision.verdicts))
    for row in rows:
        if allowed is not None and row.pk not in allowed:
            raise Refused(
                "beyond_appeal",
                _("“%(record)s” is not in the scope of the appeal."),
                remedy=_("Decide on the rows the appeal names."),
                field="records",
                values={"record": row.label},
            )
        if correct_row(row, decision.verdicts[row.pk], decision.reasons, by=by, at=at, appeal=made):
            changed += 1
    return changed


def _confirm_items(made: Appeal, decision: Decision, *, by: Actor, at: datetime) -> int:
    report = SelfReport.objects.filter(outcome=made.outcome_id).first()
    if report is None or decision.confirmed is None:
        return 0
    known = [item.code for item in items_of(made.campaign.scheme.text)]
    confirmed = [code for code in known if code in decision.confirmed]
    if report.state == ReportState.REVIEWED and confirmed == report.confirmed:
        return 0
    report.confirmed = confirmed
    report.met = [code for code in known if code in {*report.met, *confirmed}]
    report.state = ReportState.REVIEWED
    report.submitted_at = report.submitted_at or made.submitted_at
    report.reviewed_at = at
    report.save(update_fields=["confirmed", "met", "state", "submitted_at", "reviewed_at"])
    return 1


def _own_rows(made: Appeal, code: str) -> Any:
    """The rows of one input of whoever appealed."""
    party = {PARTY[SubjectKind(made.campaign.subject)]: made.party}
    return FrozenRow.objects.filter(campaign=made.campaign, input=code, **party)


def _hold_to_scope(made: Appeal, before: Mapping[Any, Any]) -> None:
    """After a decision only the element appealed against, and those reading the same input, may have moved."""
    scheme = made.campaign.scheme.text
    reads = scheme.rows_of(made.element)
    may_move = {element.code for element in scheme.elements if scheme.rows_of(element.code) == reads}
    for outcome in Outcome.objects.filter(campaign=made.campaign):
        moved = {code for code, value in outcome.points.items() if before.get(outcome.pk, {}).get(code) != value}
        is_small = {value[1] for value in outcome.points.values()} & {"TOO_FEW"}
        if moved and (outcome.party != made.party or (moved - may_move and not is_small)):
            raise RuntimeError(f"the appeal {made.number} moved {sorted(moved)} of {outcome.pk}")

"""The course of an assessment, step by step, each by one action with its deadline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from procrastinate.contrib.django import app

from anze.assessment.actions.results import rescore
from anze.assessment.actions.supervision import put_in_tiers, sizes_by_tier
from anze.assessment.definitions import PARTY
from anze.assessment.models import Appeal, Campaign, FrozenRow, Outcome, ReviewItem, Scheme, SelfReport
from anze.assessment.rules import Checklist, SchemeState, SubjectKind
from anze.assessment.rules.campaigns import (
    APPEAL,
    CAMPAIGN,
    REPORT,
    REVIEW,
    AppealState,
    CampaignState,
    ItemState,
    Level,
    ReportState,
)
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.drawing import drawn
from anze.kernel.duty import beijing_day, deadline_text, load_calendar
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, PROVINCE, widened
from anze.parties.models import Expert, Organisation
from anze.parties.rules import Permission

RUN = Permission.RUN_ASSESSMENT
FREEZE_TASK = "assessment.freeze_waiting"


@dataclass(frozen=True)
class Setting:
    """What an assessment is to be."""

    title: str
    scheme: Scheme
    period_from: date
    period_to: date

    def __str__(self) -> str:
        return f"{self.title} {self.period_from}–{self.period_to}"


@action(RUN, "assessment.set_up")
def set_up(setting: Setting, *, by: Actor, at: datetime) -> Campaign:
    """Set an assessment up: which scheme, which period. Its scheme must be issued and valid at the period's end."""
    scheme = setting.scheme
    if setting.period_to <= setting.period_from:
        raise Refused(
            "period_out_of_order", _("The period ends before it begins."), remedy=_("Correct one of the days."),
            field="period_to",
        )  # fmt: skip
    in_force = scheme.valid_from <= setting.period_to and (
        scheme.valid_to is None or scheme.valid_to >= setting.period_to
    )
    if scheme.state != SchemeState.ISSUED or not in_force:
        raise Refused(
            "scheme_not_in_force",
            _("This scheme is not in force at the end of the period."),
            remedy=_("Issue it, or choose another version."),
            field="scheme",
        )
    code = f"{scheme.subject}-{setting.period_from:%Y%m}-{setting.period_to:%Y%m}"
    with widened(EVERYTHING):
        if Campaign.objects.filter(code=code).exists():
            raise Refused(
                "assessment_there",
                _("This period is being assessed already."),
                remedy=_("Open that assessment, or choose another period."),
                field="period_from",
            )
        before = (
            Campaign.objects.filter(subject=scheme.subject, period_to__lt=setting.period_to)
            .order_by("-period_to")
            .first()
        )
        return Campaign.objects.create(
            code=code,
            title=setting.title.strip()[:120],
            subject=scheme.subject,
            scheme=scheme,
            before=before,
            period_from=setting.period_from,
            period_to=setting.period_to,
            made_at=at,
            made_by=by.name[:120],
        )


@action(RUN, "assessment.freeze_asked")
def ask_freeze(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """Have the data frozen in the background; a large province takes half a minute."""
    if campaign.period_from > beijing_day(at):
        raise Refused(
            "period_not_begun",
            _("The period has not begun."),
            remedy=_("Wait until there are data to be frozen."),
            status=409,
        )
    with widened(EVERYTHING):
        CAMPAIGN.move(campaign, "ask")
    app.configure_task(FREEZE_TASK).defer()
    return campaign


@action(RUN, "assessment.computed")
def compute(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """Score what was frozen, and open the self-reports."""
    today = beijing_day(at)
    due_at = REPORT.due_at(today, calendar=load_calendar())
    with widened(EVERYTHING):
        CAMPAIGN.move(campaign, "compute", computed_at=at, report_due_at=due_at)
        rescore(campaign)
        if any(isinstance(element.curve, Checklist) for element in campaign.scheme.text.elements):
            outcomes = Outcome.objects.filter(campaign=campaign, level=Level.PROVINCE)
            SelfReport.objects.bulk_create(
                SelfReport(
                    outcome=outcome,
                    campaign=campaign,
                    insurer_id=outcome.insurer_id,
                    agency_id=outcome.agency_id,
                    expert_id=outcome.expert_id,
                    region_code=PROVINCE,
                    due_at=due_at,
                )
                for outcome in outcomes
            )
    return campaign


# inputs whose rows reviewers can look at one by one: each row is one record that counts once
DRAWN_FROM = {
    SubjectKind.INSURER: (
        "service_completion_rate", "follow_up_on_time", "hazard_rectification_rate", "major_hazards_told",
        "expense_vouchers", "policy_compliance",
    ),
    SubjectKind.AGENCY: ("agency_timeliness",),
    SubjectKind.EXPERT: ("expert_timeliness", "expert_qualified"),
}  # fmt: skip


def population_of(campaign: Campaign, party: UUID) -> list[str]:
    """The keys a party's sample is drawn from: its frozen rows that count."""
    rows = FrozenRow.objects.filter(
        **{PARTY[SubjectKind(campaign.subject)]: party},
        campaign=campaign,
        input__in=DRAWN_FROM[SubjectKind(campaign.subject)],
        denominator__gt=0,
    )
    return [str(key) for key in rows.order_by("id").values_list("id", flat=True)]


def seed_of(seed: str, code: str) -> str:
    """Each party has a draw of its own, by the published seed and its code."""
    return f"{seed}/{code}"


def counts_drawn(campaign: Campaign, **only: Any) -> dict[UUID, int]:
    """How many rows of each party were drawn. The scope must be everything."""
    party = PARTY[SubjectKind(campaign.subject)]
    counted = ReviewItem.objects.filter(campaign=campaign, **only).values(party).annotate(count=Count("pk"))
    return dict(counted.values_list(party, "count"))


@dataclass(frozen=True)
class Draw:
    """A seed that was published after the data were frozen, where it comes from, and how many rows of each."""

    seed: str
    source: str
    each: int

    def __str__(self) -> str:
        return f"{self.seed} ({self.source}) {self.each}"


@action(RUN, "assessment.review_opened")
def open_review(campaign: Campaign, *, by: Actor, at: datetime, draw: Draw) -> Campaign:
    """Draw rows of each party by a public seed and hand them to the reviewers; more of those closely supervised."""
    if not draw.seed.strip() or not draw.source.strip():
        raise Refused(
            "seed_missing",
            _("A draw needs a seed and where it comes from."),
            remedy=_("Use numbers that were published after the data were frozen, and say where."),
            field="seed" if not draw.seed.strip() else "source",
        )
    today = beijing_day(at)
    due_at = REVIEW.due_at(today, calendar=load_calendar())
    with widened(EVERYTHING):
        CAMPAIGN.move(
            campaign,
            "review",
            seed=draw.seed.strip()[:100],
            seed_source=draw.source.strip()[:200],
            sample_each=draw.each,
            review_at=at,
            review_due_at=due_at,
        )
        items, sizes = [], sizes_by_tier(draw.each, on=today)
        whole = Outcome.objects.filter(campaign=campaign, level=Level.PROVINCE)
        for outcome in whole.select_related("organisation", "expert"):
            keys = population_of(campaign, outcome.party)
            size = sizes.get(outcome.party, draw.each)
            chosen = drawn(keys, seed_of(campaign.seed, outcome.known_as), size)
            own = {name: getattr(outcome, name) for name in PARTY.values()}
            rows = FrozenRow.objects.in_bulk([int(key) for key, _digest in chosen])
            for rank, (key, digest) in enumerate(chosen, 1):
                row = rows[int(key)]
                items.append(
                    ReviewItem(
                        campaign=campaign, row=row, label=row.label, input=row.input, rank=rank, digest=digest,
                        due_at=due_at, **{**row.readers, **own},
                    )
                )  # fmt: skip
        ReviewItem.objects.bulk_create(items, batch_size=1000)
    return campaign


@action(RUN, "assessment.announced")
def announce(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """Tell everybody his provisional result; from now on appeals are open. Nothing drawn may still wait."""
    with widened(EVERYTHING):
        waiting = ReviewItem.objects.filter(campaign=campaign, state=ItemState.WAITING).count()
        reports = SelfReport.objects.filter(campaign=campaign, state=ReportState.SUBMITTED).count()
        if campaign.state == CampaignState.REVIEW and waiting + reports:
            raise Refused(
                "review_not_finished",
                _("Still with their reviewers: rows drawn %(rows)s, self-reports %(reports)s."),
                remedy=_("Have them reviewed first."),
                status=409,
                values={"rows": waiting, "reports": reports},
            )
        rescore(campaign)
        until = APPEAL.due_at(beijing_day(at), calendar=load_calendar())
        CAMPAIGN.move(campaign, "announce", provisional_at=at, appeal_until_at=until)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {Outcome._meta.db_table} SET provisional_score = score, provisional_rank = rank "
                "WHERE campaign_id = %s",
                [campaign.pk],
            )
    return campaign


@action(RUN, "assessment.finalised")
def finalise(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """Close the appeals: their time must be over and every one decided."""
    with widened(EVERYTHING):
        if campaign.state == CampaignState.PROVISIONAL and campaign.appeal_until_at and at <= campaign.appeal_until_at:
            raise Refused(
                "appeals_still_open",
                _("Appeals are open until %(moment)s."),
                remedy=_("Wait until their time is over."),
                status=409,
                values={"moment": deadline_text(campaign.appeal_until_at)},
            )
        undecided = Appeal.objects.filter(campaign=campaign, state=AppealState.OPEN).count()
        if undecided:
            raise Refused(
                "appeals_undecided",
                ngettext_lazy("%(count)s appeal is not decided.", "%(count)s appeals are not decided.", "count"),
                remedy=_("Decide on them first."),
                status=409,
                values={"count": undecided},
            )
        CAMPAIGN.move(campaign, "finalise", final_at=at)
    return campaign


@action(RUN, "assessment.published")
def publish(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """Open the signed result to everybody. Experts are persons: theirs is never published."""
    if campaign.subject == SubjectKind.EXPERT:
        raise Refused(
            "experts_not_published",
            _("Results of experts are not published."),
            remedy=_("They stand when they are signed: each expert sees his own, his agency and the authorities too."),
            status=409,
        )
    with widened(EVERYTHING):
        CAMPAIGN.move(campaign, "publish", published_at=at)
        put_in_tiers(campaign, at=at)
    return campaign


def last_of(somebody: Organisation | Expert) -> Outcome | None:
    """The last result of somebody in the whole province that stands, for his page: published, or an expert's signed."""
    if isinstance(somebody, Expert):
        rows, stands = Outcome.objects.filter(expert=somebody), CampaignState.SIGNED
    else:
        rows, stands = Outcome.objects.filter(organisation=somebody), CampaignState.PUBLISHED
    return (
        rows.filter(level=Level.PROVINCE, campaign__state=stands)
        .select_related("campaign__scheme")
        .order_by("-campaign__period_to")
        .first()
    )
